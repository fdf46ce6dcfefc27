//! Money that goes back, or comes late: promises are judged anew, and what a plan forgave is owed again.

use super::plans::{agreed, drawn, now, signed};
use super::receipts::{back, receipt, share, step, taken};
use super::scene::*;
use domain::entity::{
    DebtStatus, HoldKind, InstalmentState, PlanFile, PlanState, Promise, PromiseState,
};
use domain::ports::StoreError;
use domain::ports::store::{PaymentOutcome, PromiseTerms, ReceiptStep};
use domain::time::{DAY_MS, UtcMs};

const TERMS: PromiseTerms = PromiseTerms {
    min_minor: 1,
    max_minor: 100_000,
};

pub(super) async fn all(store: &Subject) {
    a_reversal_counts_where_its_payment_did(store).await;
    a_promise_whose_money_goes_back_lives_again(store).await;
    one_that_lives_beside_it_replaces_it(store).await;
    after_its_grace_it_is_broken_and_leads_the_queue(store).await;
    money_that_comes_late_keeps_it_after_all(store).await;
    a_quita_is_forgiven_once_however_often_the_plan_is_paid(store).await;
    a_quita_that_the_contract_keeps_is_kept_once(store).await;
    a_plan_whose_money_was_there_in_time_runs_again(store).await;
    money_of_too_late_a_day_changes_no_plan(store).await;
    super::plans_beside::all(store).await;
    charges_that_nobody_agreed_to_stay_open(store).await;
    a_debt_written_anew_overwrites_no_payment(store).await;
    receipts_go_back_together_or_not_at_all(store).await;
}

