//! The RTP stream we send on a leg: one SSRC, rising numbers, whatever its source is.

use super::kit;
use std::time::Instant;

/// How far a forwarded timestamp may run away from the clock before the stream is placed anew,
/// samples: a second.
const DRIFT: i32 = 8_000;

/// A frame on the stream's clock (8 kHz).
const FRAME_STAMPS: u32 = 160;

/// State of an outgoing stream.
#[derive(Debug)]
pub(crate) struct Tx {
    ssrc: u32,
    seq: u16,
    stamp: u32,
    epoch: Instant,
    first_stamp: u32,
    /// Source being forwarded: its SSRC, what to add to its numbers and stamps.
    map: Option<(u32, u16, u32)>,
    marker: bool,
    /// An event was sent: its length has passed on the clock, not on the stamps.
    after_event: bool,
    pub(crate) packets: u64,
    pub(crate) octets: u64,
}

/// Header fields of a packet about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: u16,
    pub(crate) stamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) marker: bool,
}

impl Tx {
    /// A stream with random start (RFC 3550 §5.1).
    pub(crate) fn new(ssrc: u32, seq: u16, stamp: u32, epoch: Instant) -> Self {
        Self {
            ssrc,
            seq,
            stamp,
            epoch,
            first_stamp: stamp,
            map: None,
            marker: true,
            after_event: false,
            packets: 0,
            octets: 0,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The stream's timestamp at `now`.
    pub(crate) fn clock(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.epoch);
        // 64 bits: a division of 128 is a call into a library, for each packet.
        let samples = since.as_secs() * 8_000 + u64::from(since.subsec_micros()) * 8 / 1_000;
        let samples = u32::try_from(samples & 0xFFFF_FFFF).unwrap_or(0);
        self.first_stamp.wrapping_add(samples)
    }

    /// Head of a frame we made.
    pub(crate) fn made(&mut self, now: Instant) -> Head {
        let anew = std::mem::take(&mut self.after_event);
        if self.map.take().is_some() || anew || self.packets == 0 {
            self.place_anew(now);
        } else {
            self.stamp = self.stamp.wrapping_add(FRAME_STAMPS);
        }
        self.seq = self.seq.wrapping_add(1);
        self.head()
    }

    /// Head of a forwarded packet: its order and its gaps are kept, so that the far end's jitter
    /// buffer sees what ours would have.
    pub(crate) fn forwarded(&mut self, now: Instant, ssrc: u32, seq: u16, stamp: u32) -> Head {
        if let Some((source, add_seq, add_stamp)) = self.map
            && source == ssrc
        {
            let out = stamp.wrapping_add(add_stamp);
            if out.wrapping_sub(self.clock(now)).cast_signed().abs() < DRIFT {
                let out_seq = seq.wrapping_add(add_seq);
                let newer = out_seq.wrapping_sub(self.seq).cast_signed() > 0;
                if newer {
                    (self.seq, self.stamp) = (out_seq, out);
                }
                return Head {
                    seq: out_seq,
                    stamp: out,
                    ssrc: self.ssrc,
                    marker: false,
                };
            }
        }
        self.place_anew(now);
        self.seq = self.seq.wrapping_add(1);
        self.map = Some((
            ssrc,
            self.seq.wrapping_sub(seq),
            self.stamp.wrapping_sub(stamp),
        ));
        self.head()
    }

    /// Numbers for a packet of an event (RFC 4733): audio's numbers, its own stamp.
    pub(crate) fn event(&mut self, now: Instant, first: bool) -> Head {
        if first {
            self.map = None;
            self.place_anew(now);
            self.after_event = true;
        }
        self.seq = self.seq.wrapping_add(1);
        let mut head = self.head();
        head.marker = first;
        head
    }

    /// Counts a packet that left.
    pub(crate) fn sent(&mut self, payload: usize) {
        self.packets += 1;
        self.octets += payload as u64;
    }

    fn place_anew(&mut self, now: Instant) {
        let at_least = self.stamp.wrapping_add(FRAME_STAMPS);
        let clock = self.clock(now);
        let later = clock.wrapping_sub(at_least).cast_signed() >= 0;
        self.stamp = if later { clock } else { at_least };
        self.marker = true;
    }

    fn head(&mut self) -> Head {
        Head {
            seq: self.seq,
            stamp: self.stamp,
            ssrc: self.ssrc,
            marker: std::mem::take(&mut self.marker),
        }
    }
}

impl Head {
    /// Writes header and payload into `buffer`; bytes used.
    pub(crate) fn write(self, kind: u8, payload: &[u8], buffer: &mut [u8]) -> usize {
        kit::write_rtp(self, kind, payload, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn numbers_rise_over_changes_of_source() {
        let t0 = Instant::now();
        let at = |ms: u64| t0 + Duration::from_millis(ms);
        let mut tx = Tx::new(9, 65_530, u32::MAX - 300, t0);
        let mut seen = vec![tx.made(at(0))];
        tx.sent(160);
        seen.extend((1..5).map(|i| tx.made(at(20 * i))));
        seen.extend((0..5_u16).map(|i| {
            tx.forwarded(
                at(100 + 20 * u64::from(i)),
                77,
                500 + i,
                90_000 + 160 * u32::from(i),
            )
        }));
        seen.extend((0..5).map(|i| tx.made(at(300 + 20 * i))));
        for pair in seen.windows(2) {
            assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1));
            let step = pair[1].stamp.wrapping_sub(pair[0].stamp).cast_signed();
            assert!((160..=900).contains(&step), "{pair:?}");
        }
        let marked: Vec<usize> = (0..15).filter(|i| seen[*i].marker).collect();
        assert_eq!(marked, [0, 5, 10], "a marker where the source changes");
    }

    #[test]
    fn forwarded_gaps_and_order_are_kept() {
        let t0 = Instant::now();
        let mut tx = Tx::new(9, 0, 0, t0);
        let a = tx.forwarded(t0, 1, 10, 1_600);
        let c = tx.forwarded(t0, 1, 12, 1_920);
        let b = tx.forwarded(t0, 1, 11, 1_760);
        assert_eq!(c.seq - a.seq, 2);
        assert_eq!((b.seq, b.stamp), (a.seq + 1, a.stamp + 160));
        // A stamp that jumps by an hour does not take the stream along.
        let d = tx.forwarded(t0, 1, 13, 30_000_000);
        assert_eq!((d.seq, d.stamp), (c.seq + 1, c.stamp + 160));
    }
}
