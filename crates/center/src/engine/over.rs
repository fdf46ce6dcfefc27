//! Ends: of the write-ahead, of calls, of wrap-ups; and what may be forgotten then.

use super::Engine;
use crate::closing;
use crate::ladder;
use crate::live::{CallEntry, EndSeen};
use crate::scribe::{OverStep, Step};
use dialer::{CallOver, Input, OpenResult, Wish};
use domain::entity::{AttemptState, Call, CallResult, DialMode, PartyRole};
use domain::ids::{AgentId, AttemptId};
use domain::money::Money;
use domain::ports::store::{AttemptChange, Closing, ItemState};
use domain::rules::detector::is_mailbox;
use domain::rules::disposition::NOT_DISPOSED;
use domain::rules::retry::AFTER_CONVERSATION_H;
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use serde_json::json;
use tokio::sync::oneshot;

/// Why a verdict was given where the sound is one of the trunk's recordings.
pub(super) const KNOWN: &str = "known";
/// How long an ended call waits for its recording to be sealed before it is forgotten, ms.
const SEAL_WAIT_MS: i64 = 2 * MINUTE_MS;

/// A disposition that is stored; what the live tables make of it.
pub(crate) struct DisposedAs {
    pub(crate) code: String,
    pub(crate) rpc: bool,
    pub(crate) by_agent: bool,
    pub(crate) promise: Option<Money>,
    pub(crate) then: Option<Wish>,
    /// Where the debtor goes, when the call was still up at the disposition.
    pub(crate) plan: Option<ItemState>,
    /// A conversation row was written with it.
    pub(crate) conversation: bool,
    /// Contact with the debtor stops (hold, listing, promise).
    pub(crate) stops: bool,
}

/// Roles that owe: talk with them, identity ticked, is a conversation in the ledger's sense.
pub(crate) const fn obligated(role: PartyRole) -> bool {
    role.is_obligated()
}

impl Engine {
    /// What became of the write-ahead.
    pub(crate) fn opened(&mut self, now: UtcMs, attempt: AttemptId, result: OpenResult) {
        if result == OpenResult::Gone {
            self.calls.remove(&attempt);
            self.board.touch();
        }
        self.take(now, Input::OpenDone { attempt, result });
    }