/// Somebody writes the creditor's figures of a debt that is paid in the same moment.
async fn a_debt_written_anew_overwrites_no_payment(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let was = store.get_debt(person.debt.id).await.expect("debt");
    let mut fresh = was.clone();
    fresh.principal_minor += 5_000;
    fresh.updated_at = NOW.plus_ms(1);
    post(store, &person.payment(40_000)).await;
    let late = store.replace_debt(&was, &fresh, &[]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let paid = store.get_debt(was.id).await.expect("debt");
    assert_eq!(paid.balance_minor(), was.balance_minor() - 40_000);
    let fresh = domain::entity::Debt {
        principal_minor: paid.principal_minor + 5_000,
        ..paid.clone()
    };
    let told = event("debt.changed", &format!("debt:{}", was.id));
    let done = store.replace_debt(&paid, &fresh, std::slice::from_ref(&told));
    done.await.expect("as it was read");
    assert_eq!(store.get_debt(was.id).await.expect("debt"), fresh);
    let file = store.debtor_file(was.debtor_id).await.expect("file");
    assert_eq!(file.debts, [fresh], "and all that follows from it");
    let unknown = domain::entity::Debt {
        id: domain::ids::DebtId(uuid::Uuid::now_v7()),
        ..was.clone()
    };
    let none = store.replace_debt(&unknown, &unknown, &[]).await;
    assert!(matches!(none, Err(StoreError::NotFound(_))), "{none:?}");
}

/// One piece of money may stand on two receipts: what takes it takes from both, or from neither.
async fn receipts_go_back_together_or_not_at_all(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let rows = [receipt(&scene, 30_000), receipt(&scene, 20_000)];
    let mut payments = Vec::new();
    for row in &rows {
        taken(store, row).await;
        let paid = share(row, &person.debt, row.amount.amount_minor);
        let own = Some(person.debtor.id);
        let done = step(store, row.id, own, std::slice::from_ref(&paid), 0).await;
        done.expect("posted");
        payments.push(paid);
    }
    let all = async |second: i64| {
        let backs = [back(&payments[0], 30_000), back(&payments[1], second)];
        let steps: Vec<_> = rows
            .iter()
            .zip(&backs)
            .map(|(row, back)| ReceiptStep {
                receipt: row.id,
                debtor_id: Some(person.debtor.id),
                payments: std::slice::from_ref(back),
                returned_minor: -back.amount.amount_minor,
                gone_minor: None,
                note: "disputed",
                word: None,
                now: NOW,
                events: &[],
            })
            .collect();
        store.step_receipts(&steps, &of_promise).await
    };
    let owed = async || {
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        person.debt.balance_minor() - debt.balance_minor()
    };
    let refused = all(20_001).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    assert_eq!(owed().await, 50_000, "neither");
    let left = store.get_receipt(rows[0].id).await.expect("receipt");
    assert_eq!(left.returned_minor, 0);
    let done = all(20_000).await.expect("taken");
    let back: Vec<i64> = done.iter().map(|d| d.receipt.returned_minor).collect();
    assert_eq!((back, owed().await), (vec![30_000, 20_000], 0), "both");
}

pub(super) async fn post(store: &Subject, payment: &domain::entity::Payment) -> PaymentOutcome {
    let done = store.post_payment(payment, &[], &of_promise).await;
    done.expect("posted")
}

async fn kept(store: &Subject, person: &Person) -> (Promise, domain::entity::Payment) {
    let promise = person.promise(40_000);
    let made = store.record_promise(&promise, TERMS, &[]).await;
    made.expect("promise").expect("taken");
    let payment = person.payment(40_000);
    let done = post(store, &payment).await;
    assert_eq!(done.promises[0].state, PromiseState::Kept);
    (promise, payment)
}

async fn state(store: &Subject, promise: &Promise) -> (PromiseState, Option<UtcMs>) {
    let row = store.get_promise(promise.id).await.expect("promise");
    (row.state, row.closed_at)
}

async fn is_silent(store: &Subject, person: &Person, at: UtcMs) -> bool {
    let facts = store.contact_facts(person.debtor.id, at).await;
    let holds = facts.expect("facts").holds;
    holds.iter().any(|h| h.kind == HoldKind::Promise)
}

async fn a_promise_whose_money_goes_back_lives_again(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let (promise, payment) = kept(store, &person).await;
    assert!(!is_silent(store, &person, NOW).await);
    // A part goes back: it is not paid in full.
    let done = post(store, &back(&payment, 1)).await;
    let changed: Vec<_> = done.promises.iter().map(|p| (p.id, p.state)).collect();
    assert_eq!(changed, vec![(promise.id, PromiseState::Active)]);
    assert_eq!(state(store, &promise).await, (PromiseState::Active, None));
    assert!(
        is_silent(store, &person, NOW).await,
        "he has his time again"
    );
    let tail = store.last_cursor().await.expect("cursor");
    let told = store.events_after(tail - 1, 10).await.expect("events");
    let subject = format!("promise:{}", promise.id);
    assert!(
        told.iter()
            .any(|e| e.event.kind == "promise.active" && e.event.subject == subject),
        "told in the same transaction"
    );
    let again = post(store, &person.payment(1)).await;
    assert_eq!(again.promises[0].state, PromiseState::Kept);
}

async fn one_that_lives_beside_it_replaces_it(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let (promise, payment) = kept(store, &person).await;
    let second = person.promise(60_000);
    let made = store.record_promise(&second, TERMS, &[]).await;
    made.expect("promise").expect("taken");
    post(store, &back(&payment, 40_000)).await;
    assert_eq!(
        state(store, &promise).await,
        (PromiseState::Replaced, Some(NOW))
    );
    assert_eq!(state(store, &second).await, (PromiseState::Active, None));
}

async fn after_its_grace_it_is_broken_and_leads_the_queue(store: &Subject) {
    let scene = Scene::new(store).await;
    for (gone, want, priority) in [
        (20_001, PromiseState::Broken, 10),
        (20_000, PromiseState::KeptPartial, 0),
    ] {
        let person = scene.person(store).await;
        let _campaign = scene.campaign(store).await;
        let (promise, payment) = kept(store, &person).await;
        let mut turned = back(&payment, gone);
        turned.posted_at = promise.grace_until;
        let done = post(store, &turned).await;
        assert_eq!(done.promises.len(), 1);
        assert_eq!(
            state(store, &promise).await,
            (want, Some(promise.grace_until))
        );
        assert!(!is_silent(store, &person, promise.grace_until).await);
        let items = store.items_of(person.debtor.id).await.expect("items");
        assert!(items.iter().all(|i| i.priority == priority), "{items:?}");
        if want == PromiseState::Broken {
            assert!(items.iter().all(|i| i.next_at == promise.grace_until));
        }
    }
}

async fn money_that_comes_late_keeps_it_after_all(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let promise = person.promise(40_000);
    let made = store.record_promise(&promise, TERMS, &[]).await;
    made.expect("promise").expect("taken");
    let end = promise.grace_until;
    for _ in 0..1_000 {
        let swept = store.sweep_promises(end, 100, &of_promise).await;
        if swept.expect("sweep").is_empty() {
            break;
        }
    }
    assert_eq!(
        state(store, &promise).await,
        (PromiseState::Broken, Some(end))
    );
    // The bank's file of the day before comes a day later.
    let mut late = person.payment(20_000);
    late.posted_at = end.plus_ms(DAY_MS);
    let done = post(store, &late).await;
    assert_eq!(done.promises[0].state, PromiseState::KeptPartial);
    let mut outside = person.payment(20_000);
    (outside.paid_at, outside.posted_at) = (end, late.posted_at);
    assert!(
        post(store, &outside).await.promises.is_empty(),
        "after its time"
    );
    let mut rest = person.payment(20_000);
    rest.posted_at = late.posted_at;
    let done = post(store, &rest).await;
    assert_eq!(done.promises[0].state, PromiseState::Kept);
}

/// What stands forgiven of his debt, minor units.
pub(super) async fn forgiven(store: &Subject, person: &Person) -> i64 {
    let rows = store.forgiven_of(person.debt.id).await.expect("rows");
    rows.iter().map(|r| r.parts.sum()).sum()
}

fn figures(d: &domain::entity::Debt) -> (DebtStatus, i64, i64, i64, i64) {
    (
        d.status,
        d.fees_minor,
        d.interest_minor,
        d.principal_minor,
        d.overdue_minor,
    )
}

async fn a_quita_is_forgiven_once_however_often_the_plan_is_paid(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut file = agreed(&person, 20_000);
    file.plan.lapses = true;
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    for turn in 0..3 {
        let payment = person.payment(80_000);
        assert!(post(store, &payment).await.debt_paid, "{turn}");
        assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
        assert_eq!(forgiven(store, &person).await, 20_000, "{turn}: once");
        let done = post(store, &back(&payment, 80_000)).await;
        assert_eq!((done.debt_paid, done.balance_minor), (false, 100_000));
        assert_eq!(forgiven(store, &person).await, 0, "{turn}: taken back");
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        assert_eq!(figures(&debt), figures(&person.debt), "{turn}: as before");
        assert_eq!(now(store, &file).await.plan.state, PlanState::Signed);
    }
    let rows = store.forgiven_of(person.debt.id).await.expect("rows");
    assert_eq!(rows.len(), 6, "each way is a row of its own");
    let told = store
        .events_about(&[format!("plan:{}", file.plan.id)])
        .await
        .expect("told");
    let of = |kind: &str| told.iter().filter(|e| e.event.kind == kind).count();
    assert_eq!((of("plan.completed"), of("plan.reopened")), (3, 3));
    // Nobody pays again: the quita lapses with the plan.
    let over = file.instalments[0].grace_until;
    store.sweep_plans(over, 500).await.expect("sweep");
    assert_eq!(now(store, &file).await.plan.state, PlanState::Broken);
    assert_eq!(forgiven(store, &person).await, 0);
}

async fn a_quita_that_the_contract_keeps_is_kept_once(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let file = agreed(&person, 20_000);
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    let payment = person.payment(80_000);
    post(store, &payment).await;
    post(store, &back(&payment, 80_000)).await;
    let over = file.instalments[0].grace_until;
    store.sweep_plans(over, 500).await.expect("sweep");
    assert_eq!(now(store, &file).await.plan.state, PlanState::Broken);
    assert_eq!(forgiven(store, &person).await, 20_000);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt.balance_minor(), 80_000, "not twice");
}

