//! What calls in flight will do: setup, ringing, detection, each by its age.

use super::chance::{Chance, between};
use super::hazard::{Curve, Grid, lognormal};
use super::level::Level;
use super::{HORIZONS, Key};
use std::collections::BTreeMap;

mod outlook;

/// Half-life of what is learned of calls, s: hit rates follow the hour.
const HALF_LIFE_S: f64 = 2_700.0;
/// Bins of the setup: 20 s.
const SETUP_BINS: usize = 40;
/// Bins of the detection: 10 s.
const DETECT_BINS: usize = 20;
/// Most bins of ringing: two minutes.
const RING_BINS_MAX: usize = 240;
/// Part of its relative error by which the hit rate is taken larger than believed: an answer too many
/// costs more than one too few.
const CAUTION: f64 = 0.5;
/// Dials that the prior share of dials that ring is worth.
const RINGS_PRIOR: f64 = 8.0;
/// Factor on the dials that ring under which the carrier is failing: what is seen then is not learned,
/// or its return would find a forecast that dials many times too much.
const FAILING: f64 = 0.5;
/// Prior share of dials that ring.
const RINGS_SHARE: f64 = 0.85;
/// Prior share of ringing calls that a person answers, cautious: nothing learned must not burst.
const LIVE_SHARE: f64 = 0.5;
/// Prior share of ringing calls that a machine answers.
const MACHINE_SHARE: f64 = 0.25;
/// Ends so near our own ring time are that ring time, s: what we end tells nothing.
const OWN_END_S: f64 = 1.0;
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
    /// An agent is kept for it.
    kept: bool,
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
    /// Ways: a person answers, a machine does, it ends unanswered before our ring time is over.
    ring: Curve<3>,
    ring_timeout_s: f64,
    human_delay: Curve<1>,
    machine_delay: Curve<1>,
    hits: Level,
    /// Dials that ring just now against the base share.
    rings: Level,
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

/// What is believed of ringing calls before any was seen.
fn ring_curve(ring_timeout_s: f64) -> Curve<3> {
    let bins = (Grid::Fine.place(ring_timeout_s).0 + 2).clamp(8, RING_BINS_MAX);
    let (live, machine) = (lognormal(10.0, 0.6), lognormal(12.0, 0.8));
    // That the network ends calls which ring is learned, not assumed.
    let cut = |_: f64| 0.0;
    let ways: [(f64, &dyn Fn(f64) -> f64); 3] =
        [(LIVE_SHARE, &live), (MACHINE_SHARE, &machine), (0.0, &cut)];
    Curve::new(Grid::Fine, bins, HALF_LIFE_S, ways)
}

impl Calls {
    pub(super) fn new(ring_timeout_s: f64) -> Self {
        let (setup, busy) = (lognormal(2.5, 0.6), lognormal(4.0, 0.6));
        let ring = ring_curve(ring_timeout_s);
        let bins = ring.bins();
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
            ring,
            ring_timeout_s,
            human_delay: fine(DETECT_BINS, &human),
            machine_delay: fine(DETECT_BINS, &found),
            hits: Level::new(),
            rings: Level::new(),
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

    /// Calls ring for another time from now on. To be settled before it is asked again.
    pub(super) fn ring_for(&mut self, ring_timeout_s: f64) {
        let mut ring = ring_curve(ring_timeout_s);
        ring.take_over(&self.ring);
        self.by_ring.resize(ring.bins() + 1, Chance::default());
        self.who.resize(ring.bins(), 0.5);
        self.ring = ring;
        self.ring_timeout_s = ring_timeout_s;
        self.horizons_at = f64::NEG_INFINITY;
    }

    /// What was learned, by name.
    pub(super) fn learned(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("setup", self.setup.learned()),
            ("ring", self.ring.learned()),
            ("human", self.human_delay.learned()),
            ("machine", self.machine_delay.learned()),
            ("rings", vec![self.ringing_share.0, self.ringing_share.1]),
        ]
    }

    /// Dials that the memory stands for.
    pub(super) fn weight(&self) -> f64 {
        self.setup.ends()
    }

