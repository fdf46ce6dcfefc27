//! Predictive pacing: how many calls now, so that people who answer find an agent and agents find
//! people.
//!
//! Pure: the time (seconds from any start) and everything that happened are arguments; there is no
//! chance in it. Tell it every change of a call ([`Predictive::call`]) and of an agent
//! ([`Predictive::agent`]) and ask [`Predictive::decide`] on every tick and whenever an agent frees.
//! It learns on line, what is still in progress included; it forecasts which agents will be free and
//! which calls in flight a person will answer, and dials while the chance that one more answer finds
//! nobody stays under a threshold; the threshold follows what was really abandoned.

mod agents;
mod bank;
mod calls;
mod chance;
mod change;
mod crowd;
mod hazard;
mod level;
mod memory;
mod numbers;
mod picks;
mod risk;
mod rivals;
mod told;

use crate::lean::Lean;
use agents::Agents;
use bank::{Bank, Bet};
use calls::{Calls, Stage};
use chance::Chance;
use numbers::Numbers;
use picks::Picking;
pub use picks::{Launches, Queue};
use risk::Count;

/// Chances of one call in flight to be live by each horizon.
pub type Outlook = [f64; HORIZONS];

/// Identity of a call or an agent, whatever the host counts them by.
pub type Key = u128;

pub use memory::Memory;
pub use told::Flight;

/// Instants of a fresh call's answer at which the risk is taken.
const HORIZONS: usize = 5;
/// Prior weight at the start, calls: enough not to burst, little enough to be forgotten in minutes.
const PRIOR_CALLS: f64 = 30.0;
/// Least prior weight, calls: a bin that is empty still has a rate.
const PRIOR_LEAST: f64 = 2.0;
/// Half-life of the prior weight, s.
const PRIOR_HALF_LIFE_S: f64 = 600.0;
/// Share of the limit in which an agent who frees is still in time for a waiting call.
const IN_TIME: f64 = 0.75;
/// Agents up to which the sums are exact.
const EXACT_AGENTS: usize = 64;
/// Age of the tables at which they are made again, s.
const TABLE_AGE_S: f64 = 3.0;
/// Age of the agents' tables at which they are made again, s: talk changes slowly.
const AGENTS_AGE_S: f64 = 10.0;
/// Relative change of the fast factors at which the tables are made again.
const TABLE_CHANGE: f64 = 0.03;
/// Most calls one decision launches.
const LAUNCHES_MAX: u32 = 2_000;

/// What a campaign sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Share of live answers that may be abandoned: what the feedback holds, below the legal cap.
    pub target: f64,
    /// From a live answer to an agent, s.
    pub limit_s: f64,
    /// Longest ringing, s.
    pub ring_timeout_s: f64,
}

/// Settings that cannot be dialed with.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SettingsRefused {
    /// No abandonment is allowed at all.
    #[error(
        "abandonment target {0}: predictive dialing needs a share above 0 and below 0.5; with a cap of 0 choose progressive"
    )]
    Target(f64),
    /// The limit is not a time.
    #[error("agent within {0} s: must be above 0 and at most 60 s")]
    Limit(f64),
    /// The ring time is not a time.
    #[error("ring timeout {0} s: must be from 5 to 120 s")]
    RingTimeout(f64),
}

/// Something that happened to a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CallEvent {
    /// Dialed, with the estimate that a person answers, if there is one.
    Launched(Option<f64>),
    /// It rings.
    Ringing,
    /// Answered by somebody or something.
    Answered,
    /// A person.
    Live,
    /// Joined with an agent.
    Connected,
    /// A person found no agent in time.
    Abandoned,
    /// Over without a person: busy, no such number, no answer, machine, congestion.
    Ended,
    /// An agent is kept for it: its answer wants no other.
    Kept,
    /// Withdrawn by us; tells nothing.
    Withdrawn,
    /// The agent it was joined with found a machine: it was no live answer.
    Machine,
}

/// State of an agent as far as pacing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentState {
    /// Not signed in.
    Off,
    /// Takes a call now.
    Idle,
    /// With a call.
    Talk,
    /// Wrap-up.
    Wrap,
    /// Paused.
    Break,
}

/// Where a call stands when a host tells all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPhase {
    /// Dialed, does not ring yet.
    Setup,
    /// Rings.
    Ring,
    /// Answered, not known by whom.
    Detect,
    /// A person without an agent.
    Wait,
}

/// The situation at a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Agents free now.
    pub idle: u32,
    /// People who wait for an agent.
    pub waiting: u32,
    /// Most calls that lines and rates allow now.
    pub most: u32,
    /// Factor on the risk, 0 to 1: the guard's.
    pub shrink: f64,
    /// Share of the agents' time that is this campaign's, above 0 to 1.
    pub share: f64,
}

