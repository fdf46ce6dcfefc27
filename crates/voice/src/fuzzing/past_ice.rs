//! Behind a finished ICE check: DTLS and SRTP of a browser whose packets are bent on their way. The
//! browser is str0m, in memory and on a clock of its own; only its socket is the system's, because a
//! connection of ours sends by one.

use crate::plane::LegId;
use crate::webrtc::{Front, Hub, News, Peer, Plain};
use std::cell::RefCell;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

const LEG: LegId = LegId(1);
/// How far the clock goes where nobody has anything to say.
const STEP: Duration = Duration::from_millis(5);
/// Steps of a handshake at most: past its longest wait for a repeat that an input may cause.
const SHAKES: usize = 400;
/// Packets of sound that the browser says between two inputs' datagrams.
const SAYS: u64 = 3;
/// Payload type of PCMA.
const PCMA: u8 = 8;
/// Inputs that one connection serves before another takes its place.
const INPUTS: u32 = 200;

/// What an input does: its first octet.
enum Stage {
    /// Its datagrams come instead of the handshake's first.
    Before,
    /// They come in the middle of the handshake.
    Amid,
    /// They come once sound passes.
    After,
    /// Its octets bend the browser's own packets of the handshake.
    BendsHandshake,
    /// And those of its sound.
    BendsSound,
}

impl Stage {
    fn of(octet: u8) -> Self {
        match octet % 5 {
            0 => Self::Before,
            1 => Self::Amid,
            2 => Self::After,
            3 => Self::BendsHandshake,
            _ => Self::BendsSound,
        }
    }
}

/// Changes packets as an input says: three octets a packet.
struct Bends<'a>(std::slice::Chunks<'a, u8>);

impl Bends<'_> {
    /// Whether the packet is another one now.
    fn bend(&mut self, packet: &mut Vec<u8>) -> bool {
        let Some(&[what, at, with]) = self.0.next() else {
            return false;
        };
        let before = packet.clone();
        let at = usize::from(at) * packet.len() / 256;
        match what % 5 {
            0 => {
                if let Some(octet) = packet.get_mut(at) {
                    *octet ^= with;
                }
            }
            1 => packet.truncate(at),
            2 => drop(packet.splice(at..at, std::iter::repeat_n(with, usize::from(what)))),
            3 => drop(packet.drain(..at)),
            _ => {}
        }
        *packet != before
    }
}

/// A connection of ours and its browser.
struct Pair {
    hub: Hub,
    peer: Peer,
    browser: Rtc,
    socket: UdpSocket,
    at: SocketAddr,
    mid: Mid,
    now: Instant,
    seq: u64,
    /// The browser's end of the handshake is done.
    up: bool,
    /// So is ours.
    ours: bool,
    over: bool,
    heard: Vec<Plain>,
    used: u32,
}

impl Pair {
    fn new() -> Option<Self> {
        let now = Instant::now();
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let front = Arc::new(Front::open(here, &[here.ip()]).ok()?);
        let socket = UdpSocket::bind(here).ok()?;
        socket.set_nonblocking(true).ok()?;
        let at = socket.local_addr().ok()?;
        let settings = RtcConfig::new().set_rtp_mode(true).clear_codecs();
        let mut browser = settings.enable_pcma(true, false).build(now);
        browser.add_local_candidate(Candidate::host(at, "udp").ok()?);
        let mut api = browser.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = api.apply()?;
        let seat = front.enter()?;
        let (peer, answer) = Peer::accept(&front, &offer.to_sdp_string(), seat, now).ok()?;
        let answer = SdpAnswer::from_sdp_string(&answer).ok()?;
        browser.sdp_api().accept_answer(pending, answer).ok()?;
        let mut hub = Hub::new(front, now);
        let (ufrag, pass) = peer.credentials();
        hub.put(LEG, ufrag, pass);
        Some(Self {
            hub,
            peer,
            browser,
            socket,
            at,
            mid,
            now,
            seq: 100,
            up: false,
            ours: false,
            over: false,
            heard: Vec::new(),
            used: 0,
        })
    }

    /// A datagram from the browser's address, as the media thread takes it.
    fn deliver(&mut self, datagram: &[u8]) {
        if self.hub.route(datagram, self.at, self.now) == Some(LEG) {
            self.peer
                .receive(datagram, self.at, self.now, &mut self.heard);
            self.news();
        }
    }

    fn news(&mut self) {
        assert!(!self.peer.broke(), "a panic behind ICE");
        match self.peer.news() {
            Some(News::Up) => self.ours = true,
            Some(News::Down) => self.over = true,
            None => {}
        }
    }

    /// Whether the address is checked, so that its DTLS is read.
    fn checked(&mut self) -> bool {
        let hello = [22_u8; 14];
        self.hub.route(&hello, self.at, self.now).is_some()
    }

