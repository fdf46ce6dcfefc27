//! The live policy and those it is compared with, behind one trait.

use super::obs::{Ev, EvWhat, Hello, Obs, Reply};
use dialer::predictive::{CallEvent, Look, Predictive, Queue, Settings, SettingsRefused};
use dialer::{Heads, Lean};
use domain::entity::AgentCountBasis;
use std::collections::VecDeque;

/// The target as a share of the cap where none is told: what is left covers chance and late answers. The product
/// aims lower ([`dialer::TARGET_OF_CAP`]).
pub const TARGET_OF_CAP: f64 = 0.985;

/// A policy in a simulation or in a process.
pub trait Pilot: Send {
    /// Calls to launch now.
    fn decide(&mut self, obs: &Obs) -> Reply;
}

/// Which policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Policy {
    /// The product's.
    Predictive,
    /// The product's, estimates by number used in the order of the queue: nobody is picked.
    PredictiveQueue,
    /// The product's, estimates by number not used.
    PredictiveBlind,
    /// One line for each idle agent.
    Progressive,
    /// So many lines for each idle agent.
    Ratio(f64),
    /// So many lines for each agent, calls with an agent counted: the engine's mode power.
    Power(f64),
    /// The classic adaptive level.
    Adapt,
    /// The classic adaptive level over idle agents only, up to so many lines for each; its own control of
    /// drops is off.
    Available(f64),
    /// With the level sought in hindsight.
    Tuned(Tuned),
}

/// Policies whose level can be sought in hindsight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuned {
    /// A fixed ratio.
    Ratio,
    /// The adaptive level over idle agents.
    Available,
}

impl Tuned {
    /// The policy at a level.
    #[must_use]
    pub const fn at(self, level: f64) -> Policy {
        match self {
            Self::Ratio => Policy::Ratio(level),
            Self::Available => Policy::Available(level),
        }
    }
}

/// Least and most of a level.
const LEVELS: std::ops::RangeInclusive<f64> = 1.0..=50.0;

impl Policy {
    /// Name in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Predictive => "predictive".into(),
            Self::PredictiveQueue => "predictive-queue".into(),
            Self::PredictiveBlind => "predictive-blind".into(),
            Self::Progressive => "progressive".into(),
            Self::Ratio(r) => format!("ratio:{}", short(r)),
            Self::Power(r) => format!("power:{}", short(r)),
            Self::Adapt => "adapt".into(),
            Self::Available(r) => format!("available:{}", short(r)),
            Self::Tuned(Tuned::Ratio) => "ratio:tuned".into(),
            Self::Tuned(Tuned::Available) => "available:tuned".into(),
        }
    }

    /// By name: `predictive`, `predictive-queue`, `predictive-blind`, `progressive`, `ratio:2.5`, `power:3`,
    /// `adapt`.
    ///
    /// # Errors
    /// The names there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "predictive" => Ok(Self::Predictive),
            "predictive-queue" => Ok(Self::PredictiveQueue),
            "predictive-blind" => Ok(Self::PredictiveBlind),
            "progressive" => Ok(Self::Progressive),
            "adapt" => Ok(Self::Adapt),
            "ratio:tuned" => Ok(Self::Tuned(Tuned::Ratio)),
            "available:tuned" => Ok(Self::Tuned(Tuned::Available)),
            _ => {
                let level = |name: &str| {
                    let level = text.strip_prefix(name)?.parse::<f64>().ok()?;
                    LEVELS.contains(&level).then_some(level)
                };
                let ratio = level("ratio:").map(Self::Ratio);
                ratio
                    .or_else(|| level("available:").map(Self::Available))
                    .or_else(|| level("power:").map(Self::Power))
                    .ok_or_else(|| {
                        format!(
                            "policy {text:?}: choose predictive, predictive-queue, predictive-blind, progressive, adapt, power:R with R from 1 to 50, or ratio:R or available:R with such an R or the word tuned"
                        )
                    })
            }
        }
    }

    /// A fresh pilot.
    ///
    /// # Errors
    /// When the campaign leaves nothing to decide.
    pub fn start(self, hello: &Hello) -> Result<Box<dyn Pilot>, SettingsRefused> {
        Ok(match self {
            Self::Predictive => Box::new(Live::new(hello, Estimates::Pick)?),
            Self::PredictiveQueue => Box::new(Live::new(hello, Estimates::Queue)?),
            Self::PredictiveBlind => Box::new(Live::new(hello, Estimates::Ignore)?),
            Self::Progressive => Box::new(Ratio(1.0)),
            Self::Ratio(lines) => Box::new(Ratio(lines)),
            Self::Power(lines) => Box::new(Power(hello.lean.level(lines), hello.lean)),
            Self::Adapt => Box::new(Adapt::new(hello, None)),
            Self::Available(most) => Box::new(Adapt::new(hello, Some(most))),
            // Before a level is found it is one line an idle agent.
            Self::Tuned(_) => Box::new(Ratio(1.0)),
        })
    }
}

