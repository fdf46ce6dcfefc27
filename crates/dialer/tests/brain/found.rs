//! Scenarios that the random runs found, kept by name.

use crate::rig::{Rig, agent, campaign, in_mode, power};
use dialer::{CampaignSpec, Command, Input, Phase, Wish};
use domain::entity::DialMode;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::MINUTE_MS;

#[test]
fn a_pause_recoded_while_the_screen_is_gone_still_ends() {
    let mut rig = Rig::new();
    rig.ready([1]);
    rig.tell(Input::LinkLost(agent(1)));
    rig.pass(10_500);
    assert_eq!(rig.state(1), AgentState::Paused);
    rig.wish(1, Wish::Pause(PauseCode::Lunch));
    rig.pass(2 * MINUTE_MS);
    assert_eq!(rig.state(1), AgentState::Offline);
}

#[test]
fn a_voice_lost_while_the_call_is_being_joined_passes_the_answer_on() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.tell(Input::Leg {
        agent: agent(1),
        up: false,
    });
    assert_eq!(rig.state(1), AgentState::Paused);
    // The order that was on its way comes back late: it is not his call any more.
    let at = rig.now;
    rig.tell(Input::Bridged {
        attempt,
        agent: agent(1),
        at,
    });
    assert_eq!(rig.join(attempt), agent(2));
    assert_eq!(rig.state(2), AgentState::Talking);
}

#[test]
fn a_slow_write_ahead_leaves_time_to_join() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let items = vec![rig.item(campaign(1))];
    rig.ready([1]);
    rig.stock(campaign(1), items);
    // The row took 33 s to be written; the reservation alone would have ended after 35.
    rig.pass(33_000);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.pass(2_500);
    assert_eq!(rig.state(1), AgentState::Reserved);
    assert_eq!(rig.join(attempt), agent(1));
}

#[test]
fn a_call_that_ends_after_its_agent_was_paused_asks_nobody_to_wrap_up() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_per_agent: 1.0,
        ..power(1)
    });
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.tell(Input::LinkLost(agent(1)));
    rig.pass(10_500);
    rig.sign_in(1);
    rig.tell(Input::LinkLost(agent(1)));
    rig.end(attempt, 200);
    let told = Command::NotDisposed {
        attempt,
        agent: agent(1),
    };
    assert!(rig.log.iter().any(|(_, c)| *c == told));
    rig.sign_in(1);
    assert_eq!(rig.state(1), AgentState::Paused);
}

#[test]
fn the_late_end_of_an_old_call_does_not_free_the_agent_from_the_new_one() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let (old, new) = (rig.ringing()[0], rig.ringing()[1]);
    rig.answer(old);
    rig.tell(Input::HangUp(old));
    assert_eq!(rig.brain.call(old).map(|c| c.phase), Some(Phase::Ending));
    rig.answer(new);
    rig.tell(Input::LinkLost(agent(1)));
    rig.sign_in(1);
    assert_eq!(rig.brain.call(new).and_then(|c| c.agent), Some(agent(1)));
    rig.end(old, 200);
    assert_eq!(rig.state(1), AgentState::Reserved);
    assert_eq!(rig.join(new), agent(1));
}
