//! Where a call may be handed to, as the agent's screen is told.

use domain::ids::{AgentId, CampaignId};
use serde::Serialize;

/// An agent a call may be handed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentTarget {
    /// Agent.
    pub id: AgentId,
    /// Name.
    pub name: String,
    /// State.
    pub state: domain::rules::agent_state::AgentState,
    /// May be asked now.
    pub free: bool,
}

/// A campaign whose agents a call may be handed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueTarget {
    /// Campaign.
    pub id: CampaignId,
    /// Name.
    pub name: String,
    /// Agents who are ready for it.
    pub free: u32,
}

/// Where a call may be handed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TransferTargets {
    /// Agents at work, ready ones first.
    pub agents: Vec<AgentTarget>,
    /// Campaigns of the same client that run.
    pub queues: Vec<QueueTarget>,
}
