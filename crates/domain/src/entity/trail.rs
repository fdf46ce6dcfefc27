//! What is kept of a call's signalling and sound: the SIP ladder, quality per leg, transfers.

use crate::ids::{AgentId, AttemptId, CampaignId, ClientId, TransferId, VerdictId};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Whose leg of a call.
    pub enum LegKind {
        /// The debtor's.
        Debtor = "debtor",
        /// An agent's or supervisor's.
        Agent = "agent",
        /// A further number's, in a consultation, a conference or after a transfer.
        Party = "party",
    }
}

/// How the sound of one leg was while it was on the call. Loss and jitter are those of what came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegQuality {
    /// Whose.
    pub leg: LegKind,
    /// The agent, on an agent's leg.
    pub agent: Option<AgentId>,
    /// On the call from.
    pub from: UtcMs,
    /// On the call until.
    pub until: UtcMs,
    /// RTP packets received.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// RTP packets lost on the way in.
    pub lost: u64,
    /// Interarrival jitter at the end (RFC 3550 §6.4.1), microseconds.
    pub jitter_us: u32,
    /// Largest jitter, microseconds.
    pub jitter_max_us: u32,
    /// Round trip by RTCP, microseconds; `None` where the far end sends no reports.
    pub rtt_us: Option<u32>,
    /// Loss of our stream as the far end last reported it, in 1/256.
    pub far_lost_256: Option<u8>,
    /// Estimated listening quality × 100, 100 to 450 (ITU-T G.107, G.711); `None` without audio.
    pub mos_x100: Option<i32>,
}

/// One SIP message of a call: no numbers, no bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipStep {
    /// When it was sent or read.
    pub at: UtcMs,
    /// Leg it belongs to.
    pub leg: LegKind,
    /// Sent by us.
    pub out: bool,
    /// Method, or status and phrase.
    pub name: String,
    /// Status of a response.
    pub code: Option<u16>,
    /// Number and method of the transaction, `1 INVITE`.
    pub cseq: String,
    /// Its Reason header, `Q.850;cause=16`.
    pub reason: Option<String>,
    /// Carries a session description.
    pub sdp: bool,
    /// Was seen before (a retransmission).
    pub repeat: bool,
    /// Length on the wire.
    pub bytes: u32,
    /// Messages of its leg between the one before and this one that were not kept.
    #[serde(default)]
    pub left_before: u32,
}

/// Everything kept of one call's legs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTrail {
    /// Messages in order.
    pub ladder: Vec<SipStep>,
    /// Messages in the middle that were not kept, of all legs.
    pub left_out: u32,
    /// Sound by leg.
    pub legs: Vec<LegQuality>,
}

crate::text_enum! {
    /// To whom a call is handed.
    pub enum TransferKind {
        /// Another agent.
        Agent = "agent",
        /// Whoever is free for a campaign.
        Queue = "queue",
        /// A number outside.
        Number = "number",
        /// A supervisor took it over.
        TakeOver = "take_over",
    }
}

crate::text_enum! {
    /// How.
    pub enum TransferMode {
        /// At once: the target gets the call when it answers.
        Blind = "blind",
        /// After the agent has talked with the target.
        Attended = "attended",
    }
}

crate::text_enum! {
    /// What became of it.
    pub enum TransferOutcome {
        /// The target has the call.
        Done = "done",
        /// The agent took it back.
        Cancelled = "cancelled",
        /// The target is busy.
        Busy = "busy",
        /// The target did not answer in time, or nobody was free.
        NoAnswer = "no_answer",
        /// The target refused.
        Rejected = "rejected",
        /// The telephone side could not.
        Failed = "failed",
        /// The target answered and hung up before the call was handed over.
        TargetLeft = "target_left",
        /// The call ended meanwhile.
        CallOver = "call_over",
    }
}

/// One transfer or consultation; written before the target is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Identity.
    pub id: TransferId,
    /// Attempt whose call it is about.
    pub attempt_id: AttemptId,
    /// Owner.
    pub client_id: ClientId,
    /// To whom.
    pub kind: TransferKind,
    /// How.
    pub mode: TransferMode,
    /// Agent who held the call.
    pub from_agent: AgentId,
    /// Agent asked, or found.
    pub to_agent: Option<AgentId>,
    /// Queue.
    pub to_campaign: Option<CampaignId>,
    /// Number, E.164.
    pub to_number: Option<Pii<String>>,
    /// The law's answer; `None` where a supervisor took over.
    pub verdict_id: Option<VerdictId>,
    /// All heard all at some time.
    pub conference: bool,
    /// Asked for.
    pub asked_at: UtcMs,
    /// The target answered.
    pub answered_at: Option<UtcMs>,
    /// Over, one way or the other.
    pub ended_at: Option<UtcMs>,
    /// What became of it.
    pub outcome: Option<TransferOutcome>,
}
