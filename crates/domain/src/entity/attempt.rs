//! Attempt, Call, Recording: the write-ahead record of every try.

use super::{DialMode, Direction};
use crate::ids::{
    AgentId, AttemptId, CallId, CallerIdId, CampaignId, ClientId, DebtId, DebtorId, PersonId,
    PointId, RecordingId, TrunkId, VerdictId,
};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// `planned → committed → sent → ringing → answered → ended | unknown` (faults.md §1).
    /// `planned` is a reservation in the hopper and has no row; a row starts as `committed`.
    pub enum AttemptState {
        /// Durable, INVITE not yet known to have left.
        Committed = "committed",
        /// The INVITE left.
        Sent = "sent",
        /// It rings.
        Ringing = "ringing",
        /// Answered.
        Answered = "answered",
        /// Over, with a result.
        Ended = "ended",
        /// Fate lost in a crash: counts as made.
        Unknown = "unknown",
    }
}

impl AttemptState {
    /// Whether the attempt is over.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Ended | Self::Unknown)
    }
}

crate::text_enum! {
    /// Network outcome, set by the system (terms.md §3).
    pub enum CallResult {
        /// A person answered.
        Human = "human",
        /// Machine, beep heard.
        MachineBeep = "machine_beep",
        /// Machine, no beep.
        MachineNoBeep = "machine_no_beep",
        /// Fax.
        Fax = "fax",
        /// Answered, no voice for 4 s.
        DeadAir = "dead_air",
        /// Hung up within 3 s of the answer.
        HangupEarly = "hangup_early",
        /// Busy.
        Busy = "busy",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// Rejected.
        Rejected = "rejected",
        /// Switched off or out of service.
        Unreachable = "unreachable",
        /// No such number.
        InvalidNumber = "invalid_number",
        /// Congestion.
        Congestion = "congestion",
        /// Fault of the trunk.
        TrunkFault = "trunk_fault",
        /// Withdrawn by us before the ring timeout.
        Cancelled = "cancelled",
        /// Answered, no agent in time.
        Abandoned = "abandoned",
        /// No audio one way for 60 s.
        OneWayAudio = "one_way_audio",
        /// Refused: window.
        BlockedWindow = "blocked_window",
        /// Refused: cap.
        BlockedCap = "blocked_cap",
        /// Refused: hold.
        BlockedHold = "blocked_hold",
        /// Refused: listed.
        BlockedSuppressed = "blocked_suppressed",
        /// Refused: other rule.
        BlockedRule = "blocked_rule",
        /// Fate lost or unmapped.
        Unknown = "unknown",
    }
}

impl CallResult {
    /// Whether a person was on the line (counts in abandonment formulas).
    #[must_use]
    pub const fn is_live_answer(self) -> bool {
        matches!(
            self,
            Self::Human | Self::Abandoned | Self::HangupEarly | Self::OneWayAudio
        )
    }
    /// Whether the dial is known not to have reached the number.
    #[must_use]
    pub const fn never_reached(self) -> bool {
        matches!(
            self,
            Self::Congestion | Self::TrunkFault | Self::BlockedRule
        )
    }
}

/// One try to reach one point. Durable before its INVITE leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Identity.
    pub id: AttemptId,
    /// Owner.
    pub client_id: ClientId,
    /// Campaign; `None` for a manual call outside any.
    pub campaign_id: Option<CampaignId>,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Person.
    pub person_id: PersonId,
    /// Main debt.
    pub debt_id: Option<DebtId>,
    /// All debts covered.
    pub debts: Vec<DebtId>,
    /// Point.
    pub point_id: PointId,
    /// Number dialed, E.164.
    pub phone: Pii<String>,
    /// Class of the point.
    pub class: super::PointClass,
    /// Trunk used.
    pub trunk_id: TrunkId,
    /// Caller id shown.
    pub caller_id: Option<CallerIdId>,
    /// Number shown, E.164.
    pub caller_number: String,
    /// Node that owns it.
    pub node: String,
    /// Fencing token of that node's lease.
    pub fence: i64,
    /// Who called whom.
    #[serde(default = "outbound")]
    pub direction: Direction,
    /// Dial mode it was made in.
    pub mode: DialMode,
    /// Whether an agent was reserved first.
    pub agent_reserved: bool,
    /// State.
    pub state: AttemptState,
    /// Row committed.
    pub opened_at: UtcMs,
    /// INVITE left.
    pub invite_at: Option<UtcMs>,
    /// Rang.
    pub ringing_at: Option<UtcMs>,
    /// 200 OK.
    pub answered_at: Option<UtcMs>,
    /// Card's bytes written to the agent's socket.
    pub popped_at: Option<UtcMs>,
    /// Card drawn, as the browser said.
    pub acked_at: Option<UtcMs>,
    /// First agent audio packet sent to the debtor.
    pub bridged_at: Option<UtcMs>,
    /// Identity ticked.
    pub identity_at: Option<UtcMs>,
    /// Over.
    pub ended_at: Option<UtcMs>,
    /// Result.
    pub result: Option<CallResult>,
    /// Raw SIP status.
    pub sip_code: Option<i32>,
    /// Raw Q.850 cause.
    pub q850: Option<i32>,
    /// Disposition code.
    pub disposition: Option<String>,
    /// Agent's note.
    pub note: Option<Pii<String>>,
    /// Disposed at.
    pub disposed_at: Option<UtcMs>,
    /// Agent connected.
    pub agent_id: Option<AgentId>,
    /// Recording.
    pub recording_id: Option<RecordingId>,
    /// The binding verdict.
    pub verdict_id: VerdictId,
    /// Pack that decided.
    pub pack: String,
    /// Its version.
    pub pack_version: String,
}

const fn outbound() -> Direction {
    Direction::Outbound
}

/// Legs joined for one conversation; one recording group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Identity.
    pub id: CallId,
    /// Attempt behind it.
    pub attempt_id: AttemptId,
    /// Agent.
    pub agent_id: AgentId,
    /// Legs joined.
    pub started_at: UtcMs,
    /// Over.
    pub ended_at: Option<UtcMs>,
    /// Who ended it (`debtor`, `agent`, `system`).
    pub ended_by: Option<String>,
}

crate::text_enum! {
    /// State of a recording.
    pub enum RecordingOutcome {
        /// Being written.
        Open = "open",
        /// Sealed with its hash.
        Sealed = "sealed",
        /// Repaired after a crash, sealed then.
        Repaired = "repaired",
        /// Lost or unreadable; `gaps` says why.
        Failed = "failed",
    }
}

/// One recording: 8 kHz, 16-bit, two channels, left = agent, right = debtor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Identity.
    pub id: RecordingId,
    /// Attempt.
    pub attempt_id: AttemptId,
    /// Owner.
    pub client_id: ClientId,
    /// Key of the file in the blob store.
    pub key: String,
    /// State.
    pub outcome: RecordingOutcome,
    /// SHA-256 of the file, hex, once sealed.
    pub sha256: Option<String>,
    /// Length of the audio.
    pub duration_ms: i64,
    /// Bytes of the file.
    pub bytes: i64,
    /// Gaps and pauses, `[[from_ms, to_ms, "reason"], …]`.
    pub gaps: Vec<(i64, i64, String)>,
    /// First sample.
    pub started_at: UtcMs,
    /// Sealed at.
    pub sealed_at: Option<UtcMs>,
}
