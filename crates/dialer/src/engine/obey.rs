//! What an agent or a supervisor asks of a call that is up: its end, hold.

use super::{Dialer, Refusal};
use crate::call::Phase;
use crate::talk::Command;
use domain::ids::AttemptId;
use domain::ports::HangUpCause;
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;

impl Dialer {
    pub(super) fn hang_up(&mut self, now: UtcMs, attempt: AttemptId) -> Result<(), Refusal> {
        let call = self
            .calls
            .get(&attempt)
            .ok_or_else(|| Refusal::new("call_over", "the call is over"))?;
        match call.phase {
            Phase::Opening | Phase::Dialing => self.cancel(now, attempt),
            Phase::Ending => {}
            _ => self.end_call(now, attempt, HangUpCause::Normal),
        }
        Ok(())
    }

    pub(super) fn hold(&mut self, now: UtcMs, attempt: AttemptId, on: bool) -> Result<(), Refusal> {
        let not_joined = || Refusal::new("not_in_call", "the call is not joined with an agent");
        let agent = self
            .calls
            .get(&attempt)
            .filter(|c| c.phase == Phase::Connected)
            .and_then(|c| c.agent)
            .ok_or_else(not_joined)?;
        let session = self.agents.get_mut(&agent).ok_or_else(not_joined)?;
        let to = if on {
            AgentState::Hold
        } else {
            AgentState::Talking
        };
        if session.state() == to {
            return Ok(());
        }
        session
            .machine
            .go(now, to, None)
            .map_err(|e| Refusal::new("not_in_call", e.to_string()))?;
        self.push(Command::Hold { attempt, on });
        self.touch(agent);
        Ok(())
    }
}
