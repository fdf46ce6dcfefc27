//! Answers that are judged by their sound before an agent gets them.

use crate::rig::{Rig, agent, campaign, in_mode, plain, power};
use dialer::{AbandonRule, CallRules, CampaignSpec, Command, Heard, Input, Judging, Phase};
use domain::entity::{CallResult, DialMode};
use domain::ids::AttemptId;
use domain::law::pack::FormulaId;
use domain::ports::HangUpCause;
use domain::rules::agent_state::AgentState;
use domain::rules::detector::is_checked;

const MACHINE: Heard = Heard {
    machine: Some(CallResult::MachineNoBeep),
    greeting_end: None,
    leave: false,
    beep: false,
};

fn judging(spec: CampaignSpec, judging: Judging) -> CampaignSpec {
    CampaignSpec {
        rules: CallRules {
            judging,
            ..CallRules::default()
        },
        ..spec
    }
}

/// One agent, one answer that is not checked; it is listened to.
fn listened(spec: CampaignSpec) -> (Rig, AttemptId) {
    let mut rig = Rig::new();
    rig.run(judging(spec, Judging::First));
    rig.ready([1]);
    let attempt = rig.ringing().into_iter().find(|a| !is_checked(*a));
    let attempt = attempt.expect("one rings");
    rig.answer(attempt);
    assert_eq!(phase(&rig, attempt), Some(Phase::Judging));
    (rig, attempt)
}

fn phase(rig: &Rig, attempt: AttemptId) -> Option<Phase> {
    rig.brain.call(attempt).map(|c| c.phase)
}

fn heard(rig: &mut Rig, attempt: AttemptId, heard: Heard) {
    rig.tell(Input::Judged { attempt, heard });
}

fn abandoned(rig: &Rig) -> Option<u64> {
    rig.brain.campaign(campaign(1)).map(|c| c.tally.abandoned)
}

fn hung_up(rig: &Rig, attempt: AttemptId) -> bool {
    let end = Command::HangUp {
        attempt,
        cause: HangUpCause::Normal,
    };
    rig.log.iter().any(|(_, c)| *c == end)
}

#[test]
fn a_person_goes_to_an_agent_as_soon_as_he_is_told() {
    let (mut rig, attempt) = listened(power(1));
    rig.pass(900);
    heard(&mut rig, attempt, Heard::default());
    rig.join(attempt);
    assert_eq!(rig.state(1), AgentState::Talking);
    rig.pass(5_000);
    rig.end(attempt, 200);
    assert_eq!(rig.overs().pop().map(|o| o.result), Some(CallResult::Human));
}

#[test]
fn what_is_not_clear_in_time_goes_to_an_agent_inside_the_limit() {
    let (mut rig, attempt) = listened(power(1));
    let answered = rig.now;
    rig.pass(2_000);
    let connect = |c: &Command| matches!(c, Command::Connect { attempt: of, .. } if *of == attempt);
    let at = rig.when(connect).expect("is connected");
    let limit = CallRules::default().agent_within_ms;
    let waited = at.since_ms(answered);
    assert!((limit - 500..limit).contains(&waited), "{waited}");
    rig.join(attempt);
    // Told too late: the agent has it, and nothing is taken from him.
    heard(&mut rig, attempt, MACHINE);
    assert_eq!(phase(&rig, attempt), Some(Phase::Connected));
}

#[test]
fn a_machine_is_hung_up_on_and_its_agent_is_free_at_once() {
    let (mut rig, attempt) = listened(in_mode(DialMode::Progressive));
    assert_eq!(rig.state(1), AgentState::Reserved);
    rig.pass(800);
    heard(&mut rig, attempt, MACHINE);
    assert!(hung_up(&rig, attempt));
    let kept = rig.brain.agent(agent(1)).and_then(|s| s.call);
    assert_ne!(kept, Some(attempt), "he is free for another");
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!((over.result, over.agent), (CallResult::MachineNoBeep, None));
    assert_eq!(abandoned(&rig), Some(0));
}

#[test]
fn a_message_is_left_after_the_beep_and_not_before() {
    let (mut rig, attempt) = listened(power(1));
    let leaves = Heard {
        leave: true,
        ..MACHINE
    };
    heard(&mut rig, attempt, leaves);
    rig.pass(6_000);
    assert_eq!(phase(&rig, attempt), Some(Phase::Beep));
    let leave = Command::Leave(attempt);
    assert!(rig.when(|c| *c == leave).is_none());
    rig.tell(Input::Beep(attempt));
    assert!(rig.when(|c| *c == leave).is_some());
    rig.tell(Input::Played(attempt));
    assert!(hung_up(&rig, attempt));
    rig.end(attempt, 200);
    let over = rig.overs().pop().expect("its end");
    assert_eq!(over.result, CallResult::MachineBeep);
    assert_eq!(abandoned(&rig), Some(0));
}

/// What is recorded or spoken is two minutes long at most, and its end has the number and the way to opt out.
#[test]
fn a_message_of_two_minutes_is_left_to_its_end() {
    for told in [true, false] {
        let (mut rig, attempt) = listened(power(1));
        let leaves = Heard {
            leave: true,
            ..MACHINE
        };
        heard(&mut rig, attempt, leaves);
        rig.tell(Input::Beep(attempt));
        rig.pass(120_000);
        assert!(!hung_up(&rig, attempt), "it is still being said");
        if told {
            rig.tell(Input::Played(attempt));
        } else {
            rig.pass(6_000);
        }
        assert!(hung_up(&rig, attempt), "its end was told: {told}");
    }
}