    /// One turn of both; `bend` may change what the browser sends.
    fn turn(&mut self, bend: &mut impl FnMut(&mut Vec<u8>)) {
        let mut idle = true;
        loop {
            match self.browser.poll_output() {
                Ok(Output::Transmit(out)) => {
                    idle = false;
                    let mut packet = out.contents.to_vec();
                    // Checks stay whole: this is about what comes after them.
                    if packet.first().is_some_and(|first| *first > 3) {
                        bend(&mut packet);
                    }
                    self.deliver(&packet);
                }
                Ok(Output::Event(Event::Connected)) => self.up = true,
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(_)) | Err(_) => break,
            }
        }
        let mut buffer = [0_u8; 2_048];
        while let Ok((n, from)) = self.socket.recv_from(&mut buffer) {
            idle = false;
            let whole = buffer.get(..n).unwrap_or_default();
            if let Ok(got) = Receive::new(Protocol::Udp, from, self.at, whole) {
                let _ = self.browser.handle_input(Input::Receive(self.now, got));
            }
        }
        if idle {
            self.now += STEP;
            let _ = self.browser.handle_input(Input::Timeout(self.now));
            self.peer.tick(self.now, &mut self.heard);
            self.news();
        }
    }

    fn shake(&mut self, bend: &mut impl FnMut(&mut Vec<u8>)) {
        for _ in 0..SHAKES {
            if self.over || (self.up && self.ours) {
                return;
            }
            self.turn(bend);
        }
    }

    /// The browser says a few packets; how many of them came out whole.
    fn says(&mut self, bend: &mut impl FnMut(&mut Vec<u8>)) -> usize {
        self.heard.clear();
        for _ in 0..SAYS {
            self.seq += 1;
            let stamp = u32::try_from(self.seq * 160 % u64::from(u32::MAX)).unwrap_or_default();
            let (pt, seq) = (Pt::from(PCMA), SeqNo::from(self.seq));
            let silence = [0xD5_u8; 160];
            let packet = RtpWrite::new(pt, seq, stamp, self.now, silence.as_slice());
            if let Some(stream) = self.browser.direct_api().stream_tx_by_mid(self.mid, None) {
                stream.write_rtp(packet);
            }
            let _ = self.browser.handle_input(Input::Timeout(self.now));
            for _ in 0..3 {
                self.turn(bend);
            }
        }
        self.heard.len()
    }
}

/// Nothing is changed.
fn whole(_: &mut Vec<u8>) {}

/// Packets on a new connection, until it is up or given up.
fn shakes(stage: &Stage, data: &[u8]) {
    let Some(mut pair) = Pair::new() else { return };
    for _ in 0..SHAKES {
        if pair.checked() {
            break;
        }
        // Nothing but checks gets through so far.
        pair.turn(&mut |packet: &mut Vec<u8>| packet.clear());
    }
    if matches!(stage, Stage::Amid) {
        (0..3).for_each(|_| pair.turn(&mut whole));
    }
    if let Stage::BendsHandshake = stage {
        let mut bends = Bends(data.chunks(3));
        pair.shake(&mut |packet| {
            bends.bend(packet);
        });
    } else {
        super::pieces(data).for_each(|datagram| pair.deliver(datagram));
        pair.shake(&mut whole);
    }
    if pair.up && pair.ours && !pair.over {
        pair.says(&mut whole);
    }
}

/// Packets on a connection that is up: what is not the browser's does nothing, and his sound goes on.
fn sounds(pair: &mut Pair, stage: &Stage, data: &[u8]) {
    if let Stage::BendsSound = stage {
        let (mut bends, mut changed, mut sent) = (Bends(data.chunks(3)), 0, 0);
        let heard = pair.says(&mut |packet| {
            let sound = is_sound(packet);
            let bent = bends.bend(packet);
            sent += usize::from(sound);
            changed += usize::from(sound && bent);
        });
        if !pair.over {
            assert_eq!(heard, sent - changed, "what was changed is not heard");
        }
    } else {
        pair.heard.clear();
        super::pieces(data).for_each(|datagram| pair.deliver(datagram));
        assert!(pair.heard.is_empty(), "nobody said that");
    }
    // An alert or an end of DTLS inside the protection cannot be forged; one outside is no end.
    assert!(!pair.over, "a stranger's packet ended the connection");
    assert!(pair.says(&mut whole) > 0, "the browser is heard");
}

/// RTP, not RTCP (RFC 5761 §4).
fn is_sound(packet: &[u8]) -> bool {
    let kind = packet.get(1).map(|kind| kind & 0x7f);
    packet.first().is_some_and(|first| first >> 6 == 2) && kind == Some(PCMA)
}

/// One input.
pub(super) fn run(data: &[u8]) {
    thread_local! {
        static UP: RefCell<Option<Pair>> = const { RefCell::new(None) };
    }
    let Some((first, data)) = data.split_first() else {
        return;
    };
    let stage = Stage::of(*first);
    if matches!(stage, Stage::Before | Stage::Amid | Stage::BendsHandshake) {
        return shakes(&stage, data);
    }
    UP.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|pair| pair.used >= INPUTS) {
            *kept = Pair::new();
            if let Some(pair) = kept {
                pair.shake(&mut whole);
                assert!(pair.up && pair.ours, "a connection");
            }
        }
        let Some(pair) = kept else { return };
        pair.used += 1;
        sounds(pair, &stage, data);
    });
}
