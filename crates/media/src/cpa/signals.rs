//! What the tones of a call say: special information, fax, busy, ring-back, a machine's beep.

use super::plan::{self, Signal, within};
use super::spectrum::Hop;
use super::tone::{Segment, Tracker};

/// A tone of the answering side after which a message may be left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beep {
    /// Its beginning, ms from the answer.
    pub start_ms: u32,
    /// Its end, ms from the answer; while it still sounds, the end so far.
    pub end_ms: u32,
    /// Its frequency, Hz; of a pair the lower.
    pub hz: f32,
}

/// Frequencies of beeps, Hz, with a little to spare on either side of 400 to 1,400.
const BEEP_HZ: [f32; 2] = [385.0, 1_430.0];

/// Shorter tones are no beep, ms.
const BEEP_LEAST_MS: u32 = 80;

/// A tone is told while it still sounds from this length on, ms.
const BEEP_SURE_MS: u32 = 220;

/// Least share of its energy in its one or two frequencies.
const BEEP_SHARE: f32 = 0.86;

/// Most spread of its level, dB: voices waver, generators do not.
const BEEP_WOBBLE_DB: f32 = 2.5;

/// Most its frequency glides, Hz on average: the folds of a throat never hold one.
const BEEP_GLIDE_HZ: f32 = 2.5;

/// Least distance from the noise, dB.
const BEEP_ABOVE_FLOOR_DB: f32 = 8.0;

/// Without a word before it a lone tone is believed after this time without another, ms.
const LONE_MS: u32 = 700;

/// An answering tone of this length is a fax machine or a modem, ms.
const FAX_LEAST_MS: u32 = 450;

/// Bursts of busy and congestion, and their gaps, ms.
const CADENCE_MS: [u32; 2] = [120, 700];

/// Length of a burst of ring-back, ms from and to.
const RING_MS: [u32; 2] = [780, 2_300];

/// Steps of the special information tone follow each other within this, ms.
const SIT_GAP_MS: u32 = 90;

/// Length of each of its steps, ms from and to (330 ± 70; North America 274 and 380).
const SIT_STEP_MS: [u32; 2] = [200, 460];

/// Lower than this a steady tone may be a voice's, Hz.
const VOICE_HZ: f32 = 330.0;

/// What was understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Heard {
    Sit,
    Fax,
    Busy(Signal),
    RingBack,
    Beep(Beep),
}

/// Listens to the tones of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals {
    tracker: Tracker,
    /// Closed tones, the newest first.
    past: [Option<Segment>; 3],
    lone: Option<Segment>,
    told_start: Option<u32>,
}

/// What surrounds the tone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// Somebody or something has spoken before it.
    pub after_speech: bool,
    /// Noise of the line, dBFS.
    pub floor: f32,
    /// Instant, ms.
    pub now_ms: u32,
}

impl Signals {
    /// Takes a hop; what is understood with it.
    pub(super) fn push(&mut self, hop: &Hop, around: Around) -> Option<Heard> {
        let closed = self.tracker.push(hop);
        if let Some(ended) = closed
            && let Some(heard) = self.on_end(ended, around)
        {
            return Some(heard);
        }
        if let Some(now) = self.tracker.current() {
            return self.on_going(&now, around);
        }
        let lone = self.lone?;
        if around.now_ms < lone.end_ms + LONE_MS {
            return None;
        }
        self.lone = None;
        Some(beep(&lone))
    }

    /// A tone sounds that has lasted for `ms` at least and is no voice's lowest harmonics.
    pub(super) fn sounding(&self, ms: u32) -> Option<Segment> {
        self.tracker
            .current()
            .filter(|s| s.ms() >= ms && s.hz[0] >= VOICE_HZ)
    }

    /// The call is over: what its last tone was.
    pub(super) fn finish(&mut self, around: Around) -> Option<Heard> {
        let ended = self.tracker.close();
        if let Some(heard) = ended.and_then(|s| self.on_end(s, around)) {
            return Some(heard);
        }
        self.lone.take().map(|lone| beep(&lone))
    }

    fn on_going(&mut self, now: &Segment, around: Around) -> Option<Heard> {
        if now.ms() >= 60 {
            self.lone = None;
        }
        if now.ms() >= FAX_LEAST_MS
            && now.is_single()
            && plan::FAX_HZ.iter().any(|r| within(now.hz[0], *r))
        {
            return Some(Heard::Fax);
        }
        if now.ms() >= 90 && self.is_sit(now) {
            return Some(Heard::Sit);
        }
        if now.ms() >= 60
            && let Some(signal) = self.cadence(now)
        {
            return Some(Heard::Busy(signal));
        }
        let sure = now.ms() >= BEEP_SURE_MS
            && around.after_speech
            && !within(now.hz[0], plan::SIT_HZ[0])
            && self.told_start != Some(now.start_ms)
            && is_beep(now, around.floor);
        if sure {
            self.told_start = Some(now.start_ms);
            return Some(beep(now));
        }
        None
    }

