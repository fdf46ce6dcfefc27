//! Speech: when it begins, how long it lasts, where it pauses, when it has ended.
//!
//! Levels are judged against a noise floor that follows the line and against the loudest of the
//! utterance itself, so that a television behind a person is not taken for the person.

use super::spectrum::{HOP_MS, Hop, db};

/// Quieter than this is never speech, dBFS.
const LEAST_DBFS: f32 = -50.0;

/// Distance from the noise floor from which something sounds, dB.
const ABOVE_FLOOR_DB: f32 = 9.0;

/// Of 12 hops so many must sound for an onset: 80 of 120 ms, longer than a click.
const ONSET_HOPS: u32 = 8;

/// Hops looked at for the onset.
const ONSET_MASK: u16 = 0x0fff;

/// Below the loudest of the utterance by this and more is no longer of it, dB.
const BELOW_PEAK_DB: f32 = 15.0;

/// What comes within this of the loudest belongs to the speaker, dB.
const NEAR_DB: f32 = 13.0;

/// A speaker comes within this of his loudest again and again, dB.
const STRONG_DB: f32 = 9.0;

/// Louder than all before by this: that was the background, the utterance begins here, dB.
const STEP_UP_DB: f32 = 9.0;

/// A step up counts only after so much of the background, hops.
const STEP_AFTER: u32 = 25;

/// Periodicity from which a hop is voiced.
const VOICED: f32 = 0.65;

/// A gap from this length on is a pause, hops: 150 ms, longer than any stop consonant.
const PAUSE: u32 = 15;

/// Hops over which the pitch's end is taken: the last 300 ms of voice.
const TAIL: usize = 30;

/// What was measured of the utterance: what the verdict rests on, kept with it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measures {
    /// Its onset, ms from the answer.
    pub onset_ms: u32,
    /// From its onset to its last loud sound, ms.
    pub speech_ms: u32,
    /// Loud sound in it, ms.
    pub loud_ms: u32,
    /// Voiced sound in it, ms.
    pub voiced_ms: u32,
    /// Pauses of 150 ms and more.
    pub pauses: u32,
    /// The longest pause, ms.
    pub longest_pause_ms: u32,
    /// The longest stretch without a pause, ms.
    pub longest_phrase_ms: u32,
    /// Pitch at its end against its mean, octaves.
    pub pitch_rise: f32,
    /// Spread of its pitch, octaves.
    pub pitch_spread: f32,
    /// Level of its beginning against that of its end, dB.
    pub level_drop_db: f32,
    /// Its level above the noise floor, dB.
    pub above_floor_db: f32,
    /// Spread of the level of its loud hops, dB.
    pub level_spread_db: f32,
    /// Falls of its level by 4 dB and more: about its syllables.
    pub syllables: u32,
    /// Level of its last 100 ms of loud sound against its mean, dB.
    pub end_level_db: f32,
}

/// Follows the quietest of the last 1.6 s.
#[derive(Debug, Clone)]
struct Floor {
    minima: [f32; 16],
    hops: u32,
    value: f32,
}

/// Hops of one minimum.
const FLOOR_PART: u32 = 10;

impl Floor {
    const fn new() -> Self {
        Self {
            minima: [0.0; 16],
            hops: 0,
            value: 0.0,
        }
    }

    fn push(&mut self, level: f32) {
        let part = (self.hops / FLOOR_PART) as usize % self.minima.len();
        if self.hops.is_multiple_of(FLOOR_PART) {
            self.minima[part] = level;
        } else {
            self.minima[part] = self.minima[part].min(level);
        }
        self.hops += 1;
        self.value = self.minima.iter().copied().fold(0.0, f32::min).max(-70.0);
    }
}

/// Levels told apart: 2 dB each from −64 dBFS on.
const STEPS: usize = 32;

/// When each level was first and last reached, as hops.
#[derive(Debug, Clone)]
struct Reached {
    first: [u32; STEPS],
    last: [u32; STEPS],
}

impl Reached {
    const fn new() -> Self {
        Self {
            first: [u32::MAX; STEPS],
            last: [0; STEPS],
        }
    }

    fn step(level: f32) -> usize {
        let step = ((level + 64.0) / 2.0).clamp(0.0, STEPS as f32 - 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 31"
        )]
        let step = step as usize;
        step
    }

    fn at(&mut self, level: f32, hop: u32) {
        for step in 0..=Self::step(level) {
            self.first[step] = self.first[step].min(hop);
            self.last[step] = hop;
        }
    }
}

/// Pitch in twelfths of an octave from 70 Hz on.
#[derive(Debug, Clone)]
struct Pitches {
    counts: [u16; 32],
    all: u32,
    /// The newest.
    tail: [u8; TAIL],
}

impl Pitches {
    const fn new() -> Self {
        Self {
            counts: [0; 32],
            all: 0,
            tail: [0; TAIL],
        }
    }

