//! Contacts per call by slot at one level, shrunk to the level above.

use super::Slot;
use super::slot::{Nearness, SLOTS};
use crate::time::{DAY_MS, UtcMs};

/// Least and most a rate is said to be: nobody is sure.
const RATE: (f64, f64) = (0.002, 0.95);

/// Keeps a rate within what may be said.
pub(super) fn bounded(rate: f64) -> f64 {
    rate.clamp(RATE.0, RATE.1)
}

/// What is left of a record after `ms`, by its half-life in days.
pub(super) fn faded(ms: i64, half_life_d: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "ages are far below 2^53 milliseconds"
    )]
    let days = ms.max(0) as f64 / DAY_MS as f64;
    (-std::f64::consts::LN_2 * days / half_life_d).exp()
}

/// Calls and contacts by slot, forgetting with time.
#[derive(Debug, Clone)]
pub struct Curve {
    calls: [f64; SLOTS],
    hits: [f64; SLOTS],
    as_of: UtcMs,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            calls: [0.0; SLOTS],
            hits: [0.0; SLOTS],
            as_of: UtcMs(i64::MIN / 2),
        }
    }
}

impl Curve {
    /// Counts a call. Calls may come in any order of time.
    pub fn observe(&mut self, at: UtcMs, slot: Slot, hit: bool, half_life_d: f64) {
        let mut weight = 1.0;
        if at > self.as_of {
            let left = faded(at.since_ms(self.as_of), half_life_d);
            for cell in self.calls.iter_mut().chain(&mut self.hits) {
                *cell *= left;
            }
            self.as_of = at;
        } else {
            weight = faded(self.as_of.since_ms(at), half_life_d);
        }
        self.calls[slot.index()] += weight;
        if hit {
            self.hits[slot.index()] += weight;
        }
    }

    /// Calls counted, forgotten ones less.
    #[must_use]
    pub fn calls(&self) -> f64 {
        self.calls.iter().sum()
    }

    /// The rate of every slot: the level as a whole is shrunk to `above` as a Beta worth `level_calls` calls,
    /// then each slot, with its neighbours, to the level as one worth `hour_calls`. With one rate above,
    /// each step is the mean of the Beta posterior.
    #[must_use]
    pub fn rates(
        &self,
        above: &[f64; SLOTS],
        level_calls: f64,
        hour_calls: f64,
        nearness: &Nearness,
    ) -> [f64; SLOTS] {
        let expected: f64 = self.calls.iter().zip(above).map(|(n, p)| n * p).sum();
        let hits: f64 = self.hits.iter().sum();
        let mean = above.iter().sum::<f64>() / SLOTS as f64;
        // As a factor, so that a level twice as good is so at every hour.
        let factor = (level_calls * mean + hits) / (level_calls * mean + expected);
        let level = above.map(|p| bounded(p * factor));
        let mut rates = level;
        for (here, rate) in rates.iter_mut().enumerate() {
            let (mut calls, mut surplus) = (0.0, 0.0);
            for (there, base) in level.iter().enumerate() {
                if self.calls[there] > 0.0 {
                    let weight = nearness.of(here, there);
                    calls += weight * self.calls[there];
                    surplus += weight * (self.hits[there] - self.calls[there] * base);
                }
            }
            *rate = bounded(*rate + surplus / (hour_calls + calls));
        }
        rates
    }
}
