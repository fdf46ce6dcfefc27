//! The books over random histories: what came in is on debts, waits or went back; what is owed fell by just
//! that.

use super::plans::{agreed, drawn, signed};
use super::receipts::{back, page, receipt, share, step, taken};
use super::scene::*;
use domain::entity::{Debt, Payment, PlanState, PromiseState, Receipt};
use domain::ids::PaymentId;
use domain::money::Currency;
use domain::ports::StoreError;
use domain::ports::store::{ListFilter, PromiseTerms};
use domain::rules::promise::outcome;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What the books of a scene say, and what they must.
async fn audit(store: &Subject, before: &[Debt], receipts: &[Receipt], seed: u64) {
    let mut on_debts = 0;
    for was in before {
        let now = store.get_debt(was.id).await.expect("debt");
        let file = store.debtor_file(was.debtor_id).await.expect("file");
        let ids: Vec<PaymentId> = file.payments.iter().map(|p| p.id).collect();
        let parts = store.parts_of(&ids).await.expect("parts");
        assert_eq!(
            parts.len(),
            ids.len(),
            "seed {seed}: each payment has its parts"
        );
        for payment in &file.payments {
            let own = parts
                .iter()
                .find(|p| p.payment_id == payment.id)
                .expect("its parts");
            assert_eq!(own.parts.sum(), payment.amount.amount_minor, "seed {seed}");
        }
        let of: Vec<_> = parts.iter().filter(|p| p.debt_id == was.id).collect();
        let sum: i64 = of
            .iter()
            .map(|p| p.parts.sum() - p.parts.excess_minor)
            .sum();
        let forgiven = store.forgiven_of(was.id).await.expect("forgiven");
        let off: i64 = forgiven.iter().map(|f| f.parts.sum()).sum();
        assert_eq!(
            now.balance_minor() + sum + off,
            was.balance_minor(),
            "seed {seed}: what is owed"
        );
        plan_and_promises(store, was, off, &file.payments, seed).await;
        assert!(
            now.balance_minor() >= 0 && now.overdue_minor >= 0,
            "seed {seed}"
        );
        let of_receipts = of.iter().filter(|p| p.receipt_id.is_some());
        on_debts += of_receipts.map(|p| p.parts.sum()).sum::<i64>();
    }
    let mut came = 0;
    for receipt in receipts {
        let row = store.get_receipt(receipt.id).await.expect("receipt");
        let rows = store.payments_of_receipt(row.id).await.expect("payments");
        let spent: i64 = rows.iter().map(|p| p.amount.amount_minor).sum();
        let whole = spent + row.left_minor + row.returned_minor;
        assert_eq!(whole, row.amount.amount_minor, "seed {seed}: receipt");
        if row.amount.currency == mxn() {
            came += spent;
        }
    }
    assert_eq!(
        came, on_debts,
        "seed {seed}: what receipts gave is what debts got"
    );
}

/// A quita stands once while its plan is paid as agreed, and never beside one that runs; a promise stands as
/// the money dated in it says.
async fn plan_and_promises(
    store: &Subject,
    debt: &Debt,
    off: i64,
    payments: &[Payment],
    seed: u64,
) {
    let plans = store.plans_of(debt.debtor_id).await.expect("plans");
    for file in plans.iter().filter(|f| f.plan.debt_id == debt.id) {
        let most = match file.plan.state {
            PlanState::Completed => file.plan.quita_minor,
            _ => 0,
        };
        assert!(
            (0..=most).contains(&off),
            "seed {seed}: {off} forgiven, at most {most}"
        );
    }
    let filter = ListFilter {
        debtor_id: Some(debt.debtor_id),
        ..ListFilter::default()
    };
    let promises = store.list_promises(&filter, &page(500, None)).await;
    for promise in promises.expect("promises").items {
        if promise.debt_id != debt.id {
            continue;
        }
        let paid = payments.iter().filter(|p| p.debt_id == debt.id);
        let paid: i64 = paid.map(|p| p.amount.amount_minor).sum();
        let says = |over| outcome(promise.amount.amount_minor, paid, over) == promise.state;
        let stands = match promise.state {
            PromiseState::Replaced => true,
            PromiseState::Active => says(false),
            _ => says(true),
        };
        assert!(stands, "seed {seed}: {promise:?} with {paid} paid");
    }
}

/// Each debt with a plan that forgives a fifth of it, or a promise.
async fn agreements(store: &Subject, people: &[Person]) {
    for (n, person) in people.iter().enumerate() {
        if n % 2 == 0 {
            let file = agreed(person, person.debt.balance_minor() / 5);
            drawn(store, &file).await.expect("kept");
            signed(store, &file).await;
        }
        promise(store, person).await;
    }
}

