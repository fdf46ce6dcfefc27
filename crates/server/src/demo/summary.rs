//! The demo's summary: the JSON of the contract, and the same in words.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A quotient by its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// Numerator.
    pub numerator: u64,
    /// Denominator.
    pub denominator: u64,
}

/// A quotient of durations by its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatioMs {
    /// Numerator.
    pub numerator_ms: u64,
    /// Denominator.
    pub denominator_ms: u64,
}

/// Two percentiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th.
    pub p99: f64,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Length of the run.
    pub seconds: u64,
    /// INVITEs that left.
    pub attempts: u64,
    /// People who answered.
    pub answered_human: u64,
    /// Machines that answered.
    pub answered_machine: u64,
    /// Calls joined with an agent.
    pub connected: u64,
    /// Answers without an agent in time.
    pub abandoned: u64,
    /// Abandonment by its parts.
    pub abandonment: Ratio,
    /// Occupancy by its parts.
    pub occupancy: RatioMs,
    /// Dispositions set.
    pub dispositions: u64,
    /// Promises recorded.
    pub promises: u64,
    /// Recordings sealed.
    pub recordings: u64,
    /// Their audio.
    pub recording_ms: u64,
    /// 200 OK → card written.
    pub screen_pop_ms: Percentiles,
    /// 200 OK → first agent audio at the debtor.
    pub bridge_ms: Percentiles,
    /// 200 OK → agent, for calls that had to wait.
    pub wait_ms: Percentiles,
    /// How far the demo's clock is from the machine's.
    pub clock_offset_ms: i64,
    /// Refusals by reason.
    pub blocked: BTreeMap<String, u64>,
    /// Faults of ours.
    pub errors: u64,
}
