//! Covering lost audio: the last pitch period is repeated and fades (after ITU-T G.711 appendix I,
//! made simple). A repeated whole frame clicks at its seams; a repeated period does not.

use crate::{FRAME_SAMPLES, Frame, saturate};

/// Audio looked back on, samples: three of the longest periods.
const HISTORY: usize = 480;
/// Shortest and longest pitch period, samples: 200 to 50 Hz.
const PERIODS: std::ops::RangeInclusive<usize> = 40..=160;
/// Samples compared to find the period: 20 ms.
const COMPARED: usize = 160;
/// Samples over which what was made up and what came are blended: 4 ms.
const BLEND: usize = 32;
/// Samples of a loss without fading: 10 ms; after it 1/50 of the level goes each millisecond, so that
/// a loss is silent from 60 ms on.
const STEADY: usize = 80;
/// Samples after which nothing more is made up.
const LONGEST: usize = 480;

/// The recent past of one stream.
#[derive(Debug, Clone)]
pub struct Concealer {
    history: [i16; HISTORY],
    /// Samples heard so far, up to [`HISTORY`].
    known: usize,
    /// Period being repeated, while something is lost.
    period: usize,
    /// Samples made up since the loss began.
    made: usize,
}

impl Default for Concealer {
    fn default() -> Self {
        Self {
            history: [0; HISTORY],
            known: 0,
            period: 0,
            made: 0,
        }
    }
}

impl Concealer {
    /// Takes a frame that came; right after a loss its start is blended with what was made up.
    pub fn came(&mut self, frame: &mut Frame) {
        if self.made > 0 {
            let gain = self.gain(self.made);
            for (i, sample) in frame.iter_mut().take(BLEND).enumerate() {
                let made = self.repeated(self.made + i) * gain / 256;
                let share = blend(i);
                *sample = saturate((i32::from(*sample) * share + made * (256 - share)) / 256);
            }
            self.made = 0;
        }
        self.history.copy_within(FRAME_SAMPLES.., 0);
        self.history[HISTORY - FRAME_SAMPLES..].copy_from_slice(frame);
        self.known = (self.known + FRAME_SAMPLES).min(HISTORY);
    }

    /// Makes up a lost frame; `false` and silence when nothing came before or too much is lost.
    pub fn make(&mut self, out: &mut Frame) -> bool {
        out.fill(0);
        if self.known < HISTORY.min(FRAME_SAMPLES * 2) || self.made >= LONGEST {
            return false;
        }
        if self.made == 0 {
            self.period = self.find_period();
        }
        for (i, sample) in out.iter_mut().enumerate() {
            let at = self.made + i;
            *sample = saturate(self.repeated(at) * self.gain(at) / 256);
        }
        self.made += FRAME_SAMPLES;
        true
    }

    /// Sample `at` of the endless repetition of the last period. Near its end it runs over into the
    /// sample before its begin, so that the seam is smooth.
    fn repeated(&self, at: usize) -> i32 {
        let period = self.period.max(1);
        let place = at % period;
        let begin = HISTORY - period;
        let sample = i32::from(self.history[begin + place]);
        let lap = BLEND.min(period / 4);
        let left = period - place;
        if left > lap {
            return sample;
        }
        // What comes one period earlier leads into the begin of the next repetition.
        let before = i32::from(self.history[begin + place - period]);
        let share = i32::try_from((lap - left + 1) * 256 / (lap + 1)).unwrap_or(0);
        (sample * (256 - share) + before * share) / 256
    }

    /// Level of made-up sample `at`, in 1/256.
    fn gain(&self, at: usize) -> i32 {
        let faded = at.saturating_sub(STEADY);
        let whole = LONGEST - STEADY;
        i32::try_from(256 - faded.min(whole) * 256 / whole).unwrap_or(0)
    }

