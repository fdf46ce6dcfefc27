//! The predictive policy behind the engine's trait: milliseconds, attempts and shifts become what it
//! understands; the guard lowers it without losing what it learned.

use crate::call::{Call, Phase};
use crate::engine::Refusal;
use crate::lean::Lean;
use crate::pacing::{AgentGlance, Observation, Pacing, PacingView};
use crate::predictive::{
    AgentState, CallEvent, CallPhase, Flight, Key, Launches, Look, Memory, Outlook, Predictive,
    Queue, Settings,
};
use crate::spec::{CallRules, CampaignSpec, Judging};
use domain::entity::DialMode;
use domain::ids::AttemptId;
use domain::rules::agent_state::AgentState as ShiftState;
use domain::time::UtcMs;
use std::collections::BTreeSet;

/// Most calls that one look at the lines allows; the engine clips by trunks and rates.
const MOST: u32 = 1_000;
/// Calls after which what was learned before comes too late: what happens now is worth more.
const RECALL_CALLS: u32 = 30;

/// What judging a short greeting takes of the limit, ms [H]: onset, word and the silence after it.
const JUDGED_MS: i64 = 1_100;
/// Least time to an agent that is reckoned with, ms.
const LIMIT_LEAST_MS: i64 = 500;

/// Least share that is aimed at under a pack: with an aim of nothing the guard alone would be left.
const TARGET_LEAST: f64 = 0.000_5;

/// What the forecast makes of an aim in percent and the rules of the calls.
fn settings(target_pct: f64, rules: &CallRules) -> Settings {
    #[expect(clippy::cast_precision_loss, reason = "a time of seconds")]
    let seconds = |ms: i64| ms as f64 / 1000.0;
    Settings {
        target: target_pct / 100.0,
        // What is judged first has used some of the law's time before an agent is sought.
        limit_s: seconds(match rules.judging {
            Judging::First => (rules.agent_within_ms - JUDGED_MS).max(LIMIT_LEAST_MS),
            Judging::No | Judging::Under => rules.agent_within_ms,
        }),
        ring_timeout_s: seconds(rules.ring_timeout_ms),
    }
}

/// A call as the forecast takes it over; `None` for one that wants no agent any more.
fn flight(call: &Call, now: UtcMs) -> Option<Flight> {
    let phase = match call.phase {
        Phase::Opening => CallPhase::Setup,
        Phase::Dialing if call.ringing_at.is_none() => CallPhase::Setup,
        Phase::Dialing => CallPhase::Ring,
        Phase::Judging => CallPhase::Detect,
        Phase::Waiting => CallPhase::Wait,
        _ => return None,
    };
    Some(Flight {
        id: call.attempt.0.as_u128(),
        phase,
        launched_s: seconds_between(call.ordered_at, now),
        ringing_s: call.ringing_at.map(|at| seconds_between(at, now)),
        estimate: call.item.answer,
    })
}

/// The live policy of one campaign.
#[derive(Debug)]
pub(crate) struct Forecast {
    brain: Predictive,
    /// Instant nought of the brain's seconds.
    start: Option<UtcMs>,
    forced: DialMode,
    known: BTreeSet<Key>,
    /// Calls dialed since it began.
    dialed: u32,
    /// The call that is ordered next and the probability that a person answers it.
    expected: Option<(AttemptId, f64)>,
    level: f64,
}

impl Forecast {
    pub(crate) fn new(spec: &CampaignSpec) -> Result<Self, Refusal> {
        let mut policy = Self::with(spec.aim_pct(&[]), &spec.rules)?;
        policy.lean(&spec.lean);
        Ok(policy)
    }

    /// For a target in percent and the rules of the calls.
    pub(crate) fn with(target_pct: f64, rules: &CallRules) -> Result<Self, Refusal> {
        let brain = Predictive::new(settings(target_pct, rules))
            .map_err(|e| Refusal::new("predictive_impossible", e.to_string()))?;
        Ok(Self {
            brain,
            start: None,
            forced: DialMode::Predictive,
            known: BTreeSet::new(),
            dialed: 0,
            expected: None,
            level: 1.0,
        })
    }

    fn seconds(&mut self, now: UtcMs) -> f64 {
        let start = *self.start.get_or_insert(now);
        seconds_between(start, now)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a campaign lasts far below 2^52 ms"
)]
fn seconds_between(start: UtcMs, now: UtcMs) -> f64 {
    now.since_ms(start) as f64 / 1000.0
}

/// What a shift's state is to the forecast.
fn state_of(glance: &AgentGlance) -> AgentState {
    match glance.state {
        // His call is told apart: neither he nor it counts for the others.
        ShiftState::Reserved if glance.kept => AgentState::Off,
        ShiftState::Ready if glance.takes_calls => AgentState::Idle,
        ShiftState::Ready | ShiftState::Paused => AgentState::Break,
        ShiftState::Reserved
        | ShiftState::Preview
        | ShiftState::Ringing
        | ShiftState::Talking
        | ShiftState::Hold => AgentState::Talk,
        ShiftState::Wrapup => AgentState::Wrap,
        ShiftState::Offline | ShiftState::Lagged => AgentState::Off,
    }
}

impl Pacing for Forecast {
    fn launches(&mut self, now: UtcMs, view: &PacingView) -> u32 {
        self.choose(now, view, &Queue::default()).count
    }

