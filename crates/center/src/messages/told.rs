//! What gateways tell: receipts, and calls on our web address.

use super::{event_of, heard};
use crate::shared::Shared;
use domain::entity::{Channel, Message, MessageState};
use domain::ports::store::{MessageAsk, MessageStep, PAGE_LIMIT_MAX, StoreError};
use domain::ports::{Hook, HookFault, HookReply, Messenger, Receipt, ReceiptKind};
use domain::rules::messaging::is_lost;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Looks for a message whose receipt came before the gateway's own answer was written, and the wait
/// between them, ms.
const LOOKS: u32 = 5;
const LOOK_MS: u64 = 200;

/// A receipt that is older, or of a clock further ahead, is of no message whose gateway's answer is still waited
/// for, ms.
const EARLY_MS: i64 = 60_000;

/// Times that a receipt is written: once more where its message was lost meanwhile.
const WRITES: u32 = 2;

/// Whether a failure may be of a try before the one that is under way or to come: our own name is the same for
/// all, and the provider's name of this one is not known yet.
fn of_other_try(row: &Message, receipt: &Receipt) -> bool {
    let failed = matches!(receipt.kind, ReceiptKind::Failed { .. });
    let tried = match row.state {
        MessageState::Queued => true,
        MessageState::Sending => row.tries > 1,
        _ => false,
    };
    failed && tried && row.provider_ref.is_empty()
}

