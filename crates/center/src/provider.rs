//! What a payment provider says: money for a link, money that went back. Each is done once, in whatever order
//! and however often it comes.

mod disputes;

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

/// How the notes of a dispute's money begin.
const WITHDRAWN: &str = "withdrawn";
const REINSTATED: &str = "reinstated";

/// How often what went back of money that others move at the same time is counted anew.
const TRIES: usize = 3;

/// What a provider's word did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderDone {
    /// Something changed.
    Done,
    /// It came before, or changes nothing here.
    Nothing,
    /// It is about money that is not here yet, and waits for it.
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
    let of = |kind: &str, dispute: &str| format!("{kind}:{dispute}");
    let (what, money, amount) = match &event.what {
        ProviderWhat::Paid { money, amount, .. } => ("paid".to_owned(), Some(money), Some(*amount)),
        ProviderWhat::Expired { .. } => ("expired".to_owned(), None, None),
        ProviderWhat::Refunded { money, total } => {
            ("refunded".to_owned(), Some(money), Some(*total))
        }
        ProviderWhat::Withdrawn {
            money,
            dispute,
            amount,
        } => (of(WITHDRAWN, dispute), Some(money), Some(*amount)),
        ProviderWhat::Reinstated {
            money,
            dispute,
            amount,
        } => (of(REINSTATED, dispute), Some(money), Some(*amount)),
        ProviderWhat::Disputed {
            money,
            dispute,
            amount,
            ..
        } => (of("disputed", dispute), Some(money), Some(*amount)),
        ProviderWhat::Settled {
            money,
            dispute,
            amount,
            ..
        } => (of("settled", dispute), Some(money), Some(*amount)),
        ProviderWhat::Other(name) => (name.clone(), None, None),
    };
    WebhookNote {
        provider: provider.to_owned(),
        event_id: event.id.clone(),
        what,
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
        return disputes::rest(&shared, provider, &event.what).await;
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
        ProviderWhat::Withdrawn { .. } | ProviderWhat::Reinstated { .. } => {
            let note = note_of(provider, &event, shared.now());
            disputes::moved(&shared, provider, &note).await?
        }
        ProviderWhat::Disputed { money, reason, .. } => {
            disputes::told(&shared, provider, (money, "payment.disputed", reason)).await?
        }
        ProviderWhat::Settled { money, outcome, .. } => {
            disputes::told(
                &shared,
                provider,
                (money, "payment.dispute_closed", outcome),
            )
            .await?
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
    let told = link_event(shared, Actor::System, "payment_link.paid", link);
    let store = &shared.out.store;
    // First the link: who sees the money on his card looks at its link too.
    store
        .close_link(link.id, LinkState::Paid, now, &[told])
        .await?;
    receipts::take(Arc::clone(shared), Actor::System, receipt, payer).await?;
    for note in store.waiting_webhooks(provider, money).await? {
        let done = match (note.what.as_str(), note.amount) {
            ("refunded", Some(total)) => refunded(shared, provider, money, total).await?,
            _ => disputes::moved(shared, provider, &note).await?,
        };
        if done != ProviderDone::Waits {
            store.webhook_done(provider, &note.event_id).await?;
        }
    }
    Ok(ProviderDone::Done)
}

/// Why money goes back.
#[derive(Clone, Copy)]
struct Why<'a> {
    /// Told at the receipt.
    note: &'a str,
    /// The dispute that takes it, which takes once from a payment, and the provider's word of it: done in the
    /// transaction that takes the money.
    dispute: Option<(&'a str, &'a WebhookNote)>,
}

impl<'a> Why<'a> {
    const fn plain(note: &'a str) -> Self {
        Self {
            note,
            dispute: None,
        }
    }
}

/// What of a receipt's payments is to be taken back, newest first, for `minor` in all.
fn taken_back(shared: &Shared, rows: &[Payment], why: Why<'_>, mut minor: i64) -> Vec<Payment> {
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
                reference: match why.dispute {
                    Some((dispute, _)) => format!("{}!{dispute}", first.reference),
                    None => format!("{}-{}", first.reference, rows.len() + back.len()),
                },
                reverses: Some(first.id),
                paid_at: shared.now(),
                posted_at: shared.now(),
                ..first.clone()
            });
        }
    }
    back
}

