//! Agents: lost links and voices, wrap-ups, and the end that every state has.

use crate::rig::{Rig, agent, campaign, in_mode, power};
use dialer::{CallRules, CampaignSpec, Command, Input, ReleaseWhy, Wish};
use domain::entity::{CallResult, DialMode, WrapupMode};
use domain::ids::AttemptId;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::{HOUR_MS, MINUTE_MS};

fn wrapping(mode: WrapupMode, required: bool) -> (Rig, AttemptId) {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_per_agent: 1.0,
        rules: CallRules {
            wrapup_mode: mode,
            disposition_required: required,
            ..CallRules::default()
        },
        ..power(1)
    });
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.end(attempt, 200);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    (rig, attempt)
}

fn code(rig: &Rig, n: u128) -> Option<PauseCode> {
    rig.brain.agent(agent(n)).and_then(|s| s.machine.code())
}

fn not_disposed(rig: &Rig, attempt: AttemptId) -> bool {
    let told = Command::NotDisposed {
        attempt,
        agent: agent(1),
    };
    rig.log.iter().any(|(_, c)| *c == told)
}

#[test]
fn a_call_is_only_routed_to_screen_and_voice() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Progressive));
    rig.sign_in(1);
    rig.tell(Input::Leg {
        agent: agent(1),
        up: false,
    });
    let wish = Input::Wish {
        agent: agent(1),
        wish: Wish::Ready,
    };
    assert_eq!(rig.ask(wish.clone()).unwrap_err().code, "phone_down");
    rig.tell(Input::Leg {
        agent: agent(1),
        up: true,
    });
    rig.tell(wish);
    assert_eq!(rig.dials().len(), 1);
}

#[test]
fn when_agents_vanish_their_calls_are_withdrawn_at_once() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    assert_eq!(rig.ringing().len(), 6);
    rig.tell(Input::LinkLost(agent(1)));
    assert_eq!(rig.ringing().len(), 3);
    rig.tell(Input::Leg {
        agent: agent(2),
        up: false,
    });
    assert_eq!(rig.ringing().len(), 0);
    assert_eq!(rig.cancelled().len(), 6);
    rig.pass(30_000);
    assert_eq!(rig.dials().len(), 6, "nobody is left to dial for");
}

#[test]
fn a_reserved_agent_who_vanishes_hands_his_call_on_or_withdraws_it() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let items = vec![rig.item(campaign(1))];
    rig.ready([1]);
    rig.stock(campaign(1), items);
    let attempt = rig.ringing()[0];
    rig.opened(attempt);
    rig.ready([2]);
    rig.tell(Input::LinkLost(agent(1)));
    assert_eq!(
        rig.brain.call(attempt).and_then(|c| c.agent),
        Some(agent(2))
    );
    assert_eq!(rig.state(2), AgentState::Reserved);
    rig.tell(Input::LinkLost(agent(2)));
    assert!(rig.cancelled().contains(&attempt));
}

#[test]
fn a_short_loss_of_the_link_leaves_a_conversation_alone() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.tell(Input::LinkLost(agent(1)));
    assert_eq!(rig.state(1), AgentState::Lagged);
    rig.pass(8_000);
    rig.sign_in(1);
    assert_eq!(rig.state(1), AgentState::Talking);
    // Ten seconds are too long: the call ends, he is paused, and two minutes later signed out.
    rig.tell(Input::LinkLost(agent(1)));
    rig.pass(10_500);
    assert_eq!(code(&rig, 1), Some(PauseCode::Lagged));
    let hung = |c: &Command| matches!(c, Command::HangUp { attempt: a, .. } if *a == attempt);
    assert!(rig.when(hung).is_some());
    rig.end(attempt, 200);
    assert!(not_disposed(&rig, attempt));
    rig.pass(2 * MINUTE_MS);
    assert_eq!(rig.state(1), AgentState::Offline);
}

#[test]
fn a_link_that_comes_back_while_the_call_ends_finds_the_wrap_up() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.tell(Input::LinkLost(agent(1)));
    rig.end(attempt, 200);
    rig.sign_in(1);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    rig.dispose(attempt);
    assert_eq!(rig.state(1), AgentState::Ready);
}

#[test]
fn a_lost_voice_pauses_or_ends_the_call() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    let talker = rig.join(attempt);
    assert_eq!(talker, agent(1));
    for n in [1, 2] {
        rig.tell(Input::Leg {
            agent: agent(n),
            up: false,
        });
    }
    assert_eq!(code(&rig, 2), Some(PauseCode::NoAnswer));
    let hung = |c: &Command| matches!(c, Command::HangUp { attempt: a, .. } if *a == attempt);
    assert!(rig.when(hung).is_some());
    rig.end(attempt, 200);
    rig.dispose(attempt);
    assert_eq!(code(&rig, 1), Some(PauseCode::NoAnswer));
}

#[test]
fn a_wrap_up_ends_with_its_disposition_or_its_time() {
    let (mut rig, attempt) = wrapping(WrapupMode::Timed, true);
    let refused = rig
        .ask(Input::Wish {
            agent: agent(1),
            wish: Wish::Ready,
        })
        .unwrap_err();
    assert_eq!(refused.code, "disposition_required");
    rig.pass(5_000);
    rig.dispose(attempt);
    assert!(matches!(
        rig.state(1),
        AgentState::Ready | AgentState::Reserved
    ));
    assert!(!not_disposed(&rig, attempt));

    let (mut rig, attempt) = wrapping(WrapupMode::Timed, true);
    rig.pass(CallRules::default().wrapup_max_ms - 1_000);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    rig.pass(2_000);
    assert!(not_disposed(&rig, attempt));
    assert_eq!(code(&rig, 1), Some(PauseCode::WrapTimeout));
}

