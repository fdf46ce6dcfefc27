//! Forecasts against what came, in bins, made monotone; the record corrects the next forecasts.

use super::curve::bounded;

/// Upper edges of the bins of forecast probability; finer where most calls are.
const EDGES: [f64; 10] = [0.02, 0.04, 0.07, 0.10, 0.15, 0.20, 0.30, 0.45, 0.65, 1.0];

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    forecasts: f64,
    expected: f64,
    hits: f64,
}

/// Forecasts of a range against what came of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationRow {
    /// Least forecast of the range, 0–1.
    pub from: f64,
    /// Largest, 0–1.
    pub to: f64,
    /// Forecasts in it, forgotten ones less.
    pub forecasts: f64,
    /// Their mean, 0–1.
    pub said: f64,
    /// Share that came true, 0–1.
    pub came: f64,
}

/// The record of forecasts.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    /// As the model made them: what the correction learns from.
    bins: [Bin; EDGES.len()],
    /// As they were said, corrected by what was known then.
    told: [Bin; EDGES.len()],
    points: [(f64, f64); EDGES.len()],
    ready: bool,
}

fn bin_of(p: f64) -> usize {
    EDGES
        .iter()
        .position(|edge| p <= *edge)
        .unwrap_or(EDGES.len() - 1)
}

fn middle(bin: usize) -> f64 {
    let low = if bin == 0 { 0.0 } else { EDGES[bin - 1] };
    f64::midpoint(low, EDGES[bin])
}

impl Calibration {
    /// Counts what came of a forecast as it was before correction. `half_life` in forecasts; `hits`: contacts
    /// a bin needs before it moves a forecast halfway.
    pub fn observe(&mut self, forecast: f64, hit: bool, half_life: f64, hits: f64) {
        let said = self.correct(forecast);
        let left = (-std::f64::consts::LN_2 / half_life).exp();
        for bin in self.bins.iter_mut().chain(&mut self.told) {
            bin.forecasts *= left;
            bin.expected *= left;
            bin.hits *= left;
        }
        for (bins, p) in [(&mut self.bins, forecast), (&mut self.told, said)] {
            let bin = &mut bins[bin_of(p)];
            bin.forecasts += 1.0;
            bin.expected += p;
            bin.hits += f64::from(u8::from(hit));
        }
        self.fit(hits);
    }

    /// One value a bin, then pooled where a higher forecast came out lower (isotonic regression).
    fn fit(&mut self, prior: f64) {
        let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(EDGES.len());
        for (at, bin) in self.bins.iter().enumerate() {
            let factor = (prior + bin.hits) / (prior + bin.expected);
            let mut pool = (middle(at) * factor, bin.forecasts + 1.0, 1);
            while let Some(last) = pools.last().copied()
                && last.0 > pool.0
            {
                let weight = last.1 + pool.1;
                let value = (last.0 * last.1 + pool.0 * pool.1) / weight;
                pool = (value, weight, last.2 + pool.2);
                pools.pop();
            }
            pools.push(pool);
        }
        let values = pools
            .iter()
            .flat_map(|(value, _, bins)| std::iter::repeat_n(*value, *bins));
        for (at, value) in values.enumerate() {
            self.points[at] = (middle(at), value);
        }
        self.ready = true;
    }

    /// The forecast corrected by the record; itself while there is none.
    #[must_use]
    pub fn correct(&self, forecast: f64) -> f64 {
        if !self.ready {
            return forecast;
        }
        let mut low = (0.0, 0.0);
        for high in self.points.iter().copied().chain([(1.0, 1.0)]) {
            if forecast <= high.0 {
                let part = (forecast - low.0) / (high.0 - low.0);
                return bounded(low.1 + part * (high.1 - low.1));
            }
            low = high;
        }
        bounded(forecast)
    }

    /// Mean distance between what was said and what came over the ranges, weighted, 0–1; `None` without a
    /// forecast. Chance alone makes it about a point with a thousand forecasts.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        let all: f64 = self.told.iter().map(|b| b.forecasts).sum();
        let off: f64 = self.told.iter().map(|b| (b.expected - b.hits).abs()).sum();
        (all > 0.0).then(|| off / all)
    }

    /// What was said against what came, a row a range that has forecasts.
    #[must_use]
    pub fn table(&self) -> Vec<CalibrationRow> {
        let rows = self
            .told
            .iter()
            .enumerate()
            .filter(|(_, b)| b.forecasts > 0.0);
        rows.map(|(at, b)| CalibrationRow {
            from: if at == 0 { 0.0 } else { EDGES[at - 1] },
            to: EDGES[at],
            forecasts: b.forecasts,
            said: b.expected / b.forecasts,
            came: b.hits / b.forecasts,
        })
        .collect()
    }
}
