//! What the agent asks for: states, previews, calls by hand, dispositions and the wrap-up.

use super::{Dialer, Refusal};
use crate::session::Session;
use crate::spec::{CallRules, Item};
use crate::talk::{Command, ReleaseWhy, Wish};
use domain::entity::{DialMode, WrapupMode};
use domain::ids::{AgentId, AttemptId, CampaignId, PersonId};
use domain::rules::agent_state::{AgentState, PauseCode, QueuedWish};
use domain::time::UtcMs;
use std::collections::BTreeMap;

fn queued(wish: Wish) -> Option<QueuedWish> {
    match wish {
        Wish::Ready => None,
        Wish::Pause(code) => Some(QueuedWish::Pause(code)),
        Wish::Logout => Some(QueuedWish::Logout),
    }
}

fn session_code(agents: &BTreeMap<AgentId, Session>, id: AgentId) -> Option<PauseCode> {
    agents.get(&id).and_then(|s| s.machine.code())
}

/// Whether the wrap-up may be left without a disposition.
fn may_skip(rules: &CallRules) -> bool {
    rules.wrapup_mode == WrapupMode::Optional || !rules.disposition_required
}

impl Dialer {
    fn session(&self, id: AgentId) -> Result<&Session, Refusal> {
        self.agents
            .get(&id)
            .ok_or_else(|| Refusal::new("not_signed_in", "the agent is not signed in here"))
    }

    pub(super) fn wish(&mut self, now: UtcMs, id: AgentId, wish: Wish) -> Result<(), Refusal> {
        let state = self.session(id)?.state();
        if let (AgentState::Ready | AgentState::Paused, Some(session)) =
            (state, self.agents.get_mut(&id))
        {
            // The newest word holds.
            session.machine.queued = None;
        }
        match state {
            AgentState::Offline if wish == Wish::Logout => Ok(()),
            AgentState::Offline => Err(Refusal::new(
                "not_signed_in",
                "open the agent screen first: it signs in",
            )),
            AgentState::Paused => self.wish_paused(now, id, wish),
            AgentState::Ready => {
                match wish {
                    Wish::Ready => {}
                    Wish::Pause(code) => self.step(now, id, AgentState::Paused, Some(code)),
                    Wish::Logout => self.sign_out(now, id),
                }
                self.trim_now = true;
                Ok(())
            }
            AgentState::Preview => {
                if wish != Wish::Ready {
                    self.end_preview(now, id, ReleaseWhy::Skipped);
                    return self.wish(now, id, wish);
                }
                Ok(())
            }
            AgentState::Wrapup => self.wish_wrapup(now, id, wish),
            AgentState::Lagged => self.wish_lagged(now, id, wish),
            AgentState::Reserved | AgentState::Ringing | AgentState::Talking | AgentState::Hold => {
                if let Some(session) = self.agents.get_mut(&id) {
                    session.machine.queued = queued(wish);
                }
                self.touch(id);
                Ok(())
            }
        }
    }

    fn wish_paused(&mut self, now: UtcMs, id: AgentId, wish: Wish) -> Result<(), Refusal> {
        let session = self.session(id)?;
        match wish {
            Wish::Ready if !session.link_up => Err(Refusal::new(
                "link_lost",
                "the agent's screen is not connected",
            )),
            Wish::Ready if session.call.is_some() => Err(Refusal::new(
                "call_ending",
                "the last call is still being ended: try again in a moment",
            )),
            Wish::Ready if !session.voice_ok() => Err(Refusal::new(
                "phone_down",
                "the agent's phone leg is not up: register the phone and answer it",
            )),
            Wish::Ready => {
                self.step(now, id, AgentState::Ready, None);
                self.freed(now, id);
                Ok(())
            }
            Wish::Pause(code) => {
                if let Some(session) = self.agents.get_mut(&id) {
                    let recoded = session.machine.recode(now, code);
                    debug_assert!(recoded.is_ok(), "{recoded:?}");
                }
                self.touch(id);
                Ok(())
            }
            Wish::Logout => {
                self.sign_out(now, id);
                Ok(())
            }
        }
    }

    fn wish_lagged(&mut self, now: UtcMs, id: AgentId, wish: Wish) -> Result<(), Refusal> {
        let session = self.session(id)?;
        let idle = matches!(
            session.machine.underlying(),
            AgentState::Ready | AgentState::Paused
        );
        if wish == Wish::Logout && idle {
            self.sign_out(now, id);
        } else if let Some(session) = self.agents.get_mut(&id) {
            session.machine.queued = queued(wish);
            self.touch(id);
        }
        Ok(())
    }

