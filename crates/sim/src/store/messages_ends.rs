//! How messages end before they leave.

use super::Tables;
use domain::entity::{LedgerRow, Message, MessageState};
use domain::ids::MessageId;
use domain::time::UtcMs;

/// Cancels a message that waits.
pub(super) fn cancel(t: &mut Tables, id: MessageId, why: &str, now: UtcMs) {
    if let Some(row) = t.messages.get_mut(&id) {
        row.state = MessageState::Cancelled;
        row.reason = why.to_owned();
        row.ended_at = Some(now);
    }
    t.message_leases.remove(&id);
    never_left(t, id);
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
        never_left(t, row.id);
    }
    ended
}
