//! The base values of all timers (RFC 3261 table 4) and the doubling of a repeat.

use crate::Millis;

/// Estimate of the round trip, ms.
pub const T1: u64 = 500;
/// Longest gap between repeats of requests other than INVITE and of responses to INVITE, ms.
pub const T2: u64 = 4_000;
/// Longest life of a message in the network, ms.
pub const T4: u64 = 5_000;
/// 64·T1: timers B, F, H, J, L and M, ms.
pub const TIMEOUT: u64 = 64 * T1;
/// Timer D over UDP, ms: more than 32 s.
pub(super) const TIMER_D: u64 = 32_000;
/// Ends that nobody waits for come together at the quarters of a second, ms: each heap of them wakes its owner once.
const TOGETHER: u64 = 250;

/// When something is forgotten that is to be kept until `at` and tells nobody anything then: a little later.
pub(crate) fn together(at: Millis) -> Millis {
    Millis(at.0.div_ceil(TOGETHER) * TOGETHER)
}

/// A timer that fires again after a growing gap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    pub(crate) at: Millis,
    gap: u64,
    cap: u64,
}

impl Repeat {
    /// First after T1, then doubling up to `cap`.
    pub(crate) fn new(now: Millis, cap: u64) -> Self {
        Repeat {
            at: now + T1,
            gap: T1,
            cap,
        }
    }

    /// True when due; arms the next firing from now, so that a late caller causes no burst.
    pub(crate) fn fire(&mut self, now: Millis) -> bool {
        if now < self.at {
            return false;
        }
        self.gap = (self.gap * 2).min(self.cap);
        self.at = now + self.gap;
        true
    }

    /// From now on with the longest gap (timer E in Proceeding).
    pub(crate) fn slow_down(&mut self) {
        self.gap = self.cap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_waits_for_ends_at_the_next_quarter_and_never_early() {
        let of = |at| together(Millis(at)).0;
        assert_eq!([of(0), of(1), of(250), of(5_001)], [0, 250, 250, 5_250]);
    }
}
