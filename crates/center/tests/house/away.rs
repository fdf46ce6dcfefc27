//! Two nodes: who calls in on one whose agents all sit on the other is called by them, in his place.

use crate::agentless::approved;
use crate::queue::{debtor_calls, finishes, phone, row, told};
use crate::screen::Screen;
use crate::world::{ALL_ANSWER, House, Plan, debtor_id};
use center::CenterConfig;
use domain::entity::{
    CallResult, CampaignParams, DialMode, Direction, InboundOutcome, InboundParams,
};
use domain::ports::Clock as _;
use domain::ports::store::CallerStore as _;
use std::sync::Arc;

fn plan(mode: DialMode) -> Plan {
    Plan {
        params: CampaignParams {
            mode,
            agentless: approved(),
            inbound: InboundParams {
                blended: true,
                ..InboundParams::default()
            },
            ..CampaignParams::default()
        },
        mix: ALL_ANSWER,
        ..Plan::default()
    }
}

/// Two nodes that know of each other; the only agent works on the second.
async fn houses(mode: DialMode) -> (House, House, Screen) {
    let first = House::build(plan(mode)).await;
    first.start().await;
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    let config = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(mode), now, 8, config).await;
    let agent = second.agent(1).await;
    first.secs(15).await;
    (first, second, agent)
}

async fn no_faults(houses: [&House; 2]) {
    for house in houses {
        assert_eq!(house.center.figures().await.errors, 0);
        house.center.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_calls_in_where_no_agent_sits_is_called_by_one_of_the_other_node() {
    let (first, second, agent) = houses(DialMode::Manual).await;
    let caller = debtor_calls(&first, 0).await;
    assert_eq!(told(&first, caller), ["queue_away"], "the truth, at once");
    first.trunk.press(caller, '1').await;
    let attempt = second.talking(&agent).await;
    let gone = row(&first, caller).await;
    assert_eq!(
        (gone.outcome, gone.place),
        (InboundOutcome::CallBack, Some(1))
    );
    let called = second.trunk.invites();
    assert_eq!(called.len(), 1);
    assert_eq!(called[0].number, phone(0));
    let attempt = second.attempt(attempt).await;
    assert_eq!(
        (attempt.debtor_id, attempt.direction, attempt.agent_reserved),
        (debtor_id(0), Direction::Outbound, true)
    );
    let waited = attempt.opened_at.since_ms(gone.at);
    assert!(waited < 15_000, "a moment later: {waited} ms");
    finishes(&second, &agent).await;
    // Once: neither node has a place of his any more.
    second.secs(60).await;
    assert_eq!(second.trunk.invites().len(), 1);
    assert!(first.trunk.invites().is_empty());
    for fence in 1..4 {
        let left = first.store.places_of("node-2", fence).await;
        assert_eq!(left.expect("works"), []);
    }
    no_faults([&first, &second]).await;
}

#[tokio::test(start_paused = true)]
async fn his_place_is_among_those_who_wait_on_the_other_node() {
    let (first, second, agent) = houses(DialMode::Manual).await;
    let talks = debtor_calls(&second, 5).await;
    assert_eq!(second.talking(&agent).await, talks);
    let away = debtor_calls(&first, 0).await;
    let later = debtor_calls(&second, 1).await;
    first.trunk.press(away, '1').await;
    first.secs(20).await;
    assert!(second.trunk.invites().is_empty(), "nobody is free yet");
    finishes(&second, &agent).await;
    let attempt = second.talking(&agent).await;
    assert_eq!(second.attempt(attempt).await.debtor_id, debtor_id(0));
    finishes(&second, &agent).await;
    assert_eq!(second.talking(&agent).await, later, "who came after him");
    no_faults([&first, &second]).await;
}

#[tokio::test(start_paused = true)]
async fn without_his_key_nobody_calls_and_with_agents_gone_he_hears_so_at_once() {
    let (first, second, agent) = houses(DialMode::Manual).await;
    let listens = debtor_calls(&first, 0).await;
    first.secs(120).await;
    let gone = row(&first, listens).await;
    assert_eq!(gone.outcome, InboundOutcome::TimedOut);
    let heard = told(&first, listens);
    let offers = heard.iter().filter(|part| *part == "queue_away").count();
    assert!(offers > 1, "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("safe_harbour"));
    assert!(second.trunk.invites().is_empty());
    // An agent who sits down here takes who waits.
    let waits = debtor_calls(&first, 1).await;
    let here = first.agent(2).await;
    assert_eq!(first.talking(&here).await, waits);
    finishes(&first, &here).await;
    for (house, seat) in [(&first, &here), (&second, &agent)] {
        let me = center::Actor::Agent(seat.id);
        let out = house
            .center
            .agent_state(me, seat.id, center::StateAsk::Offline);
        out.await.expect("signs out");
    }
    first.secs(20).await;
    let nobody = debtor_calls(&first, 2).await;
    first.secs(10).await;
    assert_eq!(told(&first, nobody), ["safe_harbour"]);
    let row = row(&first, nobody).await;
    assert_eq!(row.outcome, InboundOutcome::NoAgents);
    no_faults([&first, &second]).await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_the_other_node_got_outlives_it() {
    let (first, second, agent) = houses(DialMode::Progressive).await;
    // Whoever is called keeps the agent busy.
    let with = second.talking(&agent).await;
    let with = second.attempt(with).await.debtor_id;
    let n = if with == debtor_id(11) { 10 } else { 11 };
    let caller = debtor_calls(&first, n).await;
    first.trunk.press(caller, '1').await;
    first.secs(20).await;
    let kept = row(&first, caller).await;
    assert_eq!(kept.outcome, InboundOutcome::CallBack);
    second.trunk.crash();
    drop(second);
    let here = first.agent(2).await;
    let called = || first.trunk.invites().iter().any(|i| i.number == phone(n));
    for _ in 0..180 {
        if called() {
            break;
        }
        if here.state() == "talking" {
            finishes(&first, &here).await;
        }
        first.secs(1).await;
    }
    assert!(called(), "he was promised a call");
    first.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_an_agent_out_of_a_message_is_called_from_where_they_sit() {
    let plan = || Plan {
        debtors: 1,
        seed: crate::agentless::patient(),
        ..plan(DialMode::Agentless)
    };
    let first = House::build(plan()).await;
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    let config = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(), now, 8, config).await;
    let agent = second.agent(1).await;
    first.secs(15).await;
    first.start().await;
    let hears = || {
        let sent = first.trunk.invites();
        let hears = |i: &sim::trunk::Invite| told(&first, i.attempt) == ["agentless"];
        sent.into_iter().find(hears).map(|i| i.attempt)
    };
    first.until("the message", || hears().is_some()).await;
    let attempt = hears().expect("one");
    // The second of two presses is no answer to what he has not heard.
    for _ in 0..2 {
        first.trunk.press(attempt, '1').await;
    }
    let away = || told(&first, attempt).contains(&"queue_away".to_owned());
    first.until("the offer", away).await;
    first.secs(1).await;
    assert!(!told(&first, attempt).contains(&"queue_kept".to_owned()));
    let music = || told(&first, attempt).contains(&"music".to_owned());
    first.until("heard out", music).await;
    first.trunk.press(attempt, '1').await;
    let call = second.talking(&agent).await;
    let call = second.attempt(call).await;
    assert_eq!(
        (call.debtor_id, call.mode),
        (debtor_id(0), DialMode::Progressive)
    );
    assert_eq!(first.attempt(attempt).await.result, Some(CallResult::Human));
    no_faults([&first, &second]).await;
}
