//! SIPp as a carrier and as a caller for what goes wrong and what is rare: `MARCADOR_SIPP=1` with
//! `sipp` on the PATH, as in `sipp`.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use media::speech::AGENT_HZ;
use sip::sdp::{LocalMedia, answer, offer};
use sip::ua::{CallKey, Config, Event, FailWhy, Login, Side};
use sip_test::plane::Voice;
use tokio::process::Child;

use crate::common::Ua;
use crate::sipp::{free, sipp, wanted, well};

/// Our own description, by direction.
fn described(direction: sip::sdp::Direction, version: u64) -> Bytes {
    let mut local = LocalMedia::new(free(), 7);
    (local.direction, local.version) = (direction, version);
    offer(&local)
}

/// SIPp hears once its port is taken.
async fn hears(at: SocketAddr) {
    for _ in 0..250 {
        if UdpSocket::bind(at).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("sipp does not start");
}

async fn called(name: &str, login: Option<Login>) -> (Ua, Child, CallKey) {
    called_with(name, login, |_| ()).await
}

/// Of what comes again SIPp tells nothing else.
fn unswallowed(name: &str) -> &'static [&'static str] {
    if name.contains("lostack") {
        &["-nr"]
    } else {
        &[]
    }
}

async fn called_with(
    name: &str,
    login: Option<Login>,
    configure: impl FnOnce(&mut Config),
) -> (Ua, Child, CallKey) {
    let at = free();
    let child = sipp(at, name, &[&["-rtp_echo"], unswallowed(name)].concat());
    hears(at).await;
    let mut ua = Ua::new(configure).await;
    let voice = Voice::person(AGENT_HZ, 0.2, 1);
    let call = ua.call_as(at, "+525550001000", voice, login);
    (ua, child, call)
}

async fn failure(ua: &mut Ua) -> sip::ua::Failure {
    let failed = |e: &Event| match e {
        Event::Failed { failure, .. } => Some(failure.clone()),
        _ => None,
    };
    ua.until("the refusal", failed).await
}

#[tokio::test]
async fn sipp_sends_us_on_and_away() {
    if !wanted() {
        return;
    }
    let (mut ua, child, _) = called("uas-redirect-302", None).await;
    let moved = failure(&mut ua).await;
    assert_eq!((moved.why, moved.code), (FailWhy::Redirected, 302));
    let to = moved.contacts[0].uri.user_text();
    assert_eq!(to.as_deref(), Some("+525550002222"));
    well(&mut ua, child, "uas-redirect-302").await;
    let (mut ua, child, _) = called("uas-retry-503", None).await;
    let full = failure(&mut ua).await;
    assert_eq!(
        (full.code, full.retry_after_s, full.q850),
        (503, Some(7), Some(34))
    );
    well(&mut ua, child, "uas-retry-503").await;
}

/// Answers, and is hung up on by us a moment later.
async fn answers_and_ends(name: &str, login: Option<Login>) {
    let short = |config: &mut Config| config.session_expires_s = 90;
    let (mut ua, child, call) = called_with(name, login, short).await;
    ua.answered().await;
    tokio::time::timeout(Duration::from_millis(600), ua.driver.next())
        .await
        .ok();
    ua.hang_up(call);
    well(&mut ua, child, name).await;
}

#[tokio::test]
async fn sipp_asks_for_more_before_it_answers() {
    if !wanted() {
        return;
    }
    for name in ["uas-auth-407", "uas-auth-401"] {
        answers_and_ends(name, Some(Login::new("account", "secret"))).await;
    }
    answers_and_ends("uas-interval-422", None).await;
}

#[tokio::test]
async fn sipp_gives_reliable_early_media() {
    if !wanted() {
        return;
    }
    let (mut ua, child, call) = called("uas-prack-183", None).await;
    ua.until("early media", |e| {
        matches!(
            e,
            Event::Progress {
                code: 183,
                sdp: Some(_),
                ..
            }
        )
        .then_some(())
    })
    .await;
    ua.until("the answer", |e| {
        matches!(e, Event::Answered { sdp: None, .. }).then_some(())
    })
    .await;
    ua.hang_up(call);
    well(&mut ua, child, "uas-prack-183").await;
}

