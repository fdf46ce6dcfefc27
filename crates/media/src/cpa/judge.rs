//! Person or machine: what the shape of the first utterance says.
//!
//! A person says a word or a sentence and waits; a recording talks on. Between the two lies a line that
//! was drawn by logistic regression on generated calls (`examples/cpa`); losing a person costs more than
//! an agent hearing a mailbox, so the line is drawn far on the machine's side.

use super::voice::Measures;

/// Numbers the verdict rests on.
pub const FEATURES: usize = 14;

/// Their weights and, last, the constant: log-odds of a machine. From `examples/cpa train`.
const WEIGHTS: [f32; FEATURES + 1] = [
    0.6889, -0.0198, -0.2437, 0.1949, -0.1090, -0.5838, 2.5688, 1.4557, -2.2666, -5.3504, 1.1827,
    0.0457, 2.5739, -0.9260, -0.1735,
];

/// The utterance as numbers of about unit size.
#[must_use]
pub fn features(m: &Measures) -> [f32; FEATURES] {
    let s = |ms: u32| ms as f32 / 1_000.0;
    [
        s(m.speech_ms),
        (s(m.speech_ms).max(0.1)).ln(),
        m.pauses as f32,
        s(m.longest_pause_ms),
        s(m.longest_phrase_ms),
        (m.pitch_rise * 4.0).clamp(-2.0, 2.0),
        (m.level_drop_db / 6.0).clamp(-2.0, 2.0),
        (m.above_floor_db / 30.0).clamp(0.0, 2.0),
        s(m.speech_ms).min(2.0),
        (s(m.loud_ms) / s(m.speech_ms).max(0.1)).min(1.5),
        m.syllables as f32 / 5.0,
        m.syllables as f32 / s(m.speech_ms).max(0.2) / 5.0,
        (m.end_level_db / 6.0).clamp(-2.0, 2.0),
        m.level_spread_db / 5.0,
    ]
}

/// Recordings do not pause for so long between two sentences; a person who gets no answer speaks again
/// after it, ms.
pub(super) const SPOKEN_AGAIN_MS: u32 = 1_050;

/// Most that such an utterance is likely a machine's.
const SPOKEN_AGAIN: f32 = 0.45;

/// How likely a machine is, 0 to 1, once the utterance has ended.
#[must_use]
pub(super) fn machine(m: &Measures) -> f32 {
    let values = features(m);
    let sum: f32 = values.iter().zip(WEIGHTS).map(|(x, w)| x * w).sum();
    let likely = 1.0 / (1.0 + (-(sum + WEIGHTS[FEATURES])).exp());
    if m.longest_pause_ms >= SPOKEN_AGAIN_MS {
        likely.min(SPOKEN_AGAIN)
    } else {
        likely
    }
}

/// A speaker who has not been as strong as before for so long has ended; what is still heard is behind
/// him, ms.
pub(super) const WEAK_MS: u32 = 1_200;

/// What lies between person and machine is given so long for a beep or another sentence, ms.
pub(super) const WAIT_MS: u32 = 1_700;

/// Up to this length an utterance is more likely a recording's first sentence than a whole one, ms: what follows it
/// within [`WAIT_MS`] tells.
const FIRST_SENTENCE_MS: u32 = 3_000;

/// Up to this length a greeting is a word or two; in a longer one a speaker may draw breath, ms.
const SHORT_MS: u32 = 850;

/// A short greeting and the silence after it together, ms: with what the onset takes to be heard nine in ten are decided
/// within 1.2 s of it.
const SHORT_AND_SILENCE_MS: u32 = 1_050;

/// Silence after a short greeting, from and to, ms.
const SHORT_HANG_MS: [u32; 2] = [330, 740];

/// Silence after a longer one, ms: 0.8 s from its end less the hops that smooth its level. Recordings pause for up to
/// 0.75 s between two sentences.
const HANG_MS: u32 = 760;

/// It is as short as the first sentence of a recording, and no mere word.
#[must_use]
pub(super) fn may_go_on(m: &Measures) -> bool {
    (SHORT_MS..FIRST_SENTENCE_MS).contains(&m.speech_ms)
}

/// Silence after which an utterance of that length has ended, ms. A short greeting is decided within
/// 1.2 s of its onset; a sparse one may be a tone whose cadence is not clear yet.
#[must_use]
pub(super) fn hang_ms(speech_ms: u32, sparse: bool) -> u32 {
    if speech_ms < SHORT_MS && !sparse {
        let [least, most] = SHORT_HANG_MS;
        let left = SHORT_AND_SILENCE_MS.saturating_sub(speech_ms);
        left.clamp(least, most)
    } else {
        HANG_MS
    }
}

#[cfg(test)]
mod tests {
    use super::{HANG_MS, hang_ms};

    #[test]
    fn a_word_is_decided_in_its_time_and_bursts_are_given_longer() {
        for speech in (200..=720).step_by(10) {
            let whole = speech + hang_ms(speech, false);
            assert!(whole <= 1_060, "{speech}: {whole}");
        }
        // Two bursts of 250 ms and the gap between them: the third begins at 1 s.
        assert!(500 + hang_ms(500, true) > 1_200);
        assert_eq!(hang_ms(2_000, false), HANG_MS);
    }
}
