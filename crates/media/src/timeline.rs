//! One clock for both sides of a recording: what was said lands at the instant it was heard, and
//! silence stands where nothing came.

use std::collections::VecDeque;

/// How far ahead of the last drained instant audio is kept, samples: 10 s. Further is dropped.
pub const MAX_AHEAD: u64 = 80_000;

/// Most pauses marked in one recording; further pauses are silent but share the last mark.
pub const MAX_MARKS: usize = 1_000;

/// Which channel of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The agent.
    Left,
    /// The debtor.
    Right,
}

/// A stretch of the recording, in samples from its start; `to` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First sample.
    pub from: u64,
    /// Sample after the last.
    pub to: u64,
}

#[derive(Debug, Clone, Default)]
struct Lane {
    samples: VecDeque<i16>,
    missing: u64,
    dropped: u64,
}

impl Lane {
    fn push(&mut self, start: u64, at: u64, samples: &[i16]) {
        let late = usize::try_from(start.saturating_sub(at))
            .unwrap_or(usize::MAX)
            .min(samples.len());
        self.dropped += late as u64;
        let samples = &samples[late..];
        let offset = at.max(start) - start;
        let room = usize::try_from(MAX_AHEAD.saturating_sub(offset)).unwrap_or(0);
        let keep = samples.len().min(room);
        self.dropped += (samples.len() - keep) as u64;
        let samples = &samples[..keep];
        if samples.is_empty() {
            return;
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if offset > self.samples.len() {
            self.missing += (offset - self.samples.len()) as u64;
            self.samples.resize(offset, 0);
        }
        let overlap = (self.samples.len() - offset).min(samples.len());
        for (i, sample) in samples[..overlap].iter().enumerate() {
            self.samples[offset + i] = *sample;
        }
        self.samples.extend(&samples[overlap..]);
    }

    fn pull(&mut self) -> i16 {
        self.samples.pop_front().unwrap_or_else(|| {
            self.missing += 1;
            0
        })
    }
}

/// Gathers both sides of a call and gives them out interleaved.
#[derive(Debug, Clone, Default)]
pub struct StereoTimeline {
    drained: u64,
    left: Lane,
    right: Lane,
    marks: Vec<Span>,
    paused: bool,
}

impl StereoTimeline {
    /// A recording that begins at sample 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the agent's samples at sample `at` of the recording's clock. What was there before is
    /// written over; what is already drained or more than [`MAX_AHEAD`] away is dropped.
    pub fn push_left(&mut self, at: u64, samples: &[i16]) {
        self.left.push(self.drained, at, samples);
    }

    /// Puts the debtor's samples, as [`StereoTimeline::push_left`].
    pub fn push_right(&mut self, at: u64, samples: &[i16]) {
        self.right.push(self.drained, at, samples);
    }

    /// All samples up to `position` (exclusive) that were not drained yet, left and right in turn;
    /// at most [`MAX_AHEAD`] instants a call: call again while [`StereoTimeline::position`] lags.
    pub fn drain_until(&mut self, position: u64) -> Vec<i16> {
        let mut out = Vec::new();
        self.drain_into(position, &mut out);
        out
    }

    /// [`StereoTimeline::drain_until`] onto a buffer of the caller's.
    pub fn drain_into(&mut self, position: u64, out: &mut Vec<i16>) {
        let to = position.min(self.drained + MAX_AHEAD);
        let count = to.saturating_sub(self.drained);
        out.reserve(usize::try_from(count * 2).unwrap_or(0));
        for _ in 0..count {
            let (left, right) = (self.left.pull(), self.right.pull());
            out.extend(if self.paused { [0, 0] } else { [left, right] });
        }
        self.drained += count;
        if self.paused
            && let Some(mark) = self.marks.last_mut()
        {
            mark.to = self.drained;
        }
    }

