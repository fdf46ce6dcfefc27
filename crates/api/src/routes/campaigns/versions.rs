//! Versions of a campaign's settings: draft, publish, roll back; and copies of campaigns.

use super::campaign::{check_parts, given, ring_fits, save};
use super::choices::choices_known;
use super::run::own;
use super::{outdated, params};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, ListQuery, list_problem};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Campaign, CampaignStatus, CampaignVersion, VersionState};
use domain::ids::{CampaignId, CampaignVersionId, ScriptId, SegmentId};
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, draft))
        .routes(routes!(read))
        .routes(routes!(publish))
        .routes(routes!(drop_draft))
        .routes(routes!(roll_back))
        .routes(routes!(copy))
}

/// A draft: what is absent stays as it is in force now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    name: Option<String>,
    #[schema(value_type = Option<uuid::Uuid>)]
    segment_id: Option<SegmentId>,
    /// null takes the script away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<uuid::Uuid>)]
    script_id: Option<Option<ScriptId>>,
    /// Only those that change.
    #[schema(value_type = Option<doc::CampaignParams>)]
    params: Option<Map<String, Value>>,
    /// Why.
    note: String,
    /// The campaign's version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

/// Over what a draft is published.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PublishAsk {
    /// The version in force, where the draft was begun from an older one and is to be published all the same.
    over: Option<i32>,
}

/// Which version comes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollBack {
    /// A version of the campaign that was in force.
    version: i32,
    /// Why.
    note: String,
}

/// A copy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyAsk {
    /// Name of the copy.
    name: String,
}

/// The campaign as it is, as a version in force.
pub(super) fn published(state: &ApiState, caller: &Caller, row: &Campaign) -> CampaignVersion {
    CampaignVersion {
        id: CampaignVersionId(state.id()),
        campaign_id: row.id,
        client_id: row.client_id,
        name: row.name.clone(),
        segment_id: row.segment_id,
        script_id: row.script_id,
        params: row.params.clone(),
        state: VersionState::Published,
        version: Some(row.version),
        based_on: None,
        restores: None,
        note: String::new(),
        made_by: Some(caller.user),
        created_at: row.updated_at,
        published_at: Some(row.updated_at),
    }
}

/// Versions of a campaign, oldest first, drafts among them.
#[utoipa::path(get, path = "/campaigns/{id}/versions", tag = "campaigns",
    params(("id" = uuid::Uuid, Path), ListQuery),
    responses((status = 200, description = "A page", body = Items<doc::CampaignVersion>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<CampaignVersion>>, Problem> {
    let row = own(&state, &caller, id).await?;
    let (mut filter, page) = query.split(Some(row.client_id))?;
    filter.campaign_id = Some(id);
    let page = state.store.list_campaign_versions(&filter, &page).await;
    Ok(Json(page.map_err(list_problem)?.into()))
}

/// One version.
#[utoipa::path(get, path = "/campaign-versions/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The version", body = doc::CampaignVersion)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignVersionId>,
) -> Result<Json<CampaignVersion>, Problem> {
    let row = state.store.get_campaign_version(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// Writes a draft; nothing is dialed by it until it is published.
#[utoipa::path(post, path = "/campaigns/{id}/versions", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = NewVersion,
    responses((status = 201, description = "Written", body = doc::CampaignVersion), (status = 422, body = doc::Problem)))]
async fn draft(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<NewVersion>,
) -> Result<(StatusCode, Json<CampaignVersion>), Problem> {
    let mut row = own(&state, &caller, id).await?;
    params::same_version(body.version, row.version)?;
    let before = row.params.clone();
    if let Some(name) = &body.name {
        row.name = check::name("name", name)?;
    }
    row.segment_id = body.segment_id.unwrap_or(row.segment_id);
    row.script_id = body.script_id.unwrap_or(row.script_id);
    row.params = params::merged(&row.params, body.params)?;
    check_parts(&state, &row).await?;
    choices_known(&state, Some(&before), &row).await?;
    let version = CampaignVersion {
        state: VersionState::Draft,
        version: None,
        based_on: Some(row.version),
        note: check::text("note", &body.note, check::TEXT_MAX)?,
        created_at: state.now(),
        published_at: None,
        ..published(&state, &caller, &row)
    };
    let subject = format!("campaign:{id}");
    let event = state.audit(&caller, Some(row.client_id), subject, "campaign.drafted");
    state.store.put_campaign_version(&version, &[event]).await?;
    Ok((StatusCode::CREATED, Json(version)))
}

/// Puts settings in force: the campaign counts one up and a running one follows at once.
async fn put_in_force(
    state: &ApiState,
    caller: &Caller,
    mut version: CampaignVersion,
    mut row: Campaign,
) -> Result<CampaignVersion, Problem> {
    let before = row.clone();
    let now = state.now();
    row.name.clone_from(&version.name);
    row.segment_id = version.segment_id;
    row.script_id = version.script_id;
    row.params = version.params.clone();
    row.version = row.version.saturating_add(1);
    row.updated_at = now;
    check_parts(state, &row).await?;
    choices_known(state, Some(&before.params), &row).await?;
    ring_fits(state, &before, &row).await?;
    version.state = VersionState::Published;
    version.version = Some(row.version);
    version.published_at = Some(now);
    save(state, caller, &row, Some(version.clone())).await?;
    state.center.campaign_changed(row.id).await?;
    Ok(version)
}

/// Publishes a draft. One that was begun from an older version than the one in force, and would take back what was
/// changed since, is 409 `draft_outdated` with `began_from`, `published` and `differs` (field, `began`, `published`,
/// `draft`): `over` = that published version puts it in force all the same.
#[utoipa::path(post, path = "/campaign-versions/{id}/publish", tag = "campaigns",
    params(("id" = uuid::Uuid, Path), PublishAsk),
    responses((status = 200, description = "In force", body = doc::CampaignVersion), (status = 409, body = doc::Problem)))]
