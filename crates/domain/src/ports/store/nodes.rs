//! Nodes: leases with fencing, and recovery of what a dead node left.

use super::StoreError;
use crate::entity::{Attempt, Recording};
use crate::event::NewEvent;
use crate::time::UtcMs;
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

/// Node leases.
#[async_trait]
pub trait NodeStore: Send + Sync {
    /// Registers a start: a new, higher fence; older processes of that name are fenced off.
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
    /// `unknown`, gives their reservations back, appends `attempt.ended` events.
    async fn recover(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        events: &(dyn for<'a> Fn(&'a Attempt) -> NewEvent + Send + Sync),
    ) -> Result<Recovery, StoreError>;
    /// Whether the database answers (for `/readyz`).
    async fn ping(&self) -> Result<(), StoreError>;
    /// A small durable text value by key (clock offset of a demo, migrations of data).
    async fn get_setting(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// Sets it.
    async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError>;
}
