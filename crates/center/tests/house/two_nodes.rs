//! Call-backs over two nodes: made where their agent sits; a place in a queue is kept by one of them, and ended by what
//! stops contact.

use crate::queue::{debtor_calls, finishes, phone, row, told};
use crate::screen::Screen;
use crate::world::{
    ALL_ANSWER, House, NOBODY, Plan, agent_id, campaign_id, client_id, debtor_id, id,
};
use center::{Actor, CenterConfig};
use domain::entity::dnc::keyed_hash;
use domain::entity::{
    CallResult, CampaignParams, DialMode, DncList, InboundOutcome, InboundParams, Suppression,
    SuppressionKind,
};
use domain::ids::{AttemptId, DncListId, SuppressionId};
use domain::pii::Pii;
use domain::ports::Clock as _;
use domain::ports::store::{
    CALLBACK_PRIORITY, CallbackRow, CallerStore as _, ContactStore as _, ItemState,
};
use std::sync::Arc;

fn plan(mode: DialMode) -> Plan {
    Plan {
        debtors: 4,
        params: CampaignParams {
            mode,
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

/// Two nodes that know of each other, with an agent each.
async fn houses(mode: DialMode) -> ((House, Screen), (House, Screen)) {
    let first = House::build(plan(mode)).await;
    first.start().await;
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    let config = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(mode), now, 8, config).await;
    let agents = (first.agent(1).await, second.agent(2).await);
    first.secs(15).await;
    ((first, agents.0), (second, agents.1))
}

/// The agent of a node talks with somebody; who calls there then keeps his place.
async fn keeps(house: &House, agent: &Screen, n: u128) -> AttemptId {
    if agent.state() != "talking" {
        let with = debtor_calls(house, 0).await;
        assert_eq!(house.talking(agent).await, with);
    }
    let call = debtor_calls(house, n).await;
    let offered = || told(house, call).contains(&"queue_offer".to_owned());
    house.until("the offer", offered).await;
    house.trunk.press(call, '1').await;
    house.secs(10).await;
    assert_eq!(row(house, call).await.outcome, InboundOutcome::CallBack);
    call
}

async fn places(house: &House) -> u32 {
    let board = house.row().await.inbound;
    board.expect("takes callers").places_kept
}

#[tokio::test(start_paused = true)]
async fn an_own_call_back_is_made_on_the_node_where_its_agent_sits() {
    for seed in 0..3 {
        let first = House::build(Plan {
            debtors: 1,
            seed,
            ..plan(DialMode::Progressive)
        })
        .await;
        let (store, now) = (Arc::clone(&first.store), first.clock.now());
        let config = CenterConfig::new("node-2");
        let second = House::open_with(store, &plan(DialMode::Progressive), now, 8, config).await;
        let (_other, his) = (first.agent(1).await, second.agent(2).await);
        first.secs(15).await;
        let item = ItemState {
            campaign_id: campaign_id(),
            debtor_id: debtor_id(0),
            // Long due: nobody who does not know where he is would wait for him.
            next_at: now.plus_ms(-20 * 60_000),
            priority: CALLBACK_PRIORITY,
            attempts: 1,
            last_result: None,
            next_point: None,
            done: false,
            note: CallbackRow::note_of(Some(agent_id(2))),
        };
        first.store.put_item(&item, &[]).await.expect("put");
        first.start().await;
        let call = second.talking(&his).await;
        assert_eq!(second.attempt(call).await.agent_id, Some(agent_id(2)));
        assert!(first.trunk.invites().is_empty());
        assert!(!first.kinds().await.contains(&"callback.moved".to_owned()));
        first.center.shutdown().await;
        second.center.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_on_another_node_has_one_place() {
    let ((first, here), (second, there)) = houses(DialMode::Manual).await;
    keeps(&first, &here, 1).await;
    assert_eq!(places(&first).await, 1);
    // An agent of the second talks with another debtor.
    let with = debtor_calls(&second, 3).await;
    assert_eq!(second.talking(&there).await, with);
    keeps(&second, &there, 1).await;
    second.secs(5).await;
    assert_eq!((places(&first).await, places(&second).await), (0, 1));
    finishes(&first, &here).await;
    first.secs(60).await;
    assert!(first.trunk.invites().is_empty(), "it is the other node's");
    finishes(&second, &there).await;
    let call = second.talking(&there).await;
    assert_eq!(second.attempt(call).await.debtor_id, debtor_id(1));
    for house in [&first, &second] {
        assert_eq!(house.center.figures().await.errors, 0);
        house.center.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_talks_on_another_node_is_not_called_from_his_place() {
    let ((first, here), (second, there)) = houses(DialMode::Manual).await;
    keeps(&first, &here, 1).await;
    let again = debtor_calls(&second, 1).await;
    assert_eq!(second.talking(&there).await, again);
    second.secs(5).await;
    assert_eq!(places(&first).await, 0);
    finishes(&second, &there).await;
    finishes(&first, &here).await;
    first.secs(45 * 60).await;
    assert!(first.trunk.invites().is_empty() && second.trunk.invites().is_empty());
    first.center.shutdown().await;
    second.center.shutdown().await;
}

/// A list in bulk, one number, and money: each ends the place that is kept for who left the queue.
#[tokio::test(start_paused = true)]
async fn what_stops_contact_ends_a_kept_place() {
    for way in ["list", "number"] {
        let house = House::build(plan(DialMode::Manual)).await;
        house.start().await;
        let agent = house.agent(1).await;
        keeps(&house, &agent, 1).await;
        assert_eq!(places(&house).await, 1, "{way}");
        let now = house.clock.now();
        if way == "list" {
            let list = DncList {
                id: DncListId(id(77)),
                client_id: None,
                name: "REPEP".into(),
                kind: SuppressionKind::Phone,
                hash_key: "7".repeat(64),
                entries: 1,
                file_sha256: String::new(),
                as_of: now,
                created_at: now,
                retired_at: None,
            };
            let hash = keyed_hash(&list.hash_key, list.kind, &phone(1));
            let done = house.center.load_list(list, vec![hash], vec![]).await;
            assert_eq!(done.expect("in force").withdrawn, 1);
        } else {
            let row = Suppression {
                id: SuppressionId(id(78)),
                client_id: Some(client_id()),
                debtor_id: None,
                kind: SuppressionKind::Phone,
                value: Pii(phone(1)),
                reason: "optout".into(),
                created_at: now,
                lifted_at: None,
            };
            let done = house.center.suppress(Actor::System, row).await;
            done.expect("listed");
        }
        house.secs(1).await;
        assert_eq!(places(&house).await, 0, "{way}");
        for fence in 0..4 {
            let left = house.store.places_of("node-1", fence).await;
            assert_eq!(left.expect("works"), [], "{way}");
        }
        finishes(&house, &agent).await;
        house.secs(45 * 60).await;
        assert!(house.trunk.invites().is_empty(), "{way}");
        house.center.shutdown().await;
    }
}

/// What is changed on one node of whom the law has to be asked anew ends what rings for him on the other.
#[tokio::test(start_paused = true)]
async fn a_change_on_one_node_withdraws_him_on_the_other() {
    let plan = || Plan {
        debtors: 1,
        mix: NOBODY,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    let config = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(), now, 8, config).await;
    let _agent = second.agent(1).await;
    second.start().await;
    let rings = || second.trunk.live_calls() == 1;
    second.until("it rings there", rings).await;
    let changed = first.clock.now();
    first.center.debtor_changed(debtor_id(0)).await;
    second.secs(2).await;
    let rows = second.attempts().await;
    let first_of = rows.iter().min_by_key(|a| a.opened_at);
    let rang = first_of.expect("it rang");
    assert_eq!(rang.result, Some(CallResult::Cancelled));
    let took = rang.ended_at.map_or(i64::MAX, |at| at.since_ms(changed));
    assert!(took < 1_000, "{took} ms");
    first.center.shutdown().await;
    second.center.shutdown().await;
}
