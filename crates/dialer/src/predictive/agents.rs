//! When agents will be free: talk by its age, wrap-up by its age and the length of the talk before.

use super::hazard::{Curve, FINE_S, Grid, lognormal};
use super::{AgentState, HORIZONS, Key};
use std::collections::BTreeMap;

/// Half-life of what is learned of agents, s: talk changes over hours.
const HALF_LIFE_S: f64 = 7_200.0;
/// Time constant of the share that comes back from wrap-up, s: breaks come in waves.
const RETURN_TAU_S: f64 = 600.0;
/// Weight of the prior share that comes back, wrap-ups.
const RETURN_PRIOR: f64 = 20.0;
/// Prior share that comes back.
const RETURN_SHARE: f64 = 0.98;
/// Bins of talk, wrap-up and break: to about an hour.
const BINS: usize = 94;
/// Upper edges of the classes of talk length, s: a wrong party, a short talk, a negotiation, a promise.
const CLASS_EDGES_S: [f64; 3] = [30.0, 90.0, 240.0];
/// Classes.
const CLASSES: usize = CLASS_EDGES_S.len() + 1;
/// Step of the integral over talk ends, s.
const STEP_S: f64 = 1.0;
/// Steps of [`FINE_S`] over which wrap-ups are tabled.
const WRAP_STEPS: usize = 160;
/// Prior talk: mean s, coefficient of variation.
const TALK_PRIOR: (f64, f64) = (110.0, 1.1);
/// Prior wrap-up: mean s, coefficient of variation.
const WRAP_PRIOR: (f64, f64) = (18.0, 0.9);
/// Prior break: mean s, coefficient of variation.
const BREAK_PRIOR: (f64, f64) = (900.0, 1.0);

#[derive(Debug, Clone, Copy)]
struct Shift {
    state: AgentState,
    since: f64,
    /// Age up to which the exposure is counted.
    counted: f64,
    last_talk: f64,
    /// He takes no other call after this one, by his own word.
    leaves: bool,
}

/// Names of the curves of wrap-up in what outlives a restart.
const WRAP_NAMES: [&str; CLASSES] = ["wrap0", "wrap1", "wrap2", "wrap3"];

/// The agents of a campaign.
#[derive(Debug)]
pub(super) struct Agents {
    shifts: BTreeMap<Key, Shift>,
    talk: Curve<1>,
    wrap: [Curve<1>; CLASSES],
    away: Curve<1>,
    returned: f64,
    left: f64,
    decayed_at: f64,
    /// P(free by horizon) by age bin of the talk.
    talk_free: Vec<[f64; HORIZONS]>,
    wrap_free: [Vec<[f64; HORIZONS]>; CLASSES],
    away_free: Vec<[f64; HORIZONS]>,
}

fn class(talk_s: f64) -> usize {
    CLASS_EDGES_S.iter().filter(|e| talk_s >= **e).count()
}

impl Agents {
    pub(super) fn new() -> Self {
        let (talk, wrap) = (
            lognormal(TALK_PRIOR.0, TALK_PRIOR.1),
            lognormal(WRAP_PRIOR.0, WRAP_PRIOR.1),
        );
        let away = lognormal(BREAK_PRIOR.0, BREAK_PRIOR.1);
        let curve = |done: &dyn Fn(f64) -> f64| {
            Curve::new(Grid::Stretched, BINS, HALF_LIFE_S, [(1.0, done)])
        };
        Self {
            shifts: BTreeMap::new(),
            talk: curve(&talk),
            wrap: std::array::from_fn(|_| curve(&wrap)),
            away: curve(&away),
            returned: 0.0,
            left: 0.0,
            decayed_at: 0.0,
            talk_free: vec![[0.0; HORIZONS]; BINS + 1],
            wrap_free: std::array::from_fn(|_| vec![[0.0; HORIZONS]; BINS + 1]),
            away_free: vec![[0.0; HORIZONS]; BINS + 1],
        }
    }

    /// What was learned, by name.
    pub(super) fn learned(&self) -> Vec<(&'static str, Vec<f64>)> {
        let mut all = vec![
            ("talk", self.talk.learned()),
            ("away", self.away.learned()),
            ("return", vec![self.returned, self.left]),
        ];
        let names = WRAP_NAMES.iter().zip(&self.wrap);
        all.extend(names.map(|(name, curve)| (*name, curve.learned())));
        all
    }

