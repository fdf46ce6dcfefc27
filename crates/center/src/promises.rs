//! Promises told with a disposition: limits, horizon, grace by business days.

use crate::asks::{Actor, PromiseAsk};
use crate::dispose::{Case, of_debtor, whole_page};
use crate::disposed::event;
use crate::error::CenterError;
use crate::feeder::zone_or_utc;
use crate::shared::Shared;
use domain::entity::{Debt, Promise, PromiseState, Role};
use domain::event::NewEvent;
use domain::ids::PromiseId;
use domain::money::Money;
use domain::ports::StoreError;
use domain::ports::store::PromiseTerms;
use domain::rules::offers::PromiseRule;
use domain::rules::promise::{self, TermsFault};
use domain::segment::parse;
use domain::time::{DAY_MS, UtcMs};
use jiff::tz::TimeZone;
use serde_json::json;
use std::sync::Arc;

/// Broken promises in [`BROKEN_DAYS`] after which a new one needs a supervisor (terms.md §6 [H]).
const BROKEN_MAX: usize = 2;
/// How far back broken promises count, days.
const BROKEN_DAYS: i64 = 60;

fn terms_fault(fault: &TermsFault) -> CenterError {
    match fault {
        TermsFault::Amount { .. } => {
            CenterError::invalid("promise_amount", "promise.amount", fault.to_string())
        }
        _ => CenterError::invalid("promise_date", "promise.due_date", fault.to_string()),
    }
}

/// Too many broken ones: an agent may not take another.
async fn may_promise(shared: &Shared, actor: Actor, case: &Case) -> Result<(), CenterError> {
    if !matches!(actor, Actor::Agent(_)) {
        return Ok(());
    }
    let since = case.now.plus_ms(-BROKEN_DAYS * DAY_MS);
    let all = shared
        .out
        .store
        .list_promises(&of_debtor(&case.attempt), &whole_page())
        .await?;
    let broken = all
        .items
        .iter()
        .filter(|p| p.state == PromiseState::Broken && p.closed_at.is_some_and(|at| at >= since))
        .count();
    if broken >= BROKEN_MAX {
        return Err(CenterError::conflict(
            "promise_needs_supervisor",
            format!("{broken} promises were broken in {BROKEN_DAYS} days: a supervisor must agree"),
        ));
    }
    Ok(())
}

/// The debt it is about: one of the debtor's, in its own currency.
fn debt_of<'a>(case: &'a Case, asked: &PromiseAsk) -> Result<&'a Debt, CenterError> {
    let id = asked.debt_id.or(case.attempt.debt_id);
    let debt = case.facts.debts.iter().find(|d| Some(d.id) == id);
    let debt = debt.ok_or_else(|| {
        CenterError::invalid(
            "promise_debt",
            "promise.debt_id",
            "the debt is not one of the debtor's open debts",
        )
    })?;
    if debt.currency != asked.amount.currency {
        return Err(CenterError::invalid(
            "promise_currency",
            "promise.amount.currency",
            format!("the debt is owed in {}", debt.currency),
        ));
    }
    Ok(debt)
}

/// A promise that may be made.
pub(crate) struct Drafted {
    pub(crate) row: Promise,
    pub(crate) terms: PromiseTerms,
    pub(crate) event: NewEvent,
}

/// The debt has a promise already, perhaps since a moment.
pub(crate) fn already() -> CenterError {
    CenterError::conflict("promise_active", "the debt already has an active promise")
}

/// Whether the promise made is the one asked for.
pub(crate) fn as_asked(made: Option<&Promise>, asked: Option<&PromiseAsk>) -> bool {
    let (Some(made), Some(asked)) = (made, asked) else {
        return asked.is_none();
    };
    made.amount == asked.amount
        && made.due_date == asked.due_date
        && asked.debt_id.is_none_or(|debt| debt == made.debt_id)
}

