//! Calls that change hands: who holds them, who is free, what comes back where.

use crate::rig::{Rig, agent, campaign, in_mode};
use dialer::{Command, Hand, HandStep, HandTo, Input, Phase, Wish};
use domain::entity::{CallResult, DialMode};
use domain::ids::AttemptId;
use domain::rules::agent_state::{AgentState, PauseCode};

/// Agent 1 talks, agent 2 is ready.
fn talking() -> (Rig, AttemptId) {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Progressive));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.feeds = false;
    rig.tell(Input::CampaignOff {
        campaign: campaign(1),
        cancel: true,
    });
    rig.ready([2]);
    (rig, attempt)
}

fn ask(to: u128, takes: bool) -> Hand {
    Hand::Ask {
        to: HandTo::Agent(agent(to)),
        takes,
        wait_ms: 30_000,
    }
}

fn hand(rig: &mut Rig, attempt: AttemptId, hand: Hand) {
    rig.tell(Input::Hand { attempt, hand });
}

fn steps(rig: &Rig) -> Vec<HandStep> {
    let step = |c: &Command| match c {
        Command::Hand { step, .. } => Some(*step),
        _ => None,
    };
    rig.log.iter().filter_map(|(_, c)| step(c)).collect()
}

fn bridged(rig: &mut Rig, attempt: AttemptId, n: u128) {
    let at = rig.now;
    rig.tell(Input::Bridged {
        attempt,
        agent: agent(n),
        at,
    });
}

#[test]
fn a_blind_transfer_frees_the_first_agent_and_the_second_disposes() {
    let (mut rig, attempt) = talking();
    hand(&mut rig, attempt, ask(2, true));
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Hold, AgentState::Reserved)
    );
    let expected = Command::Connect {
        attempt,
        agent: agent(2),
        waited: true,
    };
    assert!(rig.log.iter().any(|(_, c)| *c == expected));
    bridged(&mut rig, attempt, 2);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Ready, AgentState::Talking)
    );
    let given = HandStep::Given {
        from: agent(1),
        to: agent(2),
    };
    assert_eq!(steps(&rig), [given]);
    rig.pass(5_000);
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("is over");
    assert_eq!(
        (over.agent, over.result),
        (Some(agent(2)), CallResult::Human)
    );
    assert!(over.disposition_awaited);
    assert_eq!(rig.state(2), AgentState::Wrapup);
}

#[test]
fn a_target_that_does_not_come_leaves_the_call_where_it_was() {
    let (mut rig, attempt) = talking();
    hand(&mut rig, attempt, ask(2, true));
    rig.pass(4_000);
    let off = |why| HandStep::Off {
        agent: Some(agent(2)),
        why,
    };
    assert_eq!(steps(&rig), [off("not_joined")]);
    assert_eq!(
        rig.brain.call(attempt).and_then(|c| c.agent),
        Some(agent(1))
    );
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Hold, AgentState::Ready)
    );
    hand(&mut rig, attempt, ask(2, true));
    rig.tell(Input::LinkLost(agent(2)));
    assert_eq!(steps(&rig).last(), Some(&off("link_lost")));
    assert_eq!(rig.state(2), AgentState::Lagged);
    // A bridge that was on its way changes nothing any more.
    bridged(&mut rig, attempt, 2);
    assert_eq!(
        rig.brain.call(attempt).and_then(|c| c.agent),
        Some(agent(1))
    );
}

#[test]
fn a_consulted_agent_gets_the_call_or_goes() {
    let (mut rig, attempt) = talking();
    hand(&mut rig, attempt, ask(2, false));
    assert_eq!(steps(&rig), [HandStep::Consult(agent(2))]);
    hand(&mut rig, attempt, Hand::Joined(agent(2)));
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Hold, AgentState::Talking)
    );
    let busy = rig.ask(Input::Hand {
        attempt,
        hand: ask(2, true),
    });
    assert_eq!(busy.map_err(|r| r.code), Err("transfer_busy"));
    hand(&mut rig, attempt, Hand::Drop);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Hold, AgentState::Ready)
    );
    hand(&mut rig, attempt, ask(2, false));
    hand(&mut rig, attempt, Hand::Joined(agent(2)));
    hand(&mut rig, attempt, Hand::Give);
    assert_eq!(steps(&rig).last(), Some(&HandStep::Swap(agent(2))));
    bridged(&mut rig, attempt, 2);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Ready, AgentState::Talking)
    );
    let gone = rig.ask(Input::Hand {
        attempt,
        hand: Hand::Drop,
    });
    assert_eq!(gone.map_err(|r| r.code), Err("no_transfer"));
}

#[test]
fn the_end_of_the_call_frees_both() {
    let (mut rig, attempt) = talking();
    hand(&mut rig, attempt, ask(2, false));
    hand(&mut rig, attempt, Hand::Joined(agent(2)));
    rig.end(attempt, 200);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Wrapup, AgentState::Ready)
    );
    assert_eq!(rig.overs()[0].agent, Some(agent(1)));
    rig.tell(Input::Disposed {
        attempt,
        then: None,
    });
    assert_eq!(rig.state(1), AgentState::Ready);
}

#[test]
fn a_queue_is_waited_for_and_then_given_up() {
    let (mut rig, attempt) = talking();
    rig.wish(2, Wish::Pause(PauseCode::Break));
    let queue = Hand::Ask {
        to: HandTo::Queue(campaign(1)),
        takes: true,
        wait_ms: 20_000,
    };
    hand(&mut rig, attempt, queue);
    assert_eq!(rig.state(1), AgentState::Hold);
    rig.pass(19_000);
    rig.wish(2, Wish::Ready);
    assert_eq!(rig.state(2), AgentState::Reserved);
    bridged(&mut rig, attempt, 2);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Ready, AgentState::Talking)
    );
    rig.wish(1, Wish::Pause(PauseCode::Break));
    hand(&mut rig, attempt, queue);
    rig.pass(20_100);
    let off = HandStep::Off {
        agent: None,
        why: "no_answer",
    };
    assert_eq!(steps(&rig).last(), Some(&off));
    assert_eq!(rig.state(2), AgentState::Hold);
}

#[test]
fn a_call_handed_out_lets_its_agent_dispose_while_it_goes_on() {
    let (mut rig, attempt) = talking();
    hand(&mut rig, attempt, Hand::Out(None));
    assert_eq!(rig.state(1), AgentState::Wrapup);
    assert_eq!(
        rig.brain.call(attempt).map(|c| c.phase),
        Some(Phase::Handed)
    );
    rig.tell(Input::Disposed {
        attempt,
        then: None,
    });
    assert_eq!(rig.state(1), AgentState::Ready);
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("is over");
    assert_eq!(
        (over.agent, over.disposition_awaited),
        (Some(agent(1)), false)
    );
    assert_eq!(rig.state(1), AgentState::Ready);
}

#[test]
fn a_supervisor_takes_the_call_also_when_he_was_paused() {
    let (mut rig, attempt) = talking();
    rig.wish(2, Wish::Pause(PauseCode::Coaching));
    hand(&mut rig, attempt, Hand::Seize(agent(2)));
    bridged(&mut rig, attempt, 2);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (AgentState::Ready, AgentState::Talking)
    );
    // One who is no agent at work holds it all the same.
    hand(&mut rig, attempt, Hand::Out(Some(agent(7))));
    assert_eq!(rig.state(2), AgentState::Ready);
    rig.end(attempt, 200);
    assert_eq!(rig.overs()[0].agent, Some(agent(7)));
}
