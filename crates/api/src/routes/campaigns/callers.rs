//! Calls that came in, and the approval of an agentless campaign's message.

use super::campaign::save;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, PAGE_LIMIT};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::entity::{Campaign, InboundCall, InboundOutcome, Language};
use domain::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, TrunkId};
use domain::pii::mask_phone;
use domain::ports::store::{InboundAsk, PageRequest};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(approve))
        .routes(routes!(sound))
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboundQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this campaign's.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// Came at or after.
    #[param(value_type = Option<doc::Instant>)]
    since: Option<UtcMs>,
    /// Only with this outcome.
    #[param(value_type = Option<doc::InboundOutcome>)]
    outcome: Option<InboundOutcome>,
}

/// A call that came in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Inbound {
    /// Also the attempt's, where the caller came to the queue.
    #[schema(value_type = uuid::Uuid)]
    id: AttemptId,
    #[schema(value_type = Option<uuid::Uuid>)]
    client_id: Option<ClientId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    campaign_id: Option<CampaignId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    debtor_id: Option<DebtorId>,
    #[schema(value_type = uuid::Uuid)]
    trunk_id: TrunkId,
    /// Our number that was called.
    called: String,
    /// The caller's number, masked; null where it was withheld.
    caller_masked: Option<String>,
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    #[schema(value_type = Option<doc::Instant>)]
    answered_at: Option<UtcMs>,
    #[schema(value_type = Option<doc::Instant>)]
    ended_at: Option<UtcMs>,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    #[schema(value_type = doc::InboundOutcome)]
    outcome: InboundOutcome,
    /// Wait in the queue, ms.
    wait_ms: i64,
    /// Place in the queue when it came, from 1.
    place: Option<i32>,
}

impl From<InboundCall> for Inbound {
    fn from(row: InboundCall) -> Self {
        Self {
            id: row.id,
            client_id: row.client_id,
            campaign_id: row.campaign_id,
            debtor_id: row.debtor_id,
            trunk_id: row.trunk_id,
            called: row.called,
            caller_masked: row.caller.map(|number| mask_phone(number.reveal())),
            at: row.at,
            answered_at: row.answered_at,
            ended_at: row.ended_at,
            agent_id: row.agent_id,
            outcome: row.outcome,
            wait_ms: row.wait_ms,
            place: row.place,
        }
    }
}

/// Calls that came in, newest first.
#[utoipa::path(get, path = "/inbound-calls", tag = "campaigns", params(InboundQuery),
    responses((status = 200, description = "A page", body = Items<Inbound>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<InboundQuery>,
) -> Result<Json<Items<Inbound>>, Problem> {
    let ask = InboundAsk {
        client_id: caller.narrow(query.client)?,
        campaign_id: query.campaign,
        since: query.since,
        outcome: query.outcome,
    };
    let page = PageRequest {
        limit: query.limit.unwrap_or(PAGE_LIMIT),
        cursor: query.cursor,
    };
    let found = state.store.list_inbound(&ask, &page).await?;
    Ok(Json(Items {
        items: found.items.into_iter().map(Inbound::from).collect(),
        next_cursor: found.next_cursor,
    }))
}

/// Which message is approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageApproval {
    /// `params.agentless.message` as it was heard.
    message: String,
}

/// Approves the message of a campaign: only then the mode `agentless` may be chosen.
#[utoipa::path(post, path = "/campaigns/{id}/message/approve", tag = "campaigns",
    params(("id" = uuid::Uuid, Path)), request_body = MessageApproval,
    responses((status = 200, description = "Approved", body = doc::Campaign), (status = 409, body = doc::Problem)))]
async fn approve(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Body(body): Body<MessageApproval>,
) -> Result<Json<Campaign>, Problem> {
    let row = state.store.get_campaign(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    caller.may_write(row.client_id)?;
    let told = &mut row.params.agentless;
    if told.message != body.message {
        let reason = format!(
            "the campaign tells {:?} now: hear that one first",
            told.message
        );
        return Err(Problem::conflict("version_conflict", reason));
    }
    let sounds = state.center.message_sounds(row.client_id, &body.message);
    let sounds = sounds.await;
    if sounds.is_empty() {
        return Err(no_sound(&body.message));
    }
    told.approved_sounds = sounds;
    told.approved_by = Some(format!("user:{}", caller.user));
    told.approved_at = Some(state.now());
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    save(&state, &caller, &row, None).await?;
    state.center.campaign_changed(id).await?;
    Ok(Json(row))
}

/// In which language.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SoundQuery {
    /// Of the debtor who hears it.
    #[param(value_type = doc::Language)]
    language: Language,
}

/// The message of a campaign as it is heard now.
#[utoipa::path(get, path = "/campaigns/{id}/message/sound", tag = "campaigns",
    params(("id" = uuid::Uuid, Path), SoundQuery),
    responses((status = 200, description = "8 kHz, mono", body = Vec<u8>, content_type = "audio/wav"),
        (status = 409, body = doc::Problem)))]
async fn sound(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Params(query): Params<SoundQuery>,
) -> Result<Response, Problem> {
    let row = state.store.get_campaign(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let message = &row.params.agentless.message;
    let center = &state.center;
    let wav = center.message_sound(row.client_id, query.language, message);
    let wav = wav.await.ok_or_else(|| no_sound(message))?;
    Ok(heard(wav))
}

fn no_sound(message: &str) -> Problem {
    let reason = format!("there is no recording {message:?} to hear");
    Problem::conflict("no_sound", reason)
}

/// A sound that is played where it is shown; another one may be recorded under its name at any time.
pub(super) fn heard(wav: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "audio/wav"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, wav).into_response()
}