/// Money went back: `total` in all, of which some may have gone before. What disputes took is none of it; what
/// they gave back again can go back too.
async fn refunded(
    shared: &Arc<Shared>,
    provider: &str,
    money: &str,
    total: Money,
) -> Result<ProviderDone, CenterError> {
    let mut tries = 0;
    loop {
        match rest_of(shared, provider, money, total).await {
            // Money of it moved meanwhile: what is missing of the sum is found anew.
            Err(CenterError::Store(StoreError::Conflict(_))) if tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// Takes what is missing of a sum that went back.
async fn rest_of(
    shared: &Arc<Shared>,
    provider: &str,
    money: &str,
    total: Money,
) -> Result<ProviderDone, CenterError> {
    let Some(receipt) = receipt_of(shared, provider, money).await? else {
        return Ok(ProviderDone::Waits);
    };
    if total.currency != receipt.amount.currency {
        return Ok(ProviderDone::Nothing);
    }
    // The receipts before the notes: what a dispute takes between the two makes the step unfit, and is never
    // counted as a refund.
    let all = disputes::all_of(shared, provider, money, receipt).await?;
    let disputed = disputes::withdrawn(shared, provider, money).await?;
    let returned = all
        .iter()
        .fold(0_i64, |sum, r| sum.saturating_add(r.returned_minor));
    let before = returned.saturating_sub(disputed).max(0);
    let need = total.amount_minor.saturating_sub(before);
    gone(shared, &all, need, Why::plain("refunded")).await
}

/// The receipt of a provider's money, once it is here.
async fn receipt_of(
    shared: &Shared,
    provider: &str,
    money: &str,
) -> Result<Option<Receipt>, StoreError> {
    let store = &shared.out.store;
    let known = store
        .receipts_by_reference(&reference(provider, money))
        .await?;
    Ok(known.into_iter().next())
}

/// The bank took all of a receipt's money away again.
pub(crate) async fn taken_whole(
    shared: Arc<Shared>,
    actor: Actor,
    id: ReceiptId,
    note: String,
) -> Result<ProviderDone, CenterError> {
    let receipt = shared.out.store.get_receipt(id).await?;
    let event = receipts::receipt_event(&shared, actor, "receipt.returned", &receipt);
    let whole = receipt.amount.amount_minor;
    let done = gone(&shared, &[receipt], whole, Why::plain(&note)).await?;
    shared.journal(event);
    Ok(done)
}

/// What is taken out of one receipt.
struct Taken {
    payments: Vec<Payment>,
    events: Vec<NewEvent>,
    minor: i64,
}

/// Takes `minor` out of the receipts of one piece of money, no more than is in them and all in one transaction:
/// the first one first, of each what is on no debt, then its payments, newest first.
async fn gone(
    shared: &Arc<Shared>,
    receipts: &[Receipt],
    minor: i64,
    why: Why<'_>,
) -> Result<ProviderDone, CenterError> {
    let store = &shared.out.store;
    let mut need = minor;
    let mut taken: Vec<(&Receipt, Taken)> = Vec::new();
    for receipt in receipts {
        let take = need.min(receipt.amount.amount_minor - receipt.returned_minor);
        if take <= 0 {
            continue;
        }
        need -= take;
        let rows = store.payments_of_receipt(receipt.id).await?;
        let payments = taken_back(shared, &rows, why, take - take.min(receipt.left_minor));
        let told = |p| posted_event(shared, Actor::System, p);
        let events: Vec<NewEvent> = payments.iter().map(told).collect();
        for event in &events {
            shared.told_here(event);
        }
        let what = Taken {
            payments,
            events,
            minor: take,
        };
        taken.push((receipt, what));
    }
    let mut word = why
        .dispute
        .map(|(_, n)| (n.provider.as_str(), n.event_id.as_str()));
    let steps: Vec<ReceiptStep<'_>> = taken
        .iter()
        .map(|(receipt, what)| ReceiptStep {
            receipt: receipt.id,
            debtor_id: receipt.debtor_id,
            payments: &what.payments,
            returned_minor: what.minor,
            // A dispute takes a sum of its own, once by its word.
            gone_minor: why.dispute.is_none().then_some(receipt.returned_minor),
            note: why.note,
            word: word.take(),
            now: shared.now(),
            events: &what.events,
        })
        .collect();
    if steps.is_empty() {
        return Ok(ProviderDone::Nothing);
    }
    store.step_receipts(&steps, &promise_event(shared)).await?;
    for payment in taken.iter().flat_map(|(_, what)| &what.payments) {
        money_moved(shared, payment.client_id, payment.debtor_id).await;
    }
    Ok(ProviderDone::Done)
}
