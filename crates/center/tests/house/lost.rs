//! Two nodes on one database: what is stopped on one is stopped on both; and what is counted when a
//! process dies or an agent is late with his ticks.

use crate::world::{ALL_ANSWER, House, NOBODY, Plan, ask, campaign_id, debtor_id};
use center::{Actor, CenterConfig, IdentityAsk};
use domain::entity::{AttemptState, CallResult, HoldKind, LedgerKind, LedgerRow, PartyRole};
use domain::ids::DebtorId;
use domain::ports::Clock as _;
use domain::ports::store::{ContactStore as _, ItemState};
use domain::time::HOUR_MS;
use std::sync::Arc;

fn plan(mix: sim::fate::FateMix) -> Plan {
    Plan {
        debtors: 2,
        mix,
        ..Plan::default()
    }
}

/// A second node over the first one's database.
async fn beside(house: &House) -> House {
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    House::open_with(store, &plan(NOBODY), now, 77, CenterConfig::new("node-2")).await
}

async fn ledger(house: &House, debtor: DebtorId, kind: LedgerKind) -> Vec<LedgerRow> {
    let facts = house.store.contact_facts(debtor, house.clock.now()).await;
    let rows = facts.expect("facts").ledger;
    rows.into_iter().filter(|r| r.kind == kind).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hold_and_a_stop_reach_the_calls_of_the_other_node() {
    let house = House::build(plan(NOBODY)).await;
    let _agent = house.agent(1).await;
    let _other = house.agent(2).await;
    house.start().await;
    house
        .until("both ring", || house.trunk.live_calls() == 2)
        .await;
    house.secs(1).await;
    let second = beside(&house).await;
    let held = house.clock.now();
    let hold = house.hold(debtor_id(0), HoldKind::Deceased);
    let placed = second.center.place_hold(Actor::System, hold).await;
    placed.expect("placed");
    house
        .until("his call is withdrawn", || house.trunk.live_calls() == 1)
        .await;
    let took = house.clock.now().since_ms(held);
    assert!(took < 1_000, "in under a second, not in {took} ms");
    let stopped = second
        .center
        .stop_campaign(Actor::System, campaign_id())
        .await;
    stopped.expect("stopped");
    house
        .until("nothing rings", || house.trunk.live_calls() == 0)
        .await;
    let dialed = house.trunk.invites().len();
    house.secs(3_600).await;
    assert_eq!(house.trunk.invites().len(), dialed);
    assert_eq!(house.center.figures().await.errors, 0);
}

#[tokio::test(start_paused = true)]
async fn two_nodes_share_a_trunk() {
    let house = House::unanswered(40).await;
    let alone = house.center.figures().await.lines.remove(0);
    assert_eq!(alone.2, 30);
    let second = beside(&house).await;
    house.secs(10).await;
    for node in [&house, &second] {
        let (name, _, channels) = node.center.figures().await.lines.remove(0);
        assert_eq!((name.as_str(), channels), ("uno", 15));
    }
    // The other one ends: its part comes back.
    second.center.shutdown().await;
    house.secs(10).await;
    assert_eq!(house.center.figures().await.lines.remove(0).2, 30);
}

#[tokio::test(start_paused = true)]
async fn identity_ticked_in_the_wrap_up_is_a_conversation() {
    for code in ["CD.NP.NOPUEDE", "NC.CA"] {
        let house = House::build(Plan {
            debtors: 1,
            ..plan(ALL_ANSWER)
        })
        .await;
        let agent = house.agent(1).await;
        house.start().await;
        let attempt = house.talking(&agent).await;
        house.hang_up(&agent, attempt).await;
        let role = IdentityAsk {
            role: PartyRole::Titular,
        };
        let card = house.center.identity(agent.id, attempt, role).await;
        card.expect("the full card");
        house
            .center
            .dispose(Actor::Agent(agent.id), attempt, ask(code))
            .await
            .expect("disposed");
        house.secs(1).await;
        let rows = ledger(&house, debtor_id(0), LedgerKind::Conversation).await;
        assert_eq!(rows.len(), 1, "{code}");
        assert!(house.attempt(attempt).await.identity_at.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_a_conversation_loses_neither_it_nor_its_disposition() {
    let house = House::build(Plan {
        debtors: 1,
        ..plan(ALL_ANSWER)
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    house
        .center
        .dispose(Actor::Agent(agent.id), attempt, ask("CD.NP.NOPUEDE"))
        .await
        .expect("disposed while it is up");
    let placed: ItemState = house.item(debtor_id(0)).await;
    assert_eq!(placed.note, "cooloff", "at once, not at the end");
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);

    let again = Plan {
        debtors: 1,
        ..plan(NOBODY)
    };
    let house = House::open(store, &again, now.plus_ms(3_000), 99).await;
    let row = house.attempt(attempt).await;
    assert_eq!(
        (row.state, row.result),
        (AttemptState::Unknown, Some(CallResult::Unknown))
    );
    assert_eq!(
        ledger(&house, debtor_id(0), LedgerKind::Conversation)
            .await
            .len(),
        1
    );
    let item = house.item(debtor_id(0)).await;
    assert_eq!(
        (item.note, item.next_at),
        (placed.note, placed.next_at),
        "where the disposition put him"
    );
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_nobody_can_dispose_of_any_more_gets_its_code() {
    let house = House::build(Plan {
        debtors: 1,
        ..plan(ALL_ANSWER)
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    house.trunk.crash();
    drop(house);
    let again = Plan {
        debtors: 1,
        ..plan(NOBODY)
    };
    let house = House::open(store, &again, now.plus_ms(3_000), 99).await;
    house.secs(120).await;
    assert_eq!(house.attempt(attempt).await.disposition, None, "he may yet");
    house.secs(HOUR_MS.unsigned_abs() / 1_000 + 120).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.disposition.as_deref(), Some("NC.ST"));
    assert_eq!(house.item(debtor_id(0)).await.note, "recovered");
}