#[test]
fn a_locked_wrap_up_lasts_its_time_though_disposed() {
    let (mut rig, attempt) = wrapping(WrapupMode::TimedLocked, true);
    rig.dispose(attempt);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    rig.pass(CallRules::default().wrapup_ms - 1_000);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    rig.pass(2_000);
    assert!(matches!(
        rig.state(1),
        AgentState::Ready | AgentState::Reserved
    ));
}

#[test]
fn an_optional_wrap_up_may_be_left_and_the_call_is_marked() {
    let (mut rig, attempt) = wrapping(WrapupMode::Optional, false);
    rig.wish(1, Wish::Pause(PauseCode::Break));
    assert_eq!(rig.state(1), AgentState::Paused);
    assert!(not_disposed(&rig, attempt));
}

#[test]
fn a_call_disposed_while_it_lasts_needs_no_wrap_up() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.tell(Input::Disposed {
        attempt,
        then: Some(Wish::Pause(PauseCode::Admin)),
    });
    assert_eq!(rig.state(1), AgentState::Talking);
    rig.end(attempt, 200);
    assert_eq!(code(&rig, 1), Some(PauseCode::Admin));
    assert!(!not_disposed(&rig, attempt));
}

#[test]
fn every_state_ends_by_itself() {
    // A reservation whose call never moves.
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let items = vec![rig.item(campaign(1))];
    rig.ready([1]);
    rig.stock(campaign(1), items);
    let attempt = rig.ringing()[0];
    rig.opened(attempt);
    rig.pass(MINUTE_MS);
    assert_eq!(rig.state(1), AgentState::Ready);
    assert_eq!(rig.brain.calls().count(), 0);
    assert_eq!(rig.overs()[0].result, CallResult::Unknown);

    // A preview that nobody decides on.
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Preview));
    rig.ready([1]);
    rig.pass(power(1).preview_max_ms + 1_000);
    assert_eq!(code(&rig, 1), Some(PauseCode::NoAnswer));
    assert_eq!(rig.released(ReleaseWhy::PreviewTimeout), 1);

    // A conversation whose end was never told.
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.tell(Input::Hold { attempt, on: true });
    rig.feeds = false;
    rig.pass(4 * HOUR_MS + MINUTE_MS);
    assert!(rig.overs().iter().any(|o| o.attempt == attempt));
    assert_ne!(rig.state(1), AgentState::Hold);
    rig.pass(5 * MINUTE_MS);
    assert_eq!(code(&rig, 1), Some(PauseCode::WrapTimeout));
}

#[test]
fn signing_out_hangs_up_the_own_phone_and_waits_for_the_call() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.join(attempt);
    rig.wish(1, Wish::Logout);
    assert_eq!(rig.state(1), AgentState::Talking);
    rig.end(attempt, 200);
    rig.dispose(attempt);
    assert_eq!(rig.state(1), AgentState::Offline);
    assert!(rig.when(|c| *c == Command::CloseLeg(agent(1))).is_some());
    assert_eq!(rig.ringing().len(), 0);
}

#[test]
fn a_pause_asked_for_without_a_link_is_done_when_the_link_is_back() {
    let mut rig = Rig::new();
    rig.ready([1]);
    rig.tell(Input::LinkLost(agent(1)));
    rig.wish(1, Wish::Pause(PauseCode::Break));
    rig.sign_in(1);
    assert_eq!(rig.state(1), AgentState::Paused, "not ready without calls");
    assert_eq!(code(&rig, 1), Some(PauseCode::Break));
    rig.wish(1, Wish::Ready);
    assert!(
        rig.brain.agent(agent(1)).is_some_and(|s| s.works()),
        "nothing is left over from before"
    );
}

#[test]
fn a_reserved_agent_whose_voice_is_lost_does_what_he_asked_for() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Progressive));
    rig.ready([1]);
    assert_eq!(rig.state(1), AgentState::Reserved);
    rig.wish(1, Wish::Pause(PauseCode::Lunch));
    rig.tell(Input::Leg {
        agent: agent(1),
        up: false,
    });
    assert_eq!(code(&rig, 1), Some(PauseCode::Lunch));
    rig.tell(Input::Leg {
        agent: agent(1),
        up: true,
    });
    rig.wish(1, Wish::Ready);
    assert_eq!(rig.state(1), AgentState::Reserved, "he gets calls again");
}

#[test]
fn who_dials_by_hand_out_of_a_pause_is_paused_again_afterwards() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Manual));
    rig.sign_in(1);
    rig.wish(1, Wish::Pause(PauseCode::Admin));
    let item = rig.item(campaign(1));
    let attempt = AttemptId(uuid::Uuid::from_u128(0xB1));
    rig.tell(Input::Manual {
        agent: agent(1),
        attempt,
        item: Box::new(item),
        rules: CallRules::default(),
    });
    rig.answer(attempt);
    rig.join(attempt);
    rig.end(attempt, 200);
    rig.dispose(attempt);
    assert_eq!(code(&rig, 1), Some(PauseCode::Admin));
}
