//! Calls: what the telephone side tells, answers, ends, limits, withdrawals.

use super::Dialer;
use crate::call::{Call, CallOver, Phase};
use crate::pacing::Observation;
use crate::router;
use crate::talk::{Command, EndReport, OpenResult};
use domain::entity::{CallResult, DialMode, DropAction};
use domain::ids::{AgentId, AttemptId};
use domain::ports::HangUpCause;
use domain::rules::agent_state::AgentState;
use domain::rules::results::{EndFacts, result_of};
use domain::time::{MINUTE_MS, UtcMs};

/// One-way silence after which we end the call (faults.md promise 8).
const ONE_WAY_MAX_MS: i64 = MINUTE_MS;

impl Dialer {
    pub(super) fn open_done(&mut self, now: UtcMs, attempt: AttemptId, result: OpenResult) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        match result {
            OpenResult::Opened if call.phase == Phase::Opening => {
                call.enter(now, Phase::Dialing);
                self.arm(attempt);
            }
            OpenResult::Opened => {}
            OpenResult::Gone => {
                let (agent, campaign) = (call.agent, call.item.campaign);
                self.forget(attempt);
                self.observe_call(now, campaign, attempt, Observation::Withdrawn);
                if let Some(agent) = agent {
                    self.unreserve(now, agent, Some(attempt));
                }
                self.launch_now = true;
            }
        }
    }

    /// A report about a call proves that it was opened, whatever order the tidings come in.
    pub(super) fn sent(&mut self, now: UtcMs, attempt: AttemptId) {
        if let Some(call) = self.calls.get_mut(&attempt)
            && call.phase == Phase::Opening
        {
            call.enter(now, Phase::Dialing);
            self.arm(attempt);
        }
    }

    pub(super) fn ringing(&mut self, now: UtcMs, attempt: AttemptId) {
        self.sent(now, attempt);
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.ringing_at.is_none() {
            call.ringing_at = Some(now);
            let campaign = call.item.campaign;
            self.observe_call(now, campaign, attempt, Observation::Ringing);
        }
    }

    /// A person answered: decided at once, not on the tick.
    pub(super) fn answered(&mut self, now: UtcMs, attempt: AttemptId, at: UtcMs) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.answered_at.is_some() {
            return;
        }
        call.answered_at = Some(at);
        if call.phase == Phase::Ending {
            // The answer crossed our CANCEL: somebody said hello to nobody, and the telephone side ends it.
            return self.lost(now, attempt);
        }
        if call.mode == DialMode::Agentless {
            // Nobody is expected to talk: the message at once.
            call.enter(now, Phase::Message);
            self.push(Command::Tell(attempt));
            return self.arm(attempt);
        }
        if call.listens_first() {
            self.listen(now, attempt);
        } else {
            self.live(now, attempt);
        }
    }

    /// Joins a waiting call with an agent, if one is free.
    pub(super) fn seek_agent(&mut self, now: UtcMs, attempt: AttemptId) -> bool {
        let Some(call) = self.calls.get(&attempt) else {
            return false;
        };
        if call.phase != Phase::Waiting || call.notice {
            return false;
        }
        let reserved = call.agent.filter(|id| {
            self.agents.get(id).is_some_and(|s| {
                s.state() == AgentState::Reserved && s.call == Some(attempt) && s.link_up
            })
        });
        let run = self.campaigns.get(&call.item.campaign);
        let chosen = reserved
            .or_else(|| router::choose(&self.agents, run.map(|r| &r.spec), &call.item))
            .or_else(|| call.queued.map_or_else(|| self.borrowed(call), |_| None));
        let Some(agent) = chosen else {
            return false;
        };
        self.give_up_card(attempt, agent);
        let Some(call) = self.calls.get(&attempt) else {
            return false;
        };
        let (waited, rules) = (call.waited, call.rules);
        if let Some(session) = self.agents.get_mut(&agent) {
            session.call = Some(attempt);
            session.rules = rules;
            session.disposed = false;
            session.joining_since = Some(now);
            if session.state() == AgentState::Ready {
                let moved = session.machine.go(now, AgentState::Reserved, None);
                debug_assert!(moved.is_ok(), "{moved:?}");
            }
        }
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.agent = Some(agent);
            call.enter(now, Phase::Connecting);
        }
        self.push(Command::Connect {
            attempt,
            agent,
            waited,
        });
        self.arm(attempt);
        self.touch(agent);
        true
    }

    /// An agent became ready: the longest waiting answer goes first.
    pub(super) fn serve_waiting(&mut self, now: UtcMs) {
        let mut waiting: Vec<(UtcMs, AttemptId)> = self
            .calls
            .values()
            .filter(|c| c.phase == Phase::Waiting && c.queued.is_none())
            .map(|c| (c.since, c.attempt))
            .collect();
        waiting.sort_unstable();
        for (_, attempt) in waiting {
            self.seek_agent(now, attempt);
        }
        self.serve_queue(now);
        self.serve_transfers(now);
    }

    pub(super) fn bridged(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, at: UtcMs) {
        self.second_bridged(now, attempt, agent);
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.phase != Phase::Connecting || call.agent != Some(agent) {
            return;
        }
        // Joined after the law's limit: he has an agent, and was abandoned all the same (law.md §4).
        if call.too_late(at) {
            self.lost(now, attempt);
        }
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        call.enter(now, Phase::Connected);
        call.bridged_at = Some(at);
        let (campaign, client) = (call.item.campaign, call.item.client);
        let item = call.item.clone();
        let answered = call.answered_at.unwrap_or(at);
        let in_time = !call.abandoned && !call.exempt();
        if let Some(session) = self.agents.get_mut(&agent) {
            session.joined = session.joined.saturating_add(1);
            let moved = if session.state() == AgentState::Lagged {
                session.machine.shift_under(AgentState::Talking)
            } else {
                session.machine.go(now, AgentState::Talking, None)
            };
            debug_assert!(moved.is_ok(), "{moved:?}");
        }
        if in_time {
            self.guard.count(now, answered, campaign, client, false);
            self.observe_call(now, campaign, attempt, Observation::Connected);
        }
        self.talks(&item);
        self.arm(attempt);
        self.touch(agent);
    }

    /// The card could not be written: the answer goes on to another agent, or to the message.
    pub(super) fn pop_failed(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        let ours = self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.phase == Phase::Connecting && c.agent == Some(agent));
        if ours {
            self.back_to_waiting(now, attempt);
        }
        self.second_off(now, attempt, Some(agent), "card_not_shown");
        self.link_lost(now, agent);
        if ours {
            self.wait_or_drop(now, attempt);
        }
    }

    /// The legs could not be joined: the agent's voice is bad.
    pub(super) fn bridge_failed(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        let ours = self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.phase == Phase::Connecting && c.agent == Some(agent));
        if !ours {
            if self.second_off(now, attempt, Some(agent), "not_joined") {
                self.voice_lost(now, agent);
            }
            return;
        }
        self.back_to_waiting(now, attempt);
        self.voice_lost(now, agent);
        self.wait_or_drop(now, attempt);
    }

    pub(super) fn back_to_waiting(&mut self, now: UtcMs, attempt: AttemptId) {
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.agent = None;
            call.waited = true;
            call.enter(now, Phase::Waiting);
        }
    }

    pub(super) fn wait_or_drop(&mut self, now: UtcMs, attempt: AttemptId) {
        if self.seek_agent(now, attempt) {
            return;
        }
        self.arm(attempt);
        if self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.deadline() <= now)
        {
            self.call_limit(now, attempt);
        }
    }

    /// A phase's limit is reached.
    pub(super) fn call_limit(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get(&attempt) else {
            return;
        };
        if call.deadline() > now {
            self.arm(attempt);
            return;
        }
        let (phase, agent) = (call.phase, call.agent);
        match phase {
            Phase::Opening => self.open_done(now, attempt, OpenResult::Gone),
            Phase::Dialing => self.cancel(now, attempt),
            Phase::Waiting => {
                if !self.seek_agent(now, attempt) {
                    self.abandon(now, attempt);
                }
            }
            Phase::Connecting => match agent {
                Some(agent) => self.bridge_failed(now, attempt, agent),
                None => self.abandon(now, attempt),
            },
            Phase::Connected if self.second_late(now, attempt) => {}
            Phase::Connected | Phase::Handed => self.end_call(now, attempt, HangUpCause::Normal),
            Phase::Judging => self.live(now, attempt),
            Phase::Beep | Phase::Leaving => self.end_call(now, attempt, HangUpCause::Normal),
            Phase::Message => self.message_over(now, attempt),
            Phase::Ending => self.over(now, attempt, EndReport::default(), true),
        }
    }

    /// A live answer that no agent was given in time: counted once, whatever ends the call.
    fn lost(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.abandoned || call.bridged_at.is_some() || call.exempt() {
            return;
        }
        call.abandoned = true;
        let (campaign, client) = (call.item.campaign, call.item.client);
        let answered = call.answered_at.unwrap_or(now);
        self.guard.count(now, answered, campaign, client, true);
        self.observe_call(now, campaign, attempt, Observation::Abandoned);
    }

    fn abandon(&mut self, now: UtcMs, attempt: AttemptId) {
        self.lost(now, attempt);
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        let message = call.rules.drop_action == DropAction::Message || call.queued.is_some();
        if message {
            call.enter(now, Phase::Message);
        }
        if message {
            self.push(Command::Message(attempt));
            self.arm(attempt);
        } else {
            self.end_call(now, attempt, HangUpCause::Abandoned);
        }
    }

    pub(super) fn played(&mut self, now: UtcMs, attempt: AttemptId) {
        let call = self.calls.get(&attempt);
        match call.map(|c| c.phase) {
            Some(Phase::Message) => self.message_over(now, attempt),
            Some(Phase::Leaving) => self.end_call(now, attempt, HangUpCause::Normal),
            _ => {}
        }
    }

    fn message_over(&mut self, now: UtcMs, attempt: AttemptId) {
        let told = self.calls.get(&attempt).is_some_and(Call::exempt);
        let cause = if told {
            HangUpCause::Normal
        } else {
            HangUpCause::Abandoned
        };
        self.end_call(now, attempt, cause);
    }

    pub(super) fn one_way(&mut self, now: UtcMs, attempt: AttemptId, silent_ms: i64) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        let talks = matches!(call.phase, Phase::Connected | Phase::Handed);
        if silent_ms >= ONE_WAY_MAX_MS && talks {
            call.one_way = true;
            self.end_call(now, attempt, HangUpCause::OneWayAudio);
        }
    }

    /// Orders the end of an answered call.
    pub(super) fn end_call(&mut self, now: UtcMs, attempt: AttemptId, cause: HangUpCause) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if call.phase == Phase::Ending {
            return;
        }
        let nobody = matches!(
            call.phase,
            Phase::Judging | Phase::Waiting | Phase::Connecting
        );
        call.ended_by_us = true;
        call.enter(now, Phase::Ending);
        if nobody {
            // We hang up on somebody who waits for an agent.
            self.lost(now, attempt);
        }
        self.push(Command::HangUp { attempt, cause });
        self.arm(attempt);
    }

    /// Withdraws a call that is not answered. Its agent is free at once.
    pub(super) fn cancel(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if !call.unanswered() {
            return;
        }
        call.ended_by_us = true;
        call.enter(now, Phase::Ending);
        let (agent, campaign) = (call.agent.take(), call.item.campaign);
        self.observe_call(now, campaign, attempt, Observation::Withdrawn);
        self.push(Command::Cancel(attempt));
        self.arm(attempt);
        if let Some(agent) = agent {
            self.unreserve(now, agent, Some(attempt));
        }
    }

    pub(super) fn ended(&mut self, now: UtcMs, attempt: AttemptId, end: EndReport) {
        self.over(now, attempt, end, false);
    }

    fn result(call: &Call, end: &EndReport, lost: bool, now: UtcMs) -> CallResult {
        if lost && call.answered_at.is_none() {
            return CallResult::Unknown;
        }
        result_of(&EndFacts {
            sip_code: end.sip_code,
            q850: end.q850,
            by_us: end.by_us || call.ended_by_us,
            ring_timeout: end.ring_timeout,
            told: call.machine.or(end.told),
            answered: call.answered_at.is_some(),
            up_ms: call.answered_at.map_or(0, |at| now.since_ms(at)),
            bridged: call.bridged_at.is_some(),
            abandoned: call.abandoned,
            one_way: call.one_way,
            machine: call.machine,
        })
    }

    /// The call is over: exactly one `Over` for each call that was opened.
    fn over(&mut self, now: UtcMs, attempt: AttemptId, end: EndReport, lost: bool) {
        self.second_off(now, attempt, None, "call_over");
        self.last_look(now, attempt, &end);
        let Some(call) = self.forget(attempt) else {
            return;
        };
        let result = Self::result(&call, &end, lost, now);
        // What its tone ended had its chance of an answer.
        let withdrawn = call.ended_by_us && call.answered_at.is_none() && call.machine.is_none();
        if !withdrawn && !call.inbound {
            self.lines
                .seized(call.trunk, now, call.answered_at.is_some());
        }
        let joined = call.bridged_at.is_some();
        if !joined && !call.abandoned && !call.inbound {
            self.observe_call(now, call.item.campaign, attempt, Observation::NotAnswered);
        }
        let mut awaited = false;
        if let Some(agent) = call.agent {
            if joined {
                awaited = self.begin_wrap(now, agent, attempt) || self.wraps(agent, attempt);
            } else {
                self.unreserve(now, agent, Some(attempt));
            }
        }
        self.push(Command::Over(Box::new(CallOver {
            attempt,
            agent: call.agent.filter(|_| joined),
            trunk: call.trunk,
            result,
            end,
            answered_at: call.answered_at,
            bridged_at: call.bridged_at,
            ended_at: now,
            waited: call.waited,
            by_us: end.by_us || call.ended_by_us,
            disposition_awaited: awaited,
            item: call.item,
        })));
        if joined && let Some(agent) = call.agent {
            self.after_wrap_began(now, agent, attempt, call.disposed);
        }
        self.launch_now = true;
    }

    /// Answers that the end alone tells of: one that crossed our CANCEL, and one whose debtor hung up
    /// after the limit.
    fn last_look(&mut self, now: UtcMs, attempt: AttemptId, end: &EndReport) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        let crossed = call.answered_at.is_none() && end.sip_code == Some(200);
        if crossed {
            call.answered_at = Some(now);
        }
        if crossed || call.too_late(now) {
            self.lost(now, attempt);
        }
    }

    fn forget(&mut self, attempt: AttemptId) -> Option<Call> {
        let call = self.calls.remove(&attempt)?;
        self.arm(attempt);
        if !call.inbound {
            self.lines.give(call.trunk);
        }
        if self.persons.get(&call.item.person) == Some(&attempt) {
            self.persons.remove(&call.item.person);
        }
        Some(call)
    }
}
