//! What is promised to who waits: a call-back only where the law lets us make it, one of them, none once he has talked,
//! in his place also after a restart; and an agent for who asked for one out of a message.

use crate::agentless::{params as messages, patient};
use crate::amd::{answer, over};
use crate::queue::{debtor_calls, finishes, phone, row, told};
use crate::screen::Screen;
use crate::world::{ALL_ANSWER, House, NOBODY, Plan, campaign_id, client_id, debtor_id, point_id};
use center::{Actor, StateAsk};
use domain::entity::{
    AmdMode, CallResult, CampaignParams, Channel, DialMode, Direction, HoldKind, InboundOutcome,
    InboundParams, LedgerKind, LedgerRow, PointClass,
};
use domain::ids::{AttemptId, LedgerId, person_of_document};
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::{
    AttemptStore as _, CALLBACK_PRIORITY, CallerStore as _, CatalogStore as _, Closing,
};
use domain::rules::agent_state::PauseCode;
use sim::fate::{Fate, draw};
use std::sync::Arc;

fn plan(mode: DialMode) -> Plan {
    Plan {
        params: CampaignParams {
            mode,
            inbound: InboundParams {
                blended: true,
                announce_every_s: 10,
                wait_max_s: 1_800,
                ..InboundParams::default()
            },
            wrapup_max_s: 1_800,
            ..CampaignParams::default()
        },
        ..Plan::default()
    }
}

/// The only agent talks with the first debtor.
async fn busy(plan: Plan) -> (House, Screen) {
    let house = House::build(plan).await;
    house.start().await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    (house, agent)
}

/// He hears the offer of a call-back, and takes it.
async fn keeps(house: &House, call: AttemptId) {
    let offered = || told(house, call).contains(&"queue_offer".to_owned());
    house.until("the offer", offered).await;
    house.trunk.press(call, '1').await;
    house.secs(10).await;
    assert_eq!(row(house, call).await.outcome, InboundOutcome::CallBack);
}

async fn places(house: &House) -> u32 {
    let board = house.row().await.inbound;
    board.expect("takes callers").places_kept
}

/// Law.md §3: three attempts a day in Mexico. He was called three times today; the fourth call cannot be promised.
#[tokio::test(start_paused = true)]
async fn no_call_back_is_offered_that_the_law_would_not_let_us_make() {
    let house = House::build(Plan {
        mix: NOBODY,
        ..plan(DialMode::Manual)
    })
    .await;
    house.start().await;
    let agent = house.agent(1).await;
    for _ in 0..3 {
        let called = house
            .center
            .dial_manual(agent.id, debtor_id(1), point_id(1));
        called.await.expect("is called");
        house.secs(60).await;
        house
            .until("it rang in vain", || agent.state() == "ready")
            .await;
    }
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let (called, not_yet) = (debtor_calls(&house, 1).await, debtor_calls(&house, 2).await);
    house.secs(60).await;
    let heard = told(&house, called);
    assert!(heard.contains(&"queue_place".to_owned()), "{heard:?}");
    assert!(!heard.contains(&"queue_offer".to_owned()), "{heard:?}");
    assert!(told(&house, not_yet).contains(&"queue_offer".to_owned()));
    for call in [called, not_yet] {
        house.trunk.press(call, '1').await;
    }
    house.secs(10).await;
    assert_eq!(row(&house, called).await.outcome, InboundOutcome::Open);
    assert_eq!(row(&house, not_yet).await.outcome, InboundOutcome::CallBack);
    // He waits on like others, and gets his agent.
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, called);
}

