//! Messages: queued ones leave when they are due and the law allows it, what gateways tell is written
//! down, what debtors write reaches the inbox, and what must not leave any more is withdrawn.

pub(crate) mod compose;
mod heard;
mod send;
pub(crate) mod told;
pub(crate) mod values;

pub(crate) use send::rule_of;
use told::Told;

use crate::shared::Shared;
use crate::tasks::pause;
use domain::entity::{Channel, Message, MessageState};
use domain::event::{Event, NewEvent};
use domain::ids::DebtorId;
use domain::ports::Messenger;
use domain::ports::store::StoreError;
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Between two looks for messages that are due, ms.
const LOOK_MS: u64 = 500;
/// Lease on a message, ms: longer than the longest wait for a gateway's answer.
const LEASE_MS: i64 = 2 * MINUTE_MS;
/// Messages at once at one gateway.
const AT_ONCE: usize = 8;
/// Most messages of one look.
const LOOK_MAX: u32 = 64;
/// Between two looks into the gateways' mailboxes, ms.
const POLL_MS: i64 = 2 * SECOND_MS;
/// Most receipts of one look.
const POLL_MAX: usize = 200;

/// What a gateway may still send this minute; the rate holds for one node.
struct Allowance {
    since: UtcMs,
    sent: u32,
}

impl Allowance {
    fn left(&mut self, now: UtcMs, per_minute: u32) -> u32 {
        if now.since_ms(self.since) >= MINUTE_MS || now < self.since {
            self.since = now;
            self.sent = 0;
        }
        per_minute.saturating_sub(self.sent).min(LOOK_MAX)
    }
}

/// Sends, asks the mailboxes, until the center stops. A node without gateways does neither.
pub(crate) async fn run(shared: Arc<Shared>) {
    let gateways = shared.config.messengers.clone();
    if gateways.is_empty() {
        return;
    }
    let mut stop = shared.stop.clone();
    let mut allowances: Vec<Allowance> = gateways
        .iter()
        .map(|_| Allowance {
            since: shared.now(),
            sent: 0,
        })
        .collect();
    let mut polled = shared.now();
    while pause(&mut stop, LOOK_MS).await {
        for (gateway, allowance) in gateways.iter().zip(&mut allowances) {
            if let Err(error) = round(&shared, gateway, allowance).await {
                shared.mind(&error).await;
            }
        }
        if shared.now().since_ms(polled).abs() >= POLL_MS {
            polled = shared.now();
            for gateway in &gateways {
                mailbox(&shared, gateway).await;
            }
        }
    }
}

async fn round(
    shared: &Arc<Shared>,
    gateway: &Arc<dyn Messenger>,
    allowance: &mut Allowance,
) -> Result<(), StoreError> {
    let now = shared.now();
    let most = allowance.left(now, gateway.per_minute());
    let store = &shared.out.store;
    let (due, lost) = store
        .claim_messages(now, now.plus_ms(LEASE_MS), gateway.channels(), most)
        .await?;
    for row in lost {
        shared.journal(event(shared, &row, "message.failed"));
    }
    allowance.sent += u32::try_from(due.len()).unwrap_or(u32::MAX);
    let mut at_work = JoinSet::new();
    for row in due {
        if at_work.len() >= AT_ONCE {
            at_work.join_next().await;
        }
        let (shared, gateway) = (Arc::clone(shared), Arc::clone(gateway));
        at_work.spawn(async move {
            let id = row.id;
            if let Err(error) = send::one(&shared, gateway.as_ref(), row).await {
                shared.mind(&error).await;
                tracing::warn!(message = %id, reason = %error, "message not looked after");
            }
        });
    }
    while at_work.join_next().await.is_some() {}
    Ok(())
}

/// Whether a gateway carries a channel; a node without gateways leaves that to the others.
pub(crate) fn carried(shared: &Shared, channel: Channel) -> bool {
    let gateways = &shared.config.messengers;
    gateways.is_empty() || gateways.iter().any(|g| g.channels().contains(&channel))
}

async fn mailbox(shared: &Arc<Shared>, gateway: &Arc<dyn Messenger>) {
    match gateway.poll(POLL_MAX).await {
        Ok(receipts) => {
            let mut written = Vec::new();
            for receipt in receipts {
                match told::take(shared, gateway.name(), &receipt, Told::Asked).await {
                    Ok(()) => written.push(receipt),
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
        "strategy_id": row.strategy_id, "step": row.step,
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
            | "debt.recalled"
            | "plan.broken"
            | "plan.completed"
            | "plan.cancelled"
    );
    if !stops || shared.config.messengers.is_empty() {
        return Ok(());
    }
    let subject = event.subject.strip_prefix("debtor:");
    let named = subject.or_else(|| event.data.get("debtor_id").and_then(|v| v.as_str()));
    let Some(debtor) = named.and_then(|id| id.parse::<DebtorId>().ok()) else {
        return Ok(());
    };
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
