//! The queue of callers as the board shows it.

use serde::Serialize;

/// The queue of a campaign in its day, over all nodes (what another node has seen comes within seconds;
/// kept places are those of this node): service level = `in_time` ÷ (`answered` + `gave_up`),
/// mean wait = `wait_ms` ÷ `answered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InboundRow {
    /// Callers who wait now.
    pub waiting: u32,
    /// Longest wait of them, ms.
    pub longest_wait_ms: i64,
    /// Places kept for call-backs now.
    pub places_kept: u32,
    /// Calls that came in.
    pub offered: u64,
    /// Joined with an agent.
    pub answered: u64,
    /// Joined within `service_level_s`.
    pub in_time: u64,
    /// Hung up while they waited.
    pub gave_up: u64,
    /// Left to be called back.
    pub call_backs: u64,
    /// Wanted no more calls while they waited.
    pub opted_out: u64,
    /// Heard the announcement instead (closed, held, nobody there, full, too late).
    pub announced: u64,
    /// Σ wait of the answered, ms.
    pub wait_ms: i64,
    /// Limit of the service level, s.
    pub service_level_s: i64,
}
