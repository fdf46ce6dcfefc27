//! What a window of load came to.

use serde::Serialize;

/// Width of a step, microseconds.
const STEP_US: u64 = 10;
/// Steps kept: up to 200 ms; what is slower counts in the last.
const STEPS: usize = 20_000;

/// Delays, counted in steps of 10 µs.
#[derive(Debug, Clone)]
pub(super) struct Delays {
    steps: Vec<u32>,
    count: u64,
    most_us: u64,
}

/// Half and 99 of 100 of a set of delays, and the longest, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Half are not slower.
    pub p50: f64,
    /// 99 of 100 are not slower.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// A window of load.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Legs that sent.
    pub legs: usize,
    /// Packets sent.
    pub sent: u64,
    /// Of these, how many came out at the other leg of their pair.
    pub received: u64,
    /// Packets that came without a stamp: sounds, silence made on the way.
    pub unstamped: u64,
    /// Packets heard by a leg of another pair; must be 0.
    pub crossed: u64,
    /// Packets missing in the numbers of what a leg was sent. Who passes packets on with their gaps
    /// shows what was lost on the way to him and from him; a change of source is none.
    pub gaps: u64,
    /// Legs that heard nothing of their pair.
    pub silent_legs: usize,
    /// From one leg's socket to the other's, milliseconds.
    pub one_way_ms: Spread,
    /// From the debtor's 200 OK to the first agent's audio he heard, milliseconds; over the calls
    /// answered since the last window began.
    pub answer_to_audio_ms: Spread,
}

impl Figures {
    /// Packets lost, percent of those sent.
    #[must_use]
    pub fn loss_pct(&self) -> f64 {
        if self.sent == 0 {
            return 0.0;
        }
        let lost = self.sent.saturating_sub(self.received);
        to_f64(lost) * 100.0 / to_f64(self.sent)
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            steps: vec![0; STEPS],
            count: 0,
            most_us: 0,
        }
    }
}

impl Delays {
    pub(super) fn add(&mut self, ns: u64) {
        let us = ns / 1_000;
        let step = usize::try_from(us / STEP_US).unwrap_or(STEPS);
        self.steps[step.min(STEPS - 1)] += 1;
        self.count += 1;
        self.most_us = self.most_us.max(us);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn spread(&self) -> Spread {
        Spread {
            p50: self.at(50),
            p99: self.at(99),
            max: to_f64(self.most_us) / 1_000.0,
        }
    }

    fn at(&self, pct: u64) -> f64 {
        let wanted = (self.count * pct).div_ceil(100);
        let mut seen = 0;
        for (step, n) in (1_u64..).zip(&self.steps) {
            seen += u64::from(*n);
            if seen >= wanted && seen > 0 {
                return to_f64(step * STEP_US) / 1_000.0;
            }
        }
        0.0
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run are far below 2^52"
)]
pub(super) fn to_f64(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_those_of_the_counts() {
        let mut delays = Delays::default();
        assert_eq!(delays.spread(), Spread::default());
        for ms in 1..=100 {
            delays.add(ms * 1_000_000 - 5_000);
        }
        let spread = delays.spread();
        assert!((spread.p50 - 50.0).abs() < 0.02, "{spread:?}");
        assert!((spread.p99 - 99.0).abs() < 0.02, "{spread:?}");
        delays.add(900_000_000);
        assert!(delays.spread().max > 899.0);
    }

    #[test]
    fn loss_is_of_what_was_sent() {
        let figures = Figures {
            sent: 1_000,
            received: 999,
            ..Figures::default()
        };
        assert!((figures.loss_pct() - 0.1).abs() < 1e-9);
        assert!(Figures::default().loss_pct().abs() < 1e-9);
    }
}