    fn wish_wrapup(&mut self, now: UtcMs, id: AgentId, wish: Wish) -> Result<(), Refusal> {
        let session = self.session(id)?;
        let (rules, wrap, disposed) = (session.rules, session.wrap, session.disposed);
        if disposed || may_skip(&rules) {
            if let Some(session) = self.agents.get_mut(&id) {
                session.machine.queued = queued(wish);
            }
            if let Some(attempt) = wrap.filter(|_| !disposed) {
                self.push(Command::NotDisposed { attempt, agent: id });
                self.leave_wrap(now, id);
            } else {
                self.try_leave_wrap(now, id);
            }
            return Ok(());
        }
        if wish == Wish::Ready {
            return Err(Refusal::new(
                "disposition_required",
                "the call needs a disposition first",
            ));
        }
        if let Some(session) = self.agents.get_mut(&id) {
            session.machine.queued = queued(wish);
        }
        self.touch(id);
        Ok(())
    }

    /// The joined call is over: wrap-up begins. `true` when a disposition will be asked for.
    pub(super) fn begin_wrap(&mut self, now: UtcMs, id: AgentId, attempt: AttemptId) -> bool {
        let Some(session) = self.agents.get_mut(&id) else {
            return false;
        };
        if session.call != Some(attempt) {
            return false;
        }
        session.call = None;
        let open = !session.disposed;
        match session.state() {
            AgentState::Talking | AgentState::Hold => {
                session.wrap = Some(attempt);
                self.step(now, id, AgentState::Wrapup, None);
                open
            }
            AgentState::Lagged
                if matches!(
                    session.machine.underlying(),
                    AgentState::Talking | AgentState::Hold
                ) =>
            {
                session.wrap = Some(attempt);
                let moved = session.machine.shift_under(AgentState::Wrapup);
                debug_assert!(moved.is_ok(), "{moved:?}");
                self.touch(id);
                open
            }
            // Paused by a lost link while the call was being ended: nobody will dispose.
            _ => open,
        }
    }

    /// What follows at once after the end of the call was told. An agent who was paused for a lost link
    /// meanwhile will not dispose of it any more.
    pub(super) fn after_wrap_began(
        &mut self,
        now: UtcMs,
        id: AgentId,
        attempt: AttemptId,
        disposed: bool,
    ) {
        let Some(session) = self.agents.get(&id) else {
            return;
        };
        if session.wrap == Some(attempt) {
            if session.disposed {
                self.try_leave_wrap(now, id);
            }
        } else if !disposed {
            self.push(Command::NotDisposed { attempt, agent: id });
        }
    }

