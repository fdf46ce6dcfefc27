use super::*;
use crate::pacing::{Figures, Policy, RunSpec};
use std::thread::ScopedJoinHandle;

/// Short talks, and calls that the network ends long before our ring time: the demo's carrier.
const SHORT: &str = include_str!("../../scenarios/live/short-n20.json");
/// Share that the live engine may lose against the policy alone: the write-ahead before each dial, cards before
/// voices, answers judged by three scopes of the guard, and chance between two different crowds. Twelve single runs of
/// five minutes came to 0.83 in the mean, from 0.58 (where the cap on abandoned calls took the mode back) to 0.92, so
/// that the mean of several is asked. What it must catch lost 0.38.
const LOSS: f64 = 0.15;
/// Seeds of each.
const SEEDS: [u64; 6] = [1, 2, 3, 4, 5, 6];
/// Runs at once.
const AT_ONCE: usize = 2;

fn short() -> Scenario {
    let scenario = Scenario::parse("short-n20", SHORT).expect("it is one");
    Scenario {
        duration_s: 420.0,
        warmup_s: 90.0,
        ..scenario
    }
}

/// The policy alone in the same world with a campaign's aim, with the hard stop.
fn forecast(scenario: &Scenario) -> f64 {
    let one = |seed| {
        let spec = RunSpec {
            policy: Policy::Predictive,
            seed,
            cap: 0.03,
            target: Some(0.03 * dialer::TARGET_OF_CAP),
            lean: dialer::Lean::default(),
            hard_stop: true,
            full: false,
        };
        let figures: Figures = crate::pacing::run(scenario, &spec).expect("settings it takes");
        figures.occupancy
    };
    mean(SEEDS.map(one))
}

fn mean(of: [f64; SEEDS.len()]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

/// A run of each seed.
fn lived(scenario: &Scenario, campaigns: usize) -> [LiveFigures; SEEDS.len()] {
    let one = |seed: &u64| {
        let spec = LiveSpec {
            seed: *seed,
            campaigns,
            ..LiveSpec::default()
        };
        run(scenario, &spec).expect("the center starts")
    };
    let runs: Vec<LiveFigures> = std::thread::scope(|scope| {
        let share = |seeds: &'static [u64]| scope.spawn(move || seeds.iter().map(one).collect());
        let seeds: &'static [u64] = &SEEDS;
        let shares = seeds.chunks(SEEDS.len() / AT_ONCE).map(share);
        let shares: Vec<ScopedJoinHandle<'_, Vec<LiveFigures>>> = shares.collect();
        let runs = shares.into_iter().map(|s| s.join().expect("it lives"));
        runs.flatten().collect()
    });
    runs.try_into().expect("one a seed")
}

#[test]
fn the_live_engine_keeps_agents_as_busy_as_the_policy_alone() {
    let scenario = short();
    let expected = forecast(&scenario);
    assert!(expected > 0.7, "{expected}");
    // One campaign, and two that share the agents: both have to come near it.
    for campaigns in [1, 2] {
        let runs = lived(&scenario, campaigns);
        let busy = mean(runs.map(|r| r.occupancy));
        assert!(
            busy > expected - LOSS,
            "{campaigns} campaigns: occupancy {busy:.3}, the policy alone {expected:.3}: {runs:?}"
        );
        let faults: u64 = runs.iter().map(|r| r.errors).sum();
        assert_eq!(faults, 0, "{campaigns} campaigns: {runs:?}");
        let (lost, handled) = runs.iter().fold((0, 0), |(lost, handled), r| {
            (lost + r.abandoned, handled + r.handled)
        });
        let share = ratio(lost, lost + handled);
        let error = (0.03 * 0.97 / ratio(lost + handled, 1)).sqrt();
        assert!(share <= 0.03 + 2.0 * error, "{lost} of {}", lost + handled);
    }
}

#[test]
fn one_line_an_agent_abandons_nobody() {
    let scenario = Scenario {
        duration_s: 120.0,
        warmup_s: 20.0,
        ..short()
    };
    let spec = LiveSpec {
        mode: DialMode::Progressive,
        ..LiveSpec::default()
    };
    let figures = run(&scenario, &spec).expect("the center starts");
    assert_eq!(figures.abandoned, 0, "{figures:?}");
    assert!((0.3..0.6).contains(&figures.occupancy), "{figures:?}");
}
