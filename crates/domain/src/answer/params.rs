//! The parameters of the model and of the choice, each with its unit and reason.

/// Parameters; the defaults are the house's.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerParams {
    /// Right-party contacts per call where nothing is known, 0–1: the middle of what portfolios show.
    pub prior_right_party: f64,
    /// Live answers per call where nothing is known, 0–1.
    pub prior_live: f64,
    /// Calls that the first prior is worth: a morning of one agent outweighs it.
    pub prior_calls: f64,
    /// Calls a campaign needs before its own level counts as much as the portfolio's.
    pub campaign_calls: f64,
    /// Calls an hour needs (with its neighbours) before its own rate counts as much as the day's: rates by
    /// hour differ by some points, which a few dozen calls cannot show.
    pub hour_calls: f64,
    /// Calls to a point before its own level counts as much as the campaign's: most people differ by less
    /// than a third, which a few tries cannot show; weighing them more made forecasts twice as far off
    /// where hours are flat.
    pub point_calls: f64,
    /// Calls to a point near an hour before that hour's own record counts as much as the point's level:
    /// one contact moves a forecast by less than a tenth.
    pub point_hour_calls: f64,
    /// Width of the neighbourhood of an hour, h: habits last about an hour and a half.
    pub width_h: f64,
    /// What a try on another kind of day says about this one, 0–1.
    pub other_day: f64,
    /// Half-life of the levels, days: seasons and pay days change them.
    pub level_half_life_d: f64,
    /// Half-life of a point's own tries, days: phones and jobs change hands.
    pub point_half_life_d: f64,
    /// Factor on a point of confidence 0; between it and `confidence_full` by the confidence.
    pub confidence_none: f64,
    /// Factor on a point of confidence 100.
    pub confidence_full: f64,
    /// Factor on a point that the debtor gave himself.
    pub given_by_debtor: f64,
    /// Calls the portfolio must have seen before anything is learnt of classes (day of the week, age, source,
    /// last try): against a level that is not known yet every class of the first days looks special.
    pub factors_from: f64,
    /// Contacts a day from Monday to Friday needs before its own record counts as much as all five: days of
    /// one kind are much alike and there are few of each.
    pub weekday_hits: f64,
    /// Contacts a class of age needs before its own record counts as much as all ages.
    pub age_hits: f64,
    /// Contacts a source needs before its own record counts as much as all sources.
    pub source_hits: f64,
    /// Contacts that must follow a mailbox, a busy line or no answer before what the last try came to counts
    /// as much as that it failed.
    pub after_hits: f64,
    /// Most that one class may multiply a chance by, and divide it: beyond is a fault of the data.
    pub factor_most: f64,
    /// Ages that part one class from the next, days: a number of a month is mostly right, one of half a year
    /// may be, one of two years is old.
    pub age_edges_d: [i64; 3],
    /// Longest that the last try says something beside its hour, days: who was on the phone yesterday is
    /// about; a week later it is another week.
    pub after_days: i64,
    /// Half-life of the record of forecasts, in forecasts: some days of a small campaign.
    pub calibration_half_life: f64,
    /// Contacts that a bin of the record needs before it moves a forecast halfway.
    pub calibration_hits: f64,
    /// What a contact spent now costs of the one it forgoes at the best later hour, 0–1: below 1 because
    /// plans change and a debt that waits loses.
    pub ration_price: f64,
    /// Part of a later chance that is left after a day of waiting, 0–1.
    pub day_discount: f64,
    /// A call now is held back when its chance is below this part of the later one, 0–1: agents should
    /// not stand idle for less.
    pub hold_below: f64,
    /// Share of the places asked for that is filled even with calls held back, 0–1: agents are given work.
    pub busy_share: f64,
    /// How far ahead a better hour is looked for, days.
    pub look_days: i64,
    /// Share of calls that go to somebody at random within the law, so that every hour stays known;
    /// house rule: at least 0.05, a little above it so that a day with bad luck keeps it, too.
    pub explore_share: f64,
    /// Times a debtor may be passed over before he is due.
    pub passes_max: u32,
    /// Longest that a debtor may be passed over before he is due, h.
    pub pass_max_h: i64,
    /// Longest until a debtor passed over is looked at again, min.
    pub look_again_min: i64,
}

impl Default for AnswerParams {
    fn default() -> Self {
        Self {
            prior_right_party: 0.12,
            prior_live: 0.22,
            prior_calls: 60.0,
            campaign_calls: 80.0,
            hour_calls: 60.0,
            point_calls: 30.0,
            point_hour_calls: 10.0,
            width_h: 1.5,
            other_day: 0.4,
            level_half_life_d: 30.0,
            point_half_life_d: 45.0,
            confidence_none: 0.6,
            confidence_full: 1.2,
            given_by_debtor: 1.1,
            factors_from: 500.0,
            weekday_hits: 150.0,
            age_hits: 60.0,
            source_hits: 60.0,
            after_hits: 80.0,
            factor_most: 2.0,
            age_edges_d: [30, 180, 730],
            after_days: 7,
            calibration_half_life: 4_000.0,
            calibration_hits: 15.0,
            ration_price: 0.9,
            day_discount: 0.95,
            hold_below: 0.6,
            busy_share: 0.25,
            look_days: 3,
            explore_share: 0.06,
            passes_max: 24,
            pass_max_h: 72,
            look_again_min: 60,
        }
    }
}
