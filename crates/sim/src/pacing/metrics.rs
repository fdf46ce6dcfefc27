//! Figures of a run.

use dialer::predictive::AgentState;
use serde::Serialize;

/// Seconds of a step of the series.
const STEP_S: f64 = 60.0;
/// Steps of an hour.
const HOUR_STEPS: usize = 60;
/// Least live answers of an hour that is judged: a few are chance.
const HOUR_LEAST: u64 = 20;

/// One minute.
#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    busy: f64,
    present: f64,
    live: u64,
    abandoned: u64,
}

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    warmup_s: f64,
    minutes: Vec<Minute>,
    talk_s: f64,
    wrap_s: f64,
    idle_s: f64,
    spells: u64,
    dials: u64,
    handled: u64,
    abandoned: u64,
    machines_handled: u64,
    machines_abandoned: u64,
    missed: u64,
    hung_up: u64,
    waits: Vec<f32>,
    /// ms each.
    decisions: Vec<f32>,
}

/// Figures of one run, after its warm-up.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// (Talk + wrap-up) ÷ time signed in and not on a break.
    pub occupancy: f64,
    /// Talk alone ÷ the same.
    pub talk_share: f64,
    /// People abandoned ÷ (abandoned + handled).
    pub abandonment: f64,
    /// With people taken for machines among the abandoned.
    pub abandonment_strict: f64,
    /// People abandoned.
    pub abandoned: u64,
    /// People handled.
    pub handled: u64,
    /// Machines given to agents.
    pub machines_handled: u64,
    /// People taken for machines.
    pub missed: u64,
    /// Hung up in time while they waited.
    pub hung_up: u64,
    /// Dials.
    pub dials: u64,
    /// Median wait of people who were handled, s.
    pub wait_p50_s: f64,
    /// 99th percentile of it, s.
    pub wait_p99_s: f64,
    /// Mean spell of an agent who is ready, s.
    pub idle_spell_s: f64,
    /// People handled an agent and hour.
    pub contacts_per_agent_hour: f64,
    /// Largest abandonment of a sliding hour.
    pub worst_hour: f64,
    /// Abandonment of the first five minutes of the scenario.
    pub first_5_min: f64,
    /// Occupancy of the minutes from one to ten.
    pub occupancy_1_to_10_min: f64,
    /// Abandonment of the five minutes after each shock, and of the rest until the next minute ten.
    pub after_shocks: Vec<(f64, f64)>,
    /// Longest decision, ms; nothing when no clock was given.
    pub decision_max_ms: Option<f64>,
    /// 99th percentile of the decisions, ms.
    pub decision_p99_ms: Option<f64>,
}

fn step(t: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a scenario lasts a week at most"
    )]
    let n = (t / STEP_S).clamp(0.0, 1e6) as usize;
    n
}

impl Metrics {
    pub(super) fn new(warmup_s: f64, duration_s: f64) -> Self {
        Self {
            warmup_s,
            minutes: vec![Minute::default(); step(duration_s) + 2],
            talk_s: 0.0,
            wrap_s: 0.0,
            idle_s: 0.0,
            spells: 0,
            dials: 0,
            handled: 0,
            abandoned: 0,
            machines_handled: 0,
            machines_abandoned: 0,
            missed: 0,
            hung_up: 0,
            waits: Vec::new(),
            decisions: Vec::new(),
        }
    }

    fn counts(&self, t: f64) -> bool {
        t >= self.warmup_s
    }

    fn minute(&mut self, t: f64) -> &mut Minute {
        let last = self.minutes.len() - 1;
        &mut self.minutes[step(t).min(last)]
    }

    /// An agent was in a state.
    pub(super) fn spent(&mut self, state: AgentState, from: f64, to: f64) {
        let busy = matches!(state, AgentState::Talk | AgentState::Wrap);
        if !busy && state != AgentState::Idle {
            return;
        }
        let mut at = from;
        while at < to {
            let until = ((at / STEP_S).floor() * STEP_S + STEP_S).min(to);
            if until <= at {
                break;
            }
            let minute = self.minute(at);
            minute.present += until - at;
            if busy {
                minute.busy += until - at;
            }
            at = until;
        }
        let counted = (to - from.max(self.warmup_s)).max(0.0);
        match state {
            AgentState::Talk => self.talk_s += counted,
            AgentState::Wrap => self.wrap_s += counted,
            _ => {
                self.idle_s += counted;
                self.spells += u64::from(counted > 0.0);
            }
        }
    }

