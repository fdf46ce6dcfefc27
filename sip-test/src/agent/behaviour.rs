//! How an agent works, as data, and what he draws for each call.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, LogNormal as Shape};
use serde::{Deserialize, Serialize};

use crate::SipTestError;
use crate::carrier::LogNormal;

/// What identified talks come to: weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// A promise with amount and date.
    pub promise: f64,
    /// He says he paid.
    pub paid: f64,
    /// Call again later.
    pub call_back: f64,
    /// Cannot pay.
    pub cannot: f64,
    /// Will not pay.
    pub will_not: f64,
    /// Disputes the amount.
    pub dispute: f64,
}

/// How an agent works; `Behaviour::demo` is the demo's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// From signing in, or from the end of a pause of the system's, to ready, ms: from, to.
    pub ready_ms: [u64; 2],
    /// From the call to his first word, ms: from, to.
    pub first_word_ms: [u64; 2],
    /// From the call to the identity, ms: from, to.
    pub identity_ms: [u64; 2],
    /// Longest talk before he ends it, ms.
    pub talk_ms: LogNormal,
    /// From the end of the call to the disposition, ms.
    pub wrap_ms: LogNormal,
    /// Silence after which he hangs up, ms.
    pub silence_ms: u64,
    /// From a machine's beep to hanging up, ms.
    pub machine_ms: u64,
    /// Share of people who are the titular.
    pub titular_share: f64,
    /// Share of the others whose number is wrong.
    pub wrong_number_share: f64,
    /// What identified talks come to.
    pub outcomes: Outcomes,
    /// Longest time to a promised date, days.
    pub promise_days: u32,
    /// Share of calls after which he takes a break.
    pub break_share: f64,
    /// Length of a break, ms.
    pub break_ms: u64,
    /// From a preview to his decision, ms: from, to.
    pub preview_ms: [u64; 2],
    /// Share of previews he skips.
    pub preview_skip_share: f64,
}

impl Behaviour {
    /// The demo's: talks and wrap-ups of seconds, invented shares (no open data tells how agents
    /// dispose).
    #[must_use]
    pub const fn demo() -> Self {
        Self {
            ready_ms: [300, 1_500],
            first_word_ms: [300, 900],
            identity_ms: [2_500, 4_500],
            talk_ms: LogNormal {
                median: 18_000.0,
                sigma: 0.5,
                least: 7_000,
                most: 60_000,
            },
            wrap_ms: LogNormal {
                median: 2_500.0,
                sigma: 0.4,
                least: 800,
                most: 8_000,
            },
            silence_ms: 9_000,
            machine_ms: 800,
            titular_share: 0.82,
            wrong_number_share: 0.15,
            outcomes: Outcomes {
                promise: 0.40,
                paid: 0.08,
                call_back: 0.12,
                cannot: 0.22,
                will_not: 0.16,
                dispute: 0.02,
            },
            promise_days: 7,
            break_share: 0.01,
            break_ms: 15_000,
            preview_ms: [800, 2_500],
            preview_skip_share: 0.1,
        }
    }

    /// Reads one from JSON text.
    ///
    /// # Errors
    /// [`SipTestError::Profile`] naming what does not fit.
    pub fn parse(text: &str) -> Result<Self, SipTestError> {
        let behaviour: Self =
            serde_json::from_str(text).map_err(|e| SipTestError::Profile(e.to_string()))?;
        behaviour
            .check()
            .map_err(|what| SipTestError::Profile(what.to_owned()))?;
        Ok(behaviour)
    }

    fn check(&self) -> Result<(), &'static str> {
        let spans = [
            self.ready_ms,
            self.first_word_ms,
            self.identity_ms,
            self.preview_ms,
        ];
        if spans.iter().any(|[from, to]| from > to) {
            return Err("a span of two times must rise");
        }
        let times = [&self.talk_ms, &self.wrap_ms];
        if times
            .iter()
            .any(|t| !(t.median > 0.0 && t.sigma >= 0.0 && t.least <= t.most))
        {
            return Err("a time needs median > 0, sigma >= 0 and least <= most");
        }
        let shares = [
            self.titular_share,
            self.wrong_number_share,
            self.break_share,
            self.preview_skip_share,
        ];
        if !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
            return Err("a share must be from 0 to 1");
        }
        let weights = self.outcomes.rows().map(|(weight, _)| weight);
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || weights.iter().sum::<f64>() <= 0.0
        {
            return Err("outcomes must be 0 or more and not all 0");
        }
        if self.promise_days == 0 {
            return Err("promise_days must be 1 or more");
        }
        Ok(())
    }
}

/// What an identified talk comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A promise.
    Promise,
    /// Says he paid.
    Paid,
    /// Call again later.
    CallBack,
    /// Cannot pay.
    Cannot,
    /// Will not pay.
    WillNot,
    /// Disputes the amount.
    Dispute,
}

impl Outcomes {
    fn rows(&self) -> [(f64, Outcome); 6] {
        [
            (self.promise, Outcome::Promise),
            (self.paid, Outcome::Paid),
            (self.call_back, Outcome::CallBack),
            (self.cannot, Outcome::Cannot),
            (self.will_not, Outcome::WillNot),
            (self.dispute, Outcome::Dispute),
        ]
    }
}

/// Who answers, as the agent finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The debtor.
    Titular,
    /// Somebody else.
    ThirdParty,
    /// Nobody who knows him.
    WrongNumber,
}

