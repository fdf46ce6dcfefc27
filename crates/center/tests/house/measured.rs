//! Persons that a detector was measured to take leave less for the pacing to spend.

use crate::amd::params;
use crate::world::{House, NOBODY, Plan, campaign_id};
use center::Actor;
use domain::entity::{AmdMode, DialMode};
use domain::ids::{AttemptId, UserId};
use domain::ports::Clock as _;
use domain::ports::store::{CatalogStore as _, HeardCall, TrailStore as _};
use domain::rules::detector::{Acted, PERSONS_LEAST, Truth};
use uuid::Uuid;

/// Share of the cap of 3 % that is aimed at.
const OWN_AIM_PCT: f64 = 0.93 * 3.0;

async fn says(house: &House, attempt: AttemptId, truth: Truth) {
    let supervisor = Actor::User(UserId(Uuid::from_u128(1)));
    let done = house.center.tell_truth(supervisor, attempt, truth).await;
    assert!(!done.expect("is kept"), "nobody was hung up on");
}

/// A call was judged while the campaign looked on, and somebody says that it was a person.
async fn judged(house: &House, attempt: AttemptId, class: &str) {
    let heard = HeardCall {
        attempt_id: attempt,
        at: house.clock.now(),
        class: class.to_owned(),
        confidence_pm: 930,
        reason: "greeting_shape".to_owned(),
        decided_ms: 900,
        onset_ms: None,
        speech_ms: None,
        pauses: None,
        beep_ms: None,
        acted: Acted::Shadow,
        truth: None,
    };
    house.store.put_heard(&heard, &[]).await.expect("is kept");
    says(house, attempt, Truth::Person).await;
}

async fn aims_at(house: &House, pct: f64) {
    let aim = house.center.aims_at(campaign_id()).await.expect("answers");
    let aim = aim.expect("it forecasts");
    assert!((aim - pct).abs() < 1e-9, "{aim}, not {pct}");
}

#[tokio::test(start_paused = true)]
async fn persons_whom_it_took_while_it_looked_on_are_planned_with() {
    let house = House::build(Plan {
        params: params(AmdMode::Shadow),
        mix: NOBODY,
        debtors: 90,
        ..Plan::default()
    })
    .await;
    for n in 1..10 {
        house.agent(n).await;
    }
    house.start().await;
    let enough = usize::try_from(PERSONS_LEAST).expect("a few");
    let calls = || house.trunk.invites().len();
    house.until("enough calls", || calls() >= enough).await;
    let calls: Vec<AttemptId> = house.trunk.invites().iter().map(|i| i.attempt).collect();
    for (n, attempt) in calls.iter().take(enough).enumerate() {
        judged(&house, *attempt, if n == 0 { "machine" } else { "human" }).await;
    }
    let row = house.store.get_campaign(campaign_id()).await;
    let mut row = row.expect("is there");
    (row.params.mode, row.params.amd) = (DialMode::Predictive, AmdMode::On);
    row.version += 1;
    house.store.put_campaign(&row, &[]).await.expect("is kept");
    let changed = house.center.campaign_changed(campaign_id()).await;
    changed.expect("goes on");
    // Two percent are more than the half of its aim that detection may take at most.
    aims_at(&house, OWN_AIM_PCT / 2.0).await;
    // It was a machine after all: too few are known to say more than what was planned.
    says(&house, calls[0], Truth::Machine).await;
    house.secs(35).await;
    aims_at(&house, OWN_AIM_PCT - row.params.amd_fp_limit_pct).await;
}
