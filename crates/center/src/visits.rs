//! Visits in person: judged at the instant they are planned for and counted from then on, and what came of them.

use crate::asked;
use crate::asks::Actor;
use crate::error::CenterError;
use crate::owed;
use crate::plans::letters::{AtContract, action, at_his_contract};
use crate::shared::Shared;
use domain::entity::{
    BlockReason, Channel, CheckPoint, LedgerRow, VISIT_AHEAD_DAYS, VISIT_SLACK_MS, Verdict, Visit,
    VisitOutcome, VisitState,
};
use domain::event::NewEvent;
use domain::ids::{AddressId, DebtorId, VisitId};
use domain::law::Action;
use domain::pii::Pii;
use domain::ports::Store;
use domain::ports::store::{ContactFacts, StoreError, VisitDraft, VisitEnd, VisitPlanned};
use domain::rules::disposition::standard_label;
use domain::rules::messaging::silenced;
use domain::rules::visit::{ended, given_back};
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;

/// An instant is told to the minute: so much before now still is now, ms.
const TOLD_TO_MS: i64 = MINUTE_MS;

/// A visit that somebody wants to make.
#[derive(Debug, Clone, Copy)]
pub struct VisitAsk {
    /// To whom.
    pub debtor_id: DebtorId,
    /// Where.
    pub address_id: AddressId,
    /// When.
    pub at: UtcMs,
}

/// What came of a visit.
#[derive(Debug, Clone)]
pub struct VisitTold {
    /// Whom it met.
    pub outcome: VisitOutcome,
    /// When it was made.
    pub visited_at: UtcMs,
    /// Code of the disposition, where it met who owes.
    pub result: Option<String>,
    /// What was noted.
    pub note: Pii<String>,
}

/// The law's refusal.
fn refused(verdict: &Verdict) -> CenterError {
    let reason = verdict.reason();
    let (es, en) = reason.unwrap_or(("no se permite", "it is not allowed"));
    let refusing = verdict.rules.iter().filter(|r| r.refused);
    CenterError::Unlawful {
        code: verdict.blocked.unwrap_or(BlockReason::Rule).as_str(),
        es: es.to_owned(),
        en: en.to_owned(),
        rules: refusing.map(|r| r.rule.clone()).collect(),
    }
}

/// An address of the debtor's file to which one may go.
async fn place(store: &dyn Store, ask: &VisitAsk) -> Result<(), CenterError> {
    let invalid = |detail: &str| CenterError::invalid("visit_address", "address_id", detail);
    match store.get_address(ask.address_id).await {
        Ok(row) if row.debtor_id == ask.debtor_id && row.bad => {
            Err(invalid("the address is marked bad: expected a good one"))
        }
        Ok(row) if row.debtor_id == ask.debtor_id => Ok(()),
        Ok(_) | Err(StoreError::NotFound(_)) => {
            Err(invalid("expected an address of the debtor's file"))
        }
        Err(error) => Err(error.into()),
    }
}

fn in_reach(at: UtcMs, now: UtcMs) -> Result<(), CenterError> {
    let ahead = at.since_ms(now);
    if (-TOLD_TO_MS..=VISIT_AHEAD_DAYS * DAY_MS).contains(&ahead) {
        return Ok(());
    }
    let detail = format!("expected an instant to come, at most {VISIT_AHEAD_DAYS} days from now");
    Err(CenterError::invalid("visit_time", "at", detail))
}

/// What is asked of the law: about the instant of the visit, with the facts of now.
fn asks(shared: &Shared, actor: Actor, facts: &ContactFacts, visit: (VisitId, UtcMs)) -> Action {
    let mut asks = Action {
        check_point: CheckPoint::Visit,
        channel: Channel::Visit,
        // A person answers for what he does.
        agent_reserved: true,
        ..action(facts, shared.id(), visit.1)
    };
    asked::by(shared, &mut asks, actor.to_string());
    asks.circumstances.action = Some(format!("visit:{}", visit.0));
    asks.circumstances.asked_at = Some(shared.now());
    asks
}

fn draft(shared: &Shared, actor: Actor, ask: &VisitAsk, facts: &ContactFacts) -> VisitDraft {
    let now = shared.now();
    let id = VisitId(shared.id());
    let action = asks(shared, actor, facts, (id, ask.at));
    let spoken = facts.debts.iter().filter(|d| !silenced(facts, d.id, now));
    let visit = Visit {
        id,
        client_id: facts.debtor.client_id,
        debtor_id: ask.debtor_id,
        address_id: ask.address_id,
        debts: spoken.map(|d| d.id).collect(),
        planned_at: ask.at,
        state: VisitState::Planned,
        verdict_id: action.verdict_id,
        made_by: actor.to_string(),
        made_at: now,
        visited_at: None,
        outcome: None,
        result: None,
        note: Pii(String::new()),
        reason: String::new(),
        ended_by: String::new(),
        ended_at: None,
    };
    VisitDraft {
        ledger: LedgerRow::of_visit(&visit, facts.debtor.person_id),
        events: vec![event(shared, actor, "visit.planned", &visit)],
        action,
        visit,
    }
}

