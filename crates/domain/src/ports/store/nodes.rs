//! Nodes: leases with fencing, and recovery of what a dead node left.

use super::{CallbackRow, ItemState, StoreError};
use crate::entity::{Attempt, CallResult, Recording};
use crate::event::NewEvent;
use crate::rules::retry::standard_rule;
use crate::time::{MINUTE_MS, UtcMs};
use async_trait::async_trait;

/// A node's right to write attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeLease {
    /// Node name.
    pub node: String,
    /// Fencing token: grows with every start of any node of that name.
    pub fence: i64,
    /// End of the lease.
    pub until: UtcMs,
}

/// What recovery found.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// Attempts closed as `unknown` (they count as made).
    pub orphans: Vec<Attempt>,
    /// Recordings left open by the dead process, to be repaired.
    pub open_recordings: Vec<Recording>,
    /// Reservations given back.
    pub released: u64,
}

/// Most settings that are read at once.
pub const SETTINGS_MAX: usize = 1_000;

/// Note of an item whose attempt was lost.
pub const RECOVERED: &str = "recovered";

/// Where a debtor stands whose attempt nobody ended: it counts, and he rests as after any unknown result.
/// `None` when he is out of the campaign, or when the attempt's disposition placed him already.
#[must_use]
pub fn rested(item: &ItemState, orphan: &Attempt, now: UtcMs) -> Option<ItemState> {
    if item.done || orphan.disposition.is_some() {
        return None;
    }
    let wait = standard_rule(CallResult::Unknown).map_or(0, |r| r.delay_min * MINUTE_MS);
    Some(ItemState {
        attempts: item.attempts + 1,
        last_result: Some(CallResult::Unknown),
        next_at: item.next_at.max(now.plus_ms(wait)),
        next_point: Some(orphan.point_id),
        // What was agreed with him stays agreed until somebody talked with him.
        note: if CallbackRow::is_agreed(item) && orphan.bridged_at.is_none() {
            CallbackRow::note_of(CallbackRow::agent_of(&item.note))
        } else {
            RECOVERED.to_owned()
        },
        ..item.clone()
    })
}

/// Node leases.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Registers a start: a new, higher fence; older processes of that name are fenced off, and the places that they
    /// kept ([`super::PlaceKept`]) are this one's.
    async fn register_node(
        &self,
        node: &str,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError>;
    /// Prolongs the lease. `Fenced` when a newer process has the name.
    async fn renew_node(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError>;
    /// Closes every live attempt of dead owners (same name with an older fence, or a lease that ended) as
    /// `unknown` with the ledger rows of [`LedgerRow::of_lost`](crate::entity::LedgerRow::of_lost), lets
    /// their debtors rest ([`rested`]), gives their reservations back, appends `attempt.ended` events. Places that a
    /// node kept that does not come back are call-backs that are due, calls that came in to them are `lost`.
    async fn recover(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        events: &(dyn for<'a> Fn(&'a Attempt) -> NewEvent + Send + Sync),
    ) -> Result<Recovery, StoreError>;
    /// The node's place among those whose leases run at `now`, by name, and how many they are; a node
    /// whose own lease does not run counts itself in.
    async fn node_place(&self, node: &str, now: UtcMs) -> Result<(u32, u32), StoreError>;
    /// Whether the database answers (for `/readyz`).
    async fn ping(&self) -> Result<(), StoreError>;
    /// A small durable text value by key (clock offset of a demo, migrations of data).
    async fn get_setting(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// The values whose keys begin so, by key, at most [`SETTINGS_MAX`].
    async fn settings_under(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError>;
    /// Sets it.
    async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError>;
}
