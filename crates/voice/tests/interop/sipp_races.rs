//! SIPp where calls go wrong: sent elsewhere, forked, held, unheard, changed and ended by both ends at once.

use crate::common::{order, tone_ms};
use crate::line::{Dialed, PATIENT_MS, came, taking};
use crate::sipp::{Sipp, by_both, free, local};
use crate::sound::{Ear, HZ};
use domain::entity::RecordMode;
use domain::ids::{AttemptId, RecordingId};
use domain::ports::{TakeOrder, TrunkReport};
use std::net::SocketAddr;
use tokio::net::UdpSocket;
use uuid::Uuid;
use voice::SipTransport;

/// Where nothing that comes again may be swallowed by SIPp.
fn whole(way: SipTransport) -> &'static [&'static str] {
    match way {
        SipTransport::Udp => &["-nr"],
        SipTransport::Tcp | SipTransport::Tls => &[],
    }
}

/// Sent on to `target`; the address of a redirection is `allowed`, or it is not.
async fn sent_on(way: SipTransport, target: &str, allowed: bool) -> Dialed {
    let more = ["-key", "target", target];
    Dialed::with(("uas-forward-302", way, &more), PATIENT_MS, |config| {
        if allowed {
            config.policy.redirect_hosts = vec![local(0).ip()];
        }
    })
    .await
}

fn uri(number: &str, to: SocketAddr, way: SipTransport) -> String {
    match way {
        SipTransport::Udp => format!("sip:{number}@{to}"),
        SipTransport::Tcp | SipTransport::Tls => format!("sip:{number}@{to};transport=tcp"),
    }
}

/// A redirection that must not be followed: the call is over with its code, and nobody hears of it there.
async fn stays(way: SipTransport, number: &str, allowed: bool) {
    let at = free();
    let there = UdpSocket::bind(at).await.expect("port");
    let also = std::net::TcpListener::bind(at).expect("port");
    also.set_nonblocking(true).expect("a listener");
    let target = uri(number, at, way);
    let call = sent_on(way, &target, allowed).await;
    let end = call.end().await;
    let told = (end.code, end.q850, end.by_us, end.ring_timeout);
    assert_eq!(told, (Some(302), None, false, false), "{target}");
    assert!(there.try_recv(&mut [0; 64]).is_err(), "{target} was called");
    assert!(also.accept().is_err(), "{target} was connected to");
}

/// One of the same number to an address of the trunk's policy is.
async fn goes(way: SipTransport) {
    let (next, to) = Sipp::carrier("uas-answer-200", way, &["-m", "1"]).await;
    let number = order(1, 0, RecordMode::None).number;
    let mut call = sent_on(way, &uri(&number, to, way), true).await;
    call.answered().await;
    call.hang_up().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
    next.well().await;
}

#[tokio::test]
async fn carriers_that_send_us_on() {
    by_both(async |way| {
        let called = order(1, 0, RecordMode::None).number;
        tokio::join!(
            stays(way, &called, false),
            // A number that nobody judged, at an address that is allowed.
            stays(way, "+525550002222", true),
            goes(way),
        );
    })
    .await;
}

/// The carrier hangs up after what it does.
async fn left(name: &str, way: SipTransport) {
    let call = Dialed::with((name, way, whole(way)), PATIENT_MS, |_| ());
    let mut call = call.await;
    call.answered().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), false), "{name}");
}

/// Our BYE and the carrier's cross.
async fn crossed(way: SipTransport) {
    let mut call = Dialed::to("uas-byeboth-200", way).await;
    call.answered().await;
    call.hang_up().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
}

#[tokio::test]
async fn carriers_that_fork_lose_our_ack_and_hang_up_with_us() {
    by_both(async |way| {
        tokio::join!(
            left("uas-fork-200", way),
            left("uas-lostack-200", way),
            crossed(way),
        );
    })
    .await;
}

/// Held with music, then without: we say nothing meanwhile, raise no alarm, and the recording goes on.
async fn held(way: SipTransport) {
    let mut ear = Ear::open().await;
    let port = ear.port.to_string();
    let more = ["-key", "sound", &port];
    let call = Dialed::with(("uas-park-200", way, &more), PATIENT_MS, |_| ());
    let mut call = call.await;
    call.answered().await;
    ear.comes(0).await;
    ear.stops(1).await;
    ear.comes(1).await;
    ear.stops(2).await;
    ear.comes(2).await;
    call.hang_up().await;
    let of = call.attempt;
    let alarm =
        |r: &TrunkReport| matches!(r, TrunkReport::OneWayAudio { attempt, .. } if *attempt == of);
    let sealed = call.node.sealed(of).await;
    assert!(!call.node.was_told(alarm), "who holds us owes us no sound");
    assert!(sealed.gaps.is_empty(), "{:?}", sealed.gaps);
    // The carrier's times of talk and hold.
    assert!(sealed.duration_ms >= 7_300, "{}", sealed.duration_ms);
    let music = tone_ms(&sealed.channels().1, HZ);
    assert!(music >= 2_300, "the music of the hold too: {music} ms");
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), true));
}

#[tokio::test]
async fn carriers_that_hold_us() {
    by_both(held).await;
}

fn take(attempt: AttemptId) -> TakeOrder {
    TakeOrder {
        attempt_id: attempt,
        record: RecordMode::All,
        recording_id: RecordingId(Uuid::from_u128(7)),
        recording_key: "2026/caller.wav".into(),
        mask_dtmf: false,
    }
}

/// Takes a caller that hangs up, or has us end what he began.
async fn taken(name: &str, way: SipTransport) {
    let mut node = taking(|_| ()).await;
    let to = node.handle.sip_addr(way).expect("bound");
    let more = [&["-m", "1"], whole(way)].concat();
    let sipp = Sipp::calls(name, way, to, &more);
    let attempt = came(&mut node).await;
    let order = take(attempt);
    node.trunk.take_incoming(order).await.expect("is taken");
    sipp.well().await;
    let end = node.ended(attempt).await;
    assert_eq!((end.code, end.by_us), (Some(200), false), "{name}");
    node.is_empty().await;
}

#[tokio::test]
async fn callers_that_lose_our_answer() {
    by_both(async |way| taken("caller-lostack-200", way).await).await;
}

/// Half a minute until an answer is given up, three quarters until a session is refreshed: side by side.
#[tokio::test]
async fn both_ends_change_the_session_at_once_and_callers_never_acknowledge() {
    by_both(async |way| {
        tokio::join!(
            left("uas-refresh-491", way),
            taken("caller-refresh-491", way),
            taken("caller-neverack-200", way),
        );
    })
    .await;
}

/// Half way through its session it is refreshed by us; then the carrier hangs up.
async fn refreshed(name: &str, way: SipTransport) {
    let mut call = Dialed::to(name, way).await;
    call.answered().await;
    let end = call.end().await;
    assert_eq!((end.code, end.by_us), (Some(200), false), "{name}");
}

#[tokio::test]
async fn carriers_that_take_an_update_and_that_only_say_so() {
    by_both(async |way| {
        tokio::join!(
            refreshed("uas-update-200", way),
            refreshed("uas-update-501", way),
        );
    })
    .await;
}
