//! A hazard by age, learned from exposure: what is still in progress counts in the denominator, so
//! the first minutes do not see only what was short.

/// Width of the bins of lines and of short ages, s.
pub(super) const FINE_S: f64 = 0.5;
/// Ages up to here have bins of one second in a stretched grid, s; later bins grow by [`GROWTH`].
const EVEN_TO_S: f64 = 30.0;
/// Growth of the later bins: each holds enough ends to be worth a figure.
const GROWTH: f64 = 1.08;
/// Its logarithm.
const LN_GROWTH: f64 = 0.076_961_041_136_128_4;
/// Bins to each side over which ends and exposure are smoothed, with weights that fall evenly: a bin of a
/// small team holds a few ends, and chance between neighbours is no shape.
const SMOOTH: usize = 2;
/// Largest rate, 1/s: an end without any exposure must stay a finite figure.
const RATE_MAX: f64 = 8.0;

/// How ages fall into bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Grid {
    /// Bins of [`FINE_S`].
    Fine,
    /// Bins of a second, then growing.
    Stretched,
}

impl Grid {
    /// Bin of an age (not clipped to a curve's number of bins), and how far into the bin it is.
    pub(super) fn place(self, age: f64) -> (usize, f64) {
        let age = age.max(0.0);
        match self {
            Self::Fine => split(age / FINE_S),
            Self::Stretched if age < EVEN_TO_S => split(age),
            Self::Stretched => split(EVEN_TO_S + (age / EVEN_TO_S).ln() / LN_GROWTH),
        }
    }

    /// Age at which a bin begins, s.
    pub(super) fn edge(self, bin: usize) -> f64 {
        let n = f64::from(u32::try_from(bin).unwrap_or(u32::MAX));
        match self {
            Self::Fine => n * FINE_S,
            Self::Stretched if n <= EVEN_TO_S => n,
            Self::Stretched => EVEN_TO_S * GROWTH.powf(n - EVEN_TO_S),
        }
    }
}

/// Whole part and fraction of a figure that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a small range that is not negative"
)]
fn split(x: f64) -> (usize, f64) {
    let x = x.clamp(0.0, 1e6);
    let whole = x as u32;
    (whole as usize, x - f64::from(whole))
}

/// Rates by age of `C` ways to end that compete.
#[derive(Debug, Clone)]
pub(super) struct Curve<const C: usize> {
    pub(super) grid: Grid,
    /// Ages at which the bins begin, and the end of the last, s.
    pub(super) edges: Vec<f64>,
    events: [Vec<f64>; C],
    exposure: Vec<f64>,
    /// Exposure to the first way, weighed by how likely it was at the time.
    weighed: Vec<f64>,
    prior_events: [Vec<f64>; C],
    prior_exposure: Vec<f64>,
    /// Rate of each way by bin, 1/s; valid since the last [`Curve::settle`].
    pub(super) rates: [Vec<f64>; C],
    half_life_s: f64,
    settled_at: f64,
}

impl<const C: usize> Curve<C> {
    /// A curve with one pseudo call's worth of prior: `share` of each way and its distribution
    /// function by age.
    pub(super) fn new(
        grid: Grid,
        bins: usize,
        half_life_s: f64,
        ways: [(f64, &dyn Fn(f64) -> f64); C],
    ) -> Self {
        let mut prior_events: [Vec<f64>; C] = std::array::from_fn(|_| vec![0.0; bins]);
        let mut prior_exposure = vec![0.0; bins];
        for bin in 0..bins {
            let (lo, hi) = (grid.edge(bin), grid.edge(bin + 1));
            let mut survive = 1.0;
            for (way, (share, done)) in ways.iter().enumerate() {
                prior_events[way][bin] = share * (done(hi) - done(lo)).max(0.0);
                survive -= share * (done(lo) + done(hi)) / 2.0;
            }
            prior_exposure[bin] = survive.max(1e-4) * (hi - lo);
        }
        let mut curve = Self {
            grid,
            edges: (0..=bins).map(|bin| grid.edge(bin)).collect(),
            events: std::array::from_fn(|_| vec![0.0; bins]),
            exposure: vec![0.0; bins],
            weighed: vec![0.0; bins],
            prior_events,
            prior_exposure,
            rates: std::array::from_fn(|_| vec![0.0; bins]),
            half_life_s,
            settled_at: 0.0,
        };
        curve.settle(0.0, 1.0);
        curve
    }

