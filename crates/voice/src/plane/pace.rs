//! When the thread works: pinned to a core, and under load on several packets at a time.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// Packets of one 20 ms turn from which on they are gathered: 2,000 a second.
const BUSY: usize = 40;
/// How long packets are gathered: a wake-up costs about as much as passing on a packet, and waiting
/// 0.4 ms halves their number at 100 calls, for 0.2 ms of delay in the mean.
const GATHER: Duration = Duration::from_micros(400);
/// How late the system may end a sleep, nanoseconds; its own 50 µs would be added to each gathering.
const SLACK_NS: NonZeroU64 = NonZeroU64::new(10_000).expect("is not 0");

/// How busy the thread is.
#[derive(Debug, Default)]
pub(super) struct Pace {
    told: usize,
    busy: bool,
}

impl Pace {
    /// So many sockets had something.
    pub(super) fn read(&mut self, told: usize) {
        self.told += told;
    }

    /// A turn of the wheel is over.
    pub(super) fn turn(&mut self) {
        self.busy = self.told >= BUSY;
        self.told = 0;
    }

    /// Under load, lets packets gather, not beyond the next turn.
    pub(super) fn gather(&self, turn: Instant) {
        if self.busy {
            let left = turn.saturating_duration_since(Instant::now());
            std::thread::sleep(GATHER.min(left));
        }
    }
}

/// Keeps media thread number `n` on a core of its own: from the last of those the process may use,
/// so that the first is left for signalling. Without a core for each it stays free.
pub(super) fn pin(n: usize) {
    // What the system does not allow costs speed only.
    let _ = rustix::thread::set_current_timer_slack(Some(SLACK_NS));
    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU)
        .filter(|core| allowed.is_set(*core))
        .collect();
    let Some(core) = cores.len().checked_sub(n + 1).filter(|at| *at > 0) else {
        return;
    };
    let mut one = CpuSet::new();
    one.set(cores[core]);
    let _ = sched_setaffinity(None, &one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_gathered_under_load_only() {
        let mut pace = Pace::default();
        pace.read(BUSY - 1);
        pace.turn();
        assert!(!pace.busy);
        pace.read(BUSY / 2);
        pace.read(BUSY / 2);
        pace.turn();
        assert!(pace.busy);
        // The next turn is due: no time is lost.
        let now = Instant::now();
        pace.gather(now);
        pace.turn();
        assert!(!pace.busy);
    }
}
