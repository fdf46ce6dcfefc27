//! What came of an earlier try, told apart as far as it says something about the next one.

use super::Slot;
use crate::entity::CallResult;
use crate::rules::detector::is_mailbox;
use crate::time::UtcMs;

/// Kinds of a miss, in the order of [`TryResult::missed`].
pub(super) const MISSES: usize = 3;

/// What came of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TryResult {
    /// The right party was spoken to.
    RightParty,
    /// A person answered who was not identified: somebody else, or nobody asked him.
    Person,
    /// A mailbox or a fax answered.
    Machine,
    /// Busy or rejected: somebody has the phone in his hand.
    Busy,
    /// Nobody answered, or the phone is off.
    NoAnswer,
}

impl TryResult {
    /// Of a call that is over: `identified` = the debtor's identity was ticked, `disposition` its code.
    /// `None` where the call says nothing of the number: withdrawn, refused, never there, fate lost.
    #[must_use]
    pub fn of(result: CallResult, identified: bool, disposition: Option<&str>) -> Option<Self> {
        let said = match result {
            CallResult::Human
            | CallResult::Abandoned
            | CallResult::HangupEarly
            | CallResult::OneWayAudio => Self::Person,
            CallResult::MachineBeep | CallResult::MachineNoBeep | CallResult::Fax => Self::Machine,
            CallResult::Busy | CallResult::Rejected => Self::Busy,
            CallResult::NoAnswer
            | CallResult::DeadAir
            | CallResult::Unreachable
            | CallResult::InvalidNumber => Self::NoAnswer,
            CallResult::Congestion
            | CallResult::TrunkFault
            | CallResult::Cancelled
            | CallResult::BlockedWindow
            | CallResult::BlockedCap
            | CallResult::BlockedHold
            | CallResult::BlockedSuppressed
            | CallResult::BlockedRule
            | CallResult::Unknown => return None,
        };
        Some(match disposition {
            _ if identified => Self::RightParty,
            Some(code) if code.starts_with("CD.") => Self::RightParty,
            Some(code) if is_mailbox(code) => Self::Machine,
            _ => said,
        })
    }

    /// Whether the right party was spoken to.
    #[must_use]
    pub const fn is_right_party(self) -> bool {
        matches!(self, Self::RightParty)
    }

    /// Whether a person answered, whoever he was.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::RightParty | Self::Person)
    }

    /// Which kind of a miss, 0..`MISSES`; `None` when a person answered.
    pub(super) const fn missed(self) -> Option<usize> {
        match self {
            Self::Machine => Some(0),
            Self::Busy => Some(1),
            Self::NoAnswer => Some(2),
            Self::RightParty | Self::Person => None,
        }
    }
}

/// One earlier try of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: UtcMs,
    /// Local hour and day of the week.
    pub slot: Slot,
    /// What came of it.
    pub result: TryResult,
}
