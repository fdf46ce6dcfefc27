//! SIPp as a debtor who calls back: each role by UDP and by TCP.

use crate::line::{came, taking};
use crate::sipp::{Sipp, by_both};
use domain::ports::HangUpCause;
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
    let node = crate::common::Node::start(vec![]).await;
    let to = node.handle.sip_addr(way).expect("bound");
    for name in ["stranger-invite-403", "stranger-refer-403"] {
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
