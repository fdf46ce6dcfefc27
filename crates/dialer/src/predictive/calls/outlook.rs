//! The tables of the calls: what a call of each stage and age brings by each horizon.

use super::super::HORIZONS;
use super::super::chance::{Chance, between, quantile_times};
use super::super::hazard::{FINE_S, Grid};
use super::{Calls, DETECT_BINS, HORIZON_AGE_S, InFlight, SETUP_BINS, Stage, WHO_PRIOR};

impl Calls {
    /// Learns and makes the tables.
    pub(in super::super) fn settle(&mut self, t: f64, weight: f64) {
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
        let factor = self.hit_factor();
        let mut flow = Flow {
            done: vec![0.0; bins + 1],
            alive: vec![1.0; bins + 1],
        };
        let [people, machines, cut] = &self.ring.rates;
        let overall: f64 = people.iter().sum::<f64>()
            / (people.iter().sum::<f64>() + machines.iter().sum::<f64>()).max(1e-9);
        for bin in 0..bins {
            let (live, machine) = (people[bin] * factor, machines[bin]);
            let sum = live + machine + cut[bin];
            let gone = flow.alive[bin] * (1.0 - (-sum * FINE_S).exp());
            flow.done[bin + 1] = flow.done[bin] + gone * live / sum.max(1e-9);
            flow.alive[bin + 1] = flow.alive[bin] - gone;
            // Few answers in a bin lean on the whole.
            let small = WHO_PRIOR * 1e-3;
            self.who[bin] = (live + small * overall) / (live + machine + small);
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
    pub(in super::super) fn chances(&self, t: f64) -> impl Iterator<Item = Chance> {
        let open = self.flying.values().filter(|c| !c.kept);
        open.filter_map(move |c| self.chance(t, c))
    }
}

/// Of calls that began to ring: live answers up to an age, and those still ringing.
struct Flow {
    done: Vec<f64>,
    alive: Vec<f64>,
}
