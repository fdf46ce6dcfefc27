//! Call-progress analysis: what answers, told from its sound alone, as it comes.
//!
//! Frames go in, a verdict comes out once; the verdict at time t rests on sound up to t and nothing after
//! it. Nothing is allocated after [`Analyser::new`]. Silence at the beginning is never evidence of a
//! machine; what stays unclear is [`Class::Unknown`], which goes to an agent as a person does.
//!
//! ```
//! use media::cpa::{Analyser, Class, Config};
//! use media::tones::{Tone, busy};
//! let mut analyser = Analyser::new(Config::default());
//! let mut tone = Tone::cadence(busy("MX"));
//! let mut frame = media::SILENCE;
//! let verdict = (0..200).find_map(|_| {
//!     tone.fill(&mut frame);
//!     analyser.push(&frame)
//! });
//! assert_eq!(verdict.map(|v| v.class), Some(Class::Busy));
//! ```

mod judge;
pub mod plan;
pub mod prints;
pub mod score;
mod signals;
mod spectrum;
#[cfg(test)]
mod tests;
mod tone;
mod verdict;
mod voice;

pub use judge::{FEATURES, features};
pub use signals::Beep;
pub use verdict::{Class, Reason, Verdict};
pub use voice::Measures;

use plan::Signal;
use prints::{First, Known, Memory, Print};
use signals::{Around, Heard, Signals};
use spectrum::{HOP_MS, Hop, Spectrum};
use std::sync::Arc;
use voice::Voice;

/// Before or after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Early media: tones and announcements of the network.
    Early,
    /// From the answer on.
    #[default]
    Answered,
}

/// How it decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Before or after the answer.
    pub stage: Stage,
    /// Likelihood from which an ended utterance is a machine.
    pub machine_from: f32,
    /// Likelihood from which it is no longer called a person.
    pub unknown_from: f32,
    /// Likelihood from which a beep or another sentence is waited for.
    pub wait_from: f32,
    /// The same after an utterance as short as a recording's first sentence, but for a word or two, which are never
    /// waited for below `wait_from`.
    pub wait_first_from: f32,
    /// Speech that goes on so long is a machine, ms.
    pub long_ms: u32,
    /// Silence so long is dead air, ms (`terms`: no voice for 4 s).
    pub dead_air_ms: u32,
    /// What is unclear then is unknown, ms.
    pub give_up_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stage: Stage::Answered,
            machine_from: 0.5,
            unknown_from: 0.4,
            wait_from: 0.3,
            wait_first_from: 0.1,
            long_ms: 6_000,
            dead_air_ms: 4_000,
            give_up_ms: 12_000,
        }
    }
}

/// A voice has so much periodic sound, ms: less is a noise.
const VOICE_LEAST_MS: u32 = 40;

/// Speech after which a tone is a beep and no tone of the network, ms.
const SPOKEN_MS: u32 = 200;

/// A tone of this length is no part of speech, ms.
const TONE_MS: u32 = 80;

/// Silence of tones after which a beep has ended, ms.
const BEEP_OVER_MS: u32 = 60;

/// In a recording the level stays: with more than this between beginning and end the first voice has
/// stopped and what goes on is its background, dB.
const DROP_DB: f32 = 7.0;

/// Speech before the answer from which it is an announcement, ms.
const EARLY_SPEECH_MS: u32 = 1_500;

/// Listens to one direction of one call.
#[derive(Debug, Clone)]
pub struct Analyser {
    config: Config,
    spectrum: Spectrum,
    signals: Signals,
    voice: Voice,
    known: Option<(Arc<Known>, Memory)>,
    first: First,
    /// The known recording that decided.
    met: Option<Print>,
    now_ms: u32,
    quiet_since_ms: u32,
    spoken: bool,
    rang: bool,
    verdict: Option<Verdict>,
    beep: Option<Beep>,
}

