//! What a forecast has learned, as figures that outlive a restart.

use super::Predictive;

/// Parts of a memory by name. Bounded: a dozen parts of a few hundred figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// Name of each part and its figures.
    pub parts: Vec<(String, Vec<f64>)>,
}

/// Most figures one part may have; more is no memory of ours.
const FIGURES_MAX: usize = 2_000;
/// Half-life of a memory at rest, s: days resemble each other, weeks less.
const REST_HALF_LIFE_S: f64 = 7.0 * 86_400.0;
/// A memory older than this is worth less than the priors, s.
const OLDEST_S: f64 = 45.0 * 86_400.0;
/// Dials that a memory may stand for after a restart: enough to start as it ended, little enough for a
/// day that is different to show within minutes.
const WEIGHT_MOST: f64 = 300.0;

impl Predictive {
    /// What was learned so far.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let bank = [("bank", self.bank.learned())];
        let weight = [("weight", vec![self.calls.weight()])];
        let parts = self.calls.learned().into_iter();
        let numbers = [("numbers", self.numbers.learned())];
        let parts = parts.chain(self.agents.learned()).chain(numbers);
        let parts = parts.chain(bank).chain(weight);
        Memory {
            parts: parts.map(|(name, f)| (name.to_owned(), f)).collect(),
        }
    }

    /// Takes up what was learned `age_s` ago, for a policy that has seen next to nothing yet. Of what was
    /// seen under another ring time the ages count that both have; what does not fit is left out.
    pub fn recall(&mut self, memory: &Memory, age_s: f64) {
        if !(0.0..=OLDEST_S).contains(&age_s) {
            return;
        }
        let weight = memory.parts.iter().find(|(name, _)| name == "weight");
        let dials = weight.and_then(|(_, f)| f.first()).copied().unwrap_or(0.0);
        let rest = 0.5_f64.powf(age_s / REST_HALF_LIFE_S);
        let most = if dials > WEIGHT_MOST {
            WEIGHT_MOST / dials
        } else {
            1.0
        };
        for (name, figures) in &memory.parts {
            let sound = figures.len() <= FIGURES_MAX && figures.iter().all(|f| f.is_finite());
            if !sound {
                continue;
            }
            match name.as_str() {
                "bank" => self.bank.recall(figures, rest),
                "numbers" => self.numbers.recall(figures, rest * most),
                "rings" => self.calls.recall(name, figures, rest),
                _ => {
                    self.calls.recall(name, figures, rest * most);
                    self.agents.recall(name, figures, rest * most);
                }
            }
        }
        self.agents_tabled_at = f64::NEG_INFINITY;
        self.settle(self.tabled_at.max(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AgentState, CallEvent, Look, Settings};
    use super::*;

    fn fresh() -> Predictive {
        Predictive::new(Settings {
            target: 0.028,
            limit_s: 2.0,
            ring_timeout_s: 25.0,
        })
        .unwrap()
    }

    /// A day of calls of which most are answered after eight seconds.
    fn taught() -> Predictive {
        let mut policy = fresh();
        for n in 0..600_u32 {
            let (id, t) = (u128::from(n), f64::from(n) * 2.0);
            policy.agent(t, 1, AgentState::Idle);
            policy.call(t, id, CallEvent::Launched(None));
            policy.call(t + 1.0, id, CallEvent::Ringing);
            policy.call(t + 9.0, id, CallEvent::Live);
            policy.call(t + 9.0, id, CallEvent::Connected);
            let look = Look {
                idle: 1,
                waiting: 0,
                most: 5,
                shrink: 1.0,
                share: 1.0,
            };
            policy.decide(t + 9.0, &look);
        }
        policy
    }

    #[test]
    fn a_memory_makes_a_new_policy_know() {
        let old = taught();
        let (unknowing, knowing) = (fresh().live_share(), old.live_share());
        assert!(knowing > 1.9 * unknowing, "{knowing} {unknowing}");
        let mut new = fresh();
        new.recall(&old.memory(), 60.0);
        assert!(
            (new.live_share() - knowing).abs() < 0.2,
            "{}",
            new.live_share()
        );
        // A month fades it, and beyond that it is no memory.
        let mut month = fresh();
        month.recall(&old.memory(), 30.0 * 86_400.0);
        assert!(month.live_share() < new.live_share() && month.live_share() > unknowing);
        let mut older = fresh();
        older.recall(&old.memory(), 60.0 * 86_400.0);
        assert!((older.live_share() - unknowing).abs() < 1e-12);
    }

    #[test]
    fn what_estimates_are_worth_is_not_learned_anew() {
        let mut old = taught();
        for n in 0..2_000_u32 {
            let (id, t) = (u128::from(10_000 + n), 1_300.0 + f64::from(n));
            let sure = n % 2 == 0;
            let estimate = if sure { 0.5 } else { 0.1 };
            old.call(t, id, CallEvent::Launched(Some(estimate)));
            let answers = if sure { n % 4 == 0 } else { n % 20 == 1 };
            let end = if answers {
                CallEvent::Connected
            } else {
                CallEvent::Ended
            };
            old.call(t + 0.5, id, end);
        }
        let mut new = fresh();
        new.recall(&old.memory(), 60.0);
        let outlook = |policy: &mut Predictive, estimate| {
            policy.call(0.0, 1, CallEvent::Launched(Some(estimate)));
            policy.demand(0.0)
        };
        let (sure, small) = (outlook(&mut new, 0.5), outlook(&mut new, 0.1));
        assert!(sure > 3.0 * small, "{sure} {small}");
        let mut none = fresh();
        let (sure, small) = (outlook(&mut none, 0.5), outlook(&mut none, 0.1));
        assert!((sure - small).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let before = fresh().live_share();
        for parts in [
            vec![("ring".to_owned(), vec![1.0; 7])],
            vec![("ring".to_owned(), vec![f64::NAN; 212])],
            vec![("bank".to_owned(), vec![1e9, -5.0])],
            vec![("rings".to_owned(), vec![5.0, 1.0])],
            vec![("what".to_owned(), vec![1.0])],
        ] {
            let mut policy = fresh();
            policy.recall(&Memory { parts }, 1.0);
            assert!((policy.live_share() - before).abs() < 1e-12);
        }
    }

    #[test]
    fn it_is_small() {
        let figures: usize = taught().memory().parts.iter().map(|p| p.1.len()).sum();
        assert!(figures < 5_000, "{figures}");
    }
}
