//! Power at one frequency (Goertzel's recurrence), for DTMF and call-progress tones.

use crate::RATE_HZ;

pub use crate::freq::share;

/// One frequency to look for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    coefficient: f32,
}

impl Bin {
    /// A bin at `hz` (0 to 4,000).
    #[must_use]
    pub fn new(hz: f64) -> Self {
        let turn = std::f64::consts::TAU * hz / f64::from(RATE_HZ);
        #[expect(clippy::cast_possible_truncation, reason = "a cosine fits f32")]
        let coefficient = (2.0 * turn.cos()) as f32;
        Self { coefficient }
    }
}

/// Powers at `N` frequencies in one pass. Unit: mean square; a sine of amplitude `a` at a bin
/// gives `a²/2` (its energy a sample) where the block holds whole periods.
#[must_use]
pub fn powers<const N: usize>(samples: &[i16], bins: &[Bin; N]) -> [f32; N] {
    let mut one = [0f32; N];
    let mut two = [0f32; N];
    for sample in samples {
        let sample = f32::from(*sample);
        for i in 0..N {
            let next = bins[i].coefficient.mul_add(one[i], sample - two[i]);
            two[i] = one[i];
            one[i] = next;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "blocks are short")]
    let count = samples.len().max(1) as f32;
    std::array::from_fn(|i| {
        let square = one[i] * one[i] + two[i] * two[i] - bins[i].coefficient * one[i] * two[i];
        2.0 * square.max(0.0) / (count * count)
    })
}

/// Power at one frequency, as [`powers`].
#[must_use]
pub fn power(samples: &[i16], hz: f64) -> f32 {
    powers(samples, &[Bin::new(hz)])[0]
}

/// Mean square of a block: the whole of which [`power`] is a part.
#[must_use]
pub fn energy(samples: &[i16]) -> f32 {
    let sum: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a mean square of i16 fits f32"
    )]
    let mean = (sum / samples.len().max(1) as f64) as f32;
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Tone;

    #[test]
    fn a_sine_has_its_energy_in_its_own_bin() {
        let mut block = [0i16; 400];
        Tone::sine(1_000.0, 0.5).fill(&mut block);
        let amplitude = 0.5 * f32::from(i16::MAX);
        let at = power(&block, 1_000.0);
        assert!(
            (at / (amplitude * amplitude / 2.0) - 1.0).abs() < 0.01,
            "{at}"
        );
        assert!((at / energy(&block) - 1.0).abs() < 0.01);
        assert!(power(&block, 1_400.0) < at / 10_000.0);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(power(&[], 440.0), 0.0);
        assert_eq!(energy(&[]), 0.0);
    }
}
