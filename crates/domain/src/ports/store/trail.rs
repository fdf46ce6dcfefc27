//! What is kept of calls beside the attempt: transfers, ladders and quality, and how trunks do.

use super::StoreError;
use crate::entity::{CallResult, CallTrail, Transfer};
use crate::event::NewEvent;
use crate::ids::{AttemptId, ClientId, TrunkId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Attempts of one trunk whose INVITE left in one slice of time, that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrunkCount {
    /// Slice, counted from `since`.
    pub slice: i64,
    /// Result; `None` while it runs.
    pub result: Option<CallResult>,
    /// Raw SIP status.
    pub sip_code: Option<i32>,
    /// Raw Q.850 cause.
    pub q850: Option<i32>,
    /// INVITEs.
    pub invites: i64,
    /// Of them answered.
    pub answered: i64,
    /// Of them rung.
    pub rung: i64,
    /// Sum of INVITE to ringing over those that rang, ms.
    pub pdd_ms: i64,
    /// Sum of joined to ended, ms.
    pub talk_ms: i64,
}

/// Trails of calls.
#[async_trait]
pub trait TrailStore: Send + Sync {
    /// Writes a transfer or its next step (replaces by id).
    async fn put_transfer(
        &self,
        transfer: &Transfer,
        events: &[NewEvent],
    ) -> Result<(), StoreError>;
    /// Transfers of an attempt, oldest first.
    async fn transfers_of(&self, attempt: AttemptId) -> Result<Vec<Transfer>, StoreError>;
    /// Keeps what is left of a call; a repeat replaces it. `NotFound` without the attempt.
    async fn put_trail(
        &self,
        attempt: AttemptId,
        at: UtcMs,
        trail: &CallTrail,
    ) -> Result<(), StoreError>;
    /// What is kept of a call, if anything still is.
    async fn get_trail(&self, attempt: AttemptId) -> Result<Option<CallTrail>, StoreError>;
    /// Forgets at most `limit` trails kept before `before`; how many there were.
    async fn forget_trails(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError>;
    /// Attempts of a trunk whose INVITE left in `[since, until)`, by slices of `slice_ms`.
    async fn trunk_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<TrunkCount>, StoreError>;
    /// Whether a number (E.164 with `+`) may never be called for a client, whoever answers it.
    async fn number_listed(&self, client: ClientId, number: &str) -> Result<bool, StoreError>;
}
