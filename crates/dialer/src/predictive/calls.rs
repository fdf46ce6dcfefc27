//! What calls in flight will do: setup, ringing, detection, each by its age.

use super::chance::{Chance, Fast, between, quantile_times};
use super::hazard::{Curve, FINE_S, Grid, lognormal};
use super::{HORIZONS, Key};
use std::collections::BTreeMap;

/// Half-life of what is learned of calls, s: hit rates follow the hour.
const HALF_LIFE_S: f64 = 2_700.0;
/// Bins of the setup: 20 s.
const SETUP_BINS: usize = 40;
/// Bins of the detection: 10 s.
const DETECT_BINS: usize = 20;
/// Most bins of ringing: two minutes.
const RING_BINS_MAX: usize = 240;
/// Time constant of the fast hit-rate factor, s.
const HITS_TAU_S: f64 = 120.0;
/// Prior weight of the fast hit-rate factor, answers.
const HITS_PRIOR: f64 = 12.0;
/// Time constant of the fast share of dials that ring, s.
const RINGS_TAU_S: f64 = 40.0;
/// Prior weight of the fast share of dials that ring, dials.
const RINGS_PRIOR: f64 = 8.0;
/// Prior share of dials that ring.
const RINGS_SHARE: f64 = 0.85;
/// Prior share of ringing calls that a person answers, cautious: nothing learned must not burst.
const LIVE_SHARE: f64 = 0.5;
/// Prior share of ringing calls that a machine answers.
const MACHINE_SHARE: f64 = 0.25;
/// Age of the horizons at which they are taken again, s: they move slowly.
const HORIZON_AGE_S: f64 = 15.0;
/// Prior calls in the share of answers that are people, per bin of ring age.
const WHO_PRIOR: f64 = 2.0;

/// Where a call in flight stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Setup,
    Ring,
    /// Answered at this ring age; who it is, is not known yet.
    Detect(f64),
    /// A person without an agent.
    Wait,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    pub(super) stage: Stage,
    /// Stage began.
    since: f64,
    counted: f64,
    /// Odds of an answer relative to the average number's.
    pub(super) odds: f64,
    /// The estimate it came with.
    pub(super) estimate: Option<f64>,
}

impl InFlight {
    /// Its rate of answers relative to the average call's of this ring age.
    fn lean(&self, by_ring: &[Chance], age: f64) -> f64 {
        if (self.odds - 1.0).abs() < 1e-9 {
            return 1.0;
        }
        self.odds / (1.0 + (self.odds - 1.0) * between(by_ring, age).ever)
    }
}

/// The calls of a campaign.
#[derive(Debug)]
pub(super) struct Calls {
    flying: BTreeMap<Key, InFlight>,
    /// Ways: rings, ends before it rings.
    setup: Curve<2>,
    /// Ways: a person answers, a machine does.
    ring: Curve<2>,
    human_delay: Curve<1>,
    machine_delay: Curve<1>,
    hits: Fast,
    rings: Fast,
    /// Base share of dials that ring, forgetting slowly.
    ringing_share: (f64, f64),
    by_setup: Vec<Chance>,
    by_ring: Vec<Chance>,
    /// P(person | answered at this ring age).
    who: Vec<f64>,
    /// P(detection lasts longer than the bin's start): people, machines.
    lasts: [Vec<f64>; 2],
    horizons_at: f64,
    /// Horizons: a fresh call's answer delays at fixed quantiles, s.
    pub(super) horizons: [f64; HORIZONS],
    /// Chances of a call that is dialed now.
    pub(super) fresh: Chance,
}

