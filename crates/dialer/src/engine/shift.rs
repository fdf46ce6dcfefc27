//! An agent's shift: sign-in, lost links, voice legs, reservations, limits of states.

use super::Dialer;
use crate::call::Phase;
use crate::pacing::Observation;
use crate::router;
use crate::session::Session;
use crate::spec::AgentSpec;
use crate::talk::{Command, ReleaseWhy, Wish};
use domain::ids::{AgentId, AttemptId};
use domain::ports::HangUpCause;
use domain::rules::agent_state::{AgentState, PauseCode, QueuedWish};
use domain::time::UtcMs;

impl Dialer {
    /// The agent's screen opened: sign-in, or the lost link is back.
    pub(super) fn agent_in(&mut self, now: UtcMs, spec: AgentSpec) {
        let id = spec.id;
        let session = self
            .agents
            .entry(id)
            .or_insert_with(|| Session::new(spec.clone(), now));
        session.spec = spec;
        session.link_up = true;
        session.link_lost_at = None;
        match session.state() {
            AgentState::Offline => {
                session.wrap = None;
                self.step(now, id, AgentState::Paused, Some(PauseCode::Login));
            }
            AgentState::Lagged => {
                let back = session.machine.resume(now);
                debug_assert!(back.is_ok(), "{back:?}");
                let ready = session.state() == AgentState::Ready;
                if !self.queued_done(now, id) && ready {
                    self.freed(now, id);
                }
            }
            _ => {}
        }
        if self.agents.get(&id).is_some_and(|s| !s.leg_up) {
            self.push(Command::OpenLeg(id));
        }
        self.touch(id);
    }

    /// What a ready or paused agent asked for while he could not be asked; whether there was anything.
    fn queued_done(&mut self, now: UtcMs, id: AgentId) -> bool {
        let Some(session) = self.agents.get_mut(&id) else {
            return false;
        };
        if !matches!(session.state(), AgentState::Ready | AgentState::Paused) {
            return false;
        }
        match session.machine.queued.take() {
            // From these states a pause and a sign-out are never refused.
            Some(queued) => self.wish(now, id, Self::wish_of(queued)).is_ok(),
            None => false,
        }
    }

    /// Makes a move that the caller knows to be in the table.
    pub(super) fn step(
        &mut self,
        now: UtcMs,
        id: AgentId,
        to: AgentState,
        code: Option<PauseCode>,
    ) {
        if let Some(session) = self.agents.get_mut(&id) {
            let moved = session.machine.go(now, to, code);
            debug_assert!(moved.is_ok(), "{moved:?}");
        }
        self.touch(id);
    }

    /// The agent is ready: answers that wait go first, then new calls.
    pub(super) fn freed(&mut self, now: UtcMs, id: AgentId) {
        let campaigns: Vec<_> = self.campaigns.keys().copied().collect();
        for campaign in campaigns {
            self.observe(now, campaign, Observation::AgentFreed);
        }
        self.touch(id);
        self.serve_waiting(now);
        self.launch_now = true;
    }

    pub(super) fn link_lost(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        if !session.link_up || session.state() == AgentState::Offline {
            return;
        }
        session.link_up = false;
        session.link_lost_at = Some(now);
        self.second_lost(now, id, "link_lost");
        let Some(state) = self.agents.get(&id).map(Session::state) else {
            return;
        };
        if state == AgentState::Preview {
            self.end_preview(now, id, ReleaseWhy::Skipped);
        }
        self.step(now, id, AgentState::Lagged, None);
        if state == AgentState::Reserved {
            self.reserve_lost(now, id);
        }
        self.trim_now = true;
    }

    /// A reserved agent is out of reach: his unanswered call goes to another one or is withdrawn.
    fn reserve_lost(&mut self, now: UtcMs, id: AgentId) {
        let Some(attempt) = self.agents.get(&id).and_then(|s| s.call) else {
            return self.shift_ready(id);
        };
        let phase = self.calls.get(&attempt).map(|c| c.phase);
        if phase == Some(Phase::Connecting) {
            // Card or bridge are on their way; their outcome decides.
            return;
        }
        if let Some(session) = self.agents.get_mut(&id) {
            session.call = None;
        }
        self.shift_ready(id);
        self.find_other(now, attempt);
    }

    fn shift_ready(&mut self, id: AgentId) {
        if let Some(session) = self.agents.get_mut(&id)
            && session.state() == AgentState::Lagged
            && session.machine.underlying() == AgentState::Reserved
        {
            let moved = session.machine.shift_under(AgentState::Ready);
            debug_assert!(moved.is_ok(), "{moved:?}");
        }
    }