impl Analyser {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            spectrum: Spectrum::new(),
            signals: Signals::default(),
            voice: Voice::new(),
            known: None,
            first: First::new(),
            met: None,
            now_ms: 0,
            quiet_since_ms: 0,
            spoken: false,
            rang: false,
            verdict: None,
            beep: None,
        }
    }

    /// One that knows the recordings of its trunk.
    #[must_use]
    pub fn with_known(config: Config, known: Arc<Known>) -> Self {
        let mut analyser = Self::new(config);
        if !known.is_empty() {
            analyser.known = Some((known, Memory::new()));
        }
        analyser
    }

    /// Takes the next samples (8 kHz, any number, usually a frame of 20 ms); the verdict with the
    /// samples that bring it, once (after ring-back once more).
    pub fn push(&mut self, samples: &[i16]) -> Option<Verdict> {
        let before = self.verdict;
        for sample in samples {
            if let Some(hop) = self.spectrum.push(*sample) {
                self.hop(&hop);
            }
        }
        if before == self.verdict {
            None
        } else {
            self.verdict
        }
    }

    /// The call is over: the verdict by what was heard, if there was none.
    pub fn finish(&mut self) -> Option<Verdict> {
        let around = self.around();
        if let Some(heard) = self.signals.finish(around) {
            self.on_tone(heard);
        }
        if self.verdict.is_some() {
            return None;
        }
        let measures = self.voice.measures();
        let enough = self.voice.voiced_ms() >= VOICE_LEAST_MS;
        match self.voice.span() {
            Some((_, silence, _)) if enough && silence >= 300 => self.judge_ended(u32::MAX),
            Some(_) => self.tell(Class::Unknown, 0.5, Reason::Ended, measures),
            None => self.tell(Class::Unknown, 0.5, Reason::Ended, None),
        }
        self.verdict
    }

    /// The verdict, once there is one.
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// The last beep; it is looked for after the verdict too.
    #[must_use]
    pub const fn beep(&self) -> Option<Beep> {
        self.beep
    }

    /// Whether a beep was heard and sounds no more: what is said now follows it.
    #[must_use]
    pub const fn beep_is_over(&self) -> bool {
        self.beep.is_some() && self.now_ms >= self.quiet_since_ms + BEEP_OVER_MS
    }

    /// The fingerprint of the first second of speech, once it is over; where a known recording decided, of that.
    #[must_use]
    pub fn print(&self) -> Option<Print> {
        let first = || self.first.print(self.voice.onset_hop()?);
        self.met.or_else(first)
    }

    /// Milliseconds heard.
    #[must_use]
    pub const fn heard_ms(&self) -> u32 {
        self.now_ms
    }

    const fn around(&self) -> Around {
        Around {
            after_speech: self.spoken,
            floor: self.voice.floor(),
            now_ms: self.now_ms,
        }
    }

    fn hop(&mut self, hop: &Hop) {
        self.now_ms = (hop.at + 1) * HOP_MS;
        let heard = self.signals.push(hop, self.around());
        self.first.push(hop);
        let tone = self.signals.sounding(TONE_MS);
        self.voice.push(hop, tone.is_some());
        if let Some(tone) = tone {
            self.quiet_since_ms = tone.end_ms;
            self.voice.end_before(tone.start_ms);
        }
        self.spoken |= self.voice.voiced_ms() >= SPOKEN_MS;
        if let Some(heard) = heard {
            self.on_tone(heard);
        }
        if self.verdict.is_none() {
            self.on_known(hop);
            match self.config.stage {
                Stage::Answered => self.on_speech(tone.is_some()),
                Stage::Early => self.on_early_speech(),
            }
        }
    }

    fn on_tone(&mut self, heard: Heard) {
        let class = match heard {
            Heard::Sit => Class::Sit,
            Heard::Fax => Class::Fax,
            Heard::Busy(Signal::Congestion) => Class::Congestion,
            Heard::Busy(_) => Class::Busy,
            Heard::RingBack => {
                self.rang = true;
                return;
            }
            Heard::Beep(_) if !self.may_beep() => return,
            Heard::Beep(beep) => {
                self.beep = Some(beep);
                let measures = self.voice.measures();
                self.tell(Class::Machine, 0.98, Reason::Beep, measures);
                return;
            }
        };
        self.tell(class, 0.99, Reason::Tone, None);
    }

    fn on_known(&mut self, hop: &Hop) {
        let Some((known, memory)) = &mut self.known else {
            return;
        };
        let met = memory.push(hop, self.voice.onset_hop(), known);
        if met.is_some() {
            self.met = met;
            let measures = self.voice.measures();
            self.tell(Class::Machine, 0.97, Reason::Known, measures);
        }
    }

    /// A beep means something: the call is answered, and not by a tone of the network or a fax.
    fn may_beep(&self) -> bool {
        let by_tone = self.verdict.is_some_and(|v| v.reason == Reason::Tone);
        self.config.stage == Stage::Answered && !by_tone
    }

    fn on_speech(&mut self, tone: bool) {
        match self.voice.span() {
            Some((speech, silence, weak)) if !tone => {
                let ended = silence >= judge::hang_ms(speech, self.voice.is_sparse())
                    || weak >= judge::WEAK_MS;
                if ended && self.voice.voiced_ms() < VOICE_LEAST_MS {
                    self.voice.forget();
                } else if ended {
                    self.judge_ended(silence.max(weak));
                } else if speech >= self.config.long_ms && silence < 100 {
                    self.judge_long();
                }
            }
            Some(_) => {}
            None => self.judge_silence(),
        }
        if self.now_ms >= self.config.give_up_ms {
            let measures = self.voice.measures();
            self.tell(Class::Unknown, 0.5, Reason::TimeOver, measures);
        }
    }

    fn judge_silence(&mut self) {
        let since = self.quiet_since_ms;
        if self.now_ms < since + self.config.dead_air_ms {
            return;
        }
        if self.voice.rustled {
            self.tell(Class::Unknown, 0.5, Reason::Noise, None);
        } else if self.rang {
            self.tell(Class::Unknown, 0.5, Reason::Tone, None);
        } else {
            self.tell(Class::DeadAir, 0.95, Reason::Silence, None);
        }
    }

    /// The utterance has ended `silence` ago, or its call has.
    fn judge_ended(&mut self, silence: u32) {
        let Some(measures) = self.voice.measures() else {
            return;
        };
        let likely = judge::machine(&measures);
        let wait_from = if judge::may_go_on(&measures) {
            self.config.wait_first_from
        } else {
            self.config.wait_from
        };
        let measures = Some(measures);
        if likely >= self.config.machine_from {
            self.tell(Class::Machine, likely, Reason::GreetingShape, measures);
        } else if likely >= wait_from && silence < judge::WAIT_MS {
            // Neither nor: a beep or another sentence may follow.
        } else if likely >= self.config.unknown_from {
            self.tell(Class::Unknown, 1.0 - likely, Reason::Between, measures);
        } else {
            self.tell(Class::Human, 1.0 - likely, Reason::ShortGreeting, measures);
        }
    }

    fn judge_long(&mut self) {
        let measures = self.voice.measures();
        let steady = |m: &Measures| {
            m.level_drop_db <= DROP_DB && m.longest_pause_ms < judge::SPOKEN_AGAIN_MS
        };
        if measures.as_ref().is_some_and(steady) {
            self.tell(Class::Machine, 0.9, Reason::LongSpeech, measures);
        }
    }

    fn on_early_speech(&mut self) {
        let Some((speech, ..)) = self.voice.span() else {
            if self.rang {
                self.tell(Class::RingBack, 0.9, Reason::Tone, None);
            }
            return;
        };
        if speech >= EARLY_SPEECH_MS && self.voice.voiced_ms() >= EARLY_SPEECH_MS / 5 {
            let measures = self.voice.measures();
            self.tell(Class::Announcement, 0.8, Reason::EarlySpeech, measures);
        }
    }

    fn tell(&mut self, class: Class, confidence: f32, reason: Reason, measures: Option<Measures>) {
        // Ring-back is what is expected before the answer; anything after it is news.
        let open = self
            .verdict
            .is_none_or(|v| v.class == Class::RingBack && class != Class::RingBack);
        if open {
            self.verdict = Some(Verdict {
                class,
                at_ms: self.now_ms,
                confidence,
                reason,
                measures,
            });
        }
    }
}
