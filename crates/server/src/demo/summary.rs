//! The demo's summary: the JSON of the contract, and the same in words.

use center::view::Figures;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A quotient by its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    /// Numerator.
    pub numerator: u64,
    /// Denominator.
    pub denominator: u64,
}

/// A quotient of durations by its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RatioMs {
    /// Numerator.
    pub numerator_ms: u64,
    /// Denominator.
    pub denominator_ms: u64,
}

/// Two percentiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th.
    pub p99: f64,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
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

/// Nobody measured it: JSON says null.
const UNMEASURED: Percentiles = Percentiles {
    p50: f64::NAN,
    p99: f64::NAN,
};

impl Summary {
    /// A day without sockets and audio, as the engine counted it; `seconds` of the day's own clock, as its
    /// occupancy is. A card's and a voice's way is not there to be measured.
    #[must_use]
    pub(crate) fn of_figures(figures: Figures, seconds: u64, clock_offset_ms: i64) -> Self {
        Self {
            seconds,
            attempts: figures.attempts,
            answered_human: figures.answered_human,
            answered_machine: figures.answered_machine,
            connected: figures.connected,
            abandoned: figures.abandoned,
            abandonment: Ratio {
                numerator: figures.abandonment.numerator,
                denominator: figures.abandonment.denominator,
            },
            occupancy: RatioMs {
                numerator_ms: figures.occupancy.numerator_ms,
                denominator_ms: figures.occupancy.denominator_ms,
            },
            dispositions: figures.dispositions,
            promises: figures.promises,
            recordings: figures.recordings,
            recording_ms: figures.recording_ms,
            screen_pop_ms: UNMEASURED,
            bridge_ms: UNMEASURED,
            wait_ms: UNMEASURED,
            clock_offset_ms,
            blocked: figures.blocked,
            errors: figures.errors,
        }
    }

    /// The same in words.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        let blocked: Vec<String> = self
            .blocked
            .iter()
            .map(|(reason, n)| format!("{reason} {n}"))
            .collect();
        let blocked = if blocked.is_empty() {
            "none".to_owned()
        } else {
            blocked.join(", ")
        };
        format!(
            "in {} s: {} dialed, {} people and {} machines answered, {} with an agent\n\
             abandoned {} of {} live answers; occupancy {} of {} s\n\
             {} dispositions, {} promises; {} recordings ({} s)\n\
             card after answer p50 {} p99 {} ms; voice p50 {} p99 {} ms; waits p50 {} p99 {} ms\n\
             refused: {blocked}; errors: {}",
            self.seconds,
            self.attempts,
            self.answered_human,
            self.answered_machine,
            self.connected,
            self.abandonment.numerator,
            self.abandonment.denominator,
            self.occupancy.numerator_ms / 1_000,
            self.occupancy.denominator_ms / 1_000,
            self.dispositions,
            self.promises,
            self.recordings,
            self.recording_ms / 1_000,
            self.screen_pop_ms.p50,
            self.screen_pop_ms.p99,
            self.bridge_ms.p50,
            self.bridge_ms.p99,
            self.wait_ms.p50,
            self.wait_ms.p99,
            self.errors,
        )
    }
}
