//! The `media` room as the legs use it: monotonic instants instead of milliseconds, the product's
//! codec names, buffers that live with the leg.

use super::tx::{Head, Tx};
use crate::config::Codec;
use crate::limits::FRAME;
use crate::wall::ms;
use media::dtmf::{Digit, Heard, Press, Receiver};
use media::g711::Law;
use media::jitter::{Config, JitterBuffer, Pulled};
use media::prompt::Prompt;
use media::rtcp::{self, SenderInfo};
use media::rtp::{self, HEADER_BYTES};
use media::stats::{Block, Reception};
use std::sync::Arc;
use std::time::Instant;

/// How long a key we send lasts, milliseconds; Q.24 asks receivers to take 40.
const KEY_MS: u16 = 100;
/// Name of our streams in RTCP (RFC 3550 §6.5.1): one for all, it must not tell who we are.
const CNAME: &str = "marcador";

/// An RTP packet as read.
pub(super) struct Packet<'a> {
    pub(super) kind: u8,
    pub(super) ssrc: u32,
    pub(super) seq: u16,
    pub(super) stamp: u32,
    pub(super) payload: &'a [u8],
}

/// Reads RTP; `None` for what is none, RTCP on the same port included.
pub(super) fn read_rtp(datagram: &[u8]) -> Option<Packet<'_>> {
    if rtp::is_rtcp(datagram) {
        return None;
    }
    let packet = rtp::parse(datagram).ok()?;
    Some(Packet {
        kind: packet.payload_type,
        ssrc: packet.ssrc,
        seq: packet.sequence,
        stamp: packet.timestamp,
        payload: packet.payload,
    })
}

/// Writes an RTP packet; bytes used, 0 when it does not fit.
pub(super) fn write_rtp(head: Head, kind: u8, payload: &[u8], buffer: &mut [u8]) -> usize {
    let Some(out) = buffer.get_mut(..HEADER_BYTES + payload.len()) else {
        return 0;
    };
    out[0] = 2 << 6;
    out[1] = u8::from(head.marker) << 7 | kind & 0x7f;
    out[2..4].copy_from_slice(&head.seq.to_be_bytes());
    out[4..8].copy_from_slice(&head.stamp.to_be_bytes());
    out[8..12].copy_from_slice(&head.ssrc.to_be_bytes());
    out[12..].copy_from_slice(payload);
    out.len()
}

fn law(codec: Codec) -> Law {
    match codec {
        Codec::Pcmu => Law::Mu,
        Codec::Pcma => Law::A,
    }
}

/// Codec of a static payload type.
pub(super) fn codec_of(kind: u8) -> Option<Codec> {
    Law::from_payload_type(kind).map(|law| match law {
        Law::Mu => Codec::Pcmu,
        Law::A => Codec::Pcma,
    })
}

/// Payload type of a codec.
pub(super) fn kind_of(codec: Codec) -> u8 {
    law(codec).payload_type()
}

pub(super) fn decode(codec: Codec, payload: &[u8], pcm: &mut [i16]) {
    law(codec).decode_into(payload, pcm);
}

pub(super) fn encode(codec: Codec, pcm: &[i16], payload: &mut [u8]) {
    law(codec).encode_into(pcm, payload);
}

/// Samples of a message at 8 kHz, or why it cannot be used.
pub(crate) fn read_wav(bytes: &[u8]) -> Result<Vec<i16>, String> {
    Prompt::from_wav(bytes)
        .map(|p| p.samples().to_vec())
        .map_err(|e| e.to_string())
}

/// A key as sound, for a far end without telephone-event.
pub(super) fn key_tones(event: u8) -> Arc<[i16]> {
    let mut samples = vec![0_i16; usize::from(KEY_MS) * media::SAMPLES_PER_MS];
    if let Some(digit) = Digit::from_event(event) {
        media::dtmf_inband::tone(digit, 0.2).fill(&mut samples);
    }
    samples.into()
}

