//! What media threads are told, and what they tell.

use super::browser::{HubOrder, Parcel, Returns};
use super::leg::Leg;
use super::sound::Sound;
use crate::config::Codec;
use crate::recorder::{RecorderEvent, WriterLine};
use crate::webrtc::Peer;
use domain::ids::{AttemptId, RecordingId};
use domain::ports::{MonitorMode, SoundVerdict};
use media::cpa::prints::{Known, Print};
use sip::sdp::Secured;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// A leg's identity within the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LegId(pub(crate) u64);

/// What offer and answer agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) remote: SocketAddr,
    pub(crate) codec: Codec,
    /// Payload type of telephone-event, when agreed.
    pub(crate) dtmf: Option<u8>,
    /// Whether we may send, and expect to receive.
    pub(crate) send: bool,
    pub(crate) receive: bool,
    /// Keys of SRTP, where the signalling is protected too.
    pub(crate) secured: Option<Secured>,
}

/// A recording to open.
pub(crate) struct Record {
    pub(crate) recording: RecordingId,
    pub(crate) attempt: AttemptId,
    pub(crate) key: String,
    /// Instant of the answer: the recording's zero.
    pub(crate) from: Instant,
    /// Way to the writer; without one nothing is recorded.
    pub(crate) line: Option<WriterLine>,
    /// Recording starts switched off, as one long pause (`record = on_demand`).
    pub(crate) paused: bool,
    /// Whether keys heard as sound are hidden.
    pub(crate) hide_keys: bool,
}

/// Orders to a media thread; the leg named by [`Order::leg`] lives there or is on its way.
pub(crate) enum Order {
    Add(Box<Leg>),
    /// A leg is on its way from the thread of that number: keep its orders until it is here.
    Expect(LegId, usize),
    Arrive(Box<Leg>),
    /// A fault took the leg out before it left; what it had carried.
    NeverComing(LegId, Counts),
    /// The thread of that number is gone: what is still on its way from there never comes.
    Lost(usize),
    /// Hand the leg to another thread.
    Give(LegId, super::ThreadLine),
    /// Offer and answer agreed; `live` from the answer on, before it media is only looked at.
    Agreed(LegId, Agreed, bool),
    Record(LegId, Box<Record>),
    PauseRecording(LegId, bool),
    /// What is heard on the leg before its answer is judged.
    Early(LegId),
    /// The leg's sound is judged from now on.
    Classify(LegId, Arc<Known>),
    Bridge {
        debtor: LegId,
        agent: LegId,
        beep: bool,
    },
    Unbridge(LegId),
    Play(LegId, Option<Sound>),
    Hold(LegId, bool),
    Mute(LegId, bool),
    Dtmf(LegId, u8),
    Monitor {
        debtor: LegId,
        supervisor: LegId,
        mode: Option<MonitorMode>,
    },
    /// A further leg joins the call of a debtor's leg, or leaves it.
    Party {
        debtor: LegId,
        party: LegId,
        on: bool,
    },
    /// The browsers' port, on the thread that reads it.
    Hub(HubOrder),
    /// The leg's browser came again: its new connection.
    Browser(LegId, Box<Peer>),
    /// A datagram of the leg's browser, read by another thread, and where its parcel goes back to.
    Datagram(LegId, Box<Parcel>, Returns),
    /// End of the leg; `at` ends its recording. Told by [`Event::Removed`].
    Remove(LegId, Instant),
    /// A fault in the leg's work.
    #[cfg(test)]
    Break(LegId),
    /// What the leg sends next breaks.
    #[cfg(test)]
    Weaken(LegId),
    /// A fault outside of any leg's work.
    #[cfg(test)]
    Die,
    /// Let every leg go and end.
    Stop,
}