#[tokio::test]
async fn sipp_meets_our_hold_with_its_own() {
    if !wanted() {
        return;
    }
    let (mut ua, child, call) = called("uas-glare-491", None).await;
    ua.answered().await;
    let now = ua.driver.now();
    let hold = described(sip::sdp::Direction::SendOnly, 2);
    ua.driver.endpoint().reinvite(now, call, hold).expect("up");
    let code = ua
        .until("the change", |e| match e {
            Event::ReinviteDone { code, .. } => Some(*code),
            _ => None,
        })
        .await;
    assert_eq!(code, 200);
    ua.hang_up(call);
    well(&mut ua, child, "uas-glare-491").await;
}

/// Answers what the far side wants to change, twice.
async fn change(ua: &mut Ua, times: usize) {
    let local = LocalMedia::new(free(), 9);
    for _ in 0..times {
        let (call, sdp) = ua
            .until("the change", |e| match e {
                Event::Reinvite { call, sdp, .. } => Some((*call, sdp.clone())),
                _ => None,
            })
            .await;
        let ours = answer(&sdp.expect("an offer"), &local).expect("fits");
        let now = ua.driver.now();
        let endpoint = ua.driver.endpoint();
        endpoint
            .answer_reinvite(now, call, Some(ours.sdp))
            .expect("it waits");
    }
}

#[tokio::test]
async fn sipp_holds_us() {
    if !wanted() {
        return;
    }
    let (mut ua, child, call) = called("uas-hold-200", None).await;
    ua.answered().await;
    change(&mut ua, 2).await;
    tokio::time::timeout(Duration::from_millis(300), ua.driver.next())
        .await
        .ok();
    ua.hang_up(call);
    well(&mut ua, child, "uas-hold-200").await;
}