/// Event code of a key's sign.
pub(crate) fn key_event(digit: char) -> Option<u8> {
    Digit::from_char(digit).map(Digit::event)
}

/// Keys the far end presses: each told once, at its first packet.
#[derive(Default)]
pub(super) struct DtmfIn(Receiver);

impl DtmfIn {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn packet(&mut self, stamp: u32, payload: &[u8]) -> Option<char> {
        match self.0.push(stamp, payload) {
            Ok(Some(Heard::Pressed(digit))) => Some(digit.as_char()),
            _ => None,
        }
    }
}

/// A key being sent, a packet each turn.
pub(super) struct DtmfOut(Option<Press>);

impl DtmfOut {
    pub(super) fn new(event: u8) -> Self {
        Self(Digit::from_event(event).map(|digit| Press::new(digit, KEY_MS)))
    }

    /// Payload, and whether it is the first of its key; `None` once the key is sent.
    pub(super) fn tick(&mut self) -> Option<([u8; 4], bool)> {
        self.0.as_mut()?.next().map(|out| (out.payload, out.marker))
    }
}

/// The jitter buffer of a leg in a mix; it takes memory only once it is used.
#[derive(Default)]
pub(super) struct Jitter {
    buffer: Option<Box<JitterBuffer>>,
    source: Option<u32>,
}

impl Jitter {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn clear(&mut self) {
        if let Some(buffer) = &mut self.buffer {
            buffer.reset();
        }
        self.source = None;
    }

    pub(super) fn push(&mut self, source: (u32, u16, u32), pcm: &[i16]) {
        let buffer = self
            .buffer
            .get_or_insert_with(|| Box::new(JitterBuffer::new(Config::default())));
        if self.source.replace(source.0) != Some(source.0) {
            buffer.reset();
        }
        buffer.push(source.2, pcm);
    }

    /// The next frame; `None` where there is nothing to hear.
    pub(super) fn pop(&mut self) -> Option<[i16; FRAME]> {
        let mut frame = super::sound::SILENCE;
        match self.buffer.as_mut()?.pull(&mut frame) {
            Pulled::Silence => None,
            Pulled::Audio | Pulled::Concealed => Some(frame),
        }
    }
}

/// What is known of a stream that comes in.
pub(super) struct Rx {
    epoch: Instant,
    ssrc: Option<u32>,
    reception: Reception,
    /// Of sources before this one.
    before: (u64, u64),
    /// Middle of the last sender report's NTP time, and when it came.
    report: Option<(u32, Instant)>,
    /// Middle of the NTP time of our own last sender report, and when it left.
    ours: Option<(u32, Instant)>,
    /// What the far end's reports tell: round trip in microseconds, loss of our stream in 1/256.
    far: (Option<u32>, Option<u8>),
    /// Largest jitter seen, timestamp units.
    jitter_max: f64,
}

/// Most microseconds of a round trip that are believed: a report that lies must not spoil the mean.
const RTT_MAX_US: u128 = 10_000_000;

