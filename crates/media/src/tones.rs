//! Tones: sine, ring-back, busy, special information, beep. Cadences are data.

use crate::{RATE_HZ, SAMPLES_PER_MS, from_unit};

/// Level of call-progress tones as amplitude: −10 dBm0 ± 5 dB (ITU-T E.180 §4).
const PROGRESS_LEVEL: f64 = 0.2;

/// One step of a cadence: up to two frequencies (0 = none) for a time; both 0 is a pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Frequencies, Hz.
    pub hz: [f64; 2],
    /// How long, ms.
    pub ms: u32,
}

const fn on(hz: f64, ms: u32) -> Step {
    Step { hz: [hz, 0.0], ms }
}
const fn pair(low: f64, high: f64, ms: u32) -> Step {
    Step {
        hz: [low, high],
        ms,
    }
}
const fn off(ms: u32) -> Step {
    Step { hz: [0.0, 0.0], ms }
}

/// Special information tone before a recorded announcement (ITU-T E.180 §7).
pub const SIT: &[Step] = &[
    on(950.0, 330),
    on(1_400.0, 330),
    on(1_800.0, 330),
    off(1_000),
];

/// Answering machine's beep: the commonest pitch and length.
pub const BEEP: &[Step] = &[on(1_000.0, 400)];

/// Ring-back of a country (ISO 3166 alpha-2), by ITU-T E.180 supplement 2 as remembered; unknown
/// countries get the European 425 Hz, 1 s on, 4 s off.
#[must_use]
pub fn ring_back(country: &str) -> &'static [Step] {
    match country {
        "US" | "CA" | "PR" | "DO" => &[const { pair(440.0, 480.0, 2_000) }, const { off(4_000) }],
        "GB" => &[
            const { pair(400.0, 450.0, 400) },
            const { off(200) },
            const { pair(400.0, 450.0, 400) },
            const { off(2_000) },
        ],
        "ES" => &[const { on(425.0, 1_500) }, const { off(3_000) }],
        "CL" => &[const { on(400.0, 1_000) }, const { off(3_000) }],
        "EC" => &[const { on(425.0, 1_200) }, const { off(4_650) }],
        _ => &[const { on(425.0, 1_000) }, const { off(4_000) }],
    }
}

/// Busy tone of a country; source as [`ring_back`].
#[must_use]
pub fn busy(country: &str) -> &'static [Step] {
    match country {
        "US" | "CA" | "PR" | "DO" => &[const { pair(480.0, 620.0, 500) }, const { off(500) }],
        "GB" => &[const { on(400.0, 375) }, const { off(375) }],
        "ES" => &[const { on(425.0, 200) }, const { off(200) }],
        "CL" => &[const { on(400.0, 500) }, const { off(500) }],
        "AR" => &[const { on(425.0, 300) }, const { off(200) }],
        _ => &[const { on(425.0, 250) }, const { off(250) }],
    }
}

/// Plays a cadence, round and round, with unbroken phase inside a step.
#[derive(Debug, Clone)]
pub struct Tone {
    steps: Vec<Step>,
    amplitude: f64,
    step: usize,
    left: usize,
    phase: [f64; 2],
    rounds_left: Option<u32>,
}

/// Steps taken of a cadence; the rest is ignored.
pub const MAX_STEPS: usize = 32;

impl Tone {
    /// An endless sine of `hz` with an amplitude of 0 to 1.
    #[must_use]
    pub fn sine(hz: f64, amplitude: f64) -> Self {
        Self::new(&[on(hz, u32::MAX / 8)], amplitude, None)
    }

    /// Two sines together, each with `amplitude`.
    #[must_use]
    pub fn dual(low: f64, high: f64, amplitude: f64) -> Self {
        Self::new(&[pair(low, high, u32::MAX / 8)], amplitude, None)
    }

    /// A call-progress cadence at its usual level, without end.
    #[must_use]
    pub fn cadence(steps: &[Step]) -> Self {
        Self::new(steps, PROGRESS_LEVEL, None)
    }

    /// A cadence played once, then silence.
    #[must_use]
    pub fn once(steps: &[Step], amplitude: f64) -> Self {
        Self::new(steps, amplitude, Some(1))
    }

    fn new(steps: &[Step], amplitude: f64, rounds_left: Option<u32>) -> Self {
        let steps: Vec<Step> = steps
            .iter()
            .copied()
            .filter(|s| s.ms > 0)
            .take(MAX_STEPS)
            .collect();
        let left = steps.first().map_or(0, |s| s.ms as usize * SAMPLES_PER_MS);
        let rounds_left = if steps.is_empty() {
            Some(0)
        } else {
            rounds_left
        };
        Self {
            steps,
            amplitude,
            step: 0,
            left,
            phase: [0.0; 2],
            rounds_left,
        }
    }

    /// Writes the next samples; silence once the cadence is over.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next_sample();
        }
    }

    /// Adds the next samples onto what is there.
    pub fn add_to(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = sample.saturating_add(self.next_sample());
        }
    }

    /// True when a cadence played once has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.rounds_left == Some(0)
    }

    fn next_sample(&mut self) -> i16 {
        if self.is_over() {
            return 0;
        }
        let hz = self.steps[self.step].hz;
        let mut value = 0.0;
        for (phase, hz) in self.phase.iter_mut().zip(hz) {
            if hz > 0.0 {
                value += phase.sin();
                *phase = (*phase + std::f64::consts::TAU * hz / f64::from(RATE_HZ))
                    % std::f64::consts::TAU;
            }
        }
        self.left -= 1;
        if self.left == 0 {
            self.next_step();
        }
        from_unit(value * self.amplitude)
    }

    fn next_step(&mut self) {
        self.step += 1;
        if self.step == self.steps.len() {
            self.step = 0;
            self.rounds_left = self.rounds_left.map(|r| r.saturating_sub(1));
        }
        self.phase = [0.0; 2];
        self.left = self.steps[self.step].ms as usize * SAMPLES_PER_MS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::{rms, share};

    fn heard(tone: &mut Tone, ms: usize) -> Vec<i16> {
        let mut out = vec![0i16; ms * SAMPLES_PER_MS];
        tone.fill(&mut out);
        out
    }

    #[test]
    fn ring_back_keeps_the_cadence_of_its_country() {
        let mut mexico = Tone::cadence(ring_back("MX"));
        assert!(share(&heard(&mut mexico, 1_000), 425.0) > 0.95);
        assert_eq!(rms(&heard(&mut mexico, 4_000)), 0.0);
        assert!(share(&heard(&mut mexico, 1_000), 425.0) > 0.95);
        let mut us = Tone::cadence(ring_back("US"));
        let first = heard(&mut us, 2_000);
        assert!(share(&first, 440.0) > 0.3 && share(&first, 480.0) > 0.3);
    }

    #[test]
    fn special_information_rises_in_three_steps() {
        let mut sit = Tone::cadence(SIT);
        for hz in [950.0, 1_400.0, 1_800.0] {
            assert!(share(&heard(&mut sit, 330), hz) > 0.95, "{hz}");
        }
    }

    #[test]
    fn once_ends_in_silence() {
        let mut beep = Tone::once(BEEP, 0.4);
        assert!(share(&heard(&mut beep, 400), 1_000.0) > 0.95);
        assert!(beep.is_over());
        assert_eq!(heard(&mut beep, 20), vec![0; 160]);
        assert!(Tone::once(&[], 0.4).is_over());
        assert!(
            Tone::once(
                &[Step {
                    hz: [1.0, 0.0],
                    ms: 0
                }],
                0.4
            )
            .is_over()
        );
    }
}
