//! The node's clock: the system's, or the same moved by a fixed offset (the demo).

use domain::entity::ClockSeen;
use domain::ports::{Clock, IdSource};
use domain::time::UtcMs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time + offset, driven by the monotonic clock so that a jump of the system's date moves no
/// timer and repeats no window (faults.md promise 24).
#[derive(Debug)]
pub(crate) struct NodeClock {
    started: Instant,
    base_ms: i64,
    offset_ms: i64,
    last: AtomicI64,
}

/// The system's date now.
#[must_use]
pub(crate) fn system_now() -> UtcMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl NodeClock {
    /// The system's clock.
    #[must_use]
    pub(crate) fn system() -> Self {
        Self::shifted(0)
    }

    /// The system's clock moved by `offset_ms`.
    #[must_use]
    pub(crate) fn shifted(offset_ms: i64) -> Self {
        Self {
            started: Instant::now(),
            base_ms: system_now().0,
            offset_ms,
            last: AtomicI64::new(i64::MIN),
        }
    }

    /// How far this clock is from the system's.
    #[must_use]
    pub(crate) const fn offset_ms(&self) -> i64 {
        self.offset_ms
    }
}

impl Clock for NodeClock {
    fn now(&self) -> UtcMs {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = self
            .base_ms
            .saturating_add(self.offset_ms)
            .saturating_add(elapsed);
        UtcMs(self.last.fetch_max(now, Ordering::Relaxed).max(now))
    }

    fn seen(&self) -> ClockSeen {
        let mono = self.started.elapsed().as_millis();
        let mono_ms = i64::try_from(mono).unwrap_or(i64::MAX);
        let ours = self.base_ms.saturating_add(mono_ms);
        ClockSeen {
            mono_ms,
            drift_ms: system_now().0.saturating_sub(ours),
        }
    }
}

/// UUIDv7 from the node's clock and the operating system's randomness.
#[derive(Debug, Default)]
pub(crate) struct RandomIds;

impl IdSource for RandomIds {
    fn next(&self, now: UtcMs) -> uuid::Uuid {
        let ms = u64::try_from(now.0).unwrap_or(0);
        let random: [u8; 10] = rand::random();
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_keeps_its_distance_and_never_runs_back() {
        let clock = NodeClock::shifted(3_600_000);
        let distance = clock.now().since_ms(system_now());
        assert!((3_599_000..=3_601_000).contains(&distance), "{distance}");
        let first = clock.now();
        assert!(clock.now() >= first);
        // Moved on purpose is not adrift.
        let seen = clock.seen();
        assert!(seen.mono_ms >= 0 && seen.drift_ms.abs() < 1_000, "{seen:?}");
        let lost = NodeClock {
            base_ms: system_now().0 - 90_000,
            ..NodeClock::system()
        };
        assert!((89_000..=91_000).contains(&lost.seen().drift_ms));
    }

    #[test]
    fn ids_carry_their_instant() {
        let id = RandomIds.next(UtcMs(1_795_357_200_123));
        assert_eq!(id.get_version_num(), 7);
        let (seconds, nanos) = id.get_timestamp().expect("v7 has a time").to_unix();
        assert_eq!((seconds, nanos / 1_000_000), (1_795_357_200, 123));
    }
}
