//! Pacing: how many calls to launch now. One trait, one policy a dial mode.

use crate::call::Call;
use crate::engine::Refusal;
use crate::forecast::Forecast;
use crate::lean::{Heads, LINES_PER_AGENT_MAX, Lean};
use crate::predictive::Memory;
use crate::predictive::{Launches, Outlook, Queue};
use crate::spec::{CallRules, CampaignSpec};
use domain::entity::{AgentCountBasis, DialMode};
use domain::ids::{AgentId, AttemptId};
use domain::rules::agent_state::AgentState;
use domain::time::UtcMs;

/// What a policy sees of its campaign.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PacingView {
    /// Agents ready now (shares of agents that serve several campaigns).
    pub ready: u32,
    /// Agents signed in and not paused, as shares.
    pub agents: f64,
    /// Agents signed in, as shares.
    pub logged: f64,
    /// Calls of the campaign that hold a line: from the order to dial to the end.
    pub lines: u32,
    /// Of them not with an agent yet.
    pub open: u32,
    /// Of them not answered yet.
    pub ringing: u32,
    /// Answered without an agent.
    pub waiting: u32,
    /// Factor in (0, 1] by which the guard shrinks over-dialing.
    pub shrink: f64,
    /// Agents at work who serve the campaign, heads.
    pub serving: u32,
    /// Agents at work that it has in common with others that forecast, its own among them, as shares.
    pub pool: f64,
}

impl PacingView {
    /// Its agents, as shares.
    fn heads(&self) -> Heads {
        let share = (self.agents / f64::from(self.serving.max(1))).clamp(0.0, 1.0);
        Heads {
            ready: f64::from(self.ready) * share,
            at_work: self.agents,
            logged: self.logged,
        }
    }
}

/// One agent as a policy that forecasts sees him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentGlance {
    /// Who.
    pub id: AgentId,
    /// State of his shift.
    pub state: AgentState,
    /// Whether a call may be given to him now.
    pub takes_calls: bool,
    /// Whether he is kept for a call that is not answered yet.
    pub kept: bool,
    /// Whether he asked to pause or to sign out once his call is over.
    pub leaves: bool,
}

/// What a policy learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// A call was ordered.
    Launched,
    /// It rings.
    Ringing,
    /// Somebody or something answered and is being judged.
    Picked,
    /// A person answered.
    Answered,
    /// An agent was joined.
    Connected,
    /// No agent in time.
    Abandoned,
    /// It ended without an answer.
    NotAnswered,
    /// An agent is kept for the call.
    Kept,
    /// An agent finished and is ready.
    AgentFreed,
    /// Withdrawn by us: it tells nothing of the number.
    Withdrawn,
    /// The agent found that the answer was a machine: it counts for nobody's abandonment.
    Machine,
}

