//! Jitter buffer: packets in as they come, a frame out each 20 ms.
//!
//! Audio lies on a line of samples by its RTP timestamp, so packets of any length fit, order does
//! not matter and a gap is as long as it was. Time enters by [`JitterBuffer::pull`]: one call is
//! 20 ms.

use crate::conceal::Concealer;
use crate::{FRAME_SAMPLES, Frame, SAMPLES_PER_MS, SILENCE};

/// Samples held, and so the farthest ahead a packet may be: 512 ms. A power of two.
const RING: usize = 4_096;

/// Late packets running after which the line is laid anew: the network's delay has changed.
const LATE_RUN: u32 = 3;

/// Frames between two looks at whether the delay may shrink: 2 s.
const SHRINK_EVERY: u32 = 100;

/// How much delay is traded for smoothness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Delay to begin with, ms.
    pub target_ms: u32,
    /// Least delay of an adaptive buffer, ms.
    pub least_ms: u32,
    /// Most delay of an adaptive buffer, ms; at most 300.
    pub most_ms: u32,
}

impl Default for Config {
    /// 40 ms, adapting between 20 and 200 ms.
    fn default() -> Self {
        Self {
            target_ms: 40,
            least_ms: 20,
            most_ms: 200,
        }
    }
}

impl Config {
    /// A delay that does not adapt.
    #[must_use]
    pub const fn fixed(ms: u32) -> Self {
        Self {
            target_ms: ms,
            least_ms: ms,
            most_ms: ms,
        }
    }
}

/// What became of the packets and frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets taken.
    pub received: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that had come before.
    pub duplicate: u64,
    /// Frames that had to be made up while later audio was there: lost.
    pub lost: u64,
    /// Times the line was laid anew.
    pub resyncs: u64,
}

/// Where a frame came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// Received audio.
    Audio,
    /// At least partly made up from what came before.
    Concealed,
    /// Nothing to play: not begun, or nothing has come for a while.
    Silence,
}

/// A jitter buffer for one stream of 8 kHz samples; memory 13 KB.
#[derive(Debug, Clone)]
pub struct JitterBuffer {
    config: Config,
    target: i64,
    ring: Box<[i16]>,
    present: Box<[bool]>,
    /// Extended timestamp of the next sample to play and of the last packet.
    cursor: Option<i64>,
    last_timestamp: (u32, i64),
    /// Sample after the newest that came.
    newest: i64,
    past: Concealer,
    missed: u32,
    late_run: u32,
    least_depth: i64,
    frames: u32,
    counts: Counts,
}

