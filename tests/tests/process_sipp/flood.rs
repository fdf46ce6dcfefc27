//! Mutated messages by UDP and TCP against the program as it is served (`faults.md` §6): it lives, its memory is
//! bounded, and all the while OPTIONS are answered, an agent talks on and another gets a call. A short run each time;
//! `MARCADOR_MUTATIONS=300000` for the long one, figures on standard error.

use crate::lines::{Hall, carrier};
use marcador_tests::house::top;
use marcador_tests::process::long_tests;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sip_test::hostile;
use std::net::{SocketAddr, TcpListener, UdpSocket as StdUdp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};

/// Messages of a short run.
const SHORT: usize = 6_000;
/// Most that the program may grow after a quarter of them, bytes.
const GROWTH: u64 = 64 << 20;
/// Time to its end once it is asked to.
const END: Duration = Duration::from_secs(30);

fn wished() -> usize {
    let text = std::env::var("MARCADOR_MUTATIONS").unwrap_or_default();
    text.parse().unwrap_or(SHORT)
}

/// A port that is free by UDP and by TCP.
fn free() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let at = listener.local_addr().expect("address");
        if StdUdp::bind(at).is_ok() {
            return at.port();
        }
    }
    panic!("no port is free both ways");
}

/// Resident memory of a process, bytes.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kb.expect("a size") * 1_024
}

/// Time of one honest OPTIONS, asked again after 500 ms as any client does; none when no answer came in 2 s.
async fn honest(server: SocketAddr, n: usize) -> Option<Duration> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("port");
    let at = socket.local_addr().expect("address");
    let options = format!(
        "OPTIONS sip:x@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKh{n};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: honest{n}\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    let start = Instant::now();
    let mut buffer = vec![0; 4_000];
    for _ in 0..4 {
        socket
            .send_to(options.as_bytes(), server)
            .await
            .expect("sends");
        let answer = socket.recv_from(&mut buffer);
        if let Ok(Ok((n, _))) = tokio::time::timeout(Duration::from_millis(500), answer).await {
            assert!(buffer[..n].starts_with(b"SIP/2.0 200"));
            return Some(start.elapsed());
        }
    }
    None
}

/// What the flood came to.
struct Told {
    sent: usize,
    seconds: f64,
    /// Of honest OPTIONS, in order of length.
    took: Vec<Duration>,
    /// After a quarter, and at the end.
    memory: [u64; 2],
}

struct Flood {
    server: SocketAddr,
    seeds: Vec<Vec<u8>>,
    rng: StdRng,
    udp: UdpSocket,
    tcp: Option<TcpStream>,
}

impl Flood {
    async fn new(server: SocketAddr) -> Self {
        let [one, two] =
            ["torture", "torture6"].map(|name| top().join("crates/sip/tests").join(name));
        Self {
            server,
            seeds: hostile::seeds(server, &[&one, &two]).expect("messages"),
            rng: StdRng::seed_from_u64(11),
            udp: UdpSocket::bind("127.0.0.1:0").await.expect("port"),
            tcp: None,
        }
    }

    /// One message; each third by TCP, in two pieces, glued to what was sent before.
    async fn send(&mut self, n: usize) {
        let octets = hostile::mutate(&mut self.rng, &self.seeds);
        if !n.is_multiple_of(3) {
            let _ = self.udp.send_to(&octets, self.server).await;
            return;
        }
        if self.tcp.is_none() || self.rng.random_bool(0.02) {
            self.tcp = TcpStream::connect(self.server).await.ok();
        }
        let cut = self.rng.random_range(0..=octets.len());
        let Some(open) = &mut self.tcp else { return };
        let sent = async {
            open.write_all(&octets[..cut]).await?;
            open.write_all(&octets[cut..]).await
        };
        // A lie about its length closes the connection: the next message opens another.
        let sent = tokio::time::timeout(Duration::from_secs(2), sent).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.tcp = None;
        }
    }

    /// So many messages, and on until the other agent has his call.
    async fn run(mut self, count: usize, pid: u32, served: &AtomicBool) -> Told {
        let start = Instant::now();
        let (mut took, mut early, mut sent) = (Vec::new(), 0, 0);
        while sent < count || !served.load(Ordering::Relaxed) {
            self.send(sent).await;
            if sent % 200 == 0 {
                let answer = honest(self.server, sent).await;
                took.push(answer.expect("an honest OPTIONS is answered"));
            }
            if sent == count / 4 {
                early = memory(pid);
            }
            sent += 1;
        }
        took.sort();
        Told {
            sent,
            seconds: start.elapsed().as_secs_f64(),
            took,
            memory: [early, memory(pid)],
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_broken_messages_hurts_nobody_at_work() {
    if !long_tests() {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    let carrier = carrier(dir, None).await;
    let port = free();
    let sip = format!("bind = [\"udp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{port}\"]");
    let trunk = format!("uri = \"sip:{}\"", carrier.address());
    let lines = (&*sip, &*trunk);
    let mut hall = Hall::at(dir, port, lines, &["gestora", "segunda"], 2).await;
    let first = hall.called().await;
    hall.speaks(0, true);
    let (pid, served) = (hall.service.pid(), AtomicBool::new(false));
    let flood = Flood::new(hall.us).await;
    let second = async {
        let (login, desk, _) = &hall.people[1];
        let ready = serde_json::json!({"state": "ready"});
        login.post("/agents/me/state", ready).await;
        let attempt = desk.talks().await;
        served.store(true, Ordering::Relaxed);
        attempt
    };
    let (told, second) = tokio::join!(flood.run(wished(), pid, &served), second);
    let at = |pct: usize| told.took[(told.took.len() - 1) * pct / 100];
    let [early, late] = told.memory.map(|bytes| bytes >> 20);
    eprintln!(
        "{} mutated messages to the running server in {:.0} s: {} honest OPTIONS p50 {:.1?} p95 {:.1?}, memory {early} MB \
         after a quarter, {late} MB at the end",
        told.sent,
        told.seconds,
        told.took.len(),
        at(50),
        at(95),
    );
    assert!(
        told.memory[1] <= told.memory[0] + GROWTH,
        "it grew from {early} to {late} MB"
    );
    hall.speaks(1, true);
    for (_, debtor) in hall.heard().await {
        assert!(debtor > 0.5, "the debtor is heard: {debtor}");
    }
    for (who, attempt) in [first, second].iter().enumerate() {
        hall.ask(who, attempt, "hangup", serde_json::json!({}))
            .await;
        let desk = &hall.people[who].1;
        desk.until("the end", |me| me["state"] != "talking").await;
        hall.dispose(who, attempt).await;
    }
    assert!(hall.service.stop(END).expect("ends"), "TERM ends it well");
    let summary = carrier.stop().await;
    assert_eq!((summary.answered, summary.live), (2, 0));
}