/// A pacing policy: time and figures in, number of calls out.
pub trait Pacing: Send {
    /// Calls to launch now; lines and guard clip it afterwards.
    fn launches(&mut self, now: UtcMs, view: &PacingView) -> u32;
    /// The same, shown the next numbers; which of them to take is said only by policies that choose.
    fn choose(&mut self, now: UtcMs, view: &PacingView, _queue: &Queue<'_>) -> Launches {
        Launches {
            count: self.launches(now, view),
            picks: Vec::new(),
        }
    }
    /// Told before a call is ordered how probable it is that a person answers it.
    fn expects(&mut self, _attempt: AttemptId, _answer: Option<f64>) {}
    /// Told of everything that happens to the campaign's calls.
    fn observe(&mut self, now: UtcMs, what: Observation);
    /// The same with the call it happened to, for policies that follow each one.
    fn observe_call(&mut self, _now: UtcMs, _attempt: AttemptId, _what: Observation) {}
    /// The agents who serve the campaign now, before each question; only when it wants them.
    fn observe_agents(&mut self, _now: UtcMs, _agents: &[AgentGlance]) {}
    /// Chances of what other forecasts have in flight for the same agents, before each question; only when it
    /// wants the agents.
    fn observe_rivals(&mut self, _calls: Vec<Outlook>) {}
    /// Chances of its own calls that want an agent; `None` when it does not forecast.
    fn outlook(&mut self, _now: UtcMs) -> Option<Vec<Outlook>> {
        None
    }
    /// Live answers that its calls in flight will bring; `None` when it does not forecast.
    fn demand(&self, _now: UtcMs) -> Option<f64> {
        None
    }
    /// Whether it forecasts from the agents' states.
    fn wants_agents(&self) -> bool {
        false
    }
    /// What it has learned, when it learns.
    fn memory(&self) -> Option<Memory> {
        None
    }
    /// Takes up what it had learned so long ago, ms.
    fn recall(&mut self, _memory: &Memory, _age_ms: i64) {}
    /// Held from now on to another aim, percent, and to other rules of the calls, their ring time the longest that
    /// binds. What it learned stays.
    fn hold_to(&mut self, _target_pct: f64, _rules: &CallRules) {}
    /// A legal window begins, or this policy in the midst of one: it holds so many abandoned of so many live answers.
    fn account(&mut self, _abandoned: f64, _answers: f64) {}
    /// How its campaign leans away from the rule from now on.
    fn lean(&mut self, _lean: &Lean) {}
    /// Abandonment it aims at, percent; `None` when it does not forecast.
    fn target_pct(&self) -> Option<f64> {
        None
    }
    /// Abandoned calls beyond its aim that it has on its account; `None` when it keeps none.
    fn owed(&self) -> Option<f64> {
        None
    }
    /// Takes the place of another policy whose calls are these.
    fn take_over(&mut self, _now: UtcMs, _calls: &[&Call]) {}
    /// The guard changes the mode in force. `false`: this policy cannot, another takes its place.
    fn force(&mut self, _mode: DialMode) -> bool {
        false
    }
    /// Whether an agent is reserved before each call.
    fn reserves_first(&self) -> bool;
    /// Lines per agent it aims at.
    fn level(&self) -> f64;
    /// Lines above which those that ring for nobody are withdrawn.
    fn lines_of(&self, heads: &Heads) -> f64 {
        self.level() * heads.at_work
    }
}

/// A mode that cannot be dialed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "dial mode {0} is not available in this version: choose predictive, power, progressive, preview or manual"
)]
pub struct ModeRefused(pub DialMode);

/// One line per ready agent, reserved first.
#[derive(Debug, Clone, Copy)]
struct Progressive;

impl Pacing for Progressive {
    fn launches(&mut self, _now: UtcMs, view: &PacingView) -> u32 {
        view.ready
    }
    fn observe(&mut self, _now: UtcMs, _what: Observation) {}
    fn reserves_first(&self) -> bool {
        true
    }
    fn level(&self) -> f64 {
        1.0
    }
}

/// Fixed lines per agent who is not paused, calls with an agent counted, as far as the campaign does not lean.
#[derive(Debug, Clone, Copy)]
struct Power {
    lines_per_agent: f64,
    lean: Lean,
}

impl Power {
    const fn of(lines_per_agent: f64, lean: Lean) -> Self {
        Self {
            lines_per_agent: if lines_per_agent.is_finite() {
                lines_per_agent.clamp(1.0, LINES_PER_AGENT_MAX)
            } else {
                1.0
            },
            lean,
        }
    }
}

impl Pacing for Power {
    fn launches(&mut self, _now: UtcMs, view: &PacingView) -> u32 {
        let lines = self.lean.lines(self.level(), view.shrink, &view.heads());
        // Shares add up to whole agents but for rounding.
        let wanted = (lines + 1e-6).floor().clamp(0.0, 1e6);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1e6"
        )]
        let wanted = wanted as u32;
        wanted.saturating_sub(match self.lean.basis {
            AgentCountBasis::Logged | AgentCountBasis::NotPaused => view.lines,
            AgentCountBasis::Ready => view.open,
        })
    }
    fn observe(&mut self, _now: UtcMs, _what: Observation) {}
    fn reserves_first(&self) -> bool {
        false
    }
    fn level(&self) -> f64 {
        self.lean.level(self.lines_per_agent)
    }
    fn lines_of(&self, heads: &Heads) -> f64 {
        // Who is counted when he is free has lines out for him when he no longer is: they ring on.
        let all = Heads {
            ready: heads.at_work,
            ..*heads
        };
        self.lean.lines(self.level(), 1.0, &all)
    }
}

