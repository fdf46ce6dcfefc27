//! What a line does to a voice: band, level, noise, other voices, codec, loss, clipping, a constant.

use crate::random::Random;
use media::g711::Law;

/// A second-order filter.
struct Filter {
    b: [f64; 3],
    a: [f64; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Filter {
    /// Butterworth, low or high pass at `hz`.
    fn new(hz: f64, high: bool) -> Self {
        let w = std::f64::consts::TAU * hz / 8_000.0;
        let (sin, cos) = w.sin_cos();
        let alpha = sin / std::f64::consts::SQRT_2;
        let whole = 1.0 + alpha;
        let edge = if high { 1.0 + cos } else { 1.0 - cos };
        let middle = if high { -edge } else { edge };
        Self {
            b: [edge / 2.0 / whole, middle / whole, edge / 2.0 / whole],
            a: [-2.0 * cos / whole, (1.0 - alpha) / whole],
            x: [0.0; 2],
            y: [0.0; 2],
        }
    }

    fn run(&mut self, audio: &mut [f64]) {
        for s in audio {
            let out = self.b[0] * *s + self.b[1] * self.x[0] + self.b[2] * self.x[1]
                - self.a[0] * self.y[0]
                - self.a[1] * self.y[1];
            self.x = [*s, self.x[0]];
            self.y = [out, self.y[0]];
            *s = out;
        }
    }
}

/// A telephone's band.
pub(crate) fn telephone(random: &mut Random, audio: &mut [f64]) {
    Filter::new(random.between(180.0, 320.0), true).run(audio);
    Filter::new(random.between(3_000.0, 3_600.0), false).run(audio);
}

/// Root mean square of where it sounds.
pub(crate) fn level(audio: &[f64]) -> f64 {
    let squares: Vec<f64> = audio
        .chunks(160)
        .map(|c| c.iter().map(|s| s * s).sum::<f64>() / c.len() as f64)
        .collect();
    let most = squares.iter().copied().fold(0.0, f64::max);
    let loud: Vec<f64> = squares.into_iter().filter(|s| *s > most / 300.0).collect();
    (loud.iter().sum::<f64>() / loud.len().max(1) as f64).sqrt()
}

/// Brought to a level in dB of full scale.
pub(crate) fn at_level(audio: &mut [f64], dbfs: f64) {
    let now = level(audio);
    if now > 0.0 {
        let gain = 10f64.powf(dbfs / 20.0) / now;
        for s in audio {
            *s *= gain;
        }
    }
}

/// Noise of one of several kinds, level 1 all told.
pub(crate) fn noise(random: &mut Random, len: usize) -> Vec<f64> {
    let kind = random.bits() % 4;
    let mut brown = 0.0;
    let turn = std::f64::consts::TAU * if random.chance(0.5) { 50.0 } else { 60.0 } / 8_000.0;
    let mut gust = 1.0;
    let mut out: Vec<f64> = (0..len)
        .map(|n| {
            let white = random.between(-1.0, 1.0);
            match kind {
                0 => white,
                1 => {
                    brown = 0.96 * brown + white;
                    brown
                }
                2 => {
                    let t = turn * n as f64;
                    t.sin() + 0.5 * (3.0 * t).sin() + 0.3 * (5.0 * t).sin() + 0.2 * white
                }
                _ => {
                    // A street: slow swells.
                    if n % 800 == 0 {
                        gust = 0.7 * gust + 0.3 * random.between(0.3, 2.0);
                    }
                    brown = 0.9 * brown + white;
                    brown * gust
                }
            }
        })
        .collect();
    let rms = (out.iter().map(|s| s * s).sum::<f64>() / len.max(1) as f64).sqrt();
    for s in &mut out {
        *s /= rms.max(1e-9);
    }
    out
}

/// Adds `what` from `at` on.
pub(crate) fn add(audio: &mut [f64], at: usize, what: &[f64]) {
    for (out, s) in audio.iter_mut().skip(at).zip(what) {
        *out += s;
    }
}

/// To samples, through a codec, with faults of the line.
pub(crate) fn line(random: &mut Random, mut audio: Vec<f64>) -> Vec<i16> {
    if random.chance(0.06) {
        for s in &mut audio {
            *s *= 6.0;
        }
    }
    let shift = if random.chance(0.06) {
        random.between(-0.06, 0.06)
    } else {
        0.0
    };
    let mut samples: Vec<i16> = audio
        .iter()
        .map(|s| media::from_unit((s + shift).clamp(-1.0, 1.0)))
        .collect();
    let law = match random.bits() % 3 {
        0 => Some(Law::Mu),
        1 => Some(Law::A),
        _ => None,
    };
    if let Some(law) = law {
        for s in &mut samples {
            *s = law.decode_sample(law.encode_sample(*s));
        }
    }
    if random.chance(0.2) {
        let share = random.between(0.002, 0.03);
        for frame in samples.chunks_mut(160) {
            if random.chance(share) {
                frame.fill(0);
            }
        }
    }
    samples
}