impl Calls {
    pub(super) fn new(ring_timeout_s: f64) -> Self {
        let bins = (Grid::Fine.place(ring_timeout_s).0 + 2).clamp(8, RING_BINS_MAX);
        let (setup, busy) = (lognormal(2.5, 0.6), lognormal(4.0, 0.6));
        let (live, machine) = (lognormal(10.0, 0.6), lognormal(12.0, 0.8));
        let (human, found) = (lognormal(0.8, 0.5), lognormal(2.5, 0.5));
        let fine = |bins, done: &dyn Fn(f64) -> f64| {
            Curve::new(Grid::Fine, bins, HALF_LIFE_S, [(1.0, done)])
        };
        Self {
            flying: BTreeMap::new(),
            setup: Curve::new(
                Grid::Fine,
                SETUP_BINS,
                HALF_LIFE_S,
                [(RINGS_SHARE, &setup), (1.0 - RINGS_SHARE, &busy)],
            ),
            ring: Curve::new(
                Grid::Fine,
                bins,
                HALF_LIFE_S,
                [(LIVE_SHARE, &live), (MACHINE_SHARE, &machine)],
            ),
            human_delay: fine(DETECT_BINS, &human),
            machine_delay: fine(DETECT_BINS, &found),
            hits: Fast::new(HITS_TAU_S, HITS_PRIOR),
            rings: Fast::new(RINGS_TAU_S, RINGS_PRIOR),
            ringing_share: (RINGS_SHARE * RINGS_PRIOR, RINGS_PRIOR),
            by_setup: vec![Chance::default(); SETUP_BINS + 1],
            by_ring: vec![Chance::default(); bins + 1],
            who: vec![0.5; bins],
            lasts: std::array::from_fn(|_| vec![0.0; DETECT_BINS + 1]),
            horizons_at: f64::NEG_INFINITY,
            horizons: [4.0, 8.0, 11.0, 14.0, 20.0],
            fresh: Chance::default(),
        }
    }

    pub(super) fn launched(&mut self, t: f64, id: Key, estimate: Option<f64>, odds: f64) {
        let call = InFlight {
            stage: Stage::Setup,
            since: t,
            counted: 0.0,
            odds,
            estimate,
        };
        self.flying.insert(id, call);
    }

    fn count(&mut self, t: f64, id: Key) -> Option<InFlight> {
        let call = self.flying.get_mut(&id)?;
        let age = (t - call.since).max(0.0);
        let from = call.counted;
        call.counted = age;
        let call = *call;
        match call.stage {
            Stage::Setup => {
                self.setup.expose(from, age);
            }
            Stage::Ring => {
                let lean = call.lean(&self.by_ring, age);
                let expected = lean * self.ring.expose(from, age);
                self.hits.add(t, 0.0, expected);
            }
            Stage::Detect(_) | Stage::Wait => {}
        }
        Some(call)
    }

    fn enter(&mut self, t: f64, id: Key, stage: Stage) {
        if let Some(call) = self.flying.get_mut(&id) {
            call.stage = stage;
            call.since = t;
            call.counted = 0.0;
        }
    }

    fn setup_over(&mut self, t: f64, rings: bool, age: f64) {
        self.setup.end(usize::from(!rings), age);
        let base = self.ringing_share.0 / self.ringing_share.1;
        let seen = f64::from(u8::from(rings));
        self.rings.add(t, seen, base);
        // Worth some thousand dials at most, so that the base follows the list.
        let keep = if self.ringing_share.1 > 2_000.0 {
            0.999
        } else {
            1.0
        };
        self.ringing_share.0 = self.ringing_share.0 * keep + seen;
        self.ringing_share.1 = self.ringing_share.1 * keep + 1.0;
    }

    pub(super) fn ringing(&mut self, t: f64, id: Key) {
        if let Some(call) = self.count(t, id)
            && call.stage == Stage::Setup
        {
            self.setup_over(t, true, t - call.since);
            self.enter(t, id, Stage::Ring);
        }
    }

    pub(super) fn answered(&mut self, t: f64, id: Key) {
        if self
            .flying
            .get(&id)
            .is_some_and(|c| c.stage == Stage::Setup)
        {
            self.ringing(t, id);
        }
        if let Some(call) = self.count(t, id)
            && call.stage == Stage::Ring
        {
            self.enter(t, id, Stage::Detect(t - call.since));
        }
    }

    /// A person, no agent yet.
    pub(super) fn live(&mut self, t: f64, id: Key) {
        if self
            .flying
            .get(&id)
            .is_some_and(|c| matches!(c.stage, Stage::Setup | Stage::Ring))
        {
            self.answered(t, id);
        }
        if let Some(call) = self.count(t, id)
            && let Stage::Detect(ring_age) = call.stage
        {
            self.ring.end(0, ring_age);
            self.delayed(0, t - call.since);
            self.hits.add(t, 1.0, 0.0);
            self.enter(t, id, Stage::Wait);
        }
    }

    fn delayed(&mut self, who: usize, delay: f64) {
        let curve = if who == 0 {
            &mut self.human_delay
        } else {
            &mut self.machine_delay
        };
        curve.expose(0.0, delay);
        curve.end(0, delay);
    }