impl Order {
    /// The leg whose presence the order needs.
    pub(crate) fn leg(&self) -> Option<LegId> {
        match self {
            Self::Add(_)
            | Self::Expect(..)
            | Self::Arrive(_)
            | Self::NeverComing(..)
            | Self::Lost(_)
            | Self::Hub(_)
            | Self::Stop => None,
            #[cfg(test)]
            Self::Die => None,
            Self::Give(leg, _)
            | Self::Agreed(leg, ..)
            | Self::Record(leg, _)
            | Self::PauseRecording(leg, _)
            | Self::Early(leg)
            | Self::Classify(leg, _)
            | Self::Unbridge(leg)
            | Self::Play(leg, _)
            | Self::Hold(leg, _)
            | Self::Mute(leg, _)
            | Self::Dtmf(leg, _)
            | Self::Browser(leg, _)
            | Self::Datagram(leg, ..)
            | Self::Remove(leg, _) => Some(*leg),
            #[cfg(test)]
            Self::Break(leg) | Self::Weaken(leg) => Some(*leg),
            // The debtor's leg never moves: the one that joins it may be on its way.
            Self::Bridge { agent, .. } => Some(*agent),
            Self::Monitor { supervisor, .. } => Some(*supervisor),
            Self::Party { party, .. } => Some(*party),
        }
    }
}

impl Order {
    /// The leg that a fault in the order's work is laid to.
    pub(super) fn whose(&self) -> Option<LegId> {
        match self {
            Self::Add(leg) | Self::Arrive(leg) => Some(leg.id),
            other => other.leg(),
        }
    }
}

/// Packets of a leg, and how they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    /// Interarrival jitter at the end (RFC 3550 §6.4.1, smoothed), microseconds.
    pub(crate) jitter_us: u32,
    /// Largest jitter seen.
    pub(crate) jitter_max_us: u32,
    /// Round trip by RTCP, once one was measured, microseconds.
    pub(crate) rtt_us: Option<u32>,
    /// Loss the far end reports of our stream, in 1/256, once it did.
    pub(crate) far_lost: Option<u8>,
}

impl Counts {
    /// What was added since `before`; jitter and round trip are those of now.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            received: self.received.saturating_sub(before.received),
            sent: self.sent.saturating_sub(before.sent),
            lost: self.lost.saturating_sub(before.lost),
            ..self
        }
    }
}

/// What happened on a media thread.
#[derive(Debug)]
pub(crate) enum Event {
    /// The first agent audio left for the debtor.
    Bridged {
        debtor: LegId,
        agent: LegId,
        at: Instant,
    },
    Played {
        leg: LegId,
        at: Instant,
    },
    Dtmf {
        leg: LegId,
        digit: char,
        at: Instant,
    },
    /// What a debtor's leg sounds like.
    Classified {
        leg: LegId,
        verdict: SoundVerdict,
        /// Before its answer.
        early: bool,
        at: Instant,
    },
    /// The first second of what a debtor's leg said.
    Printed {
        leg: LegId,
        print: Box<Print>,
        at: Instant,
    },
    /// No audio from this leg for so long, and no RTCP either; told each second from the third on.
    Silent {
        leg: LegId,
        /// The debtor's leg that an agent's is joined to.
        of: Option<LegId>,
        silent_ms: i64,
        lifeless_ms: i64,
        at: Instant,
    },
    /// Audio has been received from the leg and sent to it.
    Proved {
        leg: LegId,
        at: Instant,
    },
    /// A leg that was on a debtor's call is off it; what it carried meanwhile.
    Left {
        debtor: LegId,
        leg: LegId,
        from: Instant,
        until: Instant,
        counts: Counts,
    },
    Removed {
        leg: LegId,
        counts: Counts,
    },
    /// The work broke off by a fault of ours; the leg it was busy with is out.
    Broken {
        leg: Option<LegId>,
    },
    /// A browser's connection came up, or went down.
    Browser {
        leg: LegId,
        up: bool,
    },
    Recorder(RecorderEvent),
}
