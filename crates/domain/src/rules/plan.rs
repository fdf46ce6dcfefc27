//! What posted money and time make of a plan (terms.md §6). Pure: the stores call it inside their
//! transactions.

use super::allocation;
use crate::entity::{
    Debt, DebtStatus, Hold, HoldKind, HoldScope, Instalment, InstalmentState, Parts, Plan,
    PlanFile, PlanState,
};
use crate::time::UtcMs;
use uuid::Uuid;

/// Invariant 10: the instalments of a plan are in order and add up to the agreement, which is the balance
/// without the quita.
#[must_use]
pub fn adds_up(plan: &Plan, parts: &[Instalment]) -> bool {
    let mut sum: i128 = 0;
    for (n, part) in parts.iter().enumerate() {
        let in_place = i64::from(part.position) == i64::try_from(n + 1).unwrap_or(0);
        let after = n == 0 || parts[n - 1].due_date <= part.due_date;
        if !in_place || !after || part.plan_id != plan.id || part.amount_minor <= 0 {
            return false;
        }
        sum += i128::from(part.amount_minor);
    }
    let agreed = i128::from(plan.agreed_minor);
    sum == agreed
        && plan.quita_minor >= 0
        && (0..=plan.agreed_minor).contains(&plan.early_off_minor)
        && agreed + i128::from(plan.quita_minor) == i128::from(plan.balance_minor)
}

/// Money on the debt of a plan that counts since the plan was signed; or money that was put on the debt, or taken
/// off it, since the plan was drawn without counting for it: its amount is 0 then, and its interest is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidUnder {
    /// Its day; money taken back has that of what it takes back.
    pub at: UtcMs,
    /// How much, minor units; negative when it was taken back.
    pub minor: i64,
    /// What of it went to interest, minor units.
    pub interest_minor: i64,
}

/// Money dated before an instant, minor units.
fn before(money: &[PaidUnder], end: UtcMs) -> i64 {
    let in_time = money.iter().filter(|m| m.at < end);
    in_time.fold(0, |sum, m| sum.saturating_add(m.minor))
}

/// Whether the incentive was earned by money dated before `end`.
fn early(plan: &Plan, money: &[PaidUnder], end: UtcMs) -> bool {
    plan.early_off_minor > 0
        && plan.early_until.is_some_and(|until| {
            before(money, until.min(end)) >= plan.agreed_minor - plan.early_off_minor
        })
}

/// Whether each part whose grace is over was paid by money dated within it.
fn kept(plan: &Plan, parts: &[Instalment], money: &[PaidUnder], now: UtcMs) -> bool {
    let mut owed: i64 = 0;
    parts
        .iter()
        .filter(|p| p.state == InstalmentState::Missed || p.grace_until <= now)
        .all(|part| {
            owed = owed.saturating_add(part.amount_minor);
            before(money, part.grace_until) >= owed || early(plan, money, part.grace_until)
        })
}

/// Puts the money on the instalments, first due first, and moves the plan; gives its new state when it
/// changed. A reversal takes the money off again, also from a completed plan; a broken one runs again when
/// money that was there in time comes to be known.
pub fn settle(
    plan: &mut Plan,
    parts: &mut [Instalment],
    money: &[PaidUnder],
    now: UtcMs,
) -> Option<PlanState> {
    match plan.state {
        PlanState::Signed | PlanState::Active | PlanState::Completed => {}
        PlanState::Broken if kept(plan, parts, money, now) => {}
        _ => return None,
    }
    let all = before(money, UtcMs(i64::MAX));
    let mut left = all.max(0);
    for part in parts.iter_mut() {
        part.paid_minor = left.min(part.amount_minor);
        left -= part.paid_minor;
        part.state = match part.paid_minor == part.amount_minor {
            true => InstalmentState::Paid,
            false => InstalmentState::Due,
        };
    }
    let next = if early(plan, money, UtcMs(i64::MAX)) || all >= plan.agreed_minor {
        PlanState::Completed
    } else if all > 0 {
        PlanState::Active
    } else {
        PlanState::Signed
    };
    if next == plan.state {
        return None;
    }
    plan.state = next;
    plan.closed_at = (next == PlanState::Completed).then_some(now);
    Some(next)
}