    pub(super) fn disposed(
        &mut self,
        now: UtcMs,
        attempt: AttemptId,
        then: Option<Wish>,
    ) -> Result<(), Refusal> {
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.disposed = true;
        }
        // A second agent on the call has no say in its disposition.
        let holder = self.calls.get(&attempt).and_then(|c| c.agent);
        let holds = |id: &AgentId| holder.is_none_or(|h| h == *id);
        let found = self
            .agents
            .iter()
            .find(|(id, s)| (s.wrap == Some(attempt) || s.call == Some(attempt)) && holds(id))
            .map(|(id, _)| *id);
        let Some(id) = found else {
            // Nobody waits for it (disposed late, after NC.ST or a restart).
            return Ok(());
        };
        if let Some(session) = self.agents.get_mut(&id) {
            session.disposed = true;
            if let Some(wish) = then {
                session.machine.queued = queued(wish);
            }
        }
        self.touch(id);
        self.try_leave_wrap(now, id);
        Ok(())
    }

    /// Leaves a disposed wrap-up, unless the mode locks it until its time.
    pub(super) fn try_leave_wrap(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get(&id) else {
            return;
        };
        let locked = session.rules.wrapup_mode == WrapupMode::TimedLocked
            && now.since_ms(session.machine.since()) < session.rules.wrapup_ms;
        if session.state() == AgentState::Wrapup && session.disposed && !locked {
            self.leave_wrap(now, id);
        } else {
            self.touch(id);
        }
    }

    fn leave_wrap(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        session.wrap = None;
        session.disposed = false;
        let wish = session.machine.queued.take().map(Self::wish_of);
        let voice = session.voice_ok();
        match wish {
            Some(Wish::Pause(code)) => {
                self.step(now, id, AgentState::Paused, Some(code));
                self.trim_now = true;
            }
            Some(Wish::Logout) => self.sign_out(now, id),
            _ if !voice => self.step(now, id, AgentState::Paused, Some(PauseCode::NoAnswer)),
            _ => {
                self.step(now, id, AgentState::Ready, None);
                self.freed(now, id);
            }
        }
    }

    /// The wrap-up's time is up.
    pub(super) fn wrap_limit(&mut self, now: UtcMs, id: AgentId) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        if session.disposed {
            return self.leave_wrap(now, id);
        }
        let wrap = session.wrap.take();
        session.machine.queued = None;
        if let Some(attempt) = wrap {
            self.push(Command::NotDisposed { attempt, agent: id });
        }
        self.step(now, id, AgentState::Paused, Some(PauseCode::WrapTimeout));
        self.trim_now = true;
    }

    /// Persons whose cards agents look at now.
    pub(super) fn previewed(&self) -> impl Iterator<Item = PersonId> {
        self.agents
            .values()
            .filter_map(|s| s.preview.as_ref().map(|(_, item)| item.person))
    }

    pub(super) fn offer_previews(&mut self, now: UtcMs, campaign: CampaignId) {
        loop {
            let Some(run) = self.campaigns.get_mut(&campaign) else {
                return;
            };
            // An own call-back whose agent is not free keeps no other from being looked at.
            let own = run.hopper.iter().take_while(|i| i.own_only).count();
            let served = |at: usize| {
                let item = run.hopper.get(at)?;
                let agent = crate::router::choose(&self.agents, Some(&run.spec), item)?;
                Some((at, agent))
            };
            let Some((at, agent)) = (0..=own).find_map(served) else {
                return;
            };
            let Some(item) = run.hopper.remove(at) else {
                return;
            };
            let (max, rules) = (run.spec.preview_max_ms, run.spec.rules);
            let attempt = AttemptId(self.ids.next(now));
            if let Some(session) = self.agents.get_mut(&agent) {
                session.preview = Some((attempt, item.clone()));
                session.preview_max_ms = max;
                session.rules = rules;
            }
            self.step(now, agent, AgentState::Preview, None);
            self.push(Command::Preview {
                attempt,
                agent,
                item: Box::new(item),
            });
        }
    }

    /// Ends a preview without a call; the agent is ready.
    pub(super) fn end_preview(&mut self, now: UtcMs, id: AgentId, why: ReleaseWhy) {
        let Some(session) = self.agents.get_mut(&id) else {
            return;
        };
        let Some((_, item)) = session.preview.take() else {
            return;
        };
        let in_preview = session.state() == AgentState::Preview;
        self.release(item, why);
        self.push(Command::PreviewOver(id));
        if in_preview {
            self.step(now, id, AgentState::Ready, None);
        }
    }

    pub(super) fn preview_dial(&mut self, now: UtcMs, id: AgentId) -> Result<(), Refusal> {
        let none = || Refusal::new("no_preview", "the agent has no card to decide on");
        let session = self.session(id)?;
        let (attempt, item) = session.preview.clone().ok_or_else(none)?;
        let rules = session.rules;
        let trunk = self.hand_trunk(now, &item)?;
        if let Some(session) = self.agents.get_mut(&id) {
            session.preview = None;
        }
        self.order(
            now,
            attempt,
            item,
            trunk,
            Some(id),
            DialMode::Preview,
            rules,
        );
        Ok(())
    }

    pub(super) fn preview_skip(&mut self, now: UtcMs, id: AgentId) -> Result<(), Refusal> {
        let session = self.session(id)?;
        let Some((_, item)) = &session.preview else {
            return Err(Refusal::new(
                "no_preview",
                "the agent has no card to decide on",
            ));
        };
        let allowed = self
            .campaigns
            .get(&item.campaign)
            .is_none_or(|r| r.spec.preview_skip);
        if !allowed {
            return Err(Refusal::new(
                "skip_forbidden",
                "the campaign does not let previews be skipped",
            ));
        }
        self.end_preview(now, id, ReleaseWhy::Skipped);
        self.settle(now, id);
        Ok(())
    }

    pub(super) fn manual(
        &mut self,
        now: UtcMs,
        id: AgentId,
        attempt: AttemptId,
        item: Item,
        rules: CallRules,
    ) -> Result<(), Refusal> {
        let session = self.session(id)?;
        if !session.link_up || !session.voice_ok() {
            return Err(Refusal::new(
                "phone_down",
                "the agent's screen and phone leg must be up to dial",
            ));
        }
        let state = session.state();
        if !matches!(state, AgentState::Ready | AgentState::Paused) || session.call.is_some() {
            return Err(Refusal::new(
                "agent_busy",
                format!("an agent who is {state} cannot dial"),
            ));
        }
        if self.persons.contains_key(&item.person) || self.previewed().any(|p| p == item.person) {
            return Err(Refusal::new(
                "debtor_in_call",
                "this person has a live call already, or another agent looks at his card",
            ));
        }
        let trunk = self.hand_trunk(now, &item)?;
        let mut queued = Vec::new();
        for run in self.campaigns.values_mut() {
            while let Some(at) = run.hopper.iter().position(|i| i.person == item.person) {
                queued.extend(run.hopper.remove(at));
            }
        }
        for other in queued {
            self.release(other, ReleaseWhy::Double);
        }
        if state == AgentState::Paused {
            // After the call he is paused as before.
            let code = session_code(&self.agents, id);
            self.step(now, id, AgentState::Ready, None);
            if let Some(session) = self.agents.get_mut(&id) {
                session.machine.queued = code.map(QueuedWish::Pause);
            }
        }
        self.order(now, attempt, item, trunk, Some(id), DialMode::Manual, rules);
        Ok(())
    }
}
