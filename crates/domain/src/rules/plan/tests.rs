//! Money and time on a plan, and what it forgives.

use super::*;
use crate::ids::{ClientId, DebtId, DebtorId, InstalmentId, PlanId};

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
        interest_minor: 0,
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

/// Money that came, of it some before the incentive's end.
fn paid(all_minor: i64, early_minor: i64) -> [PaidUnder; 2] {
    let at = |at: i64, minor: i64| PaidUnder {
        at: UtcMs(at),
        minor,
        interest_minor: 0,
    };
    [at(49, early_minor), at(50, all_minor - early_minor)]
}

#[test]
fn money_walks_a_plan_to_its_end_and_back_row_21() {
    let (mut plan, mut parts) = agreed();
    assert!(adds_up(&plan, &parts));
    let now = UtcMs(60);
    assert_eq!(
        settle(&mut plan, &mut parts, &paid(30, 0), now),
        Some(PlanState::Active)
    );
    assert_eq!(
        (parts[0].paid_minor, parts[0].state),
        (30, InstalmentState::Due)
    );
    assert_eq!(silent_until(&parts), Some(UtcMs(100)));
    assert_eq!(settle(&mut plan, &mut parts, &paid(45, 0), now), None);
    assert_eq!(
        (parts[0].state, parts[1].paid_minor),
        (InstalmentState::Paid, 5)
    );
    assert_eq!(silent_until(&parts), Some(UtcMs(200)));
    assert_eq!(
        settle(&mut plan, &mut parts, &paid(100, 0), now),
        Some(PlanState::Completed)
    );
    assert_eq!(plan.closed_at, Some(now));
    assert_eq!(
        settle(&mut plan, &mut parts, &paid(0, 0), now),
        Some(PlanState::Signed)
    );
    assert_eq!((plan.closed_at, parts[1].paid_minor), (None, 0));
}

#[test]
fn early_money_earns_the_incentive_and_late_money_does_not() {
    let (mut plan, mut parts) = agreed();
    assert_eq!(
        settle(&mut plan, &mut parts, &paid(95, 94), UtcMs(60)),
        Some(PlanState::Active)
    );
    let done = settle(&mut plan, &mut parts, &paid(95, 95), UtcMs(60));
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
        statute_date: None,
        status: DebtStatus::Open,
        created_at: UtcMs(0),
        updated_at: UtcMs(0),
    }
}

#[test]
fn money_that_was_there_in_time_keeps_it_after_all() {
    let (first, second) = (UtcMs(100), UtcMs(200));
    let broken = |at: UtcMs| {
        let (mut plan, mut parts) = agreed();
        plan.early_until = None;
        assert!(lapse(&mut plan, &mut parts, at));
        (plan, parts)
    };
    let came = |at: UtcMs, minor: i64| PaidUnder {
        at,
        minor,
        interest_minor: 0,
    };
    let settled = |money: &[PaidUnder], now: UtcMs| {
        let (mut plan, mut parts) = broken(first);
        let next = settle(&mut plan, &mut parts, money, now);
        (next, parts[0].state, plan.closed_at)
    };
    let (paid, missed) = (InstalmentState::Paid, InstalmentState::Missed);
    let runs = (Some(PlanState::Active), paid, None);
    let stays = (None, missed, Some(first));
    let (just, late) = (UtcMs(99), first);
    assert_eq!(settled(&[came(just, 40)], UtcMs(150)), runs);
    assert_eq!(settled(&[came(late, 40)], UtcMs(150)), stays);
    assert_eq!(settled(&[came(just, 39)], UtcMs(150)), stays);
    let taken = [came(just, 40), came(just, -1), came(late, 60)];
    assert_eq!(settled(&taken, UtcMs(150)), stays, "money taken back");
    assert_eq!(settled(&[came(just, 40)], second), stays, "the next is due");
    let both = [came(just, 40), came(UtcMs(199), 60)];
    let done = (Some(PlanState::Completed), paid, Some(second));
    assert_eq!(settled(&both, second), done);
    // A clock behind the one that broke it: nothing is due by it yet.
    assert_eq!(settled(&[came(just, 1)], just), stays);
    let (mut plan, mut parts) = broken(first);
    plan.early_until = Some(first);
    plan.early_off_minor = 70;
    let early = settle(&mut plan, &mut parts, &[came(just, 30)], second);
    assert_eq!(
        early,
        Some(PlanState::Completed),
        "the incentive was earned"
    );
}

