//! Mutated messages by UDP and TCP against a running room: it stays alive, its memory bounded, and
//! honest traffic is served all the while. A short run each time; `MARCADOR_MUTATIONS=300000` for the
//! long one.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common;
// That room's alone: it may know this one's tests, and not the other way round.
#[path = "../../../sip-test/src/hostile.rs"]
#[expect(unreachable_pub, reason = "public where it is at home")]
mod hostile;

use common::peer::{Peer, Plan, Seen};
use common::{Node, trunk};
use domain::ports::HangUpCause;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use voice::SipTransport;

/// Messages of a short run.
const SHORT: usize = 6_000;

fn wished() -> usize {
    let text = std::env::var("MARCADOR_MUTATIONS").unwrap_or_default();
    text.parse().unwrap_or(SHORT)
}

/// The messages of both RFCs are among what is changed.
fn seeds(node: SocketAddr) -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip/tests");
    let folders = [tests.join("torture"), tests.join("torture6")];
    hostile::seeds(node, &[&folders[0], &folders[1]]).expect("messages")
}

/// Resident memory of this process, bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kb.unwrap_or(0) * 1_024
}

/// Time of one honest OPTIONS; None when no answer came in 2 s.
async fn honest(node: SocketAddr, n: usize) -> Option<Duration> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let at = socket.local_addr().expect("address");
    let options = format!(
        "OPTIONS sip:x@{node} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKh{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: honest{n}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let start = Instant::now();
    let mut buffer = vec![0; 4_000];
    // As any client: again after 500 ms.
    for _ in 0..4 {
        socket
            .send_to(options.as_bytes(), node)
            .await
            .expect("sends");
        let wait = Duration::from_millis(500);
        if let Ok(Ok((n, _))) = tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
            assert!(buffer[..n].starts_with(b"SIP/2.0 200"));
            return Some(start.elapsed());
        }
    }
    None
}

