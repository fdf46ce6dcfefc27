//! Caller ids: numbers that a client's calls may show.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::CallerId;
use domain::ids::{CallerIdId, ClientId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/caller-ids",
    "/caller-ids/{id}",
    CallerId,
    CallerId,
    CallerIdId,
    list_caller_ids,
    get_caller_id
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new caller id.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCallerId {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = doc::Phone)]
    number: String,
    /// ISO 3166 alpha-2.
    country: String,
    /// Whether it is registered with the authority's list.
    registered: bool,
    enabled: bool,
    /// Whether its carrier signs the calls that show it; false when absent.
    #[serde(default)]
    signed: bool,
}

/// A caller id as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallerIdBody {
    #[schema(value_type = doc::Phone)]
    number: String,
    country: String,
    registered: bool,
    enabled: bool,
    /// As it is when absent.
    signed: Option<bool>,
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: CallerId,
    action: &str,
) -> Result<CallerId, Problem> {
    let subject = format!("caller_id:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_caller_id(&row, &[event]).await?;
    Ok(row)
}

/// Makes a caller id.
#[utoipa::path(post, path = "/caller-ids", tag = "catalog", request_body = NewCallerId,
    responses((status = 201, description = "Made", body = doc::CallerId)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewCallerId>,
) -> Result<(StatusCode, Json<CallerId>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let row = CallerId {
        id: CallerIdId(state.id()),
        client_id: body.client_id,
        number: check::phone("number", &body.number)?.e164().to_owned(),
        country: check::country("country", &body.country)?,
        registered: body.registered,
        enabled: body.enabled,
        signed: body.signed,
        callback_at: None,
        created_at: state.now(),
    };
    let row = save(&state, &caller, row, "caller_id.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a caller id.
#[utoipa::path(put, path = "/caller-ids/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = CallerIdBody, responses((status = 200, description = "Changed", body = doc::CallerId)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CallerIdId>,
    Body(body): Body<CallerIdBody>,
) -> Result<Json<CallerId>, Problem> {
    let row = state.store.get_caller_id(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    let number = check::phone("number", &body.number)?.e164().to_owned();
    // Another number has another way back.
    row.callback_at = row.callback_at.filter(|_| number == row.number);
    row.number = number;
    row.country = check::country("country", &body.country)?;
    row.registered = body.registered;
    row.enabled = body.enabled;
    row.signed = body.signed.unwrap_or(row.signed);
    Ok(Json(save(&state, &caller, row, "caller_id.changed").await?))
}
