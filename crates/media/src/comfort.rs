//! Comfort noise (RFC 3389): what a far end that sends nothing in pauses says its silence sounds
//! like. Without it a pause sounds like a dead line, and counts as one.

use crate::{MediaError, from_unit};

/// Static payload type at 8 kHz (RFC 3551 §6).
pub const PAYLOAD_TYPE: u8 = 13;

/// Coefficients used; more are left out (RFC 3389 §3 lets the receiver choose).
const ORDER: usize = 10;

/// Quietest level told, dB below overload.
const QUIETEST: u8 = 127;

/// A description of background noise, as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Level, dB below overload: 0 to 127.
    pub level: u8,
    order: usize,
    coded: [u8; ORDER],
}

impl Description {
    /// Noise of this level with a flat spectrum.
    #[must_use]
    pub const fn flat(level: u8) -> Self {
        Self {
            level: if level > QUIETEST { QUIETEST } else { level },
            order: 0,
            coded: [127; ORDER],
        }
    }

    /// Reads a payload: the level, then reflection coefficients.
    ///
    /// # Errors
    /// [`MediaError::Comfort`] where it is empty or its level has the bit that must be 0.
    pub fn parse(payload: &[u8]) -> Result<Self, MediaError> {
        let (level, coefficients) = payload.split_first().ok_or(MediaError::Comfort(None))?;
        if *level > QUIETEST {
            return Err(MediaError::Comfort(Some(*level)));
        }
        let mut read = Self::flat(*level);
        read.order = coefficients.len().min(ORDER);
        read.coded[..read.order].copy_from_slice(&coefficients[..read.order]);
        Ok(read)
    }

    /// Reflection coefficient `i`, within (-1, 1) whatever was sent, so that the filter is stable.
    fn reflection(&self, i: usize) -> f64 {
        let step = f64::from(self.coded[i].min(254)) - 127.0;
        step * 258.0 / 32_768.0
    }
}

/// Makes the noise that a description tells.
#[derive(Debug, Clone)]
pub struct Noise {
    description: Description,
    /// State of the lattice filter.
    backward: [f64; ORDER + 1],
    random: u32,
}

impl Noise {
    /// Noise by a description; `seed` decides its samples.
    #[must_use]
    pub fn new(description: Description, seed: u32) -> Self {
        Self {
            description,
            backward: [0.0; ORDER + 1],
            random: seed | 1,
        }
    }

    /// Goes on with another description.
    pub fn change(&mut self, description: Description) {
        self.description = description;
    }

    /// The next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        let order = self.description.order;
        let mut k = [0.0; ORDER];
        let mut narrowed = 1.0;
        for (i, k) in k.iter_mut().enumerate().take(order) {
            *k = self.description.reflection(i);
            narrowed *= 1.0 - *k * *k;
        }
        // The all-pole filter raises the power by 1 / Π(1 - k²).
        let level = 10.0_f64.powf(-f64::from(self.description.level) / 20.0);
        let gain = level * f64::sqrt(narrowed);
        for sample in out {
            let mut forward = self.white() * gain;
            for i in (0..order).rev() {
                forward -= k[i] * self.backward[i];
                self.backward[i + 1] = self.backward[i] + k[i] * forward;
            }
            self.backward[0] = forward;
            *sample = from_unit(forward);
        }
    }

    /// White noise of variance 1: uniform, ±√3.
    fn white(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        (f64::from(self.random) / f64::from(u32::MAX) * 2.0 - 1.0) * 3.0_f64.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::{dbfs, share};
    use proptest::prelude::*;

    fn made(payload: &[u8], count: usize) -> Vec<i16> {
        let mut out = vec![0; count];
        Noise::new(Description::parse(payload).unwrap(), 77).fill(&mut out);
        out
    }

    /// dBov: relative to a full square wave.
    fn dbov(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        let count = f64::from(u32::try_from(samples.len()).unwrap());
        10.0 * (sum / count / 32_768.0_f64.powi(2)).log10()
    }

    #[test]
    fn the_level_is_what_was_told() {
        for level in [20_u8, 40, 55] {
            let heard = dbov(&made(&[level], 16_000));
            assert!((heard + f64::from(level)).abs() < 1.0, "{level}: {heard}");
        }
        assert!(dbfs(&made(&[127], 8_000)) < -90.0);
        // A coloured one keeps its level: k = ±0.9 at the first coefficient.
        for coefficient in [13_u8, 241] {
            let heard = dbov(&made(&[40, coefficient], 64_000));
            assert!((heard + 40.0).abs() < 1.5, "{coefficient}: {heard}");
        }
    }

    #[test]
    fn coefficients_colour_it() {
        // 1/(1 + k z⁻¹): a negative first coefficient is low-pass.
        let low = made(&[30, 13], 16_000);
        let high = made(&[30, 241], 16_000);
        assert!(share(&low, 200.0) > share(&high, 200.0) * 3.0);
    }

    #[test]
    fn what_is_no_description_is_refused() {
        assert!(Description::parse(&[]).is_err());
        assert!(Description::parse(&[128]).is_err());
        assert!(Description::parse(&[127; 200]).is_ok());
    }

    proptest! {
        #[test]
        fn any_description_stays_within_bounds(payload in proptest::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(description) = Description::parse(&payload) {
                let mut noise = Noise::new(description, 5);
                let mut out = [0i16; 1_600];
                noise.fill(&mut out);
                noise.change(Description::flat(60));
                noise.fill(&mut out);
                prop_assert!(out[800..].iter().all(|s| s.unsigned_abs() < 20_000));
            }
        }
    }
}
