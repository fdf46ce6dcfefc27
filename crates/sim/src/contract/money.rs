//! Promises and payments.

use super::judges::*;
use super::scene::*;
use domain::entity::{DebtStatus, HoldKind, HoldScope, Promise, PromiseState};
use domain::money::Money;
use domain::ports::StoreError;
use domain::ports::store::{OpenOutcome, PromiseRefusal, PromiseTerms};
use domain::time::{DAY_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    a_promise_silences_its_debt(&store).await;
    each_debt_has_its_own_promise(&store).await;
    money_goes_to_fees_first(&store).await;
    a_reference_counts_once(&store).await;
    a_payment_keeps_the_promise(&store).await;
    a_paid_debt_leaves_every_campaign(&store).await;
    a_reversal_opens_the_debt_again(&store).await;
    grace_over_closes_promises(&store).await;
    wrong_payments_are_refused(&store).await;
    a_reversal_is_no_repeat(&store).await;
    super::rejudged::all(&store).await;
}

const TERMS: PromiseTerms = PromiseTerms {
    min_minor: 10_000,
    max_minor: 100_000,
};

async fn a_promise_silences_its_debt(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    for amount in [9_999, 100_001] {
        let refused = store
            .record_promise(&person.promise(amount), TERMS, &[])
            .await
            .expect("promise");
        assert_eq!(refused, Err(PromiseRefusal::Amount), "{amount}");
    }
    let promise = person.promise(10_000);
    let told = [event("promise.made", &format!("promise:{}", promise.id))];
    assert_eq!(
        store
            .record_promise(&promise, TERMS, &told)
            .await
            .expect("promise"),
        Ok(())
    );
    let second = store
        .record_promise(&person.promise(20_000), TERMS, &[])
        .await
        .expect("promise");
    assert_eq!(
        second,
        Err(PromiseRefusal::Active(promise.id)),
        "one active a debt"
    );
    let active = store
        .active_promises(person.debtor.id)
        .await
        .expect("active");
    assert_eq!(active, vec![promise.clone()]);
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.holds.len(), 1);
    let hold = &facts.holds[0];
    assert_eq!(
        (hold.kind, hold.scope),
        (HoldKind::Promise, HoldScope::Debt)
    );
    assert_eq!(hold.debt_id, Some(person.debt.id));
    assert_eq!(
        (hold.from, hold.until),
        (promise.made_at, Some(promise.grace_until))
    );
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == told[0]));
}

async fn each_debt_has_its_own_promise(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let first = person.promise(10_000);
    let taken = store.record_promise(&first, TERMS, &[]).await;
    assert_eq!(taken.expect("promise"), Ok(()));
    let mut other = scene.draft_debt(person.debtor.id, 80_000);
    other.product = "auto".into();
    store.put_debt(&other, &[]).await.expect("debt");
    let mut elsewhere = person.promise(30_000);
    elsewhere.debt_id = other.id;
    assert_eq!(
        store
            .record_promise(&elsewhere, TERMS, &[])
            .await
            .expect("promise"),
        Ok(())
    );
    assert_eq!(
        store
            .active_promises(person.debtor.id)
            .await
            .expect("active")
            .len(),
        2
    );
}

async fn money_goes_to_fees_first(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    // 100,000 owed: fees 10,000, interest 20,000, principal 70,000; 50,000 overdue.
    for (amount, (fees, interest, principal, overdue)) in [
        (4_000, (6_000, 20_000, 70_000, 46_000)),
        (16_000, (0, 10_000, 70_000, 30_000)),
        (40_000, (0, 0, 40_000, 0)),
    ] {
        let payment = person.payment(amount);
        let told = [event("payment.posted", &format!("payment:{}", payment.id))];
        let done = store
            .post_payment(&payment, &told, &of_promise)
            .await
            .expect("payment");
        assert_eq!(done.payment, payment);
        assert!(!done.repeated && !done.debt_paid && done.promises.is_empty());
        assert_eq!(done.balance_minor, fees + interest + principal);
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        let have = (
            debt.fees_minor,
            debt.interest_minor,
            debt.principal_minor,
            debt.overdue_minor,
        );
        assert_eq!(have, (fees, interest, principal, overdue));
        assert_eq!(debt.updated_at, payment.posted_at);
        assert_eq!(
            store.get_payment(payment.id).await.expect("payment"),
            payment
        );
    }
    let file = store.debtor_file(person.debtor.id).await.expect("file");
    assert_eq!(file.payments.len(), 3);
    assert!(
        file.payments.is_sorted_by_key(|p| std::cmp::Reverse(p.id)),
        "newest first"
    );
}

