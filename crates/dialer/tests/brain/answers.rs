//! What becomes of an answer: an agent at once, an agent in time, or the message in time.

use crate::rig::{Rig, agent, campaign, in_mode, power};
use dialer::{CallRules, CampaignSpec, Command, Input, Phase, Wish};
use domain::entity::{CallResult, DialMode, DropAction};
use domain::ids::AttemptId;
use domain::ports::HangUpCause;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::UtcMs;

/// Two answers for one agent: the first is joined, the second waits.
fn one_waits() -> (Rig, AttemptId, AttemptId) {
    one_waits_under(power(1))
}

fn one_waits_under(spec: CampaignSpec) -> (Rig, AttemptId, AttemptId) {
    let mut rig = Rig::new();
    rig.run(spec);
    rig.ready([1]);
    let ringing = rig.ringing();
    let (first, second) = (ringing[0], ringing[1]);
    rig.answer(first);
    rig.join(first);
    rig.answer(second);
    (rig, first, second)
}

fn message_of(attempt: AttemptId) -> impl Fn(&Command) -> bool {
    move |c| *c == Command::Message(attempt)
}

#[test]
fn an_answer_goes_to_the_agent_who_has_waited_longest() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_per_agent: 1.0,
        ..power(1)
    });
    rig.ready([1]);
    rig.pass(1_000);
    rig.ready([2]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    let expected = Command::Connect {
        attempt,
        agent: agent(1),
        waited: false,
    };
    assert!(rig.log.iter().any(|(_, c)| *c == expected));
    assert_eq!(rig.state(1), AgentState::Reserved);
    rig.join(attempt);
    assert_eq!(rig.state(1), AgentState::Talking);
}

#[test]
fn a_reserved_agent_gets_the_call_he_was_reserved_for() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Progressive));
    rig.ready([1, 2]);
    for task in rig.dials() {
        rig.answer(task.attempt);
        assert_eq!(Some(rig.join(task.attempt)), task.agent);
    }
}

#[test]
fn a_campaign_may_shorten_the_packs_time_to_an_agent_and_not_lengthen_it() {
    for (asked, limit) in [(10_000, 2_000), (1_000, 1_000)] {
        let (mut rig, _, second) = one_waits_under(CampaignSpec {
            rules: CallRules {
                agent_within_ms: asked,
                ..power(1).rules
            },
            ..power(1)
        });
        let answered = rig.now;
        rig.pass(12_000);
        let at = rig.when(message_of(second)).expect("the message");
        let after = at.since_ms(answered);
        assert!((limit - 200..=limit).contains(&after), "{asked}: {after}");
    }
}

#[test]
fn without_an_agent_the_message_starts_inside_the_limit() {
    let (mut rig, _, second) = one_waits();
    let answered = rig.now;
    rig.pass(5_000);
    let at = rig.when(message_of(second)).expect("the message");
    let limit = CallRules::default().agent_within_ms;
    assert!(at.since_ms(answered) <= limit, "{}", at.since_ms(answered));
    assert!(at.since_ms(answered) >= limit - 200, "not before its time");
    assert_eq!(
        rig.brain.campaign(campaign(1)).map(|c| c.tally.abandoned),
        Some(1)
    );
    rig.tell(Input::Played(second));
    let end = Command::HangUp {
        attempt: second,
        cause: HangUpCause::Abandoned,
    };
    assert!(rig.log.iter().any(|(_, c)| *c == end));
    rig.end(second, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!(over.result, CallResult::Abandoned);
    assert!(over.waited);
}

#[test]
fn a_campaign_may_hang_up_instead_of_playing_the_message() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        rules: CallRules {
            drop_action: DropAction::Hangup,
            ..CallRules::default()
        },
        ..power(1)
    });
    rig.ready([1]);
    let ringing = rig.ringing();
    for attempt in &ringing[..2] {
        rig.answer(*attempt);
    }
    rig.pass(2_500);
    assert!(rig.when(message_of(ringing[1])).is_none());
    let end = |c: &Command| matches!(c, Command::HangUp { attempt, cause: HangUpCause::Abandoned } if *attempt == ringing[1]);
    assert!(rig.when(end).is_some());
}

