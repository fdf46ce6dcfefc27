//! A debt before a court or sold is left in peace at once; one that comes back, or is only written off, is
//! collected on.

use crate::held::message;
use crate::messages::{by_hand, house, somebody};
use crate::world::{House, campaign_id, debt_id, debtor_id};
use center::{CenterError, StageAsk};
use domain::entity::{BlockReason, Message, MessageState, Role, Stage, Verdict};
use domain::ports::Clock as _;
use domain::ports::store::MessageStore as _;
use domain::time::HOUR_MS;

async fn moves(house: &House, to: Stage) {
    let ask = StageAsk {
        debt: debt_id(0),
        to,
        reason: "x".into(),
        despite: true,
        role: Role::Manager,
    };
    let moved = house.center.move_stage(somebody(), ask).await;
    assert_eq!(moved.expect("moved").stage, to);
}

async fn in_hopper(house: &House) -> bool {
    let hopper = house.center.hopper(campaign_id()).await.expect("hopper");
    hopper.items.iter().any(|i| i.debtor_id == debtor_id(0))
}

/// A message to the debtor that is due in an hour.
async fn waits(house: &House, own: u128) -> Message {
    let due = house.clock.now().plus_ms(HOUR_MS);
    let row = message(own, 0, MessageState::Queued, due);
    let planned = house.store.plan_messages(std::slice::from_ref(&row), &[]);
    assert_eq!(planned.await.expect("works"), 1);
    row
}

async fn state(house: &House, row: &Message) -> (MessageState, String) {
    let row = house.store.get_message(row.id).await.expect("works");
    (row.state, row.reason)
}

#[tokio::test(start_paused = true)]
async fn a_debt_before_a_court_or_sold_is_left_in_peace_at_once_row_17() {
    for stage in [Stage::Judicial, Stage::Sold] {
        let (house, phones) = house(1).await;
        house.start().await;
        house.secs(5).await;
        assert!(in_hopper(&house).await, "{stage}: he waits for his call");
        let row = waits(&house, 701).await;
        moves(&house, stage).await;
        house.secs(1).await;
        let held = (MessageState::Cancelled, "held".to_owned());
        assert_eq!(state(&house, &row).await, held, "{stage}");
        assert!(!in_hopper(&house).await, "{stage}");
        let new = house
            .center
            .queue_message(somebody(), by_hand(0, "Buen día"));
        match new.await {
            Err(CenterError::Blocked { code, .. }) => assert_eq!(code, "blocked_hold", "{stage}"),
            other => panic!("{stage}: {other:?}"),
        }
        house.secs(300).await;
        assert!(
            !in_hopper(&house).await && phones.got().is_empty(),
            "{stage}"
        );
        // It came back: he may be written to and called again.
        moves(&house, Stage::Prejudicial).await;
        let new = house
            .center
            .queue_message(somebody(), by_hand(0, "Buen día"));
        new.await.expect("nothing holds him");
        let why = house.center.why_not(debtor_id(0), Some(campaign_id()));
        let verdicts = why.await.expect("explained").verdicts;
        let held = |v: &Verdict| v.blocked == Some(BlockReason::Hold);
        assert!(!verdicts.iter().any(held), "{stage}: {verdicts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_debt_that_is_written_off_is_still_collected_on_row_17() {
    let (house, phones) = house(1).await;
    house.start().await;
    house.secs(5).await;
    let row = waits(&house, 703).await;
    moves(&house, Stage::WrittenOff).await;
    house.secs(1).await;
    assert_eq!(state(&house, &row).await.0, MessageState::Queued);
    assert!(in_hopper(&house).await);
    house.secs(2 * 3_600).await;
    assert_eq!(phones.got().len(), 1);
}
