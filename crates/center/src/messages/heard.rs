//! What debtors write: counted, put into the inbox, and obeyed where it asks for no more messages.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use crate::stops;
use domain::entity::{
    Channel, Debtor, Hold, HoldKind, HoldScope, InboxMessage, InboxState, LedgerKind, LedgerRow,
    Message, Suppression, SuppressionKind,
};
use domain::ids::{ClientId, DebtorId, HoldId, InboxId, LedgerId, SuppressionId};
use domain::phone;
use domain::pii::Pii;
use domain::ports::store::{ContactFacts, Heard, StoreError};
use domain::ports::{Receipt, ReceiptKind};
use domain::rules::messaging::is_opt_out;
use domain::time::UtcMs;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Every form under which a channel may name an address, the given one first.
pub(super) fn forms(channel: Channel, address: &str) -> Vec<String> {
    match channel {
        Channel::Email => vec![address.to_owned()],
        _ => phone::forms(address),
    }
}

/// When somebody last wrote from an address by a channel, under whichever form.
pub(super) async fn last_heard(
    shared: &Shared,
    channel: Channel,
    address: &str,
) -> Result<Option<UtcMs>, StoreError> {
    let mut last = None;
    for form in forms(channel, address) {
        last = last.max(shared.out.store.last_heard(channel, &form).await?);
    }
    Ok(last)
}

/// Who wrote, by what, and from where: the address in the form in which it is known here.
struct Writer {
    message: Option<Message>,
    facts: Option<ContactFacts>,
    address: String,
}

/// The debtor who wrote: of the message that is answered, of the last one to the address, or the only one
/// who has the address.
async fn writer(
    shared: &Shared,
    (gateway, channel, from): (&str, Channel, &str),
    answers: Option<&str>,
) -> Result<Writer, StoreError> {
    let store = &shared.out.store;
    let forms = forms(channel, from);
    let mut message = None;
    if let Some(name) = answers {
        message = store.message_by_ref(gateway, name).await?;
    }
    if message.is_none() {
        for form in &forms {
            let last = store.last_message_to(channel, form).await?;
            let later = |l: &Message| message.as_ref().is_none_or(|m| m.sent_at < l.sent_at);
            message = last.filter(later).or(message);
        }
    }
    let mut debtor = message.as_ref().map(|m| m.debtor_id);
    let mut address = from.to_owned();
    if debtor.is_none() {
        let known = debtors_at(shared, &forms).await?;
        if let Some((_, form)) = known.first() {
            address.clone_from(form);
        }
        debtor = match known.as_slice() {
            [(one, _)] => Some(one.id),
            _ => None,
        };
    }
    let facts = match debtor {
        Some(id) => Some(store.contact_facts(id, shared.now()).await?),
        None => None,
    };
    let points = facts.iter().flat_map(|f| &f.points).map(|p| &p.value);
    let sent_to = message.iter().filter_map(|m| m.address.as_ref());
    let ours = sent_to.chain(points).map(Pii::reveal);
    if let Some(known) = ours.into_iter().find(|a| forms.contains(*a)) {
        address.clone_from(known);
    }
    Ok(Writer {
        message,
        facts,
        address,
    })
}

/// Debtors who have an address in one of its forms, each once, with the form in which he has it.
async fn debtors_at(
    shared: &Shared,
    forms: &[String],
) -> Result<Vec<(Debtor, String)>, StoreError> {
    let mut known: Vec<(Debtor, String)> = Vec::new();
    for form in forms {
        for debtor in shared.out.store.debtors_at(form).await? {
            if known.iter().all(|(d, _)| d.id != debtor.id) {
                known.push((debtor, form.clone()));
            }
        }
    }
    Ok(known)
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

/// A wish for no more messages by a channel to an address, and what shows it.
struct Wish<'a> {
    channel: Channel,
    address: &'a str,
    evidence: String,
}