/// What is made of estimates by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimates {
    /// Nothing.
    Ignore,
    /// Calls weigh by them, the queue's order is kept.
    Queue,
    /// Small teams also pick among the next numbers.
    Pick,
}

/// The product's policy.
#[derive(Debug)]
pub struct Live {
    brain: Predictive,
    estimates: Estimates,
    next: Vec<Option<f64>>,
}

impl Live {
    /// A fresh one.
    ///
    /// # Errors
    /// When the campaign leaves nothing to decide.
    pub fn new(hello: &Hello, estimates: Estimates) -> Result<Self, SettingsRefused> {
        let mut brain = Predictive::new(Settings {
            target: hello.aim(),
            limit_s: hello.deadline_s,
            ring_timeout_s: hello.no_answer_timeout_s,
        })?;
        brain.lean(&hello.lean);
        Ok(Self {
            brain,
            estimates: if hello.per_number {
                estimates
            } else {
                Estimates::Ignore
            },
            next: Vec::new(),
        })
    }

    /// The policy itself.
    #[must_use]
    pub const fn brain(&self) -> &Predictive {
        &self.brain
    }

    fn learn(&mut self, ev: &Ev) {
        let (id, what) = match ev.what {
            EvWhat::Agent(id, state) => return self.brain.agent(ev.t, id, state),
            EvWhat::Launched(id, estimate) => {
                let used = self.estimates != Estimates::Ignore;
                (id, CallEvent::Launched(estimate.filter(|_| used)))
            }
            EvWhat::Ringing(id) => (id, CallEvent::Ringing),
            EvWhat::Answered(id) => (id, CallEvent::Answered),
            EvWhat::Live(id) => (id, CallEvent::Live),
            EvWhat::Abandoned(id) => (id, CallEvent::Abandoned),
            EvWhat::Ended(id, _) => (id, CallEvent::Ended),
            EvWhat::Connected(id) => (id, CallEvent::Connected),
        };
        self.brain.call(ev.t, id, what);
    }
}

impl Pilot for Live {
    fn decide(&mut self, obs: &Obs) -> Reply {
        for ev in &obs.ev {
            self.learn(ev);
        }
        if let Some(agents) = &obs.agents {
            self.brain.agents_are(obs.t, agents);
        }
        if let Some(calls) = &obs.calls {
            let used = self.estimates != Estimates::Ignore;
            let rows = calls.iter().map(|c| dialer::predictive::Flight {
                id: c.0,
                phase: c.1,
                launched_s: c.2,
                ringing_s: c.3,
                estimate: c.4.filter(|_| used),
            });
            self.brain.calls_are(obs.t, &rows.collect::<Vec<_>>());
        }
        self.next.clear();
        if self.estimates != Estimates::Ignore {
            self.next.extend(obs.next.iter().map(|e| Some(*e)));
        }
        let launches = self.brain.decide_among(
            obs.t,
            &Look {
                idle: obs.idle,
                waiting: obs.waiting,
                most: obs.most(),
                shrink: obs.shrink,
                share: 1.0,
            },
            &Queue {
                next: &self.next,
                due: obs.due,
                choose: self.estimates == Estimates::Pick,
            },
        );
        Reply {
            launch: launches.count,
            pick: launches.picks,
        }
    }
}

/// So many lines for each idle agent, calls in flight counted.
#[derive(Debug)]
struct Ratio(f64);

impl Pilot for Ratio {
    fn decide(&mut self, obs: &Obs) -> Reply {
        let wanted = lines(obs.idle, self.0, obs.connected);
        Reply {
            launch: wanted.saturating_sub(obs.pending).min(obs.most()),
            pick: Vec::new(),
        }
    }
}

/// So many lines for each agent who is not on a break, lines with an agent counted, as far as the campaign does not
/// lean; the guard draws the level towards one.
#[derive(Debug)]
struct Power(f64, Lean);

