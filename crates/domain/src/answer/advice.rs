//! What a call now is worth against the best later hour.

use super::{AnswerModel, Chance, PointView, Slot};
use crate::ids::CampaignId;
use crate::time::{DAY_MS, HOUR_MS, UtcMs};
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Later hours put to the law, best first, before none counts as better: a judgement costs some
/// microseconds and the best hours are mostly lawful.
const LAWFUL_TRIES: usize = 3;

/// The best later hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Later {
    /// Its start.
    pub at: UtcMs,
    /// The forecast for it.
    pub chance: Chance,
}

/// One candidate's case.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// Campaign that calls.
    pub campaign: Option<CampaignId>,
    /// The point to be called.
    pub point: PointView<'a>,
    /// Zone of who is called.
    pub zone: &'a TimeZone,
    /// Hours of the campaign, local: half-open.
    pub window: (Time, Time),
    /// At stake, US cents by the house's reference rates (`rules::worth`): debts of several currencies stand in
    /// one order.
    pub stake: i64,
}

/// A call now against later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// The forecast for now.
    pub now: Chance,
    /// The best later hour within the days looked at, when the law knows one.
    pub later: Option<Later>,
    /// Expected amount of calling now less what it forgoes later, US cents as the stake; negative: wait.
    pub value: f64,
    /// Whether waiting is so much better that an idle agent is the lesser loss.
    pub hold: bool,
}

/// How often and since when a debtor was passed over for a better hour. Text form, for an item's note:
/// `better_later:TIMES:SINCE_MS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passes {
    /// Times.
    pub times: u32,
    /// First of them.
    pub since: Option<UtcMs>,
}

impl Passes {
    /// Word that begins the note.
    pub const NOTE: &'static str = "better_later";

    /// Reads a note; none is read from any other.
    #[must_use]
    pub fn read(note: &str) -> Self {
        let mut parts = note.split(':');
        if parts.next() != Some(Self::NOTE) {
            return Self::default();
        }
        let times = parts.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let since = parts.next().and_then(|n| n.parse().ok()).map(UtcMs);
        Self { times, since }
    }

    /// One more.
    #[must_use]
    pub fn again(self, now: UtcMs) -> Self {
        Self {
            times: self.times.saturating_add(1),
            since: Some(self.since.unwrap_or(now)),
        }
    }

    /// The note.
    #[must_use]
    pub fn note(self) -> String {
        let since = self.since.unwrap_or_default().0;
        format!("{}:{}:{since}", Self::NOTE, self.times)
    }

    /// Whether he waited long enough: he goes first.
    #[must_use]
    pub fn due(self, now: UtcMs, params: &super::AnswerParams) -> bool {
        let waited = self.since.map_or(0, |since| now.since_ms(since));
        self.times >= params.passes_max || waited >= params.pass_max_h * HOUR_MS
    }
}

/// Starts of the hours of a window on the days to come, first to last, without the hour of `now`.
#[must_use]
pub fn hours_ahead(
    now: UtcMs,
    zone: &TimeZone,
    window: (Time, Time),
    days: i64,
) -> Vec<(UtcMs, Slot)> {
    let mut hours = Vec::new();
    let until = now.plus_ms(days * DAY_MS);
    let here = now.in_zone(zone);
    let first = HOUR_MS
        - i64::from(here.minute()) * 60_000
        - i64::from(here.second()) * 1_000
        - i64::from(here.millisecond());
    let mut at = now.plus_ms(first);
    while at <= until {
        let time = at.in_zone(zone).time();
        if time >= window.0 && time < window.1 {
            hours.push((at, Slot::at(at, zone)));
        }
        at = at.plus_ms(HOUR_MS);
    }
    hours
}

/// Weighs a call now against the best later hour; `ahead` as `hours_ahead` gives it, `lawful` says whether
/// an instant would be.
pub fn weigh(
    model: &AnswerModel,
    case: &Outlook<'_>,
    ahead: &[(UtcMs, Slot)],
    now: UtcMs,
    mut lawful: impl FnMut(UtcMs) -> bool,
) -> Worth {
    let p = model.params();
    let record = model.record(case.campaign, &case.point, now);
    let current = record.chance(Slot::at(now, case.zone));
    let left = |at: UtcMs| {
        #[expect(clippy::cast_precision_loss, reason = "some days of milliseconds")]
        let days = at.since_ms(now) as f64 / DAY_MS as f64;
        p.day_discount.powf(days)
    };
    // What is left of each later hour, best first.
    let mut hours: Vec<(f64, UtcMs, Slot)> = ahead
        .iter()
        .map(|(at, slot)| (record.right_party(*slot) * left(*at), *at, *slot))
        .collect();
    hours.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = hours
        .into_iter()
        .take(LAWFUL_TRIES)
        .find(|(_, at, _)| lawful(*at));
    let forgone = best.map_or(0.0, |(gain, ..)| gain);
    let later = best.map(|(_, at, slot)| Later {
        at,
        chance: record.chance(slot),
    });
    #[expect(clippy::cast_precision_loss, reason = "an amount, only compared")]
    let stake = case.stake.max(1) as f64;
    Worth {
        now: current,
        later,
        value: stake * (current.right_party - p.ration_price * forgone),
        hold: current.right_party < p.hold_below * forgone,
    }
}