    /// Over, or with an agent: its estimate when it was not live.
    pub(super) fn gone(&mut self, t: f64, id: Key) -> Option<InFlight> {
        let call = self.count(t, id)?;
        match call.stage {
            Stage::Setup => self.setup_over(t, false, t - call.since),
            Stage::Detect(ring_age) => {
                self.ring.end(1, ring_age);
                self.delayed(1, t - call.since);
            }
            Stage::Ring | Stage::Wait => {}
        }
        self.flying.remove(&id)
    }

    /// Withdrawn by us: it tells nothing.
    pub(super) fn forget(&mut self, id: Key) {
        self.flying.remove(&id);
    }

    /// Keeps only the calls the host names.
    pub(super) fn keep(&mut self, known: impl Fn(Key) -> bool) {
        self.flying.retain(|id, _| known(*id));
    }

    pub(super) fn knows(&self, id: Key) -> bool {
        self.flying.contains_key(&id)
    }

    /// Takes over a call whose beginning was not told.
    pub(super) fn adopt(&mut self, t: f64, id: Key, stage: Stage, age: f64) {
        let call = InFlight {
            stage,
            since: t - age.max(0.0),
            counted: age.max(0.0),
            odds: 1.0,
            estimate: None,
        };
        self.flying.insert(id, call);
    }

    /// Calls whose answer is open.
    pub(super) fn open(&self) -> usize {
        self.flying
            .values()
            .filter(|c| c.stage != Stage::Wait)
            .count()
    }

    /// Counts the exposure of everything in progress up to now.
    pub(super) fn count_all(&mut self, t: f64) {
        let mut expected = 0.0;
        for call in self.flying.values_mut() {
            let age = (t - call.since).max(0.0);
            match call.stage {
                Stage::Setup => {
                    self.setup.expose(call.counted, age);
                }
                Stage::Ring => {
                    let lean = call.lean(&self.by_ring, age);
                    expected += lean * self.ring.expose(call.counted, age);
                }
                Stage::Detect(_) | Stage::Wait => {}
            }
            call.counted = age;
        }
        self.hits.add(t, 0.0, expected);
        self.rings.add(t, 0.0, 0.0);
    }

    /// Fast hit-rate factor.
    pub(super) fn hit_factor(&self) -> f64 {
        self.hits.factor()
    }

    /// Relative error of the hit rate: what the fast factor has seen.
    pub(super) fn hit_error(&self) -> f64 {
        1.0 / (HITS_PRIOR + self.hits.expected).sqrt()
    }

    /// Learns and makes the tables.
    pub(super) fn settle(&mut self, t: f64, weight: f64) {
        self.setup.settle(t, weight);
        self.ring.settle(t, weight);
        self.human_delay.settle(t, weight / 3.0);
        self.machine_delay.settle(t, weight / 3.0);
        for (lasts, curve) in self
            .lasts
            .iter_mut()
            .zip([&self.human_delay, &self.machine_delay])
        {
            let mut survive = 1.0;
            for (bin, s) in lasts.iter_mut().enumerate() {
                *s = survive;
                if bin < DETECT_BINS {
                    survive *= (-curve.rate(bin) * FINE_S).exp();
                }
            }
        }
        let far = t - self.horizons_at >= HORIZON_AGE_S;
        if far {
            self.horizons_at = t;
        }
        self.table(far);
    }

    /// The fast factor of dials that ring, kept so that the share stays a share.
    fn ring_factor(&self) -> f64 {
        let base = self.ringing_share.0 / self.ringing_share.1;
        self.rings.factor().min(1.0 / base.max(0.05))
    }

    fn table(&mut self, far: bool) {
        let live = self.live_by_ring_age();
        let bins = self.ring.bins();
        let delay = self.mean_human_delay();
        let reach = |horizon: f64, age: f64| {
            let at = age + (horizon - delay).max(0.0);
            let (bin, part) = Grid::Fine.place(at);
            if bin >= bins {
                live.done[bins]
            } else {
                live.done[bin] + (live.done[bin + 1] - live.done[bin]) * part
            }
        };
        // Setup first as of age nought: its answer times give the horizons.
        let (rings_at, alive) = self.setup_flow();
        if far {
            self.horizons = quantile_times(
                &rings_at,
                delay,
                &|left| reach(left, 0.0),
                SETUP_BINS + bins,
            );
        }
        // What a ring that begins so many bins from now brings by each horizon.
        let brings: Vec<[f64; HORIZONS]> = (0..SETUP_BINS)
            .map(|ahead| {
                let begun = Grid::Fine.edge(ahead) + FINE_S / 2.0;
                self.horizons.map(|h| {
                    if h - begun > delay {
                        reach(h - begun, 0.0)
                    } else {
                        0.0
                    }
                })
            })
            .collect();
        for (age, here) in alive.iter().enumerate() {
            let here = here.max(1e-9);
            let mut chance = Chance::default();
            for (rings, brings) in rings_at.iter().skip(age).zip(&brings) {
                let share = rings / here;
                for (by, brought) in chance.by.iter_mut().zip(brings) {
                    *by += share * brought;
                }
                chance.ever += share * live.done[bins];
            }
            self.by_setup[age] = chance;
        }
        for age in 0..=bins {
            let here = live.alive[age].max(1e-9);
            let (from, before) = (Grid::Fine.edge(age), live.done[age]);
            self.by_ring[age] = Chance {
                by: self
                    .horizons
                    .map(|h| ((reach(h, from) - before) / here).clamp(0.0, 1.0)),
                ever: ((live.done[bins] - before) / here).clamp(0.0, 1.0),
            };
        }
        self.fresh = self.by_setup[0];
    }

