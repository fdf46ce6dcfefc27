//! A campaign that asks for more or less than the rule: its abandonment stays at its target, and what it holds back
//! stays free.

use dialer::Lean;
use domain::entity::AgentCountBasis;
use sim::pacing::{Figures, Policy, RunSpec, Scenario, run};
use std::path::Path;

const CAP: f64 = 0.03;
const TARGET: f64 = 0.0279;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn leaning(agent_balance: i32, intensity_pct: f64) -> Lean {
    Lean {
        agent_balance,
        intensity_pct,
        ..Lean::default()
    }
}

/// Abandoned, people in all, mean occupancy.
fn outcome(name: &str, policy: Policy, lean: Lean) -> (f64, f64, f64) {
    let file = format!("{}/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut scenario = Scenario::read(Path::new(&file)).expect("a scenario of this crate");
    scenario.duration_s = 7_200.0;
    let one = |seed| {
        let spec = RunSpec {
            policy,
            seed,
            cap: CAP,
            target: Some(TARGET),
            lean,
            hard_stop: false,
            full: false,
        };
        run(&scenario, &spec).expect("these settings can be dialed")
    };
    let runs: Vec<Figures> = SEEDS.map(one).collect();
    let small = |n: u64| f64::from(u32::try_from(n).expect("some thousands"));
    let lost = runs.iter().map(|f| small(f.abandoned)).sum::<f64>();
    let handled = runs.iter().map(|f| small(f.handled)).sum::<f64>();
    let busy = runs.iter().map(|f| f.occupancy).sum::<f64>() / 3.0;
    (lost, lost + handled, busy)
}

#[test]
fn no_wish_takes_the_abandonment_over_its_target() {
    for name in ["stat-n5-p20", "stat-n20-p20"] {
        for lean in [leaning(1, 0.0), leaning(10, 0.0), leaning(3, 100.0)] {
            let (lost, of, busy) = outcome(name, Policy::Predictive, lean);
            // The target, and three standard errors of what chance does to it.
            let most = TARGET * of + 3.0 * (TARGET * of).sqrt();
            assert!(lost <= most, "{name} {lean:?}: {lost} of {of}, {busy:.3}");
        }
    }
}

#[test]
fn what_is_held_back_stays_free_and_is_not_made_up_for() {
    let name = "stat-n20-p20";
    let (lost, of, busy) = outcome(name, Policy::Predictive, Lean::default());
    for (lean, freer) in [(leaning(-2, 0.0), 0.02), (leaning(0, -30.0), 0.02)] {
        let (less, among, calm) = outcome(name, Policy::Predictive, lean);
        assert!(calm < busy - freer, "{lean:?}: {calm:.3} against {busy:.3}");
        assert!(less / among < lost / of, "{lean:?}: {less} of {among}");
    }
}

#[test]
fn fixed_lines_follow_what_is_asked() {
    let of = |lean| outcome("stat-n20-p20", Policy::Power(3.0), lean).2;
    let rule = of(Lean::default());
    assert!(of(leaning(2, 0.0)) > rule && of(leaning(-4, 0.0)) < rule);
    assert!(of(leaning(0, 30.0)) > rule && of(leaning(0, -30.0)) < rule);
    let ready = Lean {
        basis: AgentCountBasis::Ready,
        ..Lean::default()
    };
    assert!((of(ready) - rule).abs() > 0.01, "another rule");
}
