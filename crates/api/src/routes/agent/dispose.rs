//! The disposition of a call, with its promise and what comes after.

use super::states::Code;
use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use center::{ClaimAsk, DisposeAsk, PromiseAsk, StateAsk};
use domain::entity::{Attempt, PaymentChannel, Promise};
use domain::ids::{AttemptId, DebtId};
use domain::money::Money;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest note, characters.
const NOTE_MAX: usize = 2_000;
/// Longest code, characters.
const CODE_MAX: usize = 40;
/// Most facts that are named.
const FACTS_MAX: usize = 50;
/// How late a callback may come, ms: a desk that lost its link sends its results afterwards.
const CALLBACK_LATE_MS: i64 = 15 * 60_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(dispose))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromiseBody {
    /// The main debt of the attempt when absent.
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
    #[schema(value_type = doc::Money)]
    amount: Money,
    #[schema(value_type = doc::Day)]
    due_date: String,
    #[schema(value_type = doc::PaymentChannel)]
    channel: PaymentChannel,
}

/// A payment that the debtor says he made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimBody {
    /// The day on which he says he paid, of the last 400.
    #[schema(value_type = doc::Day)]
    paid_on: String,
    #[schema(value_type = doc::PaymentChannel)]
    channel: PaymentChannel,
    /// Whether he has a proof of it; as the code says it, where it does (`CD.YP.CON`, `CD.YP.SIN`).
    proof: bool,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Then {
    Ready,
    Paused,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisposeBody {
    /// Of `GET /dispositions`.
    code: String,
    /// At most 2,000 characters.
    note: Option<String>,
    promise: Option<PromiseBody>,
    /// With `CD.YP` and its leaves, and with nothing else.
    claim: Option<ClaimBody>,
    /// When to call again.
    #[schema(value_type = Option<doc::Instant>)]
    callback_at: Option<UtcMs>,
    /// State afterwards; what was queued, else ready, when absent.
    then: Option<Then>,
    /// Required with `then: paused`.
    pause_code: Option<Code>,
    /// Facts of the first contact that were told, of the `must_say` of the card; all of them before the result of a
    /// first conversation is taken, else 422 `first_contact`. At most 50.
    #[serde(default)]
    told_facts: Vec<String>,
}

impl DisposeBody {
    fn ask(self, now: UtcMs) -> Result<DisposeAsk, Problem> {
        let then = match (self.then, self.pause_code) {
            (None, None) => None,
            (Some(Then::Ready), None) => Some(StateAsk::Ready),
            (Some(Then::Paused), Some(code)) => Some(StateAsk::Paused(code.into())),
            (Some(Then::Paused), None) => {
                return Err(Problem::invalid("pause_code", "needed with then: paused"));
            }
            (_, Some(_)) => {
                return Err(Problem::invalid("pause_code", "only with then: paused"));
            }
        };
        if self.told_facts.len() > FACTS_MAX {
            return Err(Problem::invalid("told_facts", "expected at most 50"));
        }
        let oldest = now.plus_ms(-CALLBACK_LATE_MS);
        if self.callback_at.is_some_and(|at| at < oldest) {
            return Err(Problem::invalid(
                "callback_at",
                "expected an instant to come",
            ));
        }
        let note = self.note.filter(|n| !n.trim().is_empty());
        Ok(DisposeAsk {
            code: check::text("code", &self.code, CODE_MAX)?,
            note: note
                .map(|n| check::text("note", &n, NOTE_MAX))
                .transpose()?,
            promise: self.promise.map(PromiseBody::ask).transpose()?,
            claim: self.claim.map(ClaimBody::ask).transpose()?,
            callback_at: self.callback_at,
            then,
            told_facts: self.told_facts,
        })
    }
}

impl PromiseBody {
    fn ask(self) -> Result<PromiseAsk, Problem> {
        check::range(
            "promise.amount.amount_minor",
            self.amount.amount_minor,
            1,
            check::AMOUNT_MAX,
        )?;
        Ok(PromiseAsk {
            debt_id: self.debt_id,
            amount: self.amount,
            due_date: check::day("promise.due_date", &self.due_date)?,
            channel: self.channel,
        })
    }
}

impl ClaimBody {
    fn ask(self) -> Result<ClaimAsk, Problem> {
        Ok(ClaimAsk {
            paid_on: check::day("claim.paid_on", &self.paid_on)?,
            channel: self.channel,
            proof: self.proof,
        })
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DisposeReply {
    #[schema(value_type = doc::Attempt)]
    attempt: Attempt,
    #[schema(value_type = Option<doc::Promise>)]
    promise: Option<Promise>,
    /// What the negotiation reached of its goal; null where none was held.
    negotiation: Option<Negotiation>,
}

/// What a negotiation reached of its goal.
#[derive(Serialize, ToSchema)]
pub(crate) struct Negotiation {
    /// What it was after.
    #[schema(value_type = doc::Money)]
    goal: Money,
    /// What was promised, agreed or paid.
    #[schema(value_type = doc::Money)]
    reached: Money,
    /// Part of the goal, hundredths of a percent.
    pct_bp: i64,
}

/// Sets the disposition; during the call it applies at its end. The first one stays.
#[utoipa::path(post, path = "/attempts/{id}/disposition", tag = "agent", params(("id" = uuid::Uuid, Path)),
    request_body = DisposeBody,
    responses((status = 200, description = "Set", body = DisposeReply), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn dispose(
    State(state): State<ApiState>,
    caller: Caller,
    Id(attempt): Id<AttemptId>,
    Body(body): Body<DisposeBody>,
) -> Result<Json<DisposeReply>, Problem> {
    super::monitor::check_owner(&state, &caller, attempt).await?;
    let ask = body.ask(state.now())?;
    let done = state.center.dispose(caller.asks_as(), attempt, ask).await?;
    Ok(Json(DisposeReply {
        attempt: done.attempt,
        promise: done.promise,
        negotiation: done.negotiation.map(|o| Negotiation {
            goal: o.goal,
            reached: o.reached,
            pct_bp: o.pct_bp,
        }),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::read_json;
    use domain::rules::agent_state::PauseCode;

    fn asked(text: &str) -> Result<DisposeAsk, &'static str> {
        let body = read_json::<DisposeBody>(text.as_bytes()).map_err(|p| p.code())?;
        body.ask(UtcMs(0)).map_err(|p| p.code())
    }

    #[test]
    fn what_the_screen_sends() {
        let ask = asked(
            r#"{"code":"CD.PP","note":"  ","then":"paused","pause_code":"lunch","promise":{
                "amount":{"amount_minor":185000,"currency":"MXN"},"due_date":"2026-11-25","channel":"transfer"}}"#,
        )
        .expect("fits");
        assert_eq!(ask.note, None);
        assert_eq!(ask.then, Some(StateAsk::Paused(PauseCode::Lunch)));
        assert_eq!(ask.promise.map(|p| p.amount.amount_minor), Some(185_000));
    }

    #[test]
    fn what_does_not_fit() {
        for wrong in [
            r#"{"code":""}"#,
            r#"{"code":"CI.EQ","then":"paused"}"#,
            r#"{"code":"CI.EQ","pause_code":"lunch"}"#,
            r#"{"code":"CD.VL","callback_at":"1969-12-31T23:00:00Z"}"#,
            r#"{"code":"CD.PP","promise":{"amount":{"amount_minor":0,"currency":"MXN"},"due_date":"2026-11-25","channel":"transfer"}}"#,
            r#"{"code":"CD.PP","promise":{"amount":{"amount_minor":5,"currency":"MXN"},"due_date":"2026-02-30","channel":"transfer"}}"#,
        ] {
            assert_eq!(asked(wrong), Err("invalid"), "{wrong}");
        }
        let long = format!(
            r#"{{"code":"CI.EQ","note":"{}"}}"#,
            "x".repeat(NOTE_MAX + 1)
        );
        assert_eq!(asked(&long), Err("invalid"));
    }
}
