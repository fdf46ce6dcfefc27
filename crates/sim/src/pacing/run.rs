//! One run: a world, a policy, the hard stop between them.

use super::metrics::Figures;
use super::obs::{Hello, Obs, Reply};
use super::policies::{Pilot, Policy};
use super::scenario::Scenario;
use super::world::World;
use dialer::predictive::SettingsRefused;
use dialer::{HardStop, Lean};
use domain::entity::DialMode;
use domain::time::UtcMs;

/// How a scenario is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunSpec {
    /// Policy.
    pub policy: Policy,
    /// Seed.
    pub seed: u64,
    /// Legal cap as a share.
    pub cap: f64,
    /// Share that is aimed at; `None` = the scenario's own, else the part of the cap that the policy takes by itself.
    pub target: Option<f64>,
    /// How the campaign leans away from its mode's rule.
    pub lean: Lean,
    /// Whether the hard stop of the law stands between policy and lines.
    pub hard_stop: bool,
    /// Whether agents and calls are told one by one beside the events.
    pub full: bool,
}

/// The policy with the hard stop before it: near the cap over-dialing shrinks, at it there is none.
struct Guarded {
    stop: HardStop,
    /// The engine's mode that the policy stands for: fixed lines know no care of their own.
    asked: DialMode,
    seen: (u64, u64),
}

impl Guarded {
    fn new(scenario: &Scenario, told: &Hello, policy: Policy) -> Self {
        let (cap, target) = (told.target_abandon, told.aim());
        Self {
            asked: match policy {
                Policy::Power(_) => DialMode::Power,
                _ => DialMode::Predictive,
            },
            stop: HardStop::new(ms(0.0), ms(scenario.duration_s), cap, target),
            seen: (0, 0),
        }
    }

    /// What may be launched of what the policy wants.
    fn judge(&mut self, obs: &mut Obs, machines: u64) -> bool {
        let now = ms(obs.t);
        for _ in self.seen.0..obs.abandoned {
            self.stop.count(now, true);
        }
        // A machine that the agent found is no live answer (law.md §4).
        let people = obs.connected.saturating_sub(machines);
        for _ in self.seen.1..people {
            self.stop.count(now, false);
        }
        self.seen = (obs.abandoned, people);
        let agents = f64::from(obs.idle + obs.talk + obs.wrap);
        let state = self.stop.state(now, self.asked, agents);
        obs.shrink = state.shrink;
        state.mode == self.asked
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a week at most")]
fn ms(t: f64) -> UtcMs {
    UtcMs((t * 1000.0) as i64)
}

/// What a policy is told of a scenario, cap and target as shares; a scenario's own target is at most the cap.
#[must_use]
pub fn hello(scenario: &Scenario, cap: f64, target: Option<f64>) -> Hello {
    let own = scenario
        .abandon_target_pct
        .map(|pct| (pct / 100.0).min(cap));
    let joining: u32 = scenario.agents.join.iter().map(|j| j.1).sum();
    Hello {
        epoch_s: scenario.epoch_s,
        deadline_s: scenario.customer.deadline_s,
        no_answer_timeout_s: scenario.dial.no_answer_timeout_s,
        target_abandon: cap,
        aim: target.or(own),
        per_number: scenario.per_number.is_some(),
        agents_max: scenario.agents.n + joining,
        lean: Lean::default(),
    }
}

/// Runs a scenario once.
///
/// # Errors
/// When the policy refuses the settings.
pub fn run(scenario: &Scenario, spec: &RunSpec) -> Result<Figures, SettingsRefused> {
    run_timed(scenario, spec, None)
}

/// Runs a scenario once; `clock` gives ms from any start and times the decisions. It changes nothing else.
///
/// # Errors
/// When the policy refuses the settings.
pub fn run_timed(
    scenario: &Scenario,
    spec: &RunSpec,
    clock: Option<&dyn Fn() -> f64>,
) -> Result<Figures, SettingsRefused> {
    let told = Hello {
        lean: spec.lean,
        ..hello(scenario, spec.cap, spec.target)
    };
    let mut pilot = spec.policy.start(&told)?;
    let mut careful: Box<dyn Pilot> = Policy::Progressive.start(&told)?;
    let mut guard = Guarded::new(scenario, &told, spec.policy);
    let mut world = World::new(scenario, spec.seed);
    let mut epoch: u32 = 0;
    loop {
        let t = f64::from(epoch) * scenario.epoch_s;
        if t > scenario.duration_s {
            break;
        }
        epoch += 1;
        let mut obs = world.advance(t);
        if spec.full {
            world.in_full(&mut obs);
        }
        let free = !spec.hard_stop || guard.judge(&mut obs, world.machines());
        let began = clock.map(|now| now());
        let mut reply = pilot.decide(&obs);
        if let (Some(now), Some(began)) = (clock, began) {
            world.metrics.decided(now() - began);
        }
        if !free {
            let one_to_one = careful.decide(&obs);
            reply = Reply {
                launch: reply.launch.min(one_to_one.launch),
                pick: reply.pick,
            };
        }
        world.launch(&reply);
    }
    let shocks: Vec<f64> = scenario.shocks.iter().map(|s| s.at_s).collect();
    Ok(world.end().figures(&shocks))
}
