//! The demo's tempo: real life, shortened so that a visitor sees in minutes what a shift holds. Rings
//! last seconds, talks some ten; shares are invented. Nothing of the law is shortened: ring times that
//! we allow, windows, caps and the abandonment guard are those of the product.

use sip_test::agent::Behaviour;
use sip_test::carrier::{LogNormal, Profile, Weights};

/// The network gives up an unanswered call after this, ms; ours would after 25 s.
const NO_ANSWER_MS: u64 = 6_500;
/// Factor on talk and patience: a median talk of 9 s.
const TALK_SCALE: f64 = 0.05;

/// What the demo's carrier does with calls.
///
/// # Errors
/// When the built-in profile is broken: a test excludes it.
pub(crate) fn profile() -> anyhow::Result<Profile> {
    Ok(Profile {
        shares: Weights {
            human: 0.26,
            machine: 0.05,
            busy: 0.13,
            no_answer: 0.28,
            rejected: 0.06,
            unreachable: 0.12,
            congestion: 0.02,
            invalid: 0.08,
        },
        ring_ms: LogNormal {
            median: 3_500.0,
            sigma: 0.4,
            least: 1_000,
            most: 9_000,
        },
        no_answer_ms: NO_ANSWER_MS,
        time_scale: TALK_SCALE,
        ..Profile::demo()?
    })
}

/// How the demo's agents work.
pub(super) fn behaviour() -> Behaviour {
    Behaviour {
        ready_ms: [200, 800],
        identity_ms: [1_500, 3_000],
        talk_ms: LogNormal {
            median: 9_000.0,
            sigma: 0.4,
            least: 5_000,
            most: 25_000,
        },
        wrap_ms: LogNormal {
            median: 1_500.0,
            sigma: 0.4,
            least: 600,
            most: 5_000,
        },
        ..Behaviour::demo()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_what_the_simulated_world_takes() {
        let text = serde_json::to_string(&profile().expect("profile")).expect("json");
        assert!(Profile::parse(&text).is_ok());
        let text = serde_json::to_string(&behaviour()).expect("json");
        assert!(Behaviour::parse(&text).is_ok());
    }
}
