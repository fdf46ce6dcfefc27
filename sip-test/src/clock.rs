//! Time: one steady count for SIP and media, and the wall clock it began at.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sip::Millis;

/// A steady millisecond count with its place on the wall clock. Copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    unix_ms: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::start()
    }
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start: Instant::now(),
            unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// A point of this clock as epoch milliseconds.
    #[must_use]
    pub const fn unix_ms(&self, at: Millis) -> u64 {
        self.unix_ms.saturating_add(at.0)
    }

    /// A point of this clock as an instant to sleep until.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        self.start + Duration::from_millis(at.0)
    }
}
