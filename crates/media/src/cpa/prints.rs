//! Fingerprints of recordings: a carrier's announcement is the same sound in every call.
//!
//! Each 10 ms gives 16 bits: whether the slope of the spectrum between two neighbouring bands has grown
//! since 40 ms ago. Signs outlive level, codec and a little noise; a second of them is one recording's
//! own. What they are learned from, and when they are believed, is the caller's to decide.

use super::spectrum::{Hop, Spectrum};
use super::voice::Voice;

/// Hops of a print: one second.
pub const HOPS: usize = 100;

/// Bytes of a print at rest.
pub const BYTES: usize = HOPS * 2;

/// Most prints an analyser looks for; a trunk's carriers have some tens of announcements.
pub const MAX_KNOWN: usize = 64;

/// Share of differing bits up to which two seconds are of the same recording. Strangers differ in half
/// of them, give or take 4 %; the same recording through other codecs and 20 dB of noise in 10 to 25 %.
const SAME: f32 = 0.27;

/// The same for either half of the second: a short word that ends where the recording goes on is like it
/// for half of the time only.
const SAME_HALF: f32 = 0.34;

/// Hops of its beginning by which a recording is known before its second is over: 0.6 s.
const BEGIN_HOPS: usize = 60;

/// Between two looks at the beginning, hops.
const BEGIN_STEP: usize = 10;

/// So far from the onset heard a recording may have begun, hops: noise moves onsets.
const BEGIN_AROUND: usize = 10;

/// [`SAME`] for a beginning: fewer bits scatter more, and what lies between is told by the whole second.
const SAME_BEGIN: f32 = 0.16;

/// [`SAME_HALF`] for a beginning.
const SAME_BEGIN_HALF: f32 = 0.22;

/// Voiced hops a second of speech has at least.
const VOICED_LEAST: usize = 25;

/// Share of periodic sound from which a hop is voiced.
const VOICING: f32 = 0.5;

/// One second of one recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print {
    bits: [u16; HOPS],
}

impl Print {
    /// Of a call's sound from its answer on: the first second of its speech. `None` where there is none.
    #[must_use]
    pub fn of(samples: &[i16]) -> Option<Self> {
        let mut spectrum = Spectrum::new();
        let mut voice = Voice::new();
        let mut hops: Vec<Hop> = Vec::new();
        for sample in samples {
            let Some(hop) = spectrum.push(*sample) else {
                continue;
            };
            voice.push(&hop, false);
            hops.push(hop);
            let onset = voice.onset_hop().unwrap_or(u32::MAX) as usize;
            let Some(second) = hops.get(onset..onset.saturating_add(HOPS)) else {
                continue;
            };
            let voiced = second.iter().filter(|h| h.voicing > VOICING).count();
            let bits: [u16; HOPS] = std::array::from_fn(|i| second[i].bits);
            return (voiced >= VOICED_LEAST).then_some(Self { bits });
        }
        None
    }

    /// As bytes to keep.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut out = [0; BYTES];
        for (two, bits) in out.chunks_exact_mut(2).zip(self.bits) {
            two.copy_from_slice(&bits.to_le_bytes());
        }
        out
    }

    /// From bytes that were kept; `None` unless there are [`BYTES`] of them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != BYTES {
            return None;
        }
        let bits = std::array::from_fn(|i| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]));
        Some(Self { bits })
    }

    /// True where both are of the same recording, begun within 100 ms of each other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (0..=10).any(|shift| {
            alike(&self.bits[shift..], &other.bits[..HOPS - shift])
                || alike(&other.bits[shift..], &self.bits[..HOPS - shift])
        })
    }
}

/// Whether two stretches of the same length are of one recording, from begin to end.
fn alike(a: &[u16], b: &[u16]) -> bool {
    within(a, b, SAME, SAME_HALF)
}

