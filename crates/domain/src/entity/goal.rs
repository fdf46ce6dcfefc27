//! Goal.

use crate::ids::{AgentId, ClientId, GoalId, PortfolioId, TeamId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// What a goal counts.
    pub enum GoalKind {
        /// Money received, minor units of its currency.
        Amount = "amount",
        /// Promises made.
        Promises = "promises",
        /// Conversations with an obligated, verified party.
        Rpc = "rpc",
    }
}

/// What is to be reached by a day, for a portfolio, a team, an agent, or the whole client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Identity.
    pub id: GoalId,
    /// Owner.
    pub client_id: ClientId,
    /// Only this portfolio's money and contacts.
    pub portfolio_id: Option<PortfolioId>,
    /// Only what this team's agents brought.
    pub team_id: Option<TeamId>,
    /// Only what this agent brought.
    pub agent_id: Option<AgentId>,
    /// What is counted.
    pub kind: GoalKind,
    /// Currency of the money that is counted; promises and conversations are counted in any.
    pub currency: Currency,
    /// How much or how many.
    pub target: i64,
    /// First local day, `YYYY-MM-DD`.
    pub from_day: String,
    /// Last local day, both included.
    pub to_day: String,
    /// Withdrawn at.
    pub ended_at: Option<UtcMs>,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}
