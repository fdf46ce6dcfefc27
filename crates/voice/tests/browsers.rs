//! Agents by browser: audio both ways, keys, loss of network, strangers at the port.
#![cfg(feature = "webrtc")]
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;

use common::audio::Line;
use common::browser::{Browser, Offered};
use common::peer::{Peer, Plan};
use common::{Node, agent, tone_ms, trunk};
use domain::ids::AttemptId;
use domain::ports::{LegRef, MonitorMode, TrunkError, TrunkReport};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const DEBTOR_HZ: f64 = 500.0;
const AGENT_HZ: f64 = 1_300.0;

async fn node(carrier: &Peer, threads: usize) -> Node {
    let config = trunk(carrier.addr);
    Node::configured(|c| {
        c.trunks = vec![config];
        c.media_threads = threads;
        c.browsers = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    })
    .await
}

async fn connect(node: &Node, n: u128, hz: f64) -> Browser {
    let offered = Offered::new();
    let answer = node
        .trunk
        .open_browser_leg(agent(n), offered.offer.clone())
        .await
        .expect("answers");
    offered.answered(&answer, hz)
}

async fn leg_up(node: &mut Node, n: u128) {
    node.told("the browser's leg up", |r| match r {
        TrunkReport::AgentLegUp { agent: of, .. } if *of == agent(n) => Some(()),
        _ => None,
    })
    .await;
}

struct Joined {
    node: Node,
    carrier: Peer,
    browser: Browser,
    attempt: AttemptId,
}

async fn joined(threads: usize) -> Joined {
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let mut node = node(&carrier, threads).await;
    let browser = connect(&node, 1, AGENT_HZ).await;
    leg_up(&mut node, 1).await;
    let attempt = node.dial(1, 20_000).await;
    node.answered(attempt).await;
    node.trunk.bridge(attempt, agent(1)).await.expect("joins");
    browser.line.hears(DEBTOR_HZ).await;
    carrier.line.hears(AGENT_HZ).await;
    Joined {
        node,
        carrier,
        browser,
        attempt,
    }
}

#[tokio::test]
async fn debtor_and_browser_hear_each_other_and_the_recording_has_both() {
    let mut j = joined(3).await;
    j.node.trunk.mute(j.attempt, true).await.expect("mutes");
    j.carrier.line.hears_nothing().await;
    j.node.trunk.mute(j.attempt, false).await.expect("unmutes");
    j.carrier.line.hears(AGENT_HZ).await;
    j.carrier.hang_up().await;
    j.node.ended(j.attempt).await;
    let (left, right) = j.node.sealed(j.attempt).await.channels();
    assert!(tone_ms(&left, AGENT_HZ) >= 200, "left is the agent");
    assert!(tone_ms(&right, DEBTOR_HZ) >= 200, "right is the debtor");
    assert_eq!(tone_ms(&left, DEBTOR_HZ), 0);
    // The leg stays up for the next call.
    assert_eq!(j.node.handle.stats().await.agent_legs, 1);
    j.node
        .trunk
        .close_agent_leg(agent(1))
        .await
        .expect("closes");
    j.node.is_empty().await;
}

#[tokio::test]
async fn keys_go_both_ways() {
    let mut j = joined(1).await;
    j.browser.press('7');
    j.node
        .told("the browser's key", |r| match r {
            TrunkReport::Dtmf {
                leg: LegRef::Agent(of),
                digit: '7',
                ..
            } if *of == agent(1) => Some(()),
            _ => None,
        })
        .await;
    j.node.trunk.send_dtmf(j.attempt, '5').await.expect("sends");
    j.carrier
        .line
        .becomes("the debtor's side hears the key", |line| line.keys() == "5")
        .await;
}

#[tokio::test]
async fn a_browser_that_comes_again_finds_its_call() {
    let mut j = joined(1).await;
    j.browser.cut(true);
    j.carrier.line.hears_nothing().await;
    let enough = j.carrier.line.packets() + 75;
    j.carrier
        .line
        .becomes("hears comfort noise go on", |l| l.packets() >= enough)
        .await;
    drop(j.browser);
    let again = connect(&j.node, 1, AGENT_HZ).await;
    again.line.hears(DEBTOR_HZ).await;
    j.carrier.line.hears(AGENT_HZ).await;
    let stats = j.node.handle.stats().await;
    assert_eq!((stats.calls, stats.agent_legs), (1, 1));
    j.carrier.hang_up().await;
    let end = j.node.ended(j.attempt).await;
    assert!(!end.by_us, "the debtor was never dropped");
}

