//! Predictive pacing in the engine: it dials ahead, the guard lowers it, impossible settings are
//! refused.

use super::rig::{Rig, campaign, in_mode};
use dialer::{CampaignSpec, Input, Wish};
use domain::entity::DialMode;
use domain::rules::agent_state::{AgentState, PauseCode};

fn predictive() -> CampaignSpec {
    in_mode(DialMode::Predictive)
}

#[test]
fn nothing_learned_dials_for_the_ready_and_does_not_burst() {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(predictive());
    rig.ready(1..=10);
    rig.pass(2_000);
    let dials = rig.dials();
    assert!(
        (10..=30).contains(&dials.len()),
        "{} dials for ten agents",
        dials.len()
    );
    assert!(dials.iter().all(|d| d.agent.is_none()));
    // Nothing is answered or ended: there is no reason for more.
    let before = dials.len();
    rig.pass(1_000);
    assert!(rig.dials().len() <= before + 10);
}

#[test]
fn it_dials_ahead_of_agents_who_talk() {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(predictive());
    rig.ready(1..=10);
    let mut talks = Vec::new();
    for _ in 0..400 {
        rig.pass(1_000);
        for attempt in rig.ringing() {
            rig.opened(attempt);
        }
        // Every fifth call is answered, the rest is busy.
        for (n, attempt) in rig.ringing().into_iter().enumerate() {
            let free = (1..=10).any(|a| {
                rig.brain
                    .agent(super::rig::agent(a))
                    .is_some_and(|s| s.takes_calls())
            });
            if n % 5 == 0 && free {
                rig.answer(attempt);
                rig.join(attempt);
                talks.push((attempt, rig.now.plus_ms(60_000)));
            } else {
                rig.end(attempt, 486);
            }
        }
        let now = rig.now;
        let (over, on): (Vec<_>, Vec<_>) = talks.into_iter().partition(|(_, until)| *until <= now);
        talks = on;
        for (attempt, _) in over {
            rig.end(attempt, 200);
            rig.dispose(attempt);
        }
    }
    let dials = rig.dials();
    assert!(dials.iter().all(|d| d.mode == DialMode::Predictive));
    let view = rig.brain.campaign(campaign(1)).expect("it runs");
    assert!(view.level_target >= 1.0 && view.guard.is_none(), "{view:?}");
    assert!(dials.len() > 50, "{} dials", dials.len());
}

#[test]
fn who_asked_to_leave_after_his_call_is_not_dialed_for() {
    let dialed = |wish: Option<Wish>| {
        let mut rig = Rig::with_trunk(500, 500);
        rig.run(predictive());
        rig.ready(1..=40);
        rig.pass(2_000);
        for attempt in rig.ringing().into_iter().take(30) {
            rig.answer(attempt);
            rig.join(attempt);
        }
        let talks = |n: &u128| rig.state(*n) == AgentState::Talking;
        let busy: Vec<u128> = (1..=40).filter(talks).collect();
        assert_eq!(busy.len(), 30);
        for n in busy {
            if let Some(wish) = wish {
                rig.wish(n, wish);
            }
        }
        // Ten are ready; nobody answers.
        for _ in 0..60 {
            rig.pass(1_000);
            for attempt in rig.ringing() {
                rig.opened(attempt);
                rig.end(attempt, 486);
            }
        }
        rig.dials().len()
    };
    let stays = dialed(None);
    for wish in [Wish::Pause(PauseCode::Break), Wish::Logout] {
        let leaves = dialed(Some(wish));
        assert!(stays > leaves, "{stays} dials, {leaves} with {wish:?}");
    }
}

#[test]
fn the_guard_lowers_it_to_progressive() {
    let mut rig = Rig::with_trunk(500, 500);
    rig.run(predictive());
    rig.ready([1]);
    rig.pass(2_000);
    let first = rig.ringing()[0];
    rig.answer(first);
    rig.join(first);
    let mut lost = 0;
    for attempt in rig.ringing() {
        if lost < 3 {
            rig.answer(attempt);
            rig.pass(2_000);
            rig.tell(Input::Played(attempt));
            rig.end(attempt, 200);
            lost += 1;
        } else {
            rig.opened(attempt);
            rig.end(attempt, 486);
        }
    }
    let mode = rig.brain.campaign(campaign(1)).expect("it runs").mode;
    assert_eq!(mode == DialMode::Progressive, lost == 3, "{lost} lost");
    let before = rig.dials().len();
    rig.end(first, 200);
    rig.dispose(first);
    let later = &rig.dials()[before..];
    assert!(lost < 3 || later.iter().all(|d| d.agent.is_some()));
}

#[test]
fn a_cap_of_nothing_leaves_nothing_to_decide() {
    let mut rig = Rig::new();
    let refusal = rig
        .ask(Input::Campaign(Box::new(CampaignSpec {
            cap_pct: 0.0,
            ..predictive()
        })))
        .expect_err("refused");
    assert_eq!(refusal.code, "predictive_impossible");
    assert!(refusal.what.contains("progressive"), "{}", refusal.what);
    assert!(rig.brain.campaign(campaign(1)).is_none());
}

#[test]
fn what_was_learned_before_is_taken_up_though_agents_are_seen_first() {
    let weight = |rig: &Rig| {
        let memory = rig.brain.memory(campaign(1)).expect("it forecasts");
        let part = memory.parts.iter().find(|(name, _)| name == "weight");
        part.and_then(|(_, figures)| figures.first()).copied()
    };
    // Everybody is busy: few starts a second, or it would dial hundreds.
    let mut old = Rig::with_trunk(20, 2);
    old.run(predictive());
    old.ready(1..=3);
    for _ in 0..15 {
        old.pass(1_000);
        for attempt in old.ringing() {
            old.opened(attempt);
            old.end(attempt, 486);
        }
    }
    let learned = weight(&old).expect("a weight");
    assert!(learned > 10.0, "{learned}");
    let mut new = Rig::new();
    new.feeds = false;
    new.run(predictive());
    new.ready(1..=3);
    new.pass(5_000);
    new.tell(Input::Recall {
        campaign: campaign(1),
        memory: Box::new(old.brain.memory(campaign(1)).expect("it forecasts")),
        age_ms: 60_000,
    });
    let known = weight(&new).expect("a weight");
    assert!(known > 0.9 * learned.min(300.0), "{learned} {known}");
}
