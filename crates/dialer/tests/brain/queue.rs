//! Callers who wait: order, blending with our own calls, kept places, and messages without agents.

use crate::rig::{Rig, agent, campaign, in_mode, power, trunk};
use dialer::{CallRules, CampaignSpec, Command, Incoming, Input, Item, KeptPlace, Phase, Wish};
use domain::entity::{CallResult, DialMode};
use domain::ids::AttemptId;
use domain::ports::HangUpCause;
use domain::rules::agent_state::{AgentState, PauseCode};
use domain::time::{MINUTE_MS, UtcMs};
use uuid::Uuid;

const WAIT_MS: i64 = 2 * MINUTE_MS;

fn call(n: u128) -> AttemptId {
    AttemptId(Uuid::from_u128(0xBB00 + n))
}

/// A call of that debtor, who may wait two minutes; `notice`: once he has been told something.
fn calls(rig: &Rig, n: u128, item: &Item, notice: bool) -> Input {
    Input::Incoming(Box::new(Incoming {
        attempt: call(n),
        item: item.clone(),
        trunk: trunk(1),
        rules: CallRules::default(),
        at: rig.now,
        wait_ms: WAIT_MS,
        notice,
    }))
}

/// A debtor calls.
fn comes(rig: &mut Rig, n: u128) -> Item {
    let item = rig.item(campaign(1));
    let came = calls(rig, n, &item, false);
    rig.tell(came);
    item
}

fn phase(rig: &Rig, attempt: AttemptId) -> Option<Phase> {
    rig.brain.call(attempt).map(|c| c.phase)
}

/// One agent talks with the first caller; two wait.
fn two_wait() -> (Rig, Item, Item) {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Manual));
    rig.ready([1]);
    comes(&mut rig, 1);
    assert_eq!(rig.join(call(1)), agent(1));
    rig.pass(1_000);
    let second = comes(&mut rig, 2);
    rig.pass(1_000);
    let third = comes(&mut rig, 3);
    (rig, second, third)
}

/// Since when the second caller waits.
fn since(rig: &Rig) -> UtcMs {
    let queued = rig.brain.call(call(2)).and_then(|c| c.queued);
    queued.expect("waits")
}

/// A place in the queue that is kept for some minutes; the call for it has number 20.
fn kept(rig: &Rig, item: Item, since: UtcMs, minutes: i64) -> Box<KeptPlace> {
    Box::new(KeptPlace {
        attempt: call(20),
        item,
        rules: CallRules::default(),
        since,
        until: rig.now.plus_ms(minutes * MINUTE_MS),
    })
}

/// The second caller hangs up and keeps his place.
fn keep(place: Box<KeptPlace>) -> Input {
    Input::KeepPlace {
        from: call(2),
        place,
    }
}

fn is_free(rig: &mut Rig, attempt: AttemptId) {
    rig.end(attempt, 200);
    rig.dispose(attempt);
}

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    let (mut rig, ..) = two_wait();
    assert_eq!(rig.brain.queue().count(), 2);
    is_free(&mut rig, call(1));
    assert_eq!(phase(&rig, call(2)), Some(Phase::Connecting));
    assert_eq!(phase(&rig, call(3)), Some(Phase::Waiting));
    rig.join(call(2));
    is_free(&mut rig, call(2));
    rig.join(call(3));
    is_free(&mut rig, call(3));
    assert_eq!(rig.overs().len(), 3);
    assert!(rig.overs().iter().all(|o| o.agent == Some(agent(1))));
    assert_eq!(rig.brain.queue().count(), 0);
}

#[test]
fn who_waits_too_long_hears_the_message_and_nobody_was_abandoned() {
    let (mut rig, ..) = two_wait();
    rig.pass(WAIT_MS - 3_000);
    assert_eq!(
        phase(&rig, call(2)),
        Some(Phase::Waiting),
        "long past two seconds"
    );
    rig.pass(4_000);
    assert_eq!(phase(&rig, call(2)), Some(Phase::Message));
    assert!(rig.log.iter().any(|(_, c)| *c == Command::Message(call(2))));
    rig.tell(Input::Played(call(2)));
    let end = Command::HangUp {
        attempt: call(2),
        cause: HangUpCause::Normal,
    };
    assert!(rig.log.iter().any(|(_, c)| *c == end));
    rig.end(call(2), 200);
    // The third one gives up.
    rig.end(call(3), 200);
    let results: Vec<CallResult> = rig.overs().iter().map(|o| o.result).collect();
    assert!(!results.contains(&CallResult::Abandoned), "{results:?}");
    let view = rig.brain.campaign(campaign(1)).expect("is there");
    assert_eq!(view.tally.abandoned, 0);
}