/// A plan that forgives a fifth, broken when the grace of its first part was over.
pub(super) async fn broken(store: &Subject) -> (Person, PlanFile, UtcMs) {
    let person = Scene::new(store).await.person(store).await;
    let file = agreed(&person, 20_000);
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    let over = file.instalments[0].grace_until;
    swept(store, &file, over).await;
    (person, file, over)
}

/// Its time is over, whoever else's is too.
pub(super) async fn swept(store: &Subject, file: &PlanFile, at: UtcMs) {
    for _ in 0..1_000 {
        let swept = store.sweep_plans(at, 500).await.expect("sweep");
        if swept.is_empty() {
            break;
        }
    }
    assert_eq!(now(store, file).await.plan.state, PlanState::Broken);
}

/// The bank's file of `paid_at` comes a day later than the grace is over.
pub(super) async fn late(
    store: &Subject,
    person: &Person,
    minor: i64,
    (paid_at, over): (UtcMs, UtcMs),
) {
    let mut payment = person.payment(minor);
    (payment.paid_at, payment.posted_at) = (paid_at, over.plus_ms(DAY_MS));
    post(store, &payment).await;
}

async fn a_plan_whose_money_was_there_in_time_runs_again(store: &Subject) {
    let (person, file, over) = broken(store).await;
    let first = file.instalments[0].amount_minor;
    let (just, posted) = (over.plus_ms(-1), over.plus_ms(DAY_MS));
    assert_eq!(
        forgiven(store, &person).await,
        20_000,
        "the contract keeps it"
    );
    assert!(!is_silent(store, &person, posted).await);
    late(store, &person, first - 1, (just, over)).await;
    let stands = now(store, &file).await;
    assert_eq!(stands.plan.closed_at, Some(over), "not all of it");
    late(store, &person, 1, (just, over)).await;
    let stands = now(store, &file).await;
    assert_eq!(
        (stands.plan.state, stands.plan.closed_at),
        (PlanState::Active, None)
    );
    let states: Vec<_> = stands.instalments.iter().map(|p| p.state).collect();
    assert_eq!(states, [InstalmentState::Paid, InstalmentState::Due]);
    assert!(
        is_silent(store, &person, posted).await,
        "until the next part"
    );
    assert_eq!(forgiven(store, &person).await, 0, "while it runs");
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt.balance_minor(), 100_000 - first);
    // It may break again, and what its contract keeps is kept again.
    let second = file.instalments[1].grace_until;
    swept(store, &file, second).await;
    assert_eq!(forgiven(store, &person).await, 20_000);
    late(store, &person, 80_000 - first, (second.plus_ms(-1), second)).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!((debt.balance_minor(), debt.status), (0, DebtStatus::Paid));
    let told = store
        .events_about(&[format!("plan:{}", file.plan.id)])
        .await
        .expect("told");
    let of = |kind: &str| told.iter().filter(|e| e.event.kind == kind).count();
    let kinds = [
        "plan.broken",
        "instalment.missed",
        "plan.reopened",
        "plan.completed",
    ];
    assert_eq!(kinds.map(of), [2, 2, 1, 1]);
}

