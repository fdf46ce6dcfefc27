//! Time of an agent in one state, as the log of events tells it.

use crate::event::NewEvent;
use crate::ids::{AgentId, ClientId};
use crate::rules::agent_state::AgentState;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An agent was in a state from an instant to another. Time of who works for several clients counts for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSpell {
    /// Identity: of the event that ended it, by client.
    pub id: Uuid,
    /// For whom.
    pub client_id: ClientId,
    /// Who.
    pub agent_id: AgentId,
    /// In which state; never `offline`.
    pub state: AgentState,
    /// From.
    pub from: UtcMs,
    /// To, half-open.
    pub to: UtcMs,
}

impl AgentSpell {
    /// The spells that an event ends: `agent.*` with the state that was left (`from`), since when (`since`, ms
    /// of the epoch) and for whom (`clients`). Others end none.
    #[must_use]
    pub fn ended_by(event: &NewEvent) -> Vec<Self> {
        if !event.kind.starts_with("agent.") {
            return vec![];
        }
        Self::read(event).unwrap_or_default()
    }

    fn read(event: &NewEvent) -> Option<Vec<Self>> {
        let data = &event.data;
        let agent_id: AgentId = event.subject.strip_prefix("agent:")?.parse().ok()?;
        let state: AgentState = data.get("from")?.as_str()?.parse().ok()?;
        let from = UtcMs(data.get("since")?.as_i64()?);
        if state == AgentState::Offline || from >= event.at {
            return None;
        }
        let clients: Vec<ClientId> = serde_json::from_value(data.get("clients")?.clone()).ok()?;
        let spell = |client_id: ClientId| Self {
            id: Uuid::new_v5(&event.id.0, client_id.0.as_bytes()),
            client_id,
            agent_id,
            state,
            from,
            to: event.at,
        };
        Some(clients.into_iter().map(spell).collect())
    }
}
