//! Calls that come in, the queue they wait in, and campaigns that only tell a message.

use crate::ids::{AgentId, AttemptId, CampaignId, ClientId, DebtorId, TrunkId};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

crate::text_enum! {
    /// Who called whom.
    pub enum Direction {
        /// We called.
        Outbound = "outbound",
        /// The debtor called one of our numbers.
        Inbound = "inbound",
    }
}

crate::text_enum! {
    /// What became of a call that came in.
    pub enum InboundOutcome {
        /// It waits or talks now.
        Open = "open",
        /// An agent took it.
        Answered = "answered",
        /// The caller hung up while he waited.
        GaveUp = "gave_up",
        /// Nobody was free within the longest wait: the announcement, then the end.
        TimedOut = "timed_out",
        /// He asked to be called back and keeps his place.
        CallBack = "call_back",
        /// Outside the hours of his packs or of the campaign.
        Closed = "closed",
        /// A hold stops contact with him.
        Held = "held",
        /// He, his number or his document is on a list of those never to be contacted.
        Suppressed = "suppressed",
        /// Number withheld, or of nobody we know.
        Unidentified = "unidentified",
        /// The number called is none of our caller ids.
        UnknownNumber = "unknown_number",
        /// No agent who serves the campaign is signed in.
        NoAgents = "no_agents",
        /// As many wait as may.
        QueueFull = "queue_full",
        /// The campaign does not run, or takes no calls.
        NotServed = "not_served",
        /// Another rule of law forbids the talk (no pack, a channel that is not authorised).
        Refused = "refused",
        /// The person has a live call already.
        Busy = "busy",
        /// He pressed the key of who wants no more calls while he waited.
        OptedOut = "opted_out",
        /// As many calls were up as this node takes at once: it was not answered.
        Overloaded = "overloaded",
        /// It could not be answered: no usable audio, or a fault of the telephone side.
        Failed = "failed",
        /// Its fate was lost with the process that had it.
        Lost = "lost",
    }
}

impl InboundOutcome {
    /// Whether he called while the line is open, and it had nobody for him.
    #[must_use]
    pub const fn unserved(self) -> bool {
        matches!(
            self,
            Self::TimedOut | Self::NoAgents | Self::QueueFull | Self::Overloaded
        )
    }

    /// Whether the caller heard the lawful announcement in place of the queue.
    #[must_use]
    pub const fn announced(self) -> bool {
        !matches!(
            self,
            Self::Open
                | Self::Answered
                | Self::GaveUp
                | Self::CallBack
                | Self::OptedOut
                | Self::Overloaded
                | Self::Failed
                | Self::Lost
        )
    }
}

/// One call that came in; its id is that of the attempt, where it became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundCall {
    /// Identity, and that of its attempt where a debtor was found and the queue took him.
    pub id: AttemptId,
    /// Client whose number was called; `None` where it is nobody's.
    pub client_id: Option<ClientId>,
    /// Campaign whose queue it came to.
    pub campaign_id: Option<CampaignId>,
    /// Debtor, where the caller's number told him.
    pub debtor_id: Option<DebtorId>,
    /// Trunk it came by.
    pub trunk_id: TrunkId,
    /// Node that has it.
    pub node: String,
    /// Our number that was called, E.164 with `+`.
    pub called: String,
    /// The caller's number, E.164 with `+`; `None` where it was withheld.
    pub caller: Option<Pii<String>>,
    /// When it came in.
    pub at: UtcMs,
    /// When it was joined with an agent.
    pub answered_at: Option<UtcMs>,
    /// When it was over.
    pub ended_at: Option<UtcMs>,
    /// Agent who took it.
    pub agent_id: Option<AgentId>,
    /// What became of it.
    pub outcome: InboundOutcome,
    /// Wait in the queue, ms.
    pub wait_ms: i64,
    /// Place in the queue when it came, from 1; `None` where it did not wait.
    pub place: Option<i32>,
}

/// The inbound queue of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboundParams {
    /// Whether its agents take calls that come in too (`blended`).
    pub blended: bool,
    /// Most callers who wait.
    pub queue_max: i32,
    /// Longest wait, s.
    pub wait_max_s: i64,
    /// Between two announcements of place and wait, s.
    pub announce_every_s: i64,
    /// Whether a call-back that keeps the place is offered (key 1).
    pub callback: bool,
    /// How long a kept place is kept in the queue, min; then it is an agreed call-back like others.
    pub keep_place_min: i64,
    /// Wait within which an answer counts for the service level, s.
    pub service_level_s: i64,
    /// Whether who calls from a number of nobody we know waits too: the agent who takes him finds his file.
    pub unknown: bool,
}

impl Default for InboundParams {
    fn default() -> Self {
        Self {
            blended: false,
            queue_max: 20,
            wait_max_s: 300,
            announce_every_s: 30,
            callback: true,
            keep_place_min: 30,
            service_level_s: 20,
            unknown: false,
        }
    }
}

/// The message of an agentless campaign and its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentlessParams {
    /// Name of the recorded message: the file `MESSAGE_LANGUAGE.wav` of the prompts, or the client's own.
    pub message: String,
    /// Who approved the message; without that nothing is dialed.
    pub approved_by: Option<String>,
    /// When it was approved.
    pub approved_at: Option<UtcMs>,
    /// SHA-256 (hex) of the recording that was approved, by the language it is told in: another one under the same
    /// name is not approved.
    pub approved_sounds: BTreeMap<String, String>,
    /// Key that asks for an agent.
    pub agent_key: char,
}

impl AgentlessParams {
    /// Longest name of a message, characters.
    pub const NAME_MAX: usize = 40;

    /// Whether the message may be told, as long as its recording stays what it was.
    #[must_use]
    pub fn approved(&self) -> bool {
        let heard = !self.approved_sounds.is_empty();
        heard && self.approved_by.is_some() && self.approved_at.is_some()
    }

    /// Why the mode `agentless` cannot be dialed, and what would be right.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        (!self.approved()).then(|| {
            format!(
                "agentless: the message {:?} is not approved: have a manager approve it, or choose \
                 predictive, power or progressive",
                self.message
            )
        })
    }
}

impl Default for AgentlessParams {
    fn default() -> Self {
        Self {
            message: "agentless".to_owned(),
            approved_by: None,
            approved_at: None,
            approved_sounds: BTreeMap::new(),
            agent_key: '1',
        }
    }
}
