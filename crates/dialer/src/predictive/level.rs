//! How often something happens against what was learned (people answer, dials ring), as a belief over the
//! logarithm of that factor. While nothing changes the belief narrows and chance does not move it; a jump is followed
//! within the few answers that prove it, because a jump is always possible.

/// Cells of the belief.
const CELLS: usize = 51;
/// Logarithm of the factor in the first cell: one twentieth.
const LOWEST: f64 = -3.0;
/// Width of a cell in the logarithm: the last one is a factor of seven.
const CELL: f64 = 0.1;
/// Spread of the belief in the logarithm before anything is known.
const SPREAD_START: f64 = 0.4;
/// Spread after a jump: half or double is not surprising.
const SPREAD_JUMP: f64 = 0.8;
/// Mean time between jumps, s.
const JUMP_EVERY_S: f64 = 7_200.0;
/// Slow change of the logarithm in an hour, standard deviation: hit rates follow the hour of day.
const DRIFT_HOUR: f64 = 0.1;
/// Time from one belief to the next, s: shorter ones only cost.
const STEP_S: f64 = 0.2;

/// The belief.
#[derive(Debug, Clone)]
pub(super) struct Level {
    belief: [f64; CELLS],
    factors: [f64; CELLS],
    after_jump: [f64; CELLS],
    at: f64,
    seen: f64,
    expected: f64,
    mean: f64,
    error: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a small index")]
fn logarithm(cell: usize) -> f64 {
    LOWEST + CELL * cell as f64
}

fn normal(spread: f64) -> [f64; CELLS] {
    let raw: [f64; CELLS] = std::array::from_fn(|cell| {
        let z = logarithm(cell) / spread;
        (-0.5 * z * z).exp()
    });
    let sum: f64 = raw.iter().sum();
    raw.map(|v| v / sum)
}

impl Level {
    pub(super) fn new() -> Self {
        let mut level = Self {
            belief: normal(SPREAD_START),
            factors: std::array::from_fn(|cell| logarithm(cell).exp()),
            after_jump: normal(SPREAD_JUMP),
            at: 0.0,
            seen: 0.0,
            expected: 0.0,
            mean: 1.0,
            error: SPREAD_START,
        };
        level.sum_up();
        level
    }

    /// Answers seen, and expected at a factor of one.
    pub(super) const fn add(&mut self, seen: f64, expected: f64) {
        self.seen += seen;
        self.expected += expected;
    }

    /// Makes a new belief of what was added since the last one.
    pub(super) fn settle(&mut self, t: f64) {
        let passed = t - self.at;
        if passed < STEP_S {
            return;
        }
        self.at = t;
        let jump = 1.0 - (-passed / JUMP_EVERY_S).exp();
        let drift = DRIFT_HOUR * DRIFT_HOUR * passed / 3_600.0;
        let aside = (drift / (2.0 * CELL * CELL)).min(0.25);
        let old = self.belief;
        for (cell, belief) in self.belief.iter_mut().enumerate() {
            let below = old[cell.saturating_sub(1)];
            let above = old[(cell + 1).min(CELLS - 1)];
            let moved = old[cell] + aside * (below + above - 2.0 * old[cell]);
            let prior = moved * (1.0 - jump) + self.after_jump[cell] * jump;
            // Poisson, up to a factor that is the same in every cell.
            let told = self.seen * logarithm(cell) - self.expected * (self.factors[cell] - 1.0);
            *belief = prior * told.clamp(-500.0, 500.0).exp();
        }
        self.seen = 0.0;
        self.expected = 0.0;
        self.sum_up();
    }

    fn sum_up(&mut self) {
        let sum: f64 = self.belief.iter().sum();
        if !(sum.is_finite() && sum > f64::MIN_POSITIVE) {
            self.belief = self.after_jump;
            return self.sum_up();
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (belief, factor) in self.belief.iter_mut().zip(&self.factors) {
            *belief /= sum;
            first += *belief * factor;
            second += *belief * factor * factor;
        }
        self.mean = first;
        self.error = (second - first * first).max(0.0).sqrt() / first;
    }

    /// The factor.
    pub(super) const fn factor(&self) -> f64 {
        self.mean
    }

    /// Its relative error.
    pub(super) const fn error(&self) -> f64 {
        self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(level: &mut Level, from: u32, seconds: u32, rate: f64, expected: f64) {
        let mut due = 0.0;
        for s in from..from + seconds {
            due += rate;
            let seen = f64::from(u8::from(due >= 1.0));
            due -= seen;
            level.add(seen, expected);
            level.settle(f64::from(s + 1));
        }
    }

    #[test]
    fn what_is_as_expected_makes_sure() {
        let mut level = Level::new();
        let before = level.error();
        fed(&mut level, 0, 1_200, 0.2, 0.2);
        assert!((level.factor() - 1.0).abs() < 0.1, "{}", level.factor());
        assert!(level.error() < before / 2.0);
    }

    #[test]
    fn a_jump_is_followed_within_a_few_answers() {
        let mut level = Level::new();
        fed(&mut level, 0, 3_600, 0.2, 0.2);
        fed(&mut level, 3_600, 120, 0.45, 0.2);
        assert!(level.factor() > 1.6, "{}", level.factor());
        fed(&mut level, 3_720, 300, 0.08, 0.2);
        assert!(level.factor() < 0.7, "{}", level.factor());
    }

    #[test]
    fn a_flood_of_answers_stays_a_figure() {
        let mut level = Level::new();
        level.add(1e6, 1.0);
        level.settle(1.0);
        level.add(0.0, 1e6);
        level.settle(2.0);
        assert!(level.factor().is_finite() && level.error().is_finite());
    }
}
