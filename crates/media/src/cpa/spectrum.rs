//! The short spectrum each 10 ms: strongest tones with their share of the whole, and the pitch.

use std::f32::consts::TAU;

/// Samples under one window: 32 ms, so a bin is 31.25 Hz wide.
pub(super) const WINDOW: usize = 256;

/// Samples from one spectrum to the next: 10 ms.
pub(super) const HOP: usize = 80;

/// Milliseconds of a hop.
pub(super) const HOP_MS: u32 = 10;

const HALF: usize = WINDOW / 2;

/// Width of a bin, Hz.
const BIN_HZ: f32 = 8_000.0 / 256.0;

/// First and last bin that count as sound of a telephone line: 94 to 3,906 Hz.
const BAND: std::ops::RangeInclusive<usize> = 3..=125;

/// Bins either side of a peak that belong to it (Hann's main lobe is four bins wide).
const LOBE: usize = 2;

/// Shortest and longest period searched, samples: 400 Hz down to 75 Hz.
const LAG_MIN: usize = 20;
const LAG_MAX: usize = 106;

/// What one hop of 10 ms sounds like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hop {
    /// Which hop since the beginning.
    pub at: u32,
    /// Level of the newest 10 ms, dBFS (silence: −100).
    pub level: f32,
    /// The two strongest tones, Hz, the stronger first.
    pub hz: [f32; 2],
    /// Their shares of all energy under the window, 0 to 1.
    pub share: [f32; 2],
    /// Pitch, Hz; only where `voicing` is high.
    pub pitch: f32,
    /// How periodic the sound is, 0 (noise) to 1.
    pub voicing: f32,
    /// Signs of change between neighbouring bands, for `prints`.
    pub bits: u16,
}

/// Bands of the fingerprint: 17 from 281 to 3,094 Hz, each a ninth to a tenth wider than the last.
const EDGES: [usize; 18] = [
    9, 11, 13, 15, 17, 20, 23, 26, 29, 33, 38, 43, 49, 56, 64, 73, 84, 99,
];

/// Hops back to which the bands are compared.
const BACK: usize = 4;

/// Turns samples into hops. Holds all it needs: nothing is allocated while it runs.
#[derive(Debug, Clone)]
pub(super) struct Spectrum {
    shape: [f32; WINDOW],
    cos: [f32; HALF],
    sin: [f32; HALF],
    history: [f32; WINDOW],
    filled: usize,
    at: u32,
    last: [f32; 2],
    re: [f32; WINDOW],
    im: [f32; WINDOW],
    power: [f32; HALF],
    slopes: [[f32; 16]; BACK],
}

/// Pole of the filter that takes away a constant and hum below about 120 Hz.
const POLE: f32 = 0.91;

impl Spectrum {
    pub(super) fn new() -> Self {
        let turn = |i: usize| TAU * i as f32 / WINDOW as f32;
        let shape: [f32; WINDOW] =
            std::array::from_fn(|i| 0.5 - 0.5 * (turn(i) + TAU / 512.0).cos());
        Self {
            shape,
            cos: std::array::from_fn(|i| turn(i).cos()),
            sin: std::array::from_fn(|i| turn(i).sin()),
            history: [0.0; WINDOW],
            filled: 0,
            at: 0,
            last: [0.0; 2],
            re: [0.0; WINDOW],
            im: [0.0; WINDOW],
            power: [0.0; HALF],
            slopes: [[0.0; 16]; BACK],
        }
    }

    /// Takes one sample; a hop each [`HOP`] samples.
    pub(super) fn push(&mut self, sample: i16) -> Option<Hop> {
        let x = f32::from(sample) / 32_768.0;
        let y = x - self.last[0] + POLE * self.last[1];
        self.last = [x, y];
        if self.filled == 0 {
            self.history.copy_within(HOP.., 0);
        }
        self.history[WINDOW - HOP + self.filled] = y;
        self.filled += 1;
        if self.filled < HOP {
            return None;
        }
        self.filled = 0;
        let hop = self.measure();
        self.at += 1;
        Some(hop)
    }

    fn measure(&mut self) -> Hop {
        let newest = &self.history[WINDOW - HOP..];
        let square = newest.iter().map(|s| s * s).sum::<f32>() / HOP as f32;
        let mut hop = Hop {
            at: self.at,
            level: db(square),
            ..Hop::default()
        };
        for i in 0..WINDOW {
            self.re[i] = self.history[i] * self.shape[i];
            self.im[i] = 0.0;
        }
        self.transform();
        for k in 0..HALF {
            self.power[k] = self.re[k] * self.re[k] + self.im[k] * self.im[k];
        }
        hop.bits = self.change();
        let whole: f32 = self.power[BAND].iter().sum();
        if whole < 1e-6 {
            return hop;
        }
        let first = self.peak(None);
        let second = self.peak(Some(first));
        hop.hz = [self.refined(first), self.refined(second)];
        hop.share = [self.lobe(first) / whole, self.lobe(second) / whole];
        (hop.pitch, hop.voicing) = self.pitch();
        hop
    }

    fn change(&mut self) -> u16 {
        let bands: [f32; 17] =
            std::array::from_fn(|i| self.power[EDGES[i]..EDGES[i + 1]].iter().sum());
        let slopes: [f32; 16] = std::array::from_fn(|i| bands[i] - bands[i + 1]);
        let before = self.slopes[BACK - 1];
        self.slopes.rotate_right(1);
        self.slopes[0] = slopes;
        (0..16).fold(0, |bits, i| bits << 1 | u16::from(slopes[i] > before[i]))
    }

