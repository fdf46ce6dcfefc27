//! Which numbers are called, and over which trunk: a campaign's prefixes, a call that moved, a trunk's
//! own words for a refusal.

use crate::world::{House, NOBODY, Plan};
use domain::entity::{Attempt, AttemptState, CallResult, CampaignParams};
use domain::ids::TrunkId;
use domain::ports::{Clock as _, TrunkReport};
use domain::time::HOUR_MS;
use uuid::Uuid;

#[tokio::test(start_paused = true)]
async fn a_number_that_the_campaigns_prefixes_leave_out_is_blocked_without_an_invite() {
    let params = CampaignParams {
        allowed_prefixes: vec!["+44".to_owned()],
        ..CampaignParams::default()
    };
    let house = House::build(Plan {
        debtors: 2,
        params,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house.secs(120).await;
    assert!(house.trunk.invites().is_empty(), "nothing left");
    let rows = house.attempts().await;
    assert_eq!(rows.len(), 2, "each once, not again and again");
    for row in rows {
        assert_eq!(row.result, Some(CallResult::BlockedRule));
        assert_eq!((row.invite_at, row.sip_code), (None, None));
        let item = house.item(row.debtor_id).await;
        assert!(item.next_at.since_ms(house.clock.now()) > 20 * HOUR_MS);
    }
}

/// A call that rings and is not answered.
async fn ringing() -> (House, Attempt) {
    let house = House::build(Plan {
        debtors: 1,
        mix: NOBODY,
        ..Plan::default()
    })
    .await;
    let _agent = house.agent(1).await;
    house.start().await;
    house
        .until("it rings", || house.trunk.live_calls() == 1)
        .await;
    house.secs(1).await;
    let row = house.attempts().await.remove(0);
    assert!(!row.state.is_closed());
    (house, row)
}

#[tokio::test(start_paused = true)]
async fn the_row_of_a_call_names_the_trunk_that_carried_it() {
    let (house, row) = ringing().await;
    let (attempt, at) = (row.id, house.clock.now());
    let trunk = TrunkId(Uuid::from_u128(77));
    assert_ne!(row.trunk_id, trunk);
    let moved = TrunkReport::Moved { attempt, trunk, at };
    house.reports.send(moved).await.expect("told");
    house.secs(1).await;
    let row = house.attempt(attempt).await;
    assert_eq!((row.trunk_id, row.state.is_closed()), (trunk, false));
}

#[tokio::test(start_paused = true)]
async fn a_trunks_own_word_for_a_refusal_goes_before_the_table() {
    let (house, row) = ringing().await;
    let ended = TrunkReport::Ended {
        attempt: row.id,
        at: house.clock.now(),
        sip_code: Some(480),
        q850: Some(19),
        by_us: false,
        ring_timeout: false,
        rtp_in: 0,
        rtp_out: 0,
        rtp_lost: 0,
        result: Some(CallResult::InvalidNumber),
    };
    house.reports.send(ended).await.expect("told");
    house.secs(1).await;
    let row = house.attempt(row.id).await;
    assert_eq!(row.state, AttemptState::Ended);
    assert_eq!(row.result, Some(CallResult::InvalidNumber));
    assert_eq!(
        (row.sip_code, row.q850),
        (Some(480), Some(19)),
        "the raw pair"
    );
}
