//! A browser's connection made of str0m: offers, checks, shakes hands, speaks a tone and listens.

use super::audio::{Line, hear};
use media::dtmf::{Digit, Press, Receiver};
use media::g711::Law;
use media::tones::Tone;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use str0m::change::SdpAnswer;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

const KEYS_PT: u8 = 126;
const TICK: Duration = Duration::from_millis(20);

/// A connection being offered.
pub struct Offered {
    rtc: Rtc,
    socket: UdpSocket,
    pending: str0m::change::SdpPendingOffer,
    mid: Mid,
    pub offer: String,
}

/// A connection at work; it ends with the value.
pub struct Browser {
    pub line: Arc<Line>,
    pub addr: SocketAddr,
    sent: Arc<AtomicU64>,
    wish: Arc<Mutex<f64>>,
    keys: mpsc::SyncSender<char>,
    stop: Arc<AtomicBool>,
    cut: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Offered {
    /// An offer of PCMA and telephone-event.
    pub fn new() -> Self {
        let mut config = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_pcma(true, false);
        config.codec_config().add_config(
            Pt::from(KEYS_PT),
            None,
            Codec::Tele,
            Frequency::EIGHT_KHZ,
            None,
            FormatParams::default(),
        );
        let mut rtc = config.build(Instant::now());
        let socket = UdpSocket::bind("127.0.0.1:0").expect("port");
        let addr = socket.local_addr().expect("address");
        rtc.add_local_candidate(Candidate::host(addr, "udp").expect("host"));
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply().expect("an offer");
        Self {
            rtc,
            socket,
            pending,
            mid,
            offer: offer.to_sdp_string(),
        }
    }

    /// Takes the answer and goes to work, speaking `hz`; 0 is silence.
    pub fn answered(mut self, answer: &str, hz: f64) -> Browser {
        let answer = SdpAnswer::from_sdp_string(answer).expect("an answer");
        self.rtc
            .sdp_api()
            .accept_answer(self.pending, answer)
            .expect("fits the offer");
        let line = Arc::new(Line::default());
        let wish = Arc::new(Mutex::new(hz));
        let (keys, pressed) = mpsc::sync_channel(8);
        let stop = Arc::new(AtomicBool::new(false));
        let cut = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let addr = self.socket.local_addr().expect("address");
        let mut work = Work {
            rtc: self.rtc,
            socket: self.socket,
            addr,
            mid: self.mid,
            line: Arc::clone(&line),
            wish: Arc::clone(&wish),
            tone: (hz, Tone::sine(hz.max(1.0), 0.3)),
            pressed,
            press: None,
            keys: Receiver::default(),
            seq: 100,
            stamp: 0,
            sent: Arc::clone(&sent),
            up: false,
        };
        let (ends, cuts) = (Arc::clone(&stop), Arc::clone(&cut));
        let thread = std::thread::spawn(move || work.run(&ends, &cuts));
        Browser {
            line,
            addr,
            sent,
            wish,
            keys,
            stop,
            cut,
            thread: Some(thread),
        }
    }
}

impl Browser {
    /// Speaks another tone; 0 is silence.
    pub fn speak(&self, hz: f64) {
        *self.wish.lock().expect("not poisoned") = hz;
    }

    pub fn press(&self, digit: char) {
        let _ = self.keys.try_send(digit);
    }

    /// RTP packets sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Its network is gone, or back.
    pub fn cut(&self, on: bool) {
        self.cut.store(on, Ordering::Relaxed);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    rtc: Rtc,
    socket: UdpSocket,
    addr: SocketAddr,
    mid: Mid,
    line: Arc<Line>,
    wish: Arc<Mutex<f64>>,
    tone: (f64, Tone),
    pressed: mpsc::Receiver<char>,
    press: Option<(Press, u32)>,
    keys: Receiver,
    seq: u64,
    stamp: u32,
    sent: Arc<AtomicU64>,
    up: bool,
}

impl Work {
    fn run(&mut self, stop: &AtomicBool, cut: &AtomicBool) {
        let mut turn = Instant::now();
        let mut buffer = [0_u8; 2_048];
        while !stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            let lost = cut.load(Ordering::Relaxed);
            if now >= turn {
                turn += TICK;
                if self.up {
                    self.speak(now);
                }
            }
            let wake = self.drain(lost).min(turn);
            let wait = wake.saturating_duration_since(Instant::now());
            let wait = wait.max(Duration::from_micros(200));
            self.socket.set_read_timeout(Some(wait)).expect("a wait");
            let came = self.socket.recv_from(&mut buffer);
            let now = Instant::now();
            if let Ok((n, from)) = came
                && !lost
                && let Ok(got) = Receive::new(Protocol::Udp, from, self.addr, &buffer[..n])
            {
                let _ = self.rtc.handle_input(Input::Receive(now, got));
            }
            let _ = self.rtc.handle_input(Input::Timeout(now));
        }
    }

    fn drain(&mut self, lost: bool) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return at,
                Ok(Output::Transmit(t)) if lost => drop(t),
                Ok(Output::Transmit(t)) => {
                    let _ = self.socket.send_to(&t.contents, t.destination);
                }
                Ok(Output::Event(Event::Connected)) => self.up = true,
                Ok(Output::Event(Event::RtpPacket(p))) => {
                    let mut plain = vec![0x80, *p.header.payload_type];
                    plain.extend(p.header.sequence_number.to_be_bytes());
                    plain.extend(p.header.timestamp.to_be_bytes());
                    plain.extend(p.header.ssrc.to_be_bytes());
                    plain.extend(&*p.payload);
                    hear(&self.line, &plain, &mut self.keys);
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return Instant::now() + TICK,
            }
        }
    }

    fn speak(&mut self, now: Instant) {
        if let Ok(digit) = self.pressed.try_recv() {
            let digit = Digit::from_char(digit).expect("a key");
            self.press = Some((Press::new(digit, 100), self.stamp));
        }
        if let Some((packets, at)) = &mut self.press {
            let at = *at;
            match packets.next() {
                Some(event) => self.write(KEYS_PT, at, &event.payload, event.marker, now),
                None => self.press = None,
            }
            self.stamp += 160;
            return;
        }
        let hz = *self.wish.lock().expect("not poisoned");
        if (hz - self.tone.0).abs() > f64::EPSILON {
            self.tone = (
                hz,
                Tone::sine(hz.max(1.0), if hz > 0.0 { 0.3 } else { 0.0 }),
            );
        }
        let mut pcm = [0_i16; 160];
        self.tone.1.fill(&mut pcm);
        let mut payload = [0_u8; 160];
        Law::A.encode_into(&pcm, &mut payload);
        self.write(8, self.stamp, &payload, false, now);
        self.stamp += 160;
    }

    fn write(&mut self, kind: u8, stamp: u32, payload: &[u8], marker: bool, now: Instant) {
        self.seq += 1;
        let packet = RtpWrite::new(Pt::from(kind), SeqNo::from(self.seq), stamp, now, payload);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(self.mid, None) {
            stream.write_rtp(packet.marker(marker));
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }
}
