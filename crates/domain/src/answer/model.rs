//! The three levels and the forecast of one call.

use super::curve::{bounded, faded};
use super::slot::{Nearness, SLOTS};
use super::{AnswerParams, Calibration, Curve, Slot};
use crate::ids::CampaignId;
use crate::time::UtcMs;
use std::collections::BTreeMap;

/// Most campaigns whose curves are kept; the portfolio's level speaks for further ones.
const CAMPAIGNS_MAX: usize = 512;

/// What came of one call, as the levels learn it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Campaign; `None` outside any.
    pub campaign: Option<CampaignId>,
    /// When the call was made.
    pub at: UtcMs,
    /// Local hour and kind of day.
    pub slot: Slot,
    /// A person answered.
    pub live: bool,
    /// The right party was spoken to.
    pub right_party: bool,
    /// The forecast made for it (`Chance::raw`), when one was made.
    pub forecast: Option<f64>,
}

/// One earlier try of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When.
    pub at: UtcMs,
    /// Local hour and kind of day.
    pub slot: Slot,
    /// The right party was spoken to.
    pub right_party: bool,
}

/// What is known of a point by itself.
#[derive(Debug, Clone, Copy)]
pub struct PointView<'a> {
    /// Its tries, any order.
    pub tries: &'a [Tried],
    /// 0–100, how sure we are that it reaches the debtor.
    pub confidence: i32,
    /// Whether the debtor gave it.
    pub given_by_debtor: bool,
}

/// The forecast of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Probability that the right party is reached, 0–1, calibrated.
    pub right_party: f64,
    /// Probability that a person answers, 0–1: the level's ratio of live answers to right parties applied
    /// to the point, because a point's own record tells the right party only.
    pub live: f64,
    /// Before calibration: what `Observation::forecast` takes.
    pub raw: f64,
    /// The point's own tries near this hour, forgotten ones less.
    pub own_calls: f64,
    /// Contacts among them.
    pub own_hits: f64,
}

#[derive(Debug, Clone)]
struct Level {
    right: Curve,
    live: Curve,
    right_rates: [f64; SLOTS],
    live_rates: [f64; SLOTS],
}

impl Level {
    fn new(params: &AnswerParams) -> Self {
        Self {
            right: Curve::default(),
            live: Curve::default(),
            right_rates: [params.prior_right_party; SLOTS],
            live_rates: [params.prior_live; SLOTS],
        }
    }

    fn observe(&mut self, seen: &Observation, half_life_d: f64) {
        let live = seen.live || seen.right_party;
        self.right
            .observe(seen.at, seen.slot, seen.right_party, half_life_d);
        self.live.observe(seen.at, seen.slot, live, half_life_d);
    }
}

/// The levels of one portfolio and its record of forecasts.
#[derive(Debug, Clone)]
pub struct AnswerModel {
    params: AnswerParams,
    near: Nearness,
    portfolio: Level,
    campaigns: BTreeMap<CampaignId, Level>,
    calibration: Calibration,
}

impl Default for AnswerModel {
    fn default() -> Self {
        Self::new(AnswerParams::default())
    }
}

