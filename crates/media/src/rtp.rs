//! RTP packets (RFC 3550 §5): reading, writing, sequence numbers and the lock on one source.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

use crate::MediaError;

/// Largest packet taken or written, bytes: an Ethernet frame's worth of UDP; G.711 needs 172.
pub const MAX_PACKET_BYTES: usize = 1_472;

/// Fixed header without contributing sources, bytes (RFC 3550 §5.1).
pub const HEADER_BYTES: usize = 12;

/// A packet as read. The payload borrows the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Payload type, 0..=127.
    pub payload_type: u8,
    /// Marker bit: start of a talk spurt (RFC 3551 §4.1) or of an event (RFC 4733 §2.4).
    pub marker: bool,
    /// Sequence number as on the wire; order it by [`Sequence`], never by comparison.
    pub sequence: u16,
    /// Timestamp in units of 1/8000 s.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Audio or event bytes, without padding.
    pub payload: &'a [u8],
}

/// Reads one packet.
///
/// # Errors
/// [`MediaError::Rtp`] for what RFC 3550 §A.1 calls invalid, [`MediaError::TooLarge`] above
/// [`MAX_PACKET_BYTES`].
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, MediaError> {
    if bytes.len() > MAX_PACKET_BYTES {
        return Err(MediaError::TooLarge {
            what: "rtp packet bytes",
            value: bytes.len() as u64,
            limit: MAX_PACKET_BYTES as u64,
        });
    }
    let reader =
        RtpReader::new(bytes).map_err(|e| MediaError::Rtp(format!("{e:?}").to_lowercase()))?;
    Ok(Packet {
        payload_type: reader.payload_type(),
        marker: reader.mark(),
        sequence: reader.sequence_number().into(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        payload: reader.payload(),
    })
}

/// True for RTCP on a port shared with RTP: second byte 192..=223 (RFC 5761 §4).
#[must_use]
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.len() >= 2 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1])
}

/// Where a stream begins; each value is random, drawn by the caller (RFC 3550 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Synchronisation source of all packets.
    pub ssrc: u32,
    /// First sequence number.
    pub sequence: u16,
    /// First timestamp.
    pub timestamp: u32,
}

/// Numbers the packets of one outgoing stream.
#[derive(Debug, Clone)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    packets: u32,
    octets: u32,
}

impl Sender {
    /// A stream of which nothing has been sent; its first packet bears the marker.
    #[must_use]
    pub const fn new(start: Start) -> Self {
        Self {
            ssrc: start.ssrc,
            sequence: start.sequence,
            timestamp: start.timestamp,
            marker: true,
            packets: 0,
            octets: 0,
        }
    }

    /// Writes an audio packet of `samples` samples, moves the clock on and returns its length.
    ///
    /// # Errors
    /// [`MediaError::RtpWrite`] where `out` is too short or the payload type above 127; nothing is
    /// counted then.
    pub fn packet(
        &mut self,
        payload_type: u8,
        payload: &[u8],
        samples: u32,
        out: &mut [u8],
    ) -> Result<usize, MediaError> {
        let (timestamp, marker) = (self.timestamp, self.marker);
        let len = self.write(payload_type, timestamp, marker, payload, out)?;
        self.marker = false;
        self.timestamp = timestamp.wrapping_add(samples);
        Ok(len)
    }

    /// Writes a packet with a timestamp of the caller's, as events need (RFC 4733 §2.2.1: every
    /// packet of an event bears the instant at which it began). The clock stays.
    ///
    /// # Errors
    /// As [`Sender::packet`].
    pub fn packet_at(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, MediaError> {
        self.write(payload_type, timestamp, marker, payload, out)
    }

    /// Lets `samples` pass without sending; the next packet bears the marker.
    pub fn skip(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.marker = true;
    }

    /// Moves the clock without a new talk spurt: for the frames replaced by event packets.
    pub fn advance(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
    }

    /// Timestamp of the next packet.
    #[must_use]
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Source of this stream.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets and payload octets sent, modulo 2^32, for sender reports.
    #[must_use]
    pub const fn counts(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    fn write(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
        out: &mut [u8],
    ) -> Result<usize, MediaError> {
        let len = RtpPacketBuilder::new()
            .payload_type(payload_type)
            .marked(marker)
            .sequence(Seq::from(self.sequence))
            .timestamp(timestamp)
            .ssrc(self.ssrc)
            .payload(payload)
            .build_into(out)
            .map_err(|e| MediaError::RtpWrite(format!("{e:?}").to_lowercase()))?;
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self
            .octets
            .wrapping_add(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        Ok(len)
    }
}

/// Extends 16-bit sequence numbers to 32 bits, counting wraps (RFC 3550 §A.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequence {
    highest: Option<u32>,
}

impl Sequence {
    /// The extended number of a packet: near the highest seen, before or after it. Starts one cycle
    /// up, so that a packet that overtook the first one still has a number.
    pub fn extend(&mut self, sequence: u16) -> u32 {
        let Some(highest) = self.highest else {
            let first = 0x1_0000 | u32::from(sequence);
            self.highest = Some(first);
            return first;
        };
        let low = u16::try_from(highest & 0xffff).unwrap_or(0);
        let step = sequence.wrapping_sub(low).cast_signed();
        let extended = highest.wrapping_add_signed(i32::from(step));
        if step > 0 {
            self.highest = Some(extended);
        }
        extended
    }

    /// Highest extended number so far.
    #[must_use]
    pub const fn highest(&self) -> Option<u32> {
        self.highest
    }
}

/// How long the locked source must be silent before another is believed, ms. Carriers change the
/// source between early media and the answer; an injector cannot wait for silence that never comes.
pub const SOURCE_SILENT_MS: u64 = 200;

/// Keeps one source per stream, so that a stranger on the right address cannot talk into a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceLock {
    held: Option<(u32, u64)>,
    strangers: u32,
    changes: u32,
}

impl SourceLock {
    /// Whether a packet of `ssrc` that came at `now_ms` (any steady clock) belongs to the stream.
    pub fn accept(&mut self, ssrc: u32, now_ms: u64) -> bool {
        match self.held {
            Some((held, last)) if held != ssrc => {
                if now_ms.saturating_sub(last) < SOURCE_SILENT_MS {
                    self.strangers = self.strangers.saturating_add(1);
                    return false;
                }
                self.changes = self.changes.saturating_add(1);
            }
            _ => {}
        }
        self.held = Some((ssrc, now_ms));
        true
    }

