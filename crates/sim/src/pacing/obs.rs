//! What a policy is shown each epoch, and what it says: the same for simulations and for the
//! protocol of `marcador pace`.

use super::policies::TARGET_OF_CAP;
use dialer::Lean;
use dialer::predictive::{AgentState, CallPhase, Key};

/// Something that happened since the last epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ev {
    /// When, s.
    pub t: f64,
    /// What.
    pub what: EvWhat,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EvWhat {
    /// A dial, with its estimate.
    Launched(Key, Option<f64>),
    /// It rings.
    Ringing(Key),
    /// Answered.
    Answered(Key),
    /// By a person.
    Live(Key),
    /// No agent in time.
    Abandoned(Key),
    /// Over without an agent.
    Ended(Key, Outcome),
    /// Joined.
    Connected(Key),
    /// An agent's new state.
    Agent(Key, AgentState),
}

/// How a call without an agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Busy.
    Busy,
    /// No such number.
    Sit,
    /// Rang out.
    NoAnswer,
    /// A machine, as far as is known.
    Machine,
    /// The carrier failed.
    Congestion,
    /// Hung up in time while waiting, or something the protocol does not name.
    Other,
}

/// An agent signed in: id, state, seconds in it, length of the last talk.
pub type AgentRow = (Key, AgentState, f64, f64);
/// A call in flight: id, phase, seconds since launch, seconds ringing, estimate.
pub type CallRow = (Key, CallPhase, f64, Option<f64>, Option<f64>);

/// One epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Obs {
    /// Time, s.
    pub t: f64,
    /// Agents ready.
    pub idle: u32,
    /// Agents with a call.
    pub talk: u32,
    /// Agents in wrap-up.
    pub wrap: u32,
    /// Agents paused.
    pub away: u32,
    /// Dials not yet with an agent.
    pub pending: u32,
    /// People without an agent.
    pub waiting: u32,
    /// Lines free.
    pub free_trunks: u32,
    /// Starts the rate allows now.
    pub cps_tokens: u32,
    /// Dials so far.
    pub dials: u64,
    /// Live answers so far.
    pub live: u64,
    /// With an agent so far.
    pub connected: u64,
    /// Without one so far.
    pub abandoned: u64,
    /// Events in order.
    pub ev: Vec<Ev>,
    /// Agents signed in: id, state, seconds in it, length of the last talk; if told.
    pub agents: Option<Vec<AgentRow>>,
    /// Calls in flight: id, phase, seconds since launch, seconds ringing, estimate; if told.
    pub calls: Option<Vec<CallRow>>,
    /// Estimates of the next numbers.
    pub next: Vec<f64>,
    /// So many of them must go first.
    pub due: usize,
    /// Factor of the guard on over-dialing, 1 without one.
    pub shrink: f64,
}

impl Obs {
    /// Most calls that lines and rate allow.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.free_trunks.min(self.cps_tokens)
    }
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// Calls to launch.
    pub launch: u32,
    /// Which of the next numbers, if it chooses.
    pub pick: Vec<usize>,
}

/// What a policy is told at the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// Time between decisions, s.
    pub epoch_s: f64,
    /// An agent must be there within, s.
    pub deadline_s: f64,
    /// Longest ringing, s.
    pub no_answer_timeout_s: f64,
    /// Cap on the share of live answers that are abandoned.
    pub target_abandon: f64,
    /// Share that is aimed at, where it is not the policy's own part of the cap. No host of the protocol tells it.
    pub aim: Option<f64>,
    /// Whether numbers carry estimates.
    pub per_number: bool,
    /// Most agents there will be.
    pub agents_max: u32,
    /// How the campaign leans away from its mode's rule. No host of the protocol tells it.
    pub lean: Lean,
}

impl Hello {
    /// Share of live answers that the policy aims to abandon.
    #[must_use]
    pub fn aim(&self) -> f64 {
        self.aim.unwrap_or(self.target_abandon * TARGET_OF_CAP)
    }
}