    /// Share of dials that begin to ring in each bin of setup age, and that are still in setup.
    fn setup_flow(&self) -> (Vec<f64>, Vec<f64>) {
        let factor = self.ring_factor();
        let (mut alive, mut rings) = (vec![1.0; SETUP_BINS + 1], vec![0.0; SETUP_BINS]);
        for bin in 0..SETUP_BINS {
            let (ring, fail) = (self.setup.rates[0][bin] * factor, self.setup.rates[1][bin]);
            let sum = ring + fail;
            let gone = alive[bin] * (1.0 - (-sum * FINE_S).exp());
            rings[bin] = gone * ring / sum.max(1e-9);
            alive[bin + 1] = alive[bin] - gone;
        }
        (rings, alive)
    }

    fn live_by_ring_age(&mut self) -> Flow {
        let bins = self.ring.bins();
        let factor = self.hits.factor();
        let mut flow = Flow {
            done: vec![0.0; bins + 1],
            alive: vec![1.0; bins + 1],
        };
        let (people, machines) = (&self.ring.rates[0], &self.ring.rates[1]);
        let overall: f64 = people.iter().sum::<f64>()
            / (people.iter().sum::<f64>() + machines.iter().sum::<f64>()).max(1e-9);
        for bin in 0..bins {
            let (live, machine) = (people[bin] * factor, machines[bin]);
            let sum = live + machine;
            let gone = flow.alive[bin] * (1.0 - (-sum * FINE_S).exp());
            flow.done[bin + 1] = flow.done[bin] + gone * live / sum.max(1e-9);
            flow.alive[bin + 1] = flow.alive[bin] - gone;
            // Few answers in a bin lean on the whole.
            let small = WHO_PRIOR * 1e-3;
            self.who[bin] = (live + small * overall) / (sum + small);
        }
        flow
    }

    fn mean_human_delay(&self) -> f64 {
        self.lasts[0].iter().skip(1).sum::<f64>() * FINE_S + FINE_S / 2.0
    }

    /// Chances of one call.
    fn chance(&self, t: f64, call: &InFlight) -> Option<Chance> {
        let age = t - call.since;
        let base = match call.stage {
            Stage::Wait => return None,
            Stage::Setup => between(&self.by_setup, age),
            Stage::Ring => between(&self.by_ring, age),
            Stage::Detect(ring_age) => self.detecting(age, ring_age),
        };
        Some(base.with_odds(call.odds))
    }

    fn detecting(&self, age: f64, ring_age: f64) -> Chance {
        let who = self.who[self.ring.bin(ring_age)];
        let at = |who: usize, age: f64| {
            let (bin, part) = Grid::Fine.place(age);
            match self.lasts[who].get(bin..bin + 2) {
                Some([a, b]) => a + (b - a) * part,
                _ => 0.0,
            }
        };
        let (people, machines) = (who * at(0, age), (1.0 - who) * at(1, age));
        let whole = (people + machines).max(1e-9);
        let ever = if people + machines < 1e-9 {
            who
        } else {
            people / whole
        };
        Chance {
            by: self.horizons.map(|h| {
                let later = who * at(0, age + h);
                (ever - later / whole).max(0.0)
            }),
            ever,
        }
    }

    /// Chances of every call whose answer is open.
    pub(super) fn chances(&self, t: f64) -> impl Iterator<Item = Chance> {
        self.flying.values().filter_map(move |c| self.chance(t, c))
    }
}

/// Of calls that began to ring: live answers up to an age, and those still ringing.
struct Flow {
    done: Vec<f64>,
    alive: Vec<f64>,
}