/// As [`settle`], of a plan whose debt has a later agreement that runs or was paid as agreed when `replaced`: it
/// may still turn out to be paid as agreed itself, but it cannot run beside the later one, and is broken by what
/// is missing.
pub fn settle_beside(
    plan: &mut Plan,
    parts: &mut [Instalment],
    (money, replaced): (&[PaidUnder], bool),
    now: UtcMs,
) -> Option<PlanState> {
    let (state, closed_at, was) = (plan.state, plan.closed_at, parts.to_vec());
    let next = settle(plan, parts, money, now);
    if !replaced || !plan.state.runs() {
        return next;
    }
    plan.state = PlanState::Broken;
    if state == PlanState::Broken {
        plan.closed_at = closed_at;
        parts.clone_from_slice(&was);
        return None;
    }
    plan.closed_at = Some(now);
    let due = |part: &&mut Instalment| part.state == InstalmentState::Due;
    for part in parts.iter_mut().filter(due) {
        part.state = InstalmentState::Missed;
    }
    Some(PlanState::Broken)
}

/// What is told of a plan that money moved.
#[must_use]
pub const fn turn(from: PlanState, to: PlanState) -> Option<&'static str> {
    match (from, to) {
        (_, PlanState::Completed) => Some("plan.completed"),
        (_, PlanState::Broken) => Some("plan.broken"),
        (PlanState::Completed | PlanState::Broken, _) => Some("plan.reopened"),
        _ => None,
    }
}

/// What a broken plan's rows of this time follow from: it may run again, and break again.
#[must_use]
pub fn breach(plan: &Plan) -> Uuid {
    let at = plan.closed_at.map_or(0, |at| at.0);
    Uuid::new_v5(&plan.id.0, &at.to_be_bytes())
}

/// Marks what was missed; `true` when the plan breaks by it.
pub fn lapse(plan: &mut Plan, parts: &mut [Instalment], now: UtcMs) -> bool {
    if !plan.state.runs() {
        return false;
    }
    let mut missed = false;
    for part in parts
        .iter_mut()
        .filter(|p| p.state == InstalmentState::Due && p.grace_until <= now)
    {
        part.state = InstalmentState::Missed;
        missed = true;
    }
    if missed {
        plan.state = PlanState::Broken;
        plan.closed_at = Some(now);
    }
    missed
}

/// Until when a running plan keeps the debt silent for the dialer: the end of the grace of its next
/// unpaid instalment.
fn silent_until(parts: &[Instalment]) -> Option<UtcMs> {
    let mut due = parts.iter().filter(|p| p.state == InstalmentState::Due);
    due.next().map(|p| p.grace_until)
}

/// Since when a running plan keeps the debt silent: since it was signed, or since its hold, which was over or lifted
/// meanwhile, stands again.
fn silent_from(plan: &Plan, before: Option<&Hold>, now: UtcMs) -> UtcMs {
    let again = |hold: &Hold| hold.lifted_at.is_some() || !hold.active_at(now);
    match before {
        Some(hold) if plan.state.runs() && again(hold) => now,
        Some(hold) => hold.from,
        None => plan.signed_at.unwrap_or(now),
    }
}

/// The hold of a plan, whose debt is silent while it runs, until the grace of the next instalment is over. A hold
/// whose time was over begins anew; one that is lifted keeps the end it had: what it stopped is read from its row
/// later.
#[must_use]
pub fn hold_of(file: &PlanFile, before: Option<&Hold>, now: UtcMs) -> Hold {
    let plan = &file.plan;
    let until = match before {
        Some(hold) if !plan.state.runs() => hold.until,
        _ => silent_until(&file.instalments),
    };
    Hold {
        id: Hold::id_of(plan.id.0, HoldKind::Promise),
        client_id: plan.client_id,
        debtor_id: plan.debtor_id,
        scope: HoldScope::Debt,
        debt_id: Some(plan.debt_id),
        point_id: None,
        channel: None,
        kind: HoldKind::Promise,
        from: silent_from(plan, before, now),
        until,
        lifted_at: (!plan.state.runs() || until.is_none()).then_some(now),
        evidence: format!("plan:{}", plan.id),
    }
}

