//! One-way audio: said in time on board and desk, taken back when it is heard again, ended at 60 s.

use crate::world::{House, Plan};
use domain::entity::CallResult;
use domain::ids::AttemptId;
use domain::ports::{Clock as _, TrunkReport};
use std::time::Duration;

async fn silent(house: &House, attempt: AttemptId, silent_ms: i64) {
    let report = TrunkReport::OneWayAudio {
        attempt,
        silent_ms,
        at: house.clock.now(),
    };
    house.reports.send(report).await.expect("is read");
}

async fn alarmed(house: &House) -> bool {
    let board = house.center.board().await;
    board.data.alarms.iter().any(|a| a.kind == "one_way_audio")
}

#[tokio::test(start_paused = true)]
async fn silence_is_an_alarm_until_it_is_over_and_ends_the_call_at_sixty_seconds() {
    let house = House::build(Plan {
        seed: crate::transfers::long_talk(),
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    assert!(!alarmed(&house).await);
    // The telephone side tells it each second from the third on.
    for second in 3..6 {
        silent(&house, attempt, second * 1_000).await;
        house.secs(1).await;
    }
    assert!(alarmed(&house).await);
    assert_eq!(agent.me()["attempt"]["audio"], "one_way");
    house.secs(3).await;
    assert!(!alarmed(&house).await, "heard again: it is told no more");
    assert_eq!(agent.me()["attempt"]["audio"], "ok");

    for second in 3..=60 {
        silent(&house, attempt, second * 1_000).await;
        if second < 60 {
            house.secs(1).await;
            assert_eq!(agent.state(), "talking", "after {second} s");
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(agent.state(), "wrapup");
    house.secs(1).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.result, Some(CallResult::OneWayAudio));
    assert!(!alarmed(&house).await, "nothing is left of it");
}
