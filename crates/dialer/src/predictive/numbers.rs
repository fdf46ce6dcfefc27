//! Estimates per number: calibrated on line before anything is made of them.

/// Weight of the belief that estimates tell nothing: information on the slope before any outcome.
const DOUBT: f64 = 4.0;
/// Information on the level before any outcome.
const LEVEL_INFORMATION: f64 = 1.0;
/// What is kept of the information at each outcome: some ten thousand outcomes are remembered.
const KEEP: f64 = 0.9999;
/// Logit of a live answer before anything is known.
const LEVEL: f64 = -1.4;
/// Bounds of the slope: an estimate that points the wrong way is not used.
const SLOPE: (f64, f64) = (0.0, 3.0);
/// Standard errors, squared, that the slope must be from nought to count at all: it is looked at after
/// every outcome, and chance alone goes two errors out now and then. Until then every call is the average
/// one, so that useless estimates are as good as none.
const SURE: f64 = 9.0;
/// Beyond, it is shrunk by so many errors, squared: by what it may still owe to chance.
const CHANCE: f64 = 2.0;
/// Trust from which the order of numbers is made by their estimates.
const TELLS: f64 = 0.5;
/// Outcomes before the order of numbers is touched at all.
const TELLS_FROM: f64 = 100.0;
/// Bounds of the odds relative to the average number's.
const ODDS: (f64, f64) = (0.02, 30.0);
/// Bounds of an estimate.
const ESTIMATE: (f64, f64) = (0.001, 0.999);
/// Outcomes over which the centre and the average settle.
const SETTLES: f64 = 2_000.0;

/// Logistic calibration of foreign estimates, P(live) = logistic(level + slope × (logit e − centre)),
/// by Newton steps with the information gathered so far.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    level: f64,
    slope: f64,
    centre: f64,
    /// Mean of what the calibration says.
    average: f64,
    seen: f64,
    /// Information: level, both, slope.
    information: (f64, f64, f64),
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            level: LEVEL,
            slope: 0.0,
            centre: 0.0,
            average: logistic(LEVEL),
            seen: 0.0,
            information: (LEVEL_INFORMATION, 0.0, DOUBT),
        }
    }
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
    pub(super) fn learn(&mut self, estimate: f64, live: bool) {
        let x = logit(estimate);
        if self.seen < 1.0 {
            self.centre = x;
        }
        self.seen += 1.0;
        self.centre += (x - self.centre) / self.seen.min(SETTLES);
        let off = x - self.centre;
        let p = logistic(self.level + self.slope * off);
        let error = f64::from(u8::from(live)) - p;
        let weight = p * (1.0 - p);
        let (a, b, c) = self.information;
        let (a, b, c) = (
            (a * KEEP).max(LEVEL_INFORMATION) + weight,
            b * KEEP + weight * off,
            (c * KEEP).max(DOUBT) + weight * off * off,
        );
        self.information = (a, b, c);
        let whole = (a * c - b * b).max(1e-6);
        self.level += (c - b * off) * error / whole;
        self.slope = (self.slope + (a * off - b) * error / whole).clamp(SLOPE.0, SLOPE.1);
        let now = logistic(self.level + self.slope * off);
        self.average += (now - self.average) / self.seen.min(SETTLES);
    }

    /// How far the slope is trusted, 0–1: nothing within chance, all where it is known well.
    fn trust(&self) -> f64 {
        let (a, b, c) = self.information;
        let variance = 1.0 / (c - b * b / a.max(1e-9)).max(1e-9);
        let sure = self.slope * self.slope / variance;
        if sure < SURE {
            0.0
        } else {
            1.0 - CHANCE / sure
        }
    }

    /// Whether estimates tell one number from another.
    pub(super) fn tells(&self) -> bool {
        self.seen >= TELLS_FROM && self.trust() >= TELLS
    }

    /// Odds of an answer relative to the average number's.
    pub(super) fn odds(&self, estimate: f64) -> f64 {
        let trust = self.trust();
        if trust <= 0.0 {
            return 1.0;
        }
        let slope = trust * self.slope;
        let p = logistic(self.level + slope * (logit(estimate) - self.centre));
        let average = self.average.clamp(ESTIMATE.0, ESTIMATE.1);
        (p / (1.0 - p).max(1e-6) * (1.0 - average) / average).clamp(ODDS.0, ODDS.1)
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
            numbers.learn(estimate, n % 5 == 0);
        }
        for estimate in [0.1, 0.5, 0.9] {
            let odds = numbers.odds(estimate);
            assert!((odds - 1.0).abs() < 1e-12, "{estimate}: {odds}");
        }
    }

    #[test]
    fn good_estimates_are_believed() {
        let mut numbers = Numbers::default();
        for n in 0..20_000_u32 {
            let estimate = if n % 2 == 0 { 0.1 } else { 0.5 };
            let live = if n % 2 == 0 { n % 20 == 0 } else { n % 4 == 1 };
            numbers.learn(estimate, live);
        }
        // One in ten against one in two: nine times the odds.
        let ratio = numbers.odds(0.5) / numbers.odds(0.1);
        assert!((7.5..11.0).contains(&ratio), "{ratio}");
    }
}