impl Pilot for Power {
    fn decide(&mut self, obs: &Obs) -> Reply {
        let at_work = obs.idle + obs.talk + obs.wrap;
        let heads = Heads {
            ready: f64::from(obs.idle),
            at_work: f64::from(at_work),
            logged: f64::from(at_work + obs.away),
        };
        let wanted = whole(self.1.lines(self.0, obs.shrink, &heads));
        let with_agent = match self.1.basis {
            AgentCountBasis::Logged | AgentCountBasis::NotPaused => obs.talk,
            AgentCountBasis::Ready => 0,
        };
        Reply {
            launch: wanted
                .saturating_sub(obs.pending + with_agent)
                .min(obs.most()),
            pick: Vec::new(),
        }
    }
}

/// Step of an even sequence over the unit interval: the golden section.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Lines for so many agents; the part of a line is given to as large a part of the contacts.
fn lines(agents: u32, level: f64, connected: u64) -> u32 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
    let part = (connected as f64 * GOLDEN).fract();
    whole(f64::from(agents) * level + part)
}

/// A level to two places.
fn short(level: f64) -> f64 {
    (level * 100.0).round() / 100.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1e6"
)]
fn whole(x: f64) -> u32 {
    x.clamp(0.0, 1e6) as u32
}

/// The classic method by its public description: a level of lines for each agent signed in, moved
/// every 15 s by the share of answers dropped today against the allowed one, by agents who wait
/// against calls that do; its launcher wakes every 2.5 s. Counted over idle agents only, it moves up to a
/// level that somebody chose.
#[derive(Debug)]
struct Adapt {
    level: f64,
    /// Most, where only idle agents count.
    available: Option<f64>,
    cap: f64,
    next_adapt: f64,
    next_launch: f64,
    /// Time, agents idle minus calls waiting: the last minute.
    balance: VecDeque<(f64, f64)>,
}

/// Time between adaptations, s.
const ADAPT_EVERY_S: f64 = 15.0;
/// Time between launches, s.
const LAUNCH_EVERY_S: f64 = 2.5;
/// Highest level by default.
const LEVEL_MAX: f64 = 3.0;
/// Window of the balance of agents and calls, s.
const BALANCE_S: f64 = 60.0;

impl Adapt {
    const fn new(hello: &Hello, available: Option<f64>) -> Self {
        Self {
            level: 1.0,
            available,
            cap: hello.target_abandon,
            next_adapt: 0.0,
            next_launch: 0.0,
            balance: VecDeque::new(),
        }
    }

    fn adapt(&mut self, obs: &Obs) {
        let agents = f64::from(obs.idle + obs.talk + obs.wrap).max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "counts of a day")]
        let (dropped, live) = (obs.abandoned as f64, (obs.live as f64).max(1.0));
        #[expect(clippy::cast_precision_loss, reason = "at most a minute of epochs")]
        let n = self.balance.len().max(1) as f64;
        let diff = self.balance.iter().map(|b| b.1).sum::<f64>() / n;
        // Agents who wait raise the level by their share, calls that wait lower it; above the allowed
        // share the level falls in proportion to the excess, down to one.
        let share = dropped / live;
        let level = if self.available.is_none() && share > self.cap {
            1.0
        } else {
            self.level * (1.0 + (diff / agents).clamp(-0.5, 0.5))
        };
        self.level = level.clamp(1.0, self.available.unwrap_or(LEVEL_MAX));
    }
}

impl Pilot for Adapt {
    fn decide(&mut self, obs: &Obs) -> Reply {
        let diff = f64::from(obs.idle) - f64::from(obs.waiting);
        self.balance.push_back((obs.t, diff));
        while self
            .balance
            .front()
            .is_some_and(|b| obs.t - b.0 > BALANCE_S)
        {
            self.balance.pop_front();
        }
        if obs.t >= self.next_adapt {
            self.next_adapt = obs.t + ADAPT_EVERY_S;
            self.adapt(obs);
        }
        if obs.t < self.next_launch {
            return Reply::default();
        }
        self.next_launch = obs.t + LAUNCH_EVERY_S;
        let at_work = obs.talk + obs.wrap;
        let (agents, busy) = match self.available {
            Some(_) => (obs.idle, obs.pending),
            None => (obs.idle + at_work, obs.pending + at_work),
        };
        let wanted = match self.available {
            Some(_) => lines(agents, self.level, obs.connected),
            None => whole(f64::from(agents) * self.level),
        };
        Reply {
            launch: wanted.saturating_sub(busy).min(obs.most()),
            pick: Vec::new(),
        }
    }
}