    /// Takes up one part of what was learned before.
    pub(super) fn recall(&mut self, name: &str, kept: &[f64], keep: f64) {
        match (name, kept) {
            ("talk", _) => self.talk.recall(kept, keep),
            ("away", _) => self.away.recall(kept, keep),
            ("return", [returned, left]) => {
                self.returned += keep * returned.max(0.0);
                self.left += keep * left.max(0.0);
            }
            _ => {
                let place = WRAP_NAMES.iter().position(|known| *known == name);
                if let Some(curve) = place.and_then(|n| self.wrap.get_mut(n)) {
                    curve.recall(kept, keep);
                }
            }
        }
    }

    fn curve(&mut self, state: AgentState, last_talk: f64) -> Option<&mut Curve<1>> {
        match state {
            AgentState::Talk => Some(&mut self.talk),
            AgentState::Wrap => Some(&mut self.wrap[class(last_talk)]),
            AgentState::Break => Some(&mut self.away),
            AgentState::Off | AgentState::Idle => None,
        }
    }

    /// An agent is in a new state.
    pub(super) fn moved(&mut self, t: f64, id: Key, new: AgentState) {
        let fresh = Shift {
            state: new,
            since: t,
            counted: 0.0,
            last_talk: 0.0,
            leaves: false,
        };
        let Some(old) = self.shifts.get(&id).copied() else {
            if new != AgentState::Off {
                self.shifts.insert(id, fresh);
            }
            return;
        };
        if old.state == new {
            return;
        }
        let age = (t - old.since).max(0.0);
        let last_talk = if old.state == AgentState::Talk {
            age
        } else {
            old.last_talk
        };
        let leaves = old.state == AgentState::Break && new == AgentState::Off;
        if let Some(curve) = self.curve(old.state, old.last_talk) {
            curve.expose(old.counted, age);
            if !leaves {
                curve.end(0, age);
            }
        }
        if old.state == AgentState::Talk && new != AgentState::Wrap {
            // No wrap-up is one of length nought.
            self.wrap[class(age)].end(0, 0.0);
        }
        if matches!(old.state, AgentState::Wrap | AgentState::Talk) && new != AgentState::Wrap {
            if matches!(new, AgentState::Idle | AgentState::Talk) {
                self.returned += 1.0;
            } else if !old.leaves {
                // Who said so before surprises nobody.
                self.left += 1.0;
            }
        }
        if new == AgentState::Off {
            self.shifts.remove(&id);
        } else {
            let leaves = old.leaves;
            self.shifts.insert(
                id,
                Shift {
                    last_talk,
                    leaves,
                    ..fresh
                },
            );
        }
    }

    /// Whether an agent takes no other call after this one.
    pub(super) fn leaves(&mut self, id: Key, leaves: bool) {
        if let Some(shift) = self.shifts.get_mut(&id) {
            shift.leaves = leaves;
        }
    }

    /// Sets an agent as the host says, where that differs from what the events told.
    pub(super) fn set(&mut self, t: f64, id: Key, state: AgentState, in_state: f64, talk: f64) {
        if self.shifts.get(&id).is_some_and(|s| s.state == state) {
            return;
        }
        let since = t - in_state.max(0.0);
        self.shifts.insert(
            id,
            Shift {
                state,
                since,
                counted: in_state.max(0.0),
                last_talk: talk,
                leaves: false,
            },
        );
    }

    /// Keeps only the agents the host names.
    pub(super) fn keep(&mut self, known: impl Fn(Key) -> bool) {
        self.shifts.retain(|id, _| known(*id));
    }

    /// Agents at work or ready.
    pub(super) fn at_work(&self) -> usize {
        let works = |s: &&Shift| !matches!(s.state, AgentState::Off | AgentState::Break);
        self.shifts.values().filter(works).count()
    }