/// Whether fewer bits than those shares differ, of all and of either half.
fn within(a: &[u16], b: &[u16], whole: f32, part: f32) -> bool {
    let half = a.len().min(b.len()) / 2;
    differing(a, b) < whole
        && differing(&a[..half], &b[..half]) < part
        && differing(&a[half..], &b[half..]) < part
}

/// Share of bits in which both differ.
fn differing(a: &[u16], b: &[u16]) -> f32 {
    let bits: u32 = a.iter().zip(b).map(|(x, y)| (x ^ y).count_ones()).sum();
    bits as f32 / (16 * a.len().min(b.len()).max(1)) as f32
}

/// Hops from the answer that are looked through for the first second of speech: 8 s.
const FIRST_HOPS: usize = 800;

/// The beginning of a call, for its print.
#[derive(Debug, Clone)]
pub(super) struct First {
    bits: [u16; FIRST_HOPS],
    voiced: [bool; FIRST_HOPS],
    heard: usize,
}

impl First {
    pub(super) const fn new() -> Self {
        Self {
            bits: [0; FIRST_HOPS],
            voiced: [false; FIRST_HOPS],
            heard: 0,
        }
    }

    pub(super) fn push(&mut self, hop: &Hop) {
        if let (Some(bits), Some(voiced)) = (
            self.bits.get_mut(self.heard),
            self.voiced.get_mut(self.heard),
        ) {
            *bits = hop.bits;
            *voiced = hop.voicing > VOICING;
            self.heard += 1;
        }
    }

    /// The second that begins with the hop `onset`; `None` until it is over, and where it is no speech.
    pub(super) fn print(&self, onset: u32) -> Option<Print> {
        let from = onset as usize;
        let until = from.checked_add(HOPS).filter(|u| *u <= self.heard)?;
        let voiced = self.voiced[from..until].iter().filter(|v| **v).count();
        let bits = std::array::from_fn(|i| self.bits[from + i]);
        (voiced >= VOICED_LEAST).then_some(Print { bits })
    }
}

/// The prints that decide at once, shared by all analysers of a trunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    prints: Vec<Print>,
}

impl Known {
    /// Of the first [`MAX_KNOWN`] of `prints`, which come in the order of what they are worth.
    #[must_use]
    pub fn new(mut prints: Vec<Print>) -> Self {
        prints.truncate(MAX_KNOWN);
        Self { prints }
    }

    /// True where there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.prints.is_empty()
    }
}

/// The last second of a call, compared hop by hop.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    bits: [u16; HOPS],
    heard: usize,
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self {
            bits: [0; HOPS],
            heard: 0,
        }
    }

    /// Takes a hop of a call whose speech began with the hop `onset`; one of `known` where the second that ends with it
    /// is a known one, or where the speech has begun as a known one does: which.
    pub(super) fn push(&mut self, hop: &Hop, onset: Option<u32>, known: &Known) -> Option<Print> {
        self.bits.copy_within(1.., 0);
        self.bits[HOPS - 1] = hop.bits;
        self.heard += 1;
        // The first bits have nothing before them to differ from.
        let like = |p: &&Print| alike(&p.bits, &self.bits);
        let mut of = known.prints.iter().filter(|_| self.heard >= HOPS);
        let begun = |onset: u32| self.begins(hop.at + 1 - onset.min(hop.at), known);
        of.find(like).copied().or_else(|| begun(onset?))
    }

    /// The known recording that the last of what is heard, spoken since about `since` hops, begins.
    fn begins(&self, since: u32, known: &Known) -> Option<Print> {
        let near = |n: &usize| n.abs_diff(since as usize) <= BEGIN_AROUND && *n <= self.heard;
        let mut lengths = (BEGIN_HOPS..HOPS).step_by(BEGIN_STEP).filter(near);
        lengths.find_map(|n| {
            let last = &self.bits[HOPS - n..];
            let same = |p: &&Print| within(&p.bits[..n], last, SAME_BEGIN, SAME_BEGIN_HALF);
            known.prints.iter().find(same).copied()
        })
    }
}