/// The agent dials (after a preview, or by hand): nothing is launched on its own.
#[derive(Debug, Clone, Copy)]
struct ByHand;

impl Pacing for ByHand {
    fn launches(&mut self, _now: UtcMs, _view: &PacingView) -> u32 {
        0
    }
    fn observe(&mut self, _now: UtcMs, _what: Observation) {}
    fn reserves_first(&self) -> bool {
        true
    }
    fn level(&self) -> f64 {
        1.0
    }
}

/// Most calls an agentless campaign starts in one go; lines and starts a second are its pace.
const AGENTLESS_BURST: u32 = 100;

/// A message is told to whoever answers: as many calls as lines and starts a second allow.
#[derive(Debug, Clone, Copy)]
struct Agentless;

impl Pacing for Agentless {
    fn launches(&mut self, _now: UtcMs, _view: &PacingView) -> u32 {
        AGENTLESS_BURST
    }
    fn observe(&mut self, _now: UtcMs, _what: Observation) {}
    fn reserves_first(&self) -> bool {
        false
    }
    fn level(&self) -> f64 {
        1.0
    }
}

/// Abandonment aimed at where a campaign sets none, percent (terms.md §10).
const TARGET_PCT: f64 = 2.8;

/// The policy of a mode.
///
/// # Errors
/// For modes that this version does not dial.
pub fn policy(mode: DialMode, lines_per_agent: f64) -> Result<Box<dyn Pacing>, ModeRefused> {
    match mode {
        DialMode::Manual | DialMode::Preview => Ok(Box::new(ByHand)),
        DialMode::Progressive => Ok(Box::new(Progressive)),
        DialMode::Power => Ok(Box::new(Power::of(lines_per_agent, Lean::default()))),
        // With the parameters of a campaign that sets none; the engine gives a campaign's own.
        DialMode::Predictive => Forecast::with(TARGET_PCT, &CallRules::default())
            .map(|policy| Box::new(policy) as Box<dyn Pacing>)
            .map_err(|_| ModeRefused(mode)),
        DialMode::Agentless => Ok(Box::new(Agentless)),
    }
}

/// The policy of a campaign.
///
/// # Errors
/// For modes that this version does not dial, and for parameters that a mode cannot be dialed with.
pub(crate) fn policy_of(spec: &CampaignSpec, mode: DialMode) -> Result<Box<dyn Pacing>, Refusal> {
    match mode {
        DialMode::Predictive => Ok(Box::new(Forecast::new(spec)?)),
        DialMode::Power => Ok(Box::new(Power::of(spec.lines_per_agent, spec.lean))),
        _ => Ok(policy(mode, spec.lines_per_agent)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launches(mode: DialMode, level: f64, view: PacingView) -> u32 {
        policy(mode, level).unwrap().launches(UtcMs(0), &view)
    }

    #[test]
    fn policies_count_lines() {
        let view = PacingView {
            ready: 2,
            agents: 5.0,
            lines: 8,
            shrink: 1.0,
            ..PacingView::default()
        };
        assert_eq!(launches(DialMode::Power, 3.0, view), 7);
        assert_eq!(
            launches(
                DialMode::Power,
                3.0,
                PacingView {
                    shrink: 0.5,
                    ..view
                }
            ),
            2
        );
        assert_eq!(launches(DialMode::Power, 1.0, view), 0);
        assert_eq!(
            launches(DialMode::Power, f64::NAN, PacingView { lines: 0, ..view }),
            5
        );
        assert_eq!(launches(DialMode::Progressive, 3.0, view), 2);
        assert_eq!(launches(DialMode::Preview, 3.0, view), 0);
        assert_eq!(launches(DialMode::Manual, 3.0, view), 0);
    }

    #[test]
    fn every_mode_has_its_policy() {
        for mode in DialMode::ALL {
            assert!(policy(*mode, 1.0).is_ok(), "{mode}");
        }
        // The pace of a message does not ask for agents.
        let view = PacingView::default();
        assert!(launches(DialMode::Agentless, 1.0, view) > 0);
    }
}
