//! One recorded call as the media thread sees it: two channels on one clock.

use super::mask::{BACK, Keys, Mask};
use super::writer::{Job, WriterLine};
use super::{Gap, RATE};
use crate::limits;
use crate::wall::ms;
use domain::ids::{AttemptId, RecordingId};
use std::collections::VecDeque;
use std::time::Instant;

/// Channel of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Left: our side, agent or message.
    Agent,
    /// Right.
    Debtor,
}

/// Frames older than this are final and go to the writer: room for packets that were read late.
const LATE_MS: u64 = 200;
/// Audio handed over at once: half a second, so that a kill loses little more (`faults.md` promise 5)
/// and a call holds 24 KB of it; a write for each costs a thousandth of what its packets do.
const CHUNK_MS: u64 = 500;
/// How far a packet may lie from where the previous one ended before the stream is placed anew:
/// below it jitter would make clicks, above it the two sides would drift apart.
const SNAP: i64 = 800;
/// Longest silence written in one go, samples: a call that stalls for longer is filled in turns.
const WINDOW: u64 = RATE as u64 * 4;
/// Samples, both sides, that the window holds as a rule: a chunk, what may still be late, and a long
/// packet.
const USUAL: usize = (500 + 200 + 60) * 8 * 2;
/// Why there is a gap where keys were pressed.
const KEYS: &str = "dtmf";
/// Jobs kept while the writer is behind; beyond it audio is replaced by silence, with a gap told.
const BACKLOG: usize = 30;

/// The recording of one call: samples are placed by their arrival, silence is where nothing came.
pub(crate) struct Tap {
    recording: RecordingId,
    start: Instant,
    /// Interleaved samples from `done` on.
    window: Vec<i16>,
    /// Samples handed over.
    done: u64,
    /// Where the next packet of a side belongs, when it comes in time.
    next: [Option<u64>; 2],
    paused: Option<i64>,
    gaps: Vec<Gap>,
    /// Where keys that are heard are hidden.
    mask: Option<Box<Mask>>,
    line: WriterLine,
    backlog: VecDeque<Job>,
}

impl Tap {
    /// Opens the file; `start` is the instant of the answer.
    pub(crate) fn open(
        recording: RecordingId,
        attempt: AttemptId,
        key: String,
        start: Instant,
        line: WriterLine,
    ) -> Self {
        let mut tap = Self {
            recording,
            start,
            window: Vec::with_capacity(USUAL),
            done: 0,
            next: [None; 2],
            paused: None,
            gaps: Vec::new(),
            mask: None,
            line,
            backlog: VecDeque::new(),
        };
        tap.hand(Job::Open {
            recording,
            attempt,
            key,
        });
        tap
    }

    /// Hides keys that are heard as sound from now on.
    pub(crate) fn hide_keys(&mut self) {
        self.mask = Some(Box::default());
    }

    /// Silence in the place of a key's sound, so far as it is not handed over.
    fn hide(&mut self, side: Side, from: u64, to: u64, down: bool) {
        let place = |at: u64| usize::try_from(at.saturating_sub(self.done)).unwrap_or(usize::MAX);
        let (first, end) = (place(from), place(to));
        let slots = self.window.chunks_exact_mut(2);
        for slot in slots.skip(first).take(end.saturating_sub(first)) {
            slot[side as usize] = 0;
        }
        let ms = |samples: u64| i64::try_from(samples / 8).unwrap_or(i64::MAX);
        match self.gaps.last_mut() {
            Some(last) if last.2 == KEYS && last.1 >= ms(from) => last.1 = last.1.max(ms(to)),
            _ if down => self.gap(ms(from), ms(to), KEYS),
            _ => {}
        }
    }

    /// Places a frame that came, or was sent, at `at`.
    pub(crate) fn put(&mut self, side: Side, at: Instant, pcm: &[i16]) {
        let length = pcm.len() as u64;
        // A packet carries the audio that ended when it was sent.
        let arrived = self.samples_at(at).saturating_sub(length);
        let next = &mut self.next[side as usize];
        let place = match *next {
            Some(n) if n.cast_signed().abs_diff(arrived.cast_signed()) <= SNAP.unsigned_abs() => n,
            _ => arrived,
        };
        *next = Some(place + length);
        if self.paused.is_some() {
            return;
        }
        self.write(side, place, pcm);
        let heard = self.mask.as_mut().map(|mask| mask.hear(side, pcm));
        if let Some(keys @ (Keys::Perhaps | Keys::Down)) = heard {
            let from = place.saturating_sub(BACK);
            self.hide(side, from, place + length, keys == Keys::Down);
        }
    }