#[test]
fn a_machine_that_never_beeps_is_left_in_time() {
    let (mut rig, attempt) = listened(power(1));
    let leaves = Heard {
        leave: true,
        ..MACHINE
    };
    heard(&mut rig, attempt, leaves);
    rig.pass(46_000);
    assert!(hung_up(&rig, attempt));
    assert!(rig.when(|c| *c == Command::Leave(attempt)).is_none());
}

#[test]
fn some_machines_go_to_an_agent_to_be_checked() {
    let mut rig = Rig::new();
    rig.run(judging(power(1), Judging::First));
    rig.ready([1]);
    let mut checked = None;
    while checked.is_none() {
        let ringing = rig.ringing();
        assert!(!ringing.is_empty());
        checked = ringing.iter().copied().find(|a| is_checked(*a));
        for attempt in ringing.iter().filter(|a| Some(**a) != checked) {
            rig.end(*attempt, 486);
        }
        rig.pass(1_000);
    }
    let attempt = checked.expect("was found");
    rig.answer(attempt);
    heard(&mut rig, attempt, MACHINE);
    rig.join(attempt);
    assert_eq!(phase(&rig, attempt), Some(Phase::Connected));
}

#[test]
fn who_waits_and_turns_out_to_be_a_machine_is_not_abandoned() {
    let mut rig = Rig::new();
    rig.run(judging(power(1), Judging::Under));
    rig.ready([1]);
    let ringing: Vec<_> = rig.ringing();
    let waits = ringing.iter().copied().filter(|a| !is_checked(*a)).nth(1);
    let waits = waits.expect("three ring");
    let first = ringing
        .iter()
        .copied()
        .find(|a| *a != waits)
        .expect("rings");
    rig.answer(first);
    rig.join(first);
    rig.answer(waits);
    assert_eq!(
        phase(&rig, waits),
        Some(Phase::Waiting),
        "connected first where one is free"
    );
    heard(&mut rig, waits, MACHINE);
    assert!(hung_up(&rig, waits));
    rig.end(waits, 200);
    assert_eq!(abandoned(&rig), Some(0));
}

#[test]
fn without_an_agent_a_judged_person_hears_the_message_inside_the_limit() {
    let mut rig = Rig::new();
    rig.run(judging(power(1), Judging::First));
    rig.ready([1]);
    let ringing = rig.ringing();
    rig.answer(ringing[0]);
    heard(&mut rig, ringing[0], Heard::default());
    rig.join(ringing[0]);
    rig.answer(ringing[1]);
    let answered = rig.now;
    rig.pass(900);
    heard(&mut rig, ringing[1], Heard::default());
    rig.pass(3_000);
    let message = Command::Message(ringing[1]);
    let at = rig.when(|c| *c == message).expect("the message");
    let limit = CallRules::default().agent_within_ms;
    assert!(at.since_ms(answered) <= limit, "{}", at.since_ms(answered));
    assert_eq!(abandoned(&rig), Some(1));
}

#[test]
fn where_the_clock_starts_with_the_end_of_the_greeting_it_is_listened_to_longer() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(judging(power(1), Judging::First));
    let mut items = Vec::new();
    for _ in 0..2 {
        let mut item = rig.item(campaign(1));
        item.abandon = AbandonRule {
            formula: FormulaId::Tsr,
            ..plain(3.0)
        };
        items.push(item);
    }
    rig.stock(campaign(1), items);
    rig.ready([1]);
    let ringing = rig.ringing();
    rig.answer(ringing[0]);
    heard(&mut rig, ringing[0], Heard::default());
    rig.join(ringing[0]);
    let second = ringing[1];
    rig.answer(second);
    let answered = rig.now;
    rig.pass(3_000);
    assert_eq!(phase(&rig, second), Some(Phase::Judging));
    let person = Heard {
        greeting_end: Some(answered.plus_ms(2_600)),
        ..Heard::default()
    };
    heard(&mut rig, second, person);
    rig.pass(4_000);
    let message = Command::Message(second);
    let at = rig.when(|c| *c == message).expect("the message");
    let after_greeting = at.since_ms(answered) - 2_600;
    let limit = CallRules::default().agent_within_ms;
    assert!(
        (limit - 200..=limit).contains(&after_greeting),
        "{after_greeting}"
    );
}

#[test]
fn a_campaign_that_looks_on_connects_at_once() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.answer(attempt);
    assert_eq!(phase(&rig, attempt), Some(Phase::Connecting));
}

#[test]
fn a_tone_before_the_answer_ends_the_call_with_what_it_says() {
    let mut rig = Rig::new();
    rig.run(power(1));
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.opened(attempt);
    rig.tell(Input::Ringing(attempt));
    let toned = Input::Toned {
        attempt,
        result: CallResult::Busy,
    };
    rig.tell(toned);
    assert!(rig.cancelled().contains(&attempt));
    rig.end(attempt, 487);
    let over = rig.overs().into_iter().find(|o| o.attempt == attempt);
    let over = over.expect("it is over");
    assert_eq!((over.result, over.by_us), (CallResult::Busy, true));
    // An answer is beyond what a tone can say.
    let other = rig.ringing()[0];
    rig.opened(other);
    rig.answer(other);
    rig.tell(Input::Toned {
        attempt: other,
        result: CallResult::InvalidNumber,
    });
    assert!(!rig.cancelled().contains(&other));
}
