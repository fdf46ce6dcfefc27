//! A tone before any answer: believed where the campaign lets sounds decide, only kept where it does not.

use crate::world::{House, NOBODY, Plan};
use domain::entity::{AmdMode, CallResult, CampaignParams, DialMode};
use domain::ids::AttemptId;
use domain::ports::store::CatalogStore as _;
use domain::ports::{Clock as _, SoundVerdict, TrunkReport};

/// A house with one call that rings, whose campaign judges sounds so.
async fn ringing(amd: AmdMode) -> (House, AttemptId) {
    let house = House::build(Plan {
        debtors: 1,
        mix: NOBODY,
        params: CampaignParams {
            mode: DialMode::Power,
            amd,
            ..CampaignParams::default()
        },
        ..Plan::default()
    })
    .await;
    house.agent(1).await;
    house.start().await;
    house
        .until("it rings", || house.trunk.live_calls() == 1)
        .await;
    house.secs(1).await;
    let attempt = house.trunk.invites()[0].attempt;
    (house, attempt)
}

async fn heard(house: &House, attempt: AttemptId, class: &'static str) {
    let report = TrunkReport::Early {
        attempt,
        at: house.clock.now(),
        verdict: SoundVerdict {
            class,
            confidence: 0.99,
            reason: "tone",
            decided_ms: 1_400,
            onset_ms: None,
            speech_ms: None,
            pauses: None,
            beep_ms: None,
        },
    };
    house.reports.send(report).await.expect("is read");
    house.secs(1).await;
}

async fn classes(house: &House) -> Vec<String> {
    let events = house.store.events_after(0, 1_000).await.expect("answers");
    events
        .iter()
        .filter(|e| e.event.kind == "amd.classified")
        .map(|e| e.event.data["class"].as_str().unwrap_or("").to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_tone_ends_the_call_with_what_it_says() {
    let (house, attempt) = ringing(AmdMode::On).await;
    heard(&house, attempt, "ring_back").await;
    assert_eq!(house.trunk.live_calls(), 1, "it rings on");
    heard(&house, attempt, "busy").await;
    assert_eq!(house.trunk.live_calls(), 0);
    let row = house.attempt(attempt).await;
    assert_eq!(row.result, Some(CallResult::Busy));
    assert_eq!(classes(&house).await, ["ring_back", "busy"]);
}

#[tokio::test(start_paused = true)]
async fn in_the_shadow_nobody_acts_on_it() {
    let (house, attempt) = ringing(AmdMode::Shadow).await;
    heard(&house, attempt, "sit").await;
    assert_eq!(house.trunk.live_calls(), 1, "it rings on");
    assert_eq!(classes(&house).await, ["sit"]);
    house.secs(40).await;
    let row = house.attempt(attempt).await;
    assert_eq!(row.result, Some(CallResult::NoAnswer));
}
