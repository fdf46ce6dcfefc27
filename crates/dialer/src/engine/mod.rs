//! The brain itself: state, dispatch, timers.

mod calls;
mod cards;
mod desk;
mod judged;
mod launch;
mod look;
mod obey;
mod offer;
mod queue;
mod run;
mod share;
mod shift;
mod stops;
mod transfer;
mod withdraw;

pub use look::{CampaignView, WindowView};

use crate::call::Call;
use crate::gate::Gate;
use crate::guard::{Guard, ShortDay};
use crate::lines::Lines;
use crate::pacing::{ModeRefused, Observation};
use crate::session::Session;
use crate::spec::{Item, KeptPlace};
use crate::talk::{Command, Input, ReleaseWhy};
use domain::ids::{AgentId, AttemptId, CampaignId, PersonId};
use domain::ports::IdSource;
use domain::time::UtcMs;
use run::Running;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longest time without being asked.
const WAIT_MAX_MS: i64 = 60_000;

/// Why an input was not taken: a value, not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// Stable code.
    pub code: &'static str,
    /// What is the matter, and what would be right.
    pub what: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
        }
    }
}

impl From<ModeRefused> for Refusal {
    fn from(refused: ModeRefused) -> Self {
        Self::new("mode_unavailable", refused.to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Campaign(CampaignId),
    Agent(AgentId),
    Call(AttemptId),
}

#[derive(Debug, Default)]
struct Timers {
    queue: BTreeSet<(UtcMs, Timer)>,
    at: BTreeMap<Timer, UtcMs>,
}

impl Timers {
    fn set(&mut self, timer: Timer, at: Option<UtcMs>) {
        if let Some(old) = self.at.remove(&timer) {
            self.queue.remove(&(old, timer));
        }
        if let Some(at) = at {
            self.at.insert(timer, at);
            self.queue.insert((at, timer));
        }
    }

    fn pop(&mut self, now: UtcMs) -> Option<Timer> {
        let (at, timer) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.at.remove(&timer);
        Some(timer)
    }

    fn next(&self) -> Option<UtcMs> {
        self.queue.first().map(|(at, _)| *at)
    }
}

/// The brain. See the crate's page for its contract.
pub struct Dialer {
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) campaigns: BTreeMap<CampaignId, Running>,
    pub(crate) agents: BTreeMap<AgentId, Session>,
    pub(crate) calls: BTreeMap<AttemptId, Call>,
    pub(crate) persons: BTreeMap<PersonId, AttemptId>,
    /// Places in queues whose callers are to be called back.
    pub(crate) places: Vec<KeptPlace>,
    pub(crate) lines: Lines,
    pub(crate) guard: Guard,
    pub(crate) gates: BTreeSet<Gate>,
    /// Rules on short calls of campaigns that do not dial, for calls by hand.
    off_days: BTreeMap<CampaignId, ShortDay>,
    /// Calls that were started so far.
    pub(crate) started: u64,
    timers: Timers,
    out: Vec<Command>,
    /// An agent became free, or something else allows new calls at once.
    launch_now: bool,
    /// Agents were lost: ringing calls may be too many.
    trim_now: bool,
    /// Who drives it says when lines are looked at.
    gathers: bool,
    now: UtcMs,
}

impl Dialer {
    /// A brain without campaigns, agents or trunks.
    #[must_use]
    pub fn new(ids: Arc<dyn IdSource>) -> Self {
        Self {
            ids,
            campaigns: BTreeMap::new(),
            agents: BTreeMap::new(),
            calls: BTreeMap::new(),
            persons: BTreeMap::new(),
            places: Vec::new(),
            lines: Lines::default(),
            guard: Guard::default(),
            gates: BTreeSet::new(),
            off_days: BTreeMap::new(),
            started: 0,
            timers: Timers::default(),
            out: Vec::new(),
            launch_now: false,
            trim_now: false,
            gathers: false,
            now: UtcMs::default(),
        }
    }

    /// From now on calls are withdrawn and placed by [`Dialer::act`] only: of a thousand tidings that come at once
    /// each is taken, and what they mean for the lines is asked once.
    pub fn gather(&mut self) {
        self.gathers = true;
    }

    /// Withdraws what is too much and places what is missing, after all that was taken since the last time.
    pub fn act(&mut self, now: UtcMs) {
        let now = now.max(self.now);
        self.now = now;
        if std::mem::take(&mut self.trim_now) {
            self.trim(now);
        }
        if std::mem::take(&mut self.launch_now) {
            self.launch(now);
        }
    }

