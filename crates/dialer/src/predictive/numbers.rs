//! Estimates per number: calibrated on line, and counted as far as they have been seen to tell.

use super::risk::phi;

/// Spread of the slope among estimates that tell something, before any outcome: an honest one has a slope
/// of one, a noisy one less.
const HONEST: f64 = 1.0;
/// Odds, before any outcome, that estimates tell something at all.
const TELLING: f64 = 1.0;
/// Information on the level before any outcome.
const LEVEL_INFORMATION: f64 = 1.0;
/// What is kept of the information at each outcome: some ten thousand outcomes are remembered.
const KEEP: f64 = 0.9999;
/// Logit of a live answer before anything is known.
const LEVEL: f64 = -1.4;
/// Bounds of the slope as fitted. Below nought it points the wrong way: that is remembered, so that chance has
/// to make up for it before they count, and never used.
const SLOPE: (f64, f64) = (-3.0, 3.0);
/// Slope below which every call is the average one.
const NOUGHT: f64 = 0.001;
/// Belief from which the order of numbers is made by their estimates.
const TELLS: f64 = 0.5;
/// Outcomes from which estimates count at all. Before, even the average estimate is not known: a first one far from
/// it made all the others look sure, or hopeless, and the forecast would dial for that.
const TELLS_FROM: f64 = 30.0;
/// Bounds of the odds relative to the average number's.
const ODDS: (f64, f64) = (0.02, 30.0);
/// Bounds of an estimate.
const ESTIMATE: (f64, f64) = (0.001, 0.999);
/// Outcomes over which the centre and the spread settle.
const SETTLES: f64 = 2_000.0;
/// What a spread takes from the logit of a mean: π/8, as for a normal over a logistic.
const FLATTENS: f64 = std::f64::consts::PI / 8.0;
/// Largest exponent: beyond, the belief is sure.
const SURE: f64 = 200.0;
/// Standard errors below nought from which nothing is left above it.
const WRONG_WAY: f64 = 3.0;

