//! What agents and supervisors do to a call; who may do it is checked here.

use super::over::obligated;
use super::{Engine, me};
use crate::asks::{Actor, StateAsk};
use crate::card::CardKind;
use crate::closing;
use crate::error::CenterError;
use crate::live::{CallCtx, CallEntry, Stocked};
use crate::scribe::Step;
use crate::view::StateAnswer;
use dialer::{CallRules, Input, Item, Phase, Refusal, Wish};
use domain::entity::{LedgerKind, PartyRole, RecordMode};
use domain::ids::{AgentId, AttemptId};
use domain::ports::store::AttemptChange;
use domain::rules::agent_state::PauseCode;
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

impl From<Refusal> for CenterError {
    fn from(refusal: Refusal) -> Self {
        Self::conflict(refusal.code, refusal.what)
    }
}

/// The brain's wish behind what a person asks for.
pub(crate) const fn wish(ask: StateAsk) -> Wish {
    match ask {
        StateAsk::Ready => Wish::Ready,
        StateAsk::Paused(code) => Wish::Pause(code),
        StateAsk::Offline => Wish::Logout,
    }
}

/// A live attempt that is to be disposed.
pub(crate) struct Seat {
    pub(crate) ctx: Arc<CallCtx>,
    pub(crate) scribe: mpsc::Sender<Step>,
    pub(crate) agent: Option<AgentId>,
    /// The call is not over.
    pub(crate) up: bool,
    pub(crate) disposition: Option<String>,
}

impl Engine {
    pub(in crate::engine) fn own(
        &self,
        actor: Actor,
        attempt: AttemptId,
    ) -> Result<&CallEntry, CenterError> {
        let entry = self
            .calls
            .get(&attempt)
            .ok_or_else(|| CenterError::conflict("call_over", "the call is over"))?;
        match actor {
            Actor::Agent(agent) if self.shown_attempt(agent) != Some(attempt) => {
                Err(CenterError::conflict(
                    "not_your_call",
                    "this call is not on your screen: an agent may only touch his own",
                ))
            }
            Actor::Agent(agent) if self.is_second(agent, attempt) => Err(CenterError::conflict(
                "consulted",
                "you are being consulted: the call is your colleague's until he hands it over",
            )),
            _ => Ok(entry),
        }
    }

    /// A call that is joined with an agent.
    fn joined(&self, actor: Actor, attempt: AttemptId) -> Result<&CallEntry, CenterError> {
        let entry = self.own(actor, attempt)?;
        let up = self
            .brain
            .call(attempt)
            .is_some_and(|c| matches!(c.phase, Phase::Connected | Phase::Handed));
        if up {
            Ok(entry)
        } else {
            Err(CenterError::conflict(
                "not_in_call",
                "the call is not joined with an agent",
            ))
        }
    }

    pub(crate) fn agent_state(
        &mut self,
        now: UtcMs,
        actor: Actor,
        agent: AgentId,
        ask: StateAsk,
    ) -> Result<StateAnswer, CenterError> {
        match actor {
            Actor::Agent(own) if own != agent => {
                return Err(CenterError::conflict(
                    "not_yours",
                    "an agent sets his own state only",
                ));
            }
            Actor::Agent(_) => {
                if let StateAsk::Paused(code) = ask
                    && code.system()
                {
                    return Err(CenterError::invalid(
                        "pause_code",
                        "code",
                        format!("pause code {code} is set by the system: choose another"),
                    ));
                }
            }
            Actor::User(_) | Actor::System => {}
        }
        let wish = match (actor, wish(ask)) {
            // A supervisor's pause is shown as his.
            (Actor::User(_), Wish::Pause(code)) if code.system() => Wish::Pause(PauseCode::Forced),
            (_, wish) => wish,
        };
        self.ask(now, Input::Wish { agent, wish })?;
        let session = self
            .brain
            .agent(agent)
            .ok_or(CenterError::NotFound("signed-in agent"))?;
        Ok(StateAnswer {
            state: session.state().to_string(),
            queued: session.machine.queued.map(me::queued),
        })
    }

