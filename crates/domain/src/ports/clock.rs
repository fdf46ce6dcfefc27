//! Time and identity from outside.

use crate::entity::ClockSeen;
use crate::time::UtcMs;

/// The wall clock. Pure rooms never see it: they are handed `now`.
pub trait Clock: Send + Sync {
    /// The present instant. Never runs backwards within a process.
    fn now(&self) -> UtcMs;
    /// The clock beside itself: how long the process runs, and how far the machine's date is from [`Clock::now`].
    /// One that nobody compares is in step.
    fn seen(&self) -> ClockSeen {
        ClockSeen {
            mono_ms: 0,
            drift_ms: 0,
        }
    }
}

/// Source of UUIDv7 identities.
pub trait IdSource: Send + Sync {
    /// A new identity made at `now`.
    fn next(&self, now: UtcMs) -> uuid::Uuid;
}