impl AnswerModel {
    /// A model that knows nothing yet: its priors speak.
    #[must_use]
    pub fn new(params: AnswerParams) -> Self {
        Self {
            near: Nearness::new(params.width_h, params.other_day),
            portfolio: Level::new(&params),
            campaigns: BTreeMap::new(),
            calibration: Calibration::default(),
            params,
        }
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> &AnswerParams {
        &self.params
    }

    /// Its record of forecasts.
    #[must_use]
    pub const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// Calls learned from, forgotten ones less.
    #[must_use]
    pub fn calls(&self) -> f64 {
        self.portfolio.right.calls()
    }

    /// Learns from calls that are over.
    pub fn learn(&mut self, seen: &[Observation]) {
        let half_life = self.params.level_half_life_d;
        for one in seen {
            self.portfolio.observe(one, half_life);
            if let Some(id) = one.campaign
                && (self.campaigns.contains_key(&id) || self.campaigns.len() < CAMPAIGNS_MAX)
            {
                let level = self
                    .campaigns
                    .entry(id)
                    .or_insert_with(|| Level::new(&self.params));
                level.observe(one, half_life);
            }
            if let Some(forecast) = one.forecast {
                self.calibration.observe(
                    forecast,
                    one.right_party,
                    self.params.calibration_half_life,
                    self.params.calibration_hits,
                );
            }
        }
        if !seen.is_empty() {
            self.settle();
        }
    }

    fn settle(&mut self) {
        let (p, near) = (&self.params, &self.near);
        let top = &mut self.portfolio;
        let right = [p.prior_right_party; SLOTS];
        let live = [p.prior_live; SLOTS];
        top.right_rates = top.right.rates(&right, p.prior_calls, p.hour_calls, near);
        top.live_rates = top.live.rates(&live, p.prior_calls, p.hour_calls, near);
        for level in self.campaigns.values_mut() {
            level.right_rates =
                level
                    .right
                    .rates(&top.right_rates, p.campaign_calls, p.hour_calls, near);
            level.live_rates =
                level
                    .live
                    .rates(&top.live_rates, p.campaign_calls, p.hour_calls, near);
        }
    }

    fn level(&self, campaign: Option<CampaignId>) -> &Level {
        campaign
            .and_then(|id| self.campaigns.get(&id))
            .unwrap_or(&self.portfolio)
    }

    /// What the level says of a slot, 0–1: a point that was never tried has this, times what its source
    /// and confidence say.
    #[must_use]
    pub fn level_rate(&self, campaign: Option<CampaignId>, slot: Slot) -> f64 {
        self.level(campaign).right_rates[slot.index()]
    }

    /// Reads a point's record as of `now` (its tries are weighed by their age), once for many slots.
    #[must_use]
    pub fn record(
        &self,
        campaign: Option<CampaignId>,
        point: &PointView<'_>,
        now: UtcMs,
    ) -> PointRecord<'_> {
        let level = self.level(campaign);
        let prior = self.point_factor(point);
        let (mut hits, mut expected) = (0.0, 0.0);
        let mut tries = Vec::with_capacity(point.tries.len());
        for one in point.tries {
            let weight = faded(now.since_ms(one.at), self.params.point_half_life_d);
            let base = level.right_rates[one.slot.index()];
            hits += weight * f64::from(u8::from(one.right_party));
            expected += weight * bounded(base * prior);
            tries.push((one.slot.index(), weight, one.right_party, base));
        }
        PointRecord {
            model: self,
            level,
            prior,
            hits,
            expected,
            tries,
        }
    }

    /// The forecast for one call to a point in a slot, as of `now`.
    #[must_use]
    pub fn chance(
        &self,
        campaign: Option<CampaignId>,
        point: &PointView<'_>,
        slot: Slot,
        now: UtcMs,
    ) -> Chance {
        self.record(campaign, point, now).chance(slot)
    }

    fn point_factor(&self, point: &PointView<'_>) -> f64 {
        let p = &self.params;
        let sure = f64::from(point.confidence.clamp(0, 100)) / 100.0;
        let given = if point.given_by_debtor {
            p.given_by_debtor
        } else {
            1.0
        };
        given * (p.confidence_none + sure * (p.confidence_full - p.confidence_none))
    }
}

/// A point's record, weighed; gives the forecast of any slot.
#[derive(Debug, Clone)]
pub struct PointRecord<'a> {
    model: &'a AnswerModel,
    level: &'a Level,
    prior: f64,
    hits: f64,
    expected: f64,
    /// Cell, weight by age, right party, rate of the level there.
    tries: Vec<(usize, f64, bool, f64)>,
}

impl PointRecord<'_> {
    /// The forecast for a call in a slot.
    #[must_use]
    pub fn chance(&self, slot: Slot) -> Chance {
        let p = &self.model.params;
        let here = slot.index();
        let base = self.level.right_rates[here];
        // As a factor on the level's curve, worth `point_calls` calls at this hour's rate.
        let worth = p.point_calls * base;
        let factor = self.prior * (worth + self.hits) / (worth + self.expected);
        let (mut own_calls, mut own_hits, mut surplus) = (0.0, 0.0, 0.0);
        for (cell, age, right_party, rate) in &self.tries {
            let weight = age * self.model.near.of(here, *cell);
            let hit = f64::from(u8::from(*right_party));
            own_calls += weight;
            own_hits += weight * hit;
            surplus += weight * (hit - bounded(rate * factor));
        }
        let raw = bounded(bounded(base * factor) + surplus / (p.point_hour_calls + own_calls));
        let right_party = self.model.calibration.correct(raw);
        let ratio = self.level.live_rates[here] / base;
        Chance {
            right_party,
            live: bounded((right_party * ratio).max(right_party)),
            raw,
            own_calls,
            own_hits,
        }
    }
}
