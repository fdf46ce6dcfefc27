//! A debt before a court or sold is left in peace at once; one that comes back, or is only written off, is
//! collected on.

use crate::held::message;
use crate::messages::{by_hand, house, somebody};
use crate::world::{House, campaign_id, debt_id, debtor_id};
use center::{CenterError, StageAsk};
use domain::entity::{
    BlockReason, DebtStage, HoldKind, Message, MessageState, Role, Stage, Verdict,
};
use domain::ports::Clock as _;
use domain::ports::store::{
    CatalogStore as _, ContactStore as _, MessageStore as _, StageStore as _,
};
use domain::time::HOUR_MS;
use std::time::Duration;

fn ask(to: Stage) -> StageAsk {
    StageAsk {
        debt: debt_id(0),
        to,
        reason: "x".into(),
        despite: true,
        role: Role::Manager,
    }
}

async fn moves(house: &House, to: Stage) {
    let moved = house.center.move_stage(somebody(), ask(to)).await;
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

/// How often something was told.
async fn told(house: &House, kind: &str) -> usize {
    let events = house.store.events_after(0, 10_000).await.expect("events");
    events.iter().filter(|e| e.event.kind == kind).count()
}

#[tokio::test(start_paused = true)]
async fn a_debt_that_entered_its_stage_before_stages_held_is_held_by_the_next_round() {
    let (house, phones) = house(1).await;
    let debt = house.store.get_debt(debt_id(0)).await.expect("debt");
    let before = DebtStage {
        debt_id: debt.id,
        client_id: debt.client_id,
        debtor_id: debt.debtor_id,
        stage: Stage::Judicial,
        entered_at: house.clock.now().plus_ms(-HOUR_MS),
        deadline: None,
        owner_id: None,
        late_at: None,
        statute_told: None,
        moved_by: "user:a".into(),
        reason: "demanda".into(),
    };
    house.store.begin_stages(&[before]).await.expect("begun");
    house.start().await;
    house.secs(5).await;
    assert!(in_hopper(&house).await, "nothing holds him yet");
    let row = waits(&house, 704).await;
    for _ in 0..2 {
        house.center.stages_round().await.expect("works");
    }
    house.secs(1).await;
    let facts = house.store.contact_facts(debtor_id(0), house.clock.now());
    let holds = facts.await.expect("facts").holds;
    let kinds: Vec<HoldKind> = holds.iter().map(|h| h.kind).collect();
    assert_eq!(kinds, [HoldKind::Judicial]);
    assert_eq!(told(&house, "hold.placed").await, 1, "once");
    assert_eq!(state(&house, &row).await.0, MessageState::Cancelled);
    house.secs(2 * 3_600).await;
    assert!(!in_hopper(&house).await && phones.got().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_debt_stays_as_it_is_where_it_stands() {
    let (house, _) = house(1).await;
    moves(&house, Stage::Judicial).await;
    let before = house.store.stage_of(debt_id(0)).await.expect("works");
    house.secs(60).await;
    moves(&house, Stage::Judicial).await;
    let stands = house.store.stage_of(debt_id(0)).await.expect("works");
    assert_eq!(stands, before, "its deadline too");
    assert_eq!(told(&house, "escalation.moved").await, 1);
}

/// The database goes away somewhere within a move: what is stored was done.
#[tokio::test(start_paused = true)]
async fn a_move_that_is_stored_is_done_whatever_fails_behind_it() {
    let (house, _) = house(1).await;
    let mut stored = 0;
    for n in 0..60 {
        let to = if n % 2 == 0 {
            Stage::Judicial
        } else {
            Stage::Sold
        };
        let before = house.store.stage_of(debt_id(0)).await.expect("works");
        if before.is_some_and(|s| s.stage == to) {
            continue;
        }
        house.store.set_latency(n, 200);
        let goes = async {
            tokio::time::sleep(Duration::from_millis(20 * n)).await;
            house.store.set_down(true);
        };
        let move_it = house.center.move_stage(somebody(), ask(to));
        let (moved, ()) = tokio::join!(move_it, goes);
        house.store.set_down(false);
        house.store.set_latency(n, 0);
        let stands = house.store.stage_of(debt_id(0)).await.expect("works");
        let there = stands.is_some_and(|s| s.stage == to);
        assert_eq!(moved.is_ok(), there, "{n}: {moved:?}");
        stored += usize::from(there);
    }
    assert!(stored > 1, "{stored}");
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