async fn money_of_too_late_a_day_changes_no_plan(store: &Subject) {
    let (person, file, over) = broken(store).await;
    let before = now(store, &file).await;
    let first = file.instalments[0].amount_minor;
    late(store, &person, first, (over, over)).await;
    assert_eq!(now(store, &file).await, before);
    assert_eq!(forgiven(store, &person).await, 20_000);
    // Money of its time that is known only when the next part is missed too.
    let mut payment = person.payment(first);
    payment.paid_at = over.plus_ms(-1);
    payment.posted_at = file.instalments[1].grace_until;
    post(store, &payment).await;
    assert_eq!(now(store, &file).await, before);
}

/// The creditor's file brings new charges while a plan runs that forgives nothing.
async fn charges_that_nobody_agreed_to_stay_open(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let file = agreed(&person, 0);
    drawn(store, &file).await.expect("kept");
    signed(store, &file).await;
    let was = store.get_debt(person.debt.id).await.expect("debt");
    let mut more = was.clone();
    more.principal_minor += 5_000;
    more.interest_minor += 700;
    let done = store.replace_debt(&was, &more, &[]).await;
    done.expect("charged");
    let payment = person.payment(100_000);
    let done = post(store, &payment).await;
    assert_eq!(now(store, &file).await.plan.state, PlanState::Completed);
    assert_eq!((done.debt_paid, done.balance_minor), (false, 5_000));
    assert_eq!(forgiven(store, &person).await, 700, "interest it froze");
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (debt.principal_minor, debt.status),
        (5_000, DebtStatus::Open)
    );
    post(store, &back(&payment, 100_000)).await;
    assert_eq!(forgiven(store, &person).await, 0);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(figures(&debt), figures(&more), "as before");
}

async fn a_reversal_counts_where_its_payment_did(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let promise = person.promise(40_000);
    let mut before = person.payment(20_000);
    before.paid_at = promise.made_at.plus_ms(-DAY_MS);
    let post = async |p: &domain::entity::Payment| store.post_payment(p, &[], &of_promise).await;
    post(&before).await.expect("payment");
    let taken = store.record_promise(&promise, TERMS, &[]).await;
    taken.expect("promise").expect("taken");
    let mut back = person.payment(-20_000);
    back.reverses = Some(before.id);
    post(&back).await.expect("reversal");
    let done = post(&person.payment(40_000)).await.expect("payment");
    assert_eq!(
        done.promises.len(),
        1,
        "money from before the promise, taken back, is none of its"
    );
}