/// Sends over TCP as it comes: cut into pieces, or glued to the next.
async fn by_tcp(to: SocketAddr, stream: &mut Option<TcpStream>, octets: &[u8], cut: usize) {
    if stream.is_none() {
        *stream = TcpStream::connect(to).await.ok();
    }
    let Some(open) = stream else { return };
    let (first, rest) = octets.split_at(cut.min(octets.len()));
    let sent = async {
        open.write_all(first).await?;
        open.write_all(rest).await
    };
    // A lie about its length closes the connection: the next message opens another.
    if !matches!(
        tokio::time::timeout(Duration::from_secs(2), sent).await,
        Ok(Ok(()))
    ) {
        *stream = None;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_broken_messages_hurts_nobody() {
    let count = wished();
    let carrier = Peer::start(Plan::answers(700.0)).await;
    let mut node = Node::start(vec![trunk(carrier.addr)]).await;
    let tcp = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let seeds = seeds(node.sip);
    let mut rng = StdRng::seed_from_u64(7);
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let mut stream = None;
    let mut took = Vec::new();
    let (mut calls, mut early) = (0_u128, 0);
    let started = Instant::now();
    for n in 0..count {
        let octets = hostile::mutate(&mut rng, &seeds);
        if n % 3 == 0 {
            let cut = rng.random_range(0..=octets.len());
            by_tcp(tcp, &mut stream, &octets, cut).await;
            if rng.random_bool(0.02) {
                stream = None;
            }
        } else {
            let _ = socket.send_to(&octets, node.sip).await;
        }
        if n % 200 == 0 {
            took.push(
                honest(node.sip, n)
                    .await
                    .expect("an honest OPTIONS is answered"),
            );
        }
        if n % (count / 4).max(1) == 0 {
            calls += 1;
            let attempt = node.dial(calls, 20_000).await;
            node.answered(attempt).await;
            let ended = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
            ended.expect("hangs up");
            assert_eq!(node.ended(attempt).await.code, Some(200));
        }
        if n == count / 4 {
            early = memory();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    drop(stream);
    took.sort();
    let (half, high) = (took[took.len() / 2], took[took.len() * 95 / 100]);
    let (late, stats) = (memory(), node.handle.stats().await);
    eprintln!(
        "{count} mutated messages in {seconds:.0} s: {} honest OPTIONS p50 {half:.1?} p95 {high:.1?}, \
         {calls} calls, memory {} MB after a quarter, {} MB at the end, {} transactions, {} dropped",
        took.len(),
        early / 1_048_576,
        late / 1_048_576,
        stats.transactions,
        stats.dropped
    );
    assert!(stats.transactions <= 20_000, "{stats:?}");
    let bound = early + 96 * 1_048_576;
    assert!(late <= bound, "memory grew from {early} to {late}");
    assert_eq!(stats.calls, 0, "{stats:?}");
}

/// An INVITE that nobody will acknowledge.
fn stray_invite(node: SocketAddr, from: SocketAddr, n: usize) -> String {
    format!(
        "INVITE sip:+525550001000@{node} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKi{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=i{n}\r\nTo: <sip:x@{node}>\r\nCall-ID: invite{n}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:a@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_calls_stops_no_call_of_ours() {
    const FLOOD: usize = 5_000;
    for from_anyone in [false, true] {
        let mut carrier = Peer::start(Plan::answers(700.0)).await;
        let address = carrier.addr;
        let mut node = Node::configured(|c| {
            c.trunks = vec![trunk(address)];
            c.inbound.from_anyone = from_anyone;
            c.sip_transactions = 300;
        })
        .await;
        let first = node.dial(1, 20_000).await;
        node.answered(first).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
        let at = socket.local_addr().expect("address");
        let mut took = Vec::new();
        let started = Instant::now();
        for n in 0..FLOOD {
            let text = stray_invite(node.sip, at, n);
            socket
                .send_to(text.as_bytes(), node.sip)
                .await
                .expect("sends");
            if n % 100 == 0 {
                let answered = honest(node.sip, n).await;
                took.push(answered.expect("an honest OPTIONS is answered"));
            }
        }
        took.sort();
        let stats = node.handle.stats().await;
        eprintln!(
            "{FLOOD} INVITEs of a stranger in {:.1?}, anyone welcome: {from_anyone}: honest OPTIONS p50 \
             {:.1?} p95 {:.1?}, {} transactions",
            started.elapsed(),
            took[took.len() / 2],
            took[took.len() * 95 / 100],
            stats.transactions
        );
        // Callers that are welcome, and refusals that nobody acknowledges, are bounded; strangers leave
        // nothing.
        let most = if from_anyone { 2_500 } else { 50 };
        assert!(stats.transactions < most, "{stats:?}");
        let second = node.dial(2, 20_000).await;
        node.answered(second).await;
        for attempt in [first, second] {
            let ended = node.trunk.hang_up(attempt, HangUpCause::Normal).await;
            ended.expect("hangs up");
            assert_eq!(node.ended(attempt).await.code, Some(200));
            let told = |s: &Seen| {
                matches!(
                    s,
                    Seen::Ended {
                        by_remote: true,
                        ..
                    }
                )
                .then_some(())
            };
            carrier.sees(told).await;
        }
    }
}

#[tokio::test]
async fn messages_cut_and_glued_on_a_stream_are_each_answered() {
    use tokio::io::AsyncReadExt;
    let node = Node::start(vec![]).await;
    let tcp = node.handle.sip_addr(SipTransport::Tcp).expect("bound");
    let options = |n: usize| {
        format!(
            "OPTIONS sip:x@{tcp} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5999;branch=z9hG4bKs{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: stream{n}\r\n\
             CSeq: {n} OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
        )
    };
    let mut stream = TcpStream::connect(tcp).await.expect("connects");
    let _ = stream.set_nodelay(true);
    // Glued: ten in one piece, with keep-alives between.
    let glued: String = (1..=10).map(|n| options(n) + "\r\n\r\n").collect();
    stream.write_all(glued.as_bytes()).await.expect("writes");
    // Cut: octet by octet.
    for octet in options(11).as_bytes() {
        stream.write_all(&[*octet]).await.expect("writes");
        stream.flush().await.expect("writes");
    }
    let mut got = Vec::new();
    let mut buffer = vec![0; 16_000];
    let answers = |got: &[u8]| {
        let text = String::from_utf8_lossy(got);
        (1..=11_usize)
            .filter(|n| text.contains(&format!("CSeq: {n} OPTIONS")))
            .count()
    };
    let all = async {
        while answers(&got) < 11 {
            let n = stream.read(&mut buffer).await.expect("reads");
            assert!(n > 0, "closed");
            got.extend_from_slice(&buffer[..n]);
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(10), all).await;
    all.expect("each is answered");
    // A framing that is lost closes this connection only.
    stream
        .write_all(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n")
        .await
        .expect("writes");
    let end = async { while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {} };
    let end = tokio::time::timeout(Duration::from_secs(10), end).await;
    end.expect("it is closed");
    assert!(honest(node.sip, 1).await.is_some());
}