    pub(crate) fn hang_up(
        &mut self,
        now: UtcMs,
        actor: Actor,
        attempt: AttemptId,
    ) -> Result<(), CenterError> {
        if let Actor::Agent(agent) = actor
            && self.is_second(agent, attempt)
        {
            // Who is consulted leaves; the call is not his to end.
            let hand = dialer::Hand::Drop;
            return Ok(self.ask(now, Input::Hand { attempt, hand })?);
        }
        self.own(actor, attempt)?;
        let who = match actor {
            Actor::Agent(_) => "agent",
            Actor::User(_) | Actor::System => "system",
        };
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.ended_by.get_or_insert(who);
        }
        Ok(self.ask(now, Input::HangUp(attempt))?)
    }

    pub(crate) fn hold(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        self.own(Actor::Agent(agent), attempt)?;
        Ok(self.ask(now, Input::Hold { attempt, on })?)
    }

    /// Whether the agent may order something about his joined call.
    pub(crate) fn may_order(&self, actor: Actor, attempt: AttemptId) -> Result<(), CenterError> {
        self.joined(actor, attempt).map(|_| ())
    }

    pub(crate) fn muted(&mut self, agent: AgentId, attempt: AttemptId, on: bool) {
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.muted = on;
        }
        self.dirty.insert(agent);
    }

    /// Whether there is a recording to pause, resume or start.
    pub(crate) fn may_record(&self, actor: Actor, attempt: AttemptId) -> Result<(), CenterError> {
        let entry = self.joined(actor, attempt)?;
        if entry.ctx.task.rules.record == RecordMode::None {
            return Err(CenterError::conflict(
                "not_recorded",
                "this campaign records nothing",
            ));
        }
        Ok(())
    }

    /// The browser drew the card.
    pub(crate) fn card_acked(&mut self, now: UtcMs, agent: AgentId, attempt: AttemptId) {
        let Ok(entry) = self.own(Actor::Agent(agent), attempt) else {
            return;
        };
        let change = AttemptChange {
            acked_at: Some(now),
            ..AttemptChange::default()
        };
        let actor = Actor::Agent(agent);
        let event = closing::event(
            &self.shared,
            &entry.ctx,
            actor,
            "card.acknowledged",
            json!({}),
        );
        self.write(entry, Step::Note(Box::new(change), vec![event]));
    }

    /// Identity is ticked: the full card.
    pub(crate) fn identity(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
        role: PartyRole,
    ) -> Result<Value, CenterError> {
        let entry = self.own(Actor::Agent(agent), attempt)?;
        if entry.bridged_at.is_none() {
            return Err(CenterError::conflict(
                "not_in_call",
                "identity is ticked while or after talking with somebody",
            ));
        }
        if entry.ctx.stocked.facts.debtor.is_stranger() {
            return Err(CenterError::conflict(
                "unknown_caller",
                "nobody knows yet who calls: find his file first, then prove his identity",
            ));
        }
        let law = &self.shared.out.law;
        if !law.may_hear(&entry.ctx.stocked.facts, role, now) {
            return Err(CenterError::invalid(
                "third_party",
                "role",
                format!("the law does not let {role} hear of this debt: take a message only"),
            ));
        }
        let actor = Actor::Agent(agent);
        let data = json!({"role": role});
        let event = closing::event(&self.shared, &entry.ctx, actor, "identity.verified", data);
        // After the end nothing else may tell of it: the conversation is counted with the tick.
        let late = entry.over.is_some() && !entry.conversation && obligated(role);
        let talked = late.then(|| {
            let at = entry.bridged_at.unwrap_or(now);
            closing::ledger_row(&self.shared, &entry.ctx, LedgerKind::Conversation, at)
        });
        let change = AttemptChange {
            identity_at: Some(now),
            ledger: talked.into_iter().collect(),
            ..AttemptChange::default()
        };
        self.write(entry, Step::Note(Box::new(change), vec![event]));
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.identity = Some(role);
            entry.conversation |= late;
        }
        self.dirty.insert(agent);
        let card = self
            .card_body(now, attempt, agent, CardKind::Full(attempt))
            .ok_or_else(|| CenterError::conflict("call_over", "the call is over"))?;
        self.shared.out.desk.tell(agent, card.clone());
        Ok(card)
    }

    /// A live attempt for its disposition; `None` when it has left the live table.
    pub(crate) fn seat(
        &self,
        actor: Actor,
        attempt: AttemptId,
    ) -> Result<Option<Seat>, CenterError> {
        let Some(entry) = self.calls.get(&attempt) else {
            return Ok(None);
        };
        if let Actor::Agent(agent) = actor
            && entry.agent != Some(agent)
        {
            return Err(if self.shown_attempt(agent) == Some(attempt) {
                CenterError::conflict("not_talking_yet", "the call is not joined with you yet")
            } else {
                CenterError::conflict("not_your_call", "another agent had this call")
            });
        }
        if entry.bridged_at.is_none() {
            return Err(CenterError::conflict(
                "no_conversation",
                "nobody has talked on this call yet: the system gives it its code",
            ));
        }
        Ok(Some(Seat {
            ctx: Arc::clone(&entry.ctx),
            scribe: entry.scribe.clone(),
            agent: entry.agent,
            up: entry.over.is_none(),
            disposition: entry.disposition.clone(),
        }))
    }

    pub(crate) fn preview_order(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        item: AttemptId,
        dial: bool,
    ) -> Result<(), CenterError> {
        let shown = self
            .brain
            .agent(agent)
            .and_then(|s| s.preview.as_ref())
            .map(|(id, _)| *id);
        if shown != Some(item) {
            return Err(CenterError::conflict(
                "no_preview",
                "this card is no longer yours to decide on",
            ));
        }
        let input = if dial {
            Input::PreviewDial(agent)
        } else {
            Input::PreviewSkip(agent)
        };
        Ok(self.ask(now, input)?)
    }

    pub(crate) fn manual(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        item: Item,
        stocked: Stocked,
        rules: CallRules,
    ) -> Result<(), CenterError> {
        let attempt = AttemptId(self.shared.id());
        self.by_hand.insert(attempt, stocked);
        let input = Input::Manual {
            agent,
            attempt,
            item: Box::new(item),
            rules,
        };
        let done = self.ask(now, input);
        self.by_hand.remove(&attempt);
        Ok(done?)
    }
}
