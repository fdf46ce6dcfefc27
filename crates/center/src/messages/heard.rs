//! What debtors write: counted, put into the inbox, and obeyed where it asks for no more messages.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use crate::stops;
use domain::entity::{
    Channel, Hold, HoldKind, HoldScope, InboxMessage, InboxState, LedgerKind, LedgerRow,
    Suppression, SuppressionKind,
};
use domain::ids::{ClientId, DebtorId, HoldId, InboxId, LedgerId, SuppressionId};
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, Heard, StoreError};
use domain::ports::{Receipt, ReceiptKind};
use domain::rules::messaging::is_opt_out;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// The debtor who wrote: of the message that is answered, of the last one to the address, or the only one
/// who has the address.
async fn writer(
    shared: &Shared,
    (gateway, channel, from): (&str, Channel, &str),
    answers: Option<&str>,
) -> Result<(Option<domain::entity::Message>, Option<DebtorId>), StoreError> {
    let store = &shared.out.store;
    let mut message = None;
    if let Some(name) = answers {
        message = store.message_by_ref(gateway, name).await?;
    }
    if message.is_none() {
        message = store.last_message_to(channel, from).await?;
    }
    if let Some(message) = message {
        let debtor = message.debtor_id;
        return Ok((Some(message), Some(debtor)));
    }
    let known = store.debtors_at(from).await?;
    Ok(match known.as_slice() {
        [one] => (None, Some(one.id)),
        _ => (None, None),
    })
}

fn counted(facts: &ContactFacts, row: &InboxMessage) -> LedgerRow {
    let point = facts
        .points
        .iter()
        .find(|p| p.value.reveal() == row.address.reveal());
    LedgerRow {
        id: LedgerId(Uuid::new_v5(&row.id.0, b"reply")),
        person_id: facts.debtor.person_id,
        debtor_id: facts.debtor.id,
        client_id: facts.debtor.client_id,
        debts: facts.debts.iter().map(|d| d.id).collect(),
        point_id: point.map(|p| p.id),
        address: row.address.clone(),
        class: point.map_or(domain::entity::PointClass::Other, |p| p.class),
        channel: row.channel,
        kind: LedgerKind::Reply,
        at: row.received_at,
        attempt_id: None,
        campaign_id: None,
        reached_network: None,
    }
}

/// Holds a debtor against a channel.
async fn hold(
    shared: &Arc<Shared>,
    row: &InboxMessage,
    (client_id, debtor_id): (ClientId, DebtorId),
) -> Result<(), CenterError> {
    let name = format!("optout:{}", row.channel);
    let hold = Hold {
        id: HoldId(Uuid::new_v5(&debtor_id.0, name.as_bytes())),
        client_id,
        debtor_id,
        scope: HoldScope::Debtor,
        debt_id: None,
        point_id: None,
        channel: Some(row.channel),
        kind: HoldKind::ChannelOptout,
        from: shared.now(),
        until: None,
        lifted_at: None,
        evidence: format!("inbox:{}", row.id),
    };
    stops::hold(Arc::clone(shared), Actor::System, hold).await
}

/// No more messages by this channel: a hold on the debtor and on every other debtor of his client who has
/// the address, or a listing of the address when nobody is known to have written.
async fn obey(shared: &Arc<Shared>, row: &InboxMessage) -> Result<(), StoreError> {
    let now = shared.now();
    let told = match (row.client_id, row.debtor_id) {
        (Some(client), Some(debtor)) => {
            let same = shared.out.store.debtors_at(row.address.reveal()).await?;
            let mut told = hold(shared, row, (client, debtor)).await;
            for other in same
                .iter()
                .filter(|d| d.client_id == client && d.id != debtor)
            {
                if told.is_ok() {
                    told = hold(shared, row, (client, other.id)).await;
                }
            }
            told
        }
        _ => {
            let kind = match row.channel {
                Channel::Email => SuppressionKind::Email,
                _ => SuppressionKind::Phone,
            };
            let listing = Suppression {
                id: SuppressionId(Uuid::new_v5(&row.id.0, b"optout")),
                client_id: None,
                debtor_id: None,
                kind,
                value: row.address.clone(),
                reason: "optout".to_owned(),
                created_at: now,
                lifted_at: None,
            };
            stops::suppress(Arc::clone(shared), Actor::System, listing).await
        }
    };
    told.map_err(|error| match error {
        CenterError::Store(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    })
}

/// Takes a message of a debtor.
pub(super) async fn take(
    shared: &Arc<Shared>,
    gateway: &str,
    receipt: &Receipt,
) -> Result<(), StoreError> {
    let ReceiptKind::Reply {
        channel,
        from,
        text,
        answers,
    } = &receipt.kind
    else {
        return Ok(());
    };
    let now = shared.now();
    let by = (gateway, *channel, from.reveal().as_str());
    let (message, debtor) = writer(shared, by, answers.as_deref()).await?;
    let facts = match debtor {
        Some(id) => Some(shared.out.store.contact_facts(id, now).await?),
        None => None,
    };
    let row = InboxMessage {
        id: InboxId(shared.id()),
        client_id: facts.as_ref().map(|f| f.debtor.client_id),
        debtor_id: debtor,
        message_id: message.map(|m| m.id),
        channel: *channel,
        address: Pii(from.reveal().clone()),
        text: text.clone(),
        gateway: gateway.to_owned(),
        provider_ref: receipt.provider_ref.clone(),
        state: InboxState::New,
        optout: is_opt_out(text.reveal()),
        received_at: receipt.at.map_or(now, |at| at.min(now)),
        handled_at: None,
        handled_by: String::new(),
    };
    let data = json!({
        "debtor_id": row.debtor_id, "channel": row.channel, "message_id": row.message_id,
        "optout": row.optout,
    });
    let subject = format!("inbox:{}", row.id);
    let event = shared.event(row.client_id, "system", "message.received", subject, data);
    // First the stop, then the record: told again after a crash between them, it is obeyed again.
    if row.optout {
        obey(shared, &row).await?;
    }
    let heard = Heard {
        ledger: facts.as_ref().map(|f| counted(f, &row)),
        events: vec![event],
        row,
    };
    shared.out.store.hear(&heard).await.map(drop)
}
