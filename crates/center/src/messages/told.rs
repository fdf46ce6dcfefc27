//! What gateways tell: receipts, and calls on our web address.

use super::{event_of, heard};
use crate::shared::Shared;
use domain::entity::{Channel, Message, MessageState};
use domain::ports::store::{MessageStep, StoreError};
use domain::ports::{Hook, HookFault, HookReply, Receipt, ReceiptKind};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Looks for a message whose receipt came before the gateway's own answer was written, and the wait
/// between them, ms.
const LOOKS: u32 = 5;
const LOOK_MS: u64 = 200;

/// How a gateway told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It called, perhaps before its own answer was written.
    Called,
    /// It was asked, after everything that was handed over before had been written.
    Asked,
}

async fn named(
    shared: &Shared,
    gateway: &str,
    name: &str,
    told: Told,
) -> Result<Option<Message>, StoreError> {
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
    let Some(row) = named(shared, gateway, &receipt.provider_ref, told).await? else {
        tracing::info!(gateway, state = %state, "receipt of a message that nobody here sent");
        return Ok(());
    };
    let now = shared.now();
    // A report that a mail could not be delivered is the mail come back, whatever its reason.
    let state = match state {
        MessageState::Failed if row.channel == Channel::Email => MessageState::Bounced,
        other => other,
    };
    let step = MessageStep {
        state: Some(state),
        at: receipt.at.map_or(now, |at| at.min(now)),
        reason: reason.clone(),
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
    for receipt in &reply.receipts {
        take(&shared, gateway, receipt, Told::Called)
            .await
            .map_err(Refused::Store)?;
    }
    Ok(reply)
}