    /// Takes an input. Time never runs backwards: an earlier `now` counts as the latest seen.
    ///
    /// # Errors
    /// A refusal when what a person asked for cannot be done now; the state is unchanged then.
    pub fn handle(&mut self, now: UtcMs, input: Input) -> Result<(), Refusal> {
        let now = now.max(self.now);
        self.now = now;
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Campaign(id) => self.campaign_tick(now, id),
                Timer::Agent(id) => self.agent_limit(now, id),
                Timer::Call(id) => self.call_limit(now, id),
            }
        }
        let done = self.dispatch(now, input);
        if !self.gathers {
            self.act(now);
        }
        done
    }

    /// Takes the commands out; the last one is `Wait`.
    pub fn drain(&mut self) -> Vec<Command> {
        let mut out = std::mem::take(&mut self.out);
        let latest = self.now.plus_ms(WAIT_MAX_MS);
        out.push(Command::Wait(
            self.timers.next().map_or(latest, |at| at.min(latest)),
        ));
        out
    }

    fn dispatch(&mut self, now: UtcMs, input: Input) -> Result<(), Refusal> {
        match input {
            Input::Tick => {}
            Input::Campaign(spec) => self.campaign_on(now, *spec)?,
            Input::CampaignOff { campaign, cancel } => self.campaign_off(now, campaign, cancel),
            Input::Stock {
                campaign,
                items,
                more,
            } => self.stock(now, campaign, items, more),
            input @ (Input::Answers(_)
            | Input::Counted { .. }
            | Input::CountedMachine { .. }
            | Input::CountedBack { .. }) => self.told_of_guard(now, input),
            input @ (Input::Recall { .. }
            | Input::Day { .. }
            | Input::Loses(..)
            | Input::Machine { .. }
            | Input::ShortCalls { .. }) => self.told_of_run(now, input),
            Input::Trunk(spec) => self.lines.put(spec),
            Input::TrunkHealth { trunk, up } => {
                self.lines.set_up(trunk, up);
                self.launch_now |= up;
            }
            Input::Gate { gate, closed } => self.gate(gate, closed),
            Input::AgentIn(spec) => self.agent_in(now, *spec),
            Input::LinkLost(agent) => self.link_lost(now, agent),
            Input::Leg { agent, up } => self.leg(now, agent, up),
            Input::Wish { agent, wish } => self.wish(now, agent, wish)?,
            Input::OpenDone { attempt, result } => self.open_done(now, attempt, result),
            Input::Sent(attempt) => self.sent(now, attempt),
            Input::Ringing(attempt) => self.ringing(now, attempt),
            Input::Answered { attempt, at } => self.answered(now, attempt, at),
            Input::PopFailed { attempt, agent } => self.pop_failed(now, attempt, agent),
            Input::BridgeFailed { attempt, agent } => self.bridge_failed(now, attempt, agent),
            Input::Bridged { attempt, agent, at } => self.bridged(now, attempt, agent, at),
            Input::Judged { attempt, heard } => self.judged(now, attempt, heard),
            Input::Toned { attempt, result } => self.toned(now, attempt, result),
            Input::Beep(attempt) => self.beep(now, attempt),
            Input::Played(attempt) => self.played(now, attempt),
            Input::Ended { attempt, end } => self.ended(now, attempt, end),
            Input::OneWay { attempt, silent_ms } => self.one_way(now, attempt, silent_ms),
            Input::HangUp(attempt) => self.hang_up(now, attempt)?,
            Input::Hold { attempt, on } => self.hold(now, attempt, on)?,
            Input::Hand { attempt, hand } => self.hand(now, attempt, hand)?,
            Input::Disposed { attempt, then } => self.disposed(now, attempt, then)?,
            Input::PreviewDial(agent) => self.preview_dial(now, agent)?,
            Input::PreviewSkip(agent) => self.preview_skip(now, agent)?,
            Input::Manual {
                agent,
                attempt,
                item,
                rules,
            } => self.manual(now, agent, attempt, *item, rules)?,
            Input::Incoming(came) => self.incoming(now, *came)?,
            Input::Noticed(attempt) => self.noticed(now, attempt),
            Input::Queue { attempt, wait_ms } => self.wants_agent(now, attempt, wait_ms)?,
            Input::KeepPlace { from, place } => self.keep_place(now, from, *place)?,
            Input::TakePlace(place) => self.take_place(now, *place)?,
            Input::DropPlace(attempt) => self.drop_places(|p| p.attempt == attempt),
            Input::Found { attempt, item } => self.found(attempt, *item)?,
            Input::LeaveQueue(attempt) => self.leave_queue(now, attempt)?,
            Input::Withdraw(debtor) => self.withdraw(now, |i| i.debtor == debtor),
            Input::WithdrawPerson(person) => self.withdraw(now, |i| i.person == person),
        }
        Ok(())
    }

    /// What the guard is told of answers that this brain did not have, or had before.
    fn told_of_guard(&mut self, now: UtcMs, input: Input) {
        match input {
            Input::Answers(slots) => self.guard.fold(now, &slots),
            Input::Counted {
                campaign,
                client,
                at,
                abandoned,
            } => self.guard.count(now, at, campaign, client, abandoned),
            Input::CountedMachine {
                campaign,
                client,
                at,
            } => self.guard.machine(at, campaign, client),
            Input::CountedBack {
                campaign,
                client,
                at,
            } => self.guard.take_back(at, campaign, client),
            _ => {}
        }
    }

    /// What a campaign is told that goes on as it is.
    fn told_of_run(&mut self, now: UtcMs, input: Input) {
        match input {
            Input::Recall {
                campaign,
                memory,
                age_ms,
            } => {
                if let Some(run) = self.campaigns.get_mut(&campaign) {
                    run.policy.recall(&memory, age_ms);
                }
            }
            Input::Day {
                campaign,
                began,
                ends,
            } => self.new_day(now, campaign, began, ends),
            Input::Loses(campaign, pct) => {
                if let Some(run) = self.campaigns.get_mut(&campaign) {
                    run.loses(pct);
                }
            }
            Input::ShortCalls { campaign, counted } => self.short_calls(campaign, counted),
            Input::Machine {
                attempt,
                campaign,
                client,
                answered_at,
            } => {
                self.guard.machine(answered_at, campaign, client);
                self.observe_call(now, campaign, attempt, Observation::Machine);
            }
            _ => {}
        }
    }

    fn gate(&mut self, gate: Gate, closed: bool) {
        if closed {
            self.gates.insert(gate);
        } else {
            self.gates.remove(&gate);
            self.launch_now = true;
        }
    }

    fn new_day(&mut self, now: UtcMs, id: CampaignId, began: UtcMs, ends: UtcMs) {
        if let Some(run) = self.campaigns.get_mut(&id)
            && began <= now
            && now < ends
        {
            (run.day.began, run.day.ends) = (began, ends);
        }
    }

    fn campaign_off(&mut self, now: UtcMs, id: CampaignId, cancel: bool) {
        let Some(run) = self.campaigns.get_mut(&id) else {
            return;
        };
        run.on = false;
        // Nobody counts it for who does not dial.
        run.short_calls = None;
        let items: Vec<Item> = run.hopper.drain(..).collect();
        for item in items {
            self.release(item, ReleaseWhy::CampaignOff);
        }
        self.drop_places(|p| p.item.campaign == id);
        self.timers.set(Timer::Campaign(id), None);
        let previews: Vec<AgentId> = self
            .agents
            .iter()
            .filter(|(_, s)| s.preview.as_ref().is_some_and(|(_, i)| i.campaign == id))
            .map(|(agent, _)| *agent)
            .collect();
        for agent in previews {
            self.end_preview(now, agent, ReleaseWhy::CampaignOff);
        }
        if cancel {
            let ringing: Vec<AttemptId> = self
                .calls
                .values()
                .filter(|c| c.item.campaign == id && c.unanswered())
                .map(|c| c.attempt)
                .collect();
            for attempt in ringing {
                self.cancel(now, attempt);
            }
        }
    }

    pub(crate) fn release(&mut self, item: Item, why: ReleaseWhy) {
        self.out.push(Command::Release {
            item: Box::new(item),
            why,
        });
    }

    pub(crate) fn push(&mut self, command: Command) {
        self.out.push(command);
    }

    /// Sets the agent's timer and tells about his change.
    pub(crate) fn touch(&mut self, agent: AgentId) {
        let deadline = self.agents.get(&agent).and_then(Session::deadline);
        self.timers.set(Timer::Agent(agent), deadline);
        let told = Command::AgentChanged(agent);
        if self.out.last() != Some(&told) {
            self.out.push(told);
        }
    }

    /// Sets the call's timer.
    pub(crate) fn arm(&mut self, attempt: AttemptId) {
        let deadline = self.calls.get(&attempt).map(Call::deadline);
        self.timers.set(Timer::Call(attempt), deadline);
    }

    pub(crate) fn arm_campaign(&mut self, id: CampaignId, at: UtcMs) {
        self.timers.set(Timer::Campaign(id), Some(at));
    }
}