/// What is told of a visit: never what was noted.
fn event(shared: &Shared, actor: Actor, kind: &str, visit: &Visit) -> NewEvent {
    let data = json!({
        "visit_id": visit.id, "debtor_id": visit.debtor_id, "address_id": visit.address_id,
        "planned_at": visit.planned_at, "visited_at": visit.visited_at, "outcome": visit.outcome,
        "result": visit.result, "reason": visit.reason,
    });
    let subject = format!("visit:{}", visit.id);
    shared.event(Some(visit.client_id), actor, kind, subject, data)
}

/// Plans a visit, which is counted from now on.
pub(crate) async fn plan(
    shared: Arc<Shared>,
    actor: Actor,
    ask: VisitAsk,
) -> Result<Visit, CenterError> {
    let now = shared.now();
    let store = shared.out.store.as_ref();
    in_reach(ask.at, now)?;
    place(store, &ask).await?;
    let facts = owed::facts_of(store, ask.debtor_id, now).await?;
    let draft = draft(&shared, actor, &ask, &at_his_contract(facts));
    let law = AtContract(shared.out.law.as_ref());
    match store.plan_visit(&draft, &law).await? {
        VisitPlanned::Planned => Ok(draft.visit),
        VisitPlanned::Refused(verdict) => Err(refused(&verdict)),
        VisitPlanned::Stopped(why) => {
            let detail = format!("none of his debts may be spoken of: {why}");
            Err(CenterError::conflict("visit_stopped", detail))
        }
        VisitPlanned::Another(id) => {
            let detail = format!("visit {id} to him is planned: record or cancel it first");
            Err(CenterError::conflict("visit_waits", detail))
        }
    }
}

/// Whether what is told of a visit can be so.
async fn believed(shared: &Shared, visit: &Visit, told: &VisitTold) -> Result<(), CenterError> {
    let invalid = |field, detail: String| CenterError::invalid("visit_told", field, detail);
    let (at, now) = (told.visited_at, shared.now());
    if at > now || at < visit.made_at.plus_ms(-TOLD_TO_MS) {
        let detail = "expected an instant between when it was planned and now".to_owned();
        return Err(invalid("visited_at", detail));
    }
    if at.since_ms(visit.planned_at).abs() > VISIT_SLACK_MS {
        let hours = VISIT_SLACK_MS / (60 * MINUTE_MS);
        let detail =
            format!("the law was asked about another day: expected at most {hours} h away");
        return Err(invalid("visited_at", detail));
    }
    let Some(code) = told.result.as_deref() else {
        return Ok(());
    };
    if told.outcome != VisitOutcome::Met {
        let detail = "expected none where it did not meet who owes".to_owned();
        return Err(invalid("result", detail));
    }
    if standard_label(code).is_some() {
        return Ok(());
    }
    match shared.out.store.get_disposition(code).await {
        Ok(_) => Ok(()),
        Err(StoreError::NotFound(_)) => Err(invalid(
            "result",
            "expected the code of a disposition".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}

/// Ends a visit, with its event; gives it as it is then.
async fn end(
    shared: &Shared,
    actor: Actor,
    visit: &Visit,
    how: &VisitEnd,
) -> Result<Visit, CenterError> {
    let after = ended(visit, how);
    let kind = match how.outcome {
        Some(_) => "visit.recorded",
        None => "visit.cancelled",
    };
    let told = event(shared, actor, kind, &after);
    let store = &shared.out.store;
    if store.end_visit(visit.id, how, &[told]).await? {
        return Ok(after);
    }
    let detail = "it was recorded or cancelled before";
    Err(CenterError::conflict("visit_over", detail))
}

/// Records what came of a planned visit.
pub(crate) async fn record(
    shared: Arc<Shared>,
    actor: Actor,
    (id, told): (VisitId, VisitTold),
) -> Result<Visit, CenterError> {
    let visit = shared.out.store.get_visit(id).await?;
    believed(&shared, &visit, &told).await?;
    let how = VisitEnd {
        outcome: Some(told.outcome),
        visited_at: Some(told.visited_at),
        result: told.result,
        note: told.note,
        reason: String::new(),
        by: actor.to_string(),
        at: shared.now(),
    };
    end(&shared, actor, &visit, &how).await
}

/// Gives a planned visit back: it counts no more.
pub(crate) async fn cancel(
    shared: Arc<Shared>,
    actor: Actor,
    (id, reason): (VisitId, String),
) -> Result<Visit, CenterError> {
    let visit = shared.out.store.get_visit(id).await?;
    let how = given_back(&reason, &actor.to_string(), shared.now());
    end(&shared, actor, &visit, &how).await
}

/// Gives back what is planned for a debtor and must not be made any more.
pub(crate) async fn withdraw(shared: &Arc<Shared>, debtor: DebtorId) -> Result<(), StoreError> {
    let teller = Arc::clone(shared);
    let told = move |visit: &Visit| event(&teller, Actor::System, "visit.cancelled", visit);
    let store = &shared.out.store;
    let gone = store.withdraw_visits(debtor, shared.now(), &told).await?;
    if !gone.is_empty() {
        tracing::info!(debtor = %debtor, visits = gone.len(), "planned visits withdrawn");
    }
    Ok(())
}
