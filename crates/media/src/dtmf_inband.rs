//! Keys heard as sound, for trunks without telephone events (ITU-T Q.23, Q.24).

use crate::dtmf::Digit;
use crate::goertzel::{Bin, energy, powers};
use crate::tones::Tone;

/// Samples of a block: 25.6 ms, a bin of 39 Hz, narrower than the gap between two rows.
const BLOCK: usize = 205;

const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];

/// Least mean square of a tone: about −36 dBFS, above line noise.
const LEAST_POWER: f32 = 250_000.0;
/// Least share of the block's energy in the two tones: speech stays below.
const LEAST_SHARE: f32 = 0.75;
/// Most by which one tone may exceed the other (Q.24 allows 4 to 8 dB).
const TWIST: f32 = 8.0;
/// Most by which the next tone of the same group may come near the strongest.
const PEAK: f32 = 6.0;

/// Looks for keys in a stream of samples.
#[derive(Debug, Clone)]
pub struct Detector {
    bins: [Bin; 8],
    block: Vec<i16>,
    last: Option<Digit>,
    reported: Option<Digit>,
    misses: u8,
}

impl Default for Detector {
    fn default() -> Self {
        let bins = std::array::from_fn(|i| Bin::new(if i < 4 { ROWS[i] } else { COLUMNS[i - 4] }));
        Self {
            bins,
            block: Vec::with_capacity(BLOCK),
            last: None,
            reported: None,
            misses: 0,
        }
    }
}

impl Detector {
    /// Takes samples and returns the keys that went down in them. A key is one that is heard in two
    /// blocks running (51 ms at most) and is over after two blocks without it.
    pub fn push(&mut self, samples: &[i16]) -> Vec<Digit> {
        let mut found = Vec::new();
        let mut rest = samples;
        while !rest.is_empty() {
            let take = (BLOCK - self.block.len()).min(rest.len());
            self.block.extend_from_slice(&rest[..take]);
            rest = &rest[take..];
            if self.block.len() == BLOCK {
                let key = self.judge();
                self.block.clear();
                found.extend(self.step(key));
            }
        }
        found
    }

    /// Whether a key is down, or the last block sounded like one.
    #[must_use]
    pub const fn held(&self) -> bool {
        self.reported.is_some() || self.last.is_some()
    }

    fn step(&mut self, key: Option<Digit>) -> Option<Digit> {
        let twice = key.is_some() && key == self.last;
        self.last = key;
        if key == self.reported {
            self.misses = 0;
        } else {
            self.misses = self.misses.saturating_add(1);
            if self.misses >= 2 {
                self.reported = None;
            }
        }
        if twice && self.reported != key {
            self.reported = key;
            self.misses = 0;
            return key;
        }
        None
    }

    fn judge(&self) -> Option<Digit> {
        let p = powers(&self.block, &self.bins);
        let (row, row_power) = strongest(&p[..4])?;
        let (column, column_power) = strongest(&p[4..])?;
        let enough = row_power >= LEAST_POWER && column_power >= LEAST_POWER;
        let balanced = row_power <= column_power * TWIST && column_power <= row_power * TWIST;
        let pure = row_power + column_power >= LEAST_SHARE * energy(&self.block);
        if enough && balanced && pure {
            Digit::from_char(KEYS[row][column])
        } else {
            None
        }
    }
}

fn strongest(group: &[f32]) -> Option<(usize, f32)> {
    let (at, top) = group
        .iter()
        .copied()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let alone = group
        .iter()
        .enumerate()
        .all(|(i, p)| i == at || p * PEAK <= top);
    alone.then_some((at, top))
}

/// The sound of a key, each tone with `amplitude` (0 to 1), without end.
#[must_use]
pub fn tone(digit: Digit, amplitude: f64) -> Tone {
    let key = digit.as_char();
    let place = KEYS
        .iter()
        .enumerate()
        .find_map(|(r, row)| row.iter().position(|k| *k == key).map(|c| (r, c)));
    let (row, column) = place.unwrap_or((0, 0));
    Tone::dual(ROWS[row], COLUMNS[column], amplitude)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{DEBTOR_HZ, Speech};

    #[test]
    fn every_key_is_heard_once_a_press_in_any_framing() {
        for chunk in [80usize, 160, 333] {
            let mut detector = Detector::default();
            let mut heard = String::new();
            let pressed = "0123456789*#ABCD55";
            let mut audio = Vec::new();
            for key in pressed.chars() {
                let mut part = vec![0i16; 800];
                tone(Digit::from_char(key).unwrap(), 0.2).fill(&mut part);
                audio.extend(part);
                audio.extend([0i16; 640]);
            }
            for samples in audio.chunks(chunk) {
                heard.extend(detector.push(samples).iter().map(|d| d.as_char()));
            }
            assert_eq!(heard, pressed, "{chunk}");
        }
    }

    #[test]
    fn voices_and_single_tones_are_no_keys() {
        let mut detector = Detector::default();
        let mut audio = vec![0i16; 80_000];
        Speech::new(DEBTOR_HZ, 0.3, 5).fill(&mut audio);
        assert!(detector.push(&audio).is_empty());
        Tone::sine(770.0, 0.5).fill(&mut audio);
        assert!(detector.push(&audio).is_empty());
    }
}