    /// Another agent for a call that was reserved; none: it is withdrawn.
    fn find_other(&mut self, now: UtcMs, attempt: AttemptId) {
        let Some(call) = self.calls.get_mut(&attempt) else {
            return;
        };
        if !call.unanswered() {
            return;
        }
        let lent = call.lends_its_agent();
        call.agent = None;
        if lent {
            // It was dialed ahead: it rings for whoever is free at its answer.
            self.trim_now = true;
            return;
        }
        let (item, rules) = (call.item.clone(), call.rules);
        let run = self.campaigns.get(&item.campaign);
        let Some(other) = router::choose(&self.agents, run.map(|r| &r.spec), &item) else {
            self.cancel(now, attempt);
            return;
        };
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.agent = Some(other);
        }
        if let Some(session) = self.agents.get_mut(&other) {
            session.call = Some(attempt);
            session.rules = rules;
            session.disposed = false;
            session.joining_since = None;
        }
        self.step(now, other, AgentState::Reserved, None);
    }

    /// The call of an agent who cannot be joined: another agent gets it, else it waits or is withdrawn.
    fn pass_on(&mut self, now: UtcMs, id: AgentId, attempt: AttemptId) {
        let connecting = self
            .calls
            .get(&attempt)
            .is_some_and(|c| c.phase == Phase::Connecting && c.agent == Some(id));
        if connecting {
            self.back_to_waiting(now, attempt);
            self.wait_or_drop(now, attempt);
        } else {
            self.find_other(now, attempt);
        }
    }

    pub(super) fn leg(&mut self, now: UtcMs, id: AgentId, up: bool) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        session.leg_up = up;
        if up {
            if session.takes_calls() {
                self.freed(now, id);
            }
            self.touch(id);
        } else {
            self.voice_lost(now, id);
        }
    }

    /// The agent's voice is gone: he takes no call until it is back.
    pub(super) fn voice_lost(&mut self, now: UtcMs, id: AgentId) {
        self.second_lost(now, id, "voice_lost");
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        let needs = session.spec.needs_leg;
        match session.state() {
            AgentState::Ready if needs => {
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
            }
            AgentState::Reserved => {
                let attempt = session.call.take();
                self.step(now, id, AgentState::Ready, None);
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
                self.queued_done(now, id);
                if let Some(attempt) = attempt {
                    self.pass_on(now, id, attempt);
                }
            }
            AgentState::Lagged if session.machine.underlying() == AgentState::Reserved => {
                let attempt = session.call.take();
                self.shift_ready(id);
                if let Some(attempt) = attempt {
                    self.pass_on(now, id, attempt);
                }
            }
            AgentState::Talking | AgentState::Hold if needs => {
                if let Some(attempt) = session.call {
                    self.end_call(now, attempt, HangUpCause::Normal);
                }
            }
            AgentState::Preview if needs => {
                self.end_preview(now, id, ReleaseWhy::Skipped);
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
            }
            _ => {}
        }
        self.touch(id);
        self.trim_now = true;
    }

    /// A reservation for `attempt` ends without a conversation: queued wishes are done, else the agent
    /// is ready. Nothing happens when he is kept for another call meanwhile.
    pub(super) fn unreserve(&mut self, now: UtcMs, id: AgentId, attempt: Option<AttemptId>) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        if session.call != attempt {
            return;
        }
        session.call = None;
        match session.state() {
            AgentState::Reserved => {
                self.step(now, id, AgentState::Ready, None);
                self.settle(now, id);
            }
            AgentState::Lagged => self.shift_ready(id),
            _ => {}
        }
    }

    /// From ready on: what was queued is done; a missing voice pauses; else he is free.
    pub(super) fn settle(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        match session.machine.queued.take() {
            Some(QueuedWish::Pause(code)) => {
                self.step(now, id, AgentState::Paused, Some(code));
                self.trim_now = true;
            }
            Some(QueuedWish::Logout) => self.sign_out(now, id),
            None if !session.voice_ok() => {
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
            }
            None => self.freed(now, id),
        }
    }

    pub(super) fn sign_out(&mut self, now: UtcMs, id: AgentId) {
        self.step(now, id, AgentState::Offline, None);
        if let Some(session) = self.agents.get_mut(&id) {
            session.call = None;
            session.leg_up = false;
        }
        self.push(Command::CloseLeg(id));
        self.trim_now = true;
    }

    /// The limit of an agent's state is reached (house.md §4, 07).
    pub(super) fn agent_limit(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get(&id) else {
            return;
        };
        if session.deadline().is_none_or(|d| d > now) {
            self.touch(id);
            return;
        }
        match session.state() {
            AgentState::Reserved => {
                let attempt = session.call;
                if let Some(attempt) = attempt {
                    self.cancel(now, attempt);
                }
                // Not cancelled: the call is answered or gone; then the reservation itself ends.
                if self
                    .agents
                    .get(&id)
                    .is_some_and(|s| s.state() == AgentState::Reserved)
                {
                    self.unreserve(now, id, attempt);
                }
            }
            AgentState::Preview => {
                self.end_preview(now, id, ReleaseWhy::PreviewTimeout);
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
                self.trim_now = true;
            }
            AgentState::Ringing => {
                self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer));
            }
            AgentState::Talking | AgentState::Hold => {
                if let Some(attempt) = session.call {
                    self.end_call(now, attempt, HangUpCause::Normal);
                }
            }
            AgentState::Wrapup => self.wrap_limit(now, id),
            AgentState::Lagged => self.lag_limit(now, id),
            AgentState::Paused => self.sign_out(now, id),
            AgentState::Offline | AgentState::Ready => {}
        }
    }

    /// Ten seconds without a link: the call is ended, the wrap-up is closed, he is paused.
    fn lag_limit(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        let under = session.machine.underlying();
        let call = session.call;
        let wrap = session.wrap.take();
        let disposed = std::mem::take(&mut session.disposed);
        session.machine.queued = None;
        if matches!(under, AgentState::Talking | AgentState::Hold)
            && let Some(attempt) = call
        {
            session.disposed = disposed;
            self.end_call(now, attempt, HangUpCause::Normal);
        }
        if let Some(attempt) = wrap.filter(|_| !disposed) {
            self.push(Command::NotDisposed { attempt, agent: id });
        }
        self.step(now, id, AgentState::Paused, Some(PauseCode::Lagged));
    }

    pub(super) fn wish_of(queued: QueuedWish) -> Wish {
        match queued {
            QueuedWish::Pause(code) => Wish::Pause(code),
            QueuedWish::Logout => Wish::Logout,
        }
    }
}
