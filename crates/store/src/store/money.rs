//! Promises and payments.

use super::SqlStore;
use super::claims;
use super::due_items;
use super::events::append;
use super::interest;
use super::items::lock_person_of;
use super::judged::{broken_first, grace_over, judge};
use super::plans_paid::paid;
use super::sums::{money, refresh};
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{
    Debt, DebtStatus, Hold, HoldKind, MoneyPolicy, PartOrder, Parts, Payment, PaymentParts,
    Promise, PromiseState,
};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, PaymentId, ReceiptId};
use domain::ports::StoreError;
use domain::ports::store::{
    CALLBACK_CANCELLED, CALLBACK_PRIORITY, MoneyStore, PaymentOutcome, PromiseRefusal, PromiseTerms,
};
use domain::rules::allocation;
use domain::time::UtcMs;

/// Why words that stand at other money are refused.
const OTHER_MONEY: &str = "other money was posted under these words";

/// What a payment that is taken back still has on its debt: its own parts and those of reversals before.
async fn there(tx: &mut Link, first: PaymentId) -> Result<Option<Parts>, StoreError> {
    let rest = "WHERE payment_id=$1 OR reverses=$1 ORDER BY payment_id";
    let rows: Vec<PaymentParts> = tx.all(rest, vals![first]).await?;
    if rows.iter().all(|r| r.payment_id != first) {
        return Ok(None);
    }
    let sum = |sum: Parts, row: &PaymentParts| sum.plus(&row.parts);
    Ok(Some(rows.iter().fold(Parts::default(), sum)))
}

/// What `payment` does to its debt; the due date follows to the oldest item that is not paid.
async fn apply(tx: &mut Link, debt: &mut Debt, payment: &Payment) -> Result<Parts, StoreError> {
    let parts = moved(tx, debt, payment).await?;
    due_items::follow(tx, debt).await?;
    Ok(parts)
}

/// The parts of `payment`, by its client's order; a reversal gives back what was taken, last taken first. Money
/// whose parts nobody noted goes back to principal.
async fn moved(tx: &mut Link, debt: &mut Debt, payment: &Payment) -> Result<Parts, StoreError> {
    let minor = payment.amount.amount_minor;
    // Money lowers what was owed on its day; money taken back bears interest from the day it is missed.
    let at = match minor >= 0 {
        true => payment.paid_at.min(payment.posted_at),
        false => payment.posted_at,
    };
    interest::book(tx, debt, at).await?;
    debt.updated_at = payment.posted_at;
    if minor >= 0 {
        let policy: Option<MoneyPolicy> = tx
            .find("WHERE client_id=$1", vals![payment.client_id])
            .await?;
        let order = policy.map_or(PartOrder::FeesFirst, |p| p.parts);
        return Ok(allocation::take(debt, minor, order));
    }
    let there = match payment.reverses {
        Some(first) => there(tx, first).await?,
        None => None,
    };
    let Some(there) = there else {
        return Ok(allocation::give_back(
            debt,
            &allocation::whole(minor),
            -minor,
        ));
    };
    if there.sum() < -minor {
        let text = "a payment cannot be taken back beyond its amount";
        return Err(StoreError::Conflict(text.into()));
    }
    Ok(allocation::give_back(debt, &there, -minor))
}

/// Payments on a debt whose figures were set back to before they came: their parts are found anew.
pub(super) async fn replay(
    tx: &mut Link,
    debt: &mut Debt,
    payments: &[Payment],
) -> Result<(), StoreError> {
    let ids: Vec<PaymentId> = payments.iter().map(|p| p.id).collect();
    let known: Vec<PaymentParts> = tx.all_in("payment_id", &ids, "", &[]).await?;
    tx.run_in("DELETE FROM payment_parts WHERE payment_id", &ids, "", &[])
        .await?;
    for payment in payments {
        let parts = apply(tx, debt, payment).await?;
        let before = known.iter().find(|k| k.payment_id == payment.id);
        let row = PaymentParts {
            payment_id: payment.id,
            debt_id: debt.id,
            reverses: payment.reverses,
            receipt_id: before.and_then(|k| k.receipt_id),
            parts,
        };
        tx.insert(std::slice::from_ref(&row), "").await?;
    }
    Ok(())
}

