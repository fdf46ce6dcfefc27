//! A call's page: instants, SIP ladder, sound by leg, transfers.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{Attempt, CallTrail, LegQuality, SipStep, Transfer};
use domain::ids::AttemptId;
use domain::pii::mask_phone;
use domain::time::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(trail))
}

/// Delays of a call, ms; `null` where an instant is missing.
#[derive(Serialize, ToSchema)]
struct Delays {
    /// INVITE to ringing (post-dial delay).
    pdd_ms: Option<i64>,
    /// Ringing to answer.
    ring_ms: Option<i64>,
    /// INVITE to answer.
    setup_ms: Option<i64>,
    /// Answer to the agent's first sound at the debtor.
    bridge_ms: Option<i64>,
    /// Joined to the end.
    talk_ms: Option<i64>,
}

/// Everything kept of a call beside its attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trail {
    #[schema(value_type = uuid::Uuid)]
    attempt_id: AttemptId,
    delays: Delays,
    /// SIP messages in order: no numbers, no bodies. Empty once it is no longer kept.
    #[schema(value_type = Vec<doc::SipStep>)]
    ladder: Vec<SipStep>,
    /// Messages in the middle that were not kept, of all legs.
    left_out: u32,
    #[schema(value_type = Vec<doc::LegQuality>)]
    legs: Vec<LegQuality>,
    /// Numbers masked.
    #[schema(value_type = Vec<doc::Transfer>)]
    transfers: Vec<Transfer>,
    /// Whether ladder and sound are still kept.
    kept: bool,
}

fn delays(attempt: &Attempt) -> Delays {
    let between = |from: Option<UtcMs>, to: Option<UtcMs>| Some(to?.since_ms(from?));
    Delays {
        pdd_ms: between(attempt.invite_at, attempt.ringing_at),
        ring_ms: between(attempt.ringing_at, attempt.answered_at),
        setup_ms: between(attempt.invite_at, attempt.answered_at),
        bridge_ms: between(attempt.answered_at, attempt.bridged_at),
        talk_ms: between(attempt.bridged_at, attempt.ended_at),
    }
}

/// The trail of a call.
#[utoipa::path(get, path = "/attempts/{id}/trail", tag = "history", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "What is kept", body = Trail), (status = 404, body = doc::Problem)))]
async fn trail(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AttemptId>,
) -> Result<Json<Trail>, Problem> {
    let attempt = state.store.get_attempt(id).await?;
    let attempt = tenant::seen(&state, &caller, attempt).await?;
    let kept = state.store.get_trail(id).await?;
    let mut transfers = state.store.transfers_of(id).await?;
    for number in transfers.iter_mut().filter_map(|t| t.to_number.as_mut()) {
        number.0 = mask_phone(number.reveal());
    }
    let (is_kept, trail) = (kept.is_some(), kept.unwrap_or_default());
    let CallTrail {
        ladder,
        left_out,
        legs,
    } = trail;
    Ok(Json(Trail {
        attempt_id: id,
        delays: delays(&attempt),
        ladder,
        left_out,
        legs,
        transfers,
        kept: is_kept,
    }))
}
