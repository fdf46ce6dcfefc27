//! A caller whom nobody knew turns out to be somebody: his call, its writer and its card are that debtor's
//! from then on.

use crate::asks::Actor;
use crate::card::{CardKind, CardSource};
use crate::engine::Engine;
use crate::error::CenterError;
use crate::live::{CallCtx, Stocked};
use crate::scribe::Step;
use dialer::{DialTask, Input, Item};
use domain::ids::{AgentId, AttemptId};
use domain::time::UtcMs;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OnceCell;

impl Engine {
    /// The call of an agent whose caller nobody knows.
    pub(crate) fn may_attach(
        &self,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<Arc<CallCtx>, CenterError> {
        let entry = self.own(Actor::Agent(agent), attempt)?;
        if !entry.ctx.stocked.facts.debtor.is_stranger() {
            return Err(CenterError::conflict(
                "caller_known",
                "it is known who this call is with",
            ));
        }
        if entry.bridged_at.is_none() {
            return Err(CenterError::conflict(
                "not_in_call",
                "who calls is found while or after talking with him",
            ));
        }
        Ok(Arc::clone(&entry.ctx))
    }

    /// What the store made of it, taken over here; the card, with identity still to be proved.
    pub(crate) fn attached(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
        stocked: Stocked,
        history: CardSource,
    ) -> Result<Value, CenterError> {
        let over = || CenterError::conflict("call_over", "the call is over");
        let before = Arc::clone(&self.calls.get(&attempt).ok_or_else(over)?.ctx);
        let item = Item {
            debtor: stocked.facts.debtor.id,
            person: stocked.facts.debtor.person_id,
            point: stocked.point.id,
            priority: stocked.state.priority,
            ..before.task.item.clone()
        };
        let task = DialTask {
            item: item.clone(),
            ..before.task.clone()
        };
        let ctx = Arc::new(CallCtx {
            caller: before.caller.clone(),
            recording_id: before.recording_id,
            recording_key: before.recording_key.clone(),
            inbound: before.inbound,
            card: OnceCell::new_with(Some(Arc::new(history))),
            ..self.context(now, task, stocked)
        });
        if self.brain.call(attempt).is_some() {
            let found = Input::Found {
                attempt,
                item: Box::new(item),
            };
            if let Err(refused) = self.ask(now, found) {
                // His other call is on its way to being refused by the store, where this one stands.
                tracing::warn!(attempt = %attempt, reason = %refused, "the brain has him in another call");
            }
        }
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.ctx = Arc::clone(&ctx);
        }
        let person = ctx.stocked.facts.debtor.person_id;
        self.places_end((person, ctx.stocked.setting.client.id));
        self.step(attempt, Step::Became(Arc::clone(&ctx)));
        let row = self.callers.live.get_mut(&attempt).and_then(|caller| {
            let row = caller.row.as_mut()?;
            row.debtor_id = Some(ctx.stocked.facts.debtor.id);
            Some(row.clone())
        });
        if let Some(row) = row {
            self.step(attempt, Step::PutInbound(Box::new(row)));
        }
        self.dirty.insert(agent);
        self.board.touch();
        let card = self
            .card_body(now, attempt, agent, CardKind::Full(attempt))
            .ok_or_else(over)?;
        self.shared.out.desk.tell(agent, card.clone());
        Ok(card)
    }
}