/// A paid debt is held; a debtor with nothing open leaves every campaign.
async fn silence_paid(tx: &mut Link, payment: &Payment) -> Result<(), StoreError> {
    tx.put(&Hold::of_payment(payment)).await?;
    let sql = "UPDATE campaign_items SET done=TRUE, note='paid' WHERE debtor_id=$1 \
        AND NOT done AND NOT EXISTS (SELECT 1 FROM debts WHERE debtor_id=$1 AND status='open')";
    tx.run(sql, vals![payment.debtor_id]).await.map(drop)
}

/// Money came before an agreed call-back was made: whoever still owes waits for his turn again.
async fn end_callbacks(tx: &mut Link, payment: &Payment) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET priority=0, note=$3 WHERE debtor_id=$1 AND NOT done \
        AND priority>=$2 AND note LIKE 'callback%'";
    let cancelled = CALLBACK_CANCELLED.to_owned();
    let values = vals![payment.debtor_id, CALLBACK_PRIORITY, cancelled];
    tx.run(sql, values).await.map(drop)
}

/// The money came back: the debt's paid hold is lifted, and who left for it is in his campaigns again.
async fn unsilence(tx: &mut Link, payment: &Payment) -> Result<(), StoreError> {
    let sql = "UPDATE holds SET lifted_at=$2 WHERE debt_id=$1 AND kind=$3 AND lifted_at IS NULL";
    let values = vals![payment.debt_id, payment.posted_at, HoldKind::Paid];
    tx.run(sql, values).await?;
    let sql = "UPDATE campaign_items SET done=FALSE, note='reversed', \
        next_at=CASE WHEN next_at>$2 THEN next_at ELSE $2 END \
        WHERE debtor_id=$1 AND done AND note='paid' \
        AND EXISTS (SELECT 1 FROM debts WHERE debtor_id=$1 AND status='open')";
    let values = vals![payment.debtor_id, payment.posted_at];
    tx.run(sql, values).await.map(drop)
}

/// Records a promise: one active a debt, inside its terms; while it lives the debt is silent.
pub(super) async fn promised(
    tx: &mut Link,
    promise: &Promise,
    terms: PromiseTerms,
) -> Result<Result<(), PromiseRefusal>, StoreError> {
    let amount = promise.amount.amount_minor;
    if amount < terms.min_minor || amount > terms.max_minor {
        return Ok(Err(PromiseRefusal::Amount));
    }
    lock_person_of(tx, promise.debtor_id).await?;
    let rest = "WHERE debt_id=$1 AND state='active'";
    if let Some(active) = tx.find::<Promise>(rest, vals![promise.debt_id]).await? {
        return Ok(Err(PromiseRefusal::Active(active.id)));
    }
    tx.insert(std::slice::from_ref(promise), "").await?;
    tx.put(&Hold::of_promise(promise)).await?;
    money(tx, &[promise.debtor_id]).await?;
    Ok(Ok(()))
}

/// Whether `payment` is `first` come again: a reversal never repeats the payment that it takes back, and other
/// money is never a repeat.
fn repeats(payment: &Payment, first: &Payment) -> bool {
    payment.reverses == first.reverses && payment.amount == first.amount
}

/// The first payment under a reference that comes again, with what is left of its debt.
async fn posted_before(
    tx: &mut Link,
    payment: &Payment,
) -> Result<Option<PaymentOutcome>, StoreError> {
    let rest = "WHERE client_id=$1 AND reference=$2";
    let values = vals![payment.client_id, payment.reference];
    let Some(first) = tx.find::<Payment>(rest, values).await? else {
        return Ok(None);
    };
    if !repeats(payment, &first) {
        return Err(StoreError::Conflict(OTHER_MONEY.into()));
    }
    let debt: Debt = tx.get(first.debt_id).await?;
    Ok(Some(PaymentOutcome {
        balance_minor: debt.balance_minor(),
        debt_paid: debt.status == DebtStatus::Paid,
        payment: first,
        repeated: true,
        promises: vec![],
    }))
}

/// A debt that nobody else changes until the end of the transaction; its person is locked before.
pub(super) async fn locked_debt(tx: &mut Link, id: DebtId) -> Result<Debt, StoreError> {
    let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR UPDATE"));
    let found = tx.find(&rest, vals![id]).await?;
    found.ok_or(StoreError::NotFound("debt"))
}

