//! SIPp as a debtor who calls back: each role by UDP and by TCP.

use crate::common::{Node, TRUNK};
use crate::line::{came, taking};
use crate::sipp::{Sipp, by_both, free};
use domain::ids::AttemptId;
use domain::ports::{HangUpCause, TrunkReport};
use voice::SipTransport;

/// Called by SIPp, which hangs up.
async fn calls(name: &str, way: SipTransport, more: &[&str]) {
    let mut node = taking(|_| ()).await;
    let to = node.handle.sip_addr(way).expect("bound");
    let sipp = Sipp::calls(name, way, to, &[&["-m", "1"], more].concat());
    let attempt = came(&mut node).await;
    sipp.well().await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), false), "{name}");
    node.is_empty().await;
}

#[tokio::test]
async fn callers_that_hold_ask_late_and_lose_what_we_say() {
    by_both(async |way| {
        let whole: &[&str] = match way {
            SipTransport::Udp => &["-nr"],
            SipTransport::Tcp | SipTransport::Tls => &[],
        };
        tokio::join!(
            calls("caller-hold-200", way, &[]),
            calls("caller-delayed-200", way, &[]),
            calls("caller-noack-200", way, whole),
            calls("caller-interval-422", way, &[]),
            calls("caller-refer-603", way, &[]),
            calls("caller-pending-491", way, &[]),
            calls("caller-reliable-200", way, &[]),
            calls("caller-crossed-200", way, &[]),
        );
    })
    .await;
}

/// Both hang up at once.
async fn both(way: SipTransport) {
    let mut node = taking(|_| ()).await;
    let to = node.handle.sip_addr(way).expect("bound");
    let sipp = Sipp::calls("caller-byeboth-200", way, to, &["-m", "1"]);
    let attempt = came(&mut node).await;
    let ended = node.trunk.hang_up(attempt, HangUpCause::Normal);
    ended.await.expect("hangs up");
    sipp.well().await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
    node.is_empty().await;
}

/// Asked from outside of any call, or called by nobody we know.
async fn strangers(way: SipTransport) {
    let node = Node::start(vec![]).await;
    let to = node.handle.sip_addr(way).expect("bound");
    for name in [
        "stranger-invite-403",
        "stranger-refer-403",
        "stranger-message-405",
        "stranger-subscribe-405",
    ] {
        Sipp::calls(name, way, to, &["-m", "3"]).well().await;
    }
    Sipp::calls("caller-options-200", way, to, &["-m", "20"])
        .well()
        .await;
    node.is_empty().await;
}

#[tokio::test]
async fn callers_that_hang_up_with_us_and_strangers() {
    by_both(async |way| {
        tokio::join!(both(way), strangers(way));
    })
    .await;
}

/// Refused as `caller-full-503` says, and told of with his number.
async fn turned_away(node: &mut Node, way: SipTransport) {
    let to = node.handle.sip_addr(way).expect("bound");
    Sipp::calls("caller-full-503", way, to, &["-m", "1"])
        .well()
        .await;
    let told = node.told("turned away", |r| match r {
        TrunkReport::TurnedAway {
            trunk,
            caller,
            code,
            ..
        } => Some((*trunk, caller.clone(), *code)),
        _ => None,
    });
    let (trunk, caller, code) = told.await;
    assert_eq!((trunk, code), (TRUNK, 503));
    assert_eq!(caller.as_deref(), Some("+525550009999"));
}

/// Called by SIPp, which stays until we hang up.
async fn stays(node: &mut Node, way: SipTransport) -> (Sipp, AttemptId) {
    let to = node.handle.sip_addr(way).expect("bound");
    let sipp = Sipp::calls("caller-message-200", way, to, &["-m", "1"]);
    let attempt = came(node).await;
    (sipp, attempt)
}

/// We hang up on who stayed.
async fn leaves(node: &mut Node, (sipp, attempt): (Sipp, AttemptId)) {
    let ended = node.trunk.hang_up(attempt, HangUpCause::Normal);
    ended.await.expect("hangs up");
    sipp.well().await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
}

/// With ports for two legs who is there stays, the next is turned away, and places are free again after them.
async fn full(way: SipTransport) {
    let port = free().port();
    let mut node = taking(|c| c.media_ports = port..=port + 3).await;
    let there = [stays(&mut node, way).await, stays(&mut node, way).await];
    turned_away(&mut node, way).await;
    assert_eq!(node.handle.stats().await.calls, 2);
    for call in there {
        leaves(&mut node, call).await;
    }
    node.is_empty().await;
    let next = stays(&mut node, way).await;
    leaves(&mut node, next).await;
    node.is_empty().await;
}

/// The same for want of room for another transaction.
async fn crowded(way: SipTransport) {
    let mut node = taking(|c| c.sip_transactions = 0).await;
    turned_away(&mut node, way).await;
    node.is_empty().await;
}

#[tokio::test]
async fn callers_for_whom_there_is_no_room() {
    by_both(async |way| {
        tokio::join!(full(way), crowded(way));
    })
    .await;
}