impl JitterBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let most_ms = config.most_ms.min(300);
        let config = Config {
            most_ms,
            least_ms: config.least_ms.min(most_ms),
            target_ms: config
                .target_ms
                .clamp(config.least_ms.min(most_ms), most_ms),
        };
        Self {
            config,
            target: samples(config.target_ms),
            ring: vec![0; RING].into_boxed_slice(),
            present: vec![false; RING].into_boxed_slice(),
            cursor: None,
            last_timestamp: (0, 0),
            newest: 0,
            past: Concealer::default(),
            missed: u32::MAX,
            late_run: 0,
            least_depth: i64::MAX,
            frames: 0,
            counts: Counts::default(),
        }
    }

    /// Forgets what it holds: for a new source.
    pub fn reset(&mut self) {
        let counts = self.counts;
        *self = Self::new(self.config);
        self.counts = counts;
    }

    /// Takes a packet's samples; those beyond half a second are cut off.
    pub fn push(&mut self, timestamp: u32, audio: &[i16]) {
        let audio = &audio[..audio.len().min(RING / 2)];
        if audio.is_empty() {
            return;
        }
        self.counts.received += 1;
        let at = self.extend(timestamp);
        let end = at + length(audio);
        let Some(cursor) = self.cursor else {
            self.lay(at);
            self.store(at, audio);
            return;
        };
        if end <= cursor {
            self.late(at, audio);
            return;
        }
        if end - cursor > length_of(RING) {
            self.counts.resyncs += 1;
            self.lay(at);
        }
        self.late_run = 0;
        self.store(at, audio);
    }

    /// The next 20 ms.
    pub fn pull(&mut self, out: &mut Frame) -> Pulled {
        *out = SILENCE;
        let Some(cursor) = self.cursor else {
            return Pulled::Silence;
        };
        let cursor = self.settle(cursor);
        let mut had = 0usize;
        for (i, sample) in out.iter_mut().enumerate() {
            let slot = slot(cursor + length_of(i));
            if std::mem::take(&mut self.present[slot]) {
                *sample = self.ring[slot];
                had += 1;
            }
        }
        self.cursor = Some(cursor + length_of(FRAME_SAMPLES));
        if had == FRAME_SAMPLES {
            self.past.came(out);
            self.missed = 0;
            return Pulled::Audio;
        }
        self.make_up(out, cursor, had)
    }

    /// Counts so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The delay aimed at now, ms.
    #[must_use]
    pub fn target_ms(&self) -> u32 {
        u32::try_from(self.target / length_of(SAMPLES_PER_MS)).unwrap_or(0)
    }

    /// Audio held beyond the next sample to play, ms.
    #[must_use]
    pub fn depth_ms(&self) -> u32 {
        let depth = self.cursor.map_or(0, |c| (self.newest - c).max(0));
        u32::try_from(depth / length_of(SAMPLES_PER_MS)).unwrap_or(0)
    }

    fn extend(&mut self, timestamp: u32) -> i64 {
        let (last, extended) = self.last_timestamp;
        let at = extended + i64::from(timestamp.wrapping_sub(last).cast_signed());
        self.last_timestamp = (timestamp, at);
        at
    }

    /// Lays the line so that `at` is played one target delay from now.
    fn lay(&mut self, at: i64) {
        self.present.fill(false);
        self.cursor = Some(at - self.target);
        self.newest = at;
        self.late_run = 0;
        self.least_depth = i64::MAX;
        self.frames = 0;
        self.missed = u32::MAX;
    }

    fn store(&mut self, at: i64, audio: &[i16]) {
        let cursor = self.cursor.unwrap_or(at);
        if self.present[slot(at.max(cursor))] {
            self.counts.duplicate += 1;
            return;
        }
        for (i, sample) in audio.iter().enumerate() {
            let position = at + length_of(i);
            if position >= cursor {
                let slot = slot(position);
                self.ring[slot] = *sample;
                self.present[slot] = true;
            }
        }
        self.newest = self.newest.max(at + length(audio));
        self.least_depth = self.least_depth.min(self.newest - cursor);
    }

    fn late(&mut self, at: i64, audio: &[i16]) {
        self.counts.late += 1;
        self.late_run += 1;
        let cursor = self.cursor.unwrap_or(at);
        let grown = self.target + length_of(FRAME_SAMPLES);
        if cursor > self.newest || self.late_run >= LATE_RUN {
            // Nothing is left to play, or the network has become slower: begin again with it.
            self.target = grown.min(samples(self.config.most_ms)).max(self.target);
            self.counts.resyncs += 1;
            self.lay(at);
            self.store(at, audio);
        } else if grown <= samples(self.config.most_ms) {
            self.target = grown;
            self.hold_back();
        }
    }

    /// Moves what is held one frame later: the delay grows by 20 ms, covered by concealment.
    fn hold_back(&mut self) {
        if let Some(cursor) = &mut self.cursor {
            *cursor -= length_of(FRAME_SAMPLES);
            for i in 0..FRAME_SAMPLES {
                self.present[slot(*cursor + length_of(i))] = false;
            }
        }
    }

    /// Once in a while, skips a frame where there was more in hand than needed all the time: delay
    /// of a burst, or a sender whose clock is fast.
    fn settle(&mut self, cursor: i64) -> i64 {
        self.frames += 1;
        if self.frames < SHRINK_EVERY {
            return cursor;
        }
        let frame = length_of(FRAME_SAMPLES);
        let spare =
            self.least_depth != i64::MAX && self.least_depth > self.target.max(frame) + 2 * frame;
        let calm = self.least_depth != i64::MAX
            && self.least_depth > 2 * frame
            && self.target > samples(self.config.least_ms);
        self.frames = 0;
        self.least_depth = i64::MAX;
        if !(spare || calm) {
            return cursor;
        }
        if calm && !spare {
            self.target = (self.target - frame).max(samples(self.config.least_ms));
        }
        for i in 0..FRAME_SAMPLES {
            self.present[slot(cursor + length_of(i))] = false;
        }
        cursor + frame
    }

    fn make_up(&mut self, out: &mut Frame, cursor: i64, had: usize) -> Pulled {
        if self.newest > cursor + length_of(FRAME_SAMPLES) && self.missed != u32::MAX {
            self.counts.lost += 1;
        }
        let begun = self.missed != u32::MAX;
        self.missed = if begun { self.missed + 1 } else { u32::MAX };
        if had > 0 {
            self.missed = if begun { self.missed } else { 0 };
            self.past.came(out);
            return if begun {
                Pulled::Concealed
            } else {
                Pulled::Audio
            };
        }
        if begun && self.past.make(out) {
            Pulled::Concealed
        } else {
            Pulled::Silence
        }
    }
}

fn samples(ms: u32) -> i64 {
    i64::from(ms) * length_of(SAMPLES_PER_MS)
}

fn length(audio: &[i16]) -> i64 {
    length_of(audio.len())
}

fn length_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn slot(position: i64) -> usize {
    usize::try_from(position.rem_euclid(length_of(RING))).unwrap_or(0)
}

#[cfg(test)]
#[path = "jitter_tests.rs"]
mod tests;