/// A promise on his debt, when it has none.
async fn promise(store: &Subject, person: &Person) {
    let terms = PromiseTerms {
        min_minor: 1,
        max_minor: i64::MAX,
    };
    let draft = person.promise(30_000);
    let made = store.record_promise(&draft, terms, &[]).await;
    let _other_lives = made.expect("promise");
}

fn any_currency(rng: &mut ChaCha8Rng) -> Currency {
    let code = if rng.random_range(0..8) == 0 {
        "COP"
    } else {
        "MXN"
    };
    code.parse().expect("a currency")
}

/// Three people with two debts each; each debt with whom it is of.
async fn six_debts(store: &Subject, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<Person> {
    let mut people = Vec::new();
    for _ in 0..3 {
        let person = scene.person(store).await;
        let second = scene.draft_debt(person.debtor.id, rng.random_range(50_000..90_000));
        store.put_debt(&second, &[]).await.expect("debt");
        let other = Person {
            debt: second,
            ..person.clone()
        };
        people.extend([person, other]);
    }
    people
}

/// Takes a part of what a receipt was spread over last off again.
async fn taken_off(store: &Subject, row: &Receipt, rng: &mut ChaCha8Rng) {
    let made = store.payments_of_receipt(row.id).await.expect("payments");
    let Some(first) = made.iter().rfind(|p| p.reverses.is_none()) else {
        return;
    };
    let minor = rng.random_range(1..=first.amount.amount_minor);
    let done = step(store, row.id, None, &[back(first, minor)], 0).await;
    assert!(
        matches!(done, Ok(_) | Err(StoreError::Conflict(_))),
        "{done:?}"
    );
}

/// One of the payments goes back, in part or whole; what it no longer has is refused.
async fn sent_back(store: &Subject, plain: &[Payment], rng: &mut ChaCha8Rng) {
    let first = &plain[rng.random_range(0..plain.len())];
    let minor = rng.random_range(1..=first.amount.amount_minor);
    let done = store
        .post_payment(&back(first, minor), &[], &of_promise)
        .await;
    assert!(
        matches!(done, Ok(_) | Err(StoreError::Conflict(_))),
        "{done:?}"
    );
}

/// A random history: receipts of any size and currency, matched to anybody, over-paid, returned, put wrong and
/// taken off, payments without a receipt, reversals in any order, all of it also twice; on debts with plans that
/// forgive a part and with promises.
pub(super) async fn balance(store: &Subject, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scene = Scene::new(store).await;
    let people = six_debts(store, &scene, &mut rng).await;
    agreements(store, &people).await;
    let debts: Vec<Debt> = people.iter().map(|p| p.debt.clone()).collect();
    let mut receipts: Vec<Receipt> = Vec::new();
    let mut plain: Vec<Payment> = Vec::new();
    for _ in 0..60 {
        let debt = debts[rng.random_range(0..debts.len())].clone();
        match rng.random_range(0..7) {
            6 => promise(store, &people[rng.random_range(0..people.len())]).await,
            0 => {
                let mut row = receipt(&scene, rng.random_range(1..90_000));
                row.amount.currency = any_currency(&mut rng);
                taken(store, &row).await;
                let (_, again) = store.take_receipt(&row, &[]).await.expect("again");
                assert!(again);
                receipts.push(row);
            }
            1 | 2 if !receipts.is_empty() => {
                let row = &receipts[rng.random_range(0..receipts.len())];
                let own = debts.iter().filter(|d| d.debtor_id == debt.debtor_id);
                let shares: Vec<Payment> = own
                    .map(|of| share(row, of, rng.random_range(1..40_000)))
                    .collect();
                let returned = if rng.random_bool(0.2) { 10 } else { 0 };
                // What does not fit is refused whole; the audit below sees that it changed nothing.
                let done = step(store, row.id, Some(debt.debtor_id), &shares, returned).await;
                assert!(
                    matches!(done, Ok(_) | Err(StoreError::Conflict(_))),
                    "{done:?}"
                );
            }
            3 if !receipts.is_empty() => {
                let row = &receipts[rng.random_range(0..receipts.len())];
                taken_off(store, row, &mut rng).await;
            }
            4 => {
                let mut payment = share(&receipt(&scene, 1), &debt, rng.random_range(1..70_000));
                payment.amount.currency = any_currency(&mut rng);
                let done = store.post_payment(&payment, &[], &of_promise).await;
                if done.is_ok() {
                    let again = store.post_payment(&payment, &[], &of_promise).await;
                    assert!(again.expect("again").repeated);
                    plain.push(payment);
                }
            }
            _ if !plain.is_empty() => sent_back(store, &plain, &mut rng).await,
            _ => {}
        }
    }
    // A promise that was made after its money is judged by the next.
    for person in &people {
        let last = store
            .post_payment(&person.payment(1), &[], &of_promise)
            .await;
        last.expect("posted");
    }
    audit(store, &debts, &receipts, seed).await;
}
