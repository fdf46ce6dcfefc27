//! Commands of an agent on his own call.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::IdentityAsk;
use domain::entity::PartyRole;
use domain::ids::AttemptId;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(identity))
        .routes(routes!(hang_up))
        .routes(routes!(hold))
        .routes(routes!(mute))
        .routes(routes!(dtmf))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    /// Who speaks.
    #[schema(value_type = doc::PartyRole)]
    role: PartyRole,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    on: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digit {
    /// One of `0-9*#A-D`.
    digit: char,
}

/// Identity is ticked: the full card, which is pushed too.
#[utoipa::path(post, path = "/attempts/{id}/identity", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = Identity,
    responses((status = 200, description = "The card, as in `/ws/schema.json`", body = Value), (status = 409, body = doc::Problem)))]
async fn identity(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<Identity>,
) -> Result<Json<Value>, Problem> {
    let ask = IdentityAsk { role: body.role };
    let card = state.center.identity(caller.agent()?, attempt, ask).await?;
    Ok(Json(card))
}

/// Hangs up; a supervisor may end any call.
#[utoipa::path(post, path = "/attempts/{id}/hangup", tag = "agent", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn hang_up(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    super::monitor::check_owner(&state, &caller, attempt).await?;
    state.center.hang_up(caller.asks_as(), attempt).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts the debtor on hold or takes him back.
#[utoipa::path(post, path = "/attempts/{id}/hold", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = Switch,
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn hold(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<Switch>,
) -> Result<StatusCode, Problem> {
    state.center.hold(caller.agent()?, attempt, body.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mutes the agent or lets him be heard.
#[utoipa::path(post, path = "/attempts/{id}/mute", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = Switch,
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn mute(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<Switch>,
) -> Result<StatusCode, Problem> {
    state.center.mute(caller.agent()?, attempt, body.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a digit to the debtor's side.
#[utoipa::path(post, path = "/attempts/{id}/dtmf", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = Digit,
    responses((status = 204, description = "Sent"), (status = 409, body = doc::Problem)))]
async fn dtmf(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<Digit>,
) -> Result<StatusCode, Problem> {
    // RFC 4733 §3.2: events 0 to 15.
    if !matches!(body.digit, '0'..='9' | '*' | '#' | 'A'..='D') {
        return Err(Problem::invalid("digit", "expected one of 0-9, *, #, A-D"));
    }
    state
        .center
        .send_dtmf(caller.agent()?, attempt, body.digit)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
