//! What gateways tell: receipts, and calls on our web address.

use super::{event_of, heard};
use crate::shared::Shared;
use domain::entity::{Channel, Message, MessageState};
use domain::ports::store::{MessageStep, StoreError};
use domain::ports::{Hook, HookFault, HookReply, Receipt, ReceiptKind};
use domain::rules::messaging::is_lost;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Looks for a message whose receipt came before the gateway's own answer was written, and the wait
/// between them, ms.
const LOOKS: u32 = 5;
const LOOK_MS: u64 = 200;

/// A receipt that is older is of no message whose gateway's answer is still waited for, ms.
const EARLY_MS: i64 = 60_000;

/// How a gateway told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It called, perhaps before its own answer was written.
    Called,
    /// It was asked, after everything that was handed over before had been written.
    Asked,
}

/// The message that a receipt gives our own name of, unless the provider knows it by another of its names.
async fn own(
    shared: &Shared,
    gateway: &str,
    receipt: &Receipt,
) -> Result<Option<Message>, StoreError> {
    let Some(id) = receipt.own else {
        return Ok(None);
    };
    match shared.out.store.get_message(id).await {
        Ok(row) => {
            let same = row.provider_ref.is_empty() || row.provider_ref == receipt.provider_ref;
            Ok(Some(row).filter(|row| same && row.gateway == gateway))
        }
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn named(
    shared: &Shared,
    gateway: &str,
    receipt: &Receipt,
    told: Told,
) -> Result<Option<Message>, StoreError> {
    if let Some(row) = own(shared, gateway, receipt).await? {
        return Ok(Some(row));
    }
    let name = receipt.provider_ref.as_str();
    let looks = match told {
        Told::Called => LOOKS,
        Told::Asked => 1,
    };
    for look in 0..looks {
        let found = shared.out.store.message_by_ref(gateway, name).await?;
        if found.is_some() {
            return Ok(found);
        }
        if look + 1 < looks {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }
    Ok(None)
}

/// Whether nobody here may know the message yet, for its gateway's answer is still on its way, and the provider
/// tells again what is not taken. One of somebody else's message comes again until it is that old.
fn is_early(shared: &Shared, gateway: &str, receipt: &Receipt) -> bool {
    let now = shared.now();
    let fresh = receipt.at.is_some_and(|at| now.since_ms(at) < EARLY_MS);
    let of_it = shared
        .config
        .messengers
        .iter()
        .find(|m| m.name() == gateway);
    fresh && of_it.is_some_and(|m| m.comes_again())
}

/// Writes down what is told.
pub(crate) async fn take(
    shared: &Arc<Shared>,
    gateway: &str,
    receipt: &Receipt,
    told: Told,
) -> Result<(), StoreError> {
    let (state, reason, bad) = match &receipt.kind {
        ReceiptKind::Reply { .. } => return heard::take(shared, gateway, receipt).await,
        ReceiptKind::Sent => (MessageState::Sent, None, false),
        ReceiptKind::Delivered => (MessageState::Delivered, None, false),
        ReceiptKind::Read => (MessageState::Read, None, false),
        ReceiptKind::Failed { code, bad_address } => {
            let state = if *bad_address {
                MessageState::Bounced
            } else {
                MessageState::Failed
            };
            (state, Some(code.clone()), *bad_address)
        }
    };
    let Some(row) = named(shared, gateway, receipt, told).await? else {
        if told == Told::Called && is_early(shared, gateway, receipt) {
            let why = "a receipt ahead of the gateway's answer: come again";
            return Err(StoreError::Unavailable(why.to_owned()));
        }
        tracing::info!(gateway, state = %state, "receipt of a message that nobody here sent");
        return Ok(());
    };
    let now = shared.now();
    // A report that a mail could not be delivered is the mail come back, whatever its reason.
    let state = match state {
        MessageState::Failed if row.channel == Channel::Email => MessageState::Bounced,
        other => other,
    };
    let at = receipt.at.map_or(now, |at| at.min(now));
    if is_lost(&row) {
        found_again(shared, gateway, &row, (&receipt.provider_ref, at)).await?;
    }
    let name = Some(receipt.provider_ref.clone()).filter(|_| row.provider_ref.is_empty());
    let step = MessageStep {
        state: Some(state),
        at,
        reason: reason.clone(),
        provider_ref: name,
        point_bad: bad,
        ..MessageStep::default()
    };
    let event = event_of(shared, &row, state, reason.as_deref().unwrap_or_default());
    let store = &shared.out.store;
    if store.note_message(row.id, &step, &[event]).await? && bad {
        bad_point(shared, &row);
    }
    Ok(())
}

/// A message whose gateway's answer was lost left after all: the receipt stands for that answer.
async fn found_again(
    shared: &Shared,
    gateway: &str,
    row: &Message,
    (name, at): (&str, UtcMs),
) -> Result<(), StoreError> {
    let carries = shared
        .config
        .messengers
        .iter()
        .find(|m| m.name() == gateway);
    let (cost_micro, currency) = carries.map_or((0, None), |m| m.price());
    let step = MessageStep {
        state: Some(MessageState::Sent),
        at,
        provider_ref: Some(name.to_owned()),
        cost: Some((cost_micro, currency)),
        ..MessageStep::default()
    };
    let told = Message {
        cost_micro,
        currency,
        sent_at: Some(at),
        ..row.clone()
    };
    let event = event_of(shared, &told, MessageState::Sent, "");
    let store = &shared.out.store;
    store.note_message(row.id, &step, &[event]).await.map(drop)
}

/// Tells that a point does not take messages.
pub(super) fn bad_point(shared: &Shared, row: &Message) {
    let data = json!({"debtor_id": row.debtor_id, "channel": row.channel, "reason": "bounced"});
    let subject = row
        .point_id
        .map_or_else(String::new, |id| format!("point:{id}"));
    let event = shared.event(Some(row.client_id), "system", "point.bad", subject, data);
    shared.journal(event);
}

/// Why a provider's call was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No such gateway.
    Unknown,
    /// It is not believed.
    Fault(HookFault),
    /// It could not be written: the provider comes again.
    Store(StoreError),
}

/// Takes a provider's call.
pub(crate) async fn hook(
    shared: Arc<Shared>,
    gateway: &str,
    call: &Hook<'_>,
) -> Result<HookReply, Refused> {
    let found = shared
        .config
        .messengers
        .iter()
        .find(|m| m.name() == gateway);
    let reply = found
        .ok_or(Refused::Unknown)?
        .hook(call)
        .map_err(Refused::Fault)?;
    // One that cannot be taken yet keeps no other of the same call back.
    let mut taken = Ok(());
    for receipt in &reply.receipts {
        let done = take(&shared, gateway, receipt, Told::Called).await;
        taken = taken.and(done);
    }
    taken.map_err(Refused::Store)?;
    Ok(reply)
}
