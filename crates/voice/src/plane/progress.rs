//! Call-progress analysis of a debtor's leg: its packets in their order, silence where one is missing.

use domain::ports::SoundVerdict;
use media::cpa::prints::{Known, Print};
use media::cpa::{Analyser, Class, Config, Stage, Verdict};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What has not come for so long is not coming: what follows is silence.
const QUIET_AFTER: Duration = Duration::from_millis(40);

/// A packet may be so late and is heard all the same, where its sender did not announce a pause.
const LATE: Duration = Duration::from_millis(40);

/// A stream that has been behind what was heard for so long is not late: its stamps stood still in a pause.
const BEHIND: Duration = Duration::from_millis(100);

/// The usual packet.
const FRAME: Duration = Duration::from_millis(20);

/// One sample at 8 kHz, µs.
const SAMPLE_US: u128 = 125;

/// Longest gap that is heard as silence, samples: what is longer is a new stream.
const MAX_GAP: u32 = 2 * media::RATE_HZ;

/// A machine's beep is waited for so long after the answer, ms; then nobody needs it any more.
const BEEP_WAIT_MS: u32 = 60_000;

/// The first second of speech is waited for so long after the answer, ms.
const PRINT_WAIT_MS: u32 = 5_000;

fn time_of(samples: u32) -> Duration {
    Duration::from_secs(1) * samples / media::RATE_HZ
}

/// What is to be told of a call's sound.
pub(super) struct News {
    pub(super) early: bool,
    pub(super) verdict: Option<SoundVerdict>,
    pub(super) print: Option<Print>,
}

/// The analyser of one call. Made at its early media and anew at the answer; hearing a packet allocates
/// nothing.
pub(crate) struct Progress {
    analyser: Analyser,
    early: bool,
    /// Source and stamp that come next.
    next: Option<(u32, u32)>,
    /// The instant that its time began, and how much was heard since.
    began: Instant,
    heard: Duration,
    /// When the last packet came and how long it was.
    came: Option<(Instant, Duration)>,
    /// The far end announced that it falls silent.
    pauses: bool,
    /// Since when its packets have been behind what was heard.
    behind: Option<Instant>,
    beep_told: bool,
    print_told: bool,
}

impl Progress {
    pub(super) fn new(known: Arc<Known>, now: Instant) -> Self {
        Self {
            analyser: Analyser::with_known(Config::default(), known),
            early: false,
            next: None,
            began: now,
            heard: Duration::ZERO,
            came: None,
            pauses: false,
            behind: None,
            beep_told: false,
            print_told: false,
        }
    }

    /// For what is heard before the answer: the network's tones and announcements, no beeps, no recordings.
    pub(super) fn early(now: Instant) -> Self {
        let config = Config {
            stage: Stage::Early,
            ..Config::default()
        };
        Self {
            analyser: Analyser::new(config),
            early: true,
            beep_told: true,
            print_told: true,
            ..Self::new(Arc::default(), now)
        }
    }

    /// Whether it listens to what comes before the answer.
    pub(super) const fn is_early(&self) -> bool {
        self.early
    }

    /// The first second of speech, once, when it is there.
    pub(super) fn print(&mut self) -> Option<Print> {
        if self.print_told {
            return None;
        }
        let print = self.analyser.print();
        self.print_told = print.is_some();
        print
    }