/// Holds a debtor against a channel.
async fn hold(
    shared: &Arc<Shared>,
    wish: &Wish<'_>,
    (client_id, debtor_id): (ClientId, DebtorId),
) -> Result<(), CenterError> {
    let name = format!("optout:{}", wish.channel);
    let hold = Hold {
        id: HoldId(Uuid::new_v5(&debtor_id.0, name.as_bytes())),
        client_id,
        debtor_id,
        scope: HoldScope::Debtor,
        debt_id: None,
        point_id: None,
        channel: Some(wish.channel),
        kind: HoldKind::ChannelOptout,
        from: shared.now(),
        until: None,
        lifted_at: None,
        evidence: wish.evidence.clone(),
    };
    stops::hold(Arc::clone(shared), Actor::System, hold).await
}

/// No more messages by this channel: a hold on the debtor and on every other debtor of his client who has
/// the address.
async fn hold_all(
    shared: &Arc<Shared>,
    wish: &Wish<'_>,
    (client, debtor): (ClientId, DebtorId),
) -> Result<(), CenterError> {
    hold(shared, wish, (client, debtor)).await?;
    for (other, _) in debtors_at(shared, &forms(wish.channel, wish.address)).await? {
        if other.client_id == client && other.id != debtor {
            hold(shared, wish, (client, other.id)).await?;
        }
    }
    Ok(())
}

/// Lists an address that nobody has: in each of its forms, for whoever gets it later has one of them.
async fn list(shared: &Arc<Shared>, row: &InboxMessage) -> Result<(), CenterError> {
    let kind = match row.channel {
        Channel::Email => SuppressionKind::Email,
        _ => SuppressionKind::Phone,
    };
    let address = row.address.reveal();
    let name = format!("optout:{address}");
    let listing = Suppression {
        id: SuppressionId(Uuid::new_v5(&row.id.0, name.as_bytes())),
        client_id: None,
        debtor_id: None,
        kind,
        value: Pii(address.clone()),
        reason: "optout".to_owned(),
        created_at: shared.now(),
        lifted_at: None,
    };
    stops::suppress(Arc::clone(shared), Actor::System, listing).await
}

fn as_store(error: CenterError) -> StoreError {
    match error {
        CenterError::Store(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// Obeys who wrote that he wants no more messages; the address is listed when nobody is known to have written.
async fn obey(shared: &Arc<Shared>, row: &InboxMessage) -> Result<(), StoreError> {
    let told = match (row.client_id, row.debtor_id) {
        (Some(client), Some(debtor)) => {
            let wish = Wish {
                channel: row.channel,
                address: row.address.reveal(),
                evidence: format!("inbox:{}", row.id),
            };
            hold_all(shared, &wish, (client, debtor)).await
        }
        _ => list(shared, row).await,
    };
    told.map_err(as_store)
}

/// Obeys who told the provider that he wants no more messages: it refuses ours to him from now on.
pub(super) async fn told_provider(shared: &Arc<Shared>, row: &Message) -> Result<(), StoreError> {
    let wish = Wish {
        channel: row.channel,
        address: row.address.as_ref().map_or("", |a| a.reveal().as_str()),
        evidence: format!("message:{}", row.id),
    };
    let told = hold_all(shared, &wish, (row.client_id, row.debtor_id)).await;
    told.map_err(as_store)
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
        optout,
    } = &receipt.kind
    else {
        return Ok(());
    };
    let now = shared.now();
    let by = (gateway, *channel, from.reveal().as_str());
    let by = writer(shared, by, answers.as_deref()).await?;
    let facts = by.facts;
    let row = InboxMessage {
        id: InboxId(shared.id()),
        client_id: facts.as_ref().map(|f| f.debtor.client_id),
        debtor_id: facts.as_ref().map(|f| f.debtor.id),
        message_id: by.message.map(|m| m.id),
        channel: *channel,
        address: Pii(by.address),
        text: text.clone(),
        gateway: gateway.to_owned(),
        provider_ref: receipt.provider_ref.clone(),
        state: InboxState::New,
        optout: *optout || is_opt_out(text.reveal()),
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
