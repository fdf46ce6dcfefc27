//! Makes many voices of one: for tuning, so that what is learned is not how a few engines sound and pause.

use crate::random::{Random, samples};

/// Quieter than this against the loudest 10 ms is a pause inside a sentence, 35 dB.
const SILENT: f64 = 0.018;

/// A gap from this length on is a pause, in 10 ms.
const PAUSE: usize = 12;

/// The longest pause that is made of one, ms.
const LONGEST_MS: f64 = 1_800.0;

/// How one call's voice differs from the engine's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variety {
    /// Speed and pitch together, as a tape that runs faster.
    tape: f64,
    /// Lengths of its pauses against the engine's.
    pauses: f64,
    /// Brighter below 0, darker above.
    tilt: f64,
}

impl Variety {
    /// Any; a pause becomes `low` to `high` times as long in two thirds of the calls.
    pub(crate) fn drawn(random: &mut Random, low: f64, high: f64) -> Self {
        let pauses = random.between(low.ln(), high.ln()).exp();
        Self {
            tape: random.between(0.87, 1.15),
            pauses: if random.chance(0.67) { pauses } else { 1.0 },
            tilt: random.between(-0.5, 0.5),
        }
    }

    /// A sentence in that voice.
    pub(crate) fn of(&self, said: &[f64]) -> Vec<f64> {
        let paused = self.paused(said);
        let mut before = 0.0;
        let mut out = Vec::with_capacity(paused.len());
        let mut at = 0.0;
        while let [a, b] = paused.get(samples(at / 8.0)..).unwrap_or(&[])[..]
            .get(..2)
            .unwrap_or(&[])
        {
            let x = a + (b - a) * at.fract();
            out.push(x + self.tilt * before);
            before = x;
            at += self.tape;
        }
        out
    }

    fn paused(&self, said: &[f64]) -> Vec<f64> {
        let loud = |c: &[f64]| (c.iter().map(|s| s * s).sum::<f64>() / c.len() as f64).sqrt();
        let levels: Vec<f64> = said.chunks(80).map(loud).collect();
        let silent = levels.iter().copied().fold(0.0, f64::max) * SILENT;
        let mut out = Vec::with_capacity(said.len());
        let mut gap = 0;
        for (chunk, level) in said.chunks(80).zip(&levels) {
            if *level < silent {
                gap += 1;
            } else {
                if gap >= PAUSE {
                    let ms = gap as f64 * 10.0;
                    let wished = (ms * self.pauses).min(LONGEST_MS.max(ms));
                    let less = out.len() - gap * 80;
                    out.resize(less + samples(wished), 0.0);
                }
                gap = 0;
            }
            out.extend_from_slice(chunk);
        }
        out
    }
}
