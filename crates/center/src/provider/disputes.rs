//! Disputes of the payer's bank (chargebacks): what they take away leaves the debts by second rows, what they give
//! back is money that comes in again.

use super::{ProviderDone, REINSTATED, WITHDRAWN, gone, receipt_of, reference};
use crate::asks::Actor;
use crate::error::CenterError;
use crate::receipts::{self, Payer};
use crate::shared::Shared;
use domain::entity::{Receipt, ReceiptState};
use domain::ids::ReceiptId;
use domain::money::Money;
use domain::ports::store::{StoreError, WebhookNote};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The dispute that a note is of, when it is one of that kind.
fn dispute<'a>(note: &'a WebhookNote, kind: &str) -> Option<&'a str> {
    let (of, dispute) = note.what.split_once(':')?;
    (of == kind).then_some(dispute)
}

/// What disputes took out of this money up to now, minor units.
pub(super) async fn withdrawn(
    shared: &Shared,
    provider: &str,
    money: &str,
) -> Result<i64, StoreError> {
    let notes = shared.out.store.webhooks_about(provider, money).await?;
    // A dispute takes once, however many events tell of it.
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    for note in notes.iter().filter(|n| n.done) {
        if let (Some(id), Some(amount)) = (dispute(note, WITHDRAWN), note.amount) {
            taken.entry(id).or_insert(amount.amount_minor);
        }
    }
    Ok(taken.into_values().fold(0_i64, i64::saturating_add))
}

/// Money of a dispute moved; what comes before its turn waits for it.
pub(super) async fn moved(
    shared: &Arc<Shared>,
    provider: &'static str,
    note: &WebhookNote,
) -> Result<ProviderDone, CenterError> {
    let (Some(money), Some(amount)) = (&note.money, note.amount) else {
        return Ok(ProviderDone::Nothing);
    };
    let Some(receipt) = receipt_of(shared, provider, money).await? else {
        return Ok(ProviderDone::Waits);
    };
    if amount.currency != receipt.amount.currency {
        return Ok(ProviderDone::Nothing);
    }
    if let Some(id) = dispute(note, REINSTATED) {
        return given_back(shared, provider, &receipt, (money, id, amount)).await;
    }
    let Some(id) = dispute(note, WITHDRAWN) else {
        return Ok(ProviderDone::Nothing);
    };
    let store = &shared.out.store;
    let notes = store.webhooks_about(provider, money).await?;
    let twice = notes
        .iter()
        .any(|n| n.done && dispute(n, WITHDRAWN) == Some(id) && n.event_id != note.event_id);
    if twice {
        return Ok(ProviderDone::Nothing);
    }
    let done = gone(shared, &receipt, amount.amount_minor, "disputed").await?;
    store.webhook_done(provider, &note.event_id).await?;
    // It may have been given back before it was taken, as words arrive.
    for waits in notes.iter().filter(|n| !n.done) {
        if dispute(waits, REINSTATED) == Some(id)
            && let Some(amount) = waits.amount
        {
            given_back(shared, provider, &receipt, (money, id, amount)).await?;
            store.webhook_done(provider, &waits.event_id).await?;
        }
    }
    Ok(done)
}

/// A dispute gave money back: it comes in again, once, for the debts it was on. Before it was taken, it waits.
async fn given_back(
    shared: &Arc<Shared>,
    provider: &str,
    first: &Receipt,
    (money, dispute_id, amount): (&str, &str, Money),
) -> Result<ProviderDone, CenterError> {
    let store = &shared.out.store;
    let notes = store.webhooks_about(provider, money).await?;
    let taken = notes
        .iter()
        .any(|n| n.done && dispute(n, WITHDRAWN) == Some(dispute_id));
    if !taken {
        return Ok(ProviderDone::Waits);
    }
    let rows = store.payments_of_receipt(first.id).await?;
    let payer = Payer {
        debtor_id: first.debtor_id,
        debt_id: rows.first().map(|p| p.debt_id),
        shares: None,
    };
    let now = shared.now();
    let receipt = Receipt {
        id: ReceiptId(shared.id()),
        reference: format!("{}:{dispute_id}", reference(provider, money)),
        amount,
        left_minor: amount.amount_minor,
        returned_minor: 0,
        paid_at: now,
        debtor_id: None,
        state: ReceiptState::Unmatched,
        note: String::new(),
        created_at: now,
        updated_at: now,
        ..first.clone()
    };
    receipts::take(Arc::clone(shared), Actor::System, receipt, payer).await?;
    Ok(ProviderDone::Done)
}

/// A dispute began or ended: told with its money, which does not move by it.
pub(super) async fn told(
    shared: &Arc<Shared>,
    provider: &str,
    (money, kind, word): (&str, &str, &str),
) -> Result<ProviderDone, CenterError> {
    let Some(receipt) = receipt_of(shared, provider, money).await? else {
        return Ok(ProviderDone::Nothing);
    };
    let data = json!({"debtor_id": receipt.debtor_id, "receipt_id": receipt.id, "reason": word});
    let subject = format!("receipt:{}", receipt.id);
    let event = shared.event(Some(receipt.client_id), Actor::System, kind, subject, data);
    shared.out.store.append_events(&[event]).await?;
    Ok(ProviderDone::Done)
}
