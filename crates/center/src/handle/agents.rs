//! Agents' sockets and states.

use super::CenterHandle;
use crate::asks::{Actor, StateAsk};
use crate::error::CenterError;
use crate::view;
use domain::ids::{AgentId, AttemptId};
use std::sync::Arc;

impl CenterHandle {
    /// After `DeskHub::register`: logs the agent in (offline → paused(login)), or brings a lost link
    /// back; opens his voice leg.
    ///
    /// # Errors
    /// `NotFound` without such an agent; the database away; the engine stopped or overloaded.
    pub async fn agent_in(&self, agent: AgentId) -> Result<(), CenterError> {
        let inner = Arc::clone(&self.inner);
        self.detached(async move {
            let row = inner.shared.out.store.get_agent(agent).await?;
            inner
                .shared
                .post
                .call(move |engine, now| engine.agent_in(now, row))
                .await
        })
        .await
    }

    /// The socket closed or was silent for 5 s (`false`), or the client speaks (`true`): each of its
    /// words brings a link back that was believed lost, by silence or by a card that came too late.
    pub fn agent_link(&self, agent: AgentId, up: bool) {
        let told = self
            .post()
            .push(move |engine, now| engine.agent_link(now, agent, up));
        if let Err(error) = told {
            tracing::warn!(agent = %agent, up, reason = %error, "agent's link not told");
        }
    }

    /// Round trip in ms, for the board. A browser answers a ping of the protocol while its page hangs:
    /// it is no word of the client and brings no lost link back.
    pub fn agent_rtt(&self, agent: AgentId, ms: u32) {
        // A figure for the board: the next one comes in two seconds.
        let _ = self
            .post()
            .push(move |engine, _| engine.agent_rtt(agent, ms));
    }

    /// `sub` to topic `me`: sends through the desk either the deltas after `resume` (kept 30 s) or
    /// `gap` and `snap`, then the standing `pop`, `card` or `preview`. `resume` is `None` when the boot
    /// id differs or the client has nothing.
    ///
    /// # Errors
    /// `NotFound` when the agent has not signed in here.
    pub async fn sub_me(&self, agent: AgentId, resume: Option<u64>) -> Result<(), CenterError> {
        let known = self
            .post()
            .call(move |engine, now| engine.sub_me(now, agent, resume))
            .await?;
        known
            .then_some(())
            .ok_or(CenterError::NotFound("signed-in agent"))
    }

    /// The browser has drawn the card: stored, nothing waits for it.
    pub async fn card_acked(&self, agent: AgentId, attempt: AttemptId) {
        // An instant for the record only.
        let _ = self
            .post()
            .push(move |engine, now| engine.card_acked(now, agent, attempt));
    }

    /// The agent's browser offers to be his phone: our answer (SDP both). His leg goes up as any other;
    /// an offer while it is up takes the place of a lost connection, calls go on.
    ///
    /// # Errors
    /// `NotFound` when the agent has not signed in here; `Trunk` with `NoPhone` where browsers are not
    /// served, `BadOffer`, or a limit.
    pub async fn browser_leg(&self, agent: AgentId, offer: String) -> Result<String, CenterError> {
        let known = self
            .post()
            .call(move |engine, _| engine.signed_in(agent))
            .await?;
        if !known {
            return Err(CenterError::NotFound("signed-in agent"));
        }
        let trunk = Arc::clone(&self.inner.shared.out.trunk);
        Ok(trunk.open_browser_leg(agent, offer).await?)
    }

    /// As `browser_leg`, for a supervisor, who is signed in as no agent: the leg with which he joins
    /// calls.
    ///
    /// # Errors
    /// `Trunk` with `NoPhone` where browsers are not served, `BadOffer`, or a limit.
    pub async fn supervisor_leg(
        &self,
        supervisor: AgentId,
        offer: String,
    ) -> Result<String, CenterError> {
        let trunk = Arc::clone(&self.inner.shared.out.trunk);
        Ok(trunk.open_browser_leg(supervisor, offer).await?)
    }

    /// A supervisor's leg ends with the screen it belongs to, and with it a call that he took over:
    /// nobody else is on it.
    pub async fn close_supervisor_leg(&self, supervisor: AgentId) {
        let taken = self
            .post()
            .call(move |engine, now| engine.end_taken(now, supervisor))
            .await;
        if let Err(error) = taken {
            tracing::warn!(%supervisor, reason = %error, "calls that he took over not ended");
        }
        if let Err(error) = self
            .inner
            .shared
            .out
            .trunk
            .close_agent_leg(supervisor)
            .await
        {
            tracing::debug!(%supervisor, reason = %error, "a supervisor's leg was gone already");
        }
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
        self.post()
            .call(move |engine, now| engine.agent_state(now, actor, agent, ask))
            .await?
    }
}