/// The policy.
#[derive(Debug)]
pub struct Predictive {
    settings: Settings,
    calls: Calls,
    agents: Agents,
    numbers: Numbers,
    bank: Bank,
    /// What the last decision stakes.
    bet: Bet,
    /// Calls it said, and those dialed since.
    planned: (u32, u32),
    tabled_at: f64,
    tabled_factor: f64,
    agents_tabled_at: f64,
    horizons: [f64; HORIZONS],
    share: f64,
    rivals: Vec<Outlook>,
    lean: Lean,
    free: [Count; HORIZONS],
    wanted: [Count; HORIZONS],
}

impl Predictive {
    /// A policy that has learned nothing.
    ///
    /// # Errors
    /// When the settings leave nothing to decide.
    pub fn new(settings: Settings) -> Result<Self, SettingsRefused> {
        settings.check()?;
        let mut policy = Self {
            settings,
            calls: Calls::new(settings.ring_timeout_s),
            agents: Agents::new(),
            numbers: Numbers::default(),
            bank: Bank::new(settings.target),
            bet: Bet::default(),
            planned: (0, 0),
            tabled_at: f64::NEG_INFINITY,
            tabled_factor: 1.0,
            agents_tabled_at: f64::NEG_INFINITY,
            horizons: [0.0; HORIZONS],
            share: 1.0,
            rivals: Vec::new(),
            lean: Lean::default(),
            free: Default::default(),
            wanted: Default::default(),
        };
        policy.settle(0.0);
        Ok(policy)
    }

    /// A call changed.
    pub fn call(&mut self, t: f64, id: Key, what: CallEvent) {
        match what {
            CallEvent::Launched(estimate) => {
                self.planned.1 = self.planned.1.saturating_add(1);
                let odds = estimate.map_or(1.0, |e| self.numbers.odds(e));
                self.calls.launched(t, id, estimate, odds);
            }
            CallEvent::Ringing => self.calls.ringing(t, id),
            CallEvent::Answered => self.calls.answered(t, id),
            CallEvent::Live => {
                self.calls.live(t, id);
            }
            CallEvent::Connected | CallEvent::Abandoned => {
                self.calls.live(t, id);
                if let Some(estimate) = self.calls.gone(t, id).and_then(|c| c.estimate) {
                    self.numbers.learn(estimate, true);
                }
                self.bank.came(t, what == CallEvent::Abandoned);
            }
            CallEvent::Ended => {
                // Who hung up in time was a person all the same.
                if let Some(call) = self.calls.gone(t, id)
                    && let Some(estimate) = call.estimate
                {
                    self.numbers.learn(estimate, call.stage == Stage::Wait);
                }
            }
            CallEvent::Kept => self.calls.keep_apart(id),
            CallEvent::Withdrawn => self.calls.forget(id),
            CallEvent::Machine => self.bank.machine(),
        }
    }

    /// An agent is in a new state.
    pub fn agent(&mut self, t: f64, id: Key, state: AgentState) {
        self.agents.moved(t, id, state);
    }

    /// Whether an agent has said that he takes no other call after the one he has. To be told after his state.
    pub fn leaves(&mut self, id: Key, leaves: bool) {
        self.agents.leaves(id, leaves);
    }

    /// Calls to launch now, of numbers nothing is known about.
    pub fn decide(&mut self, t: f64, look: &Look) -> u32 {
        self.decide_among(t, look, &Queue::default()).count
    }

    /// Calls to launch now, and which of the next numbers.
    pub fn decide_among(&mut self, t: f64, look: &Look, queue: &Queue<'_>) -> Launches {
        self.close_bet();
        self.bank.pass(t);
        self.calls.count_all(t);
        let factor = self.calls.hit_factor();
        let moved = (factor / self.tabled_factor - 1.0).abs() > TABLE_CHANGE;
        if t - self.tabled_at >= TABLE_AGE_S || moved {
            self.settle(t);
        }
        let most = look.most.min(LAUNCHES_MAX);
        if most == 0 {
            return Launches::default();
        }
        self.share = look.share.clamp(0.0, 1.0);
        // What the campaign holds back is held back by the rule; what it asks for beyond comes after it.
        let held = self.lean.back();
        let spare = i64::from(look.idle) - i64::from(look.waiting) + i64::from(held.agent_balance);
        let allowed = self.allowed(look, held.agent_balance);
        let (mut launches, mut bet) = if self.agents.at_work() <= EXACT_AGENTS {
            let picking = Picking::new(queue, &self.numbers, self.agents.at_work());
            self.exact(t, spare, allowed, most, picking)
        } else {
            let (count, bet) = self.normal(t, spare, allowed, most);
            let picks = Vec::new();
            (Launches { count, picks }, bet)
        };
        self.push(t, look, most, &mut launches, &mut bet);
        self.open_bet(look, launches.count, bet);
        launches
    }