    /// Counts the exposure of states in progress and makes the tables for these horizons (s).
    pub(super) fn settle(&mut self, t: f64, weight: f64, horizons: &[f64; HORIZONS]) {
        let mut shifts = std::mem::take(&mut self.shifts);
        for shift in shifts.values_mut() {
            let age = (t - shift.since).max(0.0);
            if let Some(curve) = self.curve(shift.state, shift.last_talk) {
                curve.expose(shift.counted, age);
                shift.counted = age;
            }
        }
        self.shifts = shifts;
        let keep = (-(t - self.decayed_at).max(0.0) / RETURN_TAU_S).exp();
        self.decayed_at = t;
        self.returned *= keep;
        self.left *= keep;
        self.talk.settle(t, weight);
        self.away.settle(t, weight);
        for curve in &mut self.wrap {
            curve.settle(t, weight / 4.0);
        }
        self.table(horizons);
    }

    fn table(&mut self, horizons: &[f64; HORIZONS]) {
        let back = (self.returned + RETURN_PRIOR * RETURN_SHARE)
            / (self.returned + self.left + RETURN_PRIOR);
        let mut wrapped = [[0.0; WRAP_STEPS]; CLASSES];
        for (class, curve) in self.wrap.iter().enumerate() {
            let mut survive = 1.0;
            for (step, done) in wrapped[class].iter_mut().enumerate() {
                *done = 1.0 - survive;
                let age = f64::from(u32::try_from(step).unwrap_or(0)) * FINE_S;
                survive *= (-curve.rate(curve.bin(age)) * FINE_S).exp();
            }
            by_age(curve, back, horizons, &mut self.wrap_free[class]);
        }
        by_age(&self.away, 1.0, horizons, &mut self.away_free);
        let longest = horizons[HORIZONS - 1];
        let ending: Vec<f64> = (0..BINS)
            .map(|bin| 1.0 - (-self.talk.rate(bin) * STEP_S).exp())
            .collect();
        let edges = &self.talk.edges;
        for bin in 0..=BINS {
            let start = edges[bin];
            let (mut survive, mut s, mut at) = (1.0_f64, 0.0, bin.min(BINS - 1));
            let mut free = [0.0; HORIZONS];
            while s < longest {
                let age = start + s;
                while at + 1 < BINS && edges[at + 1] <= age {
                    at += 1;
                }
                let ends = survive * ending[at];
                survive -= ends;
                let table = &wrapped[class(age)];
                for (free, horizon) in free.iter_mut().zip(horizons) {
                    let left = horizon - s - STEP_S / 2.0;
                    if left >= 0.0 {
                        let step = Grid::Fine.place(left).0.min(WRAP_STEPS - 1);
                        *free += ends * table[step];
                    }
                }
                s += STEP_S;
            }
            self.talk_free[bin] = free.map(|p| p * back);
        }
    }

    /// Chances of each agent who is not free now to be free by each horizon.
    pub(super) fn free(&self, t: f64) -> impl Iterator<Item = [f64; HORIZONS]> {
        let comes_back = |shift: &&Shift| !shift.leaves;
        let shifts = self.shifts.values().filter(comes_back);
        shifts.filter_map(move |shift| {
            let table = match shift.state {
                AgentState::Talk => &self.talk_free,
                AgentState::Wrap => &self.wrap_free[class(shift.last_talk)],
                AgentState::Break => &self.away_free,
                AgentState::Off | AgentState::Idle => return None,
            };
            let (bin, part) = Grid::Stretched.place(t - shift.since);
            if bin >= BINS {
                return Some(table[BINS]);
            }
            let (a, b) = (&table[bin], &table[bin + 1]);
            Some(std::array::from_fn(|j| a[j] + (b[j] - a[j]) * part))
        })
    }
}

/// P(ended by age + horizon | age) by bin, times a share.
fn by_age(curve: &Curve<1>, share: f64, horizons: &[f64; HORIZONS], out: &mut [[f64; HORIZONS]]) {
    let (grid, edges) = (curve.grid, &curve.edges);
    let mut sums = vec![0.0; BINS + 1];
    for bin in 0..BINS {
        sums[bin + 1] = sums[bin] + curve.rate(bin) * (edges[bin + 1] - edges[bin]);
    }
    let sum_to = |age: f64| {
        let bin = grid.place(age).0.min(BINS - 1);
        sums[bin] + curve.rate(bin) * (age - edges[bin])
    };
    for (bin, row) in out.iter_mut().enumerate() {
        let start = edges[bin];
        *row = horizons.map(|h| share * (1.0 - (sum_to(start) - sum_to(start + h)).exp()));
    }
}
