//! Why a debtor is not dialed now.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use center::Conduct;
use center::view::WhyNot;
use domain::ids::{CampaignId, DebtorId};
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(why_not))
        .routes(routes!(duties))
}

/// Query of the question.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhyNotQuery {
    /// Judged as this campaign would.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// At another time, past or to come: the law's answer then, with the hours that the campaign asked about had.
    /// `items` are of now.
    #[param(value_type = Option<doc::Instant>)]
    at: Option<UtcMs>,
}

/// Where a debtor stands in a campaign.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ItemShape {
    campaign_id: Uuid,
    campaign: String,
    status: doc::CampaignStatus,
    debtor_id: Uuid,
    next_at: doc::Instant,
    priority: i32,
    attempts: i32,
    last_result: Option<doc::CallResult>,
    next_point: Option<Uuid>,
    done: bool,
    note: String,
    in_hopper: bool,
}

/// The answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct WhyNotReply {
    /// One a point.
    verdicts: Vec<doc::Verdict>,
    items: Vec<ItemShape>,
    reasons_es: Vec<String>,
    reasons_en: Vec<String>,
    next_legal_at: Option<doc::Instant>,
}

/// Judges a debtor now or at another time, point by point, and says what holds him back; nothing is stored.
#[utoipa::path(get, path = "/debtors/{id}/why-not", tag = "debtors",
    params(("id" = uuid::Uuid, Path), WhyNotQuery),
    responses((status = 200, description = "The reasons", body = WhyNotReply)))]
async fn why_not(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Params(query): Params<WhyNotQuery>,
) -> Result<Json<WhyNot>, Problem> {
    let debtor = state.own_debtor(&caller, id).await?;
    if let Some(campaign) = query.campaign {
        let campaign = state.store.get_campaign(campaign).await?;
        let campaign = tenant::seen(&state, &caller, campaign).await?;
        if campaign.client_id != debtor.client_id {
            return Err(Problem::not_found("campaign"));
        }
    }
    let reply = match query.at {
        Some(at) => state.center.why_not_at(id, query.campaign, at).await?,
        None => state.center.why_not(id, query.campaign).await?,
    };
    Ok(Json(reply))
}

/// Duties of a conversation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct DutiesReply {
    /// Facts to be said at the first contact.
    must_say: Vec<String>,
    notice_within_days: Option<u16>,
    forbidden_questions: Vec<String>,
    may_receive_money: bool,
    written_agreement: bool,
    announce_recording: bool,
    all_party_consent: bool,
    /// What a third party may hear, by pack.
    third_party: Vec<String>,
    no_voicemail: bool,
    /// A message on a mailbox may hold nothing but `voicemail_must`, and no recording.
    voicemail_limited: bool,
    /// What a message on a mailbox has to tell: `business_name_not_showing_collection`, `request_reply`,
    /// `person_name`, `callback_number`.
    voicemail_must: Vec<String>,
    /// No conversation has carried the facts yet: a result of one names them in `told_facts`.
    first_contact: bool,
    /// Codes, with their leaves, that are saved without the facts.
    without_facts: Vec<String>,
    /// Codes whose leaves tell what may not be asked: 422 `reason_forbidden`.
    hidden_leaves: Vec<String>,
}

/// What the debtor's packs ask of whoever talks to him.
#[utoipa::path(get, path = "/debtors/{id}/duties", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The duties", body = DutiesReply)))]
async fn duties(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<Conduct>, Problem> {
    state.own_debtor(&caller, id).await?;
    Ok(Json(state.center.conduct(id).await?))
}
