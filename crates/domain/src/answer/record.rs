//! A point's own record against its level, and the forecast of one call.

use super::curve::{bounded, faded};
use super::factors::{Classes, Factors};
use super::model::{AnswerModel, Level};
use super::slot::SLOTS;
use super::{PointView, Slot};
use crate::time::UtcMs;

/// The forecast of one call before calibration: what the record of forecasts takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// That the right party is reached, 0–1.
    pub right_party: f64,
    /// That a person answers, 0–1.
    pub live: f64,
}

/// The forecast of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Probability that the right party is reached, 0–1, calibrated.
    pub right_party: f64,
    /// Probability that a person answers, whoever he is, 0–1, calibrated; never below `right_party`.
    pub live: f64,
    /// Before calibration: what `Observation::forecast` takes.
    pub raw: Forecast,
    /// The point's own tries near this hour, forgotten ones less.
    pub own_calls: f64,
    /// Right parties among them.
    pub own_hits: f64,
}

/// One try, weighed by its age.
#[derive(Debug, Clone)]
struct Weighed {
    cell: usize,
    weight: f64,
    /// Right party and person: 1 or 0, and what the level says of its slot.
    right: (f64, f64),
    live: (f64, f64),
}

/// Hits of a point against what its level says of its tries.
#[derive(Debug, Clone, Copy)]
struct Own {
    /// What is known of it before any try, as a factor.
    prior: f64,
    hits: f64,
    expected: f64,
}

impl Own {
    const fn new(prior: f64) -> Self {
        Self {
            prior,
            hits: 0.0,
            expected: 0.0,
        }
    }

    fn add(&mut self, weight: f64, (hit, rate): (f64, f64)) {
        self.hits += weight * hit;
        self.expected += weight * bounded(rate * self.prior);
    }

    /// What the point is against its level where a call at a slot of rate `base` is asked for: as a factor
    /// worth `calls` calls at that rate.
    fn factor(&self, base: f64, calls: f64) -> f64 {
        let worth = calls * base;
        self.prior * (worth + self.hits) / (worth + self.expected)
    }
}

/// The right party, or any person: what is read of the same record for each.
struct Side<'a> {
    rates: &'a [f64; SLOTS],
    factors: &'a Factors,
    own: Own,
    after: f64,
    /// Of a try, whether it hit and what the level says of its slot.
    of: fn(&Weighed) -> (f64, f64),
}

impl Side<'_> {
    /// What the level says of a slot, the day of the week included.
    fn rate(&self, slot: Slot) -> f64 {
        bounded(self.rates[slot.index()] * self.factors.of(Classes::of_day(slot)))
    }
}

/// A point's record, weighed; gives the forecast of any slot.
#[derive(Debug, Clone)]
pub struct PointRecord<'a> {
    model: &'a AnswerModel,
    level: &'a Level,
    right: Own,
    live: Own,
    /// What the last try says, of the right party and of a person.
    after: (f64, f64),
    tries: Vec<Weighed>,
}

impl<'a> PointRecord<'a> {
    pub(super) fn new(
        model: &'a AnswerModel,
        level: &'a Level,
        point: &PointView<'_>,
        now: UtcMs,
    ) -> Self {
        let p = model.params();
        let (of_right, of_live) = (&model.right_factors, &model.live_factors);
        let known = Classes::of_point(now, &point.traits, p);
        let last = Classes::of_last(now, point.last(now), p);
        let mut record = Self {
            model,
            level,
            right: Own::new(point.traits.sure(p) * of_right.of(known)),
            // Being sure of a number says who answers there, not whether anybody does.
            live: Own::new(of_live.of(known)),
            after: (of_right.of(last), of_live.of(last)),
            tries: Vec::with_capacity(point.tries.len()),
        };
        for one in point.tries {
            let weight = faded(now.since_ms(one.at), p.point_half_life_d);
            let hit = |hit: bool| f64::from(u8::from(hit));
            let right_rate = record.right_side().rate(one.slot);
            let right = (hit(one.result.is_right_party()), right_rate);
            let live_rate = record.live_side().rate(one.slot);
            let live = (hit(one.result.is_live()), live_rate);
            record.right.add(weight, right);
            record.live.add(weight, live);
            record.tries.push(Weighed {
                cell: one.slot.index(),
                weight,
                right,
                live,
            });
        }
        record
    }

    /// What a side is at a slot by its own record there: its level's rate `base`, moved by the point's tries of all
    /// hours, then by those near this one. Also those tries near it, and the hits among them.
    fn raw(&self, slot: Slot, side: &Side<'_>) -> (f64, f64, f64) {
        let p = self.model.params();
        let here = slot.index();
        let base = side.rate(slot);
        let factor = side.own.factor(base, p.point_calls);
        let (mut calls, mut hits, mut surplus) = (0.0, 0.0, 0.0);
        for one in &self.tries {
            let weight = one.weight * self.model.near.of(here, one.cell);
            let (hit, rate) = (side.of)(one);
            calls += weight;
            hits += weight * hit;
            surplus += weight * (hit - bounded(rate * factor));
        }
        let own = bounded(bounded(base * factor) + surplus / (p.point_hour_calls + calls));
        (bounded(own * side.after), calls, hits)
    }

    fn right_side(&self) -> Side<'_> {
        Side {
            rates: &self.level.right_rates,
            factors: &self.model.right_factors,
            own: self.right,
            after: self.after.0,
            of: |one| one.right,
        }
    }

    fn live_side(&self) -> Side<'_> {
        Side {
            rates: &self.level.live_rates,
            factors: &self.model.live_factors,
            own: self.live,
            after: self.after.1,
            of: |one| one.live,
        }
    }

    /// Probability that the right party is reached by a call in a slot, as `chance` says it: half of the work.
    #[must_use]
    pub fn right_party(&self, slot: Slot) -> f64 {
        let (raw, ..) = self.raw(slot, &self.right_side());
        self.model.calibration().correct(raw)
    }

    /// The forecast for a call in a slot.
    #[must_use]
    pub fn chance(&self, slot: Slot) -> Chance {
        let (right, own_calls, own_hits) = self.raw(slot, &self.right_side());
        let (live, ..) = self.raw(slot, &self.live_side());
        let live = live.max(right);
        let right_party = self.model.calibration().correct(right);
        Chance {
            right_party,
            live: self.model.live_calibration().correct(live).max(right_party),
            raw: Forecast {
                right_party: right,
                live,
            },
            own_calls,
            own_hits,
        }
    }
}
