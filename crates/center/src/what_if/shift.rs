//! The shift of a forecast: on which of the next days a campaign works, from when on and how long.

use super::{History, LAW_DAYS};
use crate::feeder::zone_or_utc;
use domain::entity::CampaignParams;
use domain::time::UtcMs;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Hours of a day.
const DAY_H: f64 = 24.0;

/// A campaign's shift, over the next week in which its dates let it work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Days of that week on which it works.
    pub days: u32,
    /// Hour of the earliest begin.
    pub from_h: f64,
    /// Hours of one of these days, mean.
    pub hours: f64,
}

/// `HH:MM` in hours; settings were checked when they were written.
fn hour(text: &str) -> Option<f64> {
    let (h, m) = text.split_once(':')?;
    Some(h.parse::<f64>().ok()? + m.parse::<f64>().ok()? / 60.0)
}

/// The stretches of a date in hours, earliest first; none where it does not work.
fn spans(params: &CampaignParams, date: Date) -> Vec<(f64, f64)> {
    let plain = (params.window_from.as_str(), params.window_to.as_str());
    let told = params.schedule.hours_of(date, plain).unwrap_or_default();
    let read = told
        .into_iter()
        .filter_map(|(from, to)| Some((hour(from)?, hour(to)?)));
    let mut spans: Vec<(f64, f64)> = read.filter(|(from, to)| from < to).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    spans
}

/// The days that are looked at: a week from tomorrow, or from the campaign's first date where that is later.
fn week(params: &CampaignParams, now: UtcMs, zone: &TimeZone) -> Vec<Date> {
    let today = now.in_zone(zone).date();
    let tomorrow = today.checked_add(1.days()).unwrap_or(today);
    let first = params.schedule.from.map_or(tomorrow, |d| d.max(tomorrow));
    let day = |n: i64| first.checked_add(n.days()).ok();
    (0..LAW_DAYS).filter_map(day).collect()
}

/// The middles of the hours of some stretches, at most so many.
fn middles(spans: &[(f64, f64)], hours: f64) -> Vec<f64> {
    let (mut out, mut left) = (Vec::new(), hours);
    for (from, to) in spans {
        let long = (to - from).min(left);
        for step in 0_u8..24 {
            let (begun, at) = (f64::from(step), from + f64::from(step) + 0.5);
            if begun >= long || at >= DAY_H {
                break;
            }
            out.push(at);
        }
        left -= long;
    }
    out
}

impl History {
    /// The shift of these settings; `None` = it works on none of these days.
    #[must_use]
    pub fn shift(&self, params: &CampaignParams) -> Option<Shift> {
        let zone = zone_or_utc(&self.profile.zone);
        let days: Vec<Vec<(f64, f64)>> = week(params, self.now, &zone)
            .into_iter()
            .map(|date| spans(params, date))
            .filter(|spans| !spans.is_empty())
            .collect();
        let all = || days.iter().flatten();
        let from_h = all().map(|s| s.0).min_by(f64::total_cmp)?;
        let worked = u32::try_from(days.len()).unwrap_or(1);
        let hours: f64 = all().map(|(from, to)| to - from).sum();
        Some(Shift {
            days: worked,
            from_h,
            hours: hours / f64::from(worked),
        })
    }

    /// The middle of each hour of the shift in that zone, on the days on which it works. Without lines of its own a day
    /// is worked from `from_h` on.
    pub(super) fn instants(
        &self,
        zone: &str,
        params: &CampaignParams,
        (from_h, hours): (f64, f64),
    ) -> Vec<UtcMs> {
        let zone = zone_or_utc(zone);
        let mut out = Vec::new();
        for date in week(params, self.now, &zone) {
            let mut spans = spans(params, date);
            if params.schedule.hours.is_empty() && !spans.is_empty() {
                spans = vec![(from_h, from_h + hours)];
            }
            for at in middles(&spans, hours) {
                #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
                let minutes = (at * 60.0) as i64;
                let local = date.at(0, 0, 0, 0).checked_add(minutes.minutes());
                if let Ok(t) = local.and_then(|l| l.to_zoned(zone.clone())) {
                    out.push(UtcMs(t.timestamp().as_millisecond()));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::entity::{CampaignSchedule, DayHours};
    use domain::law::pack::Day;

    fn with(schedule: CampaignSchedule) -> CampaignParams {
        CampaignParams {
            schedule,
            ..CampaignParams::default()
        }
    }

    /// Monday 2026-11-23 16:00 UTC.
    const NOW: UtcMs = UtcMs(1_795_449_600_000);

    #[test]
    fn a_week_begins_tomorrow_or_with_the_campaign() {
        let first = |params: &CampaignParams| week(params, NOW, &TimeZone::UTC)[0].to_string();
        assert_eq!(first(&CampaignParams::default()), "2026-11-24");
        let later = with(CampaignSchedule {
            from: Some("2026-12-07".parse().expect("a date")),
            ..CampaignSchedule::default()
        });
        assert_eq!(first(&later), "2026-12-07");
        let begun = with(CampaignSchedule {
            from: Some("2026-01-01".parse().expect("a date")),
            ..CampaignSchedule::default()
        });
        assert_eq!(first(&begun), "2026-11-24");
        assert_eq!(week(&begun, NOW, &TimeZone::UTC).len(), 7);
    }

    #[test]
    fn a_day_is_worked_in_its_own_stretches() {
        let params = with(CampaignSchedule {
            hours: vec![
                DayHours::of(&[Day::Tue, Day::Wed], "15:00", "18:00"),
                DayHours::of(&[Day::Tue], "09:00", "11:30"),
            ],
            ..CampaignSchedule::default()
        });
        let on = |text: &str| spans(&params, text.parse().expect("a date"));
        assert_eq!(on("2026-11-24"), [(9.0, 11.5), (15.0, 18.0)]);
        assert_eq!(on("2026-11-25"), [(15.0, 18.0)]);
        assert_eq!(on("2026-11-26"), []);
        let tuesday = on("2026-11-24");
        assert_eq!(middles(&tuesday, 24.0), [9.5, 10.5, 11.5, 15.5, 16.5, 17.5]);
        assert_eq!(middles(&tuesday, 3.5), [9.5, 10.5, 11.5, 15.5]);
        assert_eq!(middles(&[(22.5, 24.0)], 9.0), [23.0]);
    }
}
