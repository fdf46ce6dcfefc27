//! Money as it comes in: taken once, spread over the debts of whom it is from, taken off again when it was
//! put wrong. What it pays stops contact at once.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use crate::stops::{money_moved, posted_event, promise_event};
use domain::entity::{Debt, Instalment, OTHER_AMOUNT, Payment, PlanState, Receipt, ReceiptState};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, PaymentId, ReceiptId};
use domain::money::Money;
use domain::ports::store::{
    ListFilter, PAGE_LIMIT_MAX, PageRequest, PaymentOutcome, ReceiptOutcome, ReceiptStep,
    SHARES_MAX, StoreError,
};
use domain::rules::allocation::{Due, Share, Spread, spread};
use serde_json::json;
use std::sync::Arc;

/// Tries when debts change while money is being spread over them.
const TRIES: usize = 3;

/// From whom money is.
#[derive(Debug, Clone, Default)]
pub struct Payer {
    /// Who, when known.
    pub debtor_id: Option<DebtorId>,
    /// The debt that the money names, when it names one.
    pub debt_id: Option<DebtId>,
    /// How it is to be spread, when a person says so; else by the client's rule.
    pub shares: Option<Vec<Share>>,
}

/// What became of money that came in.
#[derive(Debug, Clone)]
pub struct MoneyTaken {
    /// The receipt.
    pub receipt: Receipt,
    /// What each payment made of it did; of a repeat, nothing.
    pub payments: Vec<PaymentOutcome>,
    /// It was taken in before.
    pub repeated: bool,
}

pub(crate) fn receipt_event(
    shared: &Shared,
    actor: Actor,
    kind: &str,
    receipt: &Receipt,
) -> NewEvent {
    let data = json!({
        "source": receipt.source, "amount_minor": receipt.amount.amount_minor,
        "currency": receipt.amount.currency, "file_id": receipt.file_id,
    });
    let subject = format!("receipt:{}", receipt.id);
    shared.event(Some(receipt.client_id), actor, kind, subject, data)
}

/// Takes money in and, when it is known whose it is, puts it on his debts.
pub(crate) async fn take(
    shared: Arc<Shared>,
    actor: Actor,
    receipt: Receipt,
    payer: Payer,
) -> Result<MoneyTaken, CenterError> {
    let event = receipt_event(&shared, actor, "receipt.taken", &receipt);
    let (receipt, known) = shared.out.store.take_receipt(&receipt, &[event]).await?;
    // A repeat that was cut off between being taken and being posted goes on where it was.
    let fresh = receipt.state == ReceiptState::Unmatched
        && receipt.debtor_id.is_none()
        && receipt.note.is_empty();
    // Its reference stands at another amount: nobody may count it but a person.
    let other = receipt.note == OTHER_AMOUNT;
    if (known && !fresh) || other || payer.debtor_id.is_none() {
        return Ok(MoneyTaken {
            receipt,
            payments: vec![],
            repeated: known,
        });
    }
    let done = post(&shared, actor, receipt, &payer).await?;
    Ok(MoneyTaken {
        receipt: done.receipt,
        payments: done.payments,
        repeated: known && !fresh,
    })
}

/// Puts what is left of a receipt on the debts of a debtor.
pub(crate) async fn matched(
    shared: Arc<Shared>,
    actor: Actor,
    id: ReceiptId,
    payer: Payer,
) -> Result<ReceiptOutcome, CenterError> {
    let receipt = shared.out.store.get_receipt(id).await?;
    if receipt.left_minor == 0 {
        let detail = "all of this money is on debts already: take it off first";
        return Err(CenterError::conflict("receipt_posted", detail));
    }
    post(&shared, actor, receipt, &payer).await
}

