//! Promises and payments.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Debt, DebtStatus, Hold, HoldKind, PartOrder, Parts, Payment, PaymentParts, Promise,
    PromiseState,
};
use domain::event::NewEvent;
use domain::ids::{DebtorId, PaymentId, ReceiptId};
use domain::ports::store::{
    CALLBACK_CANCELLED, CallbackRow, ItemState, LEFT_SEGMENT, MoneyStore, PaymentOutcome,
    PromiseRefusal, PromiseTerms, StoreError,
};
use domain::rules::allocation;
use domain::rules::promise::{judged, outcome};
use domain::time::{DAY_MS, UtcMs};

/// When money counts: a reversal is dated by what it takes back.
pub(super) fn dated(t: &Tables, payment: &Payment) -> UtcMs {
    let first = payment.reverses.and_then(|first| t.payments.get(&first));
    first.map_or(payment.paid_at, |first| first.paid_at)
}

/// Whether money counts since an instant. A day without its hour is kept as noon UTC: it counts when it was
/// posted later and is not the day before.
pub(super) fn counts(t: &Tables, payment: &Payment, since: UtcMs) -> bool {
    let first = payment.reverses.and_then(|first| t.payments.get(&first));
    let posted_at = first.map_or(payment.posted_at, |first| first.posted_at);
    let at = dated(t, payment);
    let day = at.0 % DAY_MS == DAY_MS / 2 && at >= since.plus_ms(-DAY_MS * 3 / 4);
    at >= since || (day && posted_at >= since)
}

/// Money dated within the promise, `[made, grace end)`.
fn paid_within(t: &Tables, promise: &Promise) -> i64 {
    t.payments
        .values()
        .filter(|p| p.debt_id == promise.debt_id)
        .filter(|p| counts(t, p, promise.made_at) && dated(t, p) < promise.grace_until)
        .map(|p| p.amount.amount_minor)
        .sum()
}

fn lift_promise_hold(t: &mut Tables, promise: &Promise, now: UtcMs) {
    if let Some(hold) = t
        .holds
        .get_mut(&Hold::id_of(promise.id.0, HoldKind::Promise))
    {
        hold.lifted_at = Some(now);
    }
}

#[async_trait]
impl MoneyStore for MemoryStore {
    async fn record_promise(
        &self,
        promise: &Promise,
        terms: PromiseTerms,
        events: &[NewEvent],
    ) -> Result<Result<(), PromiseRefusal>, StoreError> {
        let mut t = self.tx().await?;
        let done = promised(&mut t, promise, terms);
        if done.is_ok() {
            t.append(events);
        }
        Ok(done)
    }

