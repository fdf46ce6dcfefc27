//! List mix: how many of each reservation come from which segment, so that the whole follows the weights.

/// Credit that a part may hold or owe, in debtors: what a part could not give is not made up for ever.
const CREDIT_MAX: i64 = 200;

/// The running account of one campaign's parts, in thousandths of a debtor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    weights: Vec<u32>,
    credit: Vec<i64>,
}

impl Mix {
    /// An even account. Weights are at least 1; no weights are one part.
    #[must_use]
    pub fn new(weights: &[u32]) -> Self {
        let weights: Vec<u32> = match weights {
            [] => vec![1],
            some => some.iter().map(|w| (*w).max(1)).collect(),
        };
        let credit = vec![0; weights.len()];
        Self { weights, credit }
    }

    /// Whether it was made of those weights.
    #[must_use]
    pub fn is_of(&self, weights: &[u32]) -> bool {
        self.weights == Self::new(weights).weights
    }

    /// How many of `limit` to take from each part; they add up to `limit`.
    #[must_use]
    pub fn ask(&self, limit: u32) -> Vec<u32> {
        let total: i64 = self.weights.iter().map(|w| i64::from(*w)).sum();
        let due: Vec<i64> = self
            .weights
            .iter()
            .zip(&self.credit)
            .map(|(w, credit)| credit + i64::from(limit) * 1000 * i64::from(*w) / total)
            .collect();
        let mut counts = vec![0_u32; due.len()];
        for _ in 0..limit {
            let left = |at: usize| due[at] - i64::from(counts[at]) * 1000;
            let most = (0..due.len()).max_by_key(|at| (left(*at), std::cmp::Reverse(*at)));
            if let Some(at) = most {
                counts[at] += 1;
            }
        }
        counts
    }

    /// What was taken of each part: the account goes on from it.
    pub fn took(&mut self, taken: &[u32]) {
        let all: i64 = taken.iter().map(|n| i64::from(*n)).sum();
        let total: i64 = self.weights.iter().map(|w| i64::from(*w)).sum();
        let bound = CREDIT_MAX * 1000;
        for (at, credit) in self.credit.iter_mut().enumerate() {
            let given = taken.get(at).copied().unwrap_or(0);
            let fair = all * 1000 * i64::from(self.weights[at]) / total;
            *credit = (*credit + fair - i64::from(given) * 1000).clamp(-bound, bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_weights_over_reservations_of_any_size() {
        for limits in [vec![1; 100], vec![7; 20], vec![200, 3, 1, 50]] {
            let mut mix = Mix::new(&[50, 30, 20]);
            let mut got = [0_u32; 3];
            for limit in &limits {
                let ask = mix.ask(*limit);
                assert_eq!(ask.iter().sum::<u32>(), *limit);
                for (sum, n) in got.iter_mut().zip(&ask) {
                    *sum += n;
                }
                mix.took(&ask);
            }
            let all: u32 = limits.iter().sum();
            for (n, weight) in got.iter().zip([50, 30, 20]) {
                let fair = i64::from(all * weight) / 100;
                assert!((i64::from(*n) - fair).abs() <= 1, "{got:?} of {all}");
            }
        }
    }

    #[test]
    fn an_empty_part_is_made_up_for_within_bounds() {
        let mut mix = Mix::new(&[1, 1]);
        for _ in 0..1_000 {
            mix.took(&[10, 0]);
        }
        let ask = mix.ask(500);
        assert_eq!(ask, vec![50, 450], "at most 200 each way");
        assert!(!mix.is_of(&[2, 1]) && mix.is_of(&[1, 1]));
        assert_eq!(Mix::new(&[]).ask(9), vec![9]);
    }
}
