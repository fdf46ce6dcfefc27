//! Calls that come in.

use super::{Page, PageRequest, StoreError};
use crate::entity::{Attempt, CallerId, InboundCall, InboundOutcome};
use crate::event::NewEvent;
use crate::ids::{AttemptId, CampaignId, ClientId, DebtorId, PointId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Whom a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCaller {
    /// The debtor.
    pub debtor_id: DebtorId,
    /// The point that has the number.
    pub point_id: PointId,
    /// Campaign of the most recent attempt to it.
    pub campaign_id: Option<CampaignId>,
}

/// Narrows the list of calls that came in.
#[derive(Debug, Clone, Default)]
pub struct InboundAsk {
    /// Client.
    pub client_id: Option<ClientId>,
    /// Campaign.
    pub campaign_id: Option<CampaignId>,
    /// Came at or after.
    pub since: Option<UtcMs>,
    /// Outcome.
    pub outcome: Option<InboundOutcome>,
}

/// Calls of a campaign that came in since an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InboundCount {
    /// All.
    pub offered: u64,
    /// Joined with an agent.
    pub answered: u64,
    /// Joined within the limit asked for.
    pub in_time: u64,
    /// Hung up while they waited.
    pub gave_up: u64,
    /// Asked to be called back.
    pub call_back: u64,
    /// Wanted no more calls.
    pub opted_out: u64,
    /// Heard the announcement instead.
    pub announced: u64,
    /// Called while the line is open, and it had nobody for them ([`InboundOutcome::unserved`]); most of them are among
    /// the announced.
    pub unserved: u64,
    /// Wait now.
    pub waiting: u64,
    /// Since when the first of them waits.
    pub waiting_since: Option<UtcMs>,
    /// Σ wait of the answered, ms.
    pub wait_ms: u64,
}

/// Calls that come in.
#[async_trait]
pub trait InboundStore: Send + Sync {
    /// Opens the attempt of a call that came in: no law is asked and no ledger row is written, for nobody
    /// was dialed. `false` when the person or the number has a live attempt. `Fenced` as `open_attempt`.
    async fn open_inbound(
        &self,
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Writes a call that came in, or its next step (replaces by id).
    async fn put_inbound(&self, row: &InboundCall, events: &[NewEvent]) -> Result<(), StoreError>;
    /// One of them.
    async fn get_inbound(&self, id: AttemptId) -> Result<InboundCall, StoreError>;
    /// A page of them, newest first by id.
    async fn list_inbound(
        &self,
        ask: &InboundAsk,
        page: &PageRequest,
    ) -> Result<Page<InboundCall>, StoreError>;
    /// Figures of a campaign's calls since `since`; answers within `within_ms` are in time.
    async fn inbound_count(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        within_ms: i64,
    ) -> Result<InboundCount, StoreError>;
    /// Open calls of a node that are nobody's any more become `lost`; how many there were.
    async fn lost_inbound(&self, node: &str, at: UtcMs) -> Result<u64, StoreError>;
    /// Whom a number (E.164 with `+`, in any of its [`crate::phone::forms`]) belongs to: the debtor of the
    /// client's most recent attempt to it, else one who has it as a point that is not marked bad, the oldest
    /// first.
    async fn known_caller(
        &self,
        client: ClientId,
        number: &str,
    ) -> Result<Option<KnownCaller>, StoreError>;
    /// The caller id with that number (E.164 with `+`), oldest first, whether or not it may be shown now.
    async fn caller_id_numbered(&self, number: &str) -> Result<Option<CallerId>, StoreError>;
}
