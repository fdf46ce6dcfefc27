//! Two nodes over one database: what one of them abandons, finds to be a machine or learns, the other knows within
//! seconds; what a dead one promised the other does.

use crate::queue::{debtor_calls, finishes, house, phone, told};
use crate::world::{ALL_ANSWER, House, NOBODY, Plan, ask, campaign_id, debtor_id, id, point_id};
use center::{Actor, CenterConfig};
use domain::entity::dnc::keyed_hash;
use domain::entity::{
    AmdMode, CallResult, CampaignParams, DialMode, DncList, InboundParams, SuppressionKind,
};
use domain::ids::{DncListId, TrunkId};
use domain::ports::store::{DetectorStore as _, HeardPrint, PRINT_NUMBERS};
use domain::ports::{Clock as _, TrunkReport};
use domain::rules::detector::Truth;
use domain::time::MINUTE_MS;
use std::sync::Arc;
use std::time::Duration;

/// Everybody answers and one agent works: two of three answers find nobody.
fn plan() -> Plan {
    Plan {
        debtors: 24,
        params: CampaignParams {
            mode: DialMode::Power,
            lines_per_agent: 3.0,
            ..CampaignParams::default()
        },
        ..Plan::default()
    }
}

/// Numerator and denominator of the campaign's local day as a node counts them.
pub(crate) async fn counted(house: &House) -> (f64, f64) {
    let row = house
        .center
        .campaign_row(campaign_id())
        .await
        .expect("known");
    let day = row.abandonment_windows.iter().find(|w| w.window == "day");
    day.map_or((0.0, 0.0), |w| (w.numerator, w.denominator))
}

#[tokio::test(start_paused = true)]
async fn what_one_node_abandons_the_other_counts() {
    let plan = plan();
    let first = House::build(self::plan()).await;
    first.start().await;
    let second = House::open_with(
        Arc::clone(&first.store),
        &plan,
        first.clock.now(),
        8,
        CenterConfig::new("node-2"),
    )
    .await;
    assert!(counted(&second).await.0 < 0.5, "nothing happened yet");
    let _agent = first.agent(1).await;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if counted(&first).await.0 >= 2.0 {
            break;
        }
    }
    let here = counted(&first).await;
    assert!(here.0 >= 2.0, "{here:?}");
    // Messages end, attempts are closed and the log is read.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let (here, there) = (counted(&first).await, counted(&second).await);
    assert!(there.0 >= 2.0, "{here:?} {there:?}");
    assert!(there.1 <= here.1 + 0.5, "counted twice: {here:?} {there:?}");
    first.center.shutdown().await;
    second.center.shutdown().await;
}

/// The second node over the same database.
async fn beside(first: &House, plan: &Plan) -> House {
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    House::open_with(store, plan, now, 8, CenterConfig::new("node-2")).await
}

