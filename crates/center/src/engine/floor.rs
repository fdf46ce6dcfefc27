//! Who is at work here, for those who give debtors out.

use super::Engine;
use domain::ids::{AgentId, TeamId};
use domain::rules::agent_state::AgentState;
use std::collections::BTreeMap;

impl Engine {
    /// Agents signed in on this node: how they stand, and their team.
    pub(crate) fn here(&self) -> BTreeMap<AgentId, (AgentState, Option<TeamId>)> {
        self.brain
            .agents()
            .map(|(id, session)| {
                let team = self.agents.get(&id).and_then(|e| e.agent.team_id);
                (id, (session.state(), team))
            })
            .filter(|(_, (state, _))| *state != AgentState::Offline)
            .collect()
    }
}
