//! The verdict: class, reason, time.

use super::voice::Measures;

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A person.
    Human,
    /// A mailbox, a carrier's announcement, any recording.
    Machine,
    /// A fax machine or a modem.
    Fax,
    /// Special information tone: the number cannot be reached.
    Sit,
    /// Busy.
    Busy,
    /// No way through (fast busy).
    Congestion,
    /// Before the answer: it rings.
    RingBack,
    /// Before the answer: somebody speaks, an announcement or a song instead of ring-back.
    Announcement,
    /// Nobody and nothing for 4 s.
    DeadAir,
    /// Not to be told; treated as a person.
    Unknown,
}

impl Class {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Fax => "fax",
            Self::Sit => "sit",
            Self::Busy => "busy",
            Self::Congestion => "congestion",
            Self::RingBack => "ring_back",
            Self::Announcement => "announcement",
            Self::DeadAir => "dead_air",
            Self::Unknown => "unknown",
        }
    }

    /// The name among the seven of an answered call: `human`, `machine`, `fax`, `sit`, `busy`,
    /// `dead_air`, `unknown`.
    #[must_use]
    pub const fn answered_str(self) -> &'static str {
        match self {
            Self::Congestion => "busy",
            Self::RingBack | Self::Announcement => "unknown",
            other => other.as_str(),
        }
    }

    /// True where an agent has to take the call.
    #[must_use]
    pub const fn is_for_agent(self) -> bool {
        matches!(self, Self::Human | Self::Unknown)
    }
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A greeting as people speak it, then silence.
    ShortGreeting,
    /// The utterance has the shape of a recording.
    GreetingShape,
    /// It talks on and on.
    LongSpeech,
    /// A beep.
    Beep,
    /// A recording that is known on this trunk.
    Known,
    /// A tone of the network or a machine.
    Tone,
    /// No sound.
    Silence,
    /// Sound, but neither voice nor tone.
    Noise,
    /// The shape lies between a person's and a machine's.
    Between,
    /// The time given was over.
    TimeOver,
    /// The call ended before it was clear.
    Ended,
    /// Somebody speaks before the answer.
    EarlySpeech,
}

impl Reason {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShortGreeting => "short_greeting",
            Self::GreetingShape => "greeting_shape",
            Self::LongSpeech => "long_speech",
            Self::Beep => "beep",
            Self::Known => "known",
            Self::Tone => "tone",
            Self::Silence => "silence",
            Self::Noise => "noise",
            Self::Between => "between",
            Self::TimeOver => "time_over",
            Self::Ended => "ended",
            Self::EarlySpeech => "early_speech",
        }
    }
}

/// What was understood, when and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What answers.
    pub class: Class,
    /// When it was clear, ms from the beginning.
    pub at_ms: u32,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// Why.
    pub reason: Reason,
    /// What was measured of the speech, where there was any.
    pub measures: Option<Measures>,
}