async fn debts_of(shared: &Shared, debtor: DebtorId) -> Result<Vec<Debt>, StoreError> {
    let filter = ListFilter {
        debtor_id: Some(debtor),
        ..ListFilter::default()
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    Ok(shared.out.store.list_debts(&filter, &page).await?.items)
}

/// What falls due on his debts: what he promised, and the instalments of plans that run.
async fn dues_of(shared: &Shared, debtor: DebtorId) -> Result<Vec<Due>, StoreError> {
    let store = &shared.out.store;
    let promises = store.active_promises(debtor).await?;
    let mut dues: Vec<Due> = promises
        .iter()
        .map(|p| Due {
            debt_id: p.debt_id,
            date: p.due_date.clone(),
            minor: p.amount.amount_minor,
        })
        .collect();
    for file in store.plans_of(debtor).await? {
        if !matches!(file.plan.state, PlanState::Signed | PlanState::Active) {
            continue;
        }
        let due = |i: &Instalment| Due {
            debt_id: file.plan.debt_id,
            date: i.due_date.clone(),
            minor: i.amount_minor.saturating_sub(i.paid_minor),
        };
        dues.extend(file.instalments.iter().map(due).filter(|d| d.minor > 0));
    }
    Ok(dues)
}

/// Over which debts the money goes, and why a part goes nowhere.
async fn shares_of(
    shared: &Shared,
    receipt: &Receipt,
    debtor: DebtorId,
    payer: &Payer,
) -> Result<(Vec<Share>, &'static str), CenterError> {
    if let Some(shares) = &payer.shares {
        let sum = shares
            .iter()
            .try_fold(0_i64, |sum, s| sum.checked_add(s.minor));
        if shares.iter().any(|s| s.minor <= 0) || sum.is_none_or(|s| s > receipt.left_minor) {
            let detail = "expected shares above 0 that are together no more than is left";
            return Err(CenterError::invalid("shares", "shares", detail));
        }
        let rest = if sum == Some(receipt.left_minor) {
            ""
        } else {
            "over"
        };
        return Ok((shares.clone(), rest));
    }
    let debts = debts_of(shared, debtor).await?;
    let at = receipt.paid_at.min(shared.now());
    let debts = shared.out.store.owed(&debts, at).await?;
    let policy = shared.out.store.money_policy(receipt.client_id).await?;
    let dues = dues_of(shared, debtor).await?;
    let own: Vec<Debt> = debts
        .into_iter()
        .filter(|d| d.client_id == receipt.client_id)
        .collect();
    let by = Spread {
        rule: policy.spread,
        named: payer.debt_id,
        dues: &dues,
    };
    let currency = receipt.amount.currency;
    let (mut shares, left) = spread(&own, receipt.left_minor, currency, by);
    let cut = shares.len() > SHARES_MAX;
    shares.truncate(SHARES_MAX);
    let other = shares.is_empty() && own.iter().any(|d| d.balance_minor() > 0);
    let note = match (left > 0 || cut, other) {
        (true, true) => "currency",
        (true, false) => "over",
        (false, _) => "",
    };
    Ok((shares, note))
}

/// Payments of a receipt over those debts; each has a reference of its own.
async fn payments_of(
    shared: &Shared,
    receipt: &Receipt,
    debtor: DebtorId,
    shares: &[Share],
) -> Result<Vec<Payment>, StoreError> {
    let store = &shared.out.store;
    let before = store.payments_of_receipt(receipt.id).await?.len();
    let plain = store.payment_by_reference(receipt.client_id, &receipt.reference);
    let plain = before == 0 && plain.await?.is_none();
    let posted_at = shared.now();
    let payments = shares.iter().enumerate().map(|(n, share)| Payment {
        id: PaymentId(shared.id()),
        client_id: receipt.client_id,
        debtor_id: debtor,
        debt_id: share.debt_id,
        amount: Money::new(share.minor, receipt.amount.currency),
        paid_at: receipt.paid_at,
        channel: receipt.channel,
        reference: if plain && n == 0 {
            receipt.reference.clone()
        } else {
            format!("{}#{}", receipt.reference, before + n + 1)
        },
        reverses: None,
        posted_at,
    });
    Ok(payments.collect())
}

async fn post(
    shared: &Arc<Shared>,
    actor: Actor,
    mut receipt: Receipt,
    payer: &Payer,
) -> Result<ReceiptOutcome, CenterError> {
    let debtor = payer.debtor_id.ok_or_else(|| {
        CenterError::invalid("debtor_id", "debtor_id", "expected whose money it is")
    })?;
    let told = promise_event(shared);
    let mut tries = 0;
    let done = loop {
        let (shares, note) = shares_of(shared, &receipt, debtor, payer).await?;
        let payments = payments_of(shared, &receipt, debtor, &shares).await?;
        let mut events: Vec<NewEvent> = payments
            .iter()
            .map(|p| posted_event(shared, actor, p))
            .collect();
        for event in &events {
            shared.told_here(event);
        }
        events.push(receipt_event(shared, actor, "receipt.matched", &receipt));
        let step = ReceiptStep {
            receipt: receipt.id,
            debtor_id: Some(debtor),
            payments: &payments,
            returned_minor: 0,
            gone_minor: None,
            note,
            word: None,
            now: shared.now(),
            events: &events,
        };
        match shared.out.store.step_receipt(&step, &told).await {
            // Somebody paid or matched meanwhile: look again.
            Err(StoreError::Conflict(_)) if tries < TRIES && payer.shares.is_none() => {
                tries += 1;
                receipt = shared.out.store.get_receipt(receipt.id).await?;
                if receipt.left_minor == 0 {
                    let detail = "this money was put on debts meanwhile";
                    return Err(CenterError::conflict("receipt_posted", detail));
                }
            }
            other => break other?,
        }
    };
    if !done.payments.is_empty() {
        money_moved(shared, receipt.client_id, debtor).await;
    }
    Ok(done)
}

/// What of the payments of a receipt still stands, as payments that take it back.
async fn taken_back(shared: &Shared, receipt: &Receipt) -> Result<Vec<Payment>, StoreError> {
    let rows = shared.out.store.payments_of_receipt(receipt.id).await?;
    let mut back = Vec::new();
    for first in rows.iter().filter(|p| p.reverses.is_none()) {
        let taken = rows.iter().filter(|p| p.reverses == Some(first.id));
        let stands = taken.fold(first.amount.amount_minor, |sum, p| {
            sum + p.amount.amount_minor
        });
        if stands > 0 {
            back.push(Payment {
                id: PaymentId(shared.id()),
                amount: Money::new(-stands, first.amount.currency),
                reference: format!("{}-{}", first.reference, rows.len() + back.len()),
                reverses: Some(first.id),
                posted_at: shared.now(),
                ..first.clone()
            });
        }
    }
    Ok(back)
}

/// Takes a receipt's money off the debts it was put on by mistake: it is nobody's again.
pub(crate) async fn unmatched(
    shared: Arc<Shared>,
    actor: Actor,
    id: ReceiptId,
    reason: String,
) -> Result<ReceiptOutcome, CenterError> {
    let receipt = shared.out.store.get_receipt(id).await?;
    let payments = taken_back(&shared, &receipt).await?;
    if payments.is_empty() && receipt.debtor_id.is_none() {
        let detail = "none of this money is on a debt";
        return Err(CenterError::conflict("receipt_unmatched", detail));
    }
    let mut events: Vec<NewEvent> = payments
        .iter()
        .map(|p| posted_event(&shared, actor, p))
        .collect();
    for event in &events {
        shared.told_here(event);
    }
    events.push(receipt_event(&shared, actor, "receipt.unmatched", &receipt));
    let step = ReceiptStep {
        receipt: id,
        debtor_id: None,
        payments: &payments,
        returned_minor: 0,
        gone_minor: None,
        note: &reason,
        word: None,
        now: shared.now(),
        events: &events,
    };
    let told = promise_event(&shared);
    let done = shared.out.store.step_receipt(&step, &told).await?;
    for payment in &payments {
        money_moved(&shared, payment.client_id, payment.debtor_id).await;
    }
    Ok(done)
}

/// What is left of a receipt goes back to its sender, or was no money of debtors.
pub(crate) async fn returned(
    shared: Arc<Shared>,
    actor: Actor,
    id: ReceiptId,
    reason: String,
) -> Result<ReceiptOutcome, CenterError> {
    let receipt = shared.out.store.get_receipt(id).await?;
    if receipt.left_minor == 0 {
        let detail = "nothing of this money is left: take it off its debts first";
        return Err(CenterError::conflict("receipt_posted", detail));
    }
    let event = receipt_event(&shared, actor, "receipt.returned", &receipt);
    let step = ReceiptStep {
        receipt: id,
        debtor_id: receipt.debtor_id,
        payments: &[],
        returned_minor: receipt.left_minor,
        gone_minor: None,
        note: &reason,
        word: None,
        now: shared.now(),
        events: &[event],
    };
    let told = promise_event(&shared);
    Ok(shared.out.store.step_receipt(&step, &told).await?)
}

/// Takes a payment back, whole or in part: the bank or the provider took the money away again. Once by
/// `reference`.
pub(crate) async fn reversed(
    shared: Arc<Shared>,
    actor: Actor,
    id: PaymentId,
    minor: Option<i64>,
    reference: String,
) -> Result<PaymentOutcome, CenterError> {
    let first = shared.out.store.get_payment(id).await?;
    if first.reverses.is_some() {
        let detail = "a reversal is not reversed: post the money anew";
        return Err(CenterError::conflict("is_reversal", detail));
    }
    let minor = minor.unwrap_or(first.amount.amount_minor);
    if minor <= 0 || minor > first.amount.amount_minor {
        let detail = "expected more than 0 and no more than the payment";
        return Err(CenterError::invalid("amount", "amount_minor", detail));
    }
    let back = Payment {
        id: PaymentId(shared.id()),
        amount: Money::new(-minor, first.amount.currency),
        reference,
        reverses: Some(first.id),
        posted_at: shared.now(),
        paid_at: shared.now(),
        ..first
    };
    let store = &shared.out.store;
    let parts = store.parts_of(&[id]).await?;
    let known = store
        .payment_by_reference(back.client_id, &back.reference)
        .await?;
    match parts.first().and_then(|p| p.receipt_id) {
        Some(receipt) if known.is_none() => gone_back(&shared, actor, receipt, back).await,
        _ => crate::stops::payment(shared, actor, back).await,
    }
}

/// Money of a receipt that was taken away again: off its debt, and out of the receipt.
async fn gone_back(
    shared: &Arc<Shared>,
    actor: Actor,
    receipt: ReceiptId,
    back: Payment,
) -> Result<PaymentOutcome, CenterError> {
    let row = shared.out.store.get_receipt(receipt).await?;
    let event = posted_event(shared, actor, &back);
    shared.told_here(&event);
    let step = ReceiptStep {
        receipt,
        debtor_id: row.debtor_id,
        payments: std::slice::from_ref(&back),
        returned_minor: -back.amount.amount_minor,
        gone_minor: None,
        note: &back.reference,
        word: None,
        now: back.posted_at,
        events: &[event],
    };
    let store = &shared.out.store;
    let mut done = store.step_receipt(&step, &promise_event(shared)).await?;
    money_moved(shared, back.client_id, back.debtor_id).await;
    let outcome = done.payments.pop();
    outcome.ok_or_else(|| StoreError::NotFound("payment").into())
}
