//! Distributions of scenario files.

use rand::Rng;
use rand_distr::{Distribution as _, Exp, LogNormal};
use serde::Deserialize;

/// Draws of a truncated distribution before the value is clamped.
const TRUNC_DRAWS: u32 = 64;

/// A distribution of times, s.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Dist {
    /// By mean and coefficient of variation.
    Lognormal {
        /// Mean, s.
        mean: f64,
        /// Standard deviation ÷ mean.
        cv: f64,
    },
    /// Memoryless.
    Exp {
        /// Mean, s.
        mean: f64,
    },
    /// Another one within bounds.
    Trunc {
        /// The other one.
        of: Box<Dist>,
        /// Least, s.
        lo: f64,
        /// Most, s.
        hi: f64,
    },
    /// One of several, by weight.
    Mix {
        /// Weight and distribution.
        parts: Vec<(f64, Dist)>,
    },
    /// Even between bounds.
    Uniform {
        /// Least, s.
        lo: f64,
        /// Most, s.
        hi: f64,
    },
}

impl Dist {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// The field and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let positive = |name: &str, x: f64| {
            if x.is_finite() && x > 0.0 {
                Ok(())
            } else {
                Err(format!("{name} {x}: must be above 0"))
            }
        };
        let ordered = |lo: f64, hi: f64| {
            if lo.is_finite() && hi.is_finite() && 0.0 <= lo && lo <= hi {
                Ok(())
            } else {
                Err(format!("lo {lo}, hi {hi}: must be 0 ≤ lo ≤ hi"))
            }
        };
        match self {
            Self::Lognormal { mean, cv } => {
                positive("mean", *mean)?;
                if cv.is_finite() && *cv >= 0.0 {
                    Ok(())
                } else {
                    Err(format!("cv {cv}: must be from 0"))
                }
            }
            Self::Exp { mean } => positive("mean", *mean),
            Self::Trunc { of, lo, hi } => {
                ordered(*lo, *hi)?;
                of.check()
            }
            Self::Uniform { lo, hi } => ordered(*lo, *hi),
            Self::Mix { parts } => {
                let sum: f64 = parts.iter().map(|p| p.0).sum();
                if parts.iter().any(|p| p.0 < 0.0) || !sum.is_finite() || sum <= 0.0 {
                    return Err("parts: weights from 0, at least one above 0".into());
                }
                parts.iter().try_for_each(|p| p.1.check())
            }
        }
    }

    /// A draw, s.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Lognormal { mean, cv } => lognormal(*mean, *cv, rng),
            Self::Exp { mean } => Exp::new(1.0 / mean).map_or(*mean, |d| d.sample(rng)),
            Self::Trunc { of, lo, hi } => {
                let mut x = *lo;
                for _ in 0..TRUNC_DRAWS {
                    x = of.draw(rng);
                    if (*lo..=*hi).contains(&x) {
                        return x;
                    }
                }
                x.clamp(*lo, *hi)
            }
            Self::Mix { parts } => {
                let sum: f64 = parts.iter().map(|p| p.0).sum();
                let mut at = rng.random::<f64>() * sum;
                for (weight, part) in parts {
                    at -= weight;
                    if at <= 0.0 {
                        return part.draw(rng);
                    }
                }
                parts.last().map_or(0.0, |p| p.1.draw(rng))
            }
            Self::Uniform { lo, hi } => lo + rng.random::<f64>() * (hi - lo),
        }
    }
}

/// A lognormal draw by mean and coefficient of variation; the mean itself when these are no figures.
pub(super) fn lognormal(mean: f64, cv: f64, rng: &mut impl Rng) -> f64 {
    let var = (1.0 + cv * cv).ln();
    LogNormal::new(mean.ln() - var / 2.0, var.sqrt()).map_or(mean, |d| d.sample(rng))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    fn dist(text: &str) -> Dist {
        serde_json::from_str(text).expect("a distribution")
    }

    #[test]
    fn means_come_out_as_they_were_written() {
        let cases = [
            (r#"{"kind":"lognormal","mean":9.5,"cv":0.6}"#, 9.5),
            (r#"{"kind":"lognormal","mean":4.0,"cv":0.0}"#, 4.0),
            (r#"{"kind":"exp","mean":3.0}"#, 3.0),
            (r#"{"kind":"uniform","lo":1.0,"hi":5.0}"#, 3.0),
            (r#"{"kind":"uniform","lo":2.0,"hi":2.0}"#, 2.0),
            (
                r#"{"kind":"trunc","of":{"kind":"uniform","lo":0.0,"hi":9.0},"lo":2.0,"hi":4.0}"#,
                3.0,
            ),
            (
                r#"{"kind":"mix","parts":[[3.0,{"kind":"uniform","lo":1.0,"hi":1.0}],[1.0,{"kind":"uniform","lo":5.0,"hi":5.0}],[0.0,{"kind":"exp","mean":900.0}]]}"#,
                2.0,
            ),
        ];
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (text, mean) in cases {
            let one = dist(text);
            assert!(one.check().is_ok(), "{text}");
            let sum: f64 = (0..20_000).map(|_| one.draw(&mut rng)).sum();
            let found = sum / 20_000.0;
            assert!((found / mean - 1.0).abs() < 0.04, "{text}: {found}");
        }
    }
}
