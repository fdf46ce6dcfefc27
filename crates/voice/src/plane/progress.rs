//! Call-progress analysis of a debtor's leg: its packets in their order, silence where one is missing.

use domain::ports::SoundVerdict;
use media::cpa::prints::{Known, Print};
use media::cpa::{Analyser, Class, Config, Stage, Verdict};
use std::sync::Arc;

/// Longest gap that is heard as silence, samples: what is longer is a new stream.
const MAX_GAP: u32 = 2 * media::RATE_HZ;

/// A machine's beep is waited for so long after the answer, ms; then nobody needs it any more.
const BEEP_WAIT_MS: u32 = 60_000;

/// The first second of speech is waited for so long after the answer, ms.
const PRINT_WAIT_MS: u32 = 5_000;

/// The analyser of one call. Made at its early media and anew at the answer; hearing a packet allocates
/// nothing.
pub(crate) struct Progress {
    analyser: Analyser,
    early: bool,
    /// Source and stamp that come next.
    next: Option<(u32, u32)>,
    beep_told: bool,
    print_told: bool,
}

impl Progress {
    pub(super) fn new(known: Arc<Known>) -> Self {
        Self {
            analyser: Analyser::with_known(Config::default(), known),
            early: false,
            next: None,
            beep_told: false,
            print_told: false,
        }
    }

    /// For what is heard before the answer: the network's tones and announcements, no beeps, no recordings.
    pub(super) fn early() -> Self {
        let config = Config {
            stage: Stage::Early,
            ..Config::default()
        };
        Self {
            analyser: Analyser::new(config),
            early: true,
            next: None,
            beep_told: true,
            print_told: true,
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
    pub(super) fn hear(&mut self, source: (u32, u16, u32), pcm: &[i16]) -> Option<SoundVerdict> {
        let (ssrc, _, stamp) = source;
        let mut verdict = None;
        if let Some((of, next)) = self.next
            && of == ssrc
        {
            let ahead = stamp.wrapping_sub(next);
            if ahead > u32::MAX / 2 {
                // Late: its place has been heard as silence.
                return None;
            }
            if ahead <= MAX_GAP {
                verdict = self.silence(ahead);
            }
        }
        let length = u32::try_from(pcm.len()).unwrap_or(0);
        self.next = Some((ssrc, stamp.wrapping_add(length)));
        verdict = self.analyser.push(pcm).or(verdict);
        if verdict.is_none() && !self.beep_told {
            // The beep is told with the verdict it came with, or after it.
            verdict = self.analyser.verdict().filter(|_| self.beeped());
        }
        verdict.map(|v| self.told(&v))
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

    fn silence(&mut self, samples: u32) -> Option<Verdict> {
        let mut left = usize::try_from(samples).unwrap_or(0);
        let mut verdict = None;
        while left > 0 {
            let part = left.min(media::FRAME_SAMPLES);
            verdict = self.analyser.push(&media::SILENCE[..part]).or(verdict);
            left -= part;
        }
        verdict
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

    #[test]
    fn busy_is_told_once_with_a_packet_lost_and_one_late() {
        let mut progress = Progress::new(Arc::default());
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
            told.extend(progress.hear((7, n, stamp), &frame));
            if n == 20 {
                assert!(
                    progress
                        .hear((7, 12, stamp.wrapping_sub(1_280)), &frame)
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
        let mut progress = Progress::early();
        assert!(progress.is_early());
        let mut told = Vec::new();
        let mut n = 0u16;
        for (cadence, frames) in [(ring_back("MX"), 400), (busy("MX"), 200)] {
            let mut tone = Tone::cadence(cadence);
            for _ in 0..frames {
                let mut frame = media::SILENCE;
                tone.fill(&mut frame);
                told.extend(progress.hear((7, n, u32::from(n) * 160), &frame));
                n += 1;
            }
        }
        let classes: Vec<_> = told.iter().map(|t| t.class).collect();
        assert_eq!(classes, ["ring_back", "busy"]);
        assert!(progress.is_over());
    }

    #[test]
    fn a_machines_beep_is_told_after_its_verdict() {
        let mut progress = Progress::new(Arc::default());
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
            let told = progress.hear((7, n, u32::from(n) * 160), frame);
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
}