/// Whether a rule is meant for the debtor. One whose segment cannot be read, because another that it names
/// is gone, holds for everybody: nobody may promise less than the client wants of some.
async fn meant(
    shared: &Shared,
    rule: &PromiseRule,
    (debt, now): (&Debt, UtcMs),
) -> Result<bool, StoreError> {
    let Some(id) = rule.segment_id else {
        return Ok(true);
    };
    let store = &shared.out.store;
    let segment = match store.get_segment(id).await {
        Err(StoreError::NotFound(_)) => return Ok(true),
        found => found?,
    };
    let Ok(expr) = parse(&segment.expression) else {
        return Ok(true);
    };
    let asked = store.in_segment(debt.client_id, debt.debtor_id, &expr, now);
    match asked.await {
        Err(StoreError::Conflict(_)) => Ok(true),
        told => told,
    }
}

/// Least percent and longest horizon: the campaign's, and beside them those of the client's first rule for
/// such a debtor, debt and role.
async fn limits(
    shared: &Shared,
    actor: Actor,
    case: &Case,
    debt: &Debt,
    zone: &TimeZone,
) -> Result<(i32, i32), CenterError> {
    let role = match actor {
        Actor::User(user) => shared.out.store.get_user(user).await?.role,
        Actor::Agent(_) | Actor::System => Role::Agent,
    };
    let days = crate::plans::days_past_due(debt, case.now, zone);
    let (terms, _) = crate::plans::terms_of(shared, debt.client_id).await?;
    let own = (case.params.promise_min_pct, case.params.promise_max_days);
    for rule in terms.promise_rules(days, role) {
        if meant(shared, rule, (debt, case.now)).await? {
            return Ok(rule.beside(own));
        }
    }
    Ok(own)
}

/// Checks a promise; the disposition stores it in its own transaction.
pub(crate) async fn draft(
    shared: &Arc<Shared>,
    actor: Actor,
    case: &Case,
    asked: &PromiseAsk,
) -> Result<Drafted, CenterError> {
    may_promise(shared, actor, case).await?;
    let debt = debt_of(case, asked)?;
    let balance = debt.balance_minor();
    let zone = zone_or_utc(&shared.out.law.zone_of(&case.facts));
    let (min_pct, max_days) = limits(shared, actor, case, debt, &zone).await?;
    let least = promise::least_minor(debt.overdue_minor, balance, min_pct);
    promise::check_amount(asked.amount.amount_minor, least, balance)
        .map_err(|f| terms_fault(&f))?;
    let due = promise::check_due(&asked.due_date, case.now, &zone, max_days)
        .map_err(|f| terms_fault(&f))?;
    let holiday = |day: jiff::civil::Date| shared.out.law.is_holiday(&case.facts, &day.to_string());
    let row = Promise {
        id: PromiseId(shared.id()),
        client_id: case.attempt.client_id,
        debtor_id: case.attempt.debtor_id,
        debt_id: debt.id,
        attempt_id: Some(case.attempt.id),
        agent_id: case.agent(),
        amount: Money::new(asked.amount.amount_minor, debt.currency),
        due_date: due.to_string(),
        grace_until: promise::grace_until(due, &zone, &holiday),
        channel: asked.channel,
        state: PromiseState::Active,
        made_at: case.now,
        closed_at: None,
    };
    let terms = PromiseTerms {
        min_minor: least,
        max_minor: balance,
    };
    let active = shared.out.store.active_promises(row.debtor_id).await?;
    if active.iter().any(|p| p.debt_id == row.debt_id) {
        return Err(already());
    }
    let data = json!({
        "debtor_id": row.debtor_id, "debt_id": row.debt_id, "due_date": row.due_date,
        "amount_minor": row.amount.amount_minor, "currency": row.amount.currency,
        "agent_id": row.agent_id, "attempt_id": row.attempt_id, "made_at": row.made_at,
    });
    let subject = format!("promise:{}", row.id);
    let event = event(shared, actor, case, "promise.made", subject, data);
    Ok(Drafted { row, terms, event })
}