#[tokio::test]
async fn strangers_get_no_answer_and_no_way_in() {
    let j = joined(1).await;
    let port = j.node.handle.browsers_addr().expect("open");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("port");
    stranger
        .set_read_timeout(Some(Duration::from_millis(500)))
        .expect("a wait");
    // STUN for nobody, a DTLS hello, RTP, RTCP, nothing and noise.
    let mut stun = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    stun.extend([7; 12]);
    let mut named = vec![0, 1, 0, 12, 0x21, 0x12, 0xA4, 0x42];
    named.extend([9; 12]);
    named.extend([0, 6, 0, 5]);
    named.extend(b"ab:cd\0\0\0");
    let hello = [&[22_u8, 254, 253][..], &[0; 60]].concat();
    let rtp = [&[0x80_u8, 8][..], &[0; 170]].concat();
    let rtcp = [&[0x80_u8, 200][..], &[0; 26]].concat();
    let odd: [&[u8]; 7] = [&stun, &named, &hello, &rtp, &rtcp, &[], &[0xff; 1_400]];
    for round in 0..300_u32 {
        for packet in odd {
            stranger.send_to(packet, port).expect("sends");
        }
        if round % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let mut buffer = [0; 2_048];
    assert!(
        stranger.recv_from(&mut buffer).is_err(),
        "nothing is reflected"
    );
    j.carrier.line.hears(AGENT_HZ).await;
    j.browser.line.hears(DEBTOR_HZ).await;
}

#[tokio::test]
async fn what_is_no_offer_of_one_voice_is_refused() {
    let carrier = Peer::start(Plan::answers(DEBTOR_HZ)).await;
    let node = node(&carrier, 1).await;
    let good = Offered::new().offer;
    let audio = good.find("m=audio").expect("a sound line");
    let two = format!("{good}{}", &good[audio..]);
    let mut broken = vec![
        String::new(),
        "v=0".into(),
        good[..audio].to_owned(),
        two,
        good.replace("PCMA", "OPUS"),
        good.replace("m=audio", "m=video"),
        "x".repeat(voice::limits::SDP_BYTES + 1),
    ];
    // Cut anywhere.
    broken.extend((0..good.len()).step_by(97).map(|at| good[..at].to_owned()));
    for offer in broken {
        let refused = node.trunk.open_browser_leg(agent(9), offer.clone()).await;
        let taken_back = refused.is_ok();
        if taken_back {
            // A shorter offer may still be whole.
            node.trunk.close_agent_leg(agent(9)).await.expect("closes");
            continue;
        }
        assert_eq!(refused, Err(TrunkError::BadOffer), "{offer}");
    }
    node.is_empty().await;
    let deaf = Node::start(vec![]).await;
    let refused = deaf.trunk.open_browser_leg(agent(1), good).await;
    assert_eq!(refused, Err(TrunkError::NoPhone));
}

/// One voice among others.
async fn hears_too(line: &Line, hz: f64) {
    line.becomes(&format!("hears {hz} Hz too"), |l| l.share(hz) > 0.2)
        .await;
}

/// Nothing of that voice, for as long as a second of sound.
async fn deaf_to(line: &Line, hz: f64) {
    let from = line.samples().len();
    let whole = |l: &Line| l.samples().len() >= from + 8_000;
    line.becomes("hears a second more", whole).await;
    let share = media::freq::share(&line.samples()[from..], hz);
    assert!(share < 0.02, "{hz} Hz was heard: {share}");
}

#[tokio::test]
async fn a_supervisor_by_browser_listens_whispers_barges_and_takes_over() {
    const BOSS_HZ: f64 = 2_100.0;
    let Joined {
        mut node,
        carrier,
        browser,
        attempt,
    } = joined(2).await;
    let join = |mode| node.trunk.monitor(attempt, agent(2), mode);
    let early = join(Some(MonitorMode::Listen)).await;
    assert_eq!(early, Err(TrunkError::NoPhone), "he may still come");
    let boss = connect(&node, 2, BOSS_HZ).await;
    leg_up(&mut node, 2).await;
    let join = |mode| node.trunk.monitor(attempt, agent(2), mode);
    join(Some(MonitorMode::Listen)).await.expect("listens");
    hears_too(&boss.line, DEBTOR_HZ).await;
    hears_too(&boss.line, AGENT_HZ).await;
    deaf_to(&browser.line, BOSS_HZ).await;
    deaf_to(&carrier.line, BOSS_HZ).await;
    join(Some(MonitorMode::Whisper)).await.expect("whispers");
    hears_too(&browser.line, BOSS_HZ).await;
    deaf_to(&carrier.line, BOSS_HZ).await;
    join(Some(MonitorMode::Barge)).await.expect("barges");
    hears_too(&carrier.line, BOSS_HZ).await;
    // The agent's place is his: he is no supervisor of it, nor of another call, any more.
    node.trunk
        .bridge(attempt, agent(2))
        .await
        .expect("takes over");
    carrier.line.hears(BOSS_HZ).await;
    deaf_to(&carrier.line, AGENT_HZ).await;
    boss.line.hears(DEBTOR_HZ).await;
    let again = node
        .trunk
        .monitor(attempt, agent(2), Some(MonitorMode::Listen))
        .await;
    assert!(matches!(again, Err(TrunkError::Limit(_))), "{again:?}");
}
