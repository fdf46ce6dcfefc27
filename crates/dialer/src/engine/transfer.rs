//! Calls that change hands: a second agent is consulted or gets the call, a supervisor takes it, it is
//! handed to a number outside.

use super::{Dialer, Refusal};
use crate::call::{Phase, Second, SecondStage};
use crate::hand::{Hand, HandStep, HandTo};
use crate::router;
use crate::talk::Command;
use domain::ids::{AgentId, AttemptId};
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;

impl Dialer {
    pub(super) fn hand(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        hand: Hand,
    ) -> Result<(), Refusal> {
        match hand {
            Hand::Ask { to, takes, wait_ms } => self.ask_second(now, attempt, to, takes, wait_ms),
            Hand::Seize(agent) => self.seize(now, attempt, agent),
            Hand::Joined(agent) => {
                self.second_joined(now, attempt, agent);
                Ok(())
            }
            Hand::Give => self.give_second(now, attempt),
            Hand::Drop => {
                if self.second_off(now, attempt, None, "cancelled") {
                    Ok(())
                } else {
                    Err(no_second())
                }
            }
            Hand::Out(holder) => self.hand_out(now, attempt, holder),
        }
    }

    /// The agent of a joined call that has no second one.
    fn holder(&self, attempt: AttemptId) -> Result<AgentId, Refusal> {
        let call = self
            .calls
            .get(&attempt)
            .filter(|c| c.phase == Phase::Connected)
            .ok_or_else(not_joined)?;
        if call.second.is_some() {
            return Err(Refusal::new(
                "transfer_busy",
                "this call is being handed to somebody already: end that first",
            ));
        }
        call.agent.ok_or_else(not_joined)
    }