#[test]
fn what_is_forgiven_follows_the_plan_there_and_back_row_21() {
    let (mut plan, _) = agreed();
    let (mut debt, now) = (owing(3, 7), UtcMs(9));
    let owed = debt.clone();
    plan.state = PlanState::Completed;
    let first = follow_forgiving(&plan, &mut debt, (&Parts::default(), &[]), now);
    assert_eq!((first.sum(), debt.status), (10, DebtStatus::Paid));
    let again = follow_forgiving(&plan, &mut debt, (&first, &[]), now);
    assert_eq!(again, Parts::default(), "once");
    plan.state = PlanState::Active;
    let back = follow_forgiving(&plan, &mut debt, (&first, &[]), now);
    assert_eq!(first.plus(&back), Parts::default());
    let figures = |d: &Debt| (d.fees_minor, d.principal_minor, d.overdue_minor, d.status);
    assert_eq!(figures(&debt), figures(&owed), "as if it had never been");
    plan.state = PlanState::Broken;
    let kept = follow_forgiving(&plan, &mut debt, (&Parts::default(), &[]), now);
    assert_eq!((kept.sum(), debt.status), (10, DebtStatus::Paid));
    assert_eq!(
        follow_forgiving(&plan, &mut debt, (&kept, &[]), now).sum(),
        0
    );
    plan.lapses = true;
    let mut debt = owing(3, 7);
    let none = follow_forgiving(&plan, &mut debt, (&Parts::default(), &[]), now);
    assert_eq!((none, debt.balance_minor()), (Parts::default(), 10));
}

#[test]
fn nothing_is_forgiven_that_nobody_agreed_to() {
    let (mut plan, _) = agreed();
    (plan.state, plan.freeze_interest) = (PlanState::Completed, false);
    let now = UtcMs(60);
    let forgiven = |plan: &Plan, (interest, principal): (i64, i64), money: &[PaidUnder]| {
        let mut debt = owing(0, principal);
        debt.interest_minor = interest;
        let parts = follow_forgiving(plan, &mut debt, (&Parts::default(), money), now);
        let owed = (debt.interest_minor, debt.principal_minor);
        (parts.sum(), owed, debt.status)
    };
    let (open, done) = (DebtStatus::Open, DebtStatus::Paid);
    assert_eq!(forgiven(&plan, (0, 10), &[]), (10, (0, 0), done));
    assert_eq!(forgiven(&plan, (0, 17), &[]), (10, (0, 7), open), "charges");
    assert_eq!(
        forgiven(&plan, (3, 10), &[]),
        (10, (0, 3), open),
        "interest"
    );
    assert_eq!(forgiven(&plan, (0, 6), &[]), (6, (0, 0), done));
    // 95 before its time earn 5 more; 100 do without.
    let early = paid(95, 95);
    assert_eq!(forgiven(&plan, (0, 17), &early), (15, (0, 2), open));
    plan.freeze_interest = true;
    assert_eq!(forgiven(&plan, (3, 17), &[]), (13, (0, 7), open));
    // What arose was paid before the principal.
    let mut money = paid(100, 0);
    money[1].interest_minor = 24;
    plan.interest_minor = 20;
    assert_eq!(forgiven(&plan, (0, 17), &money), (14, (0, 3), open));
    plan.interest_minor = 24;
    assert_eq!(forgiven(&plan, (0, 17), &money), (10, (0, 7), open));
    (plan.quita_minor, plan.agreed_minor) = (0, 110);
    assert_eq!(forgiven(&plan, (0, 7), &money), (0, (0, 7), open));
}
