//! States that agents ask for, themselves or by a supervisor.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use center::StateAsk;
use domain::ids::AgentId;
use domain::rules::agent_state::PauseCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(own_state))
        .routes(routes!(state_of))
}

/// A state that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Ready,
    Paused,
    Offline,
}

/// Codes that people give; the others are the product's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    Break,
    Lunch,
    Restroom,
    Training,
    Coaching,
    Admin,
}

impl From<Code> for PauseCode {
    fn from(code: Code) -> Self {
        match code {
            Code::Break => Self::Break,
            Code::Lunch => Self::Lunch,
            Code::Restroom => Self::Restroom,
            Code::Training => Self::Training,
            Code::Coaching => Self::Coaching,
            Code::Admin => Self::Admin,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateBody {
    state: Wanted,
    /// Required with `paused`.
    code: Option<Code>,
}

impl StateBody {
    fn ask(&self) -> Result<StateAsk, Problem> {
        match (self.state, self.code) {
            (Wanted::Ready, None) => Ok(StateAsk::Ready),
            (Wanted::Offline, None) => Ok(StateAsk::Offline),
            (Wanted::Paused, Some(code)) => Ok(StateAsk::Paused(code.into())),
            (Wanted::Paused, None) => Err(Problem::invalid(
                "code",
                "a pause needs one of break, lunch, restroom, training, coaching, admin",
            )),
            (_, Some(_)) => Err(Problem::invalid("code", "only a pause has a code")),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct StateReply {
    /// State now.
    state: String,
    /// What waits for the end of the call: `pause:<code>`, `offline`.
    queued: Option<String>,
}

async fn ask(
    state: &ApiState,
    caller: &Caller,
    agent: AgentId,
    body: &StateBody,
) -> Result<Json<StateReply>, Problem> {
    let wish = body.ask()?;
    let answer = state
        .center
        .agent_state(caller.asks_as(), agent, wish)
        .await?;
    Ok(Json(StateReply {
        state: answer.state,
        queued: answer.queued,
    }))
}

/// The caller's own state; while talking it waits for the end of the call.
#[utoipa::path(post, path = "/agents/me/state", tag = "agent", request_body = StateBody,
    responses((status = 200, description = "The state now", body = StateReply), (status = 409, body = doc::Problem)))]
async fn own_state(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<StateBody>,
) -> Result<Json<StateReply>, Problem> {
    let agent = caller.agent()?;
    ask(&state, &caller, agent, &body).await
}

/// The state of any agent, by a supervisor.
#[utoipa::path(post, path = "/agents/{id}/state", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = StateBody,
    responses((status = 200, description = "The state now", body = StateReply), (status = 409, body = doc::Problem)))]
async fn state_of(
    State(state): State<ApiState>,
    caller: Caller,
    Id(agent): Id<AgentId>,
    Body(body): Body<StateBody>,
) -> Result<Json<StateReply>, Problem> {
    // Agents work for every client of the house: who sees one client only may not stop them for the others.
    caller.of_the_house()?;
    state.store.get_agent(agent).await?;
    ask(&state, &caller, agent, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_json;

    fn asked(text: &str) -> Result<StateAsk, &'static str> {
        let body = read_json::<StateBody>(text.as_bytes()).map_err(|p| p.code())?;
        body.ask().map_err(|p| p.code())
    }

    #[test]
    fn a_pause_needs_its_code_and_nothing_else_has_one() {
        assert_eq!(asked(r#"{"state":"ready"}"#), Ok(StateAsk::Ready));
        assert_eq!(
            asked(r#"{"state":"paused","code":"lunch"}"#),
            Ok(StateAsk::Paused(PauseCode::Lunch))
        );
        for wrong in [
            r#"{"state":"paused"}"#,
            r#"{"state":"ready","code":"lunch"}"#,
            r#"{"state":"paused","code":"wrap_timeout"}"#,
            r#"{"state":"talking"}"#,
            r#"{"state":"ready","x":1}"#,
        ] {
            assert_eq!(asked(wrong), Err("invalid"), "{wrong}");
        }
    }
}