    /// Takes over what another curve of the same ways saw, as far as both have the ages.
    pub(super) fn take_over(&mut self, old: &Self) {
        let slots = self.events.iter_mut().zip(&old.events);
        let times = [
            (&mut self.exposure, &old.exposure),
            (&mut self.weighed, &old.weighed),
        ];
        for (slot, seen) in slots.chain(times) {
            for (mine, before) in slot.iter_mut().zip(seen) {
                *mine = *before;
            }
        }
        self.settled_at = old.settled_at;
    }

    pub(super) fn bins(&self) -> usize {
        self.exposure.len()
    }

    /// Bin of an age, the last one for everything beyond.
    pub(super) fn bin(&self, age: f64) -> usize {
        self.grid.place(age).0.min(self.bins() - 1)
    }

    /// Counts an end of one way at an age.
    pub(super) fn end(&mut self, way: usize, age: f64) {
        let bin = self.bin(age);
        self.events[way][bin] += 1.0;
    }

    /// Counts the time between two ages, and gives the integral of the first way's rate over it.
    pub(super) fn expose(&mut self, from: f64, to: f64) -> f64 {
        self.expose_weighed(from, to, 1.0)
    }

    /// The same while the first way was `weight` times as likely as its rate says: the rate stays what
    /// it is without that.
    pub(super) fn expose_weighed(&mut self, from: f64, to: f64, weight: f64) -> f64 {
        let last = self.bins() - 1;
        let mut bin = self.bin(from);
        let (mut at, mut sum) = (from, 0.0);
        while at < to {
            let until = if bin == last {
                to
            } else {
                self.edges[bin + 1].min(to)
            };
            let step = (until - at).max(0.0);
            self.exposure[bin] += step;
            self.weighed[bin] += step * weight;
            sum += step * self.rates[0][bin];
            at = until;
            if bin == last {
                break;
            }
            bin += 1;
        }
        sum
    }

    /// Forgets by the half-life up to `t` and computes the rates with the prior worth `weight` calls.
    pub(super) fn settle(&mut self, t: f64, weight: f64) {
        let keep = 0.5_f64.powf((t - self.settled_at).max(0.0) / self.half_life_s);
        self.settled_at = t;
        self.exposure.iter_mut().for_each(|x| *x *= keep);
        self.weighed.iter_mut().for_each(|x| *x *= keep);
        for way in 0..C {
            self.events[way].iter_mut().for_each(|x| *x *= keep);
            for bin in 0..self.bins() {
                let (ends, seen) = self.around(way, bin);
                let ends = ends + weight * self.prior_events[way][bin];
                let seen = seen + weight * self.prior_exposure[bin];
                self.rates[way][bin] = (ends / seen.max(1e-9)).min(RATE_MAX);
            }
        }
    }

    /// Ends of a way and exposure to it around a bin.
    fn around(&self, way: usize, bin: usize) -> (f64, f64) {
        let exposure = if way == 0 {
            &self.weighed
        } else {
            &self.exposure
        };
        let (first, last) = (
            bin.saturating_sub(SMOOTH),
            (bin + SMOOTH).min(self.bins() - 1),
        );
        let near = self.events[way][first..=last]
            .iter()
            .zip(&exposure[first..=last]);
        let (mut ends, mut seen) = (0.0, 0.0);
        for (at, (end, time)) in (first..).zip(near) {
            let weight = 1.0 - f64_of(bin.abs_diff(at)) / f64_of(SMOOTH + 1);
            ends += weight * end;
            seen += weight * time;
        }
        (ends, seen)
    }

    /// What was seen: ends of each way, exposure, weighed exposure, one after the other.
    pub(super) fn learned(&self) -> Vec<f64> {
        let ends = self.events.iter().flatten();
        let times = self.exposure.iter().chain(&self.weighed);
        ends.chain(times).copied().collect()
    }

    /// Ends seen, all ways together.
    pub(super) fn ends(&self) -> f64 {
        self.events.iter().flatten().sum()
    }

