//! Transfers that an agent asks for by the transfer key of his phone: who is meant, and what his phone is told. They go
//! the way of those that he asks for on his screen.

use super::Engine;
use crate::asks::{Actor, TransferAsk, TransferTo};
use crate::error::CenterError;
use crate::shared::Shared;
use crate::transfer;
use domain::entity::{TransferMode, TransferOutcome};
use domain::ids::{AgentId, AttemptId};
use domain::pii::Pii;
use std::sync::Arc;

impl Engine {
    /// The agent's phone wants his call to go to somebody.
    pub(super) fn asked_by_phone(&mut self, agent: AgentId, attempt: AttemptId, to: Pii<String>) {
        let meant = self.meant(agent, attempt, to);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let done = match meant {
                Ok(to) => {
                    let mode = TransferMode::Blind;
                    let ask = TransferAsk { to, mode };
                    let actor = Actor::Agent(agent);
                    transfer::transfer(Arc::clone(&shared), actor, attempt, ask, true).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                let (code, why) = (refusal(&error), error.code());
                tracing::info!(%attempt, %agent, why, "a transfer by phone was refused");
                tell(&shared, agent, code, why).await;
            }
        });
    }

    /// Whom the agent keyed in: an extension of somebody at work for the same client, the name of one of its queues,
    /// or a number.
    fn meant(
        &self,
        agent: AgentId,
        attempt: AttemptId,
        to: Pii<String>,
    ) -> Result<TransferTo, CenterError> {
        self.may_order(Actor::Agent(agent), attempt)?;
        let entry = self.calls.get(&attempt);
        let entry = entry.ok_or(CenterError::NotFound("call"))?;
        let client = entry.ctx.stocked.setting.client.id;
        let name = to.reveal().trim().to_lowercase();
        let extension = self.agents.iter().find(|(id, seat)| {
            seat.agent.sip_user.to_lowercase() == name
                && self.signed_in(**id)
                && self.is_colleague(&seat.agent, client)
        });
        if let Some((id, _)) = extension {
            return Ok(TransferTo::Agent(*id));
        }
        let mut queues = self.queues(client).map(|e| &e.setting.campaign);
        if let Some(queue) = queues.find(|c| c.name.trim().to_lowercase() == name) {
            return Ok(TransferTo::Queue(queue.id));
        }
        let number = |c: char| c.is_ascii_digit() || "+-.() ".contains(c);
        if name.chars().any(|c| c.is_ascii_digit()) && name.chars().all(number) {
            return Ok(TransferTo::Number(to));
        }
        Err(CenterError::NotFound("agent at work, queue or number"))
    }

    /// The end of a transfer that a phone asked for.
    pub(super) fn answer_phone(&self, agent: AgentId, how: TransferOutcome) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            tell(&shared, agent, status(how), how.as_str()).await;
        });
    }
}

async fn tell(shared: &Shared, agent: AgentId, code: u16, why: &'static str) {
    let told = shared.out.trunk.answer_transfer(agent, code, why).await;
    if let Err(error) = told {
        tracing::debug!(%agent, reason = %error, "a phone that asked for a transfer is gone");
    }
}

/// What the phone is told of a transfer that was not begun.
fn refusal(error: &CenterError) -> u16 {
    match error {
        CenterError::NotFound(_) => 404,
        CenterError::Conflict { .. } => match error.code() {
            "target_busy" => 486,
            "transfer_busy" => 491,
            _ => 480,
        },
        CenterError::Invalid { .. }
        | CenterError::Blocked { .. }
        | CenterError::Unlawful { .. } => 403,
        CenterError::Store(_)
        | CenterError::Trunk(_)
        | CenterError::Desk(_)
        | CenterError::Overloaded(_)
        | CenterError::Stopped => 503,
    }
}

/// What the phone is told of a transfer that is over.
const fn status(how: TransferOutcome) -> u16 {
    match how {
        TransferOutcome::Done => 200,
        TransferOutcome::Busy => 486,
        TransferOutcome::NoAnswer | TransferOutcome::TargetLeft => 480,
        TransferOutcome::Rejected | TransferOutcome::Failed => 603,
        TransferOutcome::Cancelled | TransferOutcome::CallOver => 487,
    }
}
