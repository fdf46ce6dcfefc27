//! Keys pressed, as telephone events (RFC 4733): receiving without repeats, sending.

use crate::{MediaError, SAMPLES_PER_MS};

/// A key of the telephone: 0 to 15 as RFC 4733 §3.2 numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digit(u8);

const KEYS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

impl Digit {
    /// From an event code.
    #[must_use]
    pub const fn from_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Self(event)) } else { None }
    }

    /// From the key's sign: `0`-`9`, `*`, `#`, `A`-`D` in either case.
    #[must_use]
    pub fn from_char(key: char) -> Option<Self> {
        let key = key.to_ascii_uppercase();
        let at = KEYS.iter().position(|k| *k == key)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Event code.
    #[must_use]
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key's sign.
    #[must_use]
    pub fn as_char(self) -> char {
        KEYS[usize::from(self.0 & 0x0f)]
    }
}

/// A telephone-event payload (RFC 4733 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The key.
    pub digit: Digit,
    /// Set in the last packets of the event.
    pub end: bool,
    /// Power below full scale, dBm0 without sign: 0 to 63.
    pub volume: u8,
    /// Length so far, samples.
    pub duration: u16,
}

impl Event {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`MediaError::Dtmf`] where it is shorter than four bytes or not a key (flash, fax tones).
    pub fn parse(payload: &[u8]) -> Result<Self, MediaError> {
        let [event, flags, high, low, ..] = payload else {
            return Err(MediaError::Dtmf(payload.len(), payload.first().copied()));
        };
        let digit =
            Digit::from_event(*event).ok_or(MediaError::Dtmf(payload.len(), Some(*event)))?;
        Ok(Self {
            digit,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([*high, *low]),
        })
    }

    /// The four bytes of the payload.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        [self.digit.0, end | (self.volume & 0x3f), high, low]
    }
}

/// What a received packet adds to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A key went down. Said once a key, at its first packet, whichever that is.
    Pressed(Digit),
    /// It came up, after so many samples.
    Released(Digit, u16),
}

/// Gathers the packets of an event: all bear the timestamp of its start (RFC 4733 §2.2.1), and the
/// last one comes three times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Receiver {
    current: Option<(u32, Digit, bool)>,
}

impl Receiver {
    /// Takes a packet's timestamp and payload. `None` for a repeat or a straggler of an older event.
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn push(&mut self, timestamp: u32, payload: &[u8]) -> Result<Option<Heard>, MediaError> {
        let event = Event::parse(payload)?;
        let newer = match self.current {
            None => true,
            Some((start, ..)) => timestamp.wrapping_sub(start).cast_signed() > 0,
        };
        if newer {
            self.current = Some((timestamp, event.digit, event.end));
            return Ok(Some(Heard::Pressed(event.digit)));
        }
        match &mut self.current {
            Some((start, digit, ended))
                if *start == timestamp && *digit == event.digit && event.end && !*ended =>
            {
                *ended = true;
                Ok(Some(Heard::Released(event.digit, event.duration)))
            }
            _ => Ok(None),
        }
    }
}

/// Times the last packet is sent (RFC 4733 §2.5.1.4).
const END_REPEATS: u8 = 3;

/// Shortest key sent, ms: Q.24 asks receivers to accept 40 ms; twice that for bad lines.
pub const MIN_PRESS_MS: u16 = 80;

/// Longest key sent, ms: the 16-bit duration holds 8 s.
pub const MAX_PRESS_MS: u16 = 8_000;

/// One packet to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The payload.
    pub payload: [u8; 4],
    /// Marker bit: the first packet only.
    pub marker: bool,
}

/// Makes the packets of one key, one each 20 ms, all with the RTP timestamp of the start.
#[derive(Debug, Clone)]
pub struct Press {
    digit: Digit,
    samples: u16,
    sent: u16,
    ends: u8,
}

impl Press {
    /// A key held for `ms`, brought between [`MIN_PRESS_MS`] and [`MAX_PRESS_MS`].
    #[must_use]
    pub fn new(digit: Digit, ms: u16) -> Self {
        let ms = ms.clamp(MIN_PRESS_MS, MAX_PRESS_MS);
        let samples = u16::try_from(usize::from(ms) * SAMPLES_PER_MS).unwrap_or(u16::MAX);
        Self {
            digit,
            samples,
            sent: 0,
            ends: 0,
        }
    }

    /// Samples the event lasts: the audio clock moves on by as much.
    #[must_use]
    pub const fn samples(&self) -> u16 {
        self.samples
    }
}

impl Iterator for Press {
    type Item = Outgoing;

