//! No allocation per packet (`voice.md` §4): what the media threads ask of the allocator is counted while calls are
//! bridged, listened in on and recorded, in a program of its own; clear legs, legs by SRTP and legs by browser. What
//! they ask then is shown with where they asked.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "webrtc")]
mod browsers;
mod carrier;
mod counter;
mod signalling;

use carrier::Carrier;
use common::peer::{Peer, Plan, Seen};
use common::{Node, agent, trunk};
use counter::Watch;
use domain::ids::AttemptId;
use domain::ports::{HangUpCause, MonitorMode};
use media::rtcp::SenderInfo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use voice::SipTransport;

/// Calls bridged at once.
const CALLS: u128 = 4;
/// Until every buffer has its size: a few chunks of each recording.
const WARM_UP: Duration = Duration::from_secs(6);
/// How long is counted: RTCP is due once on each leg and each recording hands over a dozen chunks.
const COUNTED: Duration = Duration::from_secs(6);
/// Windows of that length at most until one is without any. A thread that a busy machine held back needs more room
/// once, and keeps it; what is asked for by each packet, chunk or report is in every window.
const WINDOWS: usize = 6;
/// Places that are shown.
const SHOWN: usize = 3;

/// Where the room receives the sound of the call that came.
async fn place(carrier: &mut Peer) -> SocketAddr {
    let rtp = |seen: &Seen| match seen {
        Seen::Invite { rtp, .. } => *rtp,
        _ => None,
    };
    carrier.sees(rtp).await
}

/// Reports of the far ends (RFC 3550 §6.4.1), each second for as long.
async fn report(to: &[SocketAddr], time: Duration) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let info = SenderInfo {
        ssrc: 1,
        ntp: 1 << 40,
        timestamp: 1,
        packets: 1,
        octets: 160,
    };
    let blocks = [media::stats::Block::default()];
    let mut out = [0; 200];
    let n = media::rtcp::sender_report(&info, &blocks, "far", &mut out).expect("fits");
    for _ in 0..time.as_secs() {
        for rtp in to {
            let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
            socket.send_to(&out[..n], rtcp).await.expect("sends");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Calls with an agent each, the last with a supervisor who listens.
async fn calls(node: &mut Node) -> (Vec<Peer>, Vec<AttemptId>) {
    let (mut phones, mut attempts) = (Vec::new(), Vec::new());
    for n in 1..=CALLS {
        phones.push(node.agent(n, 1_300.0).await);
        let attempt = node.dial(n, 20_000).await;
        node.answered(attempt).await;
        node.trunk.bridge(attempt, agent(n)).await.expect("joins");
        attempts.push(attempt);
    }
    let supervisor = CALLS + 1;
    phones.push(node.agent(supervisor, 900.0).await);
    let last = *attempts.last().expect("a call");
    let listen = Some(MonitorMode::Listen);
    let joined = node.trunk.monitor(last, agent(supervisor), listen).await;
    joined.expect("listens");
    (phones, attempts)
}

/// Counts until nothing is asked for; what was in each window, and the packets that the phones heard in the last.
async fn windows(watch: &Watch, phones: &[Peer], places: &[SocketAddr]) -> (Vec<u64>, u64) {
    let packets = || phones.iter().map(|phone| phone.line.packets()).sum::<u64>();
    let (mut made, mut heard) = (Vec::new(), 0);
    while made.len() < WINDOWS && made.last() != Some(&0) {
        let (before, asked) = (packets(), watch.asked());
        report(places, COUNTED).await;
        made.push(watch.asked() - asked);
        heard = packets() - before;
    }
    (made, heard)
}

/// That the thread is watched at all: a recording that begins is made of something.
async fn proves_that_it_counts(watch: &Watch, node: &mut Node) {
    let asked = watch.asked();
    let more = node.dial(99, 20_000).await;
    node.answered(more).await;
    let counts = async {
        while watch.asked() == asked {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let counts = tokio::time::timeout(Duration::from_secs(20), counts).await;
    counts.expect("the thread is watched");
}

async fn end(node: &mut Node, attempts: Vec<AttemptId>) {
    for attempt in attempts {
        let ended = node.trunk.hang_up(attempt, HangUpCause::Normal);
        ended.await.expect("hangs up");
        assert_eq!(node.ended(attempt).await.code, Some(200));
    }
    // Its threads must not be taken for those of the next test.
    node.handle.shutdown().await;
}

fn told(legs: &str, watch: &Watch, (made, heard): (Vec<u64>, u64)) {
    eprintln!(
        "{legs}: allocations of the media thread in windows of {COUNTED:?}: {made:?}; {CALLS} calls bridged and \
         recorded, one of them listened in on, {heard} packets to the agents in the last"
    );
    assert!(heard > 500, "sound passes: {heard}");
    let shown = watch.places();
    assert_eq!(
        made.last(),
        Some(&0),
        "{legs}: {made:?} while {CALLS} calls talk: {shown:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_packet_path_allocates_nothing() {
    let watch = Watch::turn().await;
    let mut carrier = Peer::start(Plan::answers(500.0)).await;
    let address = carrier.addr;
    let mut node = Node::configured(|c| {
        c.trunks = vec![trunk(address)];
        c.media_threads = 1;
    })
    .await;
    let (phones, attempts) = calls(&mut node).await;
    let mut places = Vec::new();
    for _ in 0..CALLS {
        places.push(place(&mut carrier).await);
    }
    report(&places, WARM_UP).await;
    watch.threads("media-", SHOWN);
    let counted = windows(&watch, &phones, &places).await;
    proves_that_it_counts(&watch, &mut node).await;
    watch.nobody();
    end(&mut node, attempts).await;
    told("clear legs", &watch, counted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_packet_path_of_srtp_allocates_nothing() {
    let watch = Watch::turn().await;
    let folder = tempfile::tempdir().expect("folder");
    let authority = folder.path().join("authority.pem");
    let carrier = Carrier::start(&authority, 500.0).await;
    let mut config = trunk(carrier.addr);
    config.transport = SipTransport::Tls;
    config.ping = false;
    config.policy.tls.ca_file = Some(authority);
    config.policy.tls.name = Some(carrier::NAME.into());
    let mut node = Node::configured(|c| {
        c.trunks = vec![config];
        c.media_threads = 1;
    })
    .await;
    let (phones, attempts) = calls(&mut node).await;
    // Both ways through the keys, before anything is counted.
    phones[0].line.hears(500.0).await;
    carrier
        .line
        .becomes("hears the agents", |line| line.packets() > 100)
        .await;
    report(&[], WARM_UP).await;
    watch.threads("media-", SHOWN);
    let before = carrier.line.packets();
    let counted = windows(&watch, &phones, &[]).await;
    assert!(carrier.line.packets() > before + 500, "sealed sound leaves");
    proves_that_it_counts(&watch, &mut node).await;
    watch.nobody();
    end(&mut node, attempts).await;
    told("the debtors' legs by SRTP", &watch, counted);
}