    /// From the next drained sample on, silence of equal length is given out, with a mark. Drain up
    /// to now first, or what was said just before is hidden too.
    pub fn pause(&mut self) {
        if !self.paused {
            self.paused = true;
            if self.marks.len() < MAX_MARKS {
                self.marks.push(Span {
                    from: self.drained,
                    to: self.drained,
                });
            }
        }
    }

    /// Ends a pause at the next drained sample. Drain up to now first.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// True in a pause.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.paused
    }

    /// Pauses so far.
    #[must_use]
    pub fn marks(&self) -> &[Span] {
        &self.marks
    }

    /// Samples drained so far: the length of the recording.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.drained
    }

    /// Samples of silence that stand where nothing came.
    #[must_use]
    pub const fn missing(&self, side: Side) -> u64 {
        match side {
            Side::Left => self.left.missing,
            Side::Right => self.right.missing,
        }
    }

    /// Samples that came too late or too early to be kept.
    #[must_use]
    pub const fn dropped(&self, side: Side) -> u64 {
        match side {
            Side::Left => self.left.dropped,
            Side::Right => self.right.dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freq::{channel, share};
    use crate::tones::Tone;
    use proptest::prelude::*;

    #[test]
    fn each_voice_is_on_its_own_channel_at_its_own_time() {
        let mut timeline = StereoTimeline::new();
        let (mut agent, mut debtor) = (Tone::sine(700.0, 0.3), Tone::sine(500.0, 0.3));
        let mut frame = crate::SILENCE;
        for n in 0..100u64 {
            if n >= 50 {
                agent.fill(&mut frame);
                timeline.push_left(n * 160, &frame);
            }
            debtor.fill(&mut frame);
            timeline.push_right(n * 160, &frame);
        }
        let stereo = timeline.drain_until(16_000);
        let (left, right) = (channel(&stereo, 0), channel(&stereo, 1));
        assert!(left[..8_000].iter().all(|s| *s == 0));
        assert!(share(&left, 700.0) > 0.95 && share(&left, 500.0) < 0.01);
        assert!(share(&right, 500.0) > 0.95 && share(&right, 700.0) < 0.01);
        assert_eq!(
            (timeline.missing(Side::Left), timeline.missing(Side::Right)),
            (8_000, 0)
        );
    }

    #[test]
    fn a_pause_is_silence_of_equal_length_with_a_mark() {
        let mut timeline = StereoTimeline::new();
        timeline.push_left(0, &[1; 300]);
        timeline.push_right(0, &[2; 300]);
        assert_eq!(timeline.drain_until(100), [1i16, 2].repeat(100));
        timeline.pause();
        assert_eq!(timeline.drain_until(200), vec![0i16; 200]);
        timeline.resume();
        assert_eq!(timeline.drain_until(300), [1i16, 2].repeat(100));
        assert_eq!(timeline.marks(), [Span { from: 100, to: 200 }]);
    }

    #[test]
    fn what_is_late_or_far_away_is_dropped_and_counted() {
        let mut timeline = StereoTimeline::new();
        timeline.drain_until(100);
        timeline.push_left(50, &[7; 100]);
        assert_eq!(timeline.drain_until(150), [7i16, 0].repeat(50));
        timeline.push_right(u64::MAX - 10, &[1; 10]);
        timeline.push_right(0, &[1; 10]);
        assert_eq!(
            (timeline.dropped(Side::Left), timeline.dropped(Side::Right)),
            (50, 20)
        );
    }

    proptest! {
        #[test]
        fn lengths_always_agree(steps in proptest::collection::vec((0u64..2_000, 0usize..400, any::<bool>(), 0u64..400), 1..40)) {
            let mut timeline = StereoTimeline::new();
            let (mut total, mut to) = (0, 0);
            for (at, len, left, on) in steps {
                let samples = vec![9i16; len];
                if left { timeline.push_left(at, &samples) } else { timeline.push_right(at, &samples) }
                to += on;
                total += timeline.drain_until(to).len() as u64;
            }
            prop_assert_eq!(total, timeline.position() * 2);
            prop_assert_eq!(timeline.position(), to);
        }
    }
}
