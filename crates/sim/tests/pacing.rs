//! The policy against the plainest one, in a world of its own: abandonment in its band, agents a fifth
//! of their time busier.

use dialer::Lean;
use sim::pacing::policies::TARGET_OF_CAP;
use sim::pacing::scenario::{Shock, ShockWhat};
use sim::pacing::{Figures, Policy, RunSpec, Scenario, run};
use std::path::Path;

const CAP: f64 = 0.03;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=4;

fn scenario(name: &str) -> Scenario {
    let file = format!("{}/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Scenario::read(Path::new(&file)).expect("a scenario of this crate")
}

fn runs(scenario: &Scenario, policy: Policy, hard_stop: bool) -> Vec<Figures> {
    SEEDS
        .map(|seed| {
            let spec = RunSpec {
                policy,
                seed,
                cap: CAP,
                target: None,
                lean: Lean::default(),
                hard_stop,
                full: false,
            };
            run(scenario, &spec).expect("these settings can be dialed")
        })
        .collect()
}

fn abandonment(runs: &[Figures]) -> f64 {
    let (lost, handled) = runs.iter().fold((0, 0), |(lost, handled), f| {
        (lost + f.abandoned, handled + f.handled)
    });
    let whole = u32::try_from(lost + handled).expect("some thousands");
    f64::from(u32::try_from(lost).expect("some hundreds")) / f64::from(whole)
}

fn occupancy(runs: &[Figures]) -> f64 {
    runs.iter().map(|f| f.occupancy).sum::<f64>() / 4.0
}

#[test]
fn twenty_agents_stay_in_the_band_and_a_fifth_busier_than_one_to_one() {
    let mut short = scenario("stat-n20-p20");
    short.duration_s = 9_000.0;
    let ours = runs(&short, Policy::Predictive, false);
    let plain = runs(&short, Policy::Progressive, false);
    let share = abandonment(&ours);
    assert!((0.02..=0.0365).contains(&share), "abandoned {share:.4}");
    assert_eq!(plain.iter().map(|f| f.abandoned).sum::<u64>(), 0);
    let (busy, before) = (occupancy(&ours), occupancy(&plain));
    assert!(busy >= before + 0.20, "{busy:.3} against {before:.3}");
}

/// What a run of a short shift comes to: contacts, people handled, people lost.
fn outcome(policy: Policy, cap: f64, target: Option<f64>, hard_stop: bool) -> (u64, u64, u64) {
    let mut short = scenario("stat-n20-p20");
    short.duration_s = 5_400.0;
    let spec = RunSpec {
        policy,
        seed: 7,
        cap,
        target,
        lean: Lean::default(),
        hard_stop,
        full: false,
    };
    let f = run(&short, &spec).expect("these settings can be dialed");
    (f.dials, f.handled, f.abandoned)
}

#[test]
fn a_target_moves_the_policy_and_leaves_the_hard_stop_at_the_cap() {
    // The part of the cap that the policy takes by itself, said aloud, is the same run.
    let own = outcome(Policy::Predictive, CAP, None, true);
    let aloud = Some(CAP * TARGET_OF_CAP);
    assert_eq!(outcome(Policy::Predictive, CAP, aloud, true), own);
    let low = outcome(Policy::Predictive, CAP, Some(0.01), false);
    let free = outcome(Policy::Predictive, CAP, None, false);
    assert!(low.2 * 2 < free.2, "{low:?} against {free:?}");
    // Fixed lines aim at nothing, so that only the hard stop holds them: at the cap, whatever the target.
    let ratio = Policy::Ratio(4.0);
    let held = outcome(ratio, CAP, None, true);
    assert_eq!(outcome(ratio, CAP, Some(0.01), true), held);
    let lower = outcome(ratio, 0.01, None, true);
    assert!(lower.2 < held.2, "{lower:?} against {held:?}");
}

#[test]
fn nothing_learned_does_not_burst_and_a_jump_is_followed() {
    let mut cold = scenario("coldstart-n50-p20");
    cold.duration_s = 900.0;
    for run in runs(&cold, Policy::Predictive, false) {
        assert!(run.first_5_min <= 0.065, "{:.4}", run.first_5_min);
        assert!(run.occupancy_1_to_10_min >= 0.88);
    }
    let mut jump = scenario("jump-n100");
    jump.duration_s = 7_200.0;
    let jumps = runs(&jump, Policy::Predictive, false);
    let mean = |pick: fn(&(f64, f64)) -> f64| {
        jumps
            .iter()
            .filter_map(|f| f.after_shocks.first())
            .map(pick)
            .sum::<f64>()
            / 4.0
    };
    assert!(mean(|s| s.0) <= 0.09 && mean(|s| s.1) <= 0.04);
    // What was saved before it may be spent, no hour goes past the law's bound for that (law.md §4).
    let worst = jumps.iter().map(|f| f.worst_hour).fold(0.0, f64::max);
    assert!(worst > 0.0 && worst <= 3.0 * CAP, "worst hour {worst:.4}");
}

#[test]
fn a_carrier_that_comes_back_brings_no_burst() {
    // Every dial fails for an hour; the talk that is not longer only marks the return.
    let mut dead = scenario("stat-n20-p20");
    dead.duration_s = 9_000.0;
    dead.warmup_s = 0.0;
    let (fails, back) = (3_600.0, 7_200.0);
    dead.shocks = vec![
        Shock {
            at_s: fails,
            dur_s: back - fails,
            what: ShockWhat::TrunkFail,
            value: 1.0,
        },
        Shock {
            at_s: back,
            dur_s: 1.0,
            what: ShockWhat::TalkMult,
            value: 1.0,
        },
    ];
    let runs = runs(&dead, Policy::Predictive, false);
    let lost = runs.iter().map(|f| f.after_shocks[1].0).sum::<f64>() / 4.0;
    assert!(
        lost <= 0.08,
        "{lost:.4} in the five minutes after the return"
    );
    assert!(abandonment(&runs) <= 0.0365);
}
