//! Cards before answers where lines are dialed ahead: a free agent is kept while it rings, and any answer takes him.

use super::rig::{Rig, agent, in_mode};
use dialer::{CampaignSpec, Command, Input};
use domain::entity::DialMode;
use domain::rules::agent_state::AgentState;

fn card_first(mode: DialMode) -> CampaignSpec {
    CampaignSpec {
        card_first: true,
        ..in_mode(mode)
    }
}

/// One agent, three lines: the first rings with his card.
fn three_lines() -> Rig {
    let mut rig = Rig::new();
    rig.run(card_first(DialMode::Power));
    rig.ready([1]);
    rig.pass(1_000);
    for attempt in rig.ringing() {
        rig.opened(attempt);
    }
    rig
}

#[test]
fn a_free_agent_has_the_card_of_a_call_that_was_dialed_ahead() {
    for mode in [DialMode::Power, DialMode::Predictive] {
        let mut rig = Rig::with_trunk(500, 500);
        rig.run(card_first(mode));
        rig.ready(1..=4);
        rig.pass(2_000);
        let with_card = rig.dials().iter().filter(|d| d.agent.is_some()).count();
        assert_eq!(with_card, 4, "{mode:?}");
        assert!(rig.dials().len() > 4, "{mode:?}: lines ahead as before");
    }
}

#[test]
fn another_answer_takes_him_and_his_call_rings_on() {
    let mut rig = three_lines();
    let calls: Vec<_> = rig.dials().iter().map(|d| (d.attempt, d.agent)).collect();
    assert_eq!(calls.len(), 3);
    let (kept, other) = (calls[0].0, calls[1].0);
    assert_eq!((calls[0].1, calls[1].1), (Some(agent(1)), None));
    rig.answer(other);
    let joined = rig.log.iter().any(|(_, c)| {
        matches!(c, Command::Connect { attempt, agent: a, .. } if *attempt == other && *a == agent(1))
    });
    assert!(joined, "the answer found the agent");
    assert!(!rig.cancelled().contains(&kept), "his call rings on");
    assert!(rig.ringing().contains(&kept));
    rig.join(other);
    // Its own answer finds nobody now, as that of any call dialed ahead.
    rig.answer(kept);
    rig.pass(5_000);
    assert!(rig.brain.call(kept).is_none_or(|c| c.abandoned));
    let session = rig.brain.agent(agent(1)).expect("signed in");
    assert_eq!(session.state(), AgentState::Talking);
}

#[test]
fn his_own_answer_finds_him() {
    let mut rig = three_lines();
    let first = rig.dials()[0].attempt;
    rig.answer(first);
    rig.join(first);
    assert_eq!(rig.brain.call(first).and_then(|c| c.agent), Some(agent(1)));
}

#[test]
fn when_his_link_is_lost_the_calls_for_nobody_are_withdrawn() {
    let mut rig = three_lines();
    rig.tell(Input::LinkLost(agent(1)));
    assert!(rig.ringing().is_empty(), "nobody is there");
    let session = rig.brain.agent(agent(1)).expect("signed in");
    assert_eq!(session.state(), AgentState::Lagged);
}
