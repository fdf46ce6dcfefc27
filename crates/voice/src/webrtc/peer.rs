//! One browser's connection: ICE, DTLS and SRTP around the plain RTP that a leg speaks.
//!
//! A leg writes and reads whole RTP packets, as a phone's leg does on its socket; what goes over the
//! wire is str0m's. Nothing here waits or reads a clock.

use super::front::{Front, Seat};
use crate::limits;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use str0m::change::SdpOffer;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpPacket, RtpWrite, SeqNo};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcConfig};

/// Id of the only header extension we know, as browsers number it.
const MID_EXTENSION: u8 = 4;
/// Octets of an RTP header without extensions.
const HEADER: usize = 12;
/// Most octets of one plain packet that is passed on: 60 ms of G.711 and the header.
const PLAIN: usize = 512;

/// Why an offer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Not an offer that can be read.
    #[error("the offer cannot be read")]
    Unreadable,
    /// Anything but exactly one sound line.
    #[error("the offer must have one audio line and nothing else")]
    NotOneAudio,
    /// No G.711.
    #[error("the offer has neither PCMA nor PCMU")]
    NoCodec,
}

/// A plain RTP packet that came out of the connection.
pub(crate) struct Plain {
    bytes: [u8; PLAIN],
    len: usize,
}

impl Plain {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What became of a connection since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Media may flow.
    Up,
    /// It ended: closed by the browser, fingerprint wrong, no handshake in time, or a fault of ours.
    Down,
}

/// A browser's connection.
pub(crate) struct Peer {
    rtc: Rtc,
    socket: Arc<UdpSocket>,
    /// The address str0m believes to be reached at.
    local: SocketAddr,
    creds: IceCreds,
    mid: Mid,
    /// Next instant at which str0m wants to be called.
    wake: Instant,
    born: Instant,
    connected: bool,
    over: bool,
    news: Option<News>,
    /// A panic was caught.
    #[cfg(any(test, feature = "fuzzing"))]
    broke: bool,
    /// Extended number of the last packet we sent (SRTP's rollover counter hangs on it).
    sent: Option<u64>,
    /// Payload type of telephone-event, where the browser has one.
    dtmf: Option<u8>,
    /// Counted as long as it lives.
    _seat: Seat,
}

impl Peer {
    /// Takes an offer: the connection and its answer.
    pub(crate) fn accept(
        front: &Front,
        offer: &str,
        seat: Seat,
        now: Instant,
    ) -> Result<(Self, String), Refused> {
        if offer.len() > limits::SDP_BYTES {
            return Err(Refused::Unreadable);
        }
        one_audio(offer)?;
        // The parser is not ours: what it cannot digest costs this offer, not the thread.
        catch_unwind(AssertUnwindSafe(|| Self::answer(front, offer, seat, now)))
            .unwrap_or(Err(Refused::Unreadable))
    }