impl Rx {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            ssrc: None,
            reception: Reception::default(),
            before: (0, 0),
            report: None,
            ours: None,
            far: (None, None),
            jitter_max: 0.0,
        }
    }

    pub(super) fn packet(&mut self, seq: u16, stamp: u32, ssrc: u32, now: Instant) {
        if self.ssrc.replace(ssrc) != Some(ssrc) {
            self.before = (self.received(), self.lost());
            self.reception = Reception::default();
            self.report = None;
        }
        let arrival = ms(now.saturating_duration_since(self.epoch)).cast_unsigned();
        self.reception.receive(seq, stamp, arrival);
        self.jitter_max = self.jitter_max.max(self.reception.jitter_ms());
    }

    /// Jitter now and at most, microseconds.
    pub(super) fn jitter_us(&self) -> (u32, u32) {
        let us = |ms: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to what fits"
            )]
            let us = (ms * 1_000.0).clamp(0.0, 1e9) as u32;
            us
        };
        (us(self.reception.jitter_ms()), us(self.jitter_max))
    }

    /// The largest jitter is that from now on.
    pub(super) fn forget_jitter(&mut self) {
        self.jitter_max = 0.0;
    }

    /// Round trip by RTCP, microseconds.
    pub(super) fn rtt_us(&self) -> Option<u32> {
        self.far.0
    }

    /// Loss of our stream that the far end last told, in 1/256.
    pub(super) fn far_lost(&self) -> Option<u8> {
        self.far.1
    }

    /// A report block about our stream (RFC 3550 §6.4.1).
    fn echoed(&mut self, block: &Block, now: Instant) {
        self.far.1 = Some(block.fraction_lost);
        let Some((middle, sent)) = self.ours else {
            return;
        };
        if block.last_sender_report != middle {
            return;
        }
        let held = u128::from(block.delay_since) * 1_000_000 / 65_536;
        let whole = now.saturating_duration_since(sent).as_micros();
        let trip = whole.saturating_sub(held);
        if trip <= RTT_MAX_US {
            self.far.0 = u32::try_from(trip).ok();
        }
    }

    /// Reads the far end's RTCP; `false` for what is none.
    pub(super) fn report(&mut self, datagram: &[u8], ssrc: u32, now: Instant) -> bool {
        let mut ours = None;
        let told = rtcp::read(datagram, |block| {
            if block.ssrc == ssrc {
                ours = Some(block);
            }
        });
        let Ok(told) = told else {
            return false;
        };
        if let Some(block) = ours {
            self.echoed(&block, now);
        }
        if let Some(sender) = told.sender {
            self.report = Some((rtcp::ntp_middle(sender.ntp), now));
        }
        !told.bye
    }

    /// Writes our report; bytes used.
    pub(super) fn write_report(
        &mut self,
        tx: &Tx,
        wall_ntp: u64,
        now: Instant,
        buffer: &mut [u8],
    ) -> usize {
        let block = self.ssrc.map(|ssrc| self.block(ssrc, now));
        let blocks = block.as_slice();
        let low = |n: u64| u32::try_from(n & 0xffff_ffff).unwrap_or(0);
        let written = if tx.packets == 0 {
            rtcp::receiver_report(tx.ssrc(), blocks, CNAME, buffer)
        } else {
            self.ours = Some((rtcp::ntp_middle(wall_ntp), now));
            let info = SenderInfo {
                ssrc: tx.ssrc(),
                ntp: wall_ntp,
                timestamp: tx.clock(now),
                packets: low(tx.packets),
                octets: low(tx.octets),
            };
            rtcp::sender_report(&info, blocks, CNAME, buffer)
        };
        written.unwrap_or(0)
    }

    fn block(&mut self, ssrc: u32, now: Instant) -> Block {
        let (last, since) = self.report.map_or((0, 0), |(middle, at)| {
            let units = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (middle, u32::try_from(units).unwrap_or(u32::MAX))
        });
        self.reception.report(ssrc, last, since)
    }

    pub(super) fn received(&self) -> u64 {
        self.before.0 + u64::from(self.reception.received())
    }

    pub(super) fn lost(&self) -> u64 {
        self.before.1 + u64::try_from(self.reception.lost()).unwrap_or(0)
    }
}