/// Forgives up to `minor` of a debt: fees, then interest, then principal; marks it paid when nothing is
/// left. Gives the parts that were forgiven.
pub fn forgive(debt: &mut Debt, minor: i64, now: UtcMs) -> Parts {
    let mut left = minor.max(0);
    let mut part = |owed: &mut i64| {
        let take = left.min(*owed).max(0);
        *owed -= take;
        left -= take;
        take
    };
    let (fees_minor, interest_minor, principal_minor) = (
        part(&mut debt.fees_minor),
        part(&mut debt.interest_minor),
        part(&mut debt.principal_minor),
    );
    let overdue = debt.overdue_minor;
    debt.overdue_minor = overdue.min(debt.balance_minor()).max(0);
    if debt.balance_minor() == 0 && debt.status == DebtStatus::Open {
        debt.status = DebtStatus::Paid;
    }
    debt.updated_at = now;
    Parts {
        fees_minor,
        interest_minor,
        principal_minor,
        excess_minor: 0,
        overdue_minor: overdue.saturating_sub(debt.overdue_minor).max(0),
    }
}

/// Interest that arose since the plan was drawn and that it froze, minor units: what is owed, was paid and is
/// forgiven of it. What is owed again because older money went back did not arise.
fn frozen(plan: &Plan, debt: &Debt, stands: &Parts, money: &[PaidUnder]) -> i64 {
    if !plan.freeze_interest {
        return 0;
    }
    let there = debt.interest_minor.saturating_add(stands.interest_minor);
    let paid = money.iter().map(|m| m.interest_minor);
    let arose = paid.fold(there, i64::saturating_add);
    arose.saturating_sub(plan.interest_minor).max(0)
}

/// What a plan that was paid as agreed forgives beside what it froze: the quita, and the incentive when that was
/// earned, minor units.
fn granted(plan: &Plan, money: &[PaidUnder]) -> i64 {
    let earned = early(plan, money, UtcMs(i64::MAX));
    let off = if earned { plan.early_off_minor } else { 0 };
    plan.quita_minor.saturating_add(off)
}

/// Forgives, or gives back, until `due` is forgiven of the `stands` there are; gives the change.
fn forgive_to(due: i64, debt: &mut Debt, stands: &Parts, now: UtcMs) -> Parts {
    let forgiven = stands.sum();
    if due < forgiven {
        debt.updated_at = now;
        return allocation::give_back(debt, stands, forgiven.saturating_sub(due));
    }
    if due > forgiven {
        return forgive(debt, due.saturating_sub(forgiven), now);
    }
    Parts::default()
}

/// Makes what is forgiven of a debt follow the state that its plan came into, of which `stands` is forgiven
/// already: the quita, the incentive that was earned and the interest that it froze when it is paid as agreed,
/// the quita when it broke and the contract keeps it, and nothing while it still runs: then the debt is owed what
/// was forgiven again. What was put on the debt besides is nobody's to forgive. Gives the change, negative when
/// it is owed again.
pub fn follow_forgiving(
    plan: &Plan,
    debt: &mut Debt,
    (stands, money): (&Parts, &[PaidUnder]),
    now: UtcMs,
) -> Parts {
    let due = match plan.state {
        PlanState::Completed => {
            let stopped = frozen(plan, debt, stands, money);
            granted(plan, money).saturating_add(stopped)
        }
        PlanState::Broken if !plan.lapses => plan.quita_minor,
        _ => 0,
    };
    forgive_to(due, debt, stands, now)
}

/// As [`follow_forgiving`], of a plan that stays paid as agreed with the money it has `now_has` instead of what it
/// `had`: the incentive may be lost, or earned after all. The interest that it froze is what it was when it ended:
/// what arises later is owed.
pub fn keep_forgiving(
    plan: &Plan,
    debt: &mut Debt,
    stands: &Parts,
    (had, now_has): (&[PaidUnder], &[PaidUnder]),
    now: UtcMs,
) -> Parts {
    let stopped = stands.sum().saturating_sub(granted(plan, had)).max(0);
    let due = granted(plan, now_has).saturating_add(stopped);
    forgive_to(due, debt, stands, now)
}

#[cfg(test)]
mod tests;
