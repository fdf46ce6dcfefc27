//! Agreements of one debt after each other: money belongs to the one under which it was paid, one runs at a time,
//! and what an agreement forgives follows the money that it has.

use super::plans::{agreed, drawn, now};
use super::receipts::back;
use super::rejudged::{broken, forgiven, late, post, swept};
use super::scene::*;
use domain::entity::{DebtStatus, Payment, PlanFile, PlanState};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};

pub(super) async fn all(store: &Subject) {
    a_plan_that_was_only_drawn_gives_way(store).await;
    a_plan_that_was_accepted_meanwhile_stands(store).await;
    money_goes_back_to_the_plan_it_was_paid_under(store).await;
    a_plan_that_cannot_run_again_is_broken(store).await;
    an_incentive_that_is_lost_is_owed_again(store).await;
}

/// Accepted at an instant.
async fn accepted(store: &Subject, file: &PlanFile, at: UtcMs) {
    let mut plan = file.plan.clone();
    (plan.state, plan.signed_at) = (PlanState::Signed, Some(at));
    let done = store.move_plan(&plan, PlanState::Approved, &[]).await;
    assert!(done.expect("signed"));
}

/// A plan on what is owed by now, drawn in its turn.
async fn next(store: &Subject, person: &Person, graces: [i64; 2]) -> PlanFile {
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    let person = Person {
        debt,
        ..person.clone()
    };
    let mut file = agreed(&person, 0);
    for (part, days) in file.instalments.iter_mut().zip(graces) {
        part.grace_until = NOW.plus_ms(days * DAY_MS);
    }
    drawn(store, &file).await.expect("kept");
    file
}

async fn a_plan_that_was_only_drawn_gives_way(store: &Subject) {
    let (person, file, over) = broken(store).await;
    let second = next(store, &person, [20, 30]).await;
    let first = file.instalments[0].amount_minor;
    late(store, &person, first - 1, (over.plus_ms(-1), over)).await;
    assert_eq!(now(store, &second).await, second, "not all of it");
    late(store, &person, 1, (over.plus_ms(-1), over)).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Active);
    let gone = now(store, &second).await.plan;
    assert_eq!(
        (gone.state, gone.closed_at, gone.answer_reason.as_deref()),
        (
            PlanState::Cancelled,
            Some(over.plus_ms(DAY_MS)),
            Some("reopened")
        )
    );
    let told = store.events_about(&[format!("plan:{}", gone.id)]).await;
    let told = told.expect("told");
    assert!(told.iter().any(|e| e.event.kind == "plan.cancelled"));
    assert_eq!(forgiven(store, &person).await, 0, "while it runs");
}

async fn a_plan_that_was_accepted_meanwhile_stands(store: &Subject) {
    let (person, file, over) = broken(store).await;
    let second = next(store, &person, [20, 30]).await;
    accepted(store, &second, over.plus_ms(HOUR_MS)).await;
    let (before, stands) = (now(store, &file).await, now(store, &second).await);
    let first = file.instalments[0].amount_minor;
    late(store, &person, first, (over.plus_ms(-1), over)).await;
    assert_eq!(now(store, &second).await, stands, "as it was accepted");
    assert_eq!(now(store, &file).await, before);
    assert_eq!(forgiven(store, &person).await, 20_000);
}

/// A plan without a freeze that was paid as agreed: its quita is forgiven, the interest that arose is owed still.
async fn kept(store: &Subject, lapses: bool) -> (Person, PlanFile, Payment) {
    let person = Scene::new(store).await.person(store).await;
    let mut file = agreed(&person, 20_000);
    (file.plan.freeze_interest, file.plan.lapses) = (false, lapses);
    drawn(store, &file).await.expect("kept");
    accepted(store, &file, NOW).await;
    charge(store, &person, 10_000).await;
    let payment = person.payment(80_000);
    post(store, &payment).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
    assert_eq!(forgiven(store, &person).await, 20_000);
    assert_eq!(owed(store, &person).await, 10_000);
    (person, file, payment)
}

async fn charge(store: &Subject, person: &Person, interest_minor: i64) {
    let was = store.get_debt(person.debt.id).await.expect("debt");
    let mut more = was.clone();
    more.interest_minor += interest_minor;
    let done = store.replace_debt(&was, &more, &[]).await;
    done.expect("charged");
}

