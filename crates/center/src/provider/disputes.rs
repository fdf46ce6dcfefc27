//! Disputes of the payer's bank (chargebacks): what they take away leaves the debts by second rows, what they give
//! back is money that comes in again.

use super::{ProviderDone, REINSTATED, WITHDRAWN, Why, gone, receipt_of, reference};
use crate::asks::Actor;
use crate::error::CenterError;
use crate::receipts::{self, Payer};
use crate::shared::Shared;
use domain::entity::{Receipt, ReceiptState};
use domain::ids::ReceiptId;
use domain::money::Money;
use domain::ports::ProviderWhat;
use domain::ports::store::{StoreError, WebhookNote};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
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
    let why = Why {
        note: "disputed",
        dispute: Some((id, note)),
    };
    // What another dispute gave back is of this money too.
    let all = all_of(shared, provider, money, receipt.clone()).await?;
    let done = gone(shared, &all, amount.amount_minor, why).await?;
    // Where nothing was left to take, no transaction has done the word.
    store.webhook_done(provider, &note.event_id).await?;
    waiting(shared, provider, &receipt, (money, id)).await?;
    Ok(done)
}

/// A dispute's money may be given back before it is taken, as words arrive. Looked for after the taking is
/// durable: a word that comes meanwhile is seen here, or sees the taking itself.
async fn waiting(
    shared: &Arc<Shared>,
    provider: &str,
    receipt: &Receipt,
    (money, id): (&str, &str),
) -> Result<ProviderDone, CenterError> {
    let store = &shared.out.store;
    let mut done = ProviderDone::Nothing;
    let notes = store.waiting_webhooks(provider, money).await?;
    for note in notes.iter().filter(|n| dispute(n, REINSTATED) == Some(id)) {
        if let Some(amount) = note.amount {
            done = given_back(shared, provider, receipt, (money, id, amount)).await?;
            store.webhook_done(provider, &note.event_id).await?;
        }
    }
    Ok(done)
}

/// What is left of a word that was done before: a node may die between taking a dispute's money and giving it
/// back.
pub(super) async fn rest(
    shared: &Arc<Shared>,
    provider: &str,
    what: &ProviderWhat,
) -> Result<ProviderDone, CenterError> {
    let ProviderWhat::Withdrawn { money, dispute, .. } = what else {
        return Ok(ProviderDone::Nothing);
    };
    match receipt_of(shared, provider, money).await? {
        Some(receipt) => waiting(shared, provider, &receipt, (money, dispute)).await,
        None => Ok(ProviderDone::Nothing),
    }
}

/// Under which reference the money that a dispute gave back is known here.
fn again(provider: &str, money: &str, dispute: &str) -> String {
    format!("{}:{dispute}", reference(provider, money))
}

/// All receipts of one piece of money: as it came first, then what disputes gave back of it.
pub(super) async fn all_of(
    shared: &Shared,
    provider: &str,
    money: &str,
    first: Receipt,
) -> Result<Vec<Receipt>, StoreError> {
    let store = &shared.out.store;
    let notes = store.webhooks_about(provider, money).await?;
    let ids: BTreeSet<&str> = notes
        .iter()
        .filter_map(|n| dispute(n, REINSTATED))
        .collect();
    let mut found = vec![first];
    for id in ids {
        let rows = store
            .receipts_by_reference(&again(provider, money, id))
            .await?;
        found.extend(rows.into_iter().next());
    }
    Ok(found)
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
        reference: again(provider, money, dispute_id),
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