/// An RTCP BYE with the empty report and the CNAME that must go before it (RFC 3550 §6.1); bytes
/// used, 0 when it does not fit.
pub(super) fn write_bye(ssrc: u32, buffer: &mut [u8]) -> usize {
    let source = ssrc.to_be_bytes();
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(source);
    let mut name = vec![1, u8::try_from(CNAME.len()).unwrap_or(0)];
    name.extend(CNAME.bytes());
    name.resize((name.len() / 4 + 1) * 4, 0);
    packet.extend([0x81, 202, 0, u8::try_from(1 + name.len() / 4).unwrap_or(0)]);
    packet.extend(source);
    packet.extend(name);
    packet.extend([0x81, 203, 0, 1]);
    packet.extend(source);
    match buffer.get_mut(..packet.len()) {
        Some(out) => out.copy_from_slice(&packet),
        None => return 0,
    }
    packet.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtp_is_written_as_media_reads_it() {
        let head = Head {
            seq: 65_535,
            stamp: 7,
            ssrc: 0xDEAD_BEEF,
            marker: true,
        };
        let mut buffer = [0; 64];
        let n = write_rtp(head, 101, &[1, 2, 3, 4], &mut buffer);
        let read = rtp::parse(&buffer[..n]).expect("reads");
        assert_eq!(
            (read.payload_type, read.marker, read.sequence),
            (101, true, 65_535)
        );
        assert_eq!(
            (read.timestamp, read.ssrc, read.payload),
            (7, 0xDEAD_BEEF, &[1, 2, 3, 4][..])
        );
        assert_eq!(write_rtp(head, 0, &[0; 60], &mut buffer), 0);
    }

    #[test]
    fn a_bye_is_a_whole_compound() {
        let mut buffer = [0; 64];
        let n = write_bye(5, &mut buffer);
        let read = rtcp::parse(&buffer[..n]).expect("reads");
        assert!(read.bye && read.blocks.is_empty());
        assert!(
            !Rx::new().report(&buffer[..n], 5, Instant::now()),
            "no sign of life"
        );
    }

    #[test]
    fn counts_go_on_over_a_change_of_source() {
        let now = Instant::now();
        let mut rx = Rx::new();
        for seq in [1, 2, 4] {
            rx.packet(seq, u32::from(seq) * 160, 9, now);
        }
        for seq in [700, 701] {
            rx.packet(seq, 0, 10, now);
        }
        assert_eq!((rx.received(), rx.lost()), (5, 1));
        let tx = Tx::new(3, 0, 0, now);
        let mut buffer = [0; 128];
        let n = rx.write_report(&tx, 0, now, &mut buffer);
        let read = rtcp::parse(&buffer[..n]).expect("reads");
        assert_eq!(
            (read.sender, read.blocks.len(), read.blocks[0].ssrc),
            (None, 1, 10)
        );
    }

    #[test]
    fn the_round_trip_is_what_the_far_end_did_not_hold() {
        let t0 = Instant::now();
        let at = |ms: u64| t0 + std::time::Duration::from_millis(ms);
        let (mut near, mut far) = (Rx::new(), Rx::new());
        let (mut ours, mut theirs) = (Tx::new(1, 0, 0, t0), Tx::new(2, 0, 0, t0));
        (ours.packets, theirs.packets) = (1, 1);
        let mut buffer = [0; 256];
        far.packet(7, 0, 1, at(0));
        let n = near.write_report(&ours, 77 << 32, at(0), &mut buffer);
        assert!(far.report(&buffer[..n], 2, at(30)));
        let n = far.write_report(&theirs, 99 << 32, at(530), &mut buffer);
        assert!(near.report(&buffer[..n], 1, at(560)));
        let rtt = near.rtt_us().expect("measured");
        assert!((59_000..=61_000).contains(&rtt), "{rtt}");
        assert_eq!(near.far_lost(), Some(0));
        assert!(far.rtt_us().is_none(), "nothing was echoed to it");
    }

    #[test]
    fn a_key_is_sent_and_heard_once() {
        let mut out = DtmfOut::new(key_event('#').expect("is a key"));
        let mut heard = DtmfIn::new();
        let mut keys = Vec::new();
        while let Some((payload, _)) = out.tick() {
            keys.extend(heard.packet(4_000, &payload));
        }
        assert_eq!(keys, ['#']);
        assert!(key_event('x').is_none() && DtmfOut::new(200).tick().is_none());
    }
}