    /// Forgets the source: for a new offer/answer on the leg.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// The source that is believed.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.held.map(|(ssrc, _)| ssrc)
    }

    /// Packets refused, and times the source changed.
    #[must_use]
    pub const fn counts(&self) -> (u32, u32) {
        (self.strangers, self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sender() -> Sender {
        Sender::new(Start {
            ssrc: 9,
            sequence: 65_534,
            timestamp: u32::MAX - 100,
        })
    }

    #[test]
    fn a_stream_numbers_its_packets_across_both_wraps() {
        let mut sender = sender();
        let mut out = [0u8; 64];
        let mut seen = Vec::new();
        for _ in 0..3 {
            let len = sender.packet(8, &[1, 2, 3], 160, &mut out).unwrap();
            let p = parse(&out[..len]).unwrap();
            assert_eq!(
                (p.payload_type, p.ssrc, p.payload),
                (8, 9, &[1u8, 2, 3][..])
            );
            seen.push((p.sequence, p.timestamp, p.marker));
        }
        assert_eq!(
            seen,
            [
                (65_534, u32::MAX - 100, true),
                (65_535, 59, false),
                (0, 219, false)
            ]
        );
        assert_eq!(sender.counts(), (3, 9));
        sender.skip(160);
        let len = sender.packet(8, &[0], 160, &mut out).unwrap();
        assert!(parse(&out[..len]).unwrap().marker);
    }

    #[test]
    fn what_cannot_be_written_is_not_counted() {
        let mut sender = sender();
        assert!(sender.packet(8, &[0; 160], 160, &mut [0u8; 20]).is_err());
        assert!(sender.packet(200, &[0; 160], 160, &mut [0u8; 200]).is_err());
        assert_eq!(
            (sender.counts(), sender.timestamp()),
            ((0, 0), u32::MAX - 100)
        );
    }

    #[test]
    fn extended_numbers_follow_wraps_and_stragglers() {
        let mut sequence = Sequence::default();
        let base = sequence.extend(65_534);
        let numbers = [65_535u16, 1, 0, 65_533, 2]
            .map(|s| sequence.extend(s).wrapping_sub(base).cast_signed());
        assert_eq!(numbers, [1, 3, 2, -1, 4]);
    }

    #[test]
    fn a_stranger_is_refused_until_the_source_falls_silent() {
        let mut lock = SourceLock::default();
        assert!(lock.accept(1, 0) && lock.accept(1, 20));
        assert!(!lock.accept(2, 30));
        assert!(lock.accept(1, 40));
        assert!(lock.accept(2, 40 + SOURCE_SILENT_MS));
        assert!(!lock.accept(1, 250));
        assert_eq!((lock.ssrc(), lock.counts()), (Some(2), (2, 1)));
        lock.release();
        assert!(lock.accept(3, 250));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            if let Ok(p) = parse(&bytes) {
                prop_assert!(p.payload.len() + HEADER_BYTES <= bytes.len());
            }
            let _ = is_rtcp(&bytes);
        }

        #[test]
        fn written_packets_read_back(pt in 0u8..128, ts: u32, marker: bool, payload in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut sender = sender();
            let mut out = [0u8; MAX_PACKET_BYTES];
            let len = sender.packet_at(pt, ts, marker, &payload, &mut out).unwrap();
            let p = parse(&out[..len]).unwrap();
            prop_assert_eq!((p.payload_type, p.timestamp, p.marker, p.payload), (pt, ts, marker, &payload[..]));
        }

        #[test]
        fn numbers_near_the_highest_keep_their_distance(start: u16, steps in proptest::collection::vec(-50i32..200, 1..200)) {
            let mut sequence = Sequence::default();
            let base = sequence.extend(start);
            let mut highest = 0i32;
            for step in steps {
                let at = highest + step;
                let wire = start.wrapping_add_signed(i16::try_from(at & 0x7fff).unwrap());
                let wire = if at & 0x8000 != 0 { wire.wrapping_add(0x8000) } else { wire };
                prop_assert_eq!(sequence.extend(wire).wrapping_sub(base).cast_signed(), at);
                highest = highest.max(at);
            }
        }
    }
}
