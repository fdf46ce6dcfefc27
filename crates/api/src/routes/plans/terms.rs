//! A client's terms: offers, authority, limits of promises, stages; versioned.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::PolicyVersion;
use domain::ids::{ClientId, PolicyId};
use domain::ports::StoreError;
use domain::rules::offers::ClientTerms;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Versions shown.
const VERSIONS_MAX: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(read, write))
        .routes(routes!(versions))
}

/// Terms in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct TermsReply {
    /// 0 = the house's own: the client has none yet.
    version: i32,
    /// `offers`, `authority`, `quita_lapses`, `ask_timeout_s`, `promises`, `stages`, `attention_minor`, `ageing`.
    #[schema(value_type = Value)]
    terms: ClientTerms,
}

/// A new version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsBody {
    /// The version that it follows; another one in between is refused.
    after: i32,
    #[schema(value_type = Value)]
    terms: ClientTerms,
    /// What changed and why.
    note: String,
}

async fn client_of(state: &ApiState, caller: &Caller, id: ClientId) -> Result<(), Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(state, caller, client).await.map(drop)
}

/// Every segment that limits promises is the client's own.
async fn own_segments(state: &ApiState, id: ClientId, terms: &ClientTerms) -> Result<(), Problem> {
    for (n, rule) in terms.promises.iter().enumerate() {
        let Some(segment) = rule.segment_id else {
            continue;
        };
        let found = match state.store.get_segment(segment).await {
            Err(StoreError::NotFound(_)) => None,
            found => Some(found?),
        };
        if found.is_none_or(|segment| segment.client_id != id) {
            let path = format!("terms.promises[{n}].segment_id");
            return Err(Problem::invalid(&path, "expected a segment of the client"));
        }
    }
    Ok(())
}

/// The terms in force.
#[utoipa::path(get, path = "/clients/{id}/terms", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "In force", body = TermsReply), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
) -> Result<Json<TermsReply>, Problem> {
    client_of(&state, &caller, id).await?;
    let (terms, version) = state.center.terms_of(id).await?;
    Ok(Json(TermsReply { version, terms }))
}

/// Writes the next version; campaigns work under it at once, plans that were drawn stay as they are.
#[utoipa::path(put, path = "/clients/{id}/terms", tag = "plans", params(("id" = uuid::Uuid, Path)),
    request_body = TermsBody,
    responses((status = 201, description = "In force", body = doc::PolicyVersion), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn write(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
    Body(body): Body<TermsBody>,
) -> Result<(StatusCode, Json<PolicyVersion>), Problem> {
    client_of(&state, &caller, id).await?;
    caller.may_write(id)?;
    body.terms
        .check()
        .map_err(|e| Problem::invalid(&format!("terms.{}", e.path), e.wanted))?;
    own_segments(&state, id, &body.terms).await?;
    let row = PolicyVersion {
        id: PolicyId(state.id()),
        client_id: id,
        version: body.after.saturating_add(1),
        terms: body.terms,
        note: check::text("note", &body.note, check::TEXT_MAX)?,
        made_by: Some(caller.user),
        made_at: state.now(),
    };
    let data = json!({"version": row.version, "note": row.note});
    let subject = format!("client:{id}");
    let changed = state.event(
        caller.actor(),
        Some(id),
        "policy.changed",
        subject.clone(),
        data,
    );
    let audit = state.audit(&caller, Some(id), subject, "policy.changed");
    state.store.add_policy(&row, &[changed, audit]).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Versions, newest first, at most 100.
#[utoipa::path(get, path = "/clients/{id}/terms/versions", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Newest first", body = Items<doc::PolicyVersion>)))]
async fn versions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
) -> Result<Json<Items<PolicyVersion>>, Problem> {
    client_of(&state, &caller, id).await?;
    let rows = state.store.policies_of(id, VERSIONS_MAX).await?;
    Ok(Json(Items::all(rows)))
}
