//! What posted money and time make of a plan (terms.md §6). Pure: the stores call it inside their
//! transactions.

use super::allocation;
use crate::entity::{Debt, DebtStatus, Hold, Instalment, InstalmentState, Parts, Plan, PlanState};
use crate::time::UtcMs;

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

/// What the money paid under a plan is, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidUnder {
    /// Since it was signed.
    pub all_minor: i64,
    /// Of it dated before the incentive's end.
    pub early_minor: i64,
}

/// Puts the money on the instalments, first due first, and moves the plan; gives its new state when it
/// changed. A reversal takes the money off again, also from a completed plan.
pub fn settle(
    plan: &mut Plan,
    parts: &mut [Instalment],
    paid: PaidUnder,
    now: UtcMs,
) -> Option<PlanState> {
    if !(plan.state.runs() || plan.state == PlanState::Completed) {
        return None;
    }
    let mut left = paid.all_minor.max(0);
    for part in parts.iter_mut() {
        part.paid_minor = left.min(part.amount_minor);
        left -= part.paid_minor;
        part.state = match (part.paid_minor == part.amount_minor, part.state) {
            (true, _) => InstalmentState::Paid,
            (false, InstalmentState::Paid) => InstalmentState::Due,
            (false, other) => other,
        };
    }
    let early = plan.early_until.is_some()
        && plan.early_off_minor > 0
        && paid.early_minor >= plan.agreed_minor - plan.early_off_minor;
    let next = if early || paid.all_minor >= plan.agreed_minor {
        PlanState::Completed
    } else if paid.all_minor > 0 {
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
#[must_use]
pub fn silent_until(parts: &[Instalment]) -> Option<UtcMs> {
    let mut due = parts.iter().filter(|p| p.state == InstalmentState::Due);
    due.next().map(|p| p.grace_until)
}

/// Since when a running plan keeps the debt silent: since it was signed, or since its hold, which was lifted
/// meanwhile, stands again.
#[must_use]
pub fn silent_from(plan: &Plan, before: Option<&Hold>, now: UtcMs) -> UtcMs {
    match before {
        Some(hold) if hold.lifted_at.is_some() && plan.state.runs() => now,
        Some(hold) => hold.from,
        None => plan.signed_at.unwrap_or(now),
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

/// Makes what is forgiven of a debt follow the state of its plan, of which `stands` is forgiven already: once
/// what is left when it is paid as agreed, once the quita when it broke and the contract keeps it, and nothing
/// while it still runs: then the debt is owed what was forgiven again. Gives the change, negative when it is.
pub fn follow_forgiving(plan: &Plan, debt: &mut Debt, stands: &Parts, now: UtcMs) -> Parts {
    let forgiven = stands.sum();
    match plan.state {
        PlanState::Completed if forgiven == 0 => forgive(debt, debt.balance_minor(), now),
        PlanState::Broken if !plan.lapses => {
            forgive(debt, plan.quita_minor.saturating_sub(forgiven), now)
        }
        PlanState::Signed | PlanState::Active if forgiven > 0 => {
            debt.updated_at = now;
            allocation::give_back(debt, stands, forgiven)
        }
        _ => Parts::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClientId, DebtId, DebtorId, InstalmentId, PlanId};
    use uuid::Uuid;

    fn agreed() -> (Plan, Vec<Instalment>) {
        let id = |n: u128| Uuid::from_u128(n);
        let plan = Plan {
            id: PlanId(id(1)),
            client_id: ClientId(id(2)),
            debtor_id: DebtorId(id(3)),
            debt_id: DebtId(id(4)),
            attempt_id: None,
            agent_id: None,
            currency: "MXN".parse().unwrap(),
            balance_minor: 110,
            quita_minor: 10,
            agreed_minor: 100,
            freeze_interest: true,
            early_off_minor: 5,
            early_until: Some(UtcMs(50)),
            lapses: false,
            policy_version: 1,
            state: PlanState::Signed,
            asked_until: None,
            needs_role: None,
            ask_reason: None,
            answered_by: None,
            answer_reason: None,
            document_sha256: None,
            accepted_channel: None,
            accepted_identity: None,
            made_at: UtcMs(0),
            signed_at: Some(UtcMs(0)),
            closed_at: None,
        };
        let part = |n: i32, amount_minor| Instalment {
            id: InstalmentId(id(10 + n.unsigned_abs() as u128)),
            plan_id: plan.id,
            position: n,
            due_date: format!("2026-12-0{n}"),
            grace_until: UtcMs(i64::from(n) * 100),
            amount_minor,
            paid_minor: 0,
            state: InstalmentState::Due,
        };
        let parts = vec![part(1, 40), part(2, 60)];
        (plan, parts)
    }

    fn paid(all_minor: i64, early_minor: i64) -> PaidUnder {
        PaidUnder {
            all_minor,
            early_minor,
        }
    }

    #[test]
    fn money_walks_a_plan_to_its_end_and_back_row_21() {
        let (mut plan, mut parts) = agreed();
        assert!(adds_up(&plan, &parts));
        let now = UtcMs(60);
        assert_eq!(
            settle(&mut plan, &mut parts, paid(30, 0), now),
            Some(PlanState::Active)
        );
        assert_eq!(
            (parts[0].paid_minor, parts[0].state),
            (30, InstalmentState::Due)
        );
        assert_eq!(silent_until(&parts), Some(UtcMs(100)));
        assert_eq!(settle(&mut plan, &mut parts, paid(45, 0), now), None);
        assert_eq!(
            (parts[0].state, parts[1].paid_minor),
            (InstalmentState::Paid, 5)
        );
        assert_eq!(silent_until(&parts), Some(UtcMs(200)));
        assert_eq!(
            settle(&mut plan, &mut parts, paid(100, 0), now),
            Some(PlanState::Completed)
        );
        assert_eq!(plan.closed_at, Some(now));
        assert_eq!(
            settle(&mut plan, &mut parts, paid(0, 0), now),
            Some(PlanState::Signed)
        );
        assert_eq!((plan.closed_at, parts[1].paid_minor), (None, 0));
    }

    #[test]
    fn early_money_earns_the_incentive_and_late_money_does_not() {
        let (mut plan, mut parts) = agreed();
        assert_eq!(
            settle(&mut plan, &mut parts, paid(95, 94), UtcMs(60)),
            Some(PlanState::Active)
        );
        let done = settle(&mut plan, &mut parts, paid(95, 95), UtcMs(60));
        assert_eq!(done, Some(PlanState::Completed));
    }

    #[test]
    fn a_missed_instalment_breaks_the_plan_after_its_grace() {
        let (mut plan, mut parts) = agreed();
        assert!(!lapse(&mut plan, &mut parts, UtcMs(99)));
        assert!(lapse(&mut plan, &mut parts, UtcMs(100)));
        assert_eq!(
            (plan.state, parts[0].state),
            (PlanState::Broken, InstalmentState::Missed)
        );
        assert_eq!(parts[1].state, InstalmentState::Due);
        assert!(!lapse(&mut plan, &mut parts, UtcMs(900)), "once");
    }

    #[test]
    fn what_does_not_add_up_is_found() {
        let (plan, parts) = agreed();
        let off = |change: &dyn Fn(&mut Plan, &mut Vec<Instalment>)| {
            let (mut plan, mut parts) = (plan.clone(), parts.clone());
            change(&mut plan, &mut parts);
            assert!(!adds_up(&plan, &parts), "{plan:?} {parts:?}");
        };
        off(&|_, parts| parts[0].amount_minor += 1);
        off(&|plan, _| plan.quita_minor += 1);
        off(&|_, parts| parts.swap(0, 1));
        off(&|_, parts| parts.clear());
        off(&|plan, _| plan.early_off_minor = 101);
    }

    fn owing(fees_minor: i64, principal_minor: i64) -> Debt {
        Debt {
            id: DebtId(Uuid::from_u128(4)),
            debtor_id: DebtorId(Uuid::from_u128(3)),
            client_id: ClientId(Uuid::from_u128(2)),
            portfolio_id: crate::ids::PortfolioId(Uuid::from_u128(5)),
            external_ref: "D".into(),
            product: "card".into(),
            currency: "MXN".parse().unwrap(),
            principal_minor,
            interest_minor: 0,
            fees_minor,
            overdue_minor: fees_minor + principal_minor,
            minimum_minor: 0,
            due_date: "2026-07-01".into(),
            status: DebtStatus::Open,
            created_at: UtcMs(0),
            updated_at: UtcMs(0),
        }
    }

    #[test]
    fn what_is_forgiven_follows_the_plan_there_and_back_row_21() {
        let (mut plan, _) = agreed();
        let (mut debt, now) = (owing(3, 7), UtcMs(9));
        let owed = debt.clone();
        plan.state = PlanState::Completed;
        let first = follow_forgiving(&plan, &mut debt, &Parts::default(), now);
        assert_eq!((first.sum(), debt.status), (10, DebtStatus::Paid));
        let again = follow_forgiving(&plan, &mut debt, &first, now);
        assert_eq!(again, Parts::default(), "once");
        plan.state = PlanState::Active;
        let back = follow_forgiving(&plan, &mut debt, &first, now);
        assert_eq!(first.plus(&back), Parts::default());
        let figures = |d: &Debt| (d.fees_minor, d.principal_minor, d.overdue_minor, d.status);
        assert_eq!(figures(&debt), figures(&owed), "as if it had never been");
        plan.state = PlanState::Broken;
        let kept = follow_forgiving(&plan, &mut debt, &Parts::default(), now);
        assert_eq!((kept.sum(), debt.status), (10, DebtStatus::Paid));
        assert_eq!(follow_forgiving(&plan, &mut debt, &kept, now).sum(), 0);
        plan.lapses = true;
        let mut debt = owing(3, 7);
        let none = follow_forgiving(&plan, &mut debt, &Parts::default(), now);
        assert_eq!((none, debt.balance_minor()), (Parts::default(), 10));
    }
}