fn attempt_row(house: &House, n: u128) -> LedgerRow {
    let at = house.clock.now();
    LedgerRow {
        id: LedgerId(crate::world::id(60_000 + n)),
        person_id: person_of_document("MX", &format!("DOC{:06}", 1)),
        debtor_id: debtor_id(1),
        client_id: client_id(),
        debts: vec![],
        point_id: Some(point_id(1)),
        address: Pii(phone(1)),
        class: PointClass::Mobile,
        channel: Channel::Call,
        kind: LedgerKind::Attempt,
        at,
        attempt_id: None,
        campaign_id: Some(campaign_id()),
        reached_network: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_promised_call_that_a_cap_puts_off_stays_promised() {
    let (house, agent) = busy(plan(DialMode::Manual)).await;
    let second = debtor_calls(&house, 1).await;
    keeps(&house, second).await;
    // Meanwhile another house of the company used up his day.
    let closing = Closing {
        ledger: (0..3).map(|n| attempt_row(&house, n)).collect(),
        ..Closing::default()
    };
    let counted = house.store.close_attempt(second, &closing).await;
    counted.expect("works");
    finishes(&house, &agent).await;
    house.secs(30).await;
    assert!(house.trunk.invites().is_empty());
    let item = house.item(debtor_id(1)).await;
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    assert_eq!(item.priority, CALLBACK_PRIORITY);
    assert!(item.next_at > house.clock.now(), "on his next legal day");
}

#[tokio::test(start_paused = true)]
async fn who_talks_meanwhile_is_not_called_from_his_place() {
    let (house, agent) = busy(plan(DialMode::Manual)).await;
    let second = debtor_calls(&house, 1).await;
    keeps(&house, second).await;
    assert_eq!(places(&house).await, 1);
    let again = debtor_calls(&house, 1).await;
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, again);
    assert_eq!(places(&house).await, 0);
    finishes(&house, &agent).await;
    house.secs(45 * 60).await;
    assert!(house.trunk.invites().is_empty(), "he has talked");
    for fence in 0..3 {
        let left = house.store.places_of("node-1", fence).await;
        assert_eq!(left.expect("works"), []);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_twice_is_called_once_in_the_place_he_had() {
    let (house, agent) = busy(plan(DialMode::Manual)).await;
    let second = debtor_calls(&house, 1).await;
    keeps(&house, second).await;
    let third = debtor_calls(&house, 2).await;
    let again = debtor_calls(&house, 1).await;
    keeps(&house, again).await;
    assert_eq!(places(&house).await, 1);
    house.secs(10).await;
    finishes(&house, &agent).await;
    let called = house.talking(&agent).await;
    assert_eq!(house.attempt(called).await.debtor_id, debtor_id(1));
    finishes(&house, &agent).await;
    assert_eq!(house.talking(&agent).await, third, "who came after him");
    finishes(&house, &agent).await;
    house.secs(45 * 60).await;
    assert_eq!(house.trunk.invites().len(), 1);
    assert_eq!(house.center.figures().await.errors, 0);
}

/// A process that dies and comes back keeps what it promised, and new callers overtake nobody.
#[tokio::test(start_paused = true)]
async fn places_are_kept_over_a_restart_in_their_order() {
    let (house, _) = busy(plan(DialMode::Manual)).await;
    for n in [1, 2] {
        let call = debtor_calls(&house, n).await;
        keeps(&house, call).await;
    }
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);
    let again = House::open(store, &plan(DialMode::Manual), now, 8).await;
    again.secs(5).await;
    assert_eq!(places(&again).await, 2);
    let agent = again.sign_in(1).await;
    let later = debtor_calls(&again, 3).await;
    let me = Actor::Agent(agent.id);
    let ready = again.center.agent_state(me, agent.id, StateAsk::Ready);
    ready.await.expect("ready");
    for n in [1, 2] {
        let call = again.talking(&agent).await;
        let call = again.attempt(call).await;
        assert_eq!(
            (call.debtor_id, call.direction, call.agent_reserved),
            (debtor_id(n), Direction::Outbound, true)
        );
        finishes(&again, &agent).await;
    }
    assert_eq!(again.talking(&agent).await, later);
    assert_eq!(again.center.figures().await.errors, 0);
    again.center.shutdown().await;
}

/// His place's time is over before anybody is free: he is still called with an agent reserved, whatever the mode.
#[tokio::test(start_paused = true)]
async fn who_was_promised_a_call_is_never_called_to_wait() {
    let mut plan = plan(DialMode::Power);
    plan.params.inbound.keep_place_min = 1;
    plan.params.lines_per_agent = 1.0;
    plan.debtors = 2;
    let house = House::build(plan).await;
    let agent = house.agent(1).await;
    let first = {
        house.start().await;
        house.talking(&agent).await
    };
    let with = house.attempt(first).await.debtor_id;
    let n = u128::from(with == debtor_id(0));
    house
        .until("nothing rings", || house.trunk.live_calls() <= 1)
        .await;
    let call = debtor_calls(&house, n).await;
    keeps(&house, call).await;
    house.secs(120).await;
    let before = house.trunk.invites().len();
    finishes(&house, &agent).await;
    let called = || house.trunk.invites().len() > before;
    house.until("his call", called).await;
    let invite = house.trunk.invites().pop().expect("one");
    assert_eq!(invite.number, phone(n));
    assert!(house.attempt(invite.attempt).await.agent_reserved);
}

#[tokio::test(start_paused = true)]
async fn agents_on_a_break_are_waited_for() {
    let house = House::build(plan(DialMode::Manual)).await;
    house.start().await;
    let agent = house.agent(1).await;
    let me = Actor::Agent(agent.id);
    let rest = StateAsk::Paused(PauseCode::Lunch);
    let rest = house.center.agent_state(me, agent.id, rest);
    rest.await.expect("pauses");
    let call = debtor_calls(&house, 1).await;
    house.secs(30).await;
    assert_eq!(row(&house, call).await.outcome, InboundOutcome::Open);
    assert_eq!(told(&house, call)[0], "queue_wait");
    let back = house.center.agent_state(me, agent.id, StateAsk::Ready);
    back.await.expect("ready");
    assert_eq!(house.talking(&agent).await, call);
}

fn one_message() -> Plan {
    Plan {
        seed: patient(),
        debtors: 1,
        params: messages(AmdMode::Off),
        ..Plan::default()
    }
}

async fn asked(house: &House) -> Vec<serde_json::Value> {
    let all = house.store.events_after(0, 10_000).await.expect("answers");
    let asked = all
        .into_iter()
        .filter(|e| e.event.kind == "agentless.asked");
    asked.map(|e| e.event.data).collect()
}

/// Nobody is signed in when he presses the key: he hears so, is counted, and an agent calls him once one is there.
#[tokio::test(start_paused = true)]
async fn who_asks_for_an_agent_and_gets_none_is_owed_a_call_of_one() {
    // The message is all that the campaign has for anybody: he is owed his agent beyond it.
    let mut plan = one_message();
    plan.params.attempts_per_debtor = 1;
    let house = House::build(plan).await;
    house.start().await;
    let attempt = answer(&house, &[]).await;
    house.secs(1).await;
    house.trunk.press(attempt, '1').await;
    let ended = over(&house, attempt).await;
    assert_eq!(ended.result, Some(CallResult::Human));
    assert_eq!(told(&house, attempt), ["agentless", "safe_harbour"]);
    house.secs(1).await;
    let item = house.item(debtor_id(0)).await;
    assert_eq!((item.done, item.note.as_str()), (false, "callback"));
    assert_eq!(item.attempts, 1);
    let events = asked(&house).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["outcome"], "no_agents");
    let board = house.row().await.inbound.expect("he is counted");
    assert_eq!((board.offered, board.answered, board.announced), (1, 0, 1));
    house.secs(120).await;
    assert_eq!(house.trunk.invites().len(), 1, "no message again");
    let agent = house.agent(1).await;
    let call = house.talking(&agent).await;
    let call = house.attempt(call).await;
    assert_eq!(
        (call.mode, call.agent_reserved),
        (DialMode::Progressive, true)
    );
    assert!(!told(&house, call.id).contains(&"agentless".to_owned()));
}

/// He waits for an agent who is on a break, and gives up, or wants no more calls.
#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_out_of_a_message_is_owed_a_call_unless_he_wants_none() {
    for out in [false, true] {
        let house = House::build(one_message()).await;
        let agent = house.sign_in(1).await;
        house.start().await;
        let attempt = answer(&house, &[]).await;
        house.secs(1).await;
        house.trunk.press(attempt, '1').await;
        house.secs(1).await;
        if out {
            house.trunk.press(attempt, '9').await;
        }
        over(&house, attempt).await;
        house.secs(1).await;
        let item = house.item(debtor_id(0)).await;
        let board = house.row().await.inbound.expect("he is counted");
        let counted = (board.offered, board.gave_up, board.opted_out);
        assert_eq!(asked(&house).await.len(), 1);
        if out {
            assert_eq!((item.done, item.note.as_str()), (true, "opted_out"));
            assert_eq!(counted, (1, 0, 1));
            let holds = house.holds(debtor_id(0)).await;
            assert!(holds.iter().any(|h| h.kind == HoldKind::ChannelOptout));
            continue;
        }
        assert_eq!((item.done, item.note.as_str()), (false, "callback"));
        assert_eq!(counted, (1, 1, 0));
        let me = Actor::Agent(agent.id);
        let ready = house.center.agent_state(me, agent.id, StateAsk::Ready);
        ready.await.expect("ready");
        let call = house.talking(&agent).await;
        assert!(house.attempt(call).await.agent_reserved);
        finishes(&house, &agent).await;
    }
}

/// A person who left before its end was not told the message.
#[tokio::test(start_paused = true)]
async fn who_leaves_before_the_end_of_a_message_was_not_told_it() {
    let leaves = |seed: &u64| match draw(*seed, 1, ALL_ANSWER) {
        Fate::Answers { patience_ms, .. } => (3_500..5_500).contains(&patience_ms),
        _ => false,
    };
    let seed = (0..10_000).find(leaves).expect("one of ten thousand");
    let house = House::build(Plan {
        seed,
        ..one_message()
    })
    .await;
    house.start().await;
    let attempt = answer(&house, &[]).await;
    let ended = over(&house, attempt).await;
    assert_eq!(
        ended.result,
        Some(CallResult::Human),
        "he listened for a while"
    );
    house.secs(1).await;
    let item = house.item(debtor_id(0)).await;
    assert!(!item.done && item.note != "message_told", "{item:?}");
    assert_eq!(item.last_result, Some(CallResult::Human));
    let rests = item.next_at.since_ms(house.clock.now());
    assert!(rests > 3_600_000, "not at once again: {rests} ms");
}
