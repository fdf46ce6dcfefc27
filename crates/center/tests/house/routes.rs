//! Which numbers are called, and over which trunk: a campaign's prefixes, a call that moved, a trunk's
//! own words for a refusal.

use crate::transfers::long_talk;
use crate::world::{House, Plan};
use center::{TransferAsk, TransferTo};
use domain::entity::{Attempt, AttemptState, CallResult, CampaignParams, TransferMode, Trunk};
use domain::ids::{AttemptId, TrunkId};
use domain::pii::Pii;
use domain::ports::store::CatalogStore as _;
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
    let (house, _agent) = House::ringing().await;
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

/// The carrier refuses it with codes that the trunk reads in a way of its own.
async fn end_as(house: &House, attempt: AttemptId, result: CallResult) {
    let ended = TrunkReport::Ended {
        attempt,
        at: house.clock.now(),
        sip_code: Some(480),
        q850: Some(19),
        by_us: false,
        ring_timeout: false,
        rtp_in: 0,
        rtp_out: 0,
        rtp_lost: 0,
        result: Some(result),
    };
    house.reports.send(ended).await.expect("told");
    house.secs(1).await;
}

#[tokio::test(start_paused = true)]
async fn calls_of_unknown_fate_are_told_until_their_hour_is_over() {
    let house = House::unanswered(2).await;
    let _agent = house.agent(1).await;
    house.start().await;
    let up = async || {
        let board = house.center.board().await;
        board.data.alarms.iter().any(|a| a.kind == "unknown_fate")
    };
    for (number, told) in [(1, false), (2, true)] {
        house
            .until("it rings", || house.trunk.invites().len() == number)
            .await;
        house.secs(1).await;
        let rows = house.attempts().await;
        let open = rows.iter().find(|row| !row.state.is_closed());
        end_as(&house, open.expect("one rings").id, CallResult::Unknown).await;
        house.secs(2).await;
        assert_eq!(up().await, told, "after {number}");
    }
    house.secs(3_700).await;
    assert!(!up().await, "its hour is over");
}

#[tokio::test(start_paused = true)]
async fn a_trunks_own_word_for_a_refusal_goes_before_the_table() {
    let (house, row) = ringing().await;
    end_as(&house, row.id, CallResult::InvalidNumber).await;
    let row = house.attempt(row.id).await;
    assert_eq!(row.state, AttemptState::Ended);
    assert_eq!(row.result, Some(CallResult::InvalidNumber));
    assert_eq!(
        (row.sip_code, row.q850),
        (Some(480), Some(19)),
        "the raw pair"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_moved_is_booked_and_goes_on_over_the_trunk_that_carries_it() {
    let house = House::build(Plan {
        debtors: 1,
        seed: long_talk(),
        ..Plan::default()
    })
    .await;
    // Nothing is dialed over it here: what it has, it has of the call that moved.
    let second = Trunk {
        id: TrunkId(Uuid::from_u128(77)),
        name: "dos".into(),
        channels: 30,
        cps: 10,
        enabled: false,
        created_at: house.clock.now(),
    };
    house.store.put_trunk(&second, &[]).await.expect("trunk");
    house.center.trunk_changed(second.id).await;
    let agent = house.agent(1).await;
    // What the carrier tells is lost until the call has moved.
    house.trunk.set_dead(true);
    house.start().await;
    house
        .until("it is dialed", || house.trunk.live_calls() == 1)
        .await;
    let attempt = house.attempts().await.remove(0).id;
    let sent = house.clock.now();
    let after = |ms| sent.plus_ms(ms);
    for report in [
        TrunkReport::Sent { attempt, at: sent },
        TrunkReport::Moved {
            attempt,
            trunk: second.id,
            at: after(100),
        },
        TrunkReport::Ringing {
            attempt,
            at: after(400),
            early_media: false,
        },
    ] {
        house.reports.send(report).await.expect("told");
    }
    house.trunk.set_dead(false);
    house.talking(&agent).await;
    let board = house.center.board().await;
    let delay = |id| {
        let mut rows = board.data.trunks.iter();
        rows.find(|row| row.id == id).expect("a row").pdd_ms
    };
    let first = house.attempts().await;
    assert_eq!(first[0].trunk_id, second.id);
    assert_eq!(delay(second.id), 400, "it rang there");
    let ordered_on = TrunkId(Uuid::from_u128(4));
    assert_eq!(delay(ordered_on), 0, "and not where it was refused");
    let ask = TransferAsk {
        to: TransferTo::Number(Pii("55 5555 0001".to_owned())),
        mode: TransferMode::Attended,
    };
    let asked = house.center.transfer(agent.id, attempt, ask).await;
    asked.expect("calls it");
    house.secs(1).await;
    assert_eq!(house.trunk.called_in(), [second.id]);
}
