//! Messages: queued ones leave when they are due and the law allows it, what gateways tell is written
//! down, what debtors write reaches the inbox, and what must not leave any more is withdrawn.

pub(crate) mod compose;
pub(crate) mod health;
mod heard;
mod pay;
mod send;
pub(crate) mod told;
pub(crate) mod tone;
pub(crate) mod values;

pub(crate) use send::rule_of;

use crate::shared::Shared;
use crate::tasks::pause;
use domain::entity::{Channel, Message, MessageState};
use domain::event::{Event, NewEvent};
use domain::ids::DebtorId;
use domain::ports::Messenger;
use domain::ports::store::{ClaimAsk, GATEWAY_GONE_MS, StoreError};
use domain::time::MINUTE_MS;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Between two looks for messages that are due, ms.
const LOOK_MS: u64 = 500;
/// Lease on a message, ms: longer than the longest wait for a gateway's answer.
pub(crate) const LEASE_MS: i64 = 2 * MINUTE_MS;
/// Messages at once at one gateway.
const AT_ONCE: usize = 8;
/// Between two looks into a gateway's mailbox, ms.
const POLL_MS: u64 = 2_000;
/// Most receipts of one look.
const POLL_MAX: usize = 200;

/// Sends and asks the mailboxes, until the center stops: each gateway by itself, so that one that is slow
/// stops no other. A node without gateways does neither.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    for gateway in &shared.config.messengers {
        tasks.spawn(carry(Arc::clone(&shared), Arc::clone(gateway)));
        tasks.spawn(listen(Arc::clone(&shared), Arc::clone(gateway)));
    }
    while let Some(done) = tasks.join_next().await {
        if let Err(error) = done {
            shared.fault("a gateway is not looked after any more", &error);
        }
    }
}

/// Takes what is due from the queue, a few at a time.
async fn carry(shared: Arc<Shared>, gateway: Arc<dyn Messenger>) {
    let mut stop = shared.stop.clone();
    let mut at_work: JoinSet<()> = JoinSet::new();
    loop {
        // More may be due than there was room for: the next goes when one is done.
        let goes_on = tokio::select! {
            biased;
            Some(_) = at_work.join_next(), if at_work.len() >= AT_ONCE => true,
            on = pause(&mut stop, LOOK_MS) => on,
        };
        if !goes_on {
            break;
        }
        while at_work.try_join_next().is_some() {}
        if at_work.len() < AT_ONCE
            && let Err(error) = round(&shared, &gateway, &mut at_work).await
        {
            shared.mind(&error).await;
        }
    }
    while at_work.join_next().await.is_some() {}
}

async fn round(
    shared: &Arc<Shared>,
    gateway: &Arc<dyn Messenger>,
    at_work: &mut JoinSet<()>,
) -> Result<(), StoreError> {
    let now = shared.now();
    let free = AT_ONCE.saturating_sub(at_work.len());
    let ask = ClaimAsk {
        gateway: gateway.name(),
        channels: gateway.channels(),
        per_minute: gateway.per_minute(),
        now,
        until: now.plus_ms(LEASE_MS),
        limit: u32::try_from(free).unwrap_or(u32::MAX),
    };
    let claimed = shared.out.store.claim_messages(&ask).await?;
    for row in claimed.lost {
        shared.journal(event(shared, &row, "message.failed"));
    }
    for row in claimed.due {
        let (shared, gateway) = (Arc::clone(shared), Arc::clone(gateway));
        at_work.spawn(async move {
            let id = row.id;
            if let Err(error) = send::one(&shared, gateway.as_ref(), row).await {
                shared.mind(&error).await;
                tracing::warn!(message = %id, reason = %error, "message not looked after");
            }
        });
    }
    Ok(())
}

/// Asks a gateway's mailbox.
async fn listen(shared: Arc<Shared>, gateway: Arc<dyn Messenger>) {
    let mut stop = shared.stop.clone();
    while pause(&mut stop, POLL_MS).await {
        mailbox(&shared, &gateway).await;
    }
}