#[tokio::test(start_paused = true)]
async fn a_list_that_one_node_loads_ends_what_rings_on_the_other() {
    let plan = || Plan {
        debtors: 1,
        mix: NOBODY,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    let second = beside(&first, &plan()).await;
    let _agent = second.agent(1).await;
    second.start().await;
    let rings = || second.trunk.live_calls() == 1;
    second.until("it rings there", rings).await;
    second.secs(2).await;
    let now = first.clock.now();
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
    let number = phone(0);
    let hash = keyed_hash(&list.hash_key, list.kind, &number);
    let here = first.center.load_list(list, vec![hash], vec![]).await;
    let here = here.expect("in force");
    assert_eq!((here.debtors, here.withdrawn), (1, 0), "he rings elsewhere");
    let listed = second.clock.now();
    let ended = || second.trunk.live_calls() == 0;
    second.until("the ringing ends", ended).await;
    let took = second.clock.now().since_ms(listed);
    assert!(took < 1_000, "{took} ms, not at the ring's end");
    second.secs(3_600).await;
    let rows = second.attempts().await;
    assert_eq!(rows.len(), 1, "nobody calls who is listed");
    assert_eq!(rows[0].result, Some(CallResult::Cancelled));
    first.center.shutdown().await;
    second.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn machines_that_agents_of_one_node_find_are_no_answers_on_the_other() {
    let plan = || Plan {
        params: CampaignParams {
            mode: DialMode::Progressive,
            ..CampaignParams::default()
        },
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    first.start().await;
    let second = beside(&first, &plan()).await;
    let agent = first.agent(1).await;
    for code in ["NC.BZ", "CI.TN", "NC.BZ"] {
        let call = first.talking(&agent).await;
        first.hang_up(&agent, call).await;
        let me = Actor::Agent(agent.id);
        let done = first.center.dispose(me, call, ask(code)).await;
        done.expect("disposed");
        first.secs(1).await;
    }
    first.secs(15).await;
    let (here, there) = (counted(&first).await, counted(&second).await);
    // Whom he talks with now may be counted here already.
    assert!(there.1 < 1.5 && there.1 <= here.1, "{here:?} {there:?}");
    assert!(there.1 > 0.5, "the person is one: {here:?} {there:?}");
    first.center.shutdown().await;
    second.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn callers_of_one_node_are_no_answers_on_the_other() {
    let first = house(DialMode::Manual, InboundParams::default()).await;
    let second = beside(&first, &Plan::default()).await;
    let agent = first.agent(1).await;
    let caller = debtor_calls(&first, 0).await;
    assert_eq!(first.talking(&agent).await, caller);
    finishes(&first, &agent).await;
    first.secs(15).await;
    let (here, there) = (counted(&first).await, counted(&second).await);
    assert!(here.1 < 0.5 && there.1 < 0.5, "{here:?} {there:?}");
    let called = first
        .center
        .dial_manual(agent.id, debtor_id(1), point_id(1));
    called.await.expect("is called");
    first.talking(&agent).await;
    finishes(&first, &agent).await;
    first.secs(15).await;
    let there = counted(&second).await;
    assert!((there.1 - 1.0).abs() < 0.5, "whom we called is: {there:?}");
    first.center.shutdown().await;
    second.center.shutdown().await;
}

/// What both nodes count of a machine whose code is given on the one that does not have the call: while it is up,
/// or at its end, before that is read there.
async fn coded_elsewhere(up: bool) -> ((f64, f64), (f64, f64)) {
    let plan = || Plan {
        params: CampaignParams {
            mode: DialMode::Progressive,
            wrapup_max_s: 600,
            ..CampaignParams::default()
        },
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    first.start().await;
    let second = beside(&first, &plan()).await;
    let agent = first.agent(1).await;
    let call = first.talking(&agent).await;
    first.secs(3).await;
    assert!((counted(&first).await.1 - 1.0).abs() < 0.5, "joined");
    if !up {
        first.hang_up(&agent, call).await;
        while first.attempt(call).await.ended_at.is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let me = Actor::Agent(agent.id);
    let done = second.center.dispose(me, call, ask("NC.BZ")).await;
    done.expect("disposed");
    if up {
        first.secs(3).await;
        first.hang_up(&agent, call).await;
    }
    first.secs(15).await;
    let both = (counted(&first).await, counted(&second).await);
    first.center.shutdown().await;
    second.center.shutdown().await;
    both
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_code_is_given_on_another_node_is_no_answer_on_either() {
    for up in [true, false] {
        let (here, there) = coded_elsewhere(up).await;
        assert!(here.1 < 0.5, "up {up}: {here:?} {there:?}");
        assert!(there.1 < 0.5, "up {up}: {here:?} {there:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_told_at_a_start_is_counted_and_taken_off_once() {
    let plan = |mix| Plan {
        params: CampaignParams {
            mode: DialMode::Progressive,
            wrapup_max_s: 600,
            ..CampaignParams::default()
        },
        mix,
        ..Plan::default()
    };
    let first = House::build(plan(ALL_ANSWER)).await;
    first.start().await;
    let agent = first.agent(1).await;
    let me = Actor::Agent(agent.id);
    // Of three answers one was a machine and one is still up when the second node starts.
    for code in ["NC.BZ", "CI.TN"] {
        let call = first.talking(&agent).await;
        first.hang_up(&agent, call).await;
        let done = first.center.dispose(me, call, ask(code)).await;
        done.expect("disposed");
        first.secs(1).await;
    }
    let up = first.talking(&agent).await;
    first.secs(3).await;
    let second = beside(&first, &plan(ALL_ANSWER)).await;
    assert!((counted(&second).await.1 - 2.0).abs() < 0.5, "as stored");
    first.hang_up(&agent, up).await;
    first.secs(15).await;
    let there = counted(&second).await;
    assert!((there.1 - 2.0).abs() < 0.5, "once: {there:?}");
    // The first node dies in the wrap-up and starts again: its agent's code is of a call it does not have.
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    first.trunk.crash();
    drop(first);
    let again = House::open(store, &plan(NOBODY), now.plus_ms(3_000), 99).await;
    assert!((counted(&again).await.1 - 2.0).abs() < 0.5, "as stored");
    let done = again.center.dispose(me, up, ask("NC.BZ")).await;
    done.expect("disposed");
    again.secs(15).await;
    let (here, there) = (counted(&again).await, counted(&second).await);
    assert!((here.1 - 1.0).abs() < 0.5, "the person: {here:?}");
    assert!((there.1 - 1.0).abs() < 0.5, "the person: {there:?}");
    again.center.shutdown().await;
    second.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_one_node_learns_decides_on_the_other() {
    let plan = || Plan {
        params: CampaignParams {
            amd: AmdMode::Shadow,
            mode: DialMode::Progressive,
            ..CampaignParams::default()
        },
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    let trunk = TrunkId(id(4));
    let print = HeardPrint {
        trunk_id: trunk,
        print: vec![5; 200],
        numbers: PRINT_NUMBERS - 1,
        persons: 0,
        last_at: first.clock.now(),
    };
    first.store.put_print(&print).await.expect("works");
    first.start().await;
    let second = beside(&first, &plan()).await;
    let agent = first.agent(1).await;
    let attempt = first.talking(&agent).await;
    let at = first.clock.now();
    let print = print.print;
    let report = TrunkReport::Printed {
        attempt,
        at,
        print: print.clone(),
    };
    first.reports.send(report).await.expect("is read");
    first.secs(1).await;
    for house in [&first, &second] {
        assert!(house.trunk.prints(trunk).is_empty(), "one number too few");
    }
    let me = Actor::Agent(agent.id);
    let told = first.center.tell_truth(me, attempt, Truth::Machine).await;
    told.expect("is kept");
    first.secs(5).await;
    for house in [&first, &second] {
        assert_eq!(house.trunk.prints(trunk), std::slice::from_ref(&print));
    }
    first.center.shutdown().await;
    second.center.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_a_dead_node_kept_is_called_by_the_other() {
    let plan = || Plan {
        debtors: 3,
        params: CampaignParams {
            mode: DialMode::Progressive,
            inbound: InboundParams {
                blended: true,
                announce_every_s: 10,
                ..InboundParams::default()
            },
            ..CampaignParams::default()
        },
        mix: ALL_ANSWER,
        ..Plan::default()
    };
    let first = House::build(plan()).await;
    first.start().await;
    let agent = first.agent(1).await;
    let talks = first.talking(&agent).await;
    let with = first.attempt(talks).await.debtor_id;
    let n = u128::from(with == debtor_id(0));
    let caller = debtor_calls(&first, n).await;
    let offered = || told(&first, caller).contains(&"queue_offer".to_owned());
    first.until("the offer", offered).await;
    first.trunk.press(caller, '1').await;
    first.secs(10).await;
    let (store, now) = (Arc::clone(&first.store), first.clock.now());
    let item = first.item(debtor_id(n)).await;
    assert!(item.next_at.since_ms(now) > 20 * MINUTE_MS, "{item:?}");
    first.trunk.crash();
    drop(first);

    let config = CenterConfig::new("node-2");
    let second = House::open_with(store, &plan(), now, 8, config).await;
    let agent = second.agent(1).await;
    let called = || second.trunk.invites().iter().any(|i| i.number == phone(n));
    // A lease of 15 s and a look each minute.
    for _ in 0..180 {
        if called() {
            break;
        }
        if agent.state() == "talking" {
            finishes(&second, &agent).await;
        }
        second.secs(1).await;
    }
    assert!(called(), "his place was promised to him");
    second.center.shutdown().await;
}
