//! What a far end does, and what it saw.

use media::tones::Step;
use std::net::{IpAddr, SocketAddr};

/// What the peer does with a call that comes in.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Time to 180; none is sent without it.
    pub ring_ms: Option<u64>,
    /// Time from the INVITE to the final answer; never without it.
    pub decide_ms: Option<u64>,
    /// 200, or the refusal.
    pub code: u16,
    /// Tone it sends once answered, Hz; 0 = silence, none = no packet at all.
    pub hz: Option<f64>,
    /// Rings with early media.
    pub early: bool,
    /// What the network plays there.
    pub network: Option<&'static [Step]>,
    /// Time from the answer to its own BYE.
    pub leave_ms: Option<u64>,
    /// Address it names for its audio, where that is not the one it sends from.
    pub says_ip: Option<IpAddr>,
    /// Knows telephone events.
    pub events: bool,
}

impl Plan {
    /// Rings, answers and speaks.
    pub const fn answers(hz: f64) -> Self {
        let hz = Some(hz);
        Self {
            ring_ms: Some(20),
            decide_ms: Some(120),
            code: 200,
            hz,
            early: false,
            network: None,
            leave_ms: None,
            says_ip: None,
            events: true,
        }
    }

    /// Rings and refuses.
    pub const fn refuses(code: u16) -> Self {
        Self {
            ring_ms: Some(20),
            decide_ms: Some(60),
            code,
            hz: None,
            early: false,
            network: None,
            leave_ms: None,
            says_ip: None,
            events: true,
        }
    }

    /// Rings for ever.
    pub const fn rings() -> Self {
        Self {
            ring_ms: Some(20),
            decide_ms: None,
            code: 200,
            hz: None,
            early: false,
            network: None,
            leave_ms: None,
            says_ip: None,
            events: true,
        }
    }
}

/// What the peer saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Invite {
        number: String,
        attempt: Option<String>,
        /// Where the node receives this leg's audio.
        rtp: Option<SocketAddr>,
    },
    Answered,
    Failed(u16),
    Ended {
        by_remote: bool,
        code: Option<u16>,
        q850: Option<u16>,
    },
    Registered,
    Refused(u16),
    /// The answer to its REFER.
    Referred(u16),
    /// A report on it: its status, and whether it is the last.
    Reported(Option<u16>, bool),
}
