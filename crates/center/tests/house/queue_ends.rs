//! Callers who leave the queue by themselves: who wants no more calls, who hung up before he was known.

use crate::queue::{OURS, debtor_calls, finishes, house, phone, row, told};
use crate::world::{debtor_id, id};
use domain::entity::{DialMode, HoldKind, InboundOutcome, InboundParams};
use domain::ids::TrunkId;
use sim::trunk::CallIn;

#[tokio::test(start_paused = true)]
async fn who_waits_and_wants_no_more_calls_hears_so_and_is_held() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    let second = debtor_calls(&house, 1).await;
    house.trunk.press(second, '9').await;
    house.secs(10).await;
    let heard = told(&house, second);
    assert_eq!(heard.last().map(String::as_str), Some("opted_out"));
    let gone = row(&house, second).await;
    assert_eq!(gone.outcome, InboundOutcome::OptedOut);
    assert!(gone.ended_at.is_some());
    let holds = house.holds(debtor_id(1)).await;
    assert!(holds.iter().any(|h| h.kind == HoldKind::ChannelOptout));
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.waiting, board.call_backs), (0, 0));
    assert_eq!((board.opted_out, board.gave_up, board.announced), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_while_he_is_looked_up_costs_no_agent() {
    let house = house(DialMode::Manual, InboundParams::default()).await;
    let agent = house.agent(1).await;
    let first = debtor_calls(&house, 0).await;
    assert_eq!(house.talking(&agent).await, first);
    // The second of two calls of one person is taken when the first is over, and nobody is on it then.
    let brief = |patience_ms| CallIn {
        from: Some(phone(1)),
        to: OURS.to_owned(),
        trunk: TrunkId(id(4)),
        patience_ms,
        talk_ms: 1_000,
    };
    house.trunk.call_in(brief(1_200)).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let ghost = house.trunk.call_in(brief(500)).await;
    house.secs(5).await;
    let gone = row(&house, ghost).await;
    assert_eq!(gone.outcome, InboundOutcome::GaveUp);
    assert!(gone.ended_at.is_some());
    assert!(house.attempt(ghost).await.ended_at.is_some());
    let board = house.row().await.inbound.expect("takes callers");
    assert_eq!((board.waiting, board.gave_up), (0, 2));
    finishes(&house, &agent).await;
    house.secs(10).await;
    assert_eq!(agent.state(), "ready");
    let next = debtor_calls(&house, 2).await;
    assert_eq!(house.talking(&agent).await, next);
}
