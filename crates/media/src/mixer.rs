//! Who hears whom: gains between parties, frames added with saturation.

use crate::{Frame, SILENCE, saturate};

/// Parties of one call: agent, debtor and up to six who listen, coach or join.
pub const MAX_PARTIES: usize = 8;

/// Gain of one: gains are in 1/256.
pub const UNITY: i32 = 256;

/// Index of the agent in a call's matrix.
pub const AGENT: usize = 0;

/// Index of the debtor in a call's matrix.
pub const DEBTOR: usize = 1;

/// What a supervisor does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Monitor {
    /// Hears both, is heard by none.
    Listen,
    /// Hears both, is heard by the agent.
    Whisper,
    /// Hears both, is heard by both.
    Barge,
    /// Speaks with the debtor; the agent hears both and is heard by none.
    TakeOver,
}

/// Gain from each party to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    parties: usize,
    gains: [[i32; MAX_PARTIES]; MAX_PARTIES],
}

impl Matrix {
    /// A call of agent and debtor with the given supervisors, in order, as parties 2 and on; those
    /// above [`MAX_PARTIES`] are left out.
    #[must_use]
    pub fn call(monitors: &[Monitor]) -> Self {
        let parties = (2 + monitors.len()).min(MAX_PARTIES);
        let mut matrix = Self {
            parties,
            gains: [[0; MAX_PARTIES]; MAX_PARTIES],
        };
        matrix.set(AGENT, DEBTOR, UNITY);
        matrix.set(DEBTOR, AGENT, UNITY);
        for (monitor, party) in monitors.iter().zip(2..parties) {
            matrix.set(AGENT, party, UNITY);
            matrix.set(DEBTOR, party, UNITY);
            let (to_agent, to_debtor) = match monitor {
                Monitor::Listen => (0, 0),
                Monitor::Whisper => (UNITY, 0),
                Monitor::Barge | Monitor::TakeOver => (UNITY, UNITY),
            };
            matrix.set(party, AGENT, to_agent);
            matrix.set(party, DEBTOR, to_debtor);
        }
        if monitors.contains(&Monitor::TakeOver) {
            matrix.silence_from(AGENT);
        }
        matrix
    }

    /// Sets the gain (in 1/256) at which `to` hears `from`; a party never hears itself, and indices
    /// beyond the matrix change nothing.
    pub fn set(&mut self, from: usize, to: usize, gain: i32) {
        if from != to && from < self.parties && to < self.parties {
            self.gains[from][to] = gain.clamp(0, 16 * UNITY);
        }
    }

    /// Nobody hears `from`: mute, or a call on hold.
    pub fn silence_from(&mut self, from: usize) {
        for to in 0..self.parties {
            self.set(from, to, 0);
        }
    }

    /// Gain at which `to` hears `from`.
    #[must_use]
    pub fn gain(&self, from: usize, to: usize) -> i32 {
        self.gains
            .get(from)
            .and_then(|row| row.get(to))
            .copied()
            .unwrap_or(0)
    }

    /// Number of parties.
    #[must_use]
    pub const fn parties(&self) -> usize {
        self.parties
    }

    /// What `to` hears of the parties' frames (`None` = nothing came).
    pub fn hear(&self, to: usize, spoken: &[Option<&Frame>], out: &mut Frame) {
        let mut heard = spoken
            .iter()
            .enumerate()
            .filter_map(|(from, frame)| frame.map(|f| (f, self.gain(from, to))))
            .filter(|(_, gain)| *gain != 0);
        // One speaker at unity is the usual case: a copy.
        let Some((first, gain)) = heard.next() else {
            *out = SILENCE;
            return;
        };
        if gain == UNITY {
            *out = *first;
        } else {
            *out = SILENCE;
            add(out, first, gain);
        }
        for (frame, gain) in heard {
            add(out, frame, gain);
        }
    }
}

/// Adds `frame` at a gain (in 1/256) onto `out`, clipping at full scale.
#[inline]
pub fn add(out: &mut [i16], frame: &[i16], gain: i32) {
    for (o, s) in out.iter_mut().zip(frame) {
        *o = saturate(i32::from(*o) + ((i32::from(*s) * gain) >> 8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::shares;
    use crate::tones::Tone;
    use proptest::prelude::*;

    const HZ: [f64; 3] = [700.0, 500.0, 900.0];

    /// Whom the party hears, by frequency: agent, debtor, supervisor.
    fn heard_by(to: usize, monitors: &[Monitor]) -> [bool; 3] {
        let matrix = Matrix::call(monitors);
        let mut tones = HZ.map(|hz| Tone::sine(hz, 0.2));
        let mut all = Vec::new();
        for _ in 0..50 {
            let mut frames = [SILENCE; 3];
            frames
                .iter_mut()
                .zip(&mut tones)
                .for_each(|(f, t)| t.fill(f));
            let spoken: Vec<Option<&Frame>> = frames.iter().map(Some).collect();
            let mut out = SILENCE;
            matrix.hear(to, &spoken, &mut out);
            all.extend(out);
        }
        shares(&all, HZ).map(|s| s > 0.3)
    }

    #[test]
    fn each_mode_opens_its_own_ways() {
        assert_eq!(heard_by(AGENT, &[]), [false, true, false]);
        assert_eq!(heard_by(DEBTOR, &[]), [true, false, false]);
        for (monitor, agent, debtor) in [
            (Monitor::Listen, [false, true, false], [true, false, false]),
            (Monitor::Whisper, [false, true, true], [true, false, false]),
            (Monitor::Barge, [false, true, true], [true, false, true]),
            (Monitor::TakeOver, [false, true, true], [false, false, true]),
        ] {
            assert_eq!(heard_by(AGENT, &[monitor]), agent, "{monitor:?}");
            assert_eq!(heard_by(DEBTOR, &[monitor]), debtor, "{monitor:?}");
        }
        assert_eq!(heard_by(2, &[Monitor::Listen]), [true, true, false]);
        assert_eq!(heard_by(2, &[Monitor::TakeOver]), [false, true, false]);
    }

    #[test]
    fn too_many_supervisors_are_left_out() {
        assert_eq!(Matrix::call(&[Monitor::Listen; 20]).parties(), MAX_PARTIES);
        assert_eq!(Matrix::call(&[]).gain(99, 0), 0);
    }

    proptest! {
        #[test]
        fn sums_saturate_and_never_wrap(a: i16, b: i16, gain in 0..4_096i32) {
            let mut out = [a];
            add(&mut out, &[b], gain);
            let exact = i64::from(a) + ((i64::from(b) * i64::from(gain)) >> 8);
            prop_assert_eq!(i64::from(out[0]), exact.clamp(-32_768, 32_767));
        }
    }
}
