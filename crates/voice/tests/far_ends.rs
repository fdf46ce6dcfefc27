//! Far ends as they are: behind a NAT, with keys by INFO, with comfort noise in their pauses.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::audio::Line;
use common::peer::{Peer, Plan, Seen};
use common::scene::{AGENT_HZ, DEBTOR_HZ, Joined};
use common::{Node, agent, trunk};
use domain::entity::RecordMode;
use domain::ids::RecordingId;
use domain::ports::{LegRef, TakeOrder, TrunkReport};
use media::tones::Step;
use std::net::IpAddr;
use std::time::Duration;

const STRANGER_HZ: f64 = 2_100.0;
/// An address of ours at which nobody sends: what a far end behind a NAT believes its own to be.
const INSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9));

/// A debtor by a trunk like this, joined with an agent; what they hear is the tests' matter.
async fn joined(plan: Plan, behind_nat: bool) -> Joined {
    Joined::of(plan, |c| c.trunks[0].behind_nat = behind_nat).await
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

/// A caller from a trunk's range is the trunk's: what is said of its media counts for him.
#[tokio::test]
async fn a_caller_from_the_range_of_a_trunk_behind_a_nat_is_learned_too() {
    const CALLER_HZ: f64 = 600.0;
    for behind_nat in [true, false] {
        let mut caller = Peer::start(Plan {
            says_ip: Some(INSIDE),
            ..Plan::rings()
        })
        .await;
        let mut config = trunk("192.0.2.1:5060".parse().expect("address"));
        (config.behind_nat, config.ping) = (behind_nat, false);
        config.policy.acl = vec!["127.0.0.0/8".parse().expect("range")];
        let mut node = Node::configured(|c| {
            c.trunks = vec![config];
            c.inbound.queue = true;
        })
        .await;
        let phone = node.agent(1, AGENT_HZ).await;
        caller.call(node.sip, CALLER_HZ).await;
        caller.sees(|s| (*s == Seen::Answered).then_some(())).await;
        let came = |r: &TrunkReport| match r {
            TrunkReport::Incoming { attempt, .. } => Some(*attempt),
            _ => None,
        };
        let attempt = node.told("came in", came).await;
        let order = TakeOrder {
            attempt_id: attempt,
            record: RecordMode::None,
            recording_id: RecordingId(uuid::Uuid::from_u128(7)),
            recording_key: "2026/caller.wav".into(),
            mask_dtmf: false,
        };
        node.trunk.take_incoming(order).await.expect("is taken");
        node.trunk.bridge(attempt, agent(1)).await.expect("joins");
        if behind_nat {
            caller.line.hears(AGENT_HZ).await;
            phone.line.hears(CALLER_HZ).await;
        } else {
            let silent =
                |r: &TrunkReport| matches!(r, TrunkReport::OneWayAudio { .. }).then_some(());
            node.told("the alarm of silence", silent).await;
            assert_eq!(caller.line.packets(), 0, "he is sent to where he said");
        }
    }
}

/// Who sends to a leg's port from the INVITE on, with a stream of its own, until the test ends.
fn strange(to: std::net::SocketAddr) -> tokio::task::JoinHandle<bool> {
    tokio::spawn(async move {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
        let socket = socket.expect("port");
        let mut sender = media::rtp::Sender::new(media::rtp::Start {
            ssrc: 1,
            sequence: 1,
            timestamp: 1,
        });
        let mut tone = media::tones::Tone::sine(STRANGER_HZ, 0.9);
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..250 {
            tick.tick().await;
            let (mut pcm, mut payload, mut out) = ([0; 160], [0; 160], [0; 200]);
            tone.fill(&mut pcm);
            media::g711::Law::A.encode_into(&pcm, &mut payload);
            let n = sender.packet(8, &payload, 160, &mut out).expect("fits");
            // An ICMP answer to the packet before may be told here.
            let _ = socket.send_to(&out[..n], to).await;
        }
        socket.try_recv(&mut [0; 200]).is_ok()
    })
}

/// Neither before the answer, nor in the first second, nor when the far end moves: where nothing is learned, a
/// stranger is never taken for it.
#[tokio::test]
async fn a_stranger_who_is_there_first_is_not_heard_nor_when_the_far_end_moves() {
    let mut carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let phone = node.agent(1, AGENT_HZ).await;
    let attempt = node.dial(1, 20_000).await;
    let rtp = carrier.sees(|s| match s {
        Seen::Invite { rtp, .. } => *rtp,
        _ => None,
    });
    let stranger = strange(rtp.await);
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    phone.line.hears(DEBTOR_HZ).await;
    carrier.move_media(1_700.0).await;
    phone.line.hears(1_700.0).await;
    carrier.line.hears(AGENT_HZ).await;
    let answered = stranger.await.expect("sends to the end");
    assert!(!answered, "nothing is sent to a stranger");
    assert_eq!(common::tone_ms(&phone.line.samples(), STRANGER_HZ), 0);
    phone.line.hears(1_700.0).await;
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
