//! Counters behind the board, the metrics and the summary.

use crate::view::{Histogram, Percentiles, Ratio};
use domain::entity::CallResult;
use domain::money::Money;
use domain::time::{DAY_MS, MINUTE_MS, UtcMs};
use std::collections::{BTreeMap, VecDeque};

/// Most samples one distribution keeps; older ones make room.
const SAMPLES_MAX: usize = 50_000;
/// Samples behind a row of the board.
const RECENT: usize = 1_000;
/// Span of the short answer rate.
const SHORT_MS: i64 = 5 * MINUTE_MS;

/// Upper bounds of the buckets of metrics, ms: fine where the promises on cards and audio lie, coarse
/// where ringing does.
const BOUNDS_MS: [u64; 14] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/// Measured durations in ms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    values: VecDeque<i64>,
    /// How many were at most `BOUNDS_MS[i]` long, ever.
    within: [u64; BOUNDS_MS.len()],
    count: u64,
    sum_ms: u64,
}

impl Samples {
    pub(crate) fn add(&mut self, ms: i64) {
        if self.values.len() >= SAMPLES_MAX {
            self.values.pop_front();
        }
        self.values.push_back(ms.max(0));
        let ms = u64::try_from(ms).unwrap_or(0);
        for (within, bound) in self.within.iter_mut().zip(BOUNDS_MS) {
            *within += u64::from(ms <= bound);
        }
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
    }

    /// Everything ever added, by size.
    pub(crate) fn histogram(&self) -> Histogram {
        Histogram {
            buckets: BOUNDS_MS.into_iter().zip(self.within).collect(),
            count: self.count,
            sum_ms: self.sum_ms,
        }
    }

    /// Nearest-rank percentiles of all samples; zeros without any.
    pub(crate) fn percentiles(&self) -> Percentiles {
        self.of_last(SAMPLES_MAX)
    }

    /// Percentiles of the newest samples, for rows that are folded each second.
    pub(crate) fn recent(&self) -> Percentiles {
        self.of_last(RECENT)
    }

    fn of_last(&self, n: usize) -> Percentiles {
        let mut sorted: Vec<i64> = self.values.iter().rev().take(n).copied().collect();
        sorted.sort_unstable();
        let at = |pct: usize| {
            let rank = (sorted.len() * pct).div_ceil(100).saturating_sub(1);
            sorted.get(rank).copied().unwrap_or(0)
        };
        Percentiles {
            p50: as_f64(at(50)),
            p99: as_f64(at(99)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "durations are below 2^52 ms")]
pub(crate) fn as_f64(ms: i64) -> f64 {
    ms as f64
}

/// Sums of money by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<String, i64>);

impl Sums {
    pub(crate) fn add(&mut self, money: Money) {
        let sum = self.0.entry(money.currency.to_string()).or_insert(0);
        *sum = sum.saturating_add(money.amount_minor);
    }

    pub(crate) fn list(&self) -> Vec<(String, i64)> {
        self.0.iter().map(|(c, n)| (c.clone(), *n)).collect()
    }

    /// Amount of the first currency, for rows that hold one number.
    pub(crate) fn first(&self) -> i64 {
        self.0.values().next().copied().unwrap_or(0)
    }
}

/// The UTC day of an instant.
pub(crate) const fn day_of(at: UtcMs) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// An agent's day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Today {
    pub(crate) calls: u32,
    pub(crate) rpc: u32,
    pub(crate) promises: u32,
    pub(crate) promised: Sums,
}

/// A campaign's day.
#[derive(Debug, Clone, Default)]
pub(crate) struct CampaignStats {
    pub(crate) attempts: u64,
    pub(crate) answers: u64,
    pub(crate) abandoned: u64,
    pub(crate) promises: u64,
    pub(crate) promised: Sums,
    pub(crate) blocked: BTreeMap<String, u64>,
    pub(crate) wait_agent: Samples,
    pub(crate) wait_debtor: Samples,
    short: VecDeque<(UtcMs, bool)>,
}

impl CampaignStats {
    /// A finished attempt, for the short answer rate.
    pub(crate) fn finished(&mut self, at: UtcMs, answered: bool) {
        self.short.push_back((at, answered));
    }

    pub(crate) fn short_rate(&mut self, now: UtcMs) -> Ratio {
        while self
            .short
            .front()
            .is_some_and(|(at, _)| now.since_ms(*at) > SHORT_MS)
        {
            self.short.pop_front();
        }
        Ratio {
            numerator: self.short.iter().filter(|(_, answered)| *answered).count() as u64,
            denominator: self.short.len() as u64,
        }
    }
}

/// Counters since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) attempts: u64,
    pub(crate) human: u64,
    pub(crate) machine: u64,
    pub(crate) connected: u64,
    pub(crate) abandoned: u64,
    pub(crate) dispositions: u64,
    pub(crate) promises: u64,
    pub(crate) promised: Sums,
    pub(crate) recordings: u64,
    pub(crate) recording_ms: u64,
    pub(crate) recordings_failed: u64,
    pub(crate) rtp_lost: u64,
    pub(crate) pop: Samples,
    pub(crate) bridge: Samples,
    pub(crate) wait: Samples,
    pub(crate) setup: Samples,
    pub(crate) blocked: BTreeMap<String, u64>,
    pub(crate) results: BTreeMap<(domain::ids::CampaignId, CallResult), u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentiles(), Percentiles::default());
        for ms in (1..=200).rev() {
            samples.add(ms);
        }
        let got = samples.percentiles();
        assert_eq!((got.p50, got.p99), (100.0, 198.0));
    }

    #[test]
    fn a_histogram_counts_up() {
        let mut samples = Samples::default();
        for ms in [-3, 5, 6, 40_000] {
            samples.add(ms);
        }
        let got = samples.histogram();
        assert_eq!((got.count, got.sum_ms), (4, 40_011));
        let at = |bound| {
            got.buckets
                .iter()
                .find(|(b, _)| *b == bound)
                .map(|(_, n)| *n)
        };
        assert_eq!(
            (at(1), at(5), at(10), at(30_000)),
            (Some(1), Some(2), Some(3), Some(3))
        );
    }

    #[test]
    fn the_short_rate_forgets() {
        let mut stats = CampaignStats::default();
        stats.finished(UtcMs(0), true);
        stats.finished(UtcMs(SHORT_MS), false);
        let rate = stats.short_rate(UtcMs(SHORT_MS));
        assert_eq!((rate.numerator, rate.denominator), (1, 2));
        let rate = stats.short_rate(UtcMs(SHORT_MS + 1));
        assert_eq!((rate.numerator, rate.denominator), (0, 1));
    }
}
