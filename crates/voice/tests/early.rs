//! What the network plays before any answer: told by its sound, where the order wishes it.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::peer::{Peer, Plan};
use common::{Node, order, trunk};
use domain::entity::RecordMode;
use domain::ids::AttemptId;
use domain::ports::{DialOrder, HangUpCause, TrunkReport};
use media::tones::{SIT, Step, busy, ring_back};

/// A carrier that plays a tone in its 183 and answers after a while, or never.
fn plays(network: &'static [Step], decide_ms: Option<u64>) -> Plan {
    Plan {
        early: true,
        network: Some(network),
        decide_ms,
        ..Plan::answers(700.0)
    }
}

async fn dialed(node: &Node, n: u128, classify: bool) -> AttemptId {
    let wished = DialOrder {
        classify,
        ..order(n, 60_000, RecordMode::None)
    };
    let attempt = wished.attempt_id;
    node.trunk.dial(wished).await.expect("dials");
    attempt
}

async fn early(node: &mut Node, of: AttemptId) -> &'static str {
    node.told("early media", |r| match r {
        TrunkReport::Early {
            attempt, verdict, ..
        } if *attempt == of => Some(verdict.class),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_tone_in_the_place_of_an_answer_is_told_and_the_call_can_be_withdrawn() {
    for (network, class) in [(busy("MX"), "busy"), (SIT, "sit")] {
        let carrier = Peer::start(plays(network, None)).await;
        let mut node = Node::start(vec![trunk(carrier.addr)]).await;
        let attempt = dialed(&node, 1, true).await;
        assert_eq!(early(&mut node, attempt).await, class);
        node.trunk.cancel(attempt).await.expect("rings");
        let end = node.ended(attempt).await;
        assert!(end.by_us && end.code == Some(487), "{class}");
    }
}

#[tokio::test]
async fn ring_back_is_told_and_the_answer_is_judged_anew() {
    let carrier = Peer::start(Plan {
        // A fax machine.
        hz: Some(2_100.0),
        ..plays(ring_back("MX"), None)
    })
    .await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = dialed(&node, 1, true).await;
    // It rings until it was heard: how many rings a busy machine needs for that is its own matter.
    assert_eq!(early(&mut node, attempt).await, "ring_back");
    carrier.answer().await;
    node.answered(attempt).await;
    let class = node
        .told("classified", |r| match r {
            TrunkReport::Classified {
                attempt: of,
                verdict,
                ..
            } if *of == attempt => Some(verdict.class),
            _ => None,
        })
        .await;
    assert_eq!(class, "fax");
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("is up");
    node.ended(attempt).await;
}

#[tokio::test]
async fn an_order_that_does_not_wish_it_hears_nothing_of_it() {
    let carrier = Peer::start(plays(busy("MX"), Some(2_000))).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let attempt = dialed(&node, 1, false).await;
    node.answered(attempt).await;
    node.trunk
        .hang_up(attempt, HangUpCause::Normal)
        .await
        .expect("is up");
    node.ended(attempt).await;
    let rest = node.rest().await;
    let early = |r: &TrunkReport| matches!(r, TrunkReport::Early { .. });
    assert!(!rest.iter().any(early), "{rest:?}");
}
