//! What the simulated carrier writes down and what it does wrong.

use domain::ids::AttemptId;
use domain::time::UtcMs;
use std::sync::{Arc, Mutex, MutexGuard};

/// One INVITE as the carrier saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Attempt.
    pub attempt: AttemptId,
    /// Number.
    pub number: String,
    /// When.
    pub at: UtcMs,
}

/// What goes wrong on the telephone side.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrunkFaults {
    /// Reports lost, percent.
    pub lost_pct: u32,
    /// Reports told twice, percent.
    pub repeated_pct: u32,
    /// Reports told late, so that later ones overtake them, percent.
    pub delayed_pct: u32,
    /// Longest time from an order to its INVITE, ms.
    pub slow_dial_ms: u64,
}

/// What the carrier did wrong so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// Reports lost.
    pub lost: u64,
    /// Reports told twice.
    pub repeated: u64,
    /// Reports told late.
    pub delayed: u64,
    /// Agents' legs dropped.
    pub legs_dropped: u64,
}

impl std::ops::AddAssign for Mishaps {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.delayed += other.delayed;
        self.legs_dropped += other.legs_dropped;
    }
}

/// The carrier's log, which outlives our process.
pub type InviteLog = Arc<Mutex<Vec<Invite>>>;

/// A lock that a panic of another holder does not spoil.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}
