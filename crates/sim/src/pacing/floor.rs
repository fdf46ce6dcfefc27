//! The floor: agents with their talks, wrap-ups, breaks and shifts.

use super::dist::lognormal;
use super::metrics::Metrics;
use super::obs::{Ev, EvWhat, Obs};
use super::scenario::{Scenario, ShockWhat};
use super::world::{Agenda, What};
use dialer::predictive::{AgentState, Key};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// Where an agent wants to be after his call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wants {
    Work,
    Break(f64),
    Home,
}

#[derive(Debug, Clone, Copy)]
struct Agent {
    state: AgentState,
    since: f64,
    speed: f64,
    wants: Wants,
    last_talk: f64,
    /// Wrap-up after the talk in progress, s.
    wrap_s: f64,
    /// Moves so far: a due end of an earlier state is stale.
    turn: u32,
}

/// What an event freed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Freed {
    pub(super) lines: u32,
    pub(super) agent: bool,
}

/// All agents.
#[derive(Debug)]
pub(super) struct Floor<'a> {
    scenario: &'a Scenario,
    rng: ChaCha8Rng,
    agents: Vec<Agent>,
    /// Ready ones, longest first.
    ready: BTreeSet<(u64, u32)>,
}

impl<'a> Floor<'a> {
    pub(super) fn new(scenario: &'a Scenario, mut rng: ChaCha8Rng, agenda: &mut Agenda) -> Self {
        let part = &scenario.agents;
        let joining: u32 = part.join.iter().map(|j| j.1).sum();
        let mut agents = Vec::new();
        for _ in 0..part.n + joining {
            let speed = if part.speed_cv > 0.0 {
                lognormal(1.0, part.speed_cv, &mut rng)
            } else {
                1.0
            };
            agents.push(Agent {
                state: AgentState::Off,
                since: 0.0,
                speed,
                wants: Wants::Work,
                last_talk: 0.0,
                wrap_s: 0.0,
                turn: 0,
            });
        }
        for n in 0..part.n {
            let at = part.login_ramp_s * f64::from(n) / f64::from(part.n.max(1));
            agenda.put(at, What::SignIn(n));
        }
        let mut next = part.n;
        for (at, count) in &part.join {
            for _ in 0..*count {
                agenda.put(*at, What::SignIn(next));
                next += 1;
            }
        }
        let mut floor = Self {
            scenario,
            rng,
            agents,
            ready: BTreeSet::new(),
        };
        floor.plan_breaks(agenda);
        floor
    }

    /// Breaks go round: who had the one before is not first at the next.
    fn plan_breaks(&mut self, agenda: &mut Agenda) {
        let part = &self.scenario.agents;
        let n = part.n;
        let of = |share: f64| whole(share.clamp(0.0, 1.0) * f64::from(n) + 0.5);
        let mut first = 0;
        for (start, share, length, stagger) in &part.breaks {
            let count = of(*share);
            for k in 0..count {
                let agent = (first + k) % n.max(1);
                let at = start + self.rng.random::<f64>() * stagger;
                agenda.put(at, What::Break(agent, u64::from(whole(length * 1000.0))));
            }
            first = (first + count) % n.max(1);
        }
        let mut last = n;
        for (at, share) in &part.leave {
            for _ in 0..of(*share) {
                last = last.saturating_sub(1);
                agenda.put(*at, What::Leave(last));
            }
        }
    }

    /// Adds the head counts.
    pub(super) fn show(&self, obs: &mut Obs) {
        for agent in &self.agents {
            match agent.state {
                AgentState::Off => {}
                AgentState::Idle => obs.idle += 1,
                AgentState::Talk => obs.talk += 1,
                AgentState::Wrap => obs.wrap += 1,
                AgentState::Break => obs.away += 1,
            }
        }
    }

    /// Agents signed in as the protocol tells them.
    pub(super) fn rows(&self, now: f64) -> Vec<(Key, AgentState, f64, f64)> {
        let on = |a: &&(usize, &Agent)| a.1.state != AgentState::Off;
        let all: Vec<(usize, &Agent)> = self.agents.iter().enumerate().collect();
        all.iter()
            .filter(on)
            .map(|(n, a)| (key(*n), a.state, now - a.since, a.last_talk))
            .collect()
    }

    fn go(&mut self, now: f64, id: u32, new: AgentState, metrics: &mut Metrics) -> EvWhat {
        let n = index(id);
        let agent = &mut self.agents[n];
        metrics.spent(agent.state, agent.since, now);
        if agent.state == AgentState::Idle {
            self.ready.remove(&(agent.since.to_bits(), id));
        }
        if agent.state == AgentState::Talk {
            agent.last_talk = now - agent.since;
        }
        agent.state = new;
        agent.since = now;
        agent.turn += 1;
        if new == AgentState::Idle {
            self.ready.insert((now.to_bits(), id));
        }
        EvWhat::Agent(key(n), new)
    }