    fn peak(&self, besides: Option<usize>) -> usize {
        let mut best = *BAND.start();
        let mut most = -1.0;
        for k in BAND {
            if besides.is_some_and(|b| k.abs_diff(b) <= 2 * LOBE) {
                continue;
            }
            if self.power[k] > most {
                most = self.power[k];
                best = k;
            }
        }
        best
    }

    fn lobe(&self, at: usize) -> f32 {
        self.power[at.saturating_sub(LOBE)..=(at + LOBE).min(HALF - 1)]
            .iter()
            .sum()
    }

    /// Frequency between bins, by a parabola through the logarithms.
    fn refined(&self, at: usize) -> f32 {
        let log = |k: usize| (self.power[k.min(HALF - 1)] + 1e-12).ln();
        let (low, mid, high) = (log(at.saturating_sub(1)), log(at), log(at + 1));
        let bend = low - 2.0 * mid + high;
        let shift = if bend < -1e-6 {
            (0.5 * (low - high) / bend).clamp(-0.5, 0.5)
        } else {
            0.0
        };
        (at as f32 + shift) * BIN_HZ
    }

    /// Pitch and its strength: how well the newest 16 ms repeat what was a period before them.
    fn pitch(&self) -> (f32, f32) {
        let newest = &self.history[HALF..];
        let energy: f32 = newest.iter().map(|s| s * s).sum();
        let mut values = [0.0f32; LAG_MAX + 2];
        let mut lagged: f32 = self.history[HALF - LAG_MIN + 1..WINDOW - LAG_MIN + 1]
            .iter()
            .map(|s| s * s)
            .sum();
        for (lag, value) in values.iter_mut().enumerate().skip(LAG_MIN - 1) {
            let then = &self.history[HALF - lag..WINDOW - lag];
            let both: f32 = newest.iter().zip(then).map(|(a, b)| a * b).sum();
            *value = both / (energy * lagged).max(1e-12).sqrt();
            let (comes, goes) = (self.history[HALF - lag - 1], self.history[WINDOW - lag - 1]);
            lagged = (lagged + comes * comes - goes * goes).max(0.0);
        }
        let is_peak =
            |lag: &usize| values[*lag] >= values[lag - 1] && values[*lag] >= values[lag + 1];
        let peaks = || (LAG_MIN..=LAG_MAX).filter(is_peak);
        let most = peaks().map(|lag| values[lag]).fold(0.0, f32::max);
        // A multiple of the true period fits as well: the shortest that fits is meant.
        match peaks().find(|lag| values[*lag] >= 0.9 * most) {
            Some(lag) if most > 0.0 => (8_000.0 / lag as f32, most.min(1.0)),
            _ => (0.0, 0.0),
        }
    }

    /// Discrete Fourier transform in place, radix 2.
    fn transform(&mut self) {
        for i in 0..=u8::MAX {
            let (a, b) = (usize::from(i), usize::from(i.reverse_bits()));
            if b > a {
                self.re.swap(a, b);
                self.im.swap(a, b);
            }
        }
        let mut half = 1;
        while half < WINDOW {
            let stride = HALF / half;
            for start in (0..WINDOW).step_by(2 * half) {
                for k in 0..half {
                    let (c, s) = (self.cos[k * stride], self.sin[k * stride]);
                    let (a, b) = (start + k, start + k + half);
                    let re = self.re[b] * c + self.im[b] * s;
                    let im = self.im[b] * c - self.re[b] * s;
                    self.re[b] = self.re[a] - re;
                    self.im[b] = self.im[a] - im;
                    self.re[a] += re;
                    self.im[a] += im;
                }
            }
            half *= 2;
        }
    }
}

/// A mean square (full scale 1) in dBFS, at least −100.
pub(super) fn db(square: f32) -> f32 {
    10.0 * square.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tones::Tone;

    fn hops(samples: &[i16]) -> Vec<Hop> {
        let mut spectrum = Spectrum::new();
        samples.iter().filter_map(|s| spectrum.push(*s)).collect()
    }

    #[test]
    fn a_tone_is_found_to_a_few_hertz_with_all_the_energy() {
        for hz in [400.0, 433.0, 950.0, 1_111.0, 1_400.0, 2_100.0] {
            let mut heard = [0i16; 1_600];
            Tone::sine(hz, 0.2).fill(&mut heard);
            let last = hops(&heard)[19];
            assert!((f64::from(last.hz[0]) - hz).abs() < 4.0, "{hz} {last:?}");
            assert!(last.share[0] > 0.97, "{last:?}");
        }
    }

    #[test]
    fn two_tones_share_and_a_constant_is_nothing() {
        let mut heard = [0i16; 1_600];
        Tone::dual(480.0, 620.0, 0.2).fill(&mut heard);
        let last = hops(&heard)[19];
        assert!(last.share[0] + last.share[1] > 0.95, "{last:?}");
        let flat = hops(&[9_000i16; 8_000])[99];
        assert!(flat.level < -90.0, "{flat:?}");
    }

    #[test]
    fn a_pulse_train_has_its_pitch() {
        let heard: Vec<i16> = (0..4_000)
            .map(|n| if n % 53 == 0 { 20_000 } else { 0 })
            .collect();
        let last = hops(&heard)[40];
        assert!((last.pitch - 8_000.0 / 53.0).abs() < 4.0, "{last:?}");
        assert!(last.voicing > 0.7, "{last:?}");
    }
}
