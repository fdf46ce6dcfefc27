//! CampaignSchedule: on which days a campaign works, and in which hours of them, where the debtor is.

use crate::law::pack::Day;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Most lines of hours.
pub const SCHEDULE_LINES_MAX: usize = 21;
/// Most days off.
pub const DAYS_OFF_MAX: usize = 366;

/// Hours of some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayHours {
    /// The days.
    pub days: Vec<Day>,
    /// First minute, `HH:MM`.
    pub from: String,
    /// End, `HH:MM` or `24:00`.
    pub to: String,
}

impl DayHours {
    /// Hours of some days.
    #[must_use]
    pub fn of(days: &[Day], from: &str, to: &str) -> Self {
        Self {
            days: days.to_vec(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }
}

/// Days of a campaign, by the date where the debtor is. They narrow the law's hours and never widen them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignSchedule {
    /// Hours by day of the week; a day that no line names has none. Empty = the campaign's hours on every day.
    pub hours: Vec<DayHours>,
    /// First date.
    pub from: Option<Date>,
    /// Last date.
    pub until: Option<Date>,
    /// Dates on which it rests.
    pub days_off: Vec<Date>,
}

/// Why a campaign has no hours on a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedDay {
    /// Its first date is later.
    NotYet(Date),
    /// Its last date was earlier.
    Over(Date),
    /// A day off.
    Off,
    /// Not on this day of the week.
    Weekday,
}

impl CampaignSchedule {
    /// Whether it says nothing: every day alike.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Hours of a date as `HH:MM` pairs; `plain` are the campaign's own.
    ///
    /// # Errors
    /// Why it has none.
    pub fn hours_of<'a>(
        &'a self,
        date: Date,
        plain: (&'a str, &'a str),
    ) -> Result<Vec<(&'a str, &'a str)>, ClosedDay> {
        if let Some(from) = self.from.filter(|from| date < *from) {
            return Err(ClosedDay::NotYet(from));
        }
        if let Some(until) = self.until.filter(|until| *until < date) {
            return Err(ClosedDay::Over(until));
        }
        if self.days_off.contains(&date) {
            return Err(ClosedDay::Off);
        }
        if self.hours.is_empty() {
            return Ok(vec![plain]);
        }
        let today = |line: &&DayHours| line.days.iter().any(|d| d.weekday() == date.weekday());
        let spans: Vec<_> = self
            .hours
            .iter()
            .filter(today)
            .map(|line| (line.from.as_str(), line.to.as_str()))
            .collect();
        if spans.is_empty() {
            return Err(ClosedDay::Weekday);
        }
        Ok(spans)
    }

    /// The earliest begin and the latest end of any of its days; `plain` where it has no lines. `HH:MM` texts sort as
    /// times do.
    #[must_use]
    pub fn widest<'a>(&'a self, plain: (&'a str, &'a str)) -> (&'a str, &'a str) {
        let from = self.hours.iter().map(|l| l.from.as_str()).min();
        let to = self.hours.iter().map(|l| l.to.as_str()).max();
        (from.unwrap_or(plain.0), to.unwrap_or(plain.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn a_date_has_the_hours_of_its_weekday_within_the_dates() {
        let plan = CampaignSchedule {
            hours: vec![
                DayHours::of(&[Day::Mon, Day::Tue], "09:00", "13:00"),
                DayHours::of(&[Day::Mon], "15:00", "18:00"),
            ],
            from: Some(day("2026-11-23")),
            until: Some(day("2026-12-01")),
            days_off: vec![day("2026-11-24")],
        };
        let plain = ("08:00", "20:00");
        let on = |text: &str| plan.hours_of(day(text), plain);
        assert_eq!(
            on("2026-11-23"),
            Ok(vec![("09:00", "13:00"), ("15:00", "18:00")])
        );
        assert_eq!(on("2026-11-24"), Err(ClosedDay::Off));
        assert_eq!(on("2026-11-25"), Err(ClosedDay::Weekday));
        assert_eq!(on("2026-12-01"), Ok(vec![("09:00", "13:00")]));
        assert_eq!(on("2026-11-22"), Err(ClosedDay::NotYet(day("2026-11-23"))));
        assert_eq!(on("2026-12-07"), Err(ClosedDay::Over(day("2026-12-01"))));
        assert_eq!(plan.widest(plain), ("09:00", "18:00"));
        let every = CampaignSchedule::default();
        assert!(every.is_plain() && !plan.is_plain());
        assert_eq!(every.hours_of(day("2026-11-22"), plain), Ok(vec![plain]));
        assert_eq!(every.widest(plain), plain);
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let text = r#"{"hours":[{"days":["sat"],"from":"10:00","to":"24:00"}],"from":"2026-12-01",
            "until":null,"days_off":["2026-12-08"]}"#;
        let plan: CampaignSchedule = serde_json::from_str(text).expect("is read");
        let again = serde_json::to_string(&plan).expect("is written");
        assert_eq!(
            serde_json::from_str::<CampaignSchedule>(&again).ok(),
            Some(plan)
        );
        assert!(serde_json::from_str::<CampaignSchedule>(r#"{"weeks":[]}"#).is_err());
        assert!(serde_json::from_str::<CampaignSchedule>(r#"{"days_off":["8/12/2026"]}"#).is_err());
    }
}
