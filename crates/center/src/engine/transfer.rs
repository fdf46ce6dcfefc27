//! Calls that change hands: consultations, transfers, conferences, take-overs, as the live tables see
//! them. The brain decides who is free and who holds; the telephone side tells who came.

use super::Engine;
use crate::asks::Actor;
use crate::closing;
use crate::error::CenterError;
use crate::live::{CallCtx, CampaignEntry, Handover};
use crate::shared::persist;
use crate::view::{AgentTarget, QueueTarget, TransferTargets};
use dialer::{Hand, HandTo, Input};
use domain::entity::{Agent, Transfer, TransferKind, TransferMode, TransferOutcome};
use domain::ids::{AgentId, AttemptId, ClientId};
use domain::ports::{PartyOrder, PartyWho, TrunkError};
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

impl Engine {
    /// The agent who holds a joined call and may hand it over; what his call is about.
    pub(crate) fn may_hand(
        &self,
        actor: Actor,
        attempt: AttemptId,
    ) -> Result<(Arc<CallCtx>, AgentId), CenterError> {
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
        Ok((Arc::clone(&entry.ctx), holder))
    }

    /// Orders a transfer whose row is stored.
    pub(crate) fn begin_transfer(
        &mut self,
        now: UtcMs,
        actor: Actor,
        row: Transfer,
        (to, by_phone): (String, bool),
    ) -> Result<(), CenterError> {
        let attempt = row.attempt_id;
        let (ctx, _) = self.may_hand(actor, attempt)?;
        let takes = row.mode == TransferMode::Blind;
        let kept = Handover {
            row: row.clone(),
            to,
            ringing: false,
            giving: takes,
            by_phone,
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

    /// Ends the calls that a supervisor took over without being signed in as an agent.
    pub(crate) fn end_taken(&mut self, now: UtcMs, supervisor: AgentId) {
        if self.at_work(supervisor) {
            return;
        }
        let his = |id: &&AttemptId| {
            self.brain
                .call(**id)
                .is_some_and(|c| c.agent == Some(supervisor))
        };
        let taken: Vec<AttemptId> = self.calls.keys().filter(his).copied().collect();
        for attempt in taken {
            if let Err(error) = self.hang_up(now, Actor::System, attempt) {
                tracing::debug!(%attempt, %error, "a call that was taken over had ended");
            }
        }
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
        // The one that carries the call: the other may be down, which is why it moved.
        let carrier = self.calls.get(&attempt).map(|entry| entry.carrier());
        self.ask(now, Input::Hold { attempt, on: true })?;
        let order = PartyOrder {
            id: row.id,
            attempt,
            who: PartyWho::Number {
                trunk_id: carrier.unwrap_or(ctx.task.trunk),
                number,
                caller_number: ctx.caller.1.clone(),
                ring_timeout_ms: NUMBER_RING_MS,
            },
        };
        self.invite(attempt, order, None);
        Ok(())
    }

    pub(super) fn invite(&self, attempt: AttemptId, order: PartyOrder, agent: Option<AgentId>) {
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
                    e.party_down(now, attempt, party, busy, false);
                }
            })
            .await;
        });
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
        let mut found = TransferTargets::default();
        for (id, seat) in self.agents.iter().filter(|(id, _)| **id != agent) {
            if let Some(session) = self.brain.agent(*id)
                && session.state() != AgentState::Offline
                && self.is_colleague(&seat.agent, client)
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
        for campaign in self.queues(client).take(TARGETS_MAX) {
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

    /// Campaigns that run for a client.
    pub(super) fn queues(&self, client: ClientId) -> impl Iterator<Item = &CampaignEntry> {
        let campaigns = self.campaigns.values();
        campaigns.filter(move |e| e.setting.client.id == client)
    }

    /// Whether an agent works for a client.
    pub(super) fn is_colleague(&self, row: &Agent, client: ClientId) -> bool {
        self.queues(client).any(|e| serves(row, e))
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

    /// A transfer is over; its row says how.
    pub(super) fn end_transfer(&mut self, now: UtcMs, attempt: AttemptId, how: TransferOutcome) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        let Some(handover) = entry.handover.take() else {
            return;
        };
        if handover.by_phone {
            self.answer_phone(handover.row.from_agent, how);
        }
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
    pub(super) fn store_transfer(&self, row: Transfer, kind: Option<&'static str>) {
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
}

/// Whether an agent takes calls of a campaign: who names none works for all.
fn serves(row: &Agent, campaign: &CampaignEntry) -> bool {
    row.campaigns.is_empty() || row.campaigns.contains(&campaign.setting.id())
}

/// The transfer in an event: ids only.
pub(crate) fn transfer_data(row: &Transfer) -> Value {
    json!({
        "transfer_id": row.id, "kind": row.kind, "mode": row.mode, "from_agent": row.from_agent,
        "to_agent": row.to_agent, "to_campaign": row.to_campaign, "outcome": row.outcome,
        "conference": row.conference, "verdict_id": row.verdict_id,
    })
}
