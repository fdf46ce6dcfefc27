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
            if lo.is_finite() && hi.is_finite() && 0.0 <= lo && lo < hi {
                Ok(())
            } else {
                Err(format!("lo {lo}, hi {hi}: must be 0 ≤ lo < hi"))
            }
        };
        match self {
            Self::Lognormal { mean, cv } => {
                positive("mean", *mean)?;
                positive("cv", *cv)
            }
            Self::Exp { mean } => positive("mean", *mean),
            Self::Trunc { of, lo, hi } => {
                ordered(*lo, *hi)?;
                of.check()
            }
            Self::Uniform { lo, hi } => ordered(*lo, *hi),
            Self::Mix { parts } => {
                if parts.is_empty() {
                    return Err("parts: at least one is needed".into());
                }
                for (weight, part) in parts {
                    positive("weight of a part", *weight)?;
                    part.check()?;
                }
                Ok(())
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
