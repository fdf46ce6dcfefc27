//! The books over random histories: what came in is on debts, waits or went back; what is owed fell by just
//! that.

use super::receipts::{back, receipt, share, step, taken};
use super::scene::*;
use domain::entity::{Debt, Payment, Receipt};
use domain::ids::PaymentId;
use domain::money::Currency;
use domain::ports::StoreError;
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
        assert_eq!(
            now.balance_minor() + sum,
            was.balance_minor(),
            "seed {seed}: what is owed"
        );
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

fn any_currency(rng: &mut ChaCha8Rng) -> Currency {
    let code = if rng.random_range(0..8) == 0 {
        "COP"
    } else {
        "MXN"
    };
    code.parse().expect("a currency")
}

/// Three people with two debts each.
async fn six_debts(store: &Subject, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<Debt> {
    let mut debts = Vec::new();
    for _ in 0..3 {
        let person = scene.person(store).await;
        let second = scene.draft_debt(person.debtor.id, rng.random_range(50_000..90_000));
        store.put_debt(&second, &[]).await.expect("debt");
        debts.extend([person.debt, second]);
    }
    debts
}

/// A random history: receipts of any size and currency, matched to anybody, over-paid, returned, put wrong and
/// taken off, payments without a receipt, reversals in any order, all of it also twice.
pub(super) async fn balance(store: &Subject, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scene = Scene::new(store).await;
    let debts = six_debts(store, &scene, &mut rng).await;
    let mut receipts: Vec<Receipt> = Vec::new();
    let mut plain: Vec<Payment> = Vec::new();
    for _ in 0..60 {
        let debt = debts[rng.random_range(0..debts.len())].clone();
        match rng.random_range(0..6) {
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
                let made = store.payments_of_receipt(row.id).await.expect("payments");
                let firsts: Vec<&Payment> = made.iter().filter(|p| p.reverses.is_none()).collect();
                if let Some(first) = firsts.last() {
                    let minor = rng.random_range(1..=first.amount.amount_minor);
                    let done = step(store, row.id, None, &[back(first, minor)], 0).await;
                    assert!(
                        matches!(done, Ok(_) | Err(StoreError::Conflict(_))),
                        "{done:?}"
                    );
                }
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
            _ if !plain.is_empty() => {
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
            _ => {}
        }
    }
    audit(store, &debts, &receipts, seed).await;
}