/// Who has to be told something first gets no agent before that, nor does he keep one from others.
#[test]
fn a_caller_who_is_told_something_first_gets_his_agent_after_it() {
    let mut rig = Rig::new();
    rig.run(in_mode(DialMode::Manual));
    rig.ready([1]);
    let item = rig.item(campaign(1));
    let came = calls(&rig, 1, &item, true);
    rig.tell(came);
    rig.pass(1_000);
    assert_eq!(phase(&rig, call(1)), Some(Phase::Waiting));
    comes(&mut rig, 2);
    assert_eq!(rig.join(call(2)), agent(1));
    is_free(&mut rig, call(2));
    rig.pass(1_000);
    assert_eq!(phase(&rig, call(1)), Some(Phase::Waiting));
    rig.tell(Input::Noticed(call(1)));
    assert_eq!(rig.join(call(1)), agent(1));
}

#[test]
fn a_live_answer_of_ours_goes_first_and_takers_of_callers_are_not_dialed_for() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_per_agent: 1.0,
        ..power(1)
    });
    rig.ready([1]);
    let ours = rig.ringing()[0];
    comes(&mut rig, 1);
    rig.join(call(1));
    comes(&mut rig, 2);
    rig.pass(3_000);
    assert_eq!(
        rig.dials().len(),
        1,
        "the agent is taken: nobody is dialed for him"
    );
    rig.answer(ours);
    assert_eq!(phase(&rig, ours), Some(Phase::Waiting));
    is_free(&mut rig, call(1));
    assert_eq!(
        phase(&rig, ours),
        Some(Phase::Connecting),
        "the law gives it two seconds"
    );
    assert_eq!(phase(&rig, call(2)), Some(Phase::Waiting));
    rig.join(ours);
    is_free(&mut rig, ours);
    assert_eq!(phase(&rig, call(2)), Some(Phase::Connecting));
}

#[test]
fn a_caller_has_one_live_attempt_and_leaves_the_hopper() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let item = rig.item(campaign(1));
    rig.stock(campaign(1), vec![item.clone()]);
    let came = |attempt| Incoming {
        attempt,
        item: item.clone(),
        trunk: trunk(1),
        rules: CallRules::default(),
        at: rig.now,
        wait_ms: WAIT_MS,
        notice: false,
    };
    let (first, again) = (came(call(1)), came(call(2)));
    rig.tell(Input::Incoming(Box::new(first)));
    assert_eq!(rig.released(dialer::ReleaseWhy::Double), 1);
    let refused = rig.ask(Input::Incoming(Box::new(again))).unwrap_err();
    assert_eq!(refused.code, "debtor_in_call");
}

#[test]
fn a_caller_who_is_found_is_called_by_no_hopper() {
    let mut rig = Rig::new();
    rig.feeds = false;
    rig.run(in_mode(DialMode::Progressive));
    let unknown = comes(&mut rig, 1);
    let item = rig.item(campaign(1));
    rig.stock(campaign(1), vec![item.clone()]);
    let found = |attempt, item: &Item| Input::Found {
        attempt,
        item: Box::new(item.clone()),
    };
    rig.tell(found(call(1), &item));
    assert_eq!(rig.released(dialer::ReleaseWhy::Double), 1);
    let of_call = |rig: &Rig| rig.brain.call(call(1)).map(|c| c.item.person);
    assert_eq!(of_call(&rig), Some(item.person));
    // Who he was taken for is free again; who he is has a live call.
    let came = |attempt, item: &Item| Incoming {
        attempt,
        item: item.clone(),
        trunk: trunk(1),
        rules: CallRules::default(),
        at: rig.now,
        wait_ms: WAIT_MS,
        notice: false,
    };
    let (free, busy) = (came(call(2), &unknown), came(call(3), &item));
    rig.tell(Input::Incoming(Box::new(free)));
    let refused = rig.ask(Input::Incoming(Box::new(busy))).unwrap_err();
    assert_eq!(refused.code, "debtor_in_call");
    let refused = rig.ask(found(call(2), &item)).unwrap_err();
    assert_eq!(refused.code, "debtor_in_call");
    let refused = rig.ask(found(call(9), &unknown)).unwrap_err();
    assert_eq!(refused.code, "debtor_in_call");
}