/// Puts one payment on its debt, with what follows from it; the debtor's person is locked already.
pub(super) async fn post_on(
    tx: &mut Link,
    payment: &Payment,
    receipt: Option<ReceiptId>,
) -> Result<PaymentOutcome, StoreError> {
    let mut debt = locked_debt(tx, payment.debt_id).await?;
    if debt.currency != payment.amount.currency {
        return Err(StoreError::Conflict(
            "payment and debt currencies differ".into(),
        ));
    }
    let parts = apply(tx, &mut debt, payment).await?;
    if receipt.is_some() && parts.excess_minor > 0 {
        return Err(StoreError::Conflict(
            "the debt owes less than its share".into(),
        ));
    }
    tx.insert(std::slice::from_ref(payment), "").await?;
    let parts = PaymentParts {
        payment_id: payment.id,
        debt_id: payment.debt_id,
        reverses: payment.reverses,
        receipt_id: receipt,
        parts,
    };
    tx.insert(std::slice::from_ref(&parts), "").await?;
    tx.put(&debt).await?;
    let promises = judge(tx, payment).await?;
    let followed = paid(tx, &mut debt, payment.id.0, payment.posted_at).await?;
    append(tx, &followed).await?;
    let debt_paid = debt.status == DebtStatus::Paid;
    if debt_paid {
        silence_paid(tx, payment).await?;
    } else if payment.amount.amount_minor < 0 {
        unsilence(tx, payment).await?;
    }
    if payment.amount.amount_minor > 0 {
        end_callbacks(tx, payment).await?;
        claims::found(tx, payment).await?;
    } else {
        claims::lost(tx, payment).await?;
    }
    for broken in promises.iter().filter(|p| p.state == PromiseState::Broken) {
        broken_first(tx, broken.debtor_id, payment.posted_at).await?;
    }
    Ok(PaymentOutcome {
        payment: payment.clone(),
        repeated: false,
        promises,
        balance_minor: debt.balance_minor(),
        debt_paid,
    })
}

impl SqlStore {
    async fn post_once(
        &self,
        payment: &Payment,
        events: &[NewEvent],
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<PaymentOutcome, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, payment.debtor_id).await?;
        if let Some(before) = posted_before(&mut tx, payment).await? {
            return Ok(before);
        }
        let outcome = post_on(&mut tx, payment, None).await?;
        refresh(&mut tx, &[payment.debtor_id]).await?;
        money(&mut tx, &[payment.debtor_id]).await?;
        let events: Vec<NewEvent> = events
            .iter()
            .cloned()
            .chain(outcome.promises.iter().map(told))
            .collect();
        append(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(outcome)
    }
}

#[async_trait]
impl MoneyStore for SqlStore {
    async fn record_promise(
        &self,
        promise: &Promise,
        terms: PromiseTerms,
        events: &[NewEvent],
    ) -> Result<Result<(), PromiseRefusal>, StoreError> {
        let mut tx = self.write().await?;
        if let Err(refused) = promised(&mut tx, promise, terms).await? {
            return Ok(Err(refused));
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    async fn post_payment(
        &self,
        payment: &Payment,
        events: &[NewEvent],
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<PaymentOutcome, StoreError> {
        match self.post_once(payment, events, told).await {
            // The same reference for another debt was posted in this very moment: it is the first one.
            Err(StoreError::Conflict(text)) if text.contains("reference") => {
                let before = posted_before(&mut self.read().await?, payment).await?;
                before.ok_or(StoreError::Conflict(text))
            }
            other => other,
        }
    }

    async fn sweep_promises(
        &self,
        now: UtcMs,
        limit: u32,
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Promise>, StoreError> {
        let rest = "WHERE state='active' AND grace_until<=$1 ORDER BY grace_until, id LIMIT $2";
        let due: Vec<Promise> = self.read().await?.all(rest, vals![now, limit]).await?;
        let mut closed = Vec::with_capacity(due.len());
        for promise in due {
            let mut tx = self.write().await?;
            // The person first, as whoever posts money: what is being posted now is waited for, and counts.
            lock_person_of(&mut tx, promise.debtor_id).await?;
            let Some(promise) = grace_over(&mut tx, promise.id, now).await? else {
                continue;
            };
            money(&mut tx, &[promise.debtor_id]).await?;
            append(&mut tx, &[told(&promise)]).await?;
            tx.commit().await?;
            closed.push(promise);
        }
        Ok(closed)
    }

    async fn replace_debt(
        &self,
        was: &Debt,
        row: &Debt,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        interest::replace(&mut tx, was, row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn active_promises(&self, debtor: DebtorId) -> Result<Vec<Promise>, StoreError> {
        let rest = "WHERE debtor_id=$1 AND state='active' ORDER BY id";
        self.read().await?.all(rest, vals![debtor]).await
    }
}
