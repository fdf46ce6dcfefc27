//! The demo's world as a scenario file, so that `marcador simulate` says before what a demo should come to: shares,
//! rings, talks and wrap-ups are drawn from the same carrier and the same agents that the demo runs with.

use super::{seed, tempo};
use serde_json::{Value, json};
use sip_test::agent::Manner;
use sip_test::carrier::{Class, draw};

/// Calls that are drawn.
const CALLS: u32 = 20_000;
/// Slices of equal weight that stand for a distribution.
const SLICES: usize = 25;
/// From the end of a call to the disposition at the server, beside the agent's own time, ms: he looks what is due
/// ten times a second.
const HANDS_MS: u64 = 100;
/// The pacing's tick, s.
const EPOCH_S: f64 = 0.25;
/// Agents sign in over this time, s.
const SIGN_IN_S: f64 = 1.0;
/// Message of an abandoned call, s.
const MESSAGE_S: f64 = 8.0;
/// Limit from the answer to an agent, s.
const WITHIN_S: f64 = 2.0;
/// Breaks an agent takes an hour at the demo's pace: one call in a hundred of some three hundred.
const BREAKS_PER_H: f64 = 3.0;

#[expect(clippy::cast_precision_loss, reason = "a time of seconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// A distribution as slices of equal weight, each even between its ends.
fn slices(mut times_ms: Vec<u64>) -> Value {
    if times_ms.is_empty() {
        times_ms.push(0);
    }
    times_ms.sort_unstable();
    let last = times_ms.len() - 1;
    let at = |n: usize| times_ms[last * n / SLICES];
    let part = |n: usize| {
        let (lo, hi) = (at(n), at(n + 1));
        let hi = hi.max(lo + 1);
        json!([1.0, { "kind": "uniform", "lo": seconds(lo), "hi": seconds(hi) }])
    };
    let parts: Vec<Value> = (0..SLICES).map(part).collect();
    json!({ "kind": "mix", "parts": parts })
}

#[derive(Default)]
struct Drawn {
    setup: Vec<u64>,
    ring_live: Vec<u64>,
    ring_machine: Vec<u64>,
    talk: Vec<u64>,
    wrap: Vec<u64>,
    /// From what would be a ring to the refusal: as long as the network's sound, where there is one.
    refused: Vec<u64>,
    longest_ring: u64,
}

fn drawn(seed: u64) -> anyhow::Result<Drawn> {
    let (profile, behaviour) = (tempo::profile()?, tempo::behaviour());
    let mut all = Drawn {
        longest_ring: profile.no_answer_ms,
        ..Drawn::default()
    };
    for n in 0..CALLS {
        let plan = draw(&profile, seed, &format!("+52550{n:07}"), 0, 12);
        let manner = Manner::draw(&behaviour, seed, "gestor", u64::from(n));
        all.setup.push(plan.pdd_ms);
        all.wrap.push(manner.wrap_ms + HANDS_MS);
        match plan.class {
            Class::Human | Class::HangupEarly => {
                all.ring_live.push(plan.ring_ms);
                all.talk.push(plan.talk_ms.min(manner.talk_ms));
                all.longest_ring = all.longest_ring.max(plan.ring_ms);
            }
            Class::MachineBeep | Class::MachineNoBeep => all.ring_machine.push(plan.ring_ms),
            Class::NoAnswer | Class::Rejected => {}
            Class::Busy | Class::Unreachable | Class::Congestion | Class::Invalid => {
                all.refused.push(plan.ring_ms);
            }
        }
    }
    Ok(all)
}

/// The scenario of a demo with so many agents and seconds, whose campaigns aim at so much abandonment.
///
/// # Errors
/// When the built-in people are broken: a test excludes it.
pub(super) fn scenario(
    agents: u32,
    length_s: u64,
    seed: u64,
    aim_pct: f64,
) -> anyhow::Result<Value> {
    let all = drawn(seed)?;
    let share = |n: usize| f64::from(u32::try_from(n).unwrap_or(0)) / f64::from(CALLS);
    let at_once = json!({ "kind": "uniform", "lo": 0.0, "hi": 0.01 });
    let (lines, cps) = seed::trunk_limits(agents);
    Ok(json!({
        "name": format!("demo-n{agents}"),
        "duration_s": seconds(length_s * 1_000),
        "warmup_s": 0.0,
        "epoch_s": EPOCH_S,
        "agents": {
            "n": agents, "speed_cv": 0.0, "login_ramp_s": SIGN_IN_S, "breaks": [], "leave": [], "join": [],
            "pauses_per_h": BREAKS_PER_H, "pause": { "kind": "uniform", "lo": 14.0, "hi": 16.0 },
        },
        "dial": {
            "p_live": [[0.0, share(all.ring_live.len())]],
            "p_machine": share(all.ring_machine.len()),
            "p_busy": share(all.refused.len()),
            "p_sit": 0.0,
            "no_answer_timeout_s": seconds(all.longest_ring),
            "setup": slices(all.setup),
            "ring_live": slices(all.ring_live),
            "ring_machine": slices(all.ring_machine),
            "busy_delay": slices(all.refused),
        },
        "amd": { "enabled": false, "tpr": 0.0, "fpr": 0.0, "human_delay": at_once, "machine_delay": at_once },
        "talk": [{ "name": "demo", "w": 1.0, "talk": slices(all.talk), "wrap": slices(all.wrap) }],
        "customer": { "deadline_s": WITHIN_S, "patience": null, "message_s": MESSAGE_S },
        "limits": { "trunks": lines, "cps": f64::from(cps) },
        "shocks": [],
        "abandon_target_pct": aim_pct,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::pacing::{Scenario, hello};

    #[test]
    fn the_demo_is_a_scenario_that_simulate_reads() {
        let built = scenario(20, 600, 1, 2.79).expect("built-in people");
        let read = Scenario::parse("demo", &built.to_string()).expect("the format");
        // It forecasts at the demo's own aim, and never beyond a cap that is asked with.
        let aim = |cap, target| hello(&read, cap, target).aim();
        assert!((aim(0.03, None) - 0.027_9).abs() < 1e-9);
        assert!((aim(0.02, None) - 0.02).abs() < 1e-9);
        assert!((aim(0.03, Some(0.01)) - 0.01).abs() < 1e-9);
        assert_eq!(read.agents.n, 20);
        let live = read.p_live(0.0);
        assert!((live - 0.26).abs() < 0.02, "{live}");
        assert!(read.dial.no_answer_timeout_s >= 6.5);
    }
}
