//! Invented voices: tones in the speech band that come in syllables, words and pauses, so that a
//! voice detector takes them for a person and a test knows them by their frequencies.

use crate::{FRAME_SAMPLES, RATE_HZ, SAMPLES_PER_MS, from_unit};

/// Frequencies of the agent's voice in demos and tests, Hz.
pub const AGENT_HZ: [f64; 2] = [700.0, 1_300.0];

/// Frequencies of the debtor's voice in demos and tests, Hz.
pub const DEBTOR_HZ: [f64; 2] = [500.0, 1_100.0];

/// Rise and fall of a syllable, samples: a hard edge would spread the tone over the band.
const EDGE: usize = 80;

/// A voice without end.
#[derive(Debug, Clone)]
pub struct Speech {
    hz: [f64; 2],
    amplitude: f64,
    state: u64,
    phase: [f64; 2],
    syllables_left: u32,
    at: usize,
    sounding: usize,
    silent: usize,
}

impl Speech {
    /// A voice at two frequencies (Hz) with an amplitude of 0 to 1 each; the same `seed` gives the
    /// same words.
    #[must_use]
    pub fn new(hz: [f64; 2], amplitude: f64, seed: u64) -> Self {
        let mut voice = Self {
            hz,
            amplitude,
            state: seed ^ 0x9e37_79b9_7f4a_7c15,
            phase: [0.0; 2],
            syllables_left: 0,
            at: 0,
            sounding: 0,
            silent: 0,
        };
        voice.next_syllable();
        voice
    }

    /// Writes the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next_sample();
        }
    }

    /// The next frame of 20 ms.
    pub fn frame(&mut self) -> crate::Frame {
        let mut frame = [0i16; FRAME_SAMPLES];
        self.fill(&mut frame);
        frame
    }

    fn next_sample(&mut self) -> i16 {
        if self.at >= self.sounding + self.silent {
            self.next_syllable();
        }
        let at = self.at;
        self.at += 1;
        let mut value = 0.0;
        for (phase, hz) in self.phase.iter_mut().zip(self.hz) {
            value += phase.sin();
            *phase =
                (*phase + std::f64::consts::TAU * hz / f64::from(RATE_HZ)) % std::f64::consts::TAU;
        }
        if at >= self.sounding {
            return 0;
        }
        let edge = at.min(self.sounding - at).min(EDGE);
        #[expect(clippy::cast_precision_loss, reason = "at most 80")]
        let gain = edge as f64 / EDGE as f64;
        from_unit(value * gain * self.amplitude)
    }

    fn next_syllable(&mut self) {
        // Syllables of 120 to 220 ms, 2 to 7 a phrase, short gaps inside it, a breath after it.
        if self.syllables_left == 0 {
            self.syllables_left = 2 + self.draw(6);
            self.silent = self.silent.max(1);
        }
        self.syllables_left -= 1;
        self.at = 0;
        self.sounding = (120 + self.draw(100) as usize) * SAMPLES_PER_MS;
        let gap = if self.syllables_left == 0 {
            250 + self.draw(350)
        } else {
            20 + self.draw(40)
        };
        self.silent = gap as usize * SAMPLES_PER_MS;
    }

    fn draw(&mut self, below: u32) -> u32 {
        // SplitMix64: chance enters by the seed alone.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        u32::try_from(z % u64::from(below)).unwrap_or(0)
    }
}

/// Words as a throat makes them: pulses of the vocal folds at `pitch_hz` through two resonances, three
/// syllables of 180 ms a word, `gap_ms` between words. A detector of speech takes it for speech, where
/// [`Speech`] is a pair of tones to it. The same `seed` gives the same words.
#[must_use]
pub fn vowels(words: usize, gap_ms: usize, pitch_hz: f64, seed: u64) -> Vec<i16> {
    const SYLLABLE: u32 = 1_440;
    let mut out = Vec::new();
    let mut phase = 0.0;
    let mut state = seed | 1;
    let mut memory = [[0.0f64; 2]; 2];
    for word in 0..words {
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let turn = (state >> 33) as f64 / f64::from(1u32 << 31);
            let resonances = [350.0 + 450.0 * turn, 1_100.0 + 900.0 * (1.0 - turn)];
            for n in 0..SYLLABLE {
                let through = f64::from(n) / f64::from(SYLLABLE);
                phase += pitch_hz * (1.0 + 0.08 * turn - 0.06 * through) / f64::from(RATE_HZ);
                let mut value = if phase >= 1.0 { 1.0 } else { 0.0 };
                phase %= 1.0;
                for (m, hz) in memory.iter_mut().zip(resonances) {
                    let w = std::f64::consts::TAU * hz / f64::from(RATE_HZ);
                    let next = value + 1.9 * w.cos() * m[0] - 0.9 * m[1];
                    *m = [next, m[0]];
                    value = next;
                }
                let shape = (std::f64::consts::PI * through).sin().max(0.0).sqrt();
                out.push(from_unit(value * shape * 0.03));
            }
        }
        if word + 1 < words {
            out.resize(out.len() + gap_ms * SAMPLES_PER_MS, 0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::{rms, shares};

    #[test]
    fn two_voices_are_told_apart_by_frequency() {
        let mut heard = vec![0i16; 80_000];
        Speech::new(DEBTOR_HZ, 0.25, 1).fill(&mut heard);
        let [a, b, x, y] = shares(&heard, [500.0, 1_100.0, 700.0, 1_300.0]);
        assert!(a > 0.35 && b > 0.35, "{a} {b}");
        assert!(x + y < 0.01, "{x} {y}");
    }

    #[test]
    fn a_voice_pauses_and_goes_on_and_repeats_by_seed() {
        let mut voice = Speech::new(AGENT_HZ, 0.25, 7);
        let frames: Vec<bool> = (0..500).map(|_| rms(&voice.frame()) > 100.0).collect();
        let loud = frames.iter().filter(|f| **f).count();
        assert!((250..490).contains(&loud), "{loud}");
        let (mut a, mut b) = (
            Speech::new(AGENT_HZ, 0.25, 3),
            Speech::new(AGENT_HZ, 0.25, 3),
        );
        assert!((0..50).all(|_| a.frame() == b.frame()));
    }
}
