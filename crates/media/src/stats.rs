//! How well a stream arrives: loss and jitter (RFC 3550 §6.4.1, §A.3, §A.8), and what a listener
//! would say of it (ITU-T G.107).

use crate::SAMPLES_PER_MS;
use crate::rtp::Sequence;

/// Statistics of one received stream.
#[derive(Debug, Clone, Default)]
pub struct Reception {
    sequence: Sequence,
    base: u32,
    received: u32,
    expected_prior: u32,
    received_prior: u32,
    transit: Option<i64>,
    /// Jitter times 16, timestamp units.
    jitter_16: u32,
}

/// What a report block says of a stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Block {
    /// Source reported on.
    pub ssrc: u32,
    /// Packets lost since the last report, in 1/256 of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the start; negative where repeats outweigh losses.
    pub lost: i32,
    /// Highest extended sequence number.
    pub highest: u32,
    /// Interarrival jitter, timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report; 0 = none came.
    pub last_sender_report: u32,
    /// Time since it came, 1/65536 s.
    pub delay_since: u32,
}

impl Reception {
    /// Counts a packet that came at `arrival_ms` (any steady clock) and gives its extended number.
    pub fn receive(&mut self, sequence: u16, timestamp: u32, arrival_ms: u64) -> u32 {
        let extended = self.sequence.extend(sequence);
        if self.received == 0 {
            self.base = extended;
        }
        self.received = self.received.wrapping_add(1);
        let arrival = arrival_ms.wrapping_mul(SAMPLES_PER_MS as u64).cast_signed();
        // Relative to the last packet only, so that a wrap of the timestamp does no harm.
        let transit = arrival.wrapping_sub(i64::from(timestamp));
        if let Some(last) = self.transit {
            let wrapped = transit.wrapping_sub(last).rem_euclid(1 << 32);
            let step = if wrapped >= 1 << 31 {
                (1 << 32) - wrapped
            } else {
                wrapped
            };
            let step = u32::try_from(step).unwrap_or(u32::MAX).min(1 << 24);
            self.jitter_16 = self.jitter_16 + step - ((self.jitter_16 + 8) >> 4);
        }
        self.transit = Some(transit);
        extended
    }

    /// Packets that should have come so far.
    #[must_use]
    pub fn expected(&self) -> u32 {
        self.sequence
            .highest()
            .map_or(0, |h| h.wrapping_sub(self.base).wrapping_add(1))
    }

    /// Packets that came, repeats included.
    #[must_use]
    pub const fn received(&self) -> u32 {
        self.received
    }

    /// Packets lost so far; negative where repeats outweigh losses (RFC 3550 §A.3).
    #[must_use]
    pub fn lost(&self) -> i32 {
        let lost = i64::from(self.expected()) - i64::from(self.received);
        i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0)
    }

    /// Jitter in milliseconds.
    #[must_use]
    pub fn jitter_ms(&self) -> f64 {
        f64::from(self.jitter_16 >> 4) / f64::from(u32::try_from(SAMPLES_PER_MS).unwrap_or(8))
    }

    /// The block of the next report; starts a new interval for the fraction.
    pub fn report(&mut self, ssrc: u32, last_sender_report: u32, delay_since: u32) -> Block {
        let expected = self.expected();
        let interval = expected.wrapping_sub(self.expected_prior);
        let came = self.received.wrapping_sub(self.received_prior);
        self.expected_prior = expected;
        self.received_prior = self.received;
        let lost = u64::from(interval.saturating_sub(came));
        let fraction = if interval == 0 {
            0
        } else {
            (lost << 8) / u64::from(interval)
        };
        Block {
            ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: self.lost(),
            highest: self.sequence.highest().unwrap_or(0),
            jitter: self.jitter_16 >> 4,
            last_sender_report,
            delay_since,
        }
    }
}

/// Estimated listening quality, 1 to 4.5 (ITU-T G.107 E-model with its defaults and G.711 with
/// concealment: Ie 0, Bpl 25.1, G.113 appendix I). `delay_ms` is one way, mouth to ear.
#[must_use]
pub fn mos(loss_percent: f64, delay_ms: f64) -> f64 {
    let (loss, delay) = (loss_percent.clamp(0.0, 100.0), delay_ms.max(0.0));
    let late = (delay - 177.3).max(0.0);
    let rating = 93.2 - 0.024 * delay - 0.11 * late - 95.0 * loss / (loss + 25.1);
    let r = rating.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_packet_lost_is_counted_as_such() {
        let mut reception = Reception::default();
        for n in 0u32..1_000 {
            if n % 10 != 5 {
                let sequence = u16::try_from((65_000 + n) % 65_536).unwrap();
                reception.receive(sequence, n * 160, u64::from(n) * 20);
            }
        }
        let block = reception.report(7, 0, 0);
        assert_eq!(
            (reception.expected(), reception.received(), block.lost),
            (1_000, 900, 100)
        );
        assert_eq!(block.fraction_lost, 25);
        assert_eq!(block.jitter, 0);
        assert_eq!(reception.report(7, 0, 0).fraction_lost, 0, "a new interval");
    }

    #[test]
    fn jitter_follows_the_spread_of_arrivals_across_a_timestamp_wrap() {
        let mut reception = Reception::default();
        let start = u32::MAX - 100 * 160;
        for n in 0u32..500 {
            let late = if n % 2 == 0 { 10 } else { 0 };
            reception.receive(
                u16::try_from(n).unwrap(),
                start.wrapping_add(n * 160),
                1_000_000 + u64::from(n) * 20 + late,
            );
        }
        assert!(
            (reception.jitter_ms() - 10.0).abs() < 1.0,
            "{}",
            reception.jitter_ms()
        );
    }

    #[test]
    fn a_good_line_is_good_and_a_bad_one_is_not() {
        assert!(mos(0.0, 30.0) > 4.3);
        assert!(mos(5.0, 30.0) < mos(1.0, 30.0));
        assert!(mos(40.0, 500.0) < 2.0);
        assert!(mos(f64::NAN, 0.0).is_nan() || mos(200.0, 1e9) >= 1.0);
    }
}