/// The message of ours that a receipt gives our own name of.
async fn own(
    shared: &Shared,
    gateway: &str,
    receipt: &Receipt,
) -> Result<Option<Message>, StoreError> {
    let Some(id) = receipt.own else {
        return Ok(None);
    };
    match shared.out.store.get_message(id).await {
        Ok(row) => Ok(Some(row).filter(|row| row.gateway == gateway)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The message that a receipt is of: by our own name of it, unless the provider knows it by another of its names.
async fn named(
    shared: &Shared,
    gateway: &str,
    receipt: &Receipt,
) -> Result<Option<Message>, StoreError> {
    let name = receipt.provider_ref.as_str();
    if let Some(row) = own(shared, gateway, receipt).await? {
        let same = row.provider_ref.is_empty() || row.provider_ref == name;
        if same && !of_other_try(&row, receipt) {
            return Ok(Some(row));
        }
    }
    shared.out.store.message_by_ref(gateway, name).await
}

/// Whether the gateway's answer about a message is still waited for, so that its name is not known yet.
fn unanswered(row: &Message, gateway: &str) -> bool {
    row.state == MessageState::Sending && row.gateway == gateway && row.provider_ref.is_empty()
}

/// Whether a receipt that nobody here knows the message of may be of one whose gateway has not answered yet: of
/// the one that it names, else of any that is on its way.
async fn may_be_early(
    shared: &Shared,
    gateway: &str,
    receipt: &Receipt,
) -> Result<bool, StoreError> {
    let now = shared.now();
    let near = |at: UtcMs| (-EARLY_MS..EARLY_MS).contains(&now.since_ms(at));
    if !receipt.at.is_none_or(near) {
        return Ok(false);
    }
    if receipt.own.is_some() {
        let row = own(shared, gateway, receipt).await?;
        return Ok(row.is_some_and(|row| unanswered(&row, gateway)));
    }
    let ask = MessageAsk {
        state: Some(MessageState::Sending),
        limit: PAGE_LIMIT_MAX,
        ..MessageAsk::default()
    };
    let rows = shared.out.store.messages_page(&ask).await?;
    Ok(rows.iter().any(|row| unanswered(row, gateway)))
}

/// Looks a few times more for messages that nobody here knows yet; gives whether one of them still may be ours
/// and its provider tells it again. What has no instant is not asked for again: it could be for ever.
async fn look_again(
    shared: &Arc<Shared>,
    gateway: &str,
    mut open: Vec<&Receipt>,
) -> Result<bool, StoreError> {
    for look in 0..LOOKS {
        let mut early = Vec::new();
        for receipt in open {
            // Asked first: an answer that is written between is found by the look behind it.
            let awaited = may_be_early(shared, gateway, receipt).await?;
            if take(shared, gateway, receipt).await? {
                continue;
            }
            if awaited {
                early.push(receipt);
            } else {
                stranger(gateway);
            }
        }
        open = early;
        if open.is_empty() {
            return Ok(false);
        }
        if look + 1 < LOOKS {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }
    let of_it = carrier(shared, gateway);
    let again = of_it.is_some_and(|m| m.comes_again());
    Ok(again && open.iter().any(|receipt| receipt.at.is_some()))
}

fn stranger(gateway: &str) {
    tracing::info!(gateway, "receipt of a message that nobody here sent");
}

/// The gateway of that name.
fn carrier<'a>(shared: &'a Shared, gateway: &str) -> Option<&'a Arc<dyn Messenger>> {
    let mut all = shared.config.messengers.iter();
    all.find(|m| m.name() == gateway)
}

/// Takes what waited in a gateway's own mailbox; `false` when it must stay there, for it is about a message
/// whose gateway has not answered yet.
pub(crate) async fn asked(
    shared: &Arc<Shared>,
    gateway: &str,
    receipt: &Receipt,
) -> Result<bool, StoreError> {
    if take(shared, gateway, receipt).await? {
        return Ok(true);
    }
    if receipt.own.is_some() && may_be_early(shared, gateway, receipt).await? {
        return Ok(false);
    }
    stranger(gateway);
    Ok(true)
}

/// Obeys a provider that says with a failure that the debtor asked it for no more messages. First the stop, then
/// the record: told again after a crash between them, it is obeyed again; told again behind both, it is not, for
/// somebody may have lifted it.
async fn obey_provider(
    shared: &Arc<Shared>,
    gateway: &str,
    row: &Message,
    receipt: &Receipt,
) -> Result<(), StoreError> {
    let ReceiptKind::Failed { code, .. } = &receipt.kind else {
        return Ok(());
    };
    let asked = carrier(shared, gateway).is_some_and(|m| m.is_optout(code));
    let new = row.state.may_become(MessageState::Failed) || is_lost(row);
    if asked && new {
        heard::told_provider(shared, row).await?;
    }
    Ok(())
}

/// Writes down what is told; `false` when nobody here knows the message.
async fn take(shared: &Arc<Shared>, gateway: &str, receipt: &Receipt) -> Result<bool, StoreError> {
    let (state, reason, bad) = match &receipt.kind {
        ReceiptKind::Reply { .. } => {
            return heard::take(shared, gateway, receipt).await.map(|()| true);
        }
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
    let Some(row) = named(shared, gateway, receipt).await? else {
        return Ok(false);
    };
    obey_provider(shared, gateway, &row, receipt).await?;
    let now = shared.now();
    // A report that a mail could not be delivered is the mail come back, whatever its reason.
    let state = match state {
        MessageState::Failed if row.channel == Channel::Email => MessageState::Bounced,
        other => other,
    };
    let step = MessageStep {
        state: Some(state),
        at: receipt.at.map_or(now, |at| at.min(now)),
        reason,
        point_bad: bad,
        ..MessageStep::default()
    };
    write(shared, gateway, row, (&receipt.provider_ref, step)).await?;
    Ok(true)
}

/// Writes what a receipt makes of its message. Where the message is lost between the look and the write, it is
/// found again by the same receipt.
async fn write(
    shared: &Shared,
    gateway: &str,
    mut row: Message,
    (name, mut step): (&str, MessageStep),
) -> Result<(), StoreError> {
    let store = &shared.out.store;
    let state = step.state.unwrap_or(row.state);
    for _ in 0..WRITES {
        // That it left, under its name, stands for the answer with what it cost: it may be lost by now.
        let named = state == MessageState::Sent && row.provider_ref.is_empty();
        if named || is_lost(&row) {
            found_again(shared, gateway, &row, (name, step.at)).await?;
        }
        step.provider_ref = Some(name.to_owned()).filter(|_| row.provider_ref.is_empty());
        let reason = step.reason.as_deref().unwrap_or_default();
        let event = event_of(shared, &row, state, reason);
        if store.note_message(row.id, &step, &[event]).await? {
            if step.point_bad {
                bad_point(shared, &row);
            }
            return Ok(());
        }
        row = store.get_message(row.id).await?;
        if !is_lost(&row) {
            return Ok(());
        }
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
    let (cost_micro, currency) = carrier(shared, gateway).map_or((0, None), |m| m.price());
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
    /// Part of it is about a message whose gateway has not answered yet: the provider comes again.
    Early,
}

/// Takes a provider's call.
pub(crate) async fn hook(
    shared: Arc<Shared>,
    gateway: &str,
    call: &Hook<'_>,
) -> Result<HookReply, Refused> {
    let reply = carrier(&shared, gateway)
        .ok_or(Refused::Unknown)?
        .hook(call)
        .map_err(Refused::Fault)?;
    // One that cannot be taken yet keeps no other of the same call back.
    let mut taken = Ok(());
    let mut unknown = Vec::new();
    for receipt in &reply.receipts {
        match take(&shared, gateway, receipt).await {
            Ok(true) => {}
            Ok(false) => unknown.push(receipt),
            Err(error) => taken = taken.and(Err(error)),
        }
    }
    let early = look_again(&shared, gateway, unknown).await;
    taken.map_err(Refused::Store)?;
    if early.map_err(Refused::Store)? {
        return Err(Refused::Early);
    }
    Ok(reply)
}
