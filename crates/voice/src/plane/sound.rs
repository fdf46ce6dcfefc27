//! What we play into a leg: messages, ring-back, beep, comfort noise. Decoded once and shared.

use crate::limits::FRAME;
use std::f32::consts::TAU;
use std::sync::Arc;

/// One thing being played.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    samples: Arc<[i16]>,
    at: usize,
    repeat: bool,
    /// Mixed over what the leg hears, instead of taking its place.
    pub(crate) over: bool,
    /// Its end is told.
    pub(crate) tell: bool,
}

impl Sound {
    /// A message; its end is told.
    pub(crate) fn message(samples: Arc<[i16]>) -> Self {
        Self {
            samples,
            at: 0,
            repeat: false,
            over: false,
            tell: true,
        }
    }

    /// Plays without end.
    pub(crate) fn repeated(samples: Arc<[i16]>) -> Self {
        Self {
            samples,
            at: 0,
            repeat: true,
            over: false,
            tell: false,
        }
    }

    /// Heard over the conversation.
    pub(crate) fn over(samples: Arc<[i16]>, tell: bool) -> Self {
        Self {
            samples,
            at: 0,
            repeat: false,
            over: true,
            tell,
        }
    }

    /// Adds the next samples to `frame` (saturating); `false` once all are played.
    pub(crate) fn add_to(&mut self, frame: &mut [i16]) -> bool {
        for out in frame.iter_mut() {
            if self.at >= self.samples.len() {
                if !self.repeat || self.samples.is_empty() {
                    return false;
                }
                self.at = 0;
            }
            *out = out.saturating_add(self.samples[self.at]);
            self.at += 1;
        }
        self.repeat || self.at < self.samples.len()
    }
}

/// Sounds made once at start.
#[derive(Debug, Clone)]
pub(crate) struct Tones {
    pub(crate) ring_back: Arc<[i16]>,
    pub(crate) beep: Arc<[i16]>,
    pub(crate) comfort: Arc<[i16]>,
    /// Heard on hold.
    pub(crate) music: Arc<[i16]>,
}

impl Tones {
    /// Ring-back of ITU-T E.180: 425 Hz, 1 s on and 4 s off; a beep of 120 ms at 1 kHz; comfort
    /// noise near −60 dBm0, so that hold does not sound like a dead line.
    pub(crate) fn new() -> Self {
        let mut ring = tone(425.0, 8_000, 5_000.0);
        ring.resize(5 * 8_000, 0);
        Self {
            ring_back: ring.into(),
            beep: tone(1_000.0, 960, 4_000.0).into(),
            comfort: noise(8_000, 24).into(),
            music: melody().into(),
        }
    }
}

/// Semitones above A4 of the hold music: a pentatonic phrase of eight bars over a falling bass, made
/// here so that no licence is asked for.
const MELODY: [i8; 32] = [
    -9, -5, -2, 3, 0, -2, -5, -2, -7, -2, 2, 5, 2, 0, -2, -5, -9, -5, -2, 3, 5, 3, 0, -2, -7, -5,
    -2, 0, -2, -5, -7, -9,
];
/// Bass of each bar of four notes.
const BASS: [i8; 8] = [-21, -21, -26, -26, -24, -24, -19, -21];
/// Length of a note, samples.
const NOTE: u16 = 4_000;
/// A note that sounds through the music, hertz.
const DRONE_HZ: f32 = 330.0;

fn melody() -> Vec<i16> {
    let mut out = Vec::with_capacity(MELODY.len() * usize::from(NOTE));
    for (n, step) in MELODY.iter().enumerate() {
        let pitch = |s: i8| 440.0 * (f32::from(s) / 12.0).exp2();
        let lead = tone(pitch(*step), NOTE, 1_500.0);
        let bass = tone(pitch(BASS[n / 4]), NOTE, 700.0);
        let drone = tone(DRONE_HZ, NOTE, 1_100.0);
        out.extend(
            lead.iter()
                .zip(&bass)
                .zip(&drone)
                .map(|((l, b), d)| l.saturating_add(*b).saturating_add(*d)),
        );
    }
    out
}

fn tone(hz: f32, samples: u16, peak: f32) -> Vec<i16> {
    let fade = 40.0_f32;
    let all = f32::from(samples);
    (0..samples)
        .map(f32::from)
        .map(|i| {
            let edge = (i / fade).min((all - i) / fade).min(1.0);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "peak is far below i16::MAX"
            )]
            let sample = ((TAU * hz * i / 8_000.0).sin() * peak * edge) as i16;
            sample
        })
        .collect()
}

/// Reproducible noise of a xorshift generator, ± `peak`.
fn noise(samples: usize, peak: i16) -> Vec<i16> {
    let mut x = 0x9E37_79B9_u32;
    let span = u32::from(peak.unsigned_abs()) * 2 + 1;
    std::iter::repeat_with(|| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        i16::try_from(x % span).unwrap_or(0) - peak
    })
    .take(samples)
    .collect()
}

/// One silent frame.
pub(crate) const SILENCE: [i16; FRAME] = [0; FRAME];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_and_a_tone_does_not() {
        let mut m = Sound::message(vec![5; 200].into());
        let mut frame = [1; FRAME];
        assert!(m.add_to(&mut frame));
        assert!(frame.iter().all(|s| *s == 6));
        let mut frame = [i16::MAX; FRAME];
        assert!(!m.add_to(&mut frame), "200 samples are two frames");
        assert_eq!(frame[39], i16::MAX, "saturates");
        let mut r = Sound::repeated(vec![1, 2, 3].into());
        assert!((0..100).all(|_| r.add_to(&mut [0; FRAME])));
        assert!(!Sound::repeated(Arc::from([])).add_to(&mut [0; FRAME]));
    }

    #[test]
    fn ring_back_has_its_cadence() {
        let tones = Tones::new();
        let loud = |s: &[i16]| s.iter().any(|v| v.unsigned_abs() > 3_000);
        assert!(loud(&tones.ring_back[..8_000]) && !loud(&tones.ring_back[8_000..]));
        assert!(loud(&tones.beep) && !loud(&tones.comfort));
    }

    #[test]
    fn hold_music_is_long_loops_and_never_clips() {
        let music = Tones::new().music;
        assert_eq!(music.len(), 16 * 8_000);
        assert!(music.iter().all(|s| s.unsigned_abs() < 4_000));
        let alive = |part: &[i16]| part.iter().any(|s| s.unsigned_abs() > 1_000);
        assert!(music.chunks(8_000).all(alive));
    }
}
