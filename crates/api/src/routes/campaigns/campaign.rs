//! Campaigns as things: list, read, make, change.

use super::choices::choices_known;
use super::{params, versions};
use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::routes::catalog::readers;
use crate::routes::floor::template_params;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Campaign, CampaignParams, CampaignStatus, CampaignVersion};
use domain::ids::{CampaignId, CampaignTemplateId, ClientId, ScriptId, SegmentId};
use domain::ports::StoreError;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "campaigns",
    "/campaigns",
    "/campaigns/{id}",
    Campaign,
    Campaign,
    CampaignId,
    list_campaigns,
    get_campaign
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, change))
}

/// A new campaign; a draft until it is started.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCampaign {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// Unique within the client.
    name: String,
    #[schema(value_type = uuid::Uuid)]
    segment_id: SegmentId,
    #[schema(value_type = Option<uuid::Uuid>)]
    script_id: Option<ScriptId>,
    /// The template whose parameters it begins with.
    #[schema(value_type = Option<uuid::Uuid>)]
    template_id: Option<CampaignTemplateId>,
    /// Any of them; the others keep their defaults, or those of the template.
    #[schema(value_type = Option<doc::CampaignParams>)]
    params: Option<Map<String, Value>>,
}

/// What changes; the rest stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignChange {
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
    /// The version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

/// Tells null from absent.
pub(super) fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<ScriptId>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// A thing that is named in a body has to be there and to belong to the client.
fn named<T>(
    found: Result<T, StoreError>,
    path: &str,
    owner: ClientId,
    client_of: impl Fn(&T) -> ClientId,
) -> Result<T, Problem> {
    match found {
        Ok(row) if client_of(&row) == owner => Ok(row),
        Ok(_) | Err(StoreError::NotFound(_)) => Err(Problem::invalid(
            path,
            "expected one of the campaign's client",
        )),
        Err(other) => Err(other.into()),
    }
}

/// A ring time that the packs do not let the dialer use is refused where it changes, or for whom it is. What was
/// stored before goes on, and rings as long as the packs say.
pub(super) async fn ring_fits(
    state: &ApiState,
    before: &Campaign,
    after: &Campaign,
) -> Result<(), Problem> {
    let (was, is) = (&before.params, &after.params);
    let same = was.ring_timeout_s == is.ring_timeout_s
        && was.mode == is.mode
        && was.list_mix == is.list_mix
        && before.segment_id == after.segment_id;
    if same {
        return Ok(());
    }
    Ok(state.center.ring_fits(after).await?)
}

pub(super) async fn check_parts(state: &ApiState, row: &Campaign) -> Result<(), Problem> {
    let owner = row.client_id;
    let segment = state.store.get_segment(row.segment_id).await;
    named(segment, "segment_id", owner, |s| s.client_id)?;
    if let Some(script) = row.script_id {
        let script = state.store.get_script(script).await;
        named(script, "script_id", owner, |s| s.client_id)?;
    }
    let mix = &row.params.list_mix;
    for part in mix {
        let segment = state.store.get_segment(part.segment_id).await;
        named(segment, "params.list_mix", owner, |s| s.client_id)?;
    }
    if !mix.is_empty() && !mix.iter().any(|part| part.segment_id == row.segment_id) {
        let reason = "expected the campaign's own segment among them";
        return Err(Problem::invalid("params.list_mix", reason));
    }
    for id in &row.params.caller_id_pool {
        let number = state.store.get_caller_id(*id).await;
        named(number, "params.caller_id_pool", owner, |c| c.client_id)?;
    }
    for name in &row.params.trunks {
        if state.store.trunk_by_name(name).await?.is_none() {
            let reason = format!("no trunk '{name}' in the configuration");
            return Err(Problem::invalid("params.trunks", reason));
        }
    }
    Ok(())
}

/// Stores the campaign, and the version that it now is: one more than the stored one, or the first.
pub(super) async fn save(
    state: &ApiState,
    caller: &Caller,
    row: &Campaign,
    version: Option<CampaignVersion>,
) -> Result<(), Problem> {
    let event = state.event(
        caller.actor(),
        Some(row.client_id),
        "campaign.changed",
        format!("campaign:{}", row.id),
        json!({"version": row.version, "status": row.status, "mode": row.params.mode}),
    );
    let audit = state.audit(
        caller,
        Some(row.client_id),
        format!("campaign:{}", row.id),
        "campaign.saved",
    );
    let version = version.unwrap_or_else(|| versions::published(state, caller, row));
    let (store, events) = (&state.store, [event, audit]);
    let was = row.version.saturating_sub(1);
    if was == 0 {
        store.put_campaign(row, &events).await?;
        store.put_campaign_version(&version, &[]).await?;
        return Ok(());
    }
    // Whoever read it before another wrote it writes nothing.
    match store
        .settle_campaign(row, Some(&version), was, &events)
        .await?
    {
        true => Ok(()),
        false => Err(Problem::conflict(
            "version_conflict",
            format!("version {was} was changed meanwhile: read again"),
        )),
    }
}

/// What a campaign begins with. Where the law rations contacts by phone, the hour of each is chosen unless somebody
/// says otherwise.
async fn fresh_params(state: &ApiState, client: ClientId) -> Result<CampaignParams, Problem> {
    let mut params = CampaignParams::default();
    if state.center.rations(client).await? {
        params.order = vec!["best_time".to_owned(), "dpd".to_owned()];
    }
    Ok(params)
}

/// Makes a campaign.
#[utoipa::path(post, path = "/campaigns", tag = "campaigns", request_body = NewCampaign,
    responses((status = 201, description = "Made", body = doc::Campaign), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewCampaign>,
) -> Result<(StatusCode, Json<Campaign>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let begin = match body.template_id {
        Some(id) => template_params(&state, &caller, id, body.client_id).await?,
        None => fresh_params(&state, body.client_id).await?,
    };
    let now = state.now();
    let row = Campaign {
        id: CampaignId(state.id()),
        client_id: body.client_id,
        name: check::name("name", &body.name)?,
        segment_id: body.segment_id,
        script_id: body.script_id,
        status: CampaignStatus::Draft,
        params: params::merged(&begin, body.params)?,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    check_parts(&state, &row).await?;
    choices_known(&state, None, &row).await?;
    save(&state, &caller, &row, None).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Changes a campaign; a running one follows at once.
#[utoipa::path(patch, path = "/campaigns/{id}", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    request_body = CampaignChange,
    responses((status = 200, description = "Changed", body = doc::Campaign), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn change(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<CampaignChange>,
) -> Result<Json<Campaign>, Problem> {
    let row = state.store.get_campaign(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    let before = row.clone();
    super::params::same_version(body.version, row.version)?;
    if let Some(name) = &body.name {
        row.name = check::name("name", name)?;
    }
    if let Some(segment) = body.segment_id {
        row.segment_id = segment;
    }
    if let Some(script) = body.script_id {
        row.script_id = script;
    }
    row.params = params::merged(&row.params, body.params)?;
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    check_parts(&state, &row).await?;
    choices_known(&state, Some(&before.params), &row).await?;
    ring_fits(&state, &before, &row).await?;
    save(&state, &caller, &row, None).await?;
    state.center.campaign_changed(id).await?;
    Ok(Json(row))
}
