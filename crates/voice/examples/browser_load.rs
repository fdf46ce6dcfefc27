//! What an agent's leg by browser costs: N connections made of str0m speak and listen to a voice
//! room in this process; the CPU of its media threads is read from the system, by thread, so that
//! the load's own does not count.
//!
//!     cargo run --release -p voice --example browser_load -- 50 20      # legs, seconds
//!
//! Prints one line of JSON: CPU of the media threads without legs and with them, percent of one
//! core, and the difference a leg; packets each way; what was lost.

#![expect(clippy::expect_used, reason = "a load that cannot go on says why")]

use domain::ids::AgentId;
use domain::ports::{Clock, Trunk, TrunkReport};
use domain::time::UtcMs;
use media::g711::Law;
use media::tones::Tone;
use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use voice::{Voice, VoiceConfig};

const TICK: Duration = Duration::from_millis(20);
/// Longest wait for all legs.
const START: Duration = Duration::from_secs(60);

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcMs {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        UtcMs(i64::try_from(since.as_millis()).expect("fits"))
    }
}

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    heard: AtomicU64,
    up: AtomicU64,
}

struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    addr: SocketAddr,
    mid: Mid,
    up: bool,
    seq: u64,
    next: Instant,
    wake: Instant,
    tone: Tone,
}

impl Client {
    async fn connect(trunk: &Arc<dyn Trunk>, n: u32) -> Self {
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .clear_extension_map()
            .enable_pcma(true, false)
            .build(Instant::now());
        let socket = UdpSocket::bind("127.0.0.1:0").expect("port");
        socket.set_nonblocking(true).expect("nonblocking");
        let addr = socket.local_addr().expect("address");
        rtc.add_local_candidate(Candidate::host(addr, "udp").expect("host"));
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply().expect("an offer");
        let agent = AgentId(uuid::Uuid::from_u128(u128::from(n) + 1));
        let answer = trunk
            .open_browser_leg(agent, offer.to_sdp_string())
            .await
            .expect("answered");
        let answer = SdpAnswer::from_sdp_string(&answer).expect("an answer");
        rtc.sdp_api().accept_answer(pending, answer).expect("fits");
        let now = Instant::now();
        Self {
            rtc,
            socket,
            addr,
            mid,
            up: false,
            seq: 1,
            // Spread over a frame, as people are.
            next: now + TICK * (n % 20) / 20,
            wake: now,
            tone: Tone::sine(700.0, 0.3),
        }
    }

    fn work(&mut self, buffer: &mut [u8], counts: &Counts) {
        let mut touched = false;
        while let Ok((n, from)) = self.socket.recv_from(buffer) {
            if let Ok(got) = Receive::new(Protocol::Udp, from, self.addr, &buffer[..n]) {
                let _ = self.rtc.handle_input(Input::Receive(Instant::now(), got));
                touched = true;
            }
        }
        let now = Instant::now();
        if now >= self.next {
            self.next += TICK;
            if self.up {
                self.speak(now);
                counts.sent.fetch_add(1, Ordering::Relaxed);
                touched = true;
            }
        }
        if touched || now >= self.wake {
            let _ = self.rtc.handle_input(Input::Timeout(now));
            self.drain(counts);
        }
    }

    fn speak(&mut self, now: Instant) {
        let mut pcm = [0_i16; 160];
        self.tone.fill(&mut pcm);
        let mut payload = [0_u8; 160];
        Law::A.encode_into(&pcm, &mut payload);
        self.seq += 1;
        let stamp = u32::try_from(self.seq * 160 % (1 << 32)).unwrap_or(0);
        let packet = RtpWrite::new(Pt::from(8), SeqNo::from(self.seq), stamp, now, payload);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(self.mid, None) {
            stream.write_rtp(packet);
        }
    }

    fn drain(&mut self, counts: &Counts) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return;
                }
                Ok(Output::Transmit(t)) => {
                    let _ = self.socket.send_to(&t.contents, t.destination);
                }
                Ok(Output::Event(Event::Connected)) => {
                    self.up = true;
                    counts.up.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Output::Event(Event::RtpPacket(_))) => {
                    counts.heard.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return,
            }
        }
    }
}

/// CPU time so far of threads whose name starts with `media-`, seconds.
fn media_cpu() -> f64 {
    let mut ticks = 0_u32;
    for task in std::fs::read_dir("/proc/self/task")
        .expect("Linux")
        .flatten()
    {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if !name.starts_with("media-") {
            continue;
        }
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        // utime and stime are the 14th and 15th fields; the name was the second.
        for field in fields.split_whitespace().skip(11).take(2) {
            ticks += field.parse::<u32>().unwrap_or(0);
        }
    }
    f64::from(ticks) / 100.0
}

fn measure(seconds: u64) -> f64 {
    let (from, at) = (media_cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(seconds));
    (media_cpu() - from) / at.elapsed().as_secs_f64() * 100.0
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let legs: u32 = args.next().map_or(50, |t| t.parse().expect("legs"));
    let seconds: u64 = args.next().map_or(20, |t| t.parse().expect("seconds"));
    let folder = std::env::temp_dir();
    let phones = |_: &str| None;
    let mut config = VoiceConfig::loopback(Arc::new(SystemClock), Arc::new(phones), folder);
    config.browsers = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.media_threads = 1;
    let mut room = Voice::start(config).await.expect("starts");
    let idle = measure(3);
    let counts = Arc::new(Counts::default());
    let mut clients = Vec::new();
    for n in 0..legs {
        clients.push(Client::connect(&room.trunk, n).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (ends, counted) = (Arc::clone(&stop), Arc::clone(&counts));
    let load = std::thread::Builder::new()
        .name("load".into())
        .spawn(move || {
            let mut buffer = [0_u8; 2_048];
            while !ends.load(Ordering::Relaxed) {
                for client in &mut clients {
                    client.work(&mut buffer, &counted);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        })
        .expect("a thread");
    let mut proved = 0;
    let limit = Instant::now() + START;
    while proved < legs && Instant::now() < limit {
        let report = tokio::time::timeout(Duration::from_secs(1), room.reports.recv()).await;
        if let Ok(Some(TrunkReport::AgentLegUp { .. })) = report {
            proved += 1;
        }
    }
    let (sent, heard) = (
        counts.sent.load(Ordering::Relaxed),
        counts.heard.load(Ordering::Relaxed),
    );
    let busy = tokio::task::spawn_blocking(move || measure(seconds))
        .await
        .expect("measured");
    let sent = counts.sent.load(Ordering::Relaxed) - sent;
    let heard = counts.heard.load(Ordering::Relaxed) - heard;
    stop.store(true, Ordering::Relaxed);
    let _ = load.join();
    room.handle.shutdown().await;
    let line = format!(
        "{{\"legs\":{proved},\"seconds\":{seconds},\"idle_cpu_percent\":{idle:.2},\"media_cpu_percent\":{busy:.2},\
         \"cpu_percent_per_leg\":{:.4},\"packets_to_server\":{sent},\"packets_from_server\":{heard},\"expected_each_way\":{}}}\n",
        (busy - idle) / f64::from(proved.max(1)),
        u64::from(proved) * seconds * 50,
    );
    let _ = std::io::stdout().write_all(line.as_bytes());
}