    fn answer(
        front: &Front,
        offer: &str,
        seat: Seat,
        now: Instant,
    ) -> Result<(Self, String), Refused> {
        let offer = SdpOffer::from_sdp_string(offer).map_err(|_| Refused::Unreadable)?;
        let creds = front.credentials();
        let mut rtc = settings(front, creds.clone()).build(now);
        for addr in front.candidates() {
            let host = Candidate::host(*addr, "udp").map_err(|_| Refused::Unreadable)?;
            rtc.add_local_candidate(host);
        }
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|_| Refused::Unreadable)?
            .to_sdp_string();
        let mid = answer.lines().find_map(|line| line.strip_prefix("a=mid:"));
        let mid = Mid::from(mid.ok_or(Refused::NotOneAudio)?.trim());
        let local = *front.candidates().first().ok_or(Refused::Unreadable)?;
        let mut peer = Self {
            rtc,
            socket: front.socket(),
            local,
            creds,
            mid,
            wake: now,
            born: now,
            connected: false,
            over: false,
            news: None,
            #[cfg(any(test, feature = "fuzzing"))]
            broke: false,
            sent: None,
            dtmf: None,
            _seat: seat,
        };
        let media = peer.rtc.media(mid).ok_or(Refused::NotOneAudio)?;
        if media.kind() != MediaKind::Audio || media.direction() != Direction::SendRecv {
            return Err(Refused::NotOneAudio);
        }
        if !peer.has(Codec::PCMA) && !peer.has(Codec::PCMU) {
            return Err(Refused::NoCodec);
        }
        peer.dtmf = peer.payload_type(Codec::Tele).map(|pt| *pt);
        Ok((peer, answer))
    }

    /// User fragment and password of our side: what a browser proves itself by.
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.creds.ufrag, &self.creds.pass)
    }

    /// The codec we send; static payload types, so the browser reads either.
    pub(crate) fn sends_pcma(&self) -> bool {
        self.has(Codec::PCMA)
    }

    /// Payload type of telephone-event, where agreed.
    pub(crate) fn dtmf(&self) -> Option<u8> {
        self.dtmf
    }

    /// What happened since the last call.
    pub(crate) fn news(&mut self) -> Option<News> {
        self.news.take()
    }

    /// Whether a panic was caught.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn broke(&self) -> bool {
        self.broke
    }

    fn has(&self, codec: Codec) -> bool {
        self.payload_type(codec).is_some()
    }

    fn payload_type(&self, codec: Codec) -> Option<Pt> {
        let remote = self.rtc.media(self.mid)?.remote_pts();
        let rate = Frequency::EIGHT_KHZ;
        let known = self.rtc.codec_config().find(|p| {
            p.spec().codec == codec && p.spec().clock_rate == rate && remote.contains(&p.pt())
        });
        known.map(str0m::format::PayloadParams::pt)
    }

    /// One datagram of the browser; the plain RTP packets it brought go to `heard`.
    pub(crate) fn receive(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
        heard: &mut Vec<Plain>,
    ) {
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, datagram) else {
            return;
        };
        self.guarded(now, heard, |rtc| {
            rtc.handle_input(Input::Receive(now, receive))
        });
    }

    /// Lets time pass: handshakes, reports.
    pub(crate) fn tick(&mut self, now: Instant, heard: &mut Vec<Plain>) {
        if !self.connected && now.saturating_duration_since(self.born) > limits::DTLS_HANDSHAKE {
            self.end();
        }
        if !self.over && now >= self.wake {
            self.guarded(now, heard, |rtc| rtc.handle_input(Input::Timeout(now)));
        }
    }

    /// Sends a plain RTP packet; `false` when it cannot leave.
    pub(crate) fn send(&mut self, packet: &[u8], now: Instant) -> bool {
        if !self.connected || self.over {
            return false;
        }
        let mid = self.mid;
        let Some((head, payload)) = packet.split_at_checked(HEADER) else {
            return false;
        };
        let pt = Pt::from(head[1] & 0x7f);
        let seq = self.extend(u16::from_be_bytes([head[2], head[3]]));
        let stamp = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let write =
            RtpWrite::new(pt, SeqNo::from(seq), stamp, now, payload).marker(head[1] & 0x80 != 0);
        let mut sent = false;
        self.guarded(now, &mut Vec::new(), |rtc| {
            if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
                stream.write_rtp(write);
                sent = true;
            }
            rtc.handle_input(Input::Timeout(now))
        });
        sent && !self.over
    }

    /// Tells the browser that we end.
    pub(crate) fn say_bye(&mut self, now: Instant) {
        if self.connected && !self.over {
            self.guarded(now, &mut Vec::new(), |rtc| {
                rtc.close()?;
                rtc.handle_input(Input::Timeout(now))
            });
        }
    }

    /// The extended number nearest to the last (RFC 3711 §3.3.1).
    fn extend(&mut self, seq: u16) -> u64 {
        let extended = match self.sent {
            None => u64::from(seq),
            Some(last) => {
                let low = u16::try_from(last & 0xffff).unwrap_or(0);
                let step = seq.wrapping_sub(low).cast_signed();
                last.saturating_add_signed(i64::from(step))
            }
        };
        self.sent = Some(self.sent.map_or(extended, |last| last.max(extended)));
        extended
    }

    /// Runs str0m and sends what it has. A panic of it ends this connection and no other.
    fn guarded(
        &mut self,
        now: Instant,
        heard: &mut Vec<Plain>,
        work: impl FnOnce(&mut Rtc) -> Result<(), str0m::RtcError>,
    ) {
        if self.over {
            return;
        }
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let done = work(&mut self.rtc);
            self.drain(heard);
            done
        }));
        let fine = match worked {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a browser's connection");
                true
            }
            Err(_) => {
                tracing::error!("a browser's connection broke and is given up");
                #[cfg(any(test, feature = "fuzzing"))]
                {
                    self.broke = true;
                }
                false
            }
        };
        if !fine || !self.rtc.is_alive() {
            self.end();
        }
        self.wake = self.wake.max(now);
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.news = Some(News::Down);
        }
    }

    fn drain(&mut self, heard: &mut Vec<Plain>) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return;
                }
                // A full send buffer loses a packet, as the network does.
                Ok(Output::Transmit(out)) => {
                    drop(self.socket.send_to(&out.contents, out.destination));
                }
                Ok(Output::Event(event)) => self.event(event, heard),
                Err(error) => {
                    tracing::debug!(%error, "a browser's connection");
                    return self.end();
                }
            }
        }
    }

    fn event(&mut self, event: Event, heard: &mut Vec<Plain>) {
        match event {
            Event::Connected => {
                self.connected = true;
                self.news = Some(News::Up);
            }
            Event::RtpPacket(packet) => heard.extend(plain(&packet)),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                tracing::debug!("a browser went silent");
            }
            _ => {}
        }
    }
}

