//! Sums of independent chances: exact for small teams, normal above.

/// Mass below which a tail is cut.
const TAIL: f64 = 1e-10;
/// Chances below this are no chance.
const LEAST: f64 = 1e-6;

/// Distribution function of the standard normal (Abramowitz and Stegun 7.1.26, error below 1e-7).
pub(super) fn phi(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let half = poly * (-z * z).exp() / 2.0;
    if x >= 0.0 { 1.0 - half } else { half }
}

/// Number of successes among independent chances, exactly.
#[derive(Debug, Clone, Default)]
pub(super) struct Count {
    mass: Vec<f64>,
    /// `tail[k]` = P(at least k); valid after [`Count::sum_up`].
    tail: Vec<f64>,
}

impl Count {
    pub(super) fn clear(&mut self) {
        self.mass.clear();
        self.mass.push(1.0);
    }

    /// One more chance.
    pub(super) fn add(&mut self, q: f64) {
        if q < LEAST {
            return;
        }
        let q = q.min(1.0);
        let keep = 1.0 - q;
        let top = self.mass.last().copied().unwrap_or(0.0) * q;
        let mut below = 0.0;
        for m in &mut self.mass {
            let old = *m;
            *m = old * keep + below * q;
            below = old;
        }
        if top > TAIL {
            self.mass.push(top);
        }
    }

    pub(super) fn sum_up(&mut self) {
        self.tail.clear();
        self.tail.resize(self.mass.len() + 1, 0.0);
        let mut sum = 0.0;
        for k in (0..self.mass.len()).rev() {
            sum += self.mass[k];
            self.tail[k] = sum;
        }
    }

    /// P(at least k).
    fn at_least(&self, k: i64) -> f64 {
        match usize::try_from(k) {
            Err(_) | Ok(0) => 1.0,
            Ok(k) => self.tail.get(k).copied().unwrap_or(0.0),
        }
    }

    /// P(`spare` + this − `wanted` ≤ 0), `wanted` summed up before.
    pub(super) fn short(&self, spare: i64, wanted: &Self) -> f64 {
        let mut risk = 0.0;
        for (need, m) in (spare..).zip(&self.mass) {
            risk += m * wanted.at_least(need);
        }
        risk
    }
}

/// Mean and variance of a sum.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) var: f64,
}

impl Moments {
    pub(super) fn add(&mut self, q: f64) {
        self.mean += q;
        self.var += q * (1.0 - q);
    }

    /// This with n more equal chances.
    pub(super) fn plus(self, n: f64, q: f64) -> Self {
        Self {
            mean: self.mean + n * q,
            var: self.var + n * q * (1.0 - q),
        }
    }

    /// P(spare + free − wanted ≤ 0); `error` = relative error of the wanted mean.
    pub(super) fn short(spare: f64, free: Self, wanted: Self, error: f64) -> f64 {
        let mean = spare + free.mean - wanted.mean;
        let off = error * wanted.mean;
        let sd = (free.var + wanted.var + off * off).sqrt().max(1e-6);
        phi((0.5 - mean) / sd)
    }

    /// Mean of what is wanted beyond spare and free; `error` as above.
    pub(super) fn missing(spare: f64, free: Self, wanted: Self, error: f64) -> f64 {
        let mean = wanted.mean - spare - free.mean;
        let off = error * wanted.mean;
        let sd = (free.var + wanted.var + off * off).sqrt().max(1e-6);
        let z = mean / sd;
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        (mean * phi(z) + sd * density).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_and_normal_agree_where_both_hold() {
        let (mut free, mut wanted) = (Count::default(), Count::default());
        let (mut mf, mut mw) = (Moments::default(), Moments::default());
        free.clear();
        wanted.clear();
        for _ in 0..60 {
            free.add(0.3);
            mf.add(0.3);
        }
        for _ in 0..140 {
            wanted.add(0.1);
            mw.add(0.1);
        }
        wanted.sum_up();
        let exact = free.short(2, &wanted);
        let normal = Moments::short(2.0, mf, mw, 0.0);
        assert!((exact - normal).abs() < 0.01, "{exact} {normal}");
    }

    #[test]
    fn small_sums_by_hand() {
        let (mut free, mut wanted) = (Count::default(), Count::default());
        free.clear();
        wanted.clear();
        free.add(0.5);
        wanted.add(0.2);
        wanted.sum_up();
        // Nobody spare: short unless the one frees and nobody answers.
        assert!((free.short(0, &wanted) - (0.5 + 0.5 * 0.2)).abs() < 1e-12);
        assert!((free.short(1, &wanted) - 0.5 * 0.2).abs() < 1e-12);
        assert!((free.short(-3, &wanted) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_missing_is_the_mean_beyond_what_is_there() {
        let of = |mean: f64, var: f64| Moments { mean, var };
        // Five wanted for sure and two there; as many as there are, by chance; far fewer.
        for (spare, wanted, missing) in [
            (2.0, of(5.0, 0.0), 3.0),
            (4.0, of(4.0, 4.0), 2.0 * 0.398_942),
            (40.0, of(4.0, 4.0), 0.0),
        ] {
            let got = Moments::missing(spare, Moments::default(), wanted, 0.0);
            assert!((got - missing).abs() < 1e-4, "{got} {missing}");
        }
    }

    #[test]
    fn phi_is_the_normal() {
        assert!((phi(0.0) - 0.5).abs() < 1e-7);
        assert!((phi(1.96) - 0.975_002).abs() < 1e-5);
        assert!((phi(-3.0) - 0.001_349_9).abs() < 1e-6);
    }
}
