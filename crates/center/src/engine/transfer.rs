//! Calls that change hands: consultations, transfers, conferences, take-overs, as the live tables see
//! them. The brain decides who is free and who holds; the telephone side tells who came.

use super::Engine;
use crate::asks::Actor;
use crate::card::CardKind;
use crate::closing;
use crate::error::CenterError;
use crate::live::{CallCtx, CampaignEntry, Handover, Pop};
use crate::scribe::Step;
use crate::shared::persist;
use crate::view::{AgentTarget, QueueTarget, TransferTargets};
use dialer::{Hand, HandStep, HandTo, Input, Phase};
use domain::entity::{
    Agent, Call, CallTrail, Transfer, TransferKind, TransferMode, TransferOutcome,
};
use domain::ids::{AgentId, AttemptId, CallId, TransferId, TrunkId};
use domain::ports::store::AttemptChange;
use domain::ports::{Card, PartyOrder, PartyWho, TrunkError};
use domain::rules::agent_state::AgentState;
use domain::time::{SECOND_MS, UtcMs};
use serde_json::{Value, json};
use std::sync::Arc;

/// Ring time of a number a call is handed to, ms.
pub(crate) const NUMBER_RING_MS: i64 = 25 * SECOND_MS;
/// Longest wait for an agent of a queue, ms.
pub(crate) const QUEUE_WAIT_MS: i64 = 30 * SECOND_MS;

/// Most agents and queues named to choose from.
const TARGETS_MAX: usize = 500;

/// How an unanswered target is read (terms.md §3).
fn outcome_of(sip_code: Option<u16>, by_us: bool) -> TransferOutcome {
    match sip_code {
        Some(486 | 600) => TransferOutcome::Busy,
        Some(408 | 480) => TransferOutcome::NoAnswer,
        Some(403 | 603 | 607) => TransferOutcome::Rejected,
        _ if by_us => TransferOutcome::Cancelled,
        _ => TransferOutcome::Failed,
    }
}

impl Engine {
    /// The agent who holds a joined call and may hand it over; what his call is about.
    pub(crate) fn may_hand(
        &self,
        actor: Actor,
        attempt: AttemptId,
    ) -> Result<(Arc<CallCtx>, AgentId, TrunkId), CenterError> {
        self.may_order(actor, attempt)?;
        let busy = || {
            CenterError::conflict(
                "transfer_busy",
                "this call is being handed to somebody already: end that first",
            )
        };
        let entry = self.calls.get(&attempt).ok_or_else(busy)?;
        if entry.handover.is_some() {
            return Err(busy());
        }
        let holder = self.brain.call(attempt).and_then(|c| c.agent);
        let holder = holder.ok_or_else(busy)?;
        Ok((Arc::clone(&entry.ctx), holder, entry.ctx.task.trunk))
    }

