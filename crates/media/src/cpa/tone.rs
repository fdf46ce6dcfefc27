//! Stretches of steady tone: one or two frequencies that stay.

use super::spectrum::{HOP_MS, Hop};

/// Share of the energy in one frequency from which a hop is a tone.
const SINGLE_SHARE: f32 = 0.75;

/// Share of the energy in two frequencies from which a hop is a pair of tones.
const PAIR_SHARE: f32 = 0.85;

/// Least share of the weaker of a pair.
const WEAKER_SHARE: f32 = 0.08;

/// Quieter than this is no tone, dBFS.
const LEAST_DBFS: f32 = -48.0;

/// Hops without the tone after which it has ended: a lost packet of 20 ms lies within.
const MISSES: u32 = 5;

/// Hops of another frequency after which the tone has changed.
const TURNS: u32 = 3;

/// Hops at its end that may be half of it.
const EDGE: usize = 3;

/// A window has to be half full of a tone before it is seen; times are moved back by this, ms.
const LAG_MS: u32 = 5;

/// A stretch of steady tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    /// Beginning, ms of the call.
    pub start_ms: u32,
    /// End so far, ms of the call.
    pub end_ms: u32,
    /// Mean frequency, Hz; the second is 0 for a single tone. Ascending for a pair.
    pub hz: [f32; 2],
    /// Mean share of the energy, 0 to 1.
    pub share: f32,
    /// Spread of its level between its edges, dB.
    pub wobble_db: f32,
    /// Mean level, dBFS.
    pub level: f32,
    /// Mean distance of its frequency from what it was just before, Hz: a generator stays, a voice glides.
    pub glide_hz: f32,
}

impl Segment {
    pub(super) const fn ms(&self) -> u32 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    pub(super) fn is_single(&self) -> bool {
        self.hz[1] == 0.0
    }
}

#[derive(Debug, Clone, Copy)]
struct Run {
    first: u32,
    last: u32,
    hops: u32,
    hz: [f32; 2],
    share: f32,
    level: f32,
    square: f32,
    measured: u32,
    glide: f32,
    /// Levels of the newest hops, which may be its end.
    newest: [f32; EDGE],
    /// Distances of their frequencies from the mean before them.
    apart: [f32; EDGE],
}

impl Run {
    fn new(hop: &Hop, hz: [f32; 2]) -> Self {
        Self {
            first: hop.at,
            last: hop.at,
            hops: 1,
            hz,
            share: hop.share[0] + if hz[1] > 0.0 { hop.share[1] } else { 0.0 },
            level: 0.0,
            square: 0.0,
            measured: 0,
            glide: 0.0,
            newest: [0.0; EDGE],
            apart: [0.0; EDGE],
        }
    }

    fn takes(&self, hz: [f32; 2]) -> bool {
        // 440 + 480 Hz and their like beat faster than the window can tell apart.
        let most = |f: f32| {
            if (370.0..510.0).contains(&f) {
                26.0
            } else {
                15.0
            }
        };
        let near = |a: f32, b: f32| (a - b).abs() <= most(b);
        near(hz[0], self.hz[0])
            && (hz[1] > 0.0) == (self.hz[1] > 0.0)
            && (hz[1] == 0.0 || near(hz[1], self.hz[1]))
    }

    fn extend(&mut self, hop: &Hop, hz: [f32; 2]) {
        self.hops += 1;
        self.last = hop.at;
        let apart = (hz[0] - self.hz[0]).abs();
        let part = 1.0 / self.hops.min(20) as f32;
        for (mean, new) in self.hz.iter_mut().zip(hz) {
            *mean += (new - *mean) * part;
        }
        let share = hop.share[0] + if hz[1] > 0.0 { hop.share[1] } else { 0.0 };
        self.share += (share - self.share) / self.hops as f32;
        // Neither of its edges counts: the window is longer than the hop.
        if self.hops as usize > 2 + EDGE {
            let level = self.newest[EDGE - 1];
            self.measured += 1;
            self.level += level;
            self.square += level * level;
            self.glide += self.apart[EDGE - 1];
        }
        self.apart.rotate_right(1);
        self.apart[0] = apart;
        self.newest.rotate_right(1);
        self.newest[0] = hop.level;
    }

    fn segment(&self) -> Segment {
        let n = self.measured.max(1) as f32;
        let mean = if self.measured > 0 {
            self.level / n
        } else {
            self.newest[EDGE - 1]
        };
        Segment {
            start_ms: (self.first * HOP_MS).saturating_sub(LAG_MS),
            end_ms: ((self.last + 1) * HOP_MS).saturating_sub(LAG_MS),
            hz: self.hz,
            share: self.share,
            wobble_db: (self.square / n - mean * mean).max(0.0).sqrt(),
            level: mean,
            glide_hz: self.glide / n,
        }
    }
}

/// Follows one tone at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracker {
    current: Option<Run>,
    next: Option<Run>,
    misses: u32,
}

impl Tracker {
    /// Takes a hop; the tone that has ended with it.
    pub(super) fn push(&mut self, hop: &Hop) -> Option<Segment> {
        let Some(hz) = tone_of(hop) else {
            self.next = None;
            self.misses += 1;
            return if self.misses >= MISSES {
                self.current.take().map(|run| run.segment())
            } else {
                None
            };
        };
        match &mut self.current {
            Some(run) if run.takes(hz) => {
                run.extend(hop, hz);
                self.misses = 0;
                self.next = None;
                None
            }
            Some(_) => self.turn(hop, hz),
            None => {
                self.current = Some(Run::new(hop, hz));
                self.misses = 0;
                None
            }
        }
    }

    fn turn(&mut self, hop: &Hop, hz: [f32; 2]) -> Option<Segment> {
        self.misses += 1;
        match &mut self.next {
            Some(run) if run.takes(hz) => run.extend(hop, hz),
            _ => self.next = Some(Run::new(hop, hz)),
        }
        let turned = self.next.is_some_and(|run| run.hops >= TURNS);
        if !turned && self.misses < MISSES {
            return None;
        }
        let ended = self.current.take().map(|run| run.segment());
        self.current = self.next.take();
        self.misses = 0;
        ended
    }

    /// The tone that sounds now.
    pub(super) fn current(&self) -> Option<Segment> {
        self.current.map(|run| run.segment())
    }

    /// The tone that sounds now, closed: the call is over.
    pub(super) fn close(&mut self) -> Option<Segment> {
        self.current.take().map(|run| run.segment())
    }
}

/// The tone or pair of a hop, ascending; `None` where it is something else.
fn tone_of(hop: &Hop) -> Option<[f32; 2]> {
    if hop.level < LEAST_DBFS {
        return None;
    }
    let [strong, weak] = hop.share;
    if weak >= WEAKER_SHARE && strong + weak >= PAIR_SHARE {
        let [a, b] = hop.hz;
        return Some([a.min(b), a.max(b)]);
    }
    (strong >= SINGLE_SHARE).then_some([hop.hz[0], 0.0])
}
