//! Time as an argument: a monotonic millisecond count handed in by the caller.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on the caller's monotonic clock, in milliseconds since a start the caller chose.
///
/// The digest nonces carry it too, so two endpoints that share a nonce key must share the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The distance from `earlier` to here in milliseconds, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The distance from `now` to this deadline, zero when it has passed.
    #[must_use]
    pub fn until_from(self, now: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }
}

impl Add<u64> for Millis {
    type Output = Millis;

    fn add(self, ms: u64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }
}

impl Sub<u64> for Millis {
    type Output = Millis;

    fn sub(self, ms: u64) -> Millis {
        Millis(self.0.saturating_sub(ms))
    }
}