#[test]
fn an_agent_who_frees_in_time_takes_the_waiting_answer() {
    let (mut rig, first, second) = one_waits();
    rig.pass(500);
    rig.end(first, 200);
    rig.dispose(first);
    let connect = Command::Connect {
        attempt: second,
        agent: agent(1),
        waited: true,
    };
    assert!(rig.log.iter().any(|(_, c)| *c == connect));
    rig.join(second);
    rig.pass(5_000);
    assert!(rig.when(message_of(second)).is_none());
    assert_eq!(
        rig.brain.campaign(campaign(1)).map(|c| c.tally.abandoned),
        Some(0)
    );
}

#[test]
fn who_hangs_up_before_the_limit_is_not_abandoned_and_after_it_is() {
    for (wait_ms, abandoned) in [(1_500, 0), (2_500, 1)] {
        let (mut rig, _, second) = one_waits();
        rig.pass(wait_ms);
        rig.end(second, 200);
        assert_eq!(
            rig.brain.campaign(campaign(1)).map(|c| c.tally.abandoned),
            Some(abandoned)
        );
        let over = rig.overs().pop().expect("its end");
        assert_eq!(over.result == CallResult::Abandoned, abandoned == 1);
    }
}

#[test]
fn an_answer_told_late_hears_the_message_at_once() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let ringing = rig.ringing();
    rig.answer(ringing[0]);
    rig.opened(ringing[1]);
    let long_ago = UtcMs(rig.now.0 - 3_000);
    rig.tell(Input::Answered {
        attempt: ringing[1],
        at: long_ago,
    });
    assert_eq!(rig.when(message_of(ringing[1])), Some(rig.now));
}

#[test]
fn a_card_that_cannot_be_written_sends_the_answer_to_another_agent() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.tell(Input::PopFailed {
        attempt,
        agent: agent(1),
    });
    assert_eq!(rig.state(1), AgentState::Lagged);
    assert_eq!(rig.join(attempt), agent(2));
    // Nobody else is there for the next one: it waits, then hears the message.
    let next = rig.ringing()[0];
    rig.answer(next);
    rig.pass(2_500);
    assert!(rig.when(message_of(next)).is_some());
}

#[test]
fn legs_that_cannot_be_joined_pause_the_agent_and_free_the_answer() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1, 2]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    rig.tell(Input::BridgeFailed {
        attempt,
        agent: agent(1),
    });
    assert_eq!(rig.state(1), AgentState::Paused);
    assert_eq!(rig.join(attempt), agent(2));
}

#[test]
fn reports_may_come_twice_late_or_about_nobody() {
    let (mut rig, first, _) = one_waits();
    let (at, unknown) = (rig.now, AttemptId(uuid::Uuid::from_u128(0xBAD)));
    let tally = rig.brain.tally();
    for attempt in [first, unknown] {
        rig.tell(Input::Answered { attempt, at });
        rig.tell(Input::Ringing(attempt));
        rig.tell(Input::Sent(attempt));
        rig.tell(Input::Played(attempt));
        rig.tell(Input::Bridged {
            attempt,
            agent: agent(1),
            at,
        });
    }
    assert_eq!(rig.brain.tally(), tally);
    assert_eq!(
        rig.brain.call(first).map(|c| c.phase),
        Some(Phase::Connected)
    );
    rig.end(first, 200);
    rig.end(first, 200);
    assert_eq!(rig.overs().iter().filter(|o| o.attempt == first).count(), 1);
}

#[test]
fn an_answer_that_crosses_our_cancel_is_no_conversation() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.opened(attempt);
    rig.tell(Input::HangUp(attempt));
    assert!(rig.cancelled().contains(&attempt));
    let at = rig.now;
    rig.tell(Input::Answered { attempt, at });
    assert_eq!(
        rig.brain.call(attempt).map(|c| c.phase),
        Some(Phase::Ending)
    );
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("its end");
    assert!(over.agent.is_none() && over.by_us);
    assert_eq!(over.result, CallResult::Abandoned, "somebody said hello");
    assert_eq!(abandoned(&rig), 1, "once");
}

fn abandoned(rig: &Rig) -> u64 {
    let seen = rig.brain.campaign(campaign(1));
    seen.map_or(0, |c| c.tally.abandoned)
}