    fn ended_by(entry: &CallEntry, over: &CallOver) -> &'static str {
        match (entry.ended_by, over.by_us) {
            (Some(who), _) => who,
            (None, true) => "system",
            (None, false) => "debtor",
        }
    }

    pub(super) fn call_over(&mut self, now: UtcMs, over: CallOver) {
        let attempt = over.attempt;
        self.end_transfer(now, attempt, domain::entity::TransferOutcome::CallOver);
        self.caller_over(now, attempt);
        // A supervisor who took it over without being signed in as an agent disposes by the API.
        let late_holder = over.agent.filter(|id| !self.at_work(*id));
        let late_holder =
            late_holder.is_some() && !over.disposition_awaited && over.bridged_at.is_some();
        let Some(entry) = self.calls.get_mut(&attempt) else {
            self.shared
                .fault("end of a call that is not known", &attempt);
            return;
        };
        let end = EndSeen {
            at: over.ended_at,
            result: over.result,
            by: Self::ended_by(entry, &over),
        };
        let rules = entry.ctx.task.rules;
        entry.over = Some(end.clone());
        entry.agent = over.agent.or(entry.agent);
        entry.awaited = over.disposition_awaited && entry.disposition.is_none();
        entry.late_holder = late_holder && entry.disposition.is_none();
        entry.awaited |= entry.late_holder;
        let conversation = !entry.conversation && entry.identity.is_some_and(obligated);
        entry.conversation |= conversation;
        let step = OverStep {
            invited: entry.invite_at.is_some(),
            rang: entry.ringing_at.is_some(),
            conversation,
            plan: entry.plan.take(),
            disposed: entry.disposition.is_some(),
            known: entry.heard.as_ref().is_some_and(|h| h.reason == KNOWN),
            asked: entry.asked,
            heard_out: entry.heard_out,
            opted_out: entry.opted_out,
            end: end.clone(),
            over: over.clone(),
        };
        // Its own report was lost, or crossed our CANCEL: the end alone tells of the answer.
        let told_late = over.answered_at.filter(|_| entry.answered_at.is_none());
        let since = entry.held_since.or(entry.bridged_at);
        let call = entry.call_id.zip(entry.agent).zip(since);
        if let Some(agent) = over.agent.filter(|_| entry.late_holder) {
            self.wait_for_holder(attempt, agent, rules.wrapup_max_ms);
        }
        if let Some(at) = told_late {
            self.answered_late(attempt, at);
        }
        self.step(attempt, Step::Over(Box::new(step)));
        if let Some(((id, agent_id), started_at)) = call {
            self.call_row(
                attempt,
                Call {
                    id,
                    attempt_id: attempt,
                    agent_id,
                    started_at,
                    ended_at: Some(end.at),
                    ended_by: Some(end.by.to_owned()),
                },
            );
            self.dirty.insert(agent_id);
        }
        self.count_over(now, &over);
        self.clear_alarm(&format!("one_way_audio:{attempt}"));
        self.forget_call(now, attempt);
    }

    fn wait_for_holder(&self, attempt: AttemptId, agent: AgentId, wait_ms: i64) {
        let wait = std::time::Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
        let post = self.shared.post.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            post.tell(move |engine, now| engine.holder_late(now, attempt, agent))
                .await;
        });
    }

    /// The end alone told of the answer: it is written before the end is, and the row of the recording before
    /// it, so that a process that dies between the two leaves no answered call without one (seed 61).
    fn answered_late(&self, attempt: AttemptId, at: UtcMs) {
        self.no_tape(attempt, at);
        let change = AttemptChange {
            state: Some(AttemptState::Answered),
            answered_at: Some(at),
            ..AttemptChange::default()
        };
        self.step(attempt, Step::Note(Box::new(change), Vec::new()));
    }

    /// A supervisor's time to dispose of the call he took over is up.
    fn holder_late(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.late_holder = false;
            self.not_disposed(now, attempt, agent);
        }
    }

    pub(super) fn call_row(&self, attempt: AttemptId, row: Call) {
        let Some(entry) = self.calls.get(&attempt) else {
            return;
        };
        let data = json!({"call_id": row.id, "agent_id": row.agent_id, "by": row.ended_by});
        let actor = self.shared.actor();
        let event = closing::event(&self.shared, &entry.ctx, actor, "call.ended", data);
        self.write(entry, Step::PutCall(Box::new(row), vec![event]));
    }

    fn count_over(&mut self, now: UtcMs, over: &CallOver) {
        let Some(entry) = self.calls.get(&over.attempt) else {
            return;
        };
        if entry.ctx.inbound.is_some() {
            // Nobody was dialed: it is in no rate of ours.
            return self.board.touch();
        }
        let answered = over.answered_at.is_some();
        let effective = answered
            || matches!(
                over.result,
                CallResult::Busy | CallResult::NoAnswer | CallResult::Rejected
            );
        let talked = over.bridged_at.map_or(0, |at| over.ended_at.since_ms(at));
        let carrier = entry.carrier();
        if let Some(trunk) = self.trunks.get_mut(&carrier) {
            trunk.answered += u64::from(answered);
            trunk.effective += u64::from(effective && entry.invite_at.is_some());
            trunk.talk_ms += u64::try_from(talked).unwrap_or(0);
        }
        let abandoned = over.result == CallResult::Abandoned;
        // What its sound decided was no live answer.
        let machine = matches!(
            over.result,
            CallResult::MachineBeep
                | CallResult::MachineNoBeep
                | CallResult::Fax
                | CallResult::DeadAir
        );
        let answered = answered && !machine;
        self.totals.machine += u64::from(machine);
        self.totals.human += u64::from(answered);
        self.totals.abandoned += u64::from(abandoned);
        if entry.invite_at.is_some() {
            self.fates.over(now, over.result == CallResult::Unknown);
            let key = (over.item.campaign, over.result);
            *self.totals.results.entry(key).or_insert(0) += 1;
        }
        if let Some(campaign) = self.campaigns.get_mut(&over.item.campaign) {
            campaign.stats.answers += u64::from(answered);
            campaign.stats.abandoned += u64::from(abandoned);
            if entry.invite_at.is_some() {
                campaign.stats.finished(now, answered);
            }
        }
        self.board.touch();
    }

    /// The wrap-up's limit: the system disposes (terms.md §4, NC.ST: as after a conversation).
    pub(super) fn not_disposed(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        let Some(entry) = self.calls.get_mut(&attempt) else {
            return;
        };
        if entry.disposition.is_some() || entry.late_holder {
            return;
        }
        entry.disposition = Some(NOT_DISPOSED.to_owned());
        entry.awaited = false;
        let ended = entry.over.as_ref().map_or(now, |o| o.at);
        let stocked = &entry.ctx.stocked;
        let in_campaign = stocked.in_campaign;
        let mut item = ladder::counted(stocked, CallResult::Human, true);
        item.next_at = ended.plus_ms(AFTER_CONVERSATION_H * HOUR_MS);
        "not_disposed".clone_into(&mut item.note);
        let item = ladder::limited(stocked, item);
        // A call that was handed to a number may still be up: its end says the same again.
        if entry.over.is_none() {
            entry.plan = Some(item.clone());
        }
        let item = Some(item).filter(|_| in_campaign);
        let data = json!({"code": NOT_DISPOSED, "agent_id": agent});
        let actor = self.shared.actor();
        let event = closing::event(&self.shared, &entry.ctx, actor, "disposition.set", data);
        let closing = Closing {
            disposition: Some(NOT_DISPOSED.to_owned()),
            disposed_at: Some(now),
            item,
            events: vec![event],
            ..Closing::default()
        };
        // Nobody waits for the answer of the system's own disposition.
        let (answer, _) = oneshot::channel();
        self.step(attempt, Step::Close(Box::new(closing), answer));
        self.dirty.insert(agent);
        self.forget_call(now, attempt);
    }

    /// A disposition was stored: counters, then the agent goes on.
    pub(crate) fn disposed(&mut self, now: UtcMs, attempt: AttemptId, how: DisposedAs) {
        let mut campaign = None;
        let mut agent = None;
        if let Some(entry) = self.calls.get_mut(&attempt) {
            entry.disposition = Some(how.code.clone());
            entry.awaited = false;
            entry.conversation |= how.conversation;
            campaign = Some(entry.ctx.stocked.setting.id());
            agent = entry.agent;
            if let Some(plan) = how.plan {
                if entry.over.is_some() {
                    // It ended while the disposition was being written: the plan is late by a moment.
                    self.step(attempt, Step::PutItem(Box::new(plan)));
                } else {
                    entry.plan = Some(plan);
                }
            }
        }
        self.totals.dispositions += u64::from(how.by_agent);
        self.learn_print(attempt, &how.code);
        // Who called us was no answer of ours, whatever called; nor was a call of before this start.
        let went_out = self
            .calls
            .get(&attempt)
            .is_some_and(|e| e.ctx.inbound.is_none());
        if is_mailbox(&how.code) && went_out {
            self.totals.human = self.totals.human.saturating_sub(1);
            self.totals.machine += 1;
            self.found_machine(now, attempt);
        }
        if let Some(money) = how.promise {
            self.totals.promises += 1;
            self.totals.promised.add(money);
            if let Some(entry) = campaign.and_then(|id| self.campaigns.get_mut(&id)) {
                entry.stats.promises += 1;
                entry.stats.promised.add(money);
            }
        }
        if let Some(seat) = agent.and_then(|id| self.agents.get_mut(&id)) {
            seat.today.rpc += u32::from(how.rpc);
            if let Some(money) = how.promise {
                seat.today.promises += 1;
                seat.today.promised.add(money);
            }
        }
        let debtor = self
            .calls
            .get(&attempt)
            .map(|e| e.ctx.stocked.facts.debtor.id);
        self.take(
            now,
            Input::Disposed {
                attempt,
                then: how.then,
            },
        );
        if let Some(debtor) = debtor.filter(|_| how.stops) {
            self.take(now, Input::Withdraw(debtor));
        }
        if let Some(agent) = agent {
            self.dirty.insert(agent);
        }
        self.board.touch();
        self.forget_call(now, attempt);
    }

    /// An agent found a machine: it is nobody's live answer. Who was told a message and asked for an agent was none
    /// before either, and who was joined too late stays abandoned.
    fn found_machine(&mut self, now: UtcMs, attempt: AttemptId) {
        let late = self.brain.call(attempt).is_some_and(|c| c.abandoned);
        let counted = |entry: &&CallEntry| {
            let lost = |over: &EndSeen| over.result == CallResult::Abandoned;
            entry.ctx.task.mode != DialMode::Agentless
                && !late
                && !entry.over.as_ref().is_some_and(lost)
        };
        let seen = self.calls.get(&attempt).filter(counted).and_then(|entry| {
            let setting = &entry.ctx.stocked.setting;
            Some((setting.id(), setting.client.id, entry.answered_at?))
        });
        if let Some((campaign, client, answered_at)) = seen {
            self.take(
                now,
                Input::Machine {
                    attempt,
                    campaign,
                    client,
                    answered_at,
                },
            );
        }
    }

    /// An attempt leaves the live table when it is over, disposed or not to be, and its recording is
    /// sealed; dropping its sender ends its writer once all is written.
    pub(super) fn forget_call(&mut self, now: UtcMs, attempt: AttemptId) {
        let done = self.calls.get(&attempt).is_some_and(|e| {
            let waits_for_tape = e.tape_open
                && e.over
                    .as_ref()
                    .is_some_and(|o| now.since_ms(o.at) < SEAL_WAIT_MS);
            e.over.is_some() && !e.awaited && !waits_for_tape
        });
        let shown = self
            .agents
            .keys()
            .filter_map(|id| self.brain.agent(*id))
            .any(|s| s.wrap == Some(attempt) || s.call == Some(attempt));
        if done && !shown {
            self.calls.remove(&attempt);
            self.board.touch();
        }
    }

    pub(super) fn forget_old(&mut self, now: UtcMs) {
        let over: Vec<AttemptId> = self
            .calls
            .iter()
            .filter(|(_, e)| e.over.is_some())
            .map(|(id, _)| *id)
            .collect();
        for attempt in over {
            self.forget_call(now, attempt);
        }
    }
}