/// What str0m is told of us: G.711 and keys, nothing else; we answer checks and make none.
fn settings(front: &Front, creds: IceCreds) -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_local_ice_credentials(creds)
        .set_dtls_cert(front.certificate())
        .set_stats_interval(None)
        .clear_extension_map()
        .set_extension(MID_EXTENSION, Extension::RtpMid)
        .clear_codecs()
        .enable_pcma(true, false)
        .enable_pcmu(true, false);
    config.codec_config().add_config(
        Pt::from(limits::DTMF_PT),
        None,
        Codec::Tele,
        Frequency::EIGHT_KHZ,
        None,
        FormatParams::default(),
    );
    config
}

/// Whether the offer has one sound line and no other.
fn one_audio(offer: &str) -> Result<(), Refused> {
    let mut lines = offer.lines().filter(|line| line.starts_with("m="));
    match (lines.next(), lines.next()) {
        (Some(line), None) if line.starts_with("m=audio ") => Ok(()),
        _ => Err(Refused::NotOneAudio),
    }
}

/// The packet as a phone would have sent it.
fn plain(packet: &RtpPacket) -> Option<Plain> {
    let len = HEADER + packet.payload.len();
    let mut bytes = [0_u8; PLAIN];
    bytes.get(..len)?;
    bytes[0] = 2 << 6;
    bytes[1] = u8::from(packet.header.marker) << 7 | (*packet.header.payload_type & 0x7f);
    bytes[2..4].copy_from_slice(&packet.header.sequence_number.to_be_bytes());
    bytes[4..8].copy_from_slice(&packet.header.timestamp.to_be_bytes());
    bytes[8..12].copy_from_slice(&packet.header.ssrc.to_be_bytes());
    bytes[HEADER..len].copy_from_slice(&packet.payload);
    Some(Plain { bytes, len })
}
