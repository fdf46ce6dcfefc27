//! The levels, and what they learn.

use super::curve::bounded;
use super::factors::{Classes, Factors};
use super::slot::{Nearness, SLOTS};
use super::{
    AnswerParams, Calibration, Chance, Curve, Forecast, PointRecord, PointView, Slot, Traits,
    Tried, TryResult,
};
use crate::ids::CampaignId;
use crate::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// A rate a cell.
type Rates = [f64; SLOTS];

/// Most campaigns whose curves are kept; the portfolio's level speaks for further ones.
const CAMPAIGNS_MAX: usize = 512;

/// Calls after which the rates and factors are read anew while many are learned at once: what a call was
/// expected to come to is to be what was known before it.
const SETTLE_EVERY: usize = 250;

/// What came of one call, as the levels learn it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Campaign; `None` outside any.
    pub campaign: Option<CampaignId>,
    /// When the call was made.
    pub at: UtcMs,
    /// Local hour and day of the week.
    pub slot: Slot,
    /// What came of it.
    pub result: TryResult,
    /// What is known of the point, where that is read.
    pub traits: Option<Traits>,
    /// The point's newest try before it, where one is known.
    pub last: Option<Tried>,
    /// The forecast made for it (`Chance::raw`), when one was made.
    pub forecast: Option<Forecast>,
}

#[derive(Debug, Clone)]
pub(super) struct Level {
    right: Curve,
    live: Curve,
    pub(super) right_rates: [f64; SLOTS],
    pub(super) live_rates: [f64; SLOTS],
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
        let (right, live) = (seen.result.is_right_party(), seen.result.is_live());
        self.right.observe(seen.at, seen.slot, right, half_life_d);
        self.live.observe(seen.at, seen.slot, live, half_life_d);
    }

    /// Reads its rates anew, shrunk to those above as worth `calls` calls.
    fn settle(&mut self, above: (&Rates, &Rates), calls: f64, p: &AnswerParams, near: &Nearness) {
        self.right_rates = self.right.rates(above.0, calls, p.hour_calls, near);
        self.live_rates = self.live.rates(above.1, calls, p.hour_calls, near);
    }
}

/// The levels of one portfolio and its record of forecasts.
#[derive(Debug, Clone)]
pub struct AnswerModel {
    params: AnswerParams,
    pub(super) near: Nearness,
    portfolio: Level,
    campaigns: BTreeMap<CampaignId, Level>,
    pub(super) right_factors: Factors,
    pub(super) live_factors: Factors,
    calibration: Calibration,
    live_calibration: Calibration,
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
            right_factors: Factors::default(),
            live_factors: Factors::default(),
            calibration: Calibration::default(),
            live_calibration: Calibration::default(),
            params,
        }
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> &AnswerParams {
        &self.params
    }

    /// Its record of forecasts of the right party.
    #[must_use]
    pub const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// Its record of forecasts of a person, whoever he is.
    #[must_use]
    pub const fn live_calibration(&self) -> &Calibration {
        &self.live_calibration
    }

    /// Calls learned from, forgotten ones less.
    #[must_use]
    pub fn calls(&self) -> f64 {
        self.portfolio.right.calls()
    }

    /// Learns from calls that are over, oldest first.
    pub fn learn(&mut self, seen: &[Observation]) {
        for some in seen.chunks(SETTLE_EVERY) {
            for one in some {
                self.observe(one);
            }
            let whose: BTreeSet<CampaignId> = some.iter().filter_map(|one| one.campaign).collect();
            self.settle(|id| whose.contains(id));
        }
        if !seen.is_empty() {
            self.settle(|_| true);
        }
    }

    fn observe(&mut self, one: &Observation) {
        let half_life = self.params.level_half_life_d;
        if self.portfolio.right.calls() >= self.params.factors_from {
            self.compare(one);
        }
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
        if let Some(said) = one.forecast {
            let p = &self.params;
            let (right, live) = (one.result.is_right_party(), one.result.is_live());
            for (record, said, hit) in [
                (&mut self.calibration, said.right_party, right),
                (&mut self.live_calibration, said.live, live),
            ] {
                record.observe(said, hit, p.calibration_half_life, p.calibration_hits);
            }
        }
    }

    /// Counts a call in the factors, against what was expected of it: the forecast, which knew the point's own
    /// record, else what the level and the factors say.
    fn compare(&mut self, one: &Observation) {
        let p = &self.params;
        let mut classes =
            Classes::of_day(one.slot).and(Classes::of_last(one.at, one.last.as_ref(), p));
        let mut sure = 1.0;
        if let Some(traits) = &one.traits {
            classes = classes.and(Classes::of_point(one.at, traits, p));
            sure = traits.sure(p);
        }
        let (level, cell) = (self.level(one.campaign), one.slot.index());
        let said = one.forecast.unwrap_or_else(|| Forecast {
            right_party: bounded(level.right_rates[cell] * sure * self.right_factors.of(classes)),
            live: bounded(level.live_rates[cell] * self.live_factors.of(classes)),
        });
        let (right, live) = (one.result.is_right_party(), one.result.is_live());
        let half_life = p.level_half_life_d;
        for (factors, hit, said) in [
            (&mut self.right_factors, right, said.right_party),
            (&mut self.live_factors, live, said.live),
        ] {
            factors.observe(one.at, classes, hit, said, half_life);
        }
    }

    /// Reads the portfolio's rates and factors anew, and the rates of the campaigns that `these` says.
    fn settle(&mut self, these: impl Fn(&CampaignId) -> bool) {
        let (p, near) = (&self.params, &self.near);
        let top = &mut self.portfolio;
        let prior = ([p.prior_right_party; SLOTS], [p.prior_live; SLOTS]);
        top.settle((&prior.0, &prior.1), p.prior_calls, p, near);
        let above = (&top.right_rates, &top.live_rates);
        for (_, level) in self.campaigns.iter_mut().filter(|(id, _)| these(id)) {
            level.settle(above, p.campaign_calls, p, near);
        }
        self.right_factors.settle(p);
        self.live_factors.settle(p);
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
        PointRecord::new(self, self.level(campaign), point, now)
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
}