async fn a_reference_counts_once(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let (person, other) = (ours.person(store).await, theirs.person(store).await);
    let payment = person.payment(30_000);
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("payment");
    let mut again = person.payment(30_000);
    again.reference.clone_from(&payment.reference);
    let mut other_money = again.clone();
    other_money.amount = Money::new(99_000, mxn());
    let refused = store.post_payment(&other_money, &[], &of_promise).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "another amount is no repeat: {refused:?}"
    );
    let told = [event("payment.posted", "twice")];
    let done = store
        .post_payment(&again, &told, &of_promise)
        .await
        .expect("payment");
    assert!(done.repeated);
    assert_eq!(done.payment, payment, "the first one stands");
    assert_eq!(done.balance_minor, 70_000);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt.balance_minor(), 70_000, "lowered once");
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 2, 10).await.expect("events");
    assert!(
        events.iter().all(|e| e.event != told[0]),
        "a repeat tells nothing"
    );
    let mut same_words = other.payment(1_000);
    same_words.reference.clone_from(&payment.reference);
    let done = store
        .post_payment(&same_words, &[], &of_promise)
        .await
        .expect("payment");
    assert!(
        !done.repeated,
        "another client's reference is another payment"
    );
}

async fn a_payment_keeps_the_promise(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let promise = person.promise(40_000);
    store
        .record_promise(&promise, TERMS, &[])
        .await
        .expect("promise")
        .expect("taken");
    // Money from before the promise, or after its grace, keeps nothing.
    let mut early = person.payment(40_000);
    early.paid_at = promise.made_at.plus_ms(-1);
    let mut late = person.payment(1_000);
    late.paid_at = promise.grace_until;
    for payment in [early, late, person.payment(39_999)] {
        let done = store
            .post_payment(&payment, &[], &of_promise)
            .await
            .expect("payment");
        assert!(done.promises.is_empty());
    }
    let mut last = person.payment(1);
    last.posted_at = NOW.plus_ms(7);
    let done = store
        .post_payment(&last, &[], &of_promise)
        .await
        .expect("payment");
    assert_eq!(done.promises.len(), 1);
    let kept = &done.promises[0];
    assert_eq!(
        (kept.id, kept.state, kept.closed_at),
        (promise.id, PromiseState::Kept, Some(last.posted_at))
    );
    assert_eq!(store.get_promise(promise.id).await.expect("promise"), *kept);
    assert!(
        store
            .active_promises(person.debtor.id)
            .await
            .expect("active")
            .is_empty()
    );
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert!(facts.holds.is_empty(), "the promise's hold is lifted");
    let again = store
        .record_promise(&person.promise(10_000), TERMS, &[])
        .await
        .expect("promise");
    assert_eq!(again, Ok(()), "a new one may be made");
}

async fn a_paid_debt_leaves_every_campaign(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let mut second = scene.draft_debt(person.debtor.id, 60_000);
    second.due_date = "2026-11-01".into();
    store.put_debt(&second, &[]).await.expect("debt");
    let (one, two) = (scene.campaign(store).await, scene.campaign(store).await);
    let lease = node(store).await;
    let held = reserve(store, &one, &lease, 1).await;
    assert_eq!(held.len(), 1);
    // More than is owed: the rest is nobody's, the balance never falls below zero.
    let done = store
        .post_payment(&person.payment(100_500), &[], &of_promise)
        .await
        .expect("payment");
    assert!(done.debt_paid);
    assert_eq!(done.balance_minor, 0);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!((debt.status, debt.balance_minor()), (DebtStatus::Paid, 0));
    let items = store.items_of(person.debtor.id).await.expect("items");
    assert!(
        items.iter().all(|i| !i.done),
        "he still owes the other debt"
    );
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.debts, vec![second.clone()]);
    assert!(facts.holds.iter().any(|h| {
        h.kind == HoldKind::Paid && h.debt_id == Some(person.debt.id) && h.until.is_none()
    }));
    // The reservation made before is judged inside the transaction, on what is true now.
    let draft = person.draft(&lease, Some(one.id), NOW);
    let outcome = store.open_attempt(&draft, &Cap(9)).await.expect("open");
    assert!(matches!(outcome, OpenOutcome::Refused(_)), "{outcome:?}");
    let mut rest = person.payment(60_000);
    rest.debt_id = second.id;
    assert!(
        store
            .post_payment(&rest, &[], &of_promise)
            .await
            .expect("payment")
            .debt_paid
    );
    let items = store.items_of(person.debtor.id).await.expect("items");
    assert_eq!(items.len(), 2);
    assert!(
        items.iter().all(|i| i.done && i.note == "paid"),
        "nothing open: out of both"
    );
    store.release_all(&lease.node, None).await.expect("release");
    assert!(reserve(store, &two, &lease, 10).await.is_empty());
}