/// Channels that the installation carries: this node's gateways, and those of the others.
pub(crate) async fn carried(shared: &Shared) -> Result<Vec<Channel>, StoreError> {
    let since = shared.now().plus_ms(-GATEWAY_GONE_MS);
    let mut found = shared.out.store.carried_since(since).await?;
    let own = shared.config.messengers.iter();
    found.extend(own.flat_map(|g| g.channels().iter().copied()));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

async fn mailbox(shared: &Arc<Shared>, gateway: &Arc<dyn Messenger>) {
    match gateway.poll(POLL_MAX).await {
        Ok(receipts) => {
            let mut written = Vec::new();
            for receipt in receipts {
                match told::asked(shared, gateway.name(), &receipt).await {
                    Ok(true) => written.push(receipt),
                    Ok(false) => {}
                    Err(error) => {
                        shared.mind(&error).await;
                        tracing::warn!(gateway = gateway.name(), reason = %error, "receipt not written");
                    }
                }
            }
            if let Err(fault) = gateway.put_away(&written).await {
                tracing::warn!(gateway = gateway.name(), reason = %fault, "mailbox not put away");
            }
        }
        Err(fault) => {
            tracing::warn!(gateway = gateway.name(), reason = %fault, "mailbox not read");
        }
    }
}

/// An event about a message: ids, states and codes alone.
pub(crate) fn event(shared: &Shared, row: &Message, kind: &str) -> NewEvent {
    let data = json!({
        "debtor_id": row.debtor_id, "debt_id": row.debt_id, "channel": row.channel,
        "purpose": row.purpose, "state": row.state, "reason": row.reason,
        "strategy_id": row.strategy_id, "step": row.step, "cost_micro": row.cost_micro,
        "currency": row.currency, "sent_at": row.sent_at,
    });
    let subject = format!("message:{}", row.id);
    shared.event(Some(row.client_id), "system", kind, subject, data)
}

/// The same for a state that the row is about to have.
pub(crate) fn event_of(
    shared: &Shared,
    row: &Message,
    state: MessageState,
    reason: &str,
) -> NewEvent {
    let next = Message {
        state,
        reason: reason.to_owned(),
        ..row.clone()
    };
    event(shared, &next, &format!("message.{state}"))
}

/// Obeys what stops messages, whoever told it: what is queued for the debtor and must not leave any more
/// is cancelled.
pub(crate) async fn obey(shared: &Arc<Shared>, told: &Event) -> Result<(), StoreError> {
    let event = &told.event;
    let stops = matches!(
        event.kind.as_str(),
        "payment.posted"
            | "payment.allocated"
            | "hold.placed"
            | "promise.kept"
            | "promise.broken"
            | "promise.cancelled"
            | "promise.replaced"
            | "plan.broken"
            | "plan.completed"
            | "plan.cancelled"
    );
    // A promise silences calls and visits alone.
    let promised = event.kind == "promise.made";
    if !(stops || promised) || !shared.plans() {
        return Ok(());
    }
    let subject = event.subject.strip_prefix("debtor:");
    let named = subject.or_else(|| event.data.get("debtor_id").and_then(|v| v.as_str()));
    let Some(debtor) = named.and_then(|id| id.parse::<DebtorId>().ok()) else {
        return Ok(());
    };
    crate::visits::withdraw(shared, debtor).await?;
    if promised {
        return Ok(());
    }
    withdraw(shared, debtor).await
}

/// Cancels what is queued for a debtor and must not leave any more.
pub(crate) async fn withdraw(shared: &Arc<Shared>, debtor: DebtorId) -> Result<(), StoreError> {
    let teller = Arc::clone(shared);
    let told = move |row: &Message| event(&teller, row, "message.cancelled");
    let gone = shared
        .out
        .store
        .withdraw_messages(debtor, shared.now(), &told)
        .await?;
    if !gone.is_empty() {
        tracing::info!(debtor = %debtor, messages = gone.len(), "queued messages withdrawn");
    }
    Ok(())
}