    /// Takes up what was seen before, each figure times `keep`, as far as both have the ages: another ring time has
    /// more bins or fewer. Figures of another count of ways are left out.
    pub(super) fn recall(&mut self, kept: &[f64], keep: f64) {
        let bins = kept.len() / (C + 2);
        if bins == 0 || !kept.len().is_multiple_of(C + 2) {
            return;
        }
        let slots = self
            .events
            .iter_mut()
            .chain([&mut self.exposure, &mut self.weighed]);
        for (slot, part) in slots.zip(kept.chunks(bins)) {
            for (mine, before) in slot.iter_mut().zip(part) {
                *mine += keep * before.max(0.0);
            }
        }
    }

    /// Rate of all ways together in a bin, 1/s.
    pub(super) fn rate(&self, bin: usize) -> f64 {
        self.rates.iter().map(|r| r[bin]).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small count of bins")]
const fn f64_of(n: usize) -> f64 {
    n as f64
}

/// Distribution function of a lognormal with this mean and coefficient of variation.
pub(super) fn lognormal(mean: f64, cv: f64) -> impl Fn(f64) -> f64 {
    let var = (1.0 + cv * cv).ln();
    let mu = mean.ln() - var / 2.0;
    let sd = var.sqrt();
    move |x| {
        if x <= 0.0 {
            0.0
        } else {
            super::risk::phi((x.ln() - mu) / sd)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_in_progress_counts() {
        let slow = lognormal(100.0, 1.0);
        let mut curve: Curve<1> = Curve::new(Grid::Stretched, 100, 3600.0, [(1.0, &slow)]);
        // One end at 5 s and 99 that are past it: the rate is one in a hundred a second.
        curve.end(0, 5.5);
        for _ in 0..100 {
            curve.expose(0.0, 6.0);
        }
        curve.settle(0.0, 0.0);
        // Smoothed over the bins 3 to 5 (those after it nobody has reached): one end in 300 s of 600.
        assert!(
            (curve.rates[0][5] - 1.0 / 200.0).abs() < 1e-9,
            "{}",
            curve.rates[0][5]
        );
        assert!(curve.rates[0][2] < 1e-9);
    }

    #[test]
    fn what_was_likelier_for_a_while_leaves_the_rate() {
        let slow = lognormal(100.0, 1.0);
        let mut curve: Curve<1> = Curve::new(Grid::Fine, 40, 3600.0, [(1.0, &slow)]);
        for _ in 0..1_000 {
            curve.expose_weighed(0.0, 20.0, 2.0);
        }
        for bin in 0..2_000_u32 {
            curve.end(0, f64::from(bin % 40) / 2.0);
        }
        curve.settle(0.0, 0.0);
        assert!(
            (curve.rates[0][20] - 0.05).abs() < 1e-9,
            "{}",
            curve.rates[0][20]
        );
    }

    #[test]
    fn another_ring_time_keeps_the_ages_that_both_have() {
        let slow = lognormal(100.0, 1.0);
        let curve = |bins| -> Curve<1> { Curve::new(Grid::Fine, bins, 3600.0, [(1.0, &slow)]) };
        let mut old = curve(50);
        for _ in 0..1_000 {
            old.expose(0.0, 24.0);
        }
        for n in 0..4_800_u32 {
            old.end(0, f64::from(n % 48) / 2.0);
        }
        old.settle(0.0, 1.0);
        for bins in [40, 50, 80] {
            let mut new = curve(bins);
            let prior = new.rates[0][bins - 1];
            new.recall(&old.learned(), 1.0);
            new.settle(0.0, 1.0);
            let seen = (new.rates[0][20] - old.rates[0][20]).abs();
            assert!(seen < 1e-9, "{bins} bins: {seen}");
            let seen = new.learned();
            assert_eq!(seen.len(), 3 * bins);
            assert!(seen.iter().take(bins.min(48)).all(|ends| *ends == 100.0));
            if bins > 50 {
                assert!((new.rates[0][bins - 1] - prior).abs() < 1e-12);
            }
        }
        let mut other = curve(50);
        other.recall(&[1.0; 7], 1.0);
        assert_eq!(other.ends(), 0.0);
    }

    #[test]
    fn bins_begin_where_their_edges_say() {
        for grid in [Grid::Fine, Grid::Stretched] {
            for bin in [0, 7, 30, 31, 55] {
                let (found, rest) = grid.place(grid.edge(bin) + 1e-6);
                assert_eq!(found, bin, "{grid:?}");
                assert!(rest < 1e-3);
            }
        }
    }
}