    async fn post_payment(
        &self,
        payment: &Payment,
        events: &[NewEvent],
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<PaymentOutcome, StoreError> {
        let mut t = self.tx().await?;
        let before = t
            .payments
            .values()
            .find(|p| p.client_id == payment.client_id && p.reference == payment.reference)
            .cloned();
        if let Some(first) = before {
            let same = payment.reverses == first.reverses && payment.amount == first.amount;
            if !same {
                let text = "other money was posted under these words";
                return Err(StoreError::Conflict(text.to_owned()));
            }
            let debt = t
                .debts
                .get(&first.debt_id)
                .ok_or(StoreError::NotFound("debt"))?;
            return Ok(PaymentOutcome {
                balance_minor: debt.balance_minor(),
                debt_paid: debt.status == DebtStatus::Paid,
                payment: first,
                repeated: true,
                promises: Vec::new(),
            });
        }
        let outcome = post_on(&mut t, payment, None)?;
        t.append(events);
        let told: Vec<NewEvent> = outcome.promises.iter().map(told).collect();
        t.append(&told);
        Ok(outcome)
    }

    async fn sweep_promises(
        &self,
        now: UtcMs,
        limit: u32,
        told: &(dyn for<'a> Fn(&'a Promise) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Promise>, StoreError> {
        let mut t = self.tx().await?;
        let due: Vec<Promise> = t
            .promises
            .values()
            .filter(|p| p.state == PromiseState::Active && p.grace_until <= now)
            .take(limit as usize)
            .cloned()
            .collect();
        let mut closed = Vec::new();
        for mut promise in due {
            let paid = paid_within(&t, &promise);
            promise.state = outcome(promise.amount.amount_minor, paid, true);
            promise.closed_at = Some(now);
            t.promises.insert(promise.id, promise.clone());
            lift_promise_hold(&mut t, &promise, now);
            if promise.state == PromiseState::Broken {
                broken_first(&mut t, promise.debtor_id, now);
            }
            closed.push(promise);
        }
        let told: Vec<NewEvent> = closed.iter().map(told).collect();
        t.append(&told);
        Ok(closed)
    }

    async fn replace_debt(
        &self,
        was: &Debt,
        row: &Debt,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        let stored = t.debts.get(&was.id).ok_or(StoreError::NotFound("debt"))?;
        if stored != was || row.id != was.id {
            return Err(StoreError::Conflict(
                "the debt was changed meanwhile".into(),
            ));
        }
        super::catalog::put_debt(&mut t, row)?;
        t.append(events);
        Ok(())
    }

    async fn active_promises(&self, debtor: DebtorId) -> Result<Vec<Promise>, StoreError> {
        let t = self.tx().await?;
        Ok(t.promises
            .values()
            .filter(|p| p.debtor_id == debtor && p.state == PromiseState::Active)
            .cloned()
            .collect())
    }
}

/// Records a promise: one active a debt, inside its terms.
pub(crate) fn promised(
    t: &mut Tables,
    promise: &Promise,
    terms: PromiseTerms,
) -> Result<(), PromiseRefusal> {
    let amount = promise.amount.amount_minor;
    if amount < terms.min_minor || amount > terms.max_minor {
        return Err(PromiseRefusal::Amount);
    }
    let active = t
        .promises
        .values()
        .find(|p| p.debt_id == promise.debt_id && p.state == PromiseState::Active);
    if let Some(active) = active {
        return Err(PromiseRefusal::Active(active.id));
    }
    t.promises.insert(promise.id, promise.clone());
    let hold = Hold::of_promise(promise);
    t.holds.insert(hold.id, hold);
    Ok(())
}

/// Puts one payment on its debt, with what follows from it.
pub(super) fn post_on(
    t: &mut Tables,
    payment: &Payment,
    receipt: Option<ReceiptId>,
) -> Result<PaymentOutcome, StoreError> {
    let (parts, balance_minor, debt_paid) = apply_to_debt(t, payment, receipt.is_some())?;
    t.payments.insert(payment.id, payment.clone());
    let parts = PaymentParts {
        payment_id: payment.id,
        debt_id: payment.debt_id,
        reverses: payment.reverses,
        receipt_id: receipt,
        parts,
    };
    t.money.parts.insert(payment.id, parts);
    let promises = judge(t, payment);
    super::plans::paid(t, payment.debt_id, payment.id, payment.posted_at);
    let (balance_minor, debt_paid) = match t.debts.get(&payment.debt_id) {
        Some(debt) => (debt.balance_minor(), debt.status == DebtStatus::Paid),
        None => (balance_minor, debt_paid),
    };
    if debt_paid {
        silence_paid(t, payment);
    } else if payment.amount.amount_minor < 0 {
        unsilence(t, payment);
    }
    if payment.amount.amount_minor > 0 {
        end_callbacks(t, payment);
        super::claims::found(t, payment);
    } else {
        super::claims::lost(t, payment);
    }
    for broken in promises.iter().filter(|p| p.state == PromiseState::Broken) {
        broken_first(t, broken.debtor_id, payment.posted_at);
    }
    Ok(PaymentOutcome {
        payment: payment.clone(),
        repeated: false,
        promises,
        balance_minor,
        debt_paid,
    })
}

/// What a payment that is taken back still has on its debt: its own parts and those of reversals before.
fn there(t: &Tables, first: PaymentId) -> Option<Parts> {
    t.money.parts.get(&first)?;
    let of = |p: &&PaymentParts| p.payment_id == first || p.reverses == Some(first);
    let rows = t.money.parts.values().filter(of);
    Some(rows.fold(Parts::default(), |sum, row| sum.plus(&row.parts)))
}

/// By the client's order of parts; a reversal gives back what was taken, last taken first. Money whose parts
/// nobody noted goes back to principal. A share of a receipt is never more than is owed.
fn apply_to_debt(
    t: &mut Tables,
    payment: &Payment,
    share: bool,
) -> Result<(Parts, i64, bool), StoreError> {
    let minor = payment.amount.amount_minor;
    let order = t.money.policies.get(&payment.client_id);
    let order = order.map_or(PartOrder::FeesFirst, |p| p.parts);
    let there = payment.reverses.and_then(|first| there(t, first));
    // Money lowers what was owed on its day; money taken back bears interest from the day it is missed.
    let at = match minor >= 0 {
        true => payment.paid_at.min(payment.posted_at),
        false => payment.posted_at,
    };
    super::interest::book(t, payment.debt_id, at);
    let debt = t
        .debts
        .get_mut(&payment.debt_id)
        .ok_or(StoreError::NotFound("debt"))?;
    let refused = |text: &str| Err(StoreError::Conflict(text.to_owned()));
    if debt.currency != payment.amount.currency {
        return refused("payment and debt currencies differ");
    }
    let parts = if minor >= 0 {
        if share && minor > debt.balance_minor() {
            return refused("the debt owes less than its share");
        }
        allocation::take(debt, minor, order)
    } else {
        let there = there.unwrap_or_else(|| allocation::whole(minor));
        if there.sum() < -minor {
            return refused("a payment cannot be taken back beyond its amount");
        }
        allocation::give_back(debt, &there, -minor)
    };
    debt.updated_at = payment.posted_at;
    let (balance_minor, paid) = (debt.balance_minor(), debt.status == DebtStatus::Paid);
    super::due_items::follow(t, payment.debt_id);
    Ok((parts, balance_minor, paid))
}

/// Judges the debt's promises with the money that a payment brought or took; gives those that changed.
fn judge(t: &mut Tables, payment: &Payment) -> Vec<Promise> {
    use PromiseState::{Active, Broken, Kept, KeptPartial};
    let of_debt = |p: &&Promise| {
        p.debt_id == payment.debt_id && matches!(p.state, Active | Kept | KeptPartial | Broken)
    };
    let rows: Vec<Promise> = t.promises.values().filter(of_debt).cloned().collect();
    let mut alive = rows.iter().any(|p| p.state == Active);
    let mut changed = Vec::new();
    for mut promise in rows {
        let paid = paid_within(t, &promise);
        let next = judged(&promise, paid, payment.posted_at, alive);
        if next == promise.state {
            continue;
        }
        promise.state = next;
        if next == Active {
            alive = true;
            promise.closed_at = None;
            let id = Hold::id_of(promise.id.0, HoldKind::Promise);
            if let Some(hold) = t.holds.get_mut(&id) {
                hold.lifted_at = None;
                hold.from = payment.posted_at;
            }
        } else {
            promise.closed_at = Some(payment.posted_at);
            lift_promise_hold(t, &promise, payment.posted_at);
        }
        t.promises.insert(promise.id, promise.clone());
        changed.push(promise);
    }
    changed
}

/// The debtor of a broken promise leads the queue, also where he comes back into it.
fn broken_first(t: &mut Tables, debtor: DebtorId, now: UtcMs) {
    let in_it = |i: &ItemState| !i.done || i.note == LEFT_SEGMENT;
    let of_him = |i: &&mut ItemState| i.debtor_id == debtor && in_it(i);
    for item in t.items.values_mut().filter(of_him) {
        item.priority = item.priority.max(10);
        item.next_at = now;
    }
}

/// A paid debt is held; a debtor with nothing open leaves every campaign.
fn silence_paid(t: &mut Tables, payment: &Payment) {
    let hold = Hold::of_payment(payment);
    t.holds.insert(hold.id, hold);
    let open = t
        .debts
        .values()
        .any(|d| d.debtor_id == payment.debtor_id && d.status == DebtStatus::Open);
    if !open {
        for item in t
            .items
            .values_mut()
            .filter(|i| i.debtor_id == payment.debtor_id && !i.done)
        {
            item.done = true;
            item.note = "paid".into();
        }
    }
}

/// Money came before an agreed call-back was made: whoever still owes waits for his turn again.
fn end_callbacks(t: &mut Tables, payment: &Payment) {
    let agreed = |i: &&mut ItemState| i.debtor_id == payment.debtor_id && CallbackRow::is_agreed(i);
    for item in t.items.values_mut().filter(agreed) {
        item.priority = 0;
        item.note = CALLBACK_CANCELLED.into();
    }
}

/// The money came back: the debt's paid hold is lifted, and who left for it is in his campaigns again.
fn unsilence(t: &mut Tables, payment: &Payment) {
    let of_debt = |h: &&mut Hold| {
        h.debt_id == Some(payment.debt_id) && h.kind == HoldKind::Paid && h.lifted_at.is_none()
    };
    for hold in t.holds.values_mut().filter(of_debt) {
        hold.lifted_at = Some(payment.posted_at);
    }
    let open = t
        .debts
        .values()
        .any(|d| d.debtor_id == payment.debtor_id && d.status == DebtStatus::Open);
    let left = |i: &&mut ItemState| i.debtor_id == payment.debtor_id && i.done && i.note == "paid";
    for item in t.items.values_mut().filter(left).filter(|_| open) {
        item.done = false;
        item.note = "reversed".into();
        item.next_at = item.next_at.max(payment.posted_at);
    }
}
