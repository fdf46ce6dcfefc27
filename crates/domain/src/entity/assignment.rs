//! Assignment: who works a debtor now, and the rules that say so.

use crate::ids::{AgentId, AssignmentRuleId, CampaignId, ClientId, DebtorId, SegmentId, TeamId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// To what debtors are assigned.
    pub enum AssignmentTarget {
        /// A campaign: no other one dials them.
        Queue = "queue",
        /// A team: its members get them first.
        Team = "team",
        /// One agent each.
        Agent = "agent",
    }
}

/// Debtors of a segment go to a target; rules are tried in their order, the first that has a debtor wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentRule {
    /// Identity.
    pub id: AssignmentRuleId,
    /// Owner.
    pub client_id: ClientId,
    /// Name.
    pub name: String,
    /// Order among the client's rules, lowest first.
    pub position: i32,
    /// Whom it is about.
    pub segment_id: SegmentId,
    /// To what.
    pub target: AssignmentTarget,
    /// The campaign, for `queue`.
    pub campaign_id: Option<CampaignId>,
    /// The team, for `team`; for `agent` its members take turns when no agents are named.
    pub team_id: Option<TeamId>,
    /// The agents who take turns, for `agent`.
    pub agents: Vec<AgentId>,
    /// Most debtors of one agent by this rule, for `agent`.
    pub most: Option<i32>,
    /// Whether it is in force.
    pub enabled: bool,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

/// Who works a debtor now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The debtor.
    pub debtor_id: DebtorId,
    /// Owner.
    pub client_id: ClientId,
    /// The rule behind it; `None` = a person did it.
    pub rule_id: Option<AssignmentRuleId>,
    /// Only this campaign dials him.
    pub campaign_id: Option<CampaignId>,
    /// Members of this team get him first.
    pub team_id: Option<TeamId>,
    /// He gets him first.
    pub agent_id: Option<AgentId>,
    /// Since.
    pub assigned_at: UtcMs,
}