async fn publish(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignVersionId>,
    Params(ask): Params<PublishAsk>,
) -> Result<Json<CampaignVersion>, Problem> {
    let version = state.store.get_campaign_version(id).await?;
    let version = tenant::seen(&state, &caller, version).await?;
    if version.state != VersionState::Draft {
        return Err(Problem::conflict(
            "wrong_state",
            "only a draft is published",
        ));
    }
    let row = own(&state, &caller, version.campaign_id).await?;
    outdated::in_time(&state, &row, &version, ask.over).await?;
    Ok(Json(put_in_force(&state, &caller, version, row).await?))
}

/// Throws a draft away; a repeat changes nothing.
#[utoipa::path(post, path = "/campaign-versions/{id}/drop", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Thrown away", body = doc::CampaignVersion), (status = 409, body = doc::Problem)))]
async fn drop_draft(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignVersionId>,
) -> Result<Json<CampaignVersion>, Problem> {
    let version = state.store.get_campaign_version(id).await?;
    let mut version = tenant::seen(&state, &caller, version).await?;
    match version.state {
        VersionState::Published => {
            return Err(Problem::conflict(
                "wrong_state",
                "it was in force: it stays",
            ));
        }
        VersionState::Dropped => {}
        VersionState::Draft => {
            version.state = VersionState::Dropped;
            let subject = format!("campaign:{}", version.campaign_id);
            let event = state.audit(
                &caller,
                Some(version.client_id),
                subject,
                "campaign.draft_dropped",
            );
            state.store.put_campaign_version(&version, &[event]).await?;
        }
    }
    Ok(Json(version))
}

/// Brings an earlier version back, as a new one.
#[utoipa::path(post, path = "/campaigns/{id}/rollback", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = RollBack,
    responses((status = 200, description = "In force", body = doc::CampaignVersion), (status = 404, body = doc::Problem)))]
async fn roll_back(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<RollBack>,
) -> Result<Json<CampaignVersion>, Problem> {
    let row = own(&state, &caller, id).await?;
    let filter = ListFilter {
        client_id: Some(row.client_id),
        campaign_id: Some(id),
        ..ListFilter::default()
    };
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let old = loop {
        let rows = state.store.list_campaign_versions(&filter, &page).await?;
        let wanted = |v: &&CampaignVersion| v.version == Some(body.version);
        if let Some(found) = rows.items.iter().find(wanted) {
            break found.clone();
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Err(Problem::not_found("version of the campaign")),
        }
    };
    let version = CampaignVersion {
        id: CampaignVersionId(state.id()),
        restores: old.version,
        based_on: None,
        note: check::text("note", &body.note, check::TEXT_MAX)?,
        made_by: Some(caller.user),
        created_at: state.now(),
        ..old
    };
    Ok(Json(put_in_force(&state, &caller, version, row).await?))
}

/// Copies a campaign's settings into a new one, a draft.
#[utoipa::path(post, path = "/campaigns/{id}/copy", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = CopyAsk,
    responses((status = 201, description = "Made", body = doc::Campaign), (status = 422, body = doc::Problem)))]
async fn copy(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<CopyAsk>,
) -> Result<(StatusCode, Json<Campaign>), Problem> {
    let row = own(&state, &caller, id).await?;
    let now = state.now();
    let copy = Campaign {
        id: CampaignId(state.id()),
        name: check::name("name", &body.name)?,
        status: CampaignStatus::Draft,
        version: 1,
        created_at: now,
        updated_at: now,
        ..row
    };
    check_parts(&state, &copy).await?;
    save(&state, &caller, &copy, None).await?;
    Ok((StatusCode::CREATED, Json(copy)))
}