    /// Orders a transfer whose row is stored.
    pub(crate) fn begin_transfer(
        &mut self,
        now: UtcMs,
        actor: Actor,
        row: Transfer,
        to: String,
    ) -> Result<(), CenterError> {
        let attempt = row.attempt_id;
        let (ctx, ..) = self.may_hand(actor, attempt)?;
        let takes = row.mode == TransferMode::Blind;
        let kept = Handover {
            row: row.clone(),
            to,
            ringing: false,
            giving: takes,
        };
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.handover = Some(Box::new(kept));
        }
        let done = match (row.kind, row.to_agent, row.to_campaign) {
            (TransferKind::Agent, Some(agent), _) => self.ask_hand(now, &row, HandTo::Agent(agent)),
            (TransferKind::Queue, _, Some(queue)) => self.ask_hand(now, &row, HandTo::Queue(queue)),
            (TransferKind::TakeOver, Some(agent), _) => self.seize(now, attempt, agent),
            (TransferKind::Number, ..) => self.call_number(now, &ctx, &row),
            _ => Err(CenterError::conflict("no_transfer", "nobody is named")),
        };
        if done.is_err()
            && let Some(entry) = self.calls.get_mut(&attempt)
        {
            entry.handover = None;
        }
        self.dirty.insert(row.from_agent);
        done
    }

    fn ask_hand(&mut self, now: UtcMs, row: &Transfer, to: HandTo) -> Result<(), CenterError> {
        let hand = Hand::Ask {
            to,
            takes: row.mode == TransferMode::Blind,
            wait_ms: QUEUE_WAIT_MS,
        };
        let attempt = row.attempt_id;
        Ok(self.ask(now, Input::Hand { attempt, hand })?)
    }

    /// A supervisor takes the place of the agent: signed in as an agent he is given the card and the
    /// wrap-up, else he only speaks and disposes by the API.
    fn seize(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) -> Result<(), CenterError> {
        if self.at_work(agent) {
            let hand = Hand::Seize(agent);
            return Ok(self.ask(now, Input::Hand { attempt, hand })?);
        }
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let joined = trunk.bridge(attempt, agent).await;
            post.tell(move |e, now| match joined {
                Ok(()) => {
                    let hand = Hand::Out(Some(agent));
                    e.take(now, Input::Hand { attempt, hand });
                }
                Err(error) => {
                    tracing::info!(attempt = %attempt, reason = %error, "call not taken over");
                    e.end_transfer(now, attempt, TransferOutcome::Failed);
                }
            })
            .await;
        });
        Ok(())
    }

    /// Whether somebody is signed in as an agent here.
    pub(super) fn at_work(&self, agent: AgentId) -> bool {
        self.brain
            .agent(agent)
            .is_some_and(|s| s.state() != AgentState::Offline && s.link_up)
    }

    fn call_number(
        &mut self,
        now: UtcMs,
        ctx: &CallCtx,
        row: &Transfer,
    ) -> Result<(), CenterError> {
        let attempt = row.attempt_id;
        let number = row
            .to_number
            .as_ref()
            .map(|n| n.reveal().clone())
            .unwrap_or_default();
        self.ask(now, Input::Hold { attempt, on: true })?;
        let order = PartyOrder {
            id: row.id,
            attempt,
            who: PartyWho::Number {
                trunk_id: ctx.task.trunk,
                number,
                caller_number: ctx.caller.1.clone(),
                ring_timeout_ms: NUMBER_RING_MS,
            },
        };
        self.invite(attempt, order, None);
        Ok(())
    }

    fn invite(&self, attempt: AttemptId, order: PartyOrder, agent: Option<AgentId>) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        let party = order.id;
        tokio::spawn(async move {
            let Err(error) = trunk.invite_party(order).await else {
                return;
            };
            tracing::info!(attempt = %attempt, reason = %error, "party not called");
            post.tell(move |e, now| match agent {
                Some(agent) => e.take(now, Input::BridgeFailed { attempt, agent }),
                None => {
                    let busy = matches!(error, TrunkError::Limit(_)).then_some(503);
                    e.party_down(now, attempt, party, (busy, None, false), now);
                }
            })
            .await;
        });
    }

    /// What the brain says of the agent's place.
    pub(super) fn hand_step(&mut self, now: UtcMs, attempt: AttemptId, step: HandStep) {
        match step {
            HandStep::Consult(agent) => self.consult(now, attempt, agent),
            HandStep::Swap(agent) => {
                if let Some(entry) = self.calls.get_mut(&attempt) {
                    entry.pop = Pop::Shown(agent, now);
                }
                self.bridge(attempt, agent);
            }
            HandStep::Given { from, to } => self.given(now, attempt, from, to),
            HandStep::Off { agent, why } => self.hand_off(now, attempt, agent, why),
        }
    }

    /// Card first, then the second agent's voice.
    fn consult(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let Some(handover) = &mut entry.handover else {
            return;
        };
        handover.row.to_agent = Some(agent);
        let (id, who) = (handover.row.id, PartyWho::Agent(agent));
        let order = PartyOrder { id, attempt, who };
        let Some(body) = self.card_body(now, attempt, agent, CardKind::Pop(attempt)) else {
            return;
        };
        let desk = Arc::clone(&self.shared.out.desk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let card = Card {
                attempt_id: attempt,
                body,
            };
            let shown = desk.pop(agent, card).await;
            post.tell(move |e, now| match shown {
                Ok(_) => e.invite(attempt, order, Some(agent)),
                Err(_) => e.take(now, Input::PopFailed { attempt, agent }),
            })
            .await;
        });
    }

    pub(super) fn party_rings(&mut self, attempt: AttemptId, party: TransferId) {
        if let Some(handover) = self.handover(attempt, party) {
            handover.ringing = true;
            let from = handover.row.from_agent;
            self.dirty.insert(from);
        }
    }

    fn handover(&mut self, attempt: AttemptId, party: TransferId) -> Option<&mut Handover> {
        let entry = self.calls.get_mut(&attempt)?;
        entry.handover.as_deref_mut().filter(|h| h.row.id == party)
    }

    pub(super) fn party_up(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        party: TransferId,
        at: UtcMs,
    ) {
        let Some(handover) = self.handover(attempt, party) else {
            // Withdrawn meanwhile: nobody may be left on the line.
            let trunk = Arc::clone(&self.shared.out.trunk);
            tokio::spawn(async move { trunk.drop_party(attempt, party).await });
            return;
        };
        handover.row.answered_at = Some(at);
        let (row, giving) = (handover.row.clone(), handover.giving);
        self.dirty.insert(row.from_agent);
        self.store_transfer(row.clone(), None);
        match row.to_agent {
            Some(agent) => {
                let hand = Hand::Joined(agent);
                self.take(now, Input::Hand { attempt, hand });
            }
            None if giving => self.seat_number(attempt, party),
            None => {}
        }
    }

    /// The number gets the debtor; the agent is free for his wrap-up.
    fn seat_number(&mut self, attempt: AttemptId, party: TransferId) {
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            let seated = trunk.seat_party(attempt, party).await;
            post.tell(move |e, now| match seated {
                Ok(()) => {
                    e.end_transfer(now, attempt, TransferOutcome::Done);
                    let hand = Hand::Out(None);
                    e.take(now, Input::Hand { attempt, hand });
                }
                Err(_) => e.end_transfer(now, attempt, TransferOutcome::Failed),
            })
            .await;
        });
    }

    pub(super) fn party_down(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        party: TransferId,
        (sip_code, _q850, by_us): (Option<u16>, Option<u16>, bool),
        _at: UtcMs,
    ) {
        let Some(handover) = self.handover(attempt, party) else {
            return;
        };
        if handover.row.to_agent.is_some() {
            // Of an agent the brain hears by his leg; a party that was dropped is over already.
            return;
        }
        let outcome = match handover.row.answered_at {
            Some(_) if !by_us => TransferOutcome::TargetLeft,
            Some(_) => TransferOutcome::Cancelled,
            None => outcome_of(sip_code, by_us),
        };
        self.end_transfer(now, attempt, outcome);
        self.back_to_debtor(attempt);
        self.take(now, Input::Tick);
    }

    /// The debtor is taken off hold: the agent has him back. Follows the commands of now.
    fn back_to_debtor(&mut self, attempt: AttemptId) {
        if self
            .brain
            .call(attempt)
            .is_some_and(|c| c.phase == Phase::Connected)
        {
            self.follow(Input::Hold { attempt, on: false });
        }
    }

    /// The agent hands the call to whom he consulted.
    pub(crate) fn complete_transfer(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<(), CenterError> {
        let row = self.own_handover(agent, attempt)?;
        if row.answered_at.is_none() {
            return Err(CenterError::conflict(
                "not_answered",
                "the target has not answered yet",
            ));
        }
        if row.to_agent.is_some() {
            let hand = Hand::Give;
            return Ok(self.ask(now, Input::Hand { attempt, hand })?);
        }
        self.seat_number(attempt, row.id);
        Ok(())
    }

    /// The agent takes the call back.
    pub(crate) fn cancel_transfer(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<(), CenterError> {
        let row = self.own_handover(agent, attempt)?;
        if row.kind != TransferKind::Number {
            let hand = Hand::Drop;
            return Ok(self.ask(now, Input::Hand { attempt, hand })?);
        }
        let trunk = Arc::clone(&self.shared.out.trunk);
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            if trunk.drop_party(attempt, row.id).await.is_err() {
                post.tell(move |e, now| {
                    e.end_transfer(now, attempt, TransferOutcome::Cancelled);
                    e.back_to_debtor(attempt);
                    e.take(now, Input::Tick);
                })
                .await;
            }
        });
        Ok(())
    }

    /// All talk with all, or the debtor waits again.
    pub(crate) fn conference(
        &mut self,
        now: UtcMs,
        agent: AgentId,
        attempt: AttemptId,
        on: bool,
    ) -> Result<(), CenterError> {
        let row = self.own_handover(agent, attempt)?;
        if row.answered_at.is_none() {
            return Err(CenterError::conflict(
                "not_answered",
                "the target has not answered yet",
            ));
        }
        let on_hold = !on;
        let input = Input::Hold {
            attempt,
            on: on_hold,
        };
        self.ask(now, input)?;
        if let Some(handover) = self.handover(attempt, row.id) {
            handover.row.conference |= on;
            let row = handover.row.clone();
            self.store_transfer(row, None);
        }
        self.dirty.insert(agent);
        Ok(())
    }

    /// Who may be asked to take a call.
    pub(crate) fn transfer_targets(
        &self,
        agent: AgentId,
        attempt: AttemptId,
    ) -> Result<TransferTargets, CenterError> {
        self.may_order(Actor::Agent(agent), attempt)?;
        let Some(entry) = self.calls.get(&attempt) else {
            return Ok(TransferTargets::default());
        };
        let client = entry.ctx.stocked.setting.client.id;
        let running = |e: &&CampaignEntry| e.setting.client.id == client;
        let serves = |row: &Agent, e: &CampaignEntry| {
            row.campaigns.is_empty() || row.campaigns.contains(&e.setting.id())
        };
        let colleague = |row: &Agent| {
            self.campaigns
                .values()
                .filter(running)
                .any(|e| serves(row, e))
        };
        let mut found = TransferTargets::default();
        for (id, seat) in self.agents.iter().filter(|(id, _)| **id != agent) {
            if let Some(session) = self.brain.agent(*id)
                && session.state() != AgentState::Offline
                && colleague(&seat.agent)
                && found.agents.len() < TARGETS_MAX
            {
                found.agents.push(AgentTarget {
                    id: *id,
                    name: seat.agent.name.clone(),
                    state: session.state(),
                    free: session.takes_calls(),
                });
            }
        }
        found
            .agents
            .sort_by(|a, b| (!a.free, &a.name).cmp(&(!b.free, &b.name)));
        for campaign in self.campaigns.values().filter(running).take(TARGETS_MAX) {
            let free = self.agents.iter().filter(|(id, seat)| {
                serves(&seat.agent, campaign)
                    && self.brain.agent(**id).is_some_and(|s| s.takes_calls())
            });
            found.queues.push(QueueTarget {
                id: campaign.setting.id(),
                name: campaign.setting.campaign.name.clone(),
                free: u32::try_from(free.count()).unwrap_or(u32::MAX),
            });
        }
        Ok(found)
    }

    fn own_handover(&self, agent: AgentId, attempt: AttemptId) -> Result<Transfer, CenterError> {
        self.may_order(Actor::Agent(agent), attempt)?;
        let entry = self.calls.get(&attempt);
        let handover = entry.and_then(|e| e.handover.as_ref());
        handover
            .map(|h| h.row.clone())
            .ok_or_else(|| CenterError::conflict("no_transfer", "nobody is being asked"))
    }

    /// Whether the agent is on the call only to be consulted.
    pub(super) fn is_second(&self, agent: AgentId, attempt: AttemptId) -> bool {
        self.brain
            .call(attempt)
            .and_then(|c| c.second.as_ref())
            .is_some_and(|s| s.agent == Some(agent))
    }

    /// The call has another holder.
    fn given(&mut self, now: UtcMs, attempt: AttemptId, from: AgentId, to: AgentId) {
        if let Some(handover) = self
            .calls
            .get_mut(&attempt)
            .and_then(|e| e.handover.as_mut())
        {
            handover.row.to_agent = Some(to);
            handover.row.answered_at.get_or_insert(now);
        }
        self.end_transfer(now, attempt, TransferOutcome::Done);
        let fresh = CallId(self.shared.id());
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let before = entry.call_id.replace(fresh);
        let since = entry.held_since.replace(now).or(entry.bridged_at);
        entry.agent = Some(to);
        entry.muted = false;
        if !matches!(entry.pop, Pop::Shown(who, _) | Pop::Flying(who, _) if who == to) {
            entry.pop = Pop::Shown(to, now);
        }
        if let Some((id, started_at)) = before.zip(since) {
            let row = Call {
                id,
                attempt_id: attempt,
                agent_id: from,
                started_at,
                ended_at: Some(now),
                ended_by: Some("transfer".to_owned()),
            };
            self.call_row(attempt, row);
        }
        let row = Call {
            id: fresh,
            attempt_id: attempt,
            agent_id: to,
            started_at: now,
            ended_at: None,
            ended_by: None,
        };
        self.step(attempt, Step::PutCall(Box::new(row), Vec::new()));
        let change = AttemptChange {
            agent_id: Some(to),
            ..AttemptChange::default()
        };
        self.step(attempt, Step::Note(Box::new(change), Vec::new()));
        if let Some(seat) = self.agents.get_mut(&to) {
            seat.today.calls += 1;
        }
        self.dirty.extend([from, to]);
        self.board.touch();
    }

    /// The call stays where it is.
    fn hand_off(&mut self, now: UtcMs, attempt: AttemptId, agent: Option<AgentId>, why: &str) {
        let holder = self.brain.call(attempt).and_then(|c| c.agent);
        let row = self
            .calls
            .get(&attempt)
            .and_then(|e| e.handover.as_ref())
            .map(|h| h.row.clone());
        let outcome = match why {
            "cancelled" => TransferOutcome::Cancelled,
            "call_over" => TransferOutcome::CallOver,
            "no_answer" => TransferOutcome::NoAnswer,
            _ if row.as_ref().is_some_and(|r| r.answered_at.is_some()) => {
                TransferOutcome::TargetLeft
            }
            _ => TransferOutcome::Failed,
        };
        self.end_transfer(now, attempt, outcome);
        if let (Some(entry), Some(holder)) = (self.calls.get_mut(&attempt), holder) {
            entry.pop = Pop::Shown(holder, now);
        }
        self.dirty.extend(holder.into_iter().chain(agent));
        if outcome == TransferOutcome::CallOver {
            return;
        }
        let trunk = Arc::clone(&self.shared.out.trunk);
        if let (Some(row), Some(_)) = (&row, agent)
            && row.mode == TransferMode::Attended
            && row.kind != TransferKind::TakeOver
        {
            let id = row.id;
            // Gone: he never was on the call, or left it by himself.
            tokio::spawn(async move { trunk.drop_party(attempt, id).await });
        } else if let (Some(holder), Some(_)) = (holder, agent) {
            // His bridge may have come through before it was given up.
            tokio::spawn(async move { trunk.bridge(attempt, holder).await });
        }
        self.back_to_debtor(attempt);
    }

    /// A transfer is over; its row says how.
    pub(super) fn end_transfer(&mut self, now: UtcMs, attempt: AttemptId, how: TransferOutcome) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let Some(handover) = entry.handover.take() else {
            return;
        };
        let mut row = handover.row;
        row.ended_at = Some(now);
        row.outcome = Some(how);
        let kind = if how == TransferOutcome::Done {
            "call.transferred"
        } else {
            "call.transfer_failed"
        };
        self.dirty.insert(row.from_agent);
        self.store_transfer(row, Some(kind));
    }

    /// Writes a step of a transfer, beside the attempt's own writer: nothing waits for it.
    fn store_transfer(&self, row: Transfer, kind: Option<&'static str>) {
        let Some(entry) = self.calls.get(&row.attempt_id) else {
            return;
        };
        let events = kind.map(|kind| {
            let data = transfer_data(&row);
            let actor = self.shared.actor();
            closing::event(&self.shared, &entry.ctx, actor, kind, data)
        });
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let events: Vec<_> = events.into_iter().collect();
            if let Err(error) = persist!(shared, shared.out.store.put_transfer(&row, &events)) {
                shared.fault("transfer not written", &error);
            }
        });
    }

    /// The ladder and the sound of a call that is over.
    pub(super) fn keep_trail(&self, attempt: AttemptId, at: UtcMs, trail: Box<CallTrail>) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            if let Err(error) = persist!(shared, shared.out.store.put_trail(attempt, at, &trail)) {
                shared.fault("trail of a call not written", &error);
            }
        });
    }

    /// What the screen of the holder shows of a transfer.
    pub(super) fn transfer_seen(&self, attempt: AttemptId, agent: AgentId) -> Value {
        let entry = self.calls.get(&attempt);
        let Some(handover) = entry.and_then(|e| e.handover.as_ref()) else {
            return Value::Null;
        };
        let row = &handover.row;
        let from = self
            .agents
            .get(&row.from_agent)
            .map_or("", |a| a.agent.name.as_str());
        let stage = if row.answered_at.is_some() {
            "talking"
        } else if handover.ringing || row.kind == TransferKind::Agent {
            "ringing"
        } else if row.kind == TransferKind::Queue {
            "waiting"
        } else {
            "asking"
        };
        let limit_ms = match row.kind {
            TransferKind::Queue => QUEUE_WAIT_MS,
            TransferKind::Number => NUMBER_RING_MS,
            TransferKind::Agent | TransferKind::TakeOver => 0,
        };
        json!({
            "kind": row.kind, "mode": row.mode, "to": handover.to, "from": from,
            "mine": row.from_agent == agent, "stage": stage, "since": row.asked_at.0,
            "until": (row.answered_at.is_none() && limit_ms > 0)
                .then(|| row.asked_at.plus_ms(limit_ms).0),
        })
    }
}

/// The transfer in an event: ids only.
pub(crate) fn transfer_data(row: &Transfer) -> Value {
    json!({
        "transfer_id": row.id, "kind": row.kind, "mode": row.mode, "from_agent": row.from_agent,
        "to_agent": row.to_agent, "to_campaign": row.to_campaign, "outcome": row.outcome,
        "conference": row.conference, "verdict_id": row.verdict_id,
    })
}