    fn on_end(&mut self, ended: Segment, around: Around) -> Option<Heard> {
        if ended.ms() < 60 {
            return None;
        }
        self.past = [Some(ended), self.past[0], self.past[1]];
        let rings = plan::is_progress(ended.hz)
            && (RING_MS[0]..=RING_MS[1]).contains(&ended.ms())
            && !around.after_speech;
        if rings {
            return Some(Heard::RingBack);
        }
        if !around.after_speech
            && within(ended.hz[0], plan::CNG_HZ)
            && ended.is_single()
            && ended.ms().abs_diff(500) <= 80
        {
            return Some(Heard::Fax);
        }
        let begins_sit = within(ended.hz[0], plan::SIT_HZ[0])
            && self
                .tracker
                .current()
                .is_some_and(|next| within(next.hz[0], plan::SIT_HZ[1]));
        if begins_sit || !is_beep(&ended, around.floor) {
            return None;
        }
        if around.after_speech {
            // Told once more, with its end.
            self.told_start = Some(ended.start_ms);
            return Some(beep(&ended));
        }
        if !plan::is_progress(ended.hz) {
            self.lone = Some(ended);
        }
        None
    }

    /// The third step sounds and the two before it were where they belong.
    fn is_sit(&self, now: &Segment) -> bool {
        let [Some(second), Some(first), _] = self.past else {
            return false;
        };
        within(now.hz[0], plan::SIT_HZ[2])
            && within(second.hz[0], plan::SIT_HZ[1])
            && within(first.hz[0], plan::SIT_HZ[0])
            && now.start_ms.saturating_sub(second.end_ms) <= SIT_GAP_MS
            && second.start_ms.saturating_sub(first.end_ms) <= SIT_GAP_MS
            && [first, second]
                .iter()
                .all(|s| (SIT_STEP_MS[0]..=SIT_STEP_MS[1]).contains(&s.ms()))
    }

    /// A third burst has begun after two of the same length and distance.
    fn cadence(&self, now: &Segment) -> Option<Signal> {
        let [Some(second), Some(first), _] = self.past else {
            return None;
        };
        let gaps = [
            second.start_ms.saturating_sub(first.end_ms),
            now.start_ms.saturating_sub(second.end_ms),
        ];
        let ons = [first.ms(), second.ms()];
        let in_range = |ms: &u32| (CADENCE_MS[0]..=CADENCE_MS[1]).contains(ms);
        let alike = |pair: [u32; 2]| pair[0].abs_diff(pair[1]) <= 50 + pair[0] / 6;
        let same = |a: &Segment, b: &Segment| (a.hz[0] - b.hz[0]).abs() <= 25.0;
        let progress = |s: &Segment| {
            plan::is_progress(s.hz) || within(s.hz[0], [340.0, 520.0]) && s.hz[1] < 660.0
        };
        let fits = ons.iter().all(in_range)
            && gaps.iter().all(in_range)
            && alike(ons)
            && alike(gaps)
            && same(&first, &second)
            && same(&second, now)
            && progress(&second);
        if !fits {
            return None;
        }
        let row = plan::find(second.hz, ons[1], gaps[1]);
        Some(row.map_or(Signal::Busy, |r| r.signal))
    }
}

fn is_beep(tone: &Segment, floor: f32) -> bool {
    let high = if tone.is_single() {
        tone.hz[0]
    } else {
        tone.hz[1]
    };
    tone.ms() >= BEEP_LEAST_MS
        && within(tone.hz[0], BEEP_HZ)
        && high <= 2.0 * BEEP_HZ[1]
        && !plan::is_key(tone.hz)
        && tone.share >= BEEP_SHARE
        && tone.wobble_db <= BEEP_WOBBLE_DB
        && stays(tone)
        && tone.level >= floor + BEEP_ABOVE_FLOOR_DB
}

/// Whether its frequency is a generator's.
fn stays(tone: &Segment) -> bool {
    tone.glide_hz <= BEEP_GLIDE_HZ
}

const fn beep(tone: &Segment) -> Heard {
    Heard::Beep(Beep {
        start_ms: tone.start_ms,
        end_ms: tone.end_ms,
        hz: tone.hz[0],
    })
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::Spectrum;
    use super::*;
    use crate::speech::vowels;
    use crate::tones::Tone;

    fn segments(samples: &[i16]) -> Vec<Segment> {
        let (mut spectrum, mut tracker) = (Spectrum::new(), Tracker::default());
        let hops = samples.iter().filter_map(|s| spectrum.push(*s));
        let mut found: Vec<Segment> = hops.filter_map(|hop| tracker.push(&hop)).collect();
        found.extend(tracker.close());
        found
    }

    /// What a tone has to be besides.
    fn else_a_beep(tone: &Segment) -> bool {
        let still = Segment {
            glide_hz: 0.0,
            ..*tone
        };
        is_beep(&still, -90.0)
    }

    #[test]
    fn a_voice_glides_and_a_generator_stays() {
        let mut gliding = 0;
        let mut taken = Vec::new();
        for seed in 0u32..240 {
            let pitch = 95.0 + f64::from(seed % 28) * 5.0;
            let words = vowels(4, 80, pitch, u64::from(seed) * 7 + 1);
            for tone in segments(&words).iter().filter(|t| else_a_beep(t)) {
                gliding += u32::from(!stays(tone));
                if stays(tone) {
                    taken.push(*tone);
                }
            }
        }
        assert!(gliding > 0, "no voice is like a beep but for its glide");
        assert!(taken.is_empty(), "{} of {gliding}: {taken:?}", taken.len());
        for hz in [400.0, 523.0, 620.0, 950.0, 1_000.0, 1_100.0, 1_400.0] {
            for ms in [90, 200, 400] {
                let mut heard = vec![0i16; 8 * (ms + 400)];
                Tone::sine(hz, 0.2).fill(&mut heard[1_600..1_600 + 8 * ms]);
                let tones = segments(&heard);
                assert!(
                    tones.iter().any(|t| is_beep(t, -90.0)),
                    "{hz} {ms}: {tones:?}"
                );
            }
        }
    }
}