    fn ask_second(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        to: HandTo,
        takes: bool,
        wait_ms: i64,
    ) -> Result<(), Refusal> {
        let holder = self.holder(attempt)?;
        let (queue, agent) = match to {
            HandTo::Agent(agent) if agent == holder => {
                return Err(Refusal::new("target_self", "this agent has the call"));
            }
            HandTo::Agent(agent) => {
                if !self.agents.get(&agent).is_some_and(|s| s.takes_calls()) {
                    return Err(Refusal::new(
                        "target_busy",
                        "that agent is not ready: choose another one or a queue",
                    ));
                }
                (None, Some(agent))
            }
            HandTo::Queue(queue) => {
                let run = self.campaigns.get(&queue).ok_or_else(|| {
                    Refusal::new("no_queue", "that campaign has no agents at work now")
                })?;
                let item = self.calls.get(&attempt).map(|c| &c.item);
                let free =
                    item.and_then(|item| router::choose(&self.agents, Some(&run.spec), item));
                (Some(queue), free)
            }
        };
        if self.agents.get(&holder).map(|s| s.state()) == Some(AgentState::Talking) {
            self.hold(now, attempt, true)?;
        }
        let stage = SecondStage::Waiting;
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.second = Some(Second {
                agent: None,
                queue,
                takes,
                stage,
                since: now,
                wait_ms,
            });
        }
        match agent {
            Some(agent) => self.reserve_second(now, attempt, agent),
            None => self.arm(attempt),
        }
        self.touch(holder);
        Ok(())
    }

    fn seize(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) -> Result<(), Refusal> {
        // A consultation ends where a supervisor takes the call.
        self.second_off(now, attempt, None, "cancelled");
        let holder = self.holder(attempt)?;
        let able = self.agents.get(&agent).filter(|s| {
            agent != holder
                && s.link_up
                && s.voice_ok()
                && s.call.is_none()
                && matches!(s.state(), AgentState::Ready | AgentState::Paused)
        });
        let Some(session) = able else {
            return Err(Refusal::new(
                "target_busy",
                "whoever takes a call over must be signed in, with his phone up and no call",
            ));
        };
        if session.state() == AgentState::Paused {
            self.step(now, agent, AgentState::Ready, None);
        }
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.second = Some(Second {
                agent: None,
                queue: None,
                takes: true,
                stage: SecondStage::Waiting,
                since: now,
                wait_ms: 0,
            });
        }
        self.reserve_second(now, attempt, agent);
        Ok(())
    }

    /// Keeps an agent for a call that waits for a second one.
    fn reserve_second(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        let rules = call.rules;
        let Some(second) = call.second.as_mut() else {
            return;
        };
        second.agent = Some(agent);
        second.stage = SecondStage::Connecting;
        second.since = now;
        let takes = second.takes;
        if let Some(session) = self.agents.get_mut(&agent) {
            session.call = Some(attempt);
            session.rules = rules;
            session.disposed = false;
            session.joining_since = Some(now);
        }
        self.step(now, agent, AgentState::Reserved, None);
        if takes {
            self.push(Command::Connect {
                attempt,
                agent,
                waited: true,
            });
        } else {
            let step = HandStep::Consult(agent);
            self.push(Command::Hand { attempt, step });
        }
        self.arm(attempt);
    }

    /// An agent became free: calls that wait for one of a queue, the longest first.
    pub(super) fn serve_transfers(&mut self, now: UtcMs) {
        let mut waiting: Vec<(UtcMs, AttemptId)> = self
            .calls
            .values()
            .filter_map(|c| {
                let second = c.second.as_ref()?;
                (second.stage == SecondStage::Waiting).then_some((second.since, c.attempt))
            })
            .collect();
        waiting.sort_unstable();
        for (_, attempt) in waiting {
            let Some(call) = self.calls.get(&attempt) else {
                continue;
            };
            let run = call
                .second
                .as_ref()
                .and_then(|s| s.queue)
                .and_then(|q| self.campaigns.get(&q));
            let Some(run) = run else { continue };
            if let Some(agent) = router::choose(&self.agents, Some(&run.spec), &call.item) {
                self.reserve_second(now, attempt, agent);
            }
        }
    }

    fn is_second(&self, attempt: AttemptId, agent: AgentId) -> Option<&Second> {
        let second = self.calls.get(&attempt)?.second.as_ref()?;
        (second.agent == Some(agent)).then_some(second)
    }

    /// He is on the call, to be consulted.
    fn second_joined(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        if self
            .is_second(attempt, agent)
            .is_none_or(|s| s.stage != SecondStage::Connecting)
        {
            return;
        }
        self.second_talks(now, attempt, agent);
    }

    fn second_talks(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        if let Some(second) = self.calls.get_mut(&attempt).and_then(|c| c.second.as_mut()) {
            second.stage = SecondStage::Talking;
            second.since = now;
        }
        if let Some(session) = self.agents.get_mut(&agent) {
            let moved = match session.state() {
                AgentState::Reserved => session.machine.go(now, AgentState::Talking, None),
                AgentState::Lagged if session.machine.underlying() == AgentState::Reserved => {
                    session.machine.shift_under(AgentState::Talking)
                }
                _ => Ok(()),
            };
            debug_assert!(moved.is_ok(), "{moved:?}");
        }
        self.arm(attempt);
        self.touch(agent);
    }

    /// Legs joined: a second agent who takes the call has it now.
    pub(super) fn second_bridged(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId) {
        if !self.is_second(attempt, agent).is_some_and(|s| s.takes) {
            return;
        }
        self.second_talks(now, attempt, agent);
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        call.second = None;
        let disposed = call.disposed;
        let from = call.agent.replace(agent);
        if let Some(session) = self.agents.get_mut(&agent) {
            session.disposed = disposed;
        }
        self.arm(attempt);
        if let Some(from) = from {
            self.leaves_call(now, attempt, from, true);
            let step = HandStep::Given { from, to: agent };
            self.push(Command::Hand { attempt, step });
        }
        self.touch(agent);
    }

    /// The consulted agent gets the call; it is his once the legs are joined.
    fn give_second(&mut self, now: UtcMs, attempt: AttemptId) -> Result<(), Refusal> {
        let second = self
            .calls
            .get_mut(&attempt)
            .and_then(|c| c.second.as_mut())
            .filter(|s| s.stage == SecondStage::Talking)
            .ok_or_else(no_second)?;
        let agent = second.agent.ok_or_else(no_second)?;
        second.takes = true;
        second.stage = SecondStage::Connecting;
        second.since = now;
        let step = HandStep::Swap(agent);
        self.push(Command::Hand { attempt, step });
        self.arm(attempt);
        Ok(())
    }

    /// An agent is off a call that goes on: nothing is left for him to dispose when `free`.
    fn leaves_call(&mut self, now: UtcMs, attempt: AttemptId, agent: AgentId, free: bool) {
        let disposed = free || self.calls.get(&attempt).is_some_and(|c| c.disposed);
        let Some(session) = self.agents.get_mut(&agent) else {
            return;
        };
        if session.call != Some(attempt) {
            return;
        }
        session.call = None;
        match session.state() {
            AgentState::Talking | AgentState::Hold => {
                session.wrap = Some(attempt);
                session.disposed = disposed;
                self.step(now, agent, AgentState::Wrapup, None);
                if disposed {
                    self.try_leave_wrap(now, agent);
                }
            }
            AgentState::Lagged
                if matches!(
                    session.machine.underlying(),
                    AgentState::Talking | AgentState::Hold
                ) =>
            {
                session.wrap = Some(attempt);
                session.disposed = disposed;
                let moved = session.machine.shift_under(AgentState::Wrapup);
                debug_assert!(moved.is_ok(), "{moved:?}");
            }
            _ => {}
        }
        self.touch(agent);
    }

    /// The second agent is let go, or never came; the call stays with its holder. `false` when there
    /// is none, or another one than `agent`.
    pub(super) fn second_off(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        agent: Option<AgentId>,
        why: &'static str,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return false;
        };
        let fits = |s: &Second| agent.is_none() || s.agent == agent;
        let Some(second) = call.second.take_if(|s| fits(s)) else {
            return false;
        };
        let holder = call.agent;
        if let Some(agent) = second.agent {
            let reserved = self.agents.get(&agent).is_some_and(|s| {
                s.state() == AgentState::Reserved || s.machine.underlying() == AgentState::Reserved
            });
            if reserved {
                self.unreserve(now, agent, Some(attempt));
            } else {
                self.leaves_call(now, attempt, agent, true);
            }
        }
        let (agent, step) = (
            second.agent,
            HandStep::Off {
                agent: second.agent,
                why,
            },
        );
        self.push(Command::Hand { attempt, step });
        self.arm(attempt);
        for id in holder.into_iter().chain(agent) {
            self.touch(id);
        }
        true
    }

    /// A second agent whose link or voice is gone.
    pub(super) fn second_lost(&mut self, now: UtcMs, agent: AgentId, why: &'static str) {
        let attempt = self.agents.get(&agent).and_then(|s| s.call);
        if let Some(attempt) = attempt {
            self.second_off(now, attempt, Some(agent), why);
        }
    }

    /// The time of a second agent's stage is up.
    pub(super) fn second_late(&mut self, now: UtcMs, attempt: AttemptId) -> bool {
        let Some(stage) = self
            .calls
            .get(&attempt)
            .and_then(|c| c.second.as_ref())
            .map(|s| s.stage)
        else {
            return false;
        };
        let why = match stage {
            SecondStage::Waiting => "no_answer",
            SecondStage::Connecting | SecondStage::Talking => "not_joined",
        };
        self.second_off(now, attempt, None, why)
    }

    /// Whether the open wrap-up of an agent is that of a call he handed out.
    pub(super) fn wraps(&self, agent: AgentId, attempt: AttemptId) -> bool {
        self.agents
            .get(&agent)
            .is_some_and(|s| s.wrap == Some(attempt) && !s.disposed)
    }

    fn hand_out(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        holder: Option<AgentId>,
    ) -> Result<(), Refusal> {
        self.second_off(now, attempt, None, "cancelled");
        let from = self.holder(attempt)?;
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.enter(now, Phase::Handed);
            call.agent = holder.or(Some(from));
        }
        self.arm(attempt);
        self.leaves_call(now, attempt, from, holder.is_some());
        if let Some(to) = holder {
            let step = HandStep::Given { from, to };
            self.push(Command::Hand { attempt, step });
        }
        Ok(())
    }
}

fn not_joined() -> Refusal {
    Refusal::new("not_in_call", "the call is not joined with an agent")
}

fn no_second() -> Refusal {
    Refusal::new("no_transfer", "nobody is being asked to take this call")
}