    fn add(&mut self, hz: f32) {
        let note = (12.0 * (hz / 70.0).log2()).clamp(0.0, 31.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 31"
        )]
        let note = note as u8;
        let count = &mut self.counts[usize::from(note)];
        *count = count.saturating_add(1);
        self.tail[self.all as usize % TAIL] = note;
        self.all += 1;
    }

    /// The note below which `share` of all lie.
    fn quantile(&self, share: f32) -> f32 {
        let until = share * self.all as f32;
        let mut sum = 0.0;
        for (note, count) in self.counts.iter().enumerate() {
            sum += f32::from(*count);
            if sum >= until {
                return note as f32;
            }
        }
        0.0
    }

    fn end(&self) -> f32 {
        let kept = (self.all as usize).min(TAIL);
        let mut tail = self.tail;
        let tail = &mut tail[..kept];
        tail.sort_unstable();
        tail.get(kept / 2).map_or(0.0, |n| f32::from(*n))
    }
}

/// A fall of the level by so much ends a syllable, a rise by it begins the next, dB.
const SYLLABLE_DB: f32 = 4.0;

/// Counts syllables by the level's rises and falls.
#[derive(Debug, Clone, Copy)]
struct Syllables {
    rises: bool,
    /// Highest level while it rises, lowest while it falls.
    turn: f32,
    count: u32,
}

impl Syllables {
    const fn new(level: f32) -> Self {
        Self {
            rises: true,
            turn: level,
            count: 0,
        }
    }

    fn push(&mut self, level: f32) {
        let turned = if self.rises {
            self.turn = self.turn.max(level);
            level < self.turn - SYLLABLE_DB
        } else {
            self.turn = self.turn.min(level);
            level > self.turn + SYLLABLE_DB
        };
        if turned {
            self.count += u32::from(self.rises);
            self.rises = !self.rises;
            self.turn = level;
        }
    }
}

#[derive(Debug, Clone)]
struct Utterance {
    onset: u32,
    last_loud: u32,
    phrase_start: u32,
    peak: f32,
    loud: u32,
    voiced: u32,
    pauses: u32,
    longest_pause: u32,
    longest_phrase: u32,
    early: f32,
    late: f32,
    level: f32,
    square: f32,
    end: f32,
    syllables: Syllables,
    reached: Reached,
    pitches: Pitches,
}

impl Utterance {
    const fn new(onset: u32, now: u32, level: f32) -> Self {
        Self {
            onset,
            last_loud: now,
            phrase_start: onset,
            peak: level,
            loud: now.saturating_sub(onset),
            voiced: 0,
            pauses: 0,
            longest_pause: 0,
            longest_phrase: 0,
            early: level,
            late: level,
            level: 0.0,
            square: 0.0,
            end: level,
            syllables: Syllables::new(level),
            reached: Reached::new(),
            pitches: Pitches::new(),
        }
    }

    fn loud_hop(&mut self, hop: &Hop, level: f32) {
        let gap = hop.at - self.last_loud;
        if gap >= PAUSE {
            self.pauses += 1;
            self.longest_pause = self.longest_pause.max(gap);
            self.phrase_start = hop.at;
        }
        self.last_loud = hop.at;
        self.longest_phrase = self.longest_phrase.max(hop.at - self.phrase_start);
        self.loud += 1;
        let early = 1.0 / self.loud.clamp(1, 100) as f32;
        if self.loud <= 100 {
            self.early += (level - self.early) * early;
        }
        self.late += (level - self.late) * early.max(0.02);
        self.level += level;
        self.square += level * level;
        self.end += (level - self.end) * 0.1;
        self.syllables.push(level);
        if hop.voicing >= VOICED {
            self.voiced += 1;
            self.pitches.add(hop.pitch);
        }
    }

    /// Hops in which it first and last came near its loudest.
    fn near_peak(&self, below_db: f32) -> (u32, u32) {
        let step = Reached::step(self.peak - below_db);
        let first = self.reached.first[step].min(self.last_loud);
        // What was loud before the level was smoothed belongs to it.
        let first = if first <= self.onset + 8 {
            self.onset
        } else {
            first.saturating_sub(4)
        };
        (
            first,
            self.reached.last[step].clamp(first, self.last_loud.max(first)),
        )
    }

    fn measures(&self, floor: f32) -> Measures {
        let (first, last) = self.near_peak(NEAR_DB);
        let loud = self.loud.max(1) as f32;
        let level = self.level / loud;
        let pitch = |share| self.pitches.quantile(share);
        Measures {
            onset_ms: first * HOP_MS,
            speech_ms: (last + 1).saturating_sub(first) * HOP_MS,
            loud_ms: self.loud * HOP_MS,
            voiced_ms: self.voiced * HOP_MS,
            pauses: self.pauses,
            longest_pause_ms: self.longest_pause * HOP_MS,
            longest_phrase_ms: self.longest_phrase * HOP_MS,
            pitch_rise: (self.pitches.end() - pitch(0.5)) / 12.0,
            pitch_spread: (pitch(0.8) - pitch(0.2)) / 12.0,
            level_drop_db: self.early - self.late,
            above_floor_db: self.peak - floor,
            level_spread_db: (self.square / loud - level * level).max(0.0).sqrt(),
            syllables: self.syllables.count,
            end_level_db: self.end - level,
        }
    }
}