/// What an agent draws for one call; times in ms from the start of the talk or its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// From a pause to ready.
    pub ready_ms: u64,
    /// To the first word.
    pub first_word_ms: u64,
    /// To the identity.
    pub identity_ms: u64,
    /// To hanging up.
    pub talk_ms: u64,
    /// From the end to the disposition.
    pub wrap_ms: u64,
    /// Who answers.
    pub who: Who,
    /// What it comes to.
    pub outcome: Outcome,
    /// Share of the amount that is promised; 1 for all of it.
    pub promise_share: f64,
    /// Days to the promised date, or to calling back.
    pub days: u32,
    /// Takes a break afterwards.
    pub takes_break: bool,
    /// From a preview to the decision.
    pub preview_ms: u64,
    /// Skips the preview.
    pub skips: bool,
}

impl Manner {
    /// Draws the `index`-th call of the agent `name`: the same for the same seed.
    #[must_use]
    pub fn draw(behaviour: &Behaviour, seed: u64, name: &str, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(hash(seed, name, index));
        let rng = &mut rng;
        // Everything is drawn for every call, so that changing one figure moves no other.
        let titular = rng.random::<f64>() < behaviour.titular_share;
        let wrong = rng.random::<f64>() < behaviour.wrong_number_share;
        let all = rng.random::<f64>() < 0.5;
        let part = rng.random_range(0.2..0.9);
        Self {
            ready_ms: span(behaviour.ready_ms, rng),
            first_word_ms: span(behaviour.first_word_ms, rng),
            identity_ms: span(behaviour.identity_ms, rng),
            talk_ms: log_normal(&behaviour.talk_ms, rng),
            wrap_ms: log_normal(&behaviour.wrap_ms, rng),
            who: match (titular, wrong) {
                (true, _) => Who::Titular,
                (false, true) => Who::WrongNumber,
                (false, false) => Who::ThirdParty,
            },
            outcome: outcome(&behaviour.outcomes, rng.random()),
            promise_share: if all { 1.0 } else { part },
            days: rng.random_range(1..=behaviour.promise_days.max(1)),
            takes_break: rng.random::<f64>() < behaviour.break_share,
            preview_ms: span(behaviour.preview_ms, rng),
            skips: rng.random::<f64>() < behaviour.preview_skip_share,
        }
    }
}

fn outcome(outcomes: &Outcomes, at: f64) -> Outcome {
    let rows = outcomes.rows();
    let mut left = at * rows.iter().map(|(weight, _)| weight).sum::<f64>();
    for (weight, outcome) in rows {
        if left < weight {
            return outcome;
        }
        left -= weight;
    }
    Outcome::Cannot
}

fn span([from, to]: [u64; 2], rng: &mut ChaCha8Rng) -> u64 {
    rng.random_range(from..=to.max(from))
}

fn log_normal(shape: &LogNormal, rng: &mut ChaCha8Rng) -> u64 {
    let drawn = Shape::new(shape.median.ln(), shape.sigma).map_or(shape.median, |d| d.sample(rng));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float casts saturate"
    )]
    let whole = drawn.round().max(0.0) as u64;
    whole.clamp(shape.least, shape.most)
}

/// FNV-1a over all three: stable across platforms and releases.
pub(super) fn hash(seed: u64, name: &str, index: u64) -> u64 {
    let bytes = seed
        .to_be_bytes()
        .into_iter()
        .chain(name.bytes())
        .chain(index.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manners(seed: u64, name: &str) -> Vec<Manner> {
        (0..4_000)
            .map(|n| Manner::draw(&Behaviour::demo(), seed, name, n))
            .collect()
    }

    #[test]
    fn the_same_seed_and_name_work_the_same() {
        assert_eq!(manners(1, "ana"), manners(1, "ana"));
        assert_ne!(manners(1, "ana"), manners(2, "ana"));
        assert_ne!(manners(1, "ana"), manners(1, "eva"));
    }

    #[test]
    fn shares_come_out_as_told() {
        let drawn = manners(3, "ana");
        let share = |fits: &dyn Fn(&Manner) -> bool| {
            let count = u32::try_from(drawn.iter().filter(|m| fits(m)).count()).expect("few");
            f64::from(count) / 4_000.0
        };
        assert!((share(&|m| m.who == Who::Titular) - 0.82).abs() < 0.03);
        assert!((share(&|m| m.outcome == Outcome::Promise) - 0.40).abs() < 0.03);
        assert!((share(&|m| m.outcome == Outcome::Dispute) - 0.02).abs() < 0.01);
        assert!((share(&|m| m.promise_share >= 1.0) - 0.5).abs() < 0.03);
        assert!(
            drawn
                .iter()
                .all(|m| (7_000..=60_000).contains(&m.talk_ms) && m.days >= 1)
        );
    }

    #[test]
    fn a_behaviour_is_read_and_what_does_not_fit_is_named() {
        let text = serde_json::to_string(&Behaviour::demo()).expect("json");
        assert_eq!(Behaviour::parse(&text).expect("itself"), Behaviour::demo());
        let wrong = text.replace("\"titular_share\":0.82", "\"titular_share\":1.2");
        assert!(
            Behaviour::parse(&wrong)
                .expect_err("share")
                .to_string()
                .contains("share")
        );
        assert!(Behaviour::parse("{}").is_err());
    }
}