/// Who ended the call.
async fn over(ua: &mut Ua) -> Side {
    ua.until("the end", |e| match e {
        Event::Ended { end, .. } => Some(end.by),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn sipp_answers_twice_late_and_without_hearing_us() {
    if !wanted() {
        return;
    }
    let (mut ua, child, _) = called("uas-fork-200", None).await;
    ua.answered().await;
    assert_eq!(over(&mut ua).await, Side::Remote, "the fork that stayed");
    well(&mut ua, child, "uas-fork-200").await;

    let (mut ua, child, call) = called("uas-late-200", None).await;
    ua.until("the ring", |e| {
        matches!(e, Event::Progress { code: 180, .. }).then_some(())
    })
    .await;
    ua.hang_up(call);
    let crossed = failure(&mut ua).await;
    assert_eq!((crossed.why, crossed.code), (FailWhy::Cancelled, 200));
    well(&mut ua, child, "uas-late-200").await;

    let (mut ua, child, _) = called("uas-lostack-200", None).await;
    ua.answered().await;
    assert_eq!(over(&mut ua).await, Side::Remote);
    well(&mut ua, child, "uas-lostack-200").await;
}

#[tokio::test]
async fn sipp_hangs_up_when_we_do() {
    if !wanted() {
        return;
    }
    let (mut ua, child, call) = called("uas-byeboth-200", None).await;
    ua.answered().await;
    ua.hang_up(call);
    assert_eq!(over(&mut ua).await, Side::Local);
    well(&mut ua, child, "uas-byeboth-200").await;
    assert_eq!(ua.driver.endpoint().calls(), 0);
}

/// Takes the call of a SIPp that calls us; `early` gives early media first.
async fn takes(ua: &mut Ua, early: bool) -> CallKey {
    let (call, sdp) = ua
        .until("the call", |e| match e {
            Event::Incoming(incoming) => Some((incoming.call, incoming.sdp.clone())),
            _ => None,
        })
        .await;
    let local = LocalMedia::new(free(), 9);
    let ours = match sdp {
        Some(sdp) => answer(&sdp, &local).expect("fits").sdp,
        None => offer(&local),
    };
    let now = ua.driver.now();
    let endpoint = ua.driver.endpoint();
    if early {
        let media = Some(ours.clone());
        endpoint.progress(now, call, 183, media).expect("rings");
    }
    endpoint.answer(now, call, ours).expect("rings");
    call
}

async fn calls_us(name: &str) -> (Ua, Child) {
    let ua = Ua::new(|_| ()).await;
    let to = ua.driver.local().to_string();
    let args = ["-s", "+525550001000", &to];
    let child = sipp(free(), name, &[unswallowed(name), &args[..]].concat());
    (ua, child)
}

#[tokio::test]
async fn sipp_calls_us_and_changes_its_mind() {
    if !wanted() {
        return;
    }
    let (mut ua, child) = calls_us("caller-hold-200").await;
    takes(&mut ua, false).await;
    change(&mut ua, 2).await;
    well(&mut ua, child, "caller-hold-200").await;
    for (name, early) in [("caller-prack-183", true), ("caller-delayed-200", false)] {
        let (mut ua, child) = calls_us(name).await;
        takes(&mut ua, early).await;
        ua.until("the ACK", |e| {
            matches!(e, Event::Confirmed { .. }).then_some(())
        })
        .await;
        well(&mut ua, child, name).await;
        assert_eq!(ua.driver.endpoint().calls(), 0, "{name}");
    }
}

#[tokio::test]
async fn sipp_calls_us_and_hears_badly() {
    if !wanted() {
        return;
    }
    let (mut ua, child) = calls_us("caller-lostack-200").await;
    takes(&mut ua, false).await;
    well(&mut ua, child, "caller-lostack-200").await;

    let (mut ua, child) = calls_us("caller-glare-491").await;
    let call = takes(&mut ua, false).await;
    ua.until("the ACK", |e| {
        matches!(e, Event::Confirmed { .. }).then_some(())
    })
    .await;
    let now = ua.driver.now();
    let hold = described(sip::sdp::Direction::SendOnly, 2);
    ua.driver.endpoint().reinvite(now, call, hold).expect("up");
    let code = ua
        .until("the change", |e| match e {
            Event::ReinviteDone { code, .. } => Some(*code),
            _ => None,
        })
        .await;
    assert_eq!(code, 200);
    well(&mut ua, child, "caller-glare-491").await;
}

#[tokio::test]
async fn sipp_calls_us_with_too_short_a_session() {
    if !wanted() {
        return;
    }
    let (mut ua, child) = calls_us("caller-interval-422").await;
    takes(&mut ua, false).await;
    well(&mut ua, child, "caller-interval-422").await;
    assert_eq!(ua.driver.endpoint().calls(), 0);
}

#[tokio::test]
async fn sipp_that_called_us_hangs_up_when_we_do() {
    if !wanted() {
        return;
    }
    let (mut ua, child) = calls_us("caller-byeboth-200").await;
    let call = takes(&mut ua, false).await;
    ua.until("the ACK", |e| {
        matches!(e, Event::Confirmed { .. }).then_some(())
    })
    .await;
    ua.hang_up(call);
    assert_eq!(over(&mut ua).await, Side::Local);
    well(&mut ua, child, "caller-byeboth-200").await;
    assert_eq!(ua.driver.endpoint().calls(), 0);
}

#[tokio::test]
async fn sipp_asks_for_transfers() {
    if !wanted() {
        return;
    }
    let (mut ua, child) = calls_us("caller-refer-603").await;
    let call = takes(&mut ua, false).await;
    ua.until("the REFER", |e| {
        matches!(e, Event::Refer { .. }).then_some(())
    })
    .await;
    let now = ua.driver.now();
    let endpoint = ua.driver.endpoint();
    endpoint.answer_refer(now, call, 603).expect("it waits");
    well(&mut ua, child, "caller-refer-603").await;
    let (mut ua, child) = calls_us("stranger-refer-403").await;
    well(&mut ua, child, "stranger-refer-403").await;
    assert_eq!(ua.driver.endpoint().calls(), 0);
}