    /// Takes up one part of what was learned before.
    pub(super) fn recall(&mut self, name: &str, kept: &[f64], keep: f64) {
        match (name, kept) {
            ("setup", _) => self.setup.recall(kept, keep),
            ("ring", _) => self.ring.recall(kept, keep),
            ("human", _) => self.human_delay.recall(kept, keep),
            ("machine", _) => self.machine_delay.recall(kept, keep),
            ("rings", [rang, dialed]) if *dialed > 0.0 && (0.0..=*dialed).contains(rang) => {
                let share = rang / dialed;
                self.ringing_share.0 =
                    self.ringing_share.1 * (keep * share + (1.0 - keep) * RINGS_SHARE);
            }
            _ => {}
        }
    }

    pub(super) fn launched(&mut self, t: f64, id: Key, estimate: Option<f64>, odds: f64) {
        let call = InFlight {
            stage: Stage::Setup,
            since: t,
            counted: 0.0,
            odds,
            estimate,
            kept: false,
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
                if !self.failing() {
                    self.setup.expose(from, age);
                }
            }
            Stage::Ring => {
                let lean = call.lean(&self.by_ring, age);
                let weight = self.hits.factor() * lean;
                let expected = lean * self.ring.expose_weighed(from, age, weight);
                self.hits.add(0.0, expected);
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

    fn failing(&self) -> bool {
        self.rings.factor() < FAILING
    }

    fn setup_over(&mut self, rings: bool, age: f64) {
        let base = self.ringing_share.0 / self.ringing_share.1;
        let seen = f64::from(u8::from(rings));
        self.rings.add(seen, base);
        if self.failing() {
            return;
        }
        self.setup.end(usize::from(!rings), age);
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
            self.setup_over(true, t - call.since);
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
            self.hits.add(1.0, 0.0);
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
            Stage::Setup => self.setup_over(false, t - call.since),
            Stage::Detect(ring_age) => {
                self.ring.end(1, ring_age);
                self.delayed(1, t - call.since);
            }
            Stage::Ring => {
                let age = t - call.since;
                if age < self.ring_timeout_s - OWN_END_S {
                    self.ring.end(2, age);
                }
            }
            Stage::Wait => {}
        }
        self.flying.remove(&id)
    }

    /// It has its agent: it is learned from, and wants nobody else.
    pub(super) fn keep_apart(&mut self, id: Key) {
        if let Some(call) = self.flying.get_mut(&id) {
            call.kept = true;
        }
    }

    /// Withdrawn by us: it tells nothing.
    pub(super) fn forget(&mut self, id: Key) {
        self.flying.remove(&id);
    }

    /// Keeps only the calls the host names.
    pub(super) fn keep(&mut self, known: impl Fn(Key) -> bool) {
        self.flying.retain(|id, _| known(*id));
    }

    /// Where a call stands, as far as it was told.
    pub(super) fn stage(&self, id: Key) -> Option<Stage> {
        self.flying.get(&id).map(|call| call.stage)
    }

    /// Takes over a call whose beginning was not told, with its estimate and the odds that makes.
    pub(super) fn adopt(
        &mut self,
        t: f64,
        id: Key,
        stage: Stage,
        age: f64,
        (estimate, odds): (Option<f64>, f64),
    ) {
        let call = InFlight {
            stage,
            since: t - age.max(0.0),
            counted: age.max(0.0),
            odds,
            estimate,
            kept: false,
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
        let (mut expected, factor) = (0.0, self.hits.factor());
        let failing = self.failing();
        for call in self.flying.values_mut() {
            let age = (t - call.since).max(0.0);
            match call.stage {
                Stage::Setup if failing => {}
                Stage::Setup => {
                    self.setup.expose(call.counted, age);
                }
                Stage::Ring => {
                    let lean = call.lean(&self.by_ring, age);
                    let ring = &mut self.ring;
                    expected += lean * ring.expose_weighed(call.counted, age, factor * lean);
                }
                Stage::Detect(_) | Stage::Wait => {}
            }
            call.counted = age;
        }
        self.hits.add(0.0, expected);
        self.hits.settle(t);
        self.rings.settle(t);
    }

    /// Hit rate against what was learned by ring age, on the careful side.
    pub(super) const fn hit_factor(&self) -> f64 {
        self.hits.factor() * (1.0 + CAUTION * self.hits.error())
    }

    /// Relative error of the hit rate.
    pub(super) const fn hit_error(&self) -> f64 {
        self.hits.error()
    }
}
