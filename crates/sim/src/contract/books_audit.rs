//! What the books must say after any history.

use super::receipts::page;
use super::scene::*;
use domain::entity::{Debt, Payment, PlanState, PromiseState, Receipt};
use domain::ids::PaymentId;
use domain::ports::store::{ListFilter, PaymentFilter};
use domain::rules::promise::outcome;

/// Every payment on a debt, whoever's file it is in by now.
async fn payments_on(store: &Subject, debt: &Debt) -> Vec<Payment> {
    let filter = PaymentFilter {
        debt_id: Some(debt.id),
        ..PaymentFilter::default()
    };
    let found = store.payments_page(&filter, &page(500, None)).await;
    let found = found.expect("payments");
    assert_eq!(found.next_cursor, None, "all of them");
    found.items
}

/// What is owed is what was owed, with what a rule of interest put there, less what money and plans took: the
/// parts of each payment are its amount. Gives what receipts have on the debt.
async fn debt(store: &Subject, was: &Debt, seed: u64) -> i64 {
    let now = store.get_debt(was.id).await.expect("debt");
    let payments = payments_on(store, was).await;
    let ids: Vec<PaymentId> = payments.iter().map(|p| p.id).collect();
    let parts = store.parts_of(&ids).await.expect("parts");
    assert_eq!(
        parts.len(),
        ids.len(),
        "seed {seed}: each payment has its parts"
    );
    for payment in &payments {
        assert_eq!(payment.debtor_id, now.debtor_id, "seed {seed}: one file");
        let own = parts.iter().find(|p| p.payment_id == payment.id);
        let own = own.expect("its parts");
        assert_eq!(own.parts.sum(), payment.amount.amount_minor, "seed {seed}");
    }
    let sum: i64 = parts
        .iter()
        .map(|p| p.parts.sum() - p.parts.excess_minor)
        .sum();
    let forgiven = store.forgiven_of(was.id).await.expect("forgiven");
    let off: i64 = forgiven.iter().map(|f| f.parts.sum()).sum();
    let accruals = store.accruals_of(&[was.id]).await.expect("accruals");
    let booked: i64 = accruals.iter().map(|a| a.booked_minor).sum();
    assert_eq!(
        now.balance_minor() + sum + off,
        was.balance_minor() + booked,
        "seed {seed}: what is owed, {now:?}"
    );
    assert!(
        now.balance_minor() >= 0 && now.overdue_minor >= 0,
        "seed {seed}: {now:?}"
    );
    plan(store, &now, off, seed).await;
    promises(store, was, &payments, seed).await;
    let of_receipts = parts.iter().filter(|p| p.receipt_id.is_some());
    of_receipts.map(|p| p.parts.sum()).sum()
}

/// A quita stands once while its plan is paid as agreed, and never beside one that runs.
async fn plan(store: &Subject, debt: &Debt, off: i64, seed: u64) {
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
}

/// A promise stands as the money dated in it says; all of the history is.
async fn promises(store: &Subject, debt: &Debt, payments: &[Payment], seed: u64) {
    let filter = ListFilter {
        debt_id: Some(debt.id),
        ..ListFilter::default()
    };
    let promises = store.list_promises(&filter, &page(500, None)).await;
    let paid: i64 = payments.iter().map(|p| p.amount.amount_minor).sum();
    for promise in promises.expect("promises").items {
        let says = |over| outcome(promise.amount.amount_minor, paid, over) == promise.state;
        let stands = match promise.state {
            PromiseState::Replaced => true,
            PromiseState::Active => says(false),
            _ => says(true),
        };
        assert!(stands, "seed {seed}: {promise:?} with {paid} paid");
    }
}

/// What the books of a scene say, and what they must.
pub(super) async fn audit(store: &Subject, before: &[Debt], receipts: &[Receipt], seed: u64) {
    let mut on_debts = 0;
    for was in before {
        on_debts += debt(store, was, seed).await;
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
