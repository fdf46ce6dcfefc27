//! Recording switched, and supervisors who join a call.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::AttemptId;
use domain::ports::MonitorMode;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(card))
        .routes(routes!(monitor))
}

/// Lets attempts through that the caller's client owns.
pub(super) async fn check_owner(
    state: &ApiState,
    caller: &Caller,
    id: AttemptId,
) -> Result<(), Problem> {
    if caller.client.is_some() {
        let attempt = state.store.get_attempt(id).await?;
        tenant::seen(state, caller, attempt).await?;
    }
    Ok(())
}

async fn switch(
    state: &ApiState,
    caller: &Caller,
    attempt: AttemptId,
    on: bool,
) -> Result<StatusCode, Problem> {
    check_owner(state, caller, attempt).await?;
    state
        .center
        .recording(caller.asks_as(), attempt, on)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pauses the recording, as while a card number is told.
#[utoipa::path(post, path = "/calls/{id}/recording/pause", tag = "agent", params(("id" = uuid::Uuid, Path, description = "The attempt")),
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn pause(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    switch(&state, &caller, attempt, false).await
}

/// Records again, or switches a recording on where it is on demand.
#[utoipa::path(post, path = "/calls/{id}/recording/resume", tag = "agent", params(("id" = uuid::Uuid, Path, description = "The attempt")),
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn resume(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    switch(&state, &caller, attempt, true).await
}

/// Whether card data is being told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardBody {
    /// true when the card's field is opened, false when it is left.
    open: bool,
}

/// Card data is about to be told, or has been: the recording pauses by itself and goes on, at the
/// latest after `[recordings] pause_max_s`.
#[utoipa::path(post, path = "/calls/{id}/card", tag = "agent", params(("id" = uuid::Uuid, Path, description = "The attempt")),
    request_body = CardBody,
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn card(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<CardBody>,
) -> Result<StatusCode, Problem> {
    check_owner(&state, &caller, attempt).await?;
    state
        .center
        .card(caller.asks_as(), attempt, body.open)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a supervisor joins.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "a shape for the document")]
enum Mode {
    Listen,
    Whisper,
    Barge,
    TakeOver,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonitorBody {
    /// null leaves the call.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<Mode>, required = true)]
    mode: Option<MonitorMode>,
}

/// As the plain reading, but the field has to be there: leaving is said, not forgotten.
fn said<'de, D: Deserializer<'de>>(d: D) -> Result<Option<MonitorMode>, D::Error> {
    Option::deserialize(d)
}

/// Joins a call, changes how, or leaves. The supervisor speaks by the browser that offered itself on
/// `/ws/supervisor`; without one 409 `no_phone`, after 3 s in which it may still come up.
#[utoipa::path(post, path = "/calls/{id}/monitor", tag = "agent", params(("id" = uuid::Uuid, Path, description = "The attempt")),
    request_body = MonitorBody,
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn monitor(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<MonitorBody>,
) -> Result<StatusCode, Problem> {
    check_owner(&state, &caller, attempt).await?;
    let supervisor = crate::seat::known(&state, &caller).await?.ok_or_else(|| {
        Problem::conflict(
            "no_phone",
            "no browser of this login has offered itself as a phone",
        )
    })?;
    let actor = center::Actor::User(caller.user);
    state
        .center
        .monitor(actor, attempt, supervisor, body.mode)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_json;

    #[test]
    fn the_mode_is_said() {
        let read = |text: &str| read_json::<MonitorBody>(text.as_bytes()).map(|b| b.mode);
        assert_eq!(read(r#"{"mode":null}"#).ok(), Some(None));
        assert_eq!(
            read(r#"{"mode":"take_over"}"#).ok(),
            Some(Some(MonitorMode::TakeOver))
        );
        assert!(read("{}").is_err() && read(r#"{"mode":"spy"}"#).is_err());
    }
}