    /// The lag at which the recent past is most like itself: of peaks about as high as the highest,
    /// since multiples of the period are as good as it, the first.
    fn find_period(&self) -> usize {
        let like: Vec<f32> = PERIODS.map(|lag| self.likeness(lag)).collect();
        let most = like.iter().copied().fold(0.0, f32::max);
        let peak = |i: usize| {
            let beside = |j: Option<usize>| j.and_then(|j| like.get(j)).copied().unwrap_or(0.0);
            like[i] >= most * 0.97
                && like[i] >= beside(i.checked_sub(1))
                && like[i] >= beside(Some(i + 1))
        };
        let first = (0..like.len()).find(|i| peak(*i));
        PERIODS.start() + first.unwrap_or(like.len() - 1)
    }

    /// Normalised cross-correlation of the last 20 ms with those `lag` samples before.
    fn likeness(&self, lag: usize) -> f32 {
        let recent = &self.history[HISTORY - COMPARED..];
        let past = &self.history[HISTORY - COMPARED - lag..HISTORY - lag];
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (a, b) in recent.iter().zip(past) {
            let (a, b) = (f32::from(*a), f32::from(*b));
            product += a * b;
            energy += b * b;
        }
        product.max(0.0) * product / energy
    }
}

/// Share, in 1/256, of what came at sample `i` after a loss.
fn blend(i: usize) -> i32 {
    i32::try_from((i + 1) * 256 / (BLEND + 1)).unwrap_or(256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SILENCE;
    use crate::freq::{rms, share};
    use crate::tones::Tone;

    /// Largest step from one sample to the next.
    fn step(samples: &[i16]) -> i32 {
        samples
            .windows(2)
            .map(|w| (i32::from(w[1]) - i32::from(w[0])).abs())
            .max()
            .unwrap_or(0)
    }

    fn with_losses(hz: f64, lost: impl Fn(usize) -> bool) -> (Vec<i16>, Vec<i16>) {
        let mut tone = Tone::sine(hz, 0.4);
        let mut concealer = Concealer::default();
        let (mut whole, mut heard) = (Vec::new(), Vec::new());
        for n in 0..200 {
            let mut frame = SILENCE;
            tone.fill(&mut frame);
            whole.extend(frame);
            if lost(n) {
                concealer.make(&mut frame);
            } else {
                concealer.came(&mut frame);
            }
            heard.extend(frame);
        }
        (whole, heard)
    }

    #[test]
    fn a_lost_frame_does_not_click() {
        for hz in [110.0, 230.0, 333.0, 617.0, 1_150.0] {
            let (whole, heard) = with_losses(hz, |n| n > 3 && n % 10 == 7);
            assert!(share(&heard, hz) > 0.97, "{hz}: {}", share(&heard, hz));
            assert!(
                step(&heard) < step(&whole) * 2,
                "{hz}: {} of {}",
                step(&heard),
                step(&whole)
            );
        }
    }

    #[test]
    fn a_long_loss_fades_to_silence_and_says_so() {
        let mut tone = Tone::sine(300.0, 0.4);
        let mut concealer = Concealer::default();
        let mut frame = SILENCE;
        assert!(!concealer.make(&mut frame), "nothing came yet");
        for _ in 0..4 {
            tone.fill(&mut frame);
            concealer.came(&mut frame);
        }
        let loud = rms(&frame);
        let mut levels = Vec::new();
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(concealer.make(&mut frame));
            levels.push(rms(&frame));
        }
        assert_eq!(made, [true, true, true, false, false]);
        assert!(levels[0] > loud * 0.8 && levels[1] < levels[0] && levels[2] < loud * 0.3);
        assert_eq!(levels[3..], [0.0, 0.0]);
    }

    #[test]
    fn any_history_does_no_harm() {
        for value in [i16::MIN, -1, 0, 1, i16::MAX] {
            let mut concealer = Concealer::default();
            let mut frame = [value; FRAME_SAMPLES];
            for _ in 0..3 {
                concealer.came(&mut frame);
            }
            for _ in 0..4 {
                concealer.make(&mut frame);
            }
            concealer.came(&mut [value; FRAME_SAMPLES]);
        }
    }
}
