//! What is heard in a piece of audio, by frequency: the yardstick of every audio test.

use crate::RATE_HZ;

/// Block of the analysis, samples: 50 ms, so a bin is 20 Hz wide and speech-like bursts of a tone
/// keep nearly all their energy in it.
const BLOCK: usize = 400;

/// Share (0 to 1) of the energy of `samples` that lies at `hz`, within about 30 Hz. Blocks of 50 ms
/// under a Hann window; shares of tones ≥ 100 Hz apart add up to one. Silence gives 0.
///
/// ```
/// let mut heard = vec![0i16; 8_000];
/// media::tones::Tone::sine(700.0, 0.3).fill(&mut heard);
/// assert!(media::freq::share(&heard, 700.0) > 0.95);
/// assert!(media::freq::share(&heard, 500.0) < 0.01);
/// ```
#[must_use]
pub fn share(samples: &[i16], hz: f64) -> f64 {
    shares(samples, [hz])[0]
}

/// [`share`] at several frequencies at once.
#[must_use]
pub fn shares<const N: usize>(samples: &[i16], hz: [f64; N]) -> [f64; N] {
    let mut found = [0.0; N];
    let mut whole = 0.0;
    let block = BLOCK.min(samples.len());
    if block == 0 {
        return found;
    }
    let window = hann(block);
    let (sum, squares) = window
        .iter()
        .fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    let mut weighted = vec![0.0; block];
    for chunk in samples.chunks_exact(block) {
        for ((out, sample), w) in weighted.iter_mut().zip(chunk).zip(&window) {
            *out = f64::from(*sample) * w;
        }
        whole += weighted.iter().map(|s| s * s).sum::<f64>();
        for (found, hz) in found.iter_mut().zip(hz) {
            *found += magnitude_squared(&weighted, hz);
        }
    }
    if whole <= 0.0 || sum <= 0.0 {
        return [0.0; N];
    }
    found.map(|f| (f * 2.0 * squares / (sum * sum) / whole).min(1.0))
}

/// Root mean square of samples, in sample units (0 to 32,768).
#[must_use]
pub fn rms(samples: &[i16]) -> f64 {
    f64::from(crate::goertzel::energy(samples)).sqrt()
}

/// Level against full scale, dB (0 = a square wave at full scale, silence = −100).
#[must_use]
pub fn dbfs(samples: &[i16]) -> f64 {
    (20.0 * (rms(samples) / 32_768.0).log10()).max(-100.0)
}

/// One channel of interleaved stereo: 0 = left (agent), 1 = right (debtor).
#[must_use]
pub fn channel(interleaved: &[i16], index: usize) -> Vec<i16> {
    interleaved.iter().skip(index).step_by(2).copied().collect()
}

fn hann(len: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a block is short")]
    let step = std::f64::consts::TAU / len as f64;
    #[expect(clippy::cast_precision_loss, reason = "a block is short")]
    let window = (0..len)
        .map(|i| 0.5 - 0.5 * (step * (i as f64 + 0.5)).cos())
        .collect();
    window
}

fn magnitude_squared(samples: &[f64], hz: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * hz / f64::from(RATE_HZ)).cos();
    let (mut one, mut two) = (0.0f64, 0.0f64);
    for sample in samples {
        let next = sample + coefficient * one - two;
        two = one;
        one = next;
    }
    (one * one + two * two - coefficient * one * two).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Tone;

    #[test]
    fn two_tones_share_the_whole() {
        let mut a = vec![0i16; 16_000];
        let mut b = a.clone();
        Tone::sine(500.0, 0.3).fill(&mut a);
        Tone::sine(1_100.0, 0.3).fill(&mut b);
        let mixed: Vec<i16> = a.iter().zip(&b).map(|(x, y)| x + y).collect();
        let [low, high, other] = shares(&mixed, [500.0, 1_100.0, 700.0]);
        assert!(
            (low - 0.5).abs() < 0.02 && (high - 0.5).abs() < 0.02 && other < 0.01,
            "{low} {high} {other}"
        );
    }

    #[test]
    fn a_tone_between_bins_is_still_found() {
        for hz in [425.0, 433.0, 950.0, 1_477.0] {
            let mut heard = vec![0i16; 4_000];
            Tone::sine(hz, 0.2).fill(&mut heard);
            assert!(share(&heard, hz) > 0.9, "{hz}");
        }
    }

    #[test]
    fn silence_and_nothing_have_no_tone() {
        assert_eq!(share(&[], 440.0), 0.0);
        assert_eq!(share(&[0; 4_000], 440.0), 0.0);
        assert_eq!(dbfs(&[0; 10]), -100.0);
    }

    #[test]
    fn channels_come_apart() {
        assert_eq!(channel(&[1, 2, 3, 4], 0), [1, 3]);
        assert_eq!(channel(&[1, 2, 3, 4], 1), [2, 4]);
    }
}
