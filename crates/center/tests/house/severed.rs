//! The telephone side breaks: a fault in a call is an alarm, its end closes the gate and leaves no call behind.

use crate::world::{ALL_ANSWER, House, Plan, furnish};
use center::CenterConfig;
use domain::law::RuleBook;
use domain::ports::TrunkReport;
use domain::time::UtcMs;
use sim::store::MemoryStore;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A house whose telephone side ends, as by a fault, once the sender's value is `true`.
async fn severable(plan: Plan) -> (House, watch::Sender<bool>) {
    let start: UtcMs = plan.at.parse().expect("an instant");
    let store = Arc::new(MemoryStore::new());
    furnish(&store, &plan, start).await;
    let (reports, mut told) = mpsc::channel(1_024);
    let (through, receiver) = mpsc::channel(1_024);
    let (sever, mut severed) = watch::channel(false);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                biased;
                _ = severed.changed() => return,
                Some(report) = told.recv() => {
                    through.send(report).await.expect("is read");
                }
            }
        }
    });
    let at = (start, plan.seed);
    let config = CenterConfig::new("node-1");
    let law = Arc::new(RuleBook::embedded().expect("the shipped packs are read"));
    let house = House::on_line(store, &plan, at, config, law, (reports, receiver)).await;
    (house, sever)
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_a_call_is_an_alarm_until_none_has_followed_for_a_while() {
    let house = House::build(Plan::default()).await;
    let _agent = house.agent(1).await;
    let fault = TrunkReport::Fault {
        attempt: None,
        at: UtcMs(0),
    };
    house.reports.send(fault).await.expect("heard");
    house.secs(1).await;
    let board = house.center.board().await;
    let [alarm] = board.data.alarms.as_slice() else {
        panic!("one alarm: {:?}", board.data.alarms);
    };
    assert_eq!(alarm.kind, "voice_fault");
    assert!(house.center.readiness().dialing, "the room goes on");
    house.secs(11 * 60).await;
    assert!(house.center.board().await.data.alarms.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_telephone_side_stops_dialing_and_leaves_no_call_behind() {
    let (house, sever) = severable(Plan {
        mix: ALL_ANSWER,
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let call = house.talking(&agent).await;
    sever.send(true).expect("is listened to");
    house.secs(5).await;
    let board = house.center.board().await;
    let kinds: Vec<_> = board.data.alarms.iter().map(|a| a.kind.as_str()).collect();
    assert!(kinds.contains(&"voice"), "{kinds:?}");
    let ready = house.center.readiness();
    assert!(!ready.dialing && ready.reasons.contains(&"voice".to_owned()));
    let row = house.attempts().await.into_iter().find(|a| a.id == call);
    let row = row.expect("was dialed");
    assert!(row.state.is_closed(), "{row:?}");
    assert!(row.result.is_some(), "{row:?}");
    let before = house.trunk.invites().len();
    house.secs(600).await;
    assert_eq!(house.trunk.invites().len(), before, "nothing is dialed");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_drains_expects_that_end() {
    let (house, sever) = severable(Plan::default()).await;
    let _agent = house.agent(1).await;
    house.center.take_no_calls().await;
    sever.send(true).expect("is listened to");
    house.secs(5).await;
    let board = house.center.board().await;
    assert!(
        board.data.alarms.iter().all(|a| a.kind != "voice"),
        "{:?}",
        board.data.alarms
    );
}
