//! Numbers with a true live share and an estimate of it, queued under the fairness rule.

use super::scenario::PerNumberPart;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution as _, Normal};
use std::collections::VecDeque;

/// Draws that fix the average and the calibration.
const SAMPLE: usize = 20_000;
/// Steps of the calibration.
const STEPS: usize = 40;
/// Largest true share.
const SHARE_MAX: f64 = 0.98;

#[derive(Debug, Clone, Copy)]
struct Number {
    ordinal: u64,
    share: f64,
    estimate: f64,
    passes: u32,
    first_pass: Option<f64>,
}

/// A number that is dialed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// Its place in the order in which numbers came, from 1.
    pub(super) ordinal: u64,
    /// True live share, not scaled.
    pub(super) share: f64,
    pub(super) estimate: f64,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Numbers {
    part: PerNumberPart,
    rng: ChaCha8Rng,
    queue: VecDeque<Number>,
    came: u64,
    mean: f64,
    /// Raw estimate and mean true share, rising.
    steps: Vec<(f64, f64)>,
}

impl Numbers {
    pub(super) fn new(part: &PerNumberPart, rng: ChaCha8Rng) -> Self {
        let mut numbers = Self {
            part: part.clone(),
            rng,
            queue: VecDeque::new(),
            came: 0,
            mean: 1.0,
            steps: Vec::new(),
        };
        let mut sample: Vec<(f64, f64)> = (0..SAMPLE).map(|_| numbers.draw()).collect();
        numbers.mean = mean(sample.iter().map(|s| s.0));
        sample.sort_by(|a, b| a.1.total_cmp(&b.1));
        if part.calibrated {
            numbers.steps = sample
                .chunks(SAMPLE / STEPS)
                .map(|c| (mean(c.iter().map(|s| s.1)), mean(c.iter().map(|s| s.0))))
                .collect();
        }
        numbers
    }

    /// True share and raw estimate.
    fn draw(&mut self) -> (f64, f64) {
        let sum: f64 = self.part.parts.iter().map(|p| p.0).sum();
        let mut at = self.rng.random::<f64>() * sum;
        let mut part = self.part.parts[0];
        for p in &self.part.parts {
            part = *p;
            at -= p.0;
            if at <= 0.0 {
                break;
            }
        }
        let (_, m, k) = part;
        let share = Beta::new(m * k, (1.0 - m) * k).map_or(m, |b| b.sample(&mut self.rng));
        let share = share.clamp(1e-4, SHARE_MAX);
        let noise = Normal::new(self.part.bias, self.part.sigma.max(1e-9))
            .map_or(0.0, |n| n.sample(&mut self.rng));
        let logit = (share / (1.0 - share)).ln() * self.part.slope + noise;
        (share, 1.0 / (1.0 + (-logit).exp()))
    }

    /// A number's live share when the average one's is `p_live`.
    pub(super) fn scaled(&self, share: f64, p_live: f64) -> f64 {
        (share * p_live / self.mean).min(SHARE_MAX)
    }

    fn right(&self, raw: f64) -> f64 {
        let after = self.steps.iter().position(|s| s.0 > raw);
        match (self.steps.is_empty(), after) {
            (true, _) => raw,
            (_, None) => self.steps[self.steps.len() - 1].1,
            (_, Some(0)) => self.steps[0].1,
            (_, Some(n)) => {
                let (a, b) = (self.steps[n - 1], self.steps[n]);
                a.1 + (b.1 - a.1) * (raw - a.0) / (b.0 - a.0).max(1e-9)
            }
        }
    }

    fn fill(&mut self, least: usize) {
        while self.queue.len() < least {
            let (share, raw) = self.draw();
            let estimate = self.right(raw);
            self.came += 1;
            self.queue.push_back(Number {
                ordinal: self.came,
                share,
                estimate,
                passes: 0,
                first_pass: None,
            });
        }
    }

    /// Estimates of the next numbers, and how many of them are due.
    pub(super) fn show(&mut self, now: f64) -> (Vec<f64>, usize) {
        self.fill(self.part.window);
        // Due ones first, in their order.
        let window = self.part.window;
        let (max, s) = (self.part.pass_max, self.part.pass_s);
        let is_due = |n: &Number| n.passes >= max || n.first_pass.is_some_and(|f| now - f >= s);
        let mut front: Vec<Number> = self.queue.drain(..window).collect();
        front.sort_by_key(|n| !is_due(n));
        let due = front.iter().filter(|n| is_due(n)).count();
        for number in front.into_iter().rev() {
            self.queue.push_front(number);
        }
        let next = self.queue.iter().take(window).map(|n| n.estimate);
        (next.collect(), due)
    }

    /// Takes `count` numbers: the due ones, then the picks, then the front.
    pub(super) fn take(&mut self, now: f64, count: usize, picks: &[usize]) -> Vec<Taken> {
        self.fill(self.part.window.max(count));
        let (_, due) = self.show(now);
        let mut chosen: Vec<usize> = (0..due.min(count)).collect();
        let rest: Vec<usize> = (0..self.queue.len()).collect();
        for at in picks.iter().filter(|p| **p < self.part.window).chain(&rest) {
            if chosen.len() >= count {
                break;
            }
            if !chosen.contains(at) {
                chosen.push(*at);
            }
        }
        let Some(last) = chosen.iter().max().copied() else {
            return Vec::new();
        };
        let taken = chosen
            .iter()
            .filter_map(|at| self.queue.get(*at))
            .map(|n| Taken {
                ordinal: n.ordinal,
                share: n.share,
                estimate: n.estimate,
            })
            .collect();
        let mut kept = VecDeque::new();
        for (at, mut number) in self.queue.drain(..=last).enumerate() {
            if !chosen.contains(&at) {
                number.passes += 1;
                number.first_pass.get_or_insert(now);
                kept.push_back(number);
            }
        }
        kept.append(&mut self.queue);
        self.queue = kept;
        taken
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    sum / f64::max(n, 1.0)
}