    /// Takes a packet; what is clear with it.
    pub(super) fn hear(
        &mut self,
        source: (u32, u16, u32),
        pcm: &[i16],
        now: Instant,
    ) -> Option<SoundVerdict> {
        let (ssrc, _, stamp) = source;
        let length = u32::try_from(pcm.len()).unwrap_or(0);
        self.came = Some((now, time_of(length)));
        self.pauses = false;
        let ahead = self.next.filter(|(of, _)| *of == ssrc);
        let ahead = ahead.map(|(_, next)| stamp.wrapping_sub(next));
        let (mut verdict, mut heard) = (None, 0);
        match ahead {
            Some(ahead) if ahead > u32::MAX / 2 => {
                heard = self.heard_of(length, ahead.wrapping_neg(), now)?;
            }
            Some(ahead) if ahead <= MAX_GAP => {
                self.behind = None;
                verdict = self.silence(ahead);
            }
            // A stream begins; what came before it was silence.
            _ => {
                self.behind = None;
                verdict = self.silent_until(now.checked_sub(time_of(length))?);
            }
        }
        self.next = Some((ssrc, stamp.wrapping_add(length)));
        let rest = pcm.get(usize::try_from(heard).unwrap_or(0)..);
        verdict = self.push(rest.unwrap_or(&[])).or(verdict);
        // Of what came at once after a delay the newest is the measure of what is late.
        let began = now.checked_sub(self.heard).unwrap_or(self.began);
        self.began = self.began.min(began);
        self.news(verdict)
    }

    /// The far end announced that it sends nothing for a while.
    pub(super) const fn pause(&mut self) {
        self.pauses = true;
    }

    /// A turn of the wheel: where nothing comes, silence is heard by the clock.
    pub(super) fn wait(&mut self, now: Instant) -> Option<SoundVerdict> {
        let (came, length) = self.came.unwrap_or((self.began, FRAME));
        // Before the answer what was left out is known with the next packet.
        if self.early || now.saturating_duration_since(came) < QUIET_AFTER {
            return None;
        }
        let late = if self.pauses { Duration::ZERO } else { LATE };
        let verdict = self.silent_until(now.checked_sub(length + late)?);
        self.news(verdict)
    }