    /// The risk that a launch may have, with so many agents more than are free.
    fn allowed(&self, look: &Look, agents: i32) -> f64 {
        let idle = look.idle.saturating_add_signed(agents);
        self.theta() * look.shrink.clamp(0.0, 1.0) * f64::from(idle).max(0.5).sqrt()
    }

    /// Tells the account what the last decision staked, as far as it was dialed: what lines, rates or
    /// the guard held back is no saving.
    fn close_bet(&mut self) {
        let bet = std::mem::take(&mut self.bet);
        let (planned, launched) = std::mem::take(&mut self.planned);
        if planned == 0 {
            return;
        }
        let share = f64::from(launched.min(planned)) / f64::from(planned);
        self.bank.bet(Bet {
            live: bet.live * share,
            lost: bet.lost * share,
            held: bet.held || launched < planned,
        });
    }

    fn open_bet(&mut self, look: &Look, count: u32, bet: Bet) {
        self.planned = (count, 0);
        self.bet = Bet {
            held: bet.held || look.shrink < 1.0,
            ..bet
        };
    }

    /// The window that the law counts holds so many abandoned of so many live answers: what may be lost next follows
    /// from that. To be told when the window begins, and when this policy begins in the midst of one.
    pub fn account(&mut self, abandoned: f64, answers: f64) {
        self.bank.settle(abandoned, answers);
    }

    /// Abandoned calls beyond the target on the account, savings below nought.
    #[must_use]
    pub const fn owed(&self) -> f64 {
        self.bank.owed()
    }

    /// Threshold of the risk in force.
    #[must_use]
    pub fn theta(&self) -> f64 {
        self.bank.threshold()
    }

    /// Chance that a call dialed now will reach a person, as learned.
    #[must_use]
    pub fn live_share(&self) -> f64 {
        self.calls.fresh.ever
    }

    /// Calls in flight whose answer is open, as far as it was told.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.open()
    }

    fn settle(&mut self, t: f64) {
        let weight = (PRIOR_CALLS * 0.5_f64.powf(t.max(0.0) / PRIOR_HALF_LIFE_S)).max(PRIOR_LEAST);
        self.calls.settle(t, weight);
        let horizons = self.calls.horizons;
        if t - self.agents_tabled_at >= AGENTS_AGE_S || horizons != self.horizons {
            let grace = IN_TIME * self.settings.limit_s;
            self.agents.settle(t, weight, &horizons.map(|h| h + grace));
            self.agents_tabled_at = t;
            self.horizons = horizons;
        }
        self.tabled_at = t;
        self.tabled_factor = self.calls.hit_factor();
    }

    fn exact(
        &mut self,
        t: f64,
        spare: i64,
        allowed: f64,
        most: u32,
        mut picking: Picking,
    ) -> (Launches, Bet) {
        for (free, wanted) in self.free.iter_mut().zip(&mut self.wanted) {
            free.clear();
            wanted.clear();
        }
        for chances in self.agents.free(t) {
            for (count, r) in self.free.iter_mut().zip(chances) {
                count.add(r * self.share);
            }
        }
        let lean = self.lean.back();
        for chance in self.calls.chances(t) {
            for (count, q) in self.wanted.iter_mut().zip(chance.by) {
                count.add(lean.weighs(q));
            }
        }
        let fresh: Chance = self.calls.fresh;
        for rival in &self.rivals {
            for (count, q) in self.wanted.iter_mut().zip(rival) {
                count.add(*q);
            }
        }
        let mut bet = Bet::default();
        let mut launches = 0;
        loop {
            let mut risk = 0.0;
            for (free, wanted) in self.free.iter().zip(&mut self.wanted) {
                wanted.sum_up();
                risk += free.short(spare, wanted);
            }
            risk /= f64_of(HORIZONS);
            if risk > allowed {
                break;
            }
            if launches == most {
                bet.held = true;
                break;
            }
            let next = picking.take(fresh, risk / allowed.max(f64::MIN_POSITIVE));
            for (count, q) in self.wanted.iter_mut().zip(next.by) {
                count.add(lean.weighs(q));
            }
            bet.live += next.ever;
            bet.lost += next.ever * risk;
            launches += 1;
        }
        (picking.launches(launches), bet)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
const fn f64_of(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
