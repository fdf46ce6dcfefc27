//! SIPp as our carrier: each role by UDP and by TCP, placed by an order and seen in the reports.

use crate::common::{Node, TRUNK, order};
use crate::line::{Dialed, PATIENT_MS, at};
use crate::sipp::{Sipp, by_both};
use domain::entity::RecordMode;
use domain::ids::TrunkId;
use domain::ports::{LegRef, TrunkError, TrunkReport};
use std::time::Duration;
use uuid::Uuid;
use voice::{SipTransport, TrunkConfig};

async fn refuses(name: &str, way: SipTransport, code: u16, cause: u16) {
    let call = Dialed::to(name, way).await;
    let end = call.end().await;
    let told = (end.code, end.q850, end.by_us, end.ring_timeout);
    assert_eq!(told, (Some(code), Some(cause), false, false), "{name}");
}

#[tokio::test]
async fn carriers_that_refuse() {
    by_both(async |way| {
        tokio::join!(
            refuses("uas-busy-486", way, 486, 17),
            refuses("uas-unavailable-480", way, 480, 20),
            refuses("uas-congestion-503", way, 503, 34),
            refuses("uas-invalid-404", way, 404, 1),
            refuses("uas-decline-603", way, 603, 21),
            refuses("uas-unacceptable-488", way, 488, 88),
            refuses("uas-network-502", way, 502, 27),
        );
    })
    .await;
}

/// Early media, then the answer; what we sent comes back as the debtor's sound.
async fn early(name: &str, way: SipTransport) {
    let mut call = Dialed::to(name, way).await;
    let of = call.attempt;
    call.node
        .told("early media", |r| match r {
            TrunkReport::Ringing {
                attempt,
                early_media: true,
                ..
            } if *attempt == of => Some(()),
            _ => None,
        })
        .await;
    call.answered().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    call.hang_up().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true), "{name}");
    assert!(end.rtp_out > 5 && end.rtp_in > 5, "{name}: {end:?}");
}

#[tokio::test]
async fn carriers_with_early_media() {
    by_both(async |way| {
        tokio::join!(early("uas-early-183-200", way), early("uas-prack-183", way));
    })
    .await;
}

/// Answered, and hung up on by us a moment later.
async fn short(name: &str, way: SipTransport) {
    let with_login = |trunk: &mut TrunkConfig| {
        trunk.username = Some("account".into());
        trunk.password = Some("secret".into());
    };
    let mut call = Dialed::on(name, way, PATIENT_MS, with_login).await;
    call.answered().await;
    call.hang_up().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true), "{name}");
}

#[tokio::test]
async fn carriers_that_ask_for_more_before_they_answer() {
    by_both(async |way| {
        tokio::join!(
            short("uas-auth-401", way),
            short("uas-auth-407", way),
            short("uas-interval-422", way),
            short("uas-answer-200", way),
        );
    })
    .await;
}

/// Hung up on by the carrier, with its cause: its two seconds of talk are recorded.
async fn hung_up(way: SipTransport) {
    let mut call = Dialed::to("uas-hangup-200", way).await;
    call.answered().await;
    let of = call.attempt;
    let sealed = call.node.sealed(of).await;
    assert!(sealed.duration_ms >= 1_900, "{}", sealed.duration_ms);
    let end = call.end().await;
    let told = (end.code, end.q850, end.by_us, end.ring_timeout);
    assert_eq!(told, (Some(200), Some(16), false, false));
}

/// A key by INFO is told as one of the debtor's.
async fn pressed(way: SipTransport) {
    let mut call = Dialed::to("uas-keys-200", way).await;
    call.answered().await;
    let key = call.node.told("a key", |r| match r {
        TrunkReport::Dtmf { leg, digit, .. } => Some((*leg, *digit)),
        _ => None,
    });
    // The number is odd.
    assert_eq!(key.await, (LegRef::Debtor(call.attempt), '1'));
    // SIPp is not ready for a BYE that comes in one read with the answer to its INFO.
    tokio::time::sleep(Duration::from_millis(300)).await;
    call.hang_up().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
}

#[tokio::test]
async fn carriers_that_hang_up_and_press_keys() {
    by_both(async |way| {
        tokio::join!(hung_up(way), pressed(way));
    })
    .await;
}

/// Withdrawn by us when it rang too long, or had not even rung.
async fn withdrawn(name: &str, way: SipTransport, code: u16) {
    let call = Dialed::on(name, way, 700, |_| ()).await;
    let end = call.end().await;
    let told = (end.code, end.by_us, end.ring_timeout);
    assert_eq!(told, (Some(code), true, true), "{name}");
}

#[tokio::test]
async fn calls_that_are_withdrawn() {
    by_both(async |way| {
        tokio::join!(
            withdrawn("uas-noanswer-487", way, 487),
            withdrawn("uas-hasty-487", way, 487),
            withdrawn("uas-late-200", way, 200),
        );
    })
    .await;
}

/// A carrier that is full for seven seconds: its call goes on elsewhere, and it gets no other meanwhile.
async fn full(way: SipTransport) {
    let (first, addr) = Sipp::carrier("uas-retry-503", way, &["-m", "1"]).await;
    let (second, other) = Sipp::carrier("uas-answer-200", way, &["-m", "1"]).await;
    let (mut config, mut spare) = (at(addr, way), at(other, way));
    config.policy.failover = vec!["spare".into()];
    spare.id = TrunkId(Uuid::from_u128(2));
    spare.name = "spare".into();
    let elsewhere = spare.id;
    let mut node = Node::start(vec![config, spare]).await;
    let attempt = node.dial(1, PATIENT_MS).await;
    let moved = node.told("the move", |r| match r {
        TrunkReport::Moved {
            attempt: of, trunk, ..
        } if *of == attempt => Some(*trunk),
        _ => None,
    });
    assert_eq!(moved.await, elsewhere);
    first.well().await;
    let again = order(2, PATIENT_MS, RecordMode::None);
    assert_eq!(again.trunk_id, TRUNK);
    assert_eq!(node.trunk.dial(again).await, Err(TrunkError::TrunkDown));
    node.answered(attempt).await;
    let ended = node
        .trunk
        .hang_up(attempt, domain::ports::HangUpCause::Normal);
    ended.await.expect("hangs up");
    assert_eq!(node.ended(attempt).await.code, Some(200));
    second.well().await;
    node.is_empty().await;
}

#[tokio::test]
async fn carriers_that_are_full() {
    by_both(full).await;
}