async fn owed(store: &Subject, person: &Person) -> i64 {
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    debt.balance_minor()
}

async fn money_goes_back_to_the_plan_it_was_paid_under(store: &Subject) {
    for accept in [false, true] {
        let (person, file, payment) = kept(store, true).await;
        let second = next(store, &person, [1, 2]).await;
        let (signed, over) = (NOW.plus_ms(HOUR_MS), NOW.plus_ms(DAY_MS));
        if accept {
            accepted(store, &second, signed).await;
            swept(store, &second, over).await;
        }
        let mut turned = back(&payment, 80_000);
        turned.posted_at = over.plus_ms(HOUR_MS);
        post(store, &turned).await;
        assert_eq!(now(store, &file).await.plan.state, PlanState::Signed);
        assert_eq!(forgiven(store, &person).await, 0, "taken back");
        assert_eq!(owed(store, &person).await, 110_000);
        let want = if accept {
            PlanState::Broken
        } else {
            PlanState::Cancelled
        };
        assert_eq!(now(store, &second).await.plan.state, want);
        // What comes now is the running one's.
        let mut again = person.payment(80_000);
        (again.paid_at, again.posted_at) = (turned.posted_at, turned.posted_at);
        post(store, &again).await;
        assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
        assert_eq!(owed(store, &person).await, 10_000);
    }
}

async fn a_plan_that_cannot_run_again_is_broken(store: &Subject) {
    for lapses in [true, false] {
        let (person, file, payment) = kept(store, lapses).await;
        let second = next(store, &person, [20, 30]).await;
        let signed = NOW.plus_ms(HOUR_MS);
        accepted(store, &second, signed).await;
        let stands = now(store, &second).await;
        let mut turned = back(&payment, 80_000);
        turned.posted_at = signed.plus_ms(1);
        post(store, &turned).await;
        let fell = now(store, &file).await.plan;
        assert_eq!(
            (fell.state, fell.closed_at),
            (PlanState::Broken, Some(turned.posted_at))
        );
        let left = if lapses { 0 } else { 20_000 };
        assert_eq!(forgiven(store, &person).await, left, "as the contract says");
        assert_eq!(now(store, &second).await, stands, "its money is its own");
        let told = store
            .events_about(&[format!("plan:{}", file.plan.id)])
            .await;
        let told = told.expect("told");
        assert!(told.iter().any(|e| e.event.kind == "plan.broken"));
        // The bank sends the same day's money once more.
        let mut again = person.payment(80_000);
        again.posted_at = signed.plus_ms(2);
        post(store, &again).await;
        assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
        assert_eq!(forgiven(store, &person).await, 20_000);
        assert_eq!(owed(store, &person).await, 10_000);
        assert_eq!(now(store, &second).await, stands);
    }
}

async fn an_incentive_that_is_lost_is_owed_again(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut file = agreed(&person, 20_000);
    let until = NOW.plus_ms(DAY_MS);
    (file.plan.early_off_minor, file.plan.early_until) = (5_000, Some(until));
    drawn(store, &file).await.expect("kept");
    accepted(store, &file, NOW).await;
    let early = person.payment(75_000);
    post(store, &early).await;
    assert_eq!(forgiven(store, &person).await, 25_000);
    let mut more = person.payment(10_000);
    (more.paid_at, more.posted_at) = (until, until);
    post(store, &more).await;
    let mut turned = back(&early, 5_000);
    turned.posted_at = until.plus_ms(1);
    post(store, &turned).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
    assert_eq!(forgiven(store, &person).await, 20_000, "the quita alone");
    assert_eq!(owed(store, &person).await, 10_000);
    // Interest that arises behind its end was not frozen by it.
    charge(store, &person, 700).await;
    let mut small = person.payment(1);
    (small.paid_at, small.posted_at) = (until.plus_ms(2), until.plus_ms(2));
    post(store, &small).await;
    assert_eq!(forgiven(store, &person).await, 20_000);
    // The day's money after all.
    let mut again = person.payment(5_000);
    again.posted_at = until.plus_ms(3);
    post(store, &again).await;
    assert_eq!(forgiven(store, &person).await, 25_000);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!((debt.balance_minor(), debt.status), (699, DebtStatus::Open));
}