    fn choose(&mut self, now: UtcMs, view: &PacingView, queue: &Queue<'_>) -> Launches {
        if self.forced != DialMode::Predictive {
            return Launches {
                count: view.ready,
                picks: Vec::new(),
            };
        }
        let t = self.seconds(now);
        // Agents are not cut into shares between campaigns that forecast: what the others have in flight
        // for them is weighed instead, and whose turn it is to dial is the engine's to say.
        let share = (view.pool.max(view.agents) / f64::from(view.serving.max(1))).clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        let idle = (f64::from(view.ready) * share).round() as u32;
        let launches = self.brain.decide_among(
            t,
            &Look {
                idle,
                waiting: view.waiting,
                most: MOST,
                shrink: view.shrink,
                share,
            },
            queue,
        );
        if view.agents > 0.0 {
            self.level = (f64::from(view.lines + launches.count) / view.agents).max(1.0);
        }
        launches
    }

    fn expects(&mut self, attempt: AttemptId, answer: Option<f64>) {
        self.expected = answer.map(|p| (attempt, p));
    }

    fn observe(&mut self, _now: UtcMs, _what: Observation) {}

    fn observe_call(&mut self, now: UtcMs, attempt: AttemptId, what: Observation) {
        let t = self.seconds(now);
        let id = attempt.0.as_u128();
        match what {
            Observation::Launched => {
                self.dialed = self.dialed.saturating_add(1);
                let told = self.expected.take().filter(|e| e.0 == attempt);
                let estimate = told.map(|e| e.1);
                self.brain.call(t, id, CallEvent::Launched(estimate));
            }
            Observation::Ringing => self.brain.call(t, id, CallEvent::Ringing),
            Observation::Picked => self.brain.call(t, id, CallEvent::Answered),
            Observation::Answered => {
                self.brain.call(t, id, CallEvent::Answered);
                self.brain.call(t, id, CallEvent::Live);
            }
            Observation::Connected => self.brain.call(t, id, CallEvent::Connected),
            Observation::Abandoned => self.brain.call(t, id, CallEvent::Abandoned),
            Observation::NotAnswered => self.brain.call(t, id, CallEvent::Ended),
            Observation::Withdrawn => self.brain.call(t, id, CallEvent::Withdrawn),
            Observation::Kept => self.brain.call(t, id, CallEvent::Kept),
            Observation::Machine => self.brain.call(t, id, CallEvent::Machine),
            Observation::AgentFreed => {}
        }
    }

    fn observe_agents(&mut self, now: UtcMs, agents: &[AgentGlance]) {
        let t = self.seconds(now);
        let seen: BTreeSet<Key> = agents.iter().map(|a| a.id.0.as_u128()).collect();
        for gone in self.known.difference(&seen) {
            self.brain.agent(t, *gone, AgentState::Off);
        }
        for agent in agents {
            let id = agent.id.0.as_u128();
            self.brain.agent(t, id, state_of(agent));
            self.brain.leaves(id, agent.leaves);
        }
        self.known = seen;
    }

    fn observe_rivals(&mut self, calls: Vec<Outlook>) {
        self.brain.rivals(calls);
    }

    fn outlook(&mut self, now: UtcMs) -> Option<Vec<Outlook>> {
        let t = self.seconds(now);
        Some(self.brain.outlook(t).collect())
    }

    fn demand(&self, now: UtcMs) -> Option<f64> {
        let t = self.start.map_or(0.0, |start| seconds_between(start, now));
        Some(self.brain.demand(t))
    }

    fn memory(&self) -> Option<Memory> {
        Some(self.brain.memory())
    }

    fn recall(&mut self, memory: &Memory, age_ms: i64) {
        // It comes a moment after the campaign is taken up, when agents have been seen already.
        if self.dialed < RECALL_CALLS {
            #[expect(clippy::cast_precision_loss, reason = "an age of weeks")]
            self.brain.recall(memory, age_ms as f64 / 1000.0);
        }
    }

    fn hold_to(&mut self, target_pct: f64, rules: &CallRules) {
        let wanted = settings(target_pct, rules);
        let held = self.brain.adjust(Settings {
            target: wanted.target.max(TARGET_LEAST),
            ..wanted
        });
        // The campaign's own were checked before, a pack's when it was read.
        debug_assert!(held.is_ok(), "{held:?}");
    }

    fn account(&mut self, abandoned: f64, answers: f64) {
        self.brain.account(abandoned, answers);
    }

    fn lean(&mut self, lean: &Lean) {
        self.brain.lean(lean);
    }

    fn target_pct(&self) -> Option<f64> {
        Some(self.brain.target() * 100.0)
    }

    fn owed(&self) -> Option<f64> {
        Some(self.brain.owed())
    }

    fn take_over(&mut self, now: UtcMs, calls: &[&Call]) {
        let t = self.seconds(now);
        let flights: Vec<Flight> = calls.iter().filter_map(|c| flight(c, now)).collect();
        self.brain.calls_are(t, &flights);
        let kept = |c: &&&Call| c.agent.is_some() && !c.lends_its_agent();
        for call in calls.iter().filter(kept) {
            let id = call.attempt.0.as_u128();
            self.brain.call(t, id, CallEvent::Kept);
        }
    }

    fn wants_agents(&self) -> bool {
        true
    }

    fn force(&mut self, mode: DialMode) -> bool {
        let can = matches!(
            mode,
            DialMode::Predictive | DialMode::Progressive | DialMode::Preview
        );
        if can {
            self.forced = mode;
        }
        can
    }

    fn reserves_first(&self) -> bool {
        self.forced != DialMode::Predictive
    }

    fn level(&self) -> f64 {
        if self.forced == DialMode::Predictive {
            self.level
        } else {
            1.0
        }
    }
}