    fn next(&mut self) -> Option<Outgoing> {
        if self.ends == END_REPEATS {
            return None;
        }
        let marker = self.sent == 0;
        self.sent = self.sent.saturating_add(160).min(self.samples);
        let end = self.sent == self.samples;
        self.ends += u8::from(end);
        let event = Event {
            digit: self.digit,
            end,
            volume: 10,
            duration: self.sent,
        };
        Some(Outgoing {
            payload: event.bytes(),
            marker,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_sent_in_steps_with_three_ends_and_heard_once() {
        let digit = Digit::from_char('#').unwrap();
        let packets: Vec<Outgoing> = Press::new(digit, 100).collect();
        assert_eq!(packets.len(), 7);
        assert!(packets[0].marker && packets[1..].iter().all(|p| !p.marker));
        let mut receiver = Receiver::default();
        let heard: Vec<Heard> = packets
            .iter()
            .filter_map(|p| receiver.push(8_000, &p.payload).unwrap())
            .collect();
        assert_eq!(heard, [Heard::Pressed(digit), Heard::Released(digit, 800)]);
    }

    #[test]
    fn the_same_key_twice_is_two_keys() {
        let mut receiver = Receiver::default();
        let mut pressed = 0;
        for timestamp in [u32::MAX - 10, 2_000] {
            for p in Press::new(Digit::from_char('5').unwrap(), 80) {
                pressed += usize::from(matches!(
                    receiver.push(timestamp, &p.payload),
                    Ok(Some(Heard::Pressed(_)))
                ));
            }
        }
        assert_eq!(pressed, 2);
    }

    #[test]
    fn lost_and_late_packets_neither_hide_nor_repeat_a_key() {
        let one = Digit::from_char('1').unwrap();
        let packets: Vec<Outgoing> = Press::new(one, 80).collect();
        let mut receiver = Receiver::default();
        // Only the last end arrives, then a straggler of the beginning.
        assert_eq!(
            receiver.push(100, &packets[5].payload).unwrap(),
            Some(Heard::Pressed(one))
        );
        assert_eq!(receiver.push(100, &packets[0].payload).unwrap(), None);
        assert_eq!(receiver.push(100, &packets[4].payload).unwrap(), None);
        // An older event comes after a newer one.
        assert_eq!(receiver.push(50, &packets[0].payload).unwrap(), None);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Event::parse(&[]).is_err());
        assert!(Event::parse(&[1, 2, 3]).is_err());
        assert!(Event::parse(&[16, 0, 0, 0]).is_err(), "flash");
        assert!(Digit::from_char('x').is_none());
    }

    proptest! {
        #[test]
        fn events_read_back(event in 0u8..16, end: bool, volume in 0u8..64, duration: u16) {
            let event = Event { digit: Digit::from_event(event).unwrap(), end, volume, duration };
            prop_assert_eq!(Event::parse(&event.bytes()).unwrap(), event);
            prop_assert_eq!(Digit::from_char(event.digit.as_char()), Some(event.digit));
        }

        /// Packets lost (ends too), doubled and held back by one: each key of which any packet came
        /// in time is heard once, in order.
        #[test]
        fn keys_are_heard_once_whatever_becomes_of_their_packets(
            keys in proptest::collection::vec((0u8..16, proptest::collection::vec(0u8..4, 7)), 1..8),
            start: u32,
        ) {
            let (mut heard, mut expected) = (Vec::new(), Vec::new());
            let mut receiver = Receiver::default();
            for (n, (event, fates)) in (0u32..).zip(&keys) {
                let digit = Digit::from_event(*event).unwrap();
                let stamp = start.wrapping_add(n * 4_000);
                let mut arrived = Vec::new();
                for (packet, fate) in Press::new(digit, 100).zip(fates) {
                    match fate {
                        0 => {}
                        1 => arrived.extend([packet, packet]),
                        2 if !arrived.is_empty() => arrived.insert(arrived.len() - 1, packet),
                        _ => arrived.push(packet),
                    }
                }
                if !arrived.is_empty() {
                    expected.push(digit);
                }
                for packet in arrived {
                    if let Some(Heard::Pressed(digit)) = receiver.push(stamp, &packet.payload).unwrap() {
                        heard.push(digit);
                    }
                }
            }
            prop_assert_eq!(heard, expected);
        }

        #[test]
        fn any_payload_is_taken_or_refused(packets in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..8)), 0..40)) {
            let mut receiver = Receiver::default();
            for (timestamp, payload) in packets {
                let _ = receiver.push(timestamp, &payload);
            }
        }
    }
}
