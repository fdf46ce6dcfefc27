//! One-way audio: said in time on board and desk, taken back when it is heard again, ended at 60 s.
//! What a call's sound is taken for: kept with its reasons, and nobody acts on it.

use crate::world::{House, Plan};
use domain::entity::CallResult;
use domain::ids::AttemptId;
use domain::ports::store::TrailStore as _;
use domain::ports::{Clock as _, SoundVerdict, TrunkReport};
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

#[tokio::test(start_paused = true)]
async fn a_verdict_on_the_sound_is_kept_with_its_reasons_and_the_call_goes_on() {
    let house = House::build(Plan {
        seed: crate::transfers::long_talk(),
        ..Plan::default()
    })
    .await;
    let agent = house.agent(1).await;
    house.start().await;
    let attempt = house.talking(&agent).await;
    let verdict = SoundVerdict {
        class: "machine",
        confidence: 0.83,
        reason: "greeting_shape",
        decided_ms: 2_940,
        onset_ms: Some(310),
        speech_ms: Some(1_890),
        pauses: Some(1),
        beep_ms: None,
    };
    for beep_ms in [None, Some(4_200)] {
        let report = TrunkReport::Classified {
            attempt,
            at: house.clock.now(),
            verdict: SoundVerdict {
                beep_ms,
                ..verdict.clone()
            },
        };
        house.reports.send(report).await.expect("is read");
        house.secs(1).await;
    }
    let kept = house.store.get_heard(attempt).await.expect("answers");
    let kept = kept.expect("is kept");
    assert_eq!((kept.class.as_str(), kept.confidence_pm), ("machine", 830));
    assert_eq!(kept.reason, "greeting_shape");
    assert_eq!((kept.decided_ms, kept.beep_ms), (2_940, Some(4_200)));
    assert_eq!(agent.state(), "talking");
}
