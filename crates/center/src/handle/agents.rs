//! Agents' sockets and states.

use super::CenterHandle;
use crate::asks::{Actor, StateAsk};
use crate::error::CenterError;
use crate::view;
use domain::ids::{AgentId, AttemptId};

impl CenterHandle {
    /// After `DeskHub::register`: logs the agent in (offline → paused(login)), or brings a lost link
    /// back; opens his voice leg.
    ///
    /// # Errors
    /// `NotFound` without such an agent; the database away; the engine stopped or overloaded.
    pub async fn agent_in(&self, agent: AgentId) -> Result<(), CenterError> {
        self.inner
            .post
            .call(move |_, _| {
                let _ = agent;
            })
            .await
    }

    /// The socket closed or was silent for 5 s (`false`), or speaks again (`true`).
    pub fn agent_link(&self, agent: AgentId, up: bool) {
        let _ = (agent, up);
    }

    /// Round trip in ms that the client measured, for the board.
    pub fn agent_rtt(&self, agent: AgentId, ms: u32) {
        let _ = (agent, ms);
    }

    /// `sub` to topic `me`: sends through the desk either the deltas after `resume` (kept 30 s) or
    /// `gap` and `snap`, then the standing `pop`, `card` or `preview`. `resume` is `None` when the boot
    /// id differs or the client has nothing.
    ///
    /// # Errors
    /// `NotFound` when the agent has not signed in here.
    pub async fn sub_me(&self, agent: AgentId, resume: Option<u64>) -> Result<(), CenterError> {
        self.inner
            .post
            .call(move |_, _| {
                let _ = (agent, resume);
            })
            .await
    }

    /// The browser has drawn the card: stored, nothing waits for it.
    pub async fn card_acked(&self, agent: AgentId, attempt: AttemptId) {
        let _ = (agent, attempt);
    }

    /// Asks for a state; while the agent talks it is queued.
    ///
    /// # Errors
    /// `Conflict` when the state does not allow it (code says why).
    pub async fn agent_state(
        &self,
        actor: Actor,
        agent: AgentId,
        ask: StateAsk,
    ) -> Result<view::StateAnswer, CenterError> {
        let _ = (actor, agent, ask);
        Err(CenterError::Stopped)
    }
}
