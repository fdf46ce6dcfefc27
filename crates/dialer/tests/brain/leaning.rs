//! A campaign that leans away from its mode's rule: agents counted otherwise, more or fewer lines.

use crate::rig::{Rig, campaign, in_mode, power};
use dialer::{CampaignSpec, Lean, Wish};
use domain::entity::{AgentCountBasis, DialMode};
use domain::rules::agent_state::PauseCode;

fn leaning(agent_balance: i32, intensity_pct: f64) -> Lean {
    Lean {
        agent_balance,
        intensity_pct,
        ..Lean::default()
    }
}

fn counted(basis: AgentCountBasis) -> Lean {
    Lean {
        basis,
        ..Lean::default()
    }
}

/// Dials of a campaign in power with three lines an agent, its agents ready.
fn dials(lean: Lean, agents: u128) -> Rig {
    let mut rig = Rig::new();
    rig.run(CampaignSpec { lean, ..power(1) });
    rig.ready(1..=agents);
    rig.pass(3_000);
    rig
}

#[test]
fn fixed_lines_follow_balance_and_intensity() {
    for (lean, wanted) in [
        (Lean::default(), 12),
        (leaning(-1, 0.0), 9),
        (leaning(1, 0.0), 15),
        (leaning(-9, 0.0), 0),
        (leaning(0, 50.0), 18),
        (leaning(0, -50.0), 6),
        (leaning(0, -90.0), 4),
    ] {
        let rig = dials(lean, 4);
        assert_eq!(rig.dials().len(), wanted, "{lean:?}");
        assert!(rig.cancelled().is_empty(), "{lean:?}: nothing too much");
    }
    let rig = dials(leaning(0, 50.0), 4);
    let view = rig.brain.campaign(campaign(1)).expect("it runs");
    assert!((view.level_target - 4.5).abs() < 1e-9, "{view:?}");
}

#[test]
fn nobody_at_work_no_call_whatever_the_balance() {
    for mode in [DialMode::Power, DialMode::Predictive] {
        let mut rig = Rig::new();
        rig.run(CampaignSpec {
            lean: leaning(5, 50.0),
            ..in_mode(mode)
        });
        rig.pass(3_000);
        assert!(rig.dials().is_empty(), "{mode}");
    }
}

#[test]
fn lines_are_counted_by_who_is_signed_in_works_or_is_free() {
    let two_paused = |basis| {
        let mut rig = Rig::new();
        rig.run(CampaignSpec {
            lean: counted(basis),
            ..power(1)
        });
        rig.ready(1..=4);
        for n in 3..=4 {
            rig.wish(n, Wish::Pause(PauseCode::Break));
        }
        rig.pass(3_000);
        // What rang for them was withdrawn.
        for attempt in rig.cancelled() {
            rig.end(attempt, 487);
        }
        rig.pass(3_000);
        rig
    };
    for (basis, lines) in [
        (AgentCountBasis::Logged, 12),
        (AgentCountBasis::NotPaused, 6),
        (AgentCountBasis::Ready, 6),
    ] {
        let rig = two_paused(basis);
        assert_eq!(rig.ringing().len(), lines, "{basis}");
    }
    // With an agent in a call: who is free has his three lines, the call counts for nothing.
    for (basis, lines) in [(AgentCountBasis::NotPaused, 5), (AgentCountBasis::Ready, 5)] {
        let mut rig = two_paused(basis);
        let attempt = rig.ringing()[0];
        rig.answer(attempt);
        rig.join(attempt);
        assert_eq!(rig.ringing().len(), lines, "{basis}: what rings goes on");
        for attempt in rig.ringing() {
            rig.opened(attempt);
            rig.end(attempt, 486);
        }
        rig.pass(3_000);
        let wanted = if basis == AgentCountBasis::Ready {
            3
        } else {
            5
        };
        assert_eq!(rig.ringing().len(), wanted, "{basis}: dialed anew");
    }
}

#[test]
fn a_forecast_takes_up_another_balance_while_it_dials() {
    let of = |lean: Lean| {
        let mut rig = Rig::with_trunk(500, 500);
        rig.run(in_mode(DialMode::Predictive));
        rig.run(CampaignSpec {
            lean,
            ..in_mode(DialMode::Predictive)
        });
        rig.ready(1..=10);
        rig.pass(2_000);
        rig.dials().len()
    };
    let rule = of(Lean::default());
    assert!(of(leaning(-3, 0.0)) < rule && of(leaning(0, -50.0)) < rule);
    // Nothing is saved yet that could pay for more.
    assert_eq!(of(leaning(3, 0.0)), rule);
}
