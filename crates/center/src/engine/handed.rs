//! What comes back of calls that change hands: who came, who did not, who holds the call now.

use super::Engine;
use super::transfer::{NUMBER_RING_MS, QUEUE_WAIT_MS};
use crate::card::CardKind;
use crate::live::{Handover, Pop};
use crate::scribe::Step;
use crate::shared::persist;
use dialer::{Hand, HandStep, Input, Phase};
use domain::entity::{Call, CallTrail, TransferKind, TransferMode, TransferOutcome};
use domain::ids::{AgentId, AttemptId, CallId, TransferId};
use domain::ports::store::{AttemptChange, StoreError};
use domain::ports::{Card, PartyOrder, PartyWho, TrunkReport};
use domain::time::UtcMs;
use serde_json::{Value, json};
use std::sync::Arc;

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
    /// What the telephone side tells of a party.
    pub(super) fn party_report(&mut self, now: UtcMs, report: TrunkReport) {
        match report {
            TrunkReport::PartyRinging { attempt, party, .. } => self.party_rings(attempt, party),
            TrunkReport::PartyUp { attempt, party, at } => self.party_up(now, attempt, party, at),
            TrunkReport::PartyDown {
                attempt,
                party,
                sip_code,
                by_us,
                ..
            } => self.party_down(now, attempt, party, sip_code, by_us),
            _ => {}
        }
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

    pub(super) fn handover(
        &mut self,
        attempt: AttemptId,
        party: TransferId,
    ) -> Option<&mut Handover> {
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
    pub(super) fn seat_number(&mut self, attempt: AttemptId, party: TransferId) {
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
        sip_code: Option<u16>,
        by_us: bool,
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
    pub(super) fn back_to_debtor(&mut self, attempt: AttemptId) {
        if self
            .brain
            .call(attempt)
            .is_some_and(|c| c.phase == Phase::Connected)
        {
            self.follow(Input::Hold { attempt, on: false });
        }
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

    /// The ladder and the sound of a call that is over.
    pub(super) fn keep_trail(&self, attempt: AttemptId, at: UtcMs, trail: Box<CallTrail>) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            match persist!(shared, shared.out.store.put_trail(attempt, at, &trail)) {
                // Who called and heard the announcement only was no attempt.
                Ok(()) | Err(StoreError::NotFound(_)) => {}
                Err(error) => shared.fault("trail of a call not written", &error),
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
