//! The chances of one call.

use super::HORIZONS;
use super::hazard::{FINE_S, Grid};

/// Quantiles of a fresh call's delay to its answer at which the risk is taken.
const QUANTILES: [f64; HORIZONS] = [0.1, 0.3, 0.5, 0.7, 0.9];
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
