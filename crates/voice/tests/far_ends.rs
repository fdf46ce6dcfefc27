//! Far ends as they are: behind a NAT, with keys by INFO, with comfort noise in their pauses.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::audio::Line;
use common::peer::{Peer, Plan};
use common::{Node, agent, trunk};
use domain::ids::AttemptId;
use domain::ports::{LegRef, TrunkReport};
use media::tones::Step;
use std::net::IpAddr;
use std::time::Duration;

const DEBTOR_HZ: f64 = 500.0;
const AGENT_HZ: f64 = 1_300.0;
/// An address of ours at which nobody sends: what a far end behind a NAT believes its own to be.
const INSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9));

struct Scene {
    node: Node,
    carrier: Peer,
    phone: Peer,
    attempt: AttemptId,
}

/// A debtor by a trunk like this, joined with an agent; what they hear is the tests' matter.
async fn joined(plan: Plan, behind_nat: bool) -> Scene {
    let carrier = Peer::start(plan).await;
    let mut config = trunk(carrier.addr);
    config.behind_nat = behind_nat;
    let mut node = Node::start(vec![config]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    Scene {
        node,
        carrier,
        phone,
        attempt,
    }
}

fn inside() -> Plan {
    Plan {
        says_ip: Some(INSIDE),
        ..Plan::answers(DEBTOR_HZ)
    }
}

#[tokio::test]
async fn behind_a_nat_the_place_it_sends_from_is_learned() {
    let mut s = joined(inside(), true).await;
    s.phone.line.hears(DEBTOR_HZ).await;
    s.carrier.line.hears(AGENT_HZ).await;
    // Long enough for whole windows of 200 ms in the recording, wherever they begin.
    tokio::time::sleep(Duration::from_millis(600)).await;
    // It stays learned while the call lasts, whoever else sends.
    s.carrier.hang_up().await;
    let end = s.node.ended(s.attempt).await;
    assert!(end.rtp_in > 0 && end.rtp_out > 0, "{end:?}");
    let (left, right) = s.node.sealed(s.attempt).await.channels();
    assert!(common::has_tone(&left, AGENT_HZ) && common::has_tone(&right, DEBTOR_HZ));
}

#[tokio::test]
async fn a_trunk_that_is_not_behind_a_nat_is_heard_where_it_says_only() {
    let mut s = joined(inside(), false).await;
    let attempt = s.attempt;
    let told = s
        .node
        .told("the alarm of silence", |r| match r {
            TrunkReport::OneWayAudio {
                attempt: of,
                silent_ms,
                ..
            } if *of == attempt => Some(*silent_ms),
            _ => None,
        })
        .await;
    assert!(told >= 3_000, "{told}");
    assert!(s.phone.line.share(DEBTOR_HZ) < 0.05, "it was not heard");
    assert_eq!(s.carrier.line.packets(), 0, "nor was it sent to");
    s.carrier.hang_up().await;
    assert_eq!(s.node.ended(attempt).await.rtp_in, 0);
}

#[tokio::test]
async fn keys_by_info_are_keys() {
    let mut s = joined(Plan::answers(DEBTOR_HZ), false).await;
    s.phone.line.hears(DEBTOR_HZ).await;
    // What is no key is answered and ignored.
    for (content_type, body) in [
        ("application/dtmf-relay", "Signal=x\r\nDuration=160\r\n"),
        ("application/dtmf", ""),
        ("text/plain", "5"),
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
        ("Application/DTMF-Relay", "Signal= #\r\nDuration= 160\r\n"),
        ("application/dtmf", "9"),
    ] {
        s.carrier.info(content_type, body).await;
    }
    let mut keys = String::new();
    while keys.len() < 3 {
        let (leg, digit) = s
            .node
            .told("a key", |r| match r {
                TrunkReport::Dtmf { leg, digit, .. } => Some((*leg, *digit)),
                _ => None,
            })
            .await;
        assert_eq!(leg, LegRef::Debtor(s.attempt));
        keys.push(digit);
    }
    assert_eq!(keys, "5#9");
    s.carrier.hang_up().await;
    s.node.ended(s.attempt).await;
}

/// Keys 9 and 1 as a telephone makes them (Q.23), each followed by silence.
const PRESSED: [&[Step]; 2] = [&key(852.0, 1_477.0), &key(697.0, 1_209.0)];

const fn key(row: f64, column: f64) -> [Step; 2] {
    [
        Step {
            hz: [row, column],
            ms: 100,
        },
        Step {
            hz: [0.0, 0.0],
            ms: 60_000,
        },
    ]
}

#[tokio::test]
async fn keys_heard_as_sound_are_keys_where_the_trunk_knows_no_others_until_an_agent_talks() {
    let carrier = Peer::start(Plan {
        events: false,
        ..Plan::answers(DEBTOR_HZ)
    })
    .await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    for (steps, key) in PRESSED.into_iter().zip(['9', '1']) {
        carrier.sounds(steps).await;
        let told = node
            .told("a key", |r| match r {
                TrunkReport::Dtmf { leg, digit, .. } => Some((*leg, *digit)),
                _ => None,
            })
            .await;
        assert_eq!(told, (LegRef::Debtor(attempt), key));
    }
    carrier.resume().await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    phone.line.hears(DEBTOR_HZ).await;
    carrier.sounds(PRESSED[0]).await;
    let rings = |line: &Line| line.share(852.0) > 0.3;
    phone.line.becomes("hears the key", rings).await;
    carrier.hang_up().await;
    let end = node
        .told("the end, and no key before it", |r| match r {
            TrunkReport::Dtmf { .. } => Some(false),
            TrunkReport::Ended { attempt: of, .. } if *of == attempt => Some(true),
            _ => None,
        })
        .await;
    assert!(end);
}

#[tokio::test]
async fn who_announces_a_pause_is_heard_as_noise_and_raises_no_alarm() {
    let mut s = joined(Plan::answers(DEBTOR_HZ), false).await;
    s.phone.line.hears(DEBTOR_HZ).await;
    s.carrier.pause(35).await;
    let noise = |line: &common::audio::Line| {
        (-42.0..-28.0).contains(&line.level()) && line.share(DEBTOR_HZ) < 0.1
    };
    s.phone.line.becomes("hears noise", noise).await;
    // Six seconds of it: twice what silence may last.
    let enough = s.phone.line.packets() + 300;
    s.phone
        .line
        .becomes("hears it go on", |l| l.packets() >= enough)
        .await;
    s.phone.line.becomes("still hears noise", noise).await;
    let attempt = s.attempt;
    let alarm = |r: &TrunkReport| matches!(r, TrunkReport::OneWayAudio { attempt: of, .. } if *of == attempt);
    assert!(!s.node.was_told(alarm), "a pause is no silence");
    s.carrier.resume().await;
    s.phone.line.hears(DEBTOR_HZ).await;
    s.carrier.hang_up().await;
    s.node.ended(attempt).await;
}
