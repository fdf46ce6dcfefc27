//! How messages are taken from the queue, and how they end before they leave.

use super::Tables;
use domain::entity::{InboxState, LedgerRow, Message, MessageState, PlannedState};
use domain::event::NewEvent;
use domain::ids::{DebtorId, MessageId, PlannedStepId};
use domain::ports::store::{ClaimAsk, Claimed, GatewayRow, PAGE_LIMIT_MAX, StoreError};
use domain::rules::messaging::{FATE_UNKNOWN, is_undone};
use domain::rules::withdrawal::{endings, freed, frees};
use domain::time::UtcMs;
use uuid::Uuid;

/// When money of a debtor last came.
pub(super) fn paid_at(t: &Tables, debtor: DebtorId) -> Option<UtcMs> {
    let money = t.payments.values();
    let came = money.filter(|p| p.debtor_id == debtor && p.reverses.is_none());
    came.map(|p| p.posted_at).max()
}

/// Cancels a message that waits.
pub(super) fn cancel(t: &mut Tables, id: MessageId, why: &str, now: UtcMs) {
    let key = t.messages.get(&id).and_then(|row| {
        let key = row.plan_key.clone()?;
        let taken = |kept: &str| {
            let mut others = t.messages.values().filter(|o| o.client_id == row.client_id);
            others.any(|o| o.plan_key.as_deref() == Some(kept))
        };
        Some(kept_under(key, why, id.0, taken))
    });
    if let Some(row) = t.messages.get_mut(&id) {
        row.state = MessageState::Cancelled;
        row.reason = why.to_owned();
        row.ended_at = Some(now);
        row.plan_key = key;
    }
    t.message_leases.remove(&id);
    answer_again(t, id);
    never_left(t, id);
}

/// Cancels a step that waits.
pub(super) fn cancel_step(t: &mut Tables, id: PlannedStepId, why: &str, now: UtcMs) {
    let Some(mut row) = t.planned_steps.get(&id).cloned() else {
        return;
    };
    let taken = |kept: &str| {
        let mut others = t.planned_steps.values();
        others.any(|o| o.client_id == row.client_id && o.plan_key == kept)
    };
    row.plan_key = kept_under(row.plan_key.clone(), why, id.0, taken);
    row.state = PlannedState::Cancelled;
    row.reason = why.to_owned();
    row.ended_at = Some(now);
    row.ended_by = "system".into();
    t.planned_steps.insert(id, row);
}

/// Under which key a cancelled row is kept: its own, unless that is given free.
fn kept_under(key: String, why: &str, id: Uuid, taken: impl Fn(&str) -> bool) -> String {
    if !frees(why) {
        return key;
    }
    let (first, further) = endings(id);
    match taken(&freed(&key)) {
        true => key + &further,
        false => key + &first,
    }
}

/// Queues an answer with the mark that it was given; of two who answer, the first has done it.
pub(super) fn answer(
    t: &mut Tables,
    row: &Message,
    events: &[NewEvent],
) -> Result<bool, StoreError> {
    let heard = row.reply_to.and_then(|id| t.inbox.get_mut(&id));
    let heard = heard.ok_or(StoreError::NotFound("message of a debtor"))?;
    if heard.state != InboxState::New {
        return Ok(false);
    }
    heard.state = InboxState::Answered;
    heard.handled_by.clone_from(&row.made_by);
    heard.handled_at = Some(row.created_at);
    t.messages.insert(row.id, row.clone());
    t.append(events);
    Ok(true)
}

/// What an answer was to that did not reach its debtor waits for another one, unless another one was given.
pub(super) fn answer_again(t: &mut Tables, answer: MessageId) {
    let Some(to) = t.messages.get(&answer).and_then(|m| m.reply_to) else {
        return;
    };
    let other = |m: &&Message| m.reply_to == Some(to) && m.id != answer;
    if !t.messages.values().filter(other).all(is_undone) {
        return;
    }
    if let Some(heard) = t.inbox.get_mut(&to)
        && heard.state == InboxState::Answered
    {
        heard.state = InboxState::New;
        heard.handled_by.clear();
        heard.handled_at = None;
    }
}

/// A message that never left does not count.
pub(super) fn never_left(t: &mut Tables, id: MessageId) {
    let counted = LedgerRow::id_of_message(id);
    if let Some(row) = t.ledger.iter_mut().find(|r| r.id == counted) {
        row.reached_network = Some(false);
    }
}

/// Ends what waited longer than it is worth something, whatever its channel: nobody may carry it.
pub(super) fn late(t: &mut Tables, now: UtcMs) -> Vec<Message> {
    let leases = &t.message_leases;
    let waited = |m: &&mut Message| {
        m.state == MessageState::Queued
            && m.due_at <= now
            && m.expires_at <= now
            && leases.get(&m.id).is_none_or(|l| *l <= now)
    };
    let mut ended = Vec::new();
    for row in t.messages.values_mut().filter(waited) {
        row.state = MessageState::Failed;
        row.reason = "expired".into();
        row.ended_at = Some(now);
        ended.push(row.clone());
    }
    for row in &ended {
        answer_again(t, row.id);
        never_left(t, row.id);
    }
    ended
}

/// Messages that fit and that nobody is at, first due first.
fn free(t: &Tables, now: UtcMs, fits: &dyn Fn(&Message) -> bool) -> Vec<MessageId> {
    let lease = |m: &Message| t.message_leases.get(&m.id).is_none_or(|l| *l <= now);
    let mut found: Vec<(UtcMs, MessageId)> = t
        .messages
        .values()
        .filter(|m| fits(m) && lease(m))
        .map(|m| (m.due_at, m.id))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}

/// Leases what is due, counts it under the gateway's name, and ends what was lost.
pub(super) fn claim(t: &mut Tables, ask: &ClaimAsk<'_>) -> Claimed {
    let now = ask.now;
    let mut lost = Vec::new();
    for id in free(t, now, &|m| m.state == MessageState::Sending) {
        if let Some(row) = t.messages.get_mut(&id) {
            row.state = MessageState::Failed;
            row.reason = FATE_UNKNOWN.into();
            row.ended_at = Some(now);
            lost.push(row.clone());
        }
    }
    lost.extend(late(t, now));
    let (mut gateway, most) = GatewayRow::asked(t.gateways.get(ask.gateway).cloned(), ask);
    let waits = |m: &Message| {
        m.state == MessageState::Queued && m.due_at <= now && ask.channels.contains(&m.channel)
    };
    let mut due = Vec::new();
    for id in free(t, now, &waits)
        .into_iter()
        .take(most.min(PAGE_LIMIT_MAX) as usize)
    {
        t.message_leases.insert(id, ask.until);
        due.extend(t.messages.get(&id).cloned());
    }
    gateway.taken = gateway
        .taken
        .saturating_add(u32::try_from(due.len()).unwrap_or(u32::MAX));
    t.gateways.insert(gateway.name.clone(), gateway);
    Claimed { due, lost }
}