    fn write(&mut self, side: Side, place: u64, pcm: &[i16]) {
        // What is handed over stays as it is; what lies too far ahead comes too early.
        let late = self.done.saturating_sub(place);
        let from = (place + late - self.done).min(WINDOW);
        let (Ok(late), Ok(from), Ok(room)) = (
            usize::try_from(late),
            usize::try_from(from),
            usize::try_from(WINDOW - from),
        ) else {
            return;
        };
        let pcm = pcm.get(late..).unwrap_or_default();
        let pcm = &pcm[..pcm.len().min(room)];
        let end = (from + pcm.len()) * 2;
        if self.window.len() < end {
            self.window.resize(end, 0);
        }
        let slots = self.window[from * 2..end].chunks_exact_mut(2);
        for (slot, sample) in slots.zip(pcm) {
            slot[side as usize] = *sample;
        }
    }

    /// A pause writes silence of equal length and a mark.
    pub(crate) fn pause(&mut self, on: bool, at: Instant) {
        let ms = ms(at.saturating_duration_since(self.start));
        match (on, self.paused) {
            (true, None) => self.paused = Some(ms),
            (false, Some(from)) => {
                self.paused = None;
                self.gap(from, ms, "pause");
            }
            _ => {}
        }
    }

    /// Hands over what is final by `now`; called every tick, works twice a second.
    pub(crate) fn tick(&mut self, now: Instant) {
        while let Some(job) = self.backlog.pop_front() {
            if let Err(job) = self.line.give(job) {
                self.backlog.push_front(job);
                break;
            }
        }
        let sure = self.samples_at(now).saturating_sub(LATE_MS * 8);
        if sure.saturating_sub(self.done) >= CHUNK_MS * 8 {
            self.flush(sure);
        }
    }

    /// Fills up to `end`, the instant of the hang-up, and seals. What the writer cannot take now
    /// is returned, to be tried again.
    pub(crate) fn seal(mut self, end: Instant) -> (WriterLine, VecDeque<Job>) {
        self.pause(false, end);
        self.flush(self.samples_at(end));
        let gaps = std::mem::take(&mut self.gaps);
        let recording = self.recording;
        self.hand(Job::Seal { recording, gaps });
        (self.line, self.backlog)
    }

