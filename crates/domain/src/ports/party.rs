//! Orders about calls that came in and about further parties of a call.

use crate::entity::RecordMode;
use crate::ids::{AgentId, AttemptId, RecordingId, TransferId, TrunkId};

/// A call that came in is taken: recorded from now on.
#[derive(Debug, Clone)]
pub struct TakeOrder {
    /// The call, as `TrunkReport::Incoming` named it.
    pub attempt_id: AttemptId,
    /// What is recorded.
    pub record: RecordMode,
    /// Recording to open.
    pub recording_id: RecordingId,
    /// Key of the recording's file.
    pub recording_key: String,
    /// Whether keys pressed are silence in the recording.
    pub mask_dtmf: bool,
}

/// Who is brought into a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartyWho {
    /// An agent, on his nailed-up leg.
    Agent(AgentId),
    /// A number outside.
    Number {
        /// Route.
        trunk_id: TrunkId,
        /// Number to dial, E.164 with `+`.
        number: String,
        /// Number to show, E.164 with `+`.
        caller_number: String,
        /// Ring time before our CANCEL.
        ring_timeout_ms: i64,
    },
}

/// A further party for a call that is up: it talks with the agent, and with the debtor unless he is
/// on hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyOrder {
    /// Names the party from now on; the durable transfer.
    pub id: TransferId,
    /// The call.
    pub attempt: AttemptId,
    /// Who.
    pub who: PartyWho,
}