#[test]
fn an_answer_that_the_end_alone_tells_of_is_abandoned() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.opened(attempt);
    rig.tell(Input::HangUp(attempt));
    // The telephone side ended it itself: 200 OK, and BYE.
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!(over.result, CallResult::Abandoned);
    assert_eq!(over.answered_at, Some(rig.now));
    assert_eq!(abandoned(&rig), 1);
}

#[test]
fn we_do_not_hang_up_on_a_waiting_answer_uncounted() {
    let (mut rig, _, second) = one_waits();
    rig.tell(Input::HangUp(second));
    assert_eq!(abandoned(&rig), 1);
    rig.end(second, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!(over.result, CallResult::Abandoned);
    assert_eq!(abandoned(&rig), 1, "once");
}

#[test]
fn who_is_joined_after_the_limit_was_abandoned() {
    for (after_ms, late) in [(1_900, 0), (2_100, 1)] {
        let mut rig = Rig::new();
        rig.run(power(1));
        rig.ready([1]);
        let attempt = rig.ringing()[0];
        rig.answer(attempt);
        rig.pass(after_ms);
        rig.join(attempt);
        assert_eq!(rig.state(1), AgentState::Talking, "he has his agent");
        assert_eq!(abandoned(&rig), late, "after {after_ms} ms");
        rig.end(attempt, 200);
        let over = rig.overs().pop().expect("its end");
        assert_eq!(over.result == CallResult::Abandoned, late == 1);
        assert!(over.disposition_awaited);
    }
}

#[test]
fn an_agent_chosen_at_the_last_moment_is_not_waited_for_longer_than_the_grace() {
    let (mut rig, first, second) = one_waits();
    rig.pass(1_800);
    rig.end(first, 200);
    rig.dispose(first);
    assert_eq!(
        rig.brain.call(second).map(|c| c.phase),
        Some(Phase::Connecting)
    );
    // Neither card nor voice come: the limit, and the grace of a join that has begun.
    rig.pass(1_300);
    assert!(
        rig.when(message_of(second)).is_some(),
        "not three seconds more"
    );
    assert_eq!(abandoned(&rig), 1);
}

#[test]
fn silence_one_way_ends_a_call_after_a_minute() {
    let (mut rig, first, _) = one_waits();
    rig.tell(Input::OneWay {
        attempt: first,
        silent_ms: 3_000,
    });
    assert_eq!(
        rig.brain.call(first).map(|c| c.phase),
        Some(Phase::Connected)
    );
    rig.tell(Input::OneWay {
        attempt: first,
        silent_ms: 60_000,
    });
    let end = |c: &Command| matches!(c, Command::HangUp { attempt, cause: HangUpCause::OneWayAudio } if *attempt == first);
    assert!(rig.when(end).is_some());
    rig.end(first, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!(over.result, CallResult::OneWayAudio);
    assert_eq!(rig.state(1), AgentState::Wrapup);
}

#[test]
fn hold_belongs_to_a_joined_call() {
    let (mut rig, first, second) = one_waits();
    rig.tell(Input::Hold {
        attempt: first,
        on: true,
    });
    assert_eq!(rig.state(1), AgentState::Hold);
    rig.tell(Input::Hold {
        attempt: first,
        on: false,
    });
    assert_eq!(rig.state(1), AgentState::Talking);
    let refusal = rig
        .ask(Input::Hold {
            attempt: second,
            on: true,
        })
        .unwrap_err();
    assert_eq!(refusal.code, "not_in_call");
    rig.end(first, 200);
    assert_eq!(rig.ask(Input::HangUp(first)).unwrap_err().code, "call_over");
}

#[test]
fn what_was_asked_for_while_talking_is_done_after_the_wrap_up() {
    let (mut rig, first, second) = one_waits();
    rig.wish(1, Wish::Pause(PauseCode::Break));
    assert_eq!(rig.state(1), AgentState::Talking);
    rig.end(first, 200);
    assert_eq!(rig.state(1), AgentState::Wrapup);
    rig.dispose(first);
    assert_eq!(rig.state(1), AgentState::Paused);
    let given = |c: &Command| matches!(c, Command::Connect { attempt, .. } if *attempt == second);
    assert!(rig.when(given).is_none(), "a paused agent takes no answer");
}