#[test]
fn a_kept_place_is_called_in_its_turn_with_the_agent_first() {
    let (mut rig, second, _) = two_wait();
    let place = kept(&rig, second, since(&rig), 30);
    rig.tell(keep(place));
    assert_eq!(
        phase(&rig, call(2)),
        Some(Phase::Message),
        "he hears that it is kept"
    );
    rig.tell(Input::Played(call(2)));
    rig.end(call(2), 200);
    assert_eq!(rig.brain.places().len(), 1);
    is_free(&mut rig, call(1));
    let dial = rig.dials().pop().expect("his turn came before the third's");
    assert_eq!((dial.attempt, dial.agent), (call(20), Some(agent(1))));
    assert_eq!(phase(&rig, call(3)), Some(Phase::Waiting));
    rig.answer(call(20));
    rig.join(call(20));
    is_free(&mut rig, call(20));
    assert_eq!(phase(&rig, call(3)), Some(Phase::Connecting));
    assert!(rig.brain.places().is_empty());
}

/// He calls again while his place is kept: it stays the one he had, and there is one call-back.
#[test]
fn who_keeps_his_place_twice_has_the_earlier_one_and_one_call_back() {
    for other_node in [false, true] {
        let (mut rig, second, _) = two_wait();
        let first = since(&rig);
        let place = kept(&rig, second.clone(), first, 30);
        rig.tell(keep(place.clone()));
        rig.end(call(2), 200);
        rig.pass(MINUTE_MS);
        let again = Box::new(KeptPlace {
            attempt: call(21),
            since: rig.now,
            until: rig.now.plus_ms(30 * MINUTE_MS),
            ..(*place).clone()
        });
        if other_node {
            rig.tell(Input::TakePlace(again.clone()));
        } else {
            let came = calls(&rig, 4, &second, false);
            rig.tell(came);
            rig.tell(Input::KeepPlace {
                from: call(4),
                place: again.clone(),
            });
            rig.end(call(4), 200);
        }
        let want = KeptPlace {
            since: first,
            ..(*again).clone()
        };
        assert_eq!(rig.brain.places(), [want]);
        let gone = Command::PlaceGone(call(20));
        assert!(rig.log.iter().any(|(_, c)| *c == gone));
        is_free(&mut rig, call(1));
        let dial = rig
            .dials()
            .pop()
            .expect("before the third, who came after his first call");
        assert_eq!(dial.attempt, call(21));
    }
}

#[test]
fn who_talks_with_an_agent_meanwhile_is_called_from_no_place() {
    let (mut rig, second, _) = two_wait();
    let place = kept(&rig, second.clone(), since(&rig), 30);
    rig.tell(keep(place));
    rig.end(call(2), 200);
    // Another agent comes, and takes the third; the second calls again and gets him.
    rig.end(call(3), 200);
    let came = calls(&rig, 4, &second, false);
    rig.tell(came);
    assert_eq!(rig.brain.places().len(), 1, "nobody talks with him yet");
    is_free(&mut rig, call(1));
    rig.join(call(4));
    assert!(rig.brain.places().is_empty());
    assert!(
        rig.log
            .iter()
            .any(|(_, c)| *c == Command::PlaceGone(call(20)))
    );
    is_free(&mut rig, call(4));
    rig.pass(5_000);
    assert!(rig.dials().is_empty(), "he has talked");
}

/// Another node's caller has his place among those who wait here, by when he came.
#[test]
fn a_place_of_another_node_is_called_in_its_turn() {
    let (mut rig, other, _) = two_wait();
    let since = since(&rig).plus_ms(-1);
    rig.end(call(2), 200);
    let place = kept(&rig, other, since, 30);
    rig.tell(Input::TakePlace(place));
    assert!(rig.dials().is_empty(), "nobody is free");
    is_free(&mut rig, call(1));
    let dial = rig.dials().pop().expect("before who came later");
    assert_eq!((dial.attempt, dial.agent), (call(20), Some(agent(1))));
    assert_eq!(phase(&rig, call(3)), Some(Phase::Waiting));
}

#[test]
fn a_place_ends_with_its_time_or_with_the_contact() {
    for withdrawn in [false, true] {
        let (mut rig, second, _) = two_wait();
        let debtor = second.debtor;
        let place = kept(&rig, second, rig.now, 1);
        rig.tell(keep(place.clone()));
        assert_eq!(rig.ask(keep(place)).unwrap_err().code, "not_waiting");
        if withdrawn {
            rig.tell(Input::Withdraw(debtor));
        } else {
            rig.pass(MINUTE_MS + 1_000);
        }
        assert!(rig.brain.places().is_empty());
        let gone = Command::PlaceGone(call(20));
        assert!(rig.log.iter().any(|(_, c)| *c == gone));
    }
}