async fn a_reversal_opens_the_debt_again(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let payment = person.payment(100_000);
    assert!(
        store
            .post_payment(&payment, &[], &of_promise)
            .await
            .expect("payment")
            .debt_paid
    );
    let items = store.items_of(person.debtor.id).await.expect("items");
    assert!(items[0].done && items[0].note == "paid");
    let mut back = person.payment(-100_000);
    back.reverses = Some(payment.id);
    let done = store
        .post_payment(&back, &[], &of_promise)
        .await
        .expect("reversal");
    assert!(!done.debt_paid);
    assert_eq!(done.balance_minor, 100_000);
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    let figures = |d: &domain::entity::Debt| {
        (
            d.status,
            d.fees_minor,
            d.interest_minor,
            d.principal_minor,
            d.overdue_minor,
        )
    };
    assert_eq!(
        figures(&debt),
        figures(&person.debt),
        "each part got back what was taken from it"
    );
    let facts = store.contact_facts(person.debtor.id, NOW).await;
    assert!(facts.expect("facts").holds.is_empty(), "nothing is paid");
    let items = store.items_of(person.debtor.id).await.expect("items");
    assert_eq!((items[0].done, items[0].note.as_str()), (false, "reversed"));
    let lease = node(store).await;
    let due = reserve(store, &campaign, &lease, 10).await;
    assert_eq!(ids(&due), vec![person.debtor.id], "he is dialed again");
}

/// A debtor who promised 40,000 and paid a part of it.
async fn promised(store: &Subject, scene: &Scene, paid: i64) -> (Person, Promise) {
    let person = scene.person(store).await;
    let promise = person.promise(40_000);
    let taken = store.record_promise(&promise, TERMS, &[]).await;
    taken.expect("promise").expect("taken");
    if paid > 0 {
        let posted = store
            .post_payment(&person.payment(paid), &[], &of_promise)
            .await;
        posted.expect("payment");
    }
    (person, promise)
}

/// Sweeps three at a time until nothing is left.
async fn sweep_all(store: &Subject, now: UtcMs) -> Vec<Promise> {
    let mut closed = Vec::new();
    for _ in 0..1_000 {
        let batch = store
            .sweep_promises(now, 3, &of_promise)
            .await
            .expect("sweep");
        assert!(batch.len() <= 3);
        if batch.is_empty() {
            break;
        }
        closed.extend(batch);
    }
    closed
}

async fn grace_over_closes_promises(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut people = Vec::new();
    // Paid within the promise of 40,000: half is kept in part, less is broken.
    for paid in [0, 19_999, 20_000, 39_999] {
        people.push(promised(store, &scene, paid).await);
    }
    let campaign = scene.campaign(store).await;
    let end = NOW.plus_ms(4 * DAY_MS);
    let early = store
        .sweep_promises(end.plus_ms(-1), 1_000, &of_promise)
        .await
        .expect("sweep");
    assert!(
        early
            .iter()
            .all(|p| people.iter().all(|(_, q)| q.id != p.id)),
        "grace is half-open"
    );
    let closed = sweep_all(store, end).await;
    use PromiseState::{Broken, KeptPartial};
    for ((person, promise), want) in people
        .iter()
        .zip([Broken, Broken, KeptPartial, KeptPartial])
    {
        let state: Vec<_> = closed
            .iter()
            .filter(|p| p.id == promise.id)
            .map(|p| p.state)
            .collect();
        assert_eq!(state, vec![want], "each closed once");
        let row = store.get_promise(promise.id).await.expect("promise");
        assert_eq!((row.state, row.closed_at), (want, Some(end)));
        let items = store.items_of(person.debtor.id).await.expect("items");
        let head = if want == Broken { (10, end) } else { (0, NOW) };
        assert_eq!(
            (items[0].priority, items[0].next_at),
            head,
            "broken promises go first"
        );
        let facts = store
            .contact_facts(person.debtor.id, end)
            .await
            .expect("facts");
        assert!(facts.holds.iter().all(|h| h.kind != HoldKind::Promise));
    }
    let mut late = request(&campaign, &lease, 2);
    late.now = end;
    late.until = end.plus_ms(DAY_MS);
    let mut first = ids(&store.reserve_contacts(&late).await.expect("reserve"));
    first.sort_unstable();
    assert_eq!(first, vec![people[0].0.debtor.id, people[1].0.debtor.id]);
}

async fn wrong_payments_are_refused(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let mut other = person.payment(10);
    other.amount = Money::new(10, "COP".parse().expect("a currency"));
    let refused = store.post_payment(&other, &[], &of_promise).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let mut nothing = person.payment(10);
    nothing.debt_id = fresh::<domain::ids::DebtId>();
    let refused = store.post_payment(&nothing, &[], &of_promise).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound("debt"))),
        "{refused:?}"
    );
    assert!(
        store.get_payment(other.id).await.is_err() && store.get_payment(nothing.id).await.is_err()
    );
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt, person.debt);
}

async fn a_reversal_is_no_repeat(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let payment = person.payment(30_000);
    let post = async |p: &domain::entity::Payment| store.post_payment(p, &[], &of_promise).await;
    post(&payment).await.expect("payment");
    let mut back = person.payment(-10_000);
    back.reverses = Some(payment.id);
    back.reference.clone_from(&payment.reference);
    let refused = post(&back).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    back.reference = name("back");
    assert!(!post(&back).await.expect("reversal").repeated);
    assert!(
        post(&back).await.expect("again").repeated,
        "the same reversal"
    );
    back.amount = Money::new(-20_000, mxn());
    let other = post(&back).await;
    assert!(matches!(other, Err(StoreError::Conflict(_))), "{other:?}");
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(debt.balance_minor(), 80_000);
}