/// Logistic calibration of foreign estimates, P(live) = logistic(level + slope × (logit e − centre)),
/// by Newton steps with the information gathered so far.
///
/// Whether they tell anything is a belief of its own: half of all estimates are taken for useless (slope nought),
/// the others for a slope above it. Both explain what was seen, and the better one gains. What is used is the mean
/// slope over that belief: useful estimates count from some dozens of outcomes on, useless ones ever less.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    level: f64,
    slope: f64,
    centre: f64,
    /// Mean square of logit e − centre.
    spread: f64,
    seen: f64,
    /// Information: level, both, slope.
    information: (f64, f64, f64),
    /// That they tell something, 0–1.
    belief: f64,
    /// Slope that is used.
    used: f64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            level: LEVEL,
            slope: 0.0,
            centre: 0.0,
            spread: 0.0,
            seen: 0.0,
            information: (LEVEL_INFORMATION, 0.0, 1.0 / (HONEST * HONEST)),
            belief: 0.0,
            used: 0.0,
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
        let step = 1.0 / self.seen.min(SETTLES);
        self.centre += (x - self.centre) * step;
        let off = x - self.centre;
        self.spread += (off * off - self.spread) * step;
        let p = logistic(self.level + self.slope * off);
        let error = f64::from(u8::from(live)) - p;
        let weight = p * (1.0 - p);
        let (a, b, c) = self.information;
        let (a, b, c) = (
            (a * KEEP).max(LEVEL_INFORMATION) + weight,
            b * KEEP + weight * off,
            (c * KEEP).max(1.0 / (HONEST * HONEST)) + weight * off * off,
        );
        self.information = (a, b, c);
        let whole = (a * c - b * b).max(1e-6);
        self.level += (c - b * off) * error / whole;
        self.slope = (self.slope + (a * off - b) * error / whole).clamp(SLOPE.0, SLOPE.1);
        self.believe();
    }

    /// The slope under "useless or above nought": Savage and Dickey's ratio of the densities at nought after and
    /// before says how much better the second explains what was seen.
    fn believe(&mut self) {
        let (a, b, c) = self.information;
        let error = 1.0 / (c - b * b / a.max(1e-9)).max(1e-9).sqrt();
        let z = self.slope / error;
        if self.seen < TELLS_FROM || z < -WRONG_WAY {
            self.belief = 0.0;
            self.used = 0.0;
            return;
        }
        // Part of the normal that is above nought, and the mean of that part.
        let above = phi(z);
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let mean = (self.slope + error * density / above).max(0.0);
        let better = 2.0 * above * error / HONEST * (0.5 * z * z).min(SURE).exp();
        let odds = TELLING * better;
        self.belief = odds / (1.0 + odds);
        self.used = (self.belief * mean).min(SLOPE.1);
    }

    /// What was learned: level, slope, centre, spread, outcomes, information.
    pub(super) fn learned(&self) -> Vec<f64> {
        let (a, b, c) = self.information;
        vec![
            self.level,
            self.slope,
            self.centre,
            self.spread,
            self.seen,
            a,
            b,
            c,
        ]
    }

    /// Takes it up again, worth `keep` of what it was.
    pub(super) fn recall(&mut self, kept: &[f64], keep: f64) {
        let [level, slope, centre, spread, seen, a, b, c] = *kept else {
            return;
        };
        let (least_a, least_c) = (LEVEL_INFORMATION, 1.0 / (HONEST * HONEST));
        // Information of no outcomes: a square of sums may not exceed the product.
        if seen < 1.0 || spread < 0.0 || a < least_a || c < least_c || b * b >= a * c {
            return;
        }
        let keep = keep.clamp(0.0, 1.0);
        let slope = slope.clamp(SLOPE.0, SLOPE.1);
        let above = level.clamp(logit(ESTIMATE.0), logit(ESTIMATE.1)) - LEVEL;
        // What was seen moved level and slope away from where they began; seen as so much less, it moves them as
        // much less against the same beginning.
        let (level_moved, slope_moved) = (
            keep * (a * above + b * slope),
            keep * (b * above + c * slope),
        );
        let (a, b, c) = (
            least_a + keep * (a - least_a),
            keep * b,
            least_c + keep * (c - least_c),
        );
        let whole = (a * c - b * b).max(1e-6);
        self.level = LEVEL + (c * level_moved - b * slope_moved) / whole;
        self.slope = ((a * slope_moved - b * level_moved) / whole).clamp(SLOPE.0, SLOPE.1);
        self.centre = centre.clamp(logit(ESTIMATE.0), logit(ESTIMATE.1));
        self.spread = spread;
        self.seen = (keep * seen).max(1.0);
        self.information = (a, b, c);
        self.believe();
    }

    /// Whether estimates tell one number from another.
    pub(super) fn tells(&self) -> bool {
        self.belief >= TELLS
    }

    /// What the spread of the estimates takes from the logit of the average number at a slope.
    fn flat(&self, slope: f64) -> f64 {
        (1.0 + FLATTENS * slope * slope * self.spread).sqrt()
    }

    /// Odds of an answer relative to the average number's.
    pub(super) fn odds(&self, estimate: f64) -> f64 {
        if self.used < NOUGHT {
            return 1.0;
        }
        // The average number answers as it was seen to, whatever slope is used.
        let average = self.level / self.flat(self.slope);
        let level = average * self.flat(self.used);
        let off = logit(estimate) - self.centre;
        (level + self.used * off - average)
            .exp()
            .clamp(ODDS.0, ODDS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of shares of one that looks like chance and is always the same.
    fn chance(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap_or(0)) / 2_147_483_648.0
        }
    }

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
    fn chance_makes_little_of_useless_estimates_at_any_time() {
        let (mut used, mut looks) = (0.0, 0.0);
        for seed in 1..=60 {
            let mut draw = chance(seed);
            let mut numbers = Numbers::default();
            for n in 1..=600 {
                let estimate = 0.05 + 0.5 * draw();
                numbers.learn(estimate, draw() < 0.2);
                if n % 50 == 0 {
                    used += (numbers.odds(0.5) / numbers.odds(0.1)).ln();
                    looks += 1.0;
                }
            }
        }
        // Where they are what they say, that is 2.2.
        let mean = used / looks;
        assert!(mean < 0.15, "{mean}");
    }

    #[test]
    fn a_first_estimate_far_from_the_others_changes_nothing() {
        for first in [0.001, 0.999] {
            for live in [false, true] {
                let mut numbers = Numbers::default();
                numbers.learn(first, live);
                for n in 0..28_u32 {
                    for estimate in [0.05, 0.2, 0.6] {
                        let odds = numbers.odds(estimate);
                        assert!((odds - 1.0).abs() < 1e-12, "{first} {n}: {odds}");
                    }
                    numbers.learn(0.1 + f64::from(n % 5) / 20.0, n % 5 == 0);
                }
                assert!(!numbers.tells());
            }
        }
    }

    #[test]
    fn useful_estimates_count_from_some_dozens_of_outcomes_on() {
        let mut numbers = Numbers::default();
        for n in 0..100_u32 {
            // One in ten against three in ten, as they say.
            let (estimate, live) = if n % 2 == 0 {
                (0.1, n % 20 == 0)
            } else {
                (0.3, matches!(n % 20, 1 | 7 | 13))
            };
            numbers.learn(estimate, live);
        }
        let ratio = numbers.odds(0.3) / numbers.odds(0.1);
        assert!((2.0..4.5).contains(&ratio), "{ratio}");
        assert!(numbers.tells());
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

    #[test]
    fn what_was_learned_is_taken_up_and_what_does_not_fit_is_not() {
        let mut old = Numbers::default();
        for n in 0..4_000_u32 {
            let estimate = if n % 2 == 0 { 0.1 } else { 0.5 };
            let live = if n % 2 == 0 { n % 20 == 0 } else { n % 4 == 1 };
            old.learn(estimate, live);
        }
        let ratio = |numbers: &Numbers| numbers.odds(0.5) / numbers.odds(0.1);
        let mut new = Numbers::default();
        new.recall(&old.learned(), 0.1);
        assert!(new.tells() && ratio(&new) > 0.8 * ratio(&old));
        // Worth less, it gives way sooner.
        for numbers in [&mut old, &mut new] {
            for n in 0..400_u32 {
                numbers.learn(if n % 2 == 0 { 0.1 } else { 0.5 }, n % 4 < 2);
            }
        }
        assert!(ratio(&new) < 0.8 * ratio(&old));
        for kept in [
            vec![],
            vec![0.0; 8],
            vec![-1.0, 1.0, -1.4, -3.0, 90.0, 9.0, 1.0, 9.0],
            vec![-1.0, 1.0, -1.4, 1.0, 90.0, 9.0, 99.0, 9.0],
        ] {
            let mut fresh = Numbers::default();
            fresh.recall(&kept, 1.0);
            assert!((ratio(&fresh) - 1.0).abs() < 1e-12, "{kept:?}");
        }
    }

    #[test]
    fn a_memory_that_faded_is_believed_as_much_less() {
        let mut old = Numbers::default();
        for n in 0..4_000_u32 {
            let estimate = if n % 2 == 0 { 0.1 } else { 0.5 };
            let live = if n % 2 == 0 { n % 20 == 0 } else { n % 4 == 1 };
            old.learn(estimate, live);
        }
        let taken_up = |keep: f64| {
            let mut new = Numbers::default();
            new.recall(&old.learned(), keep);
            (new.level, new.slope, new.used)
        };
        // Whole it is what it was, and nothing is left of one that is worth nothing.
        let (level, slope, used) = taken_up(1.0);
        assert!((level - old.level).abs() < 1e-9 && (slope - old.slope).abs() < 1e-9);
        assert!((used - old.used).abs() < 1e-9);
        let (level, slope, used) = taken_up(0.0);
        assert!((level - LEVEL).abs() < 1e-9 && slope.abs() < 1e-9 && used.abs() < 1e-9);
        // Between, the slope falls with what it is worth: some seven outcomes say little.
        let slopes = [1.0, 0.1, 0.01, 0.001, 0.000_1].map(|keep| taken_up(keep).1);
        assert!(slopes.is_sorted_by(|a, b| a > b), "{slopes:?}");
        assert!(slopes[1] > 0.9 * slopes[0] && slopes[3] < 0.5 * slopes[0]);
        assert!(slopes[4] < 0.1 * slopes[0]);
    }

    #[test]
    fn estimates_that_point_the_wrong_way_are_not_used() {
        let mut numbers = Numbers::default();
        for n in 0..2_000_u32 {
            let estimate = if n % 2 == 0 { 0.5 } else { 0.1 };
            numbers.learn(estimate, if n % 2 == 0 { n % 20 == 0 } else { n % 4 == 1 });
        }
        assert!((numbers.odds(0.5) - 1.0).abs() < 1e-12 && !numbers.tells());
    }
}