    /// How much of a packet that is so far behind was heard as silence; `None` where that is all of it.
    fn heard_of(&mut self, length: u32, behind: u32, now: Instant) -> Option<u32> {
        if behind < length {
            self.behind = None;
            return Some(behind);
        }
        let since = *self.behind.get_or_insert(now);
        if now.saturating_duration_since(since) < BEHIND {
            return None;
        }
        self.behind = None;
        Some(0)
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_over(&self) -> bool {
        let heard_ms = self.analyser.heard_ms();
        let waits = self.analyser.verdict().is_none_or(|v| {
            if self.early {
                // Behind ring-back something else may come.
                return v.class == Class::RingBack;
            }
            let beeps = v.class == Class::Machine && !self.beep_told && heard_ms < BEEP_WAIT_MS;
            beeps || (!self.print_told && heard_ms < PRINT_WAIT_MS)
        });
        !waits
    }

    fn push(&mut self, pcm: &[i16]) -> Option<Verdict> {
        self.heard += time_of(u32::try_from(pcm.len()).unwrap_or(0));
        self.analyser.push(pcm)
    }

    fn silence(&mut self, samples: u32) -> Option<Verdict> {
        let mut left = usize::try_from(samples).unwrap_or(0);
        let mut verdict = None;
        while left > 0 {
            let part = left.min(media::FRAME_SAMPLES);
            verdict = self.push(&media::SILENCE[..part]).or(verdict);
            left -= part;
        }
        verdict
    }

    /// Hears silence up to an instant, in the place of whatever of it comes later.
    fn silent_until(&mut self, at: Instant) -> Option<Verdict> {
        if self.early {
            return None;
        }
        let since = at.saturating_duration_since(self.began);
        let due_us = since.saturating_sub(self.heard).as_micros();
        let samples = u32::try_from(due_us / SAMPLE_US).unwrap_or(0);
        if let Some((_, next)) = &mut self.next {
            *next = next.wrapping_add(samples);
        }
        self.silence(samples)
    }

    fn news(&mut self, verdict: Option<Verdict>) -> Option<SoundVerdict> {
        let mut verdict = verdict;
        if verdict.is_none() && !self.beep_told {
            // The beep is told with the verdict it came with, or after it.
            verdict = self.analyser.verdict().filter(|_| self.beeped());
        }
        verdict.map(|v| self.told(&v))
    }

    fn beeped(&self) -> bool {
        self.analyser.beep_is_over()
    }

    fn told(&mut self, verdict: &Verdict) -> SoundVerdict {
        self.beep_told |= self.beeped();
        SoundVerdict {
            class: if self.early {
                verdict.class.as_str()
            } else {
                verdict.class.answered_str()
            },
            confidence: verdict.confidence,
            reason: verdict.reason.as_str(),
            decided_ms: verdict.at_ms,
            onset_ms: verdict.measures.map(|m| m.onset_ms),
            speech_ms: verdict.measures.map(|m| m.speech_ms),
            pauses: verdict.measures.map(|m| m.pauses),
            // A beep that still sounds is not told yet: who speaks now speaks into it.
            beep_ms: self
                .analyser
                .beep()
                .filter(|_| self.beeped())
                .map(|b| b.start_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::tones::{Tone, busy, ring_back};

    /// When packet number `n` comes.
    fn at(began: Instant, n: u16) -> Instant {
        began + FRAME * (u32::from(n) + 1)
    }

    /// A far end that sends nothing in pauses, and the wheel: packets from `from_ms` on, one that announces
    /// the pause if it does, then turns only. What was told, with its time.
    fn sparse(from_ms: u64, sound: &[i16], announced: bool) -> Vec<(u64, SoundVerdict)> {
        let began = Instant::now();
        let mut progress = Progress::new(Arc::default(), began);
        let mut frames = (0u16..).zip(sound.chunks(160));
        let mut told = Vec::new();
        for ms in (0..9_000).step_by(20) {
            let now = began + Duration::from_millis(ms);
            let frame = (ms >= from_ms).then(|| frames.next()).flatten();
            let packet =
                frame.and_then(|(n, frame)| progress.hear((7, n, u32::from(n) * 160), frame, now));
            if announced && frame.is_none() && ms >= from_ms {
                progress.pause();
            }
            let waited = progress.wait(now);
            told.extend(packet.into_iter().chain(waited).map(|v| (ms, v)));
        }
        told
    }

    #[test]
    fn busy_is_told_once_with_a_packet_lost_and_one_late() {
        let began = Instant::now();
        let mut progress = Progress::new(Arc::default(), began);
        let mut tone = Tone::cadence(busy("MX"));
        let mut told = Vec::new();
        for n in 0..150u16 {
            let mut frame = media::SILENCE;
            tone.fill(&mut frame);
            if n == 12 {
                continue;
            }
            let stamp = u32::MAX - 1_000;
            let stamp = stamp.wrapping_add(u32::from(n) * 160);
            told.extend(progress.hear((7, n, stamp), &frame, at(began, n)));
            if n == 20 {
                assert!(
                    progress
                        .hear((7, 12, stamp.wrapping_sub(1_280)), &frame, at(began, n))
                        .is_none()
                );
            }
            if progress.is_over() {
                break;
            }
        }
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].class, told[0].beep_ms), ("busy", None));
    }

    #[test]
    fn before_the_answer_ring_back_is_told_and_then_what_follows_it() {
        let began = Instant::now();
        let mut progress = Progress::early(began);
        assert!(progress.is_early());
        let mut told = Vec::new();
        let mut n = 0u16;
        for (cadence, frames) in [(ring_back("MX"), 400), (busy("MX"), 200)] {
            let mut tone = Tone::cadence(cadence);
            for _ in 0..frames {
                let mut frame = media::SILENCE;
                tone.fill(&mut frame);
                told.extend(progress.hear((7, n, u32::from(n) * 160), &frame, at(began, n)));
                n += 1;
            }
        }
        let classes: Vec<_> = told.iter().map(|t| t.class).collect();
        assert_eq!(classes, ["ring_back", "busy"]);
        assert!(progress.is_over());
    }

    #[test]
    fn a_machines_beep_is_told_after_its_verdict() {
        let began = Instant::now();
        let mut progress = Progress::new(Arc::default(), began);
        // 400 ms of nothing, 7.5 s of words, 300 ms later a beep.
        let mut call = vec![0; 3_200];
        call.extend(media::speech::vowels(12, 100, 140.0, 4));
        let beep_ms = u32::try_from(call.len() / 8 + 300).unwrap_or(0);
        call.extend([0; 2_400]);
        let mut beep = vec![0; 8_000];
        Tone::once(media::tones::BEEP, 0.3).fill(&mut beep);
        call.extend(beep);
        let mut classes = Vec::new();
        for (n, frame) in (0u16..).zip(call.chunks(160)) {
            let told = progress.hear((7, n, u32::from(n) * 160), frame, at(began, n));
            classes.extend(told.map(|t| (t.class, t.beep_ms)));
            if progress.is_over() {
                break;
            }
        }
        let last = classes.last().copied();
        assert!(
            last.is_some_and(|(_, beep)| beep.is_some_and(|b| b.abs_diff(beep_ms) <= 40)),
            "{classes:?}"
        );
    }

    #[test]
    fn who_says_a_word_and_sends_nothing_more_is_a_person_in_time() {
        let word = media::speech::vowels(1, 0, 140.0, 4);
        for (announced, most) in [(true, 1_200), (false, 1_240)] {
            for from_ms in [0, 1_000] {
                let told = sparse(from_ms, &word, announced);
                let (at, verdict) = told.first().expect("is told");
                assert_eq!(verdict.class, "human", "{told:?}");
                assert!(at - from_ms <= most, "{announced} {at}");
                // Its times are those of the call, not of its packets.
                let onset = u64::from(verdict.onset_ms.unwrap_or(0));
                assert!(onset.abs_diff(from_ms) <= 100, "{verdict:?}");
            }
        }
    }

    #[test]
    fn a_beep_with_nothing_behind_it_is_told() {
        let mut call = media::speech::vowels(4, 100, 140.0, 4);
        call.extend([0; 2_400]);
        let mut beep = vec![0; 3_200];
        Tone::once(media::tones::BEEP, 0.3).fill(&mut beep);
        call.extend(beep);
        let told = sparse(200, &call, false);
        let last = told.last().map(|(_, v)| (v.class, v.beep_ms.is_some()));
        assert_eq!(last, Some(("machine", true)), "{told:?}");
    }

    #[test]
    fn who_sends_nothing_at_all_is_dead_air() {
        let told = sparse(u64::MAX, &[], false);
        let classes: Vec<_> = told.iter().map(|(at, v)| (*at, v.class)).collect();
        assert!(
            matches!(classes[..], [(4_000..=4_100, "dead_air")]),
            "{classes:?}"
        );
    }

    #[test]
    fn what_comes_late_takes_no_time_twice_and_stamps_that_stand_still_are_heard() {
        let began = Instant::now();
        let mut progress = Progress::new(Arc::default(), began);
        let frame = media::SILENCE;
        let time = |ms| began + Duration::from_millis(ms);
        progress.hear((7, 0, 0), &frame, time(20));
        for ms in (40..=420).step_by(20) {
            progress.wait(time(ms));
        }
        // All that was missing comes at once, and the stream goes on.
        for n in 1..=20u16 {
            progress.hear((7, n, u32::from(n) * 160), &frame, time(425));
        }
        assert!(progress.analyser.heard_ms().abs_diff(420) <= 20);
        // A pause in which its clock stood still.
        for ms in (440..=1_420).step_by(20) {
            progress.wait(time(ms));
        }
        let before = progress.analyser.heard_ms();
        for n in 21..=70u16 {
            let now = time(1_420 + u64::from(n - 20) * 20);
            progress.hear((7, n, u32::from(n) * 160), &frame, now);
            progress.wait(now);
        }
        let heard = progress.analyser.heard_ms() - before;
        assert!((880..=1_060).contains(&heard), "{heard}");
    }
}
