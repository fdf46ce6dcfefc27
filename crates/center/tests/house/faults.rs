//! What breaks: the process, the database, an agent's link, the lease; and the end of a node.

use crate::world::{ALL_ANSWER, House, NOBODY, Plan, campaign_id, debtor_id};
use center::Actor;
use domain::entity::{AttemptState, CallResult};
use domain::ports::Clock as _;
use domain::ports::store::{ContactStore as _, NodeStore as _};
use domain::time::HOUR_MS;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn after_a_crash_nothing_is_lost_and_nobody_is_dialed_twice() {
    let plan = Plan {
        debtors: 3,
        mix: NOBODY,
        ..Plan::default()
    };
    let house = House::build(plan).await;
    let _agent = house.agent(1).await;
    house.start().await;
    house
        .until("it rings", || house.trunk.live_calls() == 1)
        .await;
    house.secs(1).await;
    let (store, now) = (Arc::clone(&house.store), house.clock.now());
    let orphan = house.attempts().await.remove(0);
    assert!(!orphan.state.is_closed());
    house.trunk.crash();
    drop(house);

    let plan = Plan {
        debtors: 3,
        mix: NOBODY,
        ..Plan::default()
    };
    let house = House::open(store, &plan, now.plus_ms(3_000), 99).await;
    let row = house.attempts().await.remove(0);
    assert_eq!((row.id, row.state), (orphan.id, AttemptState::Unknown));
    assert_eq!(row.result, Some(CallResult::Unknown));
    let item = house.item(orphan.debtor_id).await;
    assert_eq!((item.note.as_str(), item.attempts), ("recovered", 1));
    assert!(
        item.next_at.since_ms(now) >= 24 * HOUR_MS,
        "unknown counts as made"
    );
    // The campaign was running: it is taken up again by itself.
    let _agent = house.agent(1).await;
    house.secs(300).await;
    let rows = house.attempts().await;
    assert!(rows.len() >= 2, "it dials on");
    let again = rows
        .iter()
        .filter(|a| a.debtor_id == orphan.debtor_id)
        .count();
    assert_eq!(again, 1, "not twice");
}

#[tokio::test(start_paused = true)]
async fn a_dead_database_stops_dialing_and_it_goes_on_by_itself() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let id = house.talking(&agent).await;
    house.store.set_down(true);
    house.secs(2).await;
    assert_eq!(house.center.readiness().reasons, ["database"]);
    assert_eq!(agent.state(), "talking", "calls that are up go on");
    house
        .center
        .hang_up(Actor::Agent(agent.id), id)
        .await
        .expect("hangs up");
    house.until("wrap-up", || agent.state() == "wrapup").await;
    let sent = house.trunk.invites().len();
    house.secs(20).await;
    assert_eq!(house.trunk.invites().len(), sent, "nothing is dialed");
    house.store.set_down(false);
    house
        .until("ready again", || house.center.readiness().dialing)
        .await;
    house.secs(2).await;
    let row = house
        .attempts()
        .await
        .into_iter()
        .find(|a| a.id == id)
        .expect("stored");
    assert_eq!(
        row.result,
        Some(CallResult::Human),
        "written once the database is back"
    );
    assert!(row.ended_at.is_some());
    assert_eq!(house.center.figures().await.errors, 0, "nothing was lost");
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_frees_the_call_and_the_agent() {
    let house = House::with(2).await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("talking", || agent.state() == "talking").await;
    house.center.agent_link(agent.id, false);
    house.until("lagged", || agent.state() == "lagged").await;
    let alarms = house.center.board().await.data.alarms;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0].kind, "agent_lagged");
    house.secs(3).await;
    // A browser whose page hangs still answers pings of the protocol.
    house.center.agent_rtt(agent.id, 40);
    house.secs(1).await;
    assert_eq!(agent.state(), "lagged");
    house.center.agent_link(agent.id, true);
    house
        .until("back", || {
            matches!(agent.state().as_str(), "talking" | "wrapup")
        })
        .await;
    house.center.agent_link(agent.id, false);
    house.secs(11).await;
    assert_eq!(agent.state(), "paused");
    assert_eq!(agent.me()["pause_code"], "lagged");
    house.secs(2).await;
    assert_eq!(house.trunk.live_calls(), 0, "nobody is left on the line");
    house.secs(120).await;
    assert_eq!(agent.state(), "offline");
    assert_eq!(house.center.figures().await.errors, 0);
}

#[tokio::test(start_paused = true)]
async fn a_newer_process_of_the_name_fences_this_one() {
    let house = House::build(Plan {
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house
        .until("it rings", || house.trunk.live_calls() == 1)
        .await;
    let now = house.clock.now();
    house
        .store
        .register_node("node-1", now, 15_000)
        .await
        .expect("registered");
    house.secs(10).await;
    assert!(
        house
            .center
            .readiness()
            .reasons
            .contains(&"fenced".to_owned())
    );
    let sent = house.trunk.invites().len();
    house.secs(120).await;
    assert_eq!(house.trunk.invites().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_calls_and_a_shutdown_gives_everything_back() {
    let house = House::build(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    house.until("talking", || agent.state() == "talking").await;
    house.center.drain().await;
    assert_eq!(house.trunk.live_calls(), 0);
    let rows = house.attempts().await;
    let talked = rows
        .iter()
        .find(|a| a.bridged_at.is_some())
        .expect("a conversation");
    assert_eq!(
        talked.result,
        Some(CallResult::Human),
        "no call was dropped"
    );
    let sent = house.trunk.invites().len();
    house.center.shutdown().await;
    assert_eq!(
        house.trunk.invites().len(),
        sent,
        "nothing new while it drained"
    );
    let counts = house
        .store
        .item_counts(campaign_id(), house.clock.now())
        .await
        .expect("counts");
    assert_eq!(counts.leased, 0, "reservations are given back");
    assert!(house.attempts().await.iter().all(|a| a.state.is_closed()));
    let told = house.store.items_of(debtor_id(0)).await.expect("items");
    assert_eq!(told.len(), 1);
    let stopped = house.center.agent_in(agent.id).await;
    assert_eq!(stopped.expect_err("stopped").code(), "stopped");
}