    fn samples_at(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start);
        let rate = u64::from(RATE);
        since.as_secs() * rate + u64::from(since.subsec_micros()) * rate / 1_000_000
    }

    fn flush(&mut self, to: u64) {
        while self.done < to {
            let count = (to - self.done).min(WINDOW);
            let length = usize::try_from(count * 2).unwrap_or(0);
            if self.window.len() < length {
                self.window.resize(length, 0);
            }
            let mut stereo = self.line.sheet(USUAL);
            stereo.extend_from_slice(&self.window[..length]);
            self.window.copy_within(length.., 0);
            self.window.truncate(self.window.len() - length);
            self.done += count;
            let recording = self.recording;
            self.hand(Job::Pcm { recording, stereo });
        }
    }

    fn hand(&mut self, job: Job) {
        let job = if self.backlog.is_empty() {
            match self.line.give(job) {
                Ok(()) => return,
                Err(job) => job,
            }
        } else {
            job
        };
        match job {
            // Room for silence of the same length, so that the channels stay in time.
            Job::Pcm { recording, stereo } if self.backlog.len() >= BACKLOG => {
                let count = stereo.len() / 2;
                let to = i64::try_from(self.done / 8).unwrap_or(i64::MAX);
                self.gap(
                    to - i64::try_from(count / 8).unwrap_or(0),
                    to,
                    "writer_behind",
                );
                match self.backlog.back_mut() {
                    Some(Job::Pcm { stereo: last, .. }) => last.resize(last.len() + count * 2, 0),
                    _ => self.backlog.push_back(Job::Pcm {
                        recording,
                        stereo: vec![0; count * 2],
                    }),
                }
            }
            job => self.backlog.push_back(job),
        }
    }

    fn gap(&mut self, from: i64, to: i64, reason: &str) {
        let full = self.gaps.len() >= limits::RECORDING_GAPS;
        match self.gaps.last_mut() {
            Some(last) if full || (last.1 == from && last.2 == reason) => last.1 = to,
            _ => self.gaps.push((from, to, reason.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RecorderEvent, Writer};
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn recorded(fill: impl FnOnce(&mut Tap, Instant)) -> (Vec<i16>, i64, Vec<Gap>) {
        let dir = tempfile::tempdir().expect("folder");
        let (tx, rx) = crossbeam_channel::bounded(4);
        let (writer, line) =
            Writer::start(super::super::shelf(dir.path().to_owned(), None), move |e| {
                tx.send(e).expect("test listens");
            })
            .expect("starts");
        let start = Instant::now();
        let id = RecordingId(Uuid::from_u128(1));
        let attempt = AttemptId(Uuid::from_u128(2));
        let mut tap = Tap::open(id, attempt, "a/b.wav".into(), start, line);
        fill(&mut tap, start);
        let (line, left) = tap.seal(start + Duration::from_millis(2_500));
        assert!(left.is_empty());
        drop(line);
        let Ok(RecorderEvent::Sealed {
            duration_ms, gaps, ..
        }) = rx.recv()
        else {
            panic!("not sealed");
        };
        writer.join();
        let reader = hound::WavReader::open(dir.path().join("a/b.wav")).expect("plays");
        let samples = reader.into_samples().map(|s| s.expect("sample")).collect();
        (samples, duration_ms, gaps)
    }

    #[test]
    fn both_sides_by_arrival_with_silence_between() {
        let (samples, ms, gaps) = recorded(|tap, start| {
            for i in 0..100_u64 {
                let at = start + Duration::from_millis(20 * i + 20);
                // Agent from 1 s on, with jitter; the debtor all the time but one lost second.
                let jitter = Duration::from_millis(i % 3 * 7);
                if i >= 50 {
                    tap.put(Side::Agent, at + jitter, &[100; 160]);
                }
                if i < 50 {
                    tap.put(Side::Debtor, at, &[-100; 160]);
                }
                tap.tick(at);
            }
        });
        assert_eq!((ms, samples.len(), gaps.len()), (2_500, 40_000, 0));
        let (left, right): (Vec<i16>, Vec<i16>) = samples.chunks(2).map(|s| (s[0], s[1])).unzip();
        assert!(right[..8_000].iter().all(|s| *s == -100), "debtor whole");
        assert!(right[8_000..].iter().all(|s| *s == 0));
        assert!(left[..8_000].iter().all(|s| *s == 0));
        let voiced = left[8_200..15_900].iter().filter(|s| **s == 100).count();
        assert_eq!(voiced, 7_700, "jitter leaves no holes");
    }

    #[test]
    fn keys_are_hidden_with_silence_of_equal_length() {
        let (left_hz, right_hz) = (440.0, 300.0);
        let key = media::dtmf::Digit::from_char('7').expect("a key");
        let (samples, ms, gaps) = recorded(|tap, start| {
            tap.hide_keys();
            let mut agent = media::tones::Tone::sine(left_hz, 0.2);
            let mut voice = media::tones::Tone::sine(right_hz, 0.2);
            let mut pressed = media::dtmf_inband::tone(key, 0.2);
            for i in 0..100_u64 {
                let at = start + Duration::from_millis(20 * i + 20);
                let (mut left, mut right) = ([0; 160], [0; 160]);
                agent.fill(&mut left);
                // A key from 1.0 to 1.1 s, another from 1.5 to 1.6 s.
                if matches!(i, 50..55 | 75..80) {
                    pressed.fill(&mut right);
                } else {
                    voice.fill(&mut right);
                }
                tap.put(Side::Agent, at, &left);
                tap.put(Side::Debtor, at, &right);
                tap.tick(at);
            }
        });
        assert_eq!((ms, samples.len()), (2_500, 40_000));
        let (left, right): (Vec<i16>, Vec<i16>) = samples.chunks(2).map(|s| (s[0], s[1])).unzip();
        for from in [8_000, 12_000] {
            assert!(right[from..from + 800].iter().all(|s| *s == 0), "no key");
        }
        // What is lost around a key is a tenth of a second at most.
        for talk in [0..7_300, 9_600..11_300, 13_600..16_000] {
            assert!(
                media::freq::share(&right[talk], right_hz) > 0.9,
                "the voice stays"
            );
        }
        assert!(
            media::freq::share(&left[..16_000], left_hz) > 0.9,
            "the other side stays"
        );
        let [(a, b, why), (c, d, _)] = &gaps[..] else {
            panic!("two gaps: {gaps:?}");
        };
        assert_eq!(why, "dtmf");
        assert!(
            (900..=1_000).contains(a) && (1_100..1_250).contains(b),
            "{gaps:?}"
        );
        assert!(
            (1_400..=1_500).contains(c) && (1_600..1_750).contains(d),
            "{gaps:?}"
        );
    }

    #[test]
    fn a_pause_is_silence_and_a_mark() {
        let (samples, ms, gaps) = recorded(|tap, start| {
            for i in 0..100_u64 {
                let at = start + Duration::from_millis(20 * i + 20);
                if i == 25 {
                    tap.pause(true, start + Duration::from_millis(500));
                }
                if i == 50 {
                    tap.pause(false, start + Duration::from_millis(1_000));
                }
                tap.put(Side::Debtor, at, &[9; 160]);
            }
        });
        assert_eq!((ms, gaps), (2_500, vec![(500, 1_000, "pause".to_owned())]));
        let right: Vec<i16> = samples.chunks(2).map(|s| s[1]).collect();
        assert!(right[..4_000].iter().all(|s| *s == 9));
        assert!(right[4_000..8_000].iter().all(|s| *s == 0));
        assert!(right[8_000..16_000].iter().all(|s| *s == 9));
    }
}