    pub(super) fn dialed(&mut self, t: f64) {
        self.dials += u64::from(self.counts(t));
    }

    pub(super) fn connected(&mut self, t: f64, wait: f64, person: bool) {
        if person {
            self.minute(t).live += 1;
        }
        if !self.counts(t) {
            return;
        }
        if person {
            self.handled += 1;
            #[expect(clippy::cast_possible_truncation, reason = "a wait of seconds")]
            self.waits.push(wait as f32);
        } else {
            self.machines_handled += 1;
        }
    }

    pub(super) fn abandoned(&mut self, t: f64, person: bool) {
        if person {
            let minute = self.minute(t);
            minute.live += 1;
            minute.abandoned += 1;
        }
        if self.counts(t) {
            if person {
                self.abandoned += 1;
            } else {
                self.machines_abandoned += 1;
            }
        }
    }

    /// A decision took so many ms.
    pub(super) fn decided(&mut self, ms: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "a time of milliseconds")]
        self.decisions.push(ms as f32);
    }

    pub(super) fn missed_person(&mut self, t: f64) {
        self.missed += u64::from(self.counts(t));
    }

    pub(super) fn hung_up(&mut self, t: f64) {
        self.hung_up += u64::from(self.counts(t));
    }

    /// Abandonment between two times.
    fn between(&self, from: f64, to: f64) -> (f64, u64) {
        let last = self.minutes.len();
        let part = &self.minutes[step(from).min(last)..step(to).min(last)];
        let live: u64 = part.iter().map(|m| m.live).sum();
        let lost: u64 = part.iter().map(|m| m.abandoned).sum();
        (ratio(lost, live), live)
    }

    pub(super) fn figures(mut self, shocks: &[f64]) -> Figures {
        let present = (self.talk_s + self.wrap_s + self.idle_s).max(1e-9);
        self.waits.sort_by(f32::total_cmp);
        self.decisions.sort_by(f32::total_cmp);
        let mut worst: f64 = 0.0;
        for start in step(self.warmup_s)..self.minutes.len().saturating_sub(HOUR_STEPS) {
            let hour = &self.minutes[start..start + HOUR_STEPS];
            let live: u64 = hour.iter().map(|m| m.live).sum();
            let lost: u64 = hour.iter().map(|m| m.abandoned).sum();
            if live >= HOUR_LEAST {
                worst = worst.max(ratio(lost, live));
            }
        }
        let early = &self.minutes[1..10.min(self.minutes.len())];
        let busy: f64 = early.iter().map(|m| m.busy).sum();
        let there: f64 = early.iter().map(|m| m.present).sum();
        Figures {
            occupancy: (self.talk_s + self.wrap_s) / present,
            talk_share: self.talk_s / present,
            abandonment: ratio(self.abandoned, self.abandoned + self.handled),
            abandonment_strict: ratio(
                self.abandoned + self.missed,
                self.abandoned + self.handled + self.missed,
            ),
            abandoned: self.abandoned,
            handled: self.handled,
            machines_handled: self.machines_handled,
            missed: self.missed,
            hung_up: self.hung_up,
            dials: self.dials,
            wait_p50_s: quantile(&self.waits, 0.5).unwrap_or(0.0),
            wait_p99_s: quantile(&self.waits, 0.99).unwrap_or(0.0),
            idle_spell_s: self.idle_s / f64_of(self.spells).max(1.0),
            contacts_per_agent_hour: f64_of(self.handled) / (present / 3600.0),
            worst_hour: worst,
            first_5_min: self.between(0.0, 300.0).0,
            occupancy_1_to_10_min: busy / there.max(1e-9),
            after_shocks: shocks
                .iter()
                .map(|at| {
                    let (first, then) = (at + 300.0, at + 900.0);
                    (self.between(*at, first).0, self.between(first, then).0)
                })
                .collect(),
            decision_max_ms: self.decisions.last().copied().map(f64::from),
            decision_p99_ms: quantile(&self.decisions, 0.99),
        }
    }
}

/// Of sorted values.
fn quantile(sorted: &[f32], q: f64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let at = ((sorted.len() as f64) * q) as usize;
    sorted.get(at).copied().map(f64::from)
}

fn ratio(a: u64, b: u64) -> f64 {
    f64_of(a) / f64_of(b).max(1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a week are far below 2^52"
)]
fn f64_of(n: u64) -> f64 {
    n as f64
}