#[test]
fn nobody_is_dialed_from_a_place_of_a_campaign_that_was_stopped() {
    for stopped_first in [false, true] {
        let (mut rig, second, _) = two_wait();
        let off = Input::CampaignOff {
            campaign: campaign(1),
            cancel: true,
        };
        let keep = keep(kept(&rig, second, rig.now, 30));
        if stopped_first {
            rig.tell(off);
            rig.tell(keep);
        } else {
            rig.tell(keep);
            assert_eq!(rig.brain.places().len(), 1);
            rig.tell(off);
            assert!(rig.brain.places().is_empty());
            let gone = Command::PlaceGone(call(20));
            assert!(rig.log.iter().any(|(_, c)| *c == gone));
        }
        rig.end(call(3), 200);
        is_free(&mut rig, call(1));
        rig.pass(5_000);
        assert_eq!(rig.state(1), AgentState::Ready);
        assert!(rig.dials().is_empty());
    }
}

#[test]
fn who_leaves_the_queue_hears_one_thing_more() {
    let (mut rig, ..) = two_wait();
    rig.tell(Input::LeaveQueue(call(2)));
    assert_eq!(phase(&rig, call(2)), Some(Phase::Message));
    let again = rig.ask(Input::LeaveQueue(call(2))).unwrap_err();
    assert_eq!(again.code, "not_waiting");
    is_free(&mut rig, call(1));
    assert_eq!(phase(&rig, call(3)), Some(Phase::Connecting));
    rig.tell(Input::Played(call(2)));
    rig.end(call(2), 200);
    let over = rig.overs().pop().expect("over");
    assert_ne!(over.result, CallResult::Abandoned);
}

#[test]
fn a_message_is_told_without_agents_as_fast_as_lines_allow() {
    let mut rig = Rig::with_trunk(100, 100);
    rig.run(CampaignSpec {
        lines_max: Some(4),
        ..in_mode(DialMode::Agentless)
    });
    assert_eq!(rig.dials().len(), 4, "lines are the pace, not agents");
    let first = rig.ringing()[0];
    rig.answer(first);
    assert_eq!(phase(&rig, first), Some(Phase::Message));
    assert!(rig.log.iter().any(|(_, c)| *c == Command::Tell(first)));
    // Nobody owed him an agent, however long the message is.
    rig.pass(20_000);
    rig.tell(Input::Played(first));
    rig.end(first, 200);
    let over = rig.overs().pop().expect("over");
    assert_eq!(over.result, CallResult::Human);
    assert_eq!(rig.dials().len(), 5, "the free line is used");
}

#[test]
fn who_was_promised_a_call_waits_for_an_agent_and_keeps_no_message_from_others() {
    let mut rig = Rig::with_trunk(100, 100);
    rig.run(CampaignSpec {
        lines_max: Some(4),
        ..in_mode(DialMode::Agentless)
    });
    let mut promised = rig.item(campaign(1));
    promised.agent_only = true;
    promised.priority = 90;
    let person = promised.person;
    rig.stock(campaign(1), vec![promised]);
    for attempt in rig.ringing() {
        rig.end(attempt, 486);
    }
    rig.pass(5_000);
    let his = |rig: &Rig| rig.dials().into_iter().find(|d| d.item.person == person);
    assert!(rig.dials().len() > 4, "the others hear theirs");
    assert_eq!(his(&rig), None, "nobody is there for him");
    rig.ready([1]);
    let attempt = rig.ringing()[0];
    rig.end(attempt, 486);
    let dial = his(&rig).expect("is dialed");
    assert_eq!(dial.mode, DialMode::Progressive);
    assert_eq!(dial.agent, Some(agent(1)));
    rig.answer(dial.attempt);
    assert_eq!(rig.join(dial.attempt), agent(1));
}

#[test]
fn who_hears_a_message_may_have_an_agent() {
    let mut rig = Rig::new();
    rig.run(CampaignSpec {
        lines_max: Some(2),
        ..in_mode(DialMode::Agentless)
    });
    rig.ready([1]);
    rig.wish(1, Wish::Pause(PauseCode::Break));
    let ringing = rig.ringing();
    for attempt in &ringing {
        rig.answer(*attempt);
    }
    let early = Input::Queue {
        attempt: AttemptId(Uuid::from_u128(9_999)),
        wait_ms: WAIT_MS,
    };
    assert_eq!(rig.ask(early).unwrap_err().code, "no_message");
    rig.pass(5_000);
    rig.tell(Input::Queue {
        attempt: ringing[0],
        wait_ms: WAIT_MS,
    });
    assert_eq!(phase(&rig, ringing[0]), Some(Phase::Waiting));
    // The message that was playing is over: it is nobody's end any more.
    rig.tell(Input::Played(ringing[0]));
    assert_eq!(phase(&rig, ringing[0]), Some(Phase::Waiting));
    rig.wish(1, Wish::Ready);
    assert_eq!(rig.join(ringing[0]), agent(1));
    assert_eq!(rig.state(1), AgentState::Talking);
    assert_eq!(phase(&rig, ringing[1]), Some(Phase::Message));
}
