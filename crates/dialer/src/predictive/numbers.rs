//! Estimates per number: calibrated on line before anything is made of them.

/// Step of the calibration at the start, and how it shrinks with what was seen.
const STEP: f64 = 0.05;
/// Outcomes after which the step has halved.
const STEP_HALVES: f64 = 1_500.0;
/// Least step: lists change.
const STEP_LEAST: f64 = 0.004;
/// Outcomes before the calibration is used in full.
const FULL_AFTER: f64 = 300.0;
/// Bounds of the odds relative to the average number's.
const ODDS: (f64, f64) = (0.02, 30.0);
/// Bounds of an estimate.
const ESTIMATE: (f64, f64) = (0.001, 0.999);

/// Logistic calibration of foreign estimates: P(live) = logistic(level + slope × (logit e − centre)).
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    level: f64,
    slope: f64,
    centre: f64,
    seen: f64,
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(ESTIMATE.0, ESTIMATE.1);
    (p / (1.0 - p)).ln()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Numbers {
    /// What became of a number with this estimate.
    pub(super) fn learn(&mut self, _t: f64, estimate: f64, live: bool) {
        let x = logit(estimate);
        if self.seen < 1.0 {
            self.centre = x;
            self.level = -1.4;
        }
        self.seen += 1.0;
        let step = (STEP / (1.0 + self.seen / STEP_HALVES)).max(STEP_LEAST);
        self.centre += (x - self.centre) / self.seen.min(2_000.0);
        let off = x - self.centre;
        let error = f64::from(u8::from(live)) - logistic(self.level + self.slope * off);
        self.level += step * error;
        self.slope = (self.slope + step * error * off).clamp(0.0, 3.0);
    }

    /// Odds of an answer relative to the average number's.
    pub(super) fn odds(&self, estimate: f64) -> f64 {
        let trust = (self.seen / FULL_AFTER).min(1.0);
        (trust * self.slope * (logit(estimate) - self.centre))
            .exp()
            .clamp(ODDS.0, ODDS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn useless_estimates_change_nothing() {
        let mut numbers = Numbers::default();
        for n in 0..20_000_u32 {
            let estimate = f64::from(n % 9 + 1) / 10.0;
            numbers.learn(0.0, estimate, n % 5 == 0);
        }
        assert!(
            (numbers.odds(0.9) - 1.0).abs() < 0.35,
            "{}",
            numbers.odds(0.9)
        );
    }

    #[test]
    fn good_estimates_are_believed() {
        let mut numbers = Numbers::default();
        for n in 0..20_000_u32 {
            let estimate = if n % 2 == 0 { 0.1 } else { 0.5 };
            let live = if n % 2 == 0 { n % 20 == 0 } else { n % 4 == 1 };
            numbers.learn(0.0, estimate, live);
        }
        assert!(numbers.odds(0.5) / numbers.odds(0.1) > 4.0);
    }
}
