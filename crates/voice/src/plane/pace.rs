//! When the thread works: pinned to a core, and under load on several packets at a time.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// Packets of one 20 ms turn from which on they are gathered: 2,000 a second.
const BUSY: usize = 40;
/// Packets a wake-up from which on they come together by themselves, and waiting would only add wake-ups.
const TOGETHER: usize = 4;
/// A wait that lasted so long was a sleep: what is there already is told in less.
const SLEPT: Duration = Duration::from_micros(20);
/// Turns after which it is looked again whether they do: a second.
const LOOK: u32 = 50;
/// How long packets are gathered: a wake-up costs about as much as passing on a packet, and waiting
/// 0.4 ms halves their number at 100 calls, for 0.2 ms of delay in the mean.
const GATHER: Duration = Duration::from_micros(400);
/// How late the system may end a sleep, nanoseconds; its own 50 µs would be added to each gathering.
const SLACK_NS: NonZeroU64 = NonZeroU64::new(10_000).expect("is not 0");

/// How busy the thread is.
#[derive(Debug, Default)]
pub(super) struct Pace {
    told: usize,
    sleeps: usize,
    gathers: bool,
    /// Turns since it was looked whether gathering helps.
    since: u32,
}

impl Pace {
    /// A wait of such length told so many sockets.
    pub(super) fn read(&mut self, told: usize, waited: Duration) {
        self.told += told;
        self.sleeps += usize::from(told > 0 && waited >= SLEPT);
    }

    /// A turn of the wheel is over: how many sockets were told since the last one.
    pub(super) fn turn(&mut self) -> usize {
        let busy = self.told >= BUSY;
        self.since = if self.gathers { self.since + 1 } else { 0 };
        // Gathered packets do not tell how they came: now and then a turn goes without.
        self.gathers = busy
            && if self.gathers {
                self.since < LOOK
            } else {
                self.told < self.sleeps * TOGETHER
            };
        self.sleeps = 0;
        std::mem::take(&mut self.told)
    }

    /// Under load, lets packets gather, not beyond the next turn.
    pub(super) fn gather(&self, turn: Instant) {
        if self.gathers {
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

    fn turn(pace: &mut Pace, sleeps: usize, each: usize) -> bool {
        for _ in 0..sleeps {
            pace.read(1, SLEPT);
            // What came meanwhile is told at once.
            (1..each).for_each(|_| pace.read(1, Duration::ZERO));
        }
        pace.read(0, SLEPT);
        pace.turn();
        pace.gathers
    }

    #[test]
    fn packets_are_gathered_under_load_only() {
        let mut pace = Pace::default();
        assert!(!turn(&mut pace, BUSY - 1, 1));
        assert!(turn(&mut pace, BUSY, 1));
        // The next turn is due: no time is lost.
        let now = Instant::now();
        pace.gather(now);
        assert!(!turn(&mut pace, 0, 0));
    }

    #[test]
    fn what_comes_together_is_not_waited_for() {
        let mut pace = Pace::default();
        assert!(!turn(&mut pace, BUSY / TOGETHER, TOGETHER));
        assert!(turn(&mut pace, BUSY, TOGETHER - 1));
        // Gathering goes on for a second whatever it makes of the packets, then it is looked again.
        let gathered = (1..LOOK).filter(|_| turn(&mut pace, 5, 20)).count();
        assert_eq!(gathered, LOOK as usize - 1);
        assert!(!turn(&mut pace, 5, 20), "a turn without");
        assert!(!turn(&mut pace, 5, 20), "they come together");
        assert!(turn(&mut pace, 100, 1));
    }
}
