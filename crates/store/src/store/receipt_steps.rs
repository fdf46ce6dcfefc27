//! Steps of receipts: onto debts, off them again, back to their sender.

use super::SqlStore;
use super::events::append;
use super::items::lock_persons_of;
use super::money::post_on;
use super::receipts::conflict;
use super::sums::{money, refresh};
use crate::sql::{Link, vals};
use domain::entity::{Debt, Payment, PaymentParts, Receipt};
use domain::event::NewEvent;
use domain::ids::{DebtorId, ReceiptId};
use domain::ports::StoreError;
use domain::ports::store::{ReceiptOutcome, ReceiptStep, SHARES_MAX, TellPromise};

/// A receipt that nobody else changes until the end of the transaction.
async fn locked(tx: &mut Link, id: ReceiptId) -> Result<Receipt, StoreError> {
    let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR UPDATE"));
    tx.find(&rest, vals![id])
        .await?
        .ok_or(StoreError::NotFound("receipt"))
}

/// The payments of a step fit its receipt and its debtor.
async fn fits(tx: &mut Link, row: &Receipt, step: &ReceiptStep<'_>) -> Result<(), StoreError> {
    if step.payments.len() > SHARES_MAX {
        return Err(conflict("too many debts for one receipt"));
    }
    for payment in step.payments {
        let debt: Debt = tx.get(payment.debt_id).await?;
        let own = debt.debtor_id == payment.debtor_id && debt.client_id == row.client_id;
        if !own || payment.client_id != row.client_id {
            return Err(conflict("the debt is not the debtor's"));
        }
        if let Some(first) = payment.reverses {
            let of: Option<PaymentParts> = tx.find("WHERE payment_id=$1", vals![first]).await?;
            if of.is_none_or(|p| p.receipt_id != Some(row.id)) {
                return Err(conflict("the payment is not made of this receipt"));
            }
        } else if step.debtor_id != Some(payment.debtor_id) {
            return Err(conflict("the payment is not the debtor's"));
        }
    }
    Ok(())
}

/// The debtors of payments, each once.
fn debtors_of<'a>(payments: impl Iterator<Item = &'a Payment>) -> Vec<DebtorId> {
    let mut debtors: Vec<DebtorId> = payments.map(|p| p.debtor_id).collect();
    debtors.sort_unstable();
    debtors.dedup();
    debtors
}

/// Steps of several receipts, all or none.
pub(super) async fn steps(
    store: &SqlStore,
    orders: &[ReceiptStep<'_>],
    told: TellPromise<'_>,
) -> Result<Vec<ReceiptOutcome>, StoreError> {
    let mut tx = store.write().await?;
    // Persons before receipts, as everywhere money is posted.
    let payments = orders.iter().flat_map(|o| o.payments);
    lock_persons_of(&mut tx, &debtors_of(payments)).await?;
    let mut done = Vec::with_capacity(orders.len());
    for order in orders {
        done.push(step(&mut tx, order, told).await?);
    }
    tx.commit().await?;
    Ok(done)
}

/// One step; the persons of its payments are locked already.
async fn step(
    tx: &mut Link,
    step: &ReceiptStep<'_>,
    told: TellPromise<'_>,
) -> Result<ReceiptOutcome, StoreError> {
    let debtors = debtors_of(step.payments.iter());
    let mut row = locked(tx, step.receipt).await?;
    fits(tx, &row, step).await?;
    row = domain::rules::allocation::stepped(row, step)
        .ok_or_else(|| conflict("the receipt has less left than that, or more went back"))?;
    let mut payments = Vec::with_capacity(step.payments.len());
    for payment in step.payments {
        payments.push(post_on(tx, payment, Some(row.id)).await?);
    }
    if let Some((provider, event)) = step.word {
        let sql =
            "UPDATE webhook_notes SET done=TRUE WHERE provider=$1 AND event_id=$2 AND NOT done";
        let values = vals![provider.to_owned(), event.to_owned()];
        if tx.run(sql, values).await? == 0 {
            return Err(conflict("the word was carried out meanwhile"));
        }
    }
    tx.put(&row).await?;
    refresh(tx, &debtors).await?;
    money(tx, &debtors).await?;
    let told = payments.iter().flat_map(|p| &p.promises).map(told);
    let events: Vec<NewEvent> = step.events.iter().cloned().chain(told).collect();
    append(tx, &events).await?;
    Ok(ReceiptOutcome {
        receipt: row,
        payments,
    })
}