/// Follows the speech of one call.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    energies: [f32; 6],
    floor: Floor,
    sounding: u16,
    now: u32,
    current: Option<Utterance>,
    /// Something sounded that was neither voice nor tone.
    pub(super) rustled: bool,
}

impl Voice {
    pub(super) const fn new() -> Self {
        Self {
            energies: [0.0; 6],
            floor: Floor::new(),
            sounding: 0,
            now: 0,
            current: None,
            rustled: false,
        }
    }

    /// Takes a hop; `tone`: it belongs to a steady tone, which is not speech.
    pub(super) fn push(&mut self, hop: &Hop, tone: bool) {
        self.now = hop.at;
        self.energies.rotate_right(1);
        self.energies[0] = 10f32.powf(hop.level / 10.0);
        let over = |n: usize| db(self.energies[..n].iter().sum::<f32>() / n as f32);
        let (level, slow) = (over(3), over(6));
        if hop.at >= 2 && !tone {
            self.floor.push(slow);
        }
        let least = LEAST_DBFS.max(self.floor.value + ABOVE_FLOOR_DB);
        // At the very beginning the floor may itself be speech: a voice is then known by its pitch.
        let begun = hop.at < 40 && hop.voicing > 0.7 && level > -40.0;
        let sounds = !tone && (level > least || begun);
        self.sounding = self.sounding << 1 | u16::from(sounds);
        match &mut self.current {
            Some(utterance) => {
                let loud = sounds && level > utterance.peak - BELOW_PEAK_DB;
                let steps_up =
                    slow > utterance.peak + STEP_UP_DB && hop.at - utterance.onset >= STEP_AFTER;
                if sounds && steps_up {
                    *utterance = Utterance::new(hop.at.saturating_sub(5), hop.at, slow);
                } else if loud {
                    utterance.peak = utterance.peak.max(slow);
                    utterance.reached.at(slow, hop.at);
                    utterance.loud_hop(hop, level);
                }
            }
            None => self.onset(hop, slow),
        }
    }

    fn onset(&mut self, hop: &Hop, slow: f32) {
        let recent = self.sounding & ONSET_MASK;
        if recent.count_ones() < ONSET_HOPS {
            return;
        }
        // The oldest of the run: two more hops of smoothing lie before it.
        let first = 15 - (recent & ONSET_MASK).leading_zeros().min(15);
        let mut utterance = Utterance::new(hop.at.saturating_sub(first), hop.at, slow);
        utterance.reached.at(slow, hop.at);
        utterance.loud_hop(hop, slow);
        self.current = Some(utterance);
    }

    /// Noise of the line, dBFS.
    pub(super) const fn floor(&self) -> f32 {
        self.floor.value
    }

    /// The utterance so far.
    pub(super) fn measures(&self) -> Option<Measures> {
        self.current.as_ref().map(|u| u.measures(self.floor.value))
    }

    /// Length of the utterance so far, silence since its last loud sound, and time since it was last as
    /// strong as a speaker is again and again; ms.
    pub(super) fn span(&self) -> Option<(u32, u32, u32)> {
        let u = self.current.as_ref()?;
        let (first, last) = u.near_peak(NEAR_DB);
        let (_, strong) = u.near_peak(STRONG_DB);
        let since = |hop: u32| (self.now - hop) * HOP_MS;
        Some(((last + 1 - first) * HOP_MS, since(last), since(strong)))
    }

    /// More of the utterance is silent than sounds: bursts, as those of a busy tone are, and no word.
    pub(super) fn is_sparse(&self) -> bool {
        self.current.as_ref().is_some_and(|u| {
            let (first, last) = u.near_peak(NEAR_DB);
            2 * u.loud < last + 1 - first
        })
    }

    /// Hop in which the utterance began.
    pub(super) fn onset_hop(&self) -> Option<u32> {
        self.current.as_ref().map(|u| u.onset)
    }

    /// Voiced sound of the utterance so far, ms.
    pub(super) fn voiced_ms(&self) -> u32 {
        self.current.as_ref().map_or(0, |u| u.voiced * HOP_MS)
    }

    /// A tone has been recognised that began at `start_ms`: its first hops were no speech.
    pub(super) fn end_before(&mut self, start_ms: u32) {
        if let Some(u) = &mut self.current {
            let start = start_ms / HOP_MS;
            if start > u.onset {
                u.last_loud = u.last_loud.min(start);
            } else {
                self.current = None;
            }
        }
    }

    /// What sounded was no voice: it is forgotten.
    pub(super) fn forget(&mut self) {
        self.current = None;
        self.sounding = 0;
        self.rustled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::Syllables;

    #[test]
    fn syllables_are_falls_of_the_level_and_ripples_are_none() {
        let mut counted = Syllables::new(-40.0);
        for level in [
            -22.0, -20.0, -23.0, -30.0, -28.0, -31.0, -21.0, -24.0, -20.0, -26.0,
        ] {
            counted.push(level);
        }
        assert_eq!(counted.count, 2);
    }
}
