//! The chances of one call, and a factor that follows within minutes.

use super::HORIZONS;
use super::hazard::{FINE_S, Grid};

/// Quantiles of a fresh call's delay to its answer at which the risk is taken.
const QUANTILES: [f64; HORIZONS] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// Least and most of a fast factor.
const FACTOR: (f64, f64) = (0.05, 6.0);

/// Chances of a call: live by each horizon, and ever.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Chance {
    pub(super) by: [f64; HORIZONS],
    pub(super) ever: f64,
}

impl Chance {
    /// The same call with other odds of an answer (Bayes: the live part weighs `odds` times as much).
    pub(super) fn with_odds(self, odds: f64) -> Self {
        if (odds - 1.0).abs() < 1e-9 {
            return self;
        }
        let whole = 1.0 + (odds - 1.0) * self.ever;
        Self {
            by: self.by.map(|q| odds * q / whole),
            ever: odds * self.ever / whole,
        }
    }
}

/// A ratio of seen to expected that follows within minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fast {
    seen: f64,
    pub(super) expected: f64,
    at: f64,
    tau_s: f64,
    prior: f64,
}

impl Fast {
    pub(super) const fn new(tau_s: f64, prior: f64) -> Self {
        Self {
            seen: 0.0,
            expected: 0.0,
            at: 0.0,
            tau_s,
            prior,
        }
    }

    pub(super) fn add(&mut self, t: f64, seen: f64, expected: f64) {
        let keep = (-(t - self.at).max(0.0) / self.tau_s).exp();
        self.at = self.at.max(t);
        self.seen = self.seen * keep + seen;
        self.expected = self.expected * keep + expected;
    }

    pub(super) fn factor(&self) -> f64 {
        ((self.prior + self.seen) / (self.prior + self.expected)).clamp(FACTOR.0, FACTOR.1)
    }
}

/// The table at an age, between its bins.
pub(super) fn between(table: &[Chance], age: f64) -> Chance {
    let (bin, part) = Grid::Fine.place(age);
    match table.get(bin..bin + 2) {
        Some([a, b]) => Chance {
            by: std::array::from_fn(|j| a.by[j] + (b.by[j] - a.by[j]) * part),
            ever: a.ever + (b.ever - a.ever) * part,
        },
        _ => table.last().copied().unwrap_or_default(),
    }
}

/// Times at which a fresh call's answers reach [`QUANTILES`], s.
pub(super) fn quantile_times(
    rings_at: &[f64],
    delay: f64,
    reach: &dyn Fn(f64) -> f64,
    bins: usize,
) -> [f64; HORIZONS] {
    let mut by = vec![0.0; bins * 2];
    for (cell, by) in by.iter_mut().enumerate() {
        let t = Grid::Fine.edge(cell);
        for (bin, rings) in rings_at.iter().enumerate() {
            let left = t - Grid::Fine.edge(bin) - FINE_S / 2.0;
            if left <= delay {
                break;
            }
            *by += rings * reach(left);
        }
    }
    let whole = by.last().copied().unwrap_or(0.0).max(1e-9);
    QUANTILES.map(|share| {
        let cell = by.iter().position(|b| *b >= share * whole).unwrap_or(0);
        Grid::Fine.edge(cell)
    })
}