    /// The longest ready agent takes a call, whose length `rng` says; `None` when nobody is ready.
    pub(super) fn start_talk(
        &mut self,
        now: f64,
        fixed: Option<f64>,
        rng: &mut ChaCha8Rng,
        agenda: &mut Agenda,
        metrics: &mut Metrics,
    ) -> Option<EvWhat> {
        let (_, id) = *self.ready.first()?;
        let told = self.go(now, id, AgentState::Talk, metrics);
        let (talk, wrap) = self.draw_talk(now, id, fixed, rng);
        let agent = &mut self.agents[index(id)];
        agent.wrap_s = wrap;
        agenda.put(now + talk, What::Agent(id, agent.turn));
        Some(told)
    }

    fn draw_talk(&self, now: f64, id: u32, fixed: Option<f64>, rng: &mut ChaCha8Rng) -> (f64, f64) {
        let speed = self.agents[index(id)].speed;
        if let Some(talk) = fixed {
            return (talk, 1.0);
        }
        let classes = &self.scenario.talk;
        let sum: f64 = classes.iter().map(|c| c.w).sum();
        let mut at = rng.random::<f64>() * sum;
        let mut class = &classes[classes.len() - 1];
        for c in classes {
            at -= c.w;
            if at <= 0.0 {
                class = c;
                break;
            }
        }
        let mult = self.scenario.shock(now, ShockWhat::TalkMult, 1.0);
        let talk = class.talk.draw(rng) * speed * mult;
        (talk, class.wrap.draw(rng) * speed)
    }

    /// Something about an agent falls due.
    pub(super) fn happen(
        &mut self,
        now: f64,
        what: What,
        agenda: &mut Agenda,
        obs: &mut Obs,
        metrics: &mut Metrics,
    ) -> Freed {
        let mut freed = Freed::default();
        let mut told = None;
        match what {
            What::SignIn(id) => {
                self.next_pause(now, id, agenda);
                told = Some(self.go(now, id, AgentState::Idle, metrics));
                freed.agent = true;
            }
            What::Agent(id, turn) if self.agents[index(id)].turn == turn => {
                if self.agents[index(id)].state == AgentState::Talk {
                    freed.lines = 1;
                    told = Some(self.go(now, id, AgentState::Wrap, metrics));
                    let agent = self.agents[index(id)];
                    agenda.put(now + agent.wrap_s, What::Agent(id, agent.turn));
                } else {
                    told = Some(self.next(now, id, agenda, metrics));
                    freed.agent = self.agents[index(id)].state == AgentState::Idle;
                }
            }
            What::Break(id, ms) => {
                told = self.ask(now, id, Wants::Break(seconds(ms)), agenda, metrics);
            }
            What::Leave(id) => told = self.ask(now, id, Wants::Home, agenda, metrics),
            What::Pause(id) => {
                let length = self.scenario.agents.pause.draw(&mut self.rng);
                told = self.ask(now, id, Wants::Break(length), agenda, metrics);
                self.next_pause(now, id, agenda);
            }
            What::Back(id, turn) if self.agents[index(id)].turn == turn => {
                told = Some(self.next(now, id, agenda, metrics));
                freed.agent = self.agents[index(id)].state == AgentState::Idle;
            }
            _ => {}
        }
        if let Some(what) = told {
            obs.ev.push(Ev { t: now, what });
        }
        freed
    }

    fn next_pause(&mut self, now: f64, id: u32, agenda: &mut Agenda) {
        let rate = self.scenario.agents.pauses_per_h / 3600.0;
        if rate > 0.0 {
            let u = 1.0 - self.rng.random::<f64>();
            agenda.put(now - u.ln() / rate, What::Pause(id));
        }
    }

    /// A break or the way home: at once when ready, else after the call.
    fn ask(
        &mut self,
        now: f64,
        id: u32,
        wants: Wants,
        agenda: &mut Agenda,
        metrics: &mut Metrics,
    ) -> Option<EvWhat> {
        let agent = &mut self.agents[index(id)];
        if agent.state == AgentState::Off || agent.wants == Wants::Home {
            return None;
        }
        let at_once = agent.state == AgentState::Idle
            || (agent.state == AgentState::Break && wants == Wants::Home);
        if agent.state == AgentState::Break && !at_once {
            return None;
        }
        agent.wants = wants;
        at_once.then(|| self.next(now, id, agenda, metrics))
    }

    /// From wrap-up, break or ready on to what the agent wants.
    fn next(&mut self, now: f64, id: u32, agenda: &mut Agenda, metrics: &mut Metrics) -> EvWhat {
        let wants = std::mem::replace(&mut self.agents[index(id)].wants, Wants::Work);
        match wants {
            Wants::Work => self.go(now, id, AgentState::Idle, metrics),
            Wants::Home => self.go(now, id, AgentState::Off, metrics),
            Wants::Break(length) => {
                let told = self.go(now, id, AgentState::Break, metrics);
                agenda.put(now + length, What::Back(id, self.agents[index(id)].turn));
                told
            }
        }
    }

    /// Counts the states in progress at the end.
    pub(super) fn close(&mut self, now: f64, metrics: &mut Metrics) {
        for agent in &self.agents {
            metrics.spent(agent.state, agent.since, now);
        }
    }
}

fn key(n: usize) -> Key {
    Key::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a break is short")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=4e9"
)]
fn whole(x: f64) -> u32 {
    x.clamp(0.0, 4e9) as u32
}
