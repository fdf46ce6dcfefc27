//! Handing a call over: to an agent, a queue or a number, at once or after a talk with the target.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::view::TransferTargets;
use center::{TransferAsk, TransferTo};
use domain::entity::TransferMode;
use domain::ids::{AgentId, AttemptId, CampaignId, TransferId};
use domain::pii::Pii;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest number as a person writes it, characters.
const NUMBER_MAX: usize = 40;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(transfer))
        .routes(routes!(complete))
        .routes(routes!(cancel))
        .routes(routes!(conference))
        .routes(routes!(targets))
}

/// Exactly one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum To {
    /// An agent who is ready.
    #[schema(value_type = uuid::Uuid)]
    Agent(AgentId),
    /// Whoever is, or becomes within 30 s, free for a campaign of the same client.
    #[schema(value_type = uuid::Uuid)]
    Queue(CampaignId),
    /// A number of the country the call is made from; a national form will do.
    Number(String),
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// The target gets the call when it answers.
    Blind,
    /// The agent talks with the target first.
    Attended,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    to: To,
    mode: Mode,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TransferReply {
    /// The transfer; its steps come with `me`.
    #[schema(value_type = uuid::Uuid)]
    transfer: TransferId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConferenceBody {
    on: bool,
}

#[derive(Serialize, ToSchema)]
struct AgentTarget {
    id: uuid::Uuid,
    name: String,
    state: String,
    /// May be asked now.
    free: bool,
}

#[derive(Serialize, ToSchema)]
struct QueueTarget {
    id: uuid::Uuid,
    name: String,
    /// Agents who are ready for it.
    free: u32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Targets {
    agents: Vec<AgentTarget>,
    queues: Vec<QueueTarget>,
}

/// Hands the call over; the debtor hears music meanwhile, and comes back when the target does not. The
/// law is asked again.
#[utoipa::path(post, path = "/attempts/{id}/transfer", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = TransferBody,
    responses((status = 202, description = "Asked", body = TransferReply), (status = 403, description = "The law refuses", body = doc::Problem),
        (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn transfer(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<TransferBody>,
) -> Result<(StatusCode, Json<TransferReply>), Problem> {
    let to = match body.to {
        To::Agent(agent) => TransferTo::Agent(agent),
        To::Queue(queue) => TransferTo::Queue(queue),
        To::Number(number) if number.chars().count() <= NUMBER_MAX => {
            TransferTo::Number(Pii(number))
        }
        To::Number(_) => return Err(Problem::invalid("to.number", "at most 40 characters")),
    };
    let mode = match body.mode {
        Mode::Blind => TransferMode::Blind,
        Mode::Attended => TransferMode::Attended,
    };
    let ask = TransferAsk { to, mode };
    let transfer = state.center.transfer(caller.agent()?, attempt, ask).await?;
    Ok((StatusCode::ACCEPTED, Json(TransferReply { transfer })))
}

/// The consulted target gets the call.
#[utoipa::path(post, path = "/attempts/{id}/transfer/complete", tag = "agent", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn complete(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    state
        .center
        .complete_transfer(caller.agent()?, attempt)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The agent takes the debtor back; the target is let go.
#[utoipa::path(post, path = "/attempts/{id}/transfer/cancel", tag = "agent", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<StatusCode, Problem> {
    state
        .center
        .cancel_transfer(caller.agent()?, attempt)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Debtor, agent and target talk together, or the debtor waits again.
#[utoipa::path(post, path = "/attempts/{id}/transfer/conference", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = ConferenceBody,
    responses((status = 204, description = "Done"), (status = 409, body = doc::Problem)))]
async fn conference(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<ConferenceBody>,
) -> Result<StatusCode, Problem> {
    state
        .center
        .conference(caller.agent()?, attempt, body.on)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Agents at work for the same client, ready ones first, and its running campaigns.
#[utoipa::path(get, path = "/attempts/{id}/transfer/targets", tag = "agent", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Whom to ask", body = Targets), (status = 409, body = doc::Problem)))]
async fn targets(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
) -> Result<Json<TransferTargets>, Problem> {
    let found = state
        .center
        .transfer_targets(caller.agent()?, attempt)
        .await?;
    Ok(Json(found))
}
