//! What a payment provider says: money for a link, money that went back. Each is done once, in whatever order
//! and however often it comes.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::receipts::{self, Payer};
use crate::shared::Shared;
use crate::stops::{money_moved, posted_event, promise_event};
use domain::entity::{
    LinkState, Payment, PaymentChannel, PaymentLink, Receipt, ReceiptSource, ReceiptState,
};
use domain::event::NewEvent;
use domain::ids::{PaymentId, ReceiptId};
use domain::money::Money;
use domain::pii::Pii;
use domain::ports::store::{ReceiptStep, StoreError, WebhookNote};
use domain::ports::{ProviderEvent, ProviderWhat};
use serde_json::json;
use std::sync::Arc;

/// What a provider's word did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderDone {
    /// Something changed.
    Done,
    /// It came before, or changes nothing here.
    Nothing,
    /// A refund of money that is not here yet: it waits for it.
    Waits,
}

/// What is told of a payment link.
pub(crate) fn link_event(
    shared: &Shared,
    actor: Actor,
    kind: &str,
    link: &PaymentLink,
) -> NewEvent {
    let data = json!({
        "debtor_id": link.debtor_id, "debt_id": link.debt_id,
        "amount_minor": link.amount.amount_minor, "currency": link.amount.currency,
    });
    let subject = format!("payment_link:{}", link.id);
    shared.event(Some(link.client_id), actor, kind, subject, data)
}

fn note_of(provider: &str, event: &ProviderEvent, now: domain::time::UtcMs) -> WebhookNote {
    let (what, money, amount) = match &event.what {
        ProviderWhat::Paid { money, amount, .. } => ("paid", Some(money), Some(*amount)),
        ProviderWhat::Expired { .. } => ("expired", None, None),
        ProviderWhat::Refunded { money, total } => ("refunded", Some(money), Some(*total)),
        ProviderWhat::Other(name) => (name.as_str(), None, None),
    };
    WebhookNote {
        provider: provider.to_owned(),
        event_id: event.id.clone(),
        what: what.to_owned(),
        money: money.cloned(),
        amount,
        done: false,
        at: now,
    }
}

/// The reference under which a provider's money is known here.
fn reference(provider: &str, money: &str) -> String {
    format!("{provider}:{money}")
}

/// Carries out what a provider said.
pub(crate) async fn said(
    shared: Arc<Shared>,
    provider: &'static str,
    event: ProviderEvent,
) -> Result<ProviderDone, CenterError> {
    let store = &shared.out.store;
    if !store
        .note_webhook(&note_of(provider, &event, shared.now()))
        .await?
    {
        return Ok(ProviderDone::Nothing);
    }
    let done = match &event.what {
        ProviderWhat::Paid {
            link,
            money,
            amount,
        } => match store.get_payment_link(*link).await {
            Ok(link) => paid(&shared, provider, &event, &link, (money, *amount)).await?,
            Err(StoreError::NotFound(_)) => ProviderDone::Nothing,
            Err(error) => return Err(error.into()),
        },
        ProviderWhat::Refunded { money, total } => {
            refunded(&shared, provider, money, *total).await?
        }
        // A page of theirs ended; the link itself lives on until its own end.
        ProviderWhat::Expired { .. } | ProviderWhat::Other(_) => ProviderDone::Nothing,
    };
    if done != ProviderDone::Waits {
        store.webhook_done(provider, &event.id).await?;
    }
    Ok(done)
}

async fn paid(
    shared: &Arc<Shared>,
    provider: &'static str,
    event: &ProviderEvent,
    link: &PaymentLink,
    (money, amount): (&str, Money),
) -> Result<ProviderDone, CenterError> {
    let now = shared.now();
    let receipt = Receipt {
        id: ReceiptId(shared.id()),
        client_id: link.client_id,
        source: ReceiptSource::Provider,
        reference: reference(provider, money),
        amount,
        left_minor: amount.amount_minor,
        returned_minor: 0,
        paid_at: event.at.min(now),
        channel: PaymentChannel::Link,
        concept: Pii(String::new()),
        document: Pii(String::new()),
        debtor_id: None,
        file_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
    };
    let payer = Payer {
        debtor_id: Some(link.debtor_id),
        debt_id: Some(link.debt_id),
        shares: None,
    };
    receipts::take(Arc::clone(shared), Actor::System, receipt, payer).await?;
    let told = link_event(shared, Actor::System, "payment_link.paid", link);
    let store = &shared.out.store;
    store
        .close_link(link.id, LinkState::Paid, now, &[told])
        .await?;
    for note in store.waiting_webhooks(provider, money).await? {
        if let (true, Some(total)) = (note.what == "refunded", note.amount)
            && refunded(shared, provider, money, total).await? == ProviderDone::Done
        {
            store.webhook_done(provider, &note.event_id).await?;
        }
    }
    Ok(ProviderDone::Done)
}

/// What of a receipt's payments is to be taken back, newest first, for `minor` in all.
fn taken_back(shared: &Shared, rows: &[Payment], mut minor: i64) -> Vec<Payment> {
    let mut back = Vec::new();
    for first in rows.iter().rev().filter(|p| p.reverses.is_none()) {
        let taken = rows.iter().filter(|p| p.reverses == Some(first.id));
        let stands = taken.fold(first.amount.amount_minor, |sum, p| {
            sum + p.amount.amount_minor
        });
        let take = stands.min(minor);
        if take > 0 {
            minor -= take;
            back.push(Payment {
                id: PaymentId(shared.id()),
                amount: Money::new(-take, first.amount.currency),
                reference: format!("{}-{}", first.reference, rows.len() + back.len()),
                reverses: Some(first.id),
                paid_at: shared.now(),
                posted_at: shared.now(),
                ..first.clone()
            });
        }
    }
    back
}

/// Money went back: `total` in all, of which some may have gone before.
async fn refunded(
    shared: &Arc<Shared>,
    provider: &str,
    money: &str,
    total: Money,
) -> Result<ProviderDone, CenterError> {
    let store = &shared.out.store;
    let known = store
        .receipts_by_reference(&reference(provider, money))
        .await?;
    let Some(receipt) = known.into_iter().next() else {
        return Ok(ProviderDone::Waits);
    };
    let most = receipt.amount.amount_minor - receipt.returned_minor;
    let need = (total.amount_minor - receipt.returned_minor).min(most);
    if need <= 0 || total.currency != receipt.amount.currency {
        return Ok(ProviderDone::Nothing);
    }
    let rows = store.payments_of_receipt(receipt.id).await?;
    let payments = taken_back(shared, &rows, need - need.min(receipt.left_minor));
    let events: Vec<NewEvent> = payments
        .iter()
        .map(|p| posted_event(shared, Actor::System, p))
        .collect();
    for event in &events {
        shared.told_here(event);
    }
    let step = ReceiptStep {
        receipt: receipt.id,
        debtor_id: receipt.debtor_id,
        payments: &payments,
        returned_minor: need,
        note: "refunded",
        now: shared.now(),
        events: &events,
    };
    store.step_receipt(&step, &promise_event(shared)).await?;
    for payment in &payments {
        money_moved(shared, payment.debtor_id).await;
    }
    Ok(ProviderDone::Done)
}
