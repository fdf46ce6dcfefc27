//! The local hour and day of the week of a call.

use crate::time::UtcMs;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Hours of a day.
const HOURS: usize = 24;
/// Cells of a table by kind of day and local hour.
pub const SLOTS: usize = 3 * HOURS;
/// Days that are of one kind and told apart by a factor of their own: Monday to Friday.
pub(super) const WORKDAYS: usize = 5;

/// Days on which people keep other hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayKind {
    /// Monday to Friday.
    Workday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// A local hour on a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Day of the week.
    pub weekday: Weekday,
    /// Local hour, 0–23.
    pub hour: u8,
}

impl Slot {
    /// The slot of an instant in the zone of who is called.
    #[must_use]
    pub fn at(instant: UtcMs, zone: &TimeZone) -> Self {
        let local = instant.in_zone(zone);
        Self {
            weekday: local.weekday(),
            hour: local.hour().unsigned_abs(),
        }
    }

    /// Its kind of day.
    #[must_use]
    pub const fn day(self) -> DayKind {
        match self.weekday {
            Weekday::Saturday => DayKind::Saturday,
            Weekday::Sunday => DayKind::Sunday,
            _ => DayKind::Workday,
        }
    }

    /// Its cell, 0..`SLOTS`: an hour has one record over all days of its kind.
    #[must_use]
    pub fn index(self) -> usize {
        let day = match self.day() {
            DayKind::Workday => 0,
            DayKind::Saturday => 1,
            DayKind::Sunday => 2,
        };
        day * HOURS + usize::from(self.hour) % HOURS
    }

    /// Which of the days from Monday to Friday, 0..`WORKDAYS`; `None` at the weekend.
    pub(super) const fn workday(self) -> Option<usize> {
        match self.weekday {
            Weekday::Monday => Some(0),
            Weekday::Tuesday => Some(1),
            Weekday::Wednesday => Some(2),
            Weekday::Thursday => Some(3),
            Weekday::Friday => Some(4),
            Weekday::Saturday | Weekday::Sunday => None,
        }
    }
}

/// How much a try in one cell says about another, 0–1.
#[derive(Debug, Clone)]
pub struct Nearness {
    by_gap: [f64; HOURS],
    other_day: f64,
}

impl Nearness {
    /// `width_h` is the distance in hours at which it falls to 61 %, `other_day` the part left when the kind
    /// of day differs.
    #[must_use]
    pub fn new(width_h: f64, other_day: f64) -> Self {
        let mut gap = 0.0;
        let by_gap = [(); HOURS].map(|()| {
            let far: f64 = gap / width_h;
            gap += 1.0;
            (-0.5 * far * far).exp()
        });
        Self { by_gap, other_day }
    }

    /// Of two cells (`Slot::index`).
    #[must_use]
    pub fn of(&self, a: usize, b: usize) -> f64 {
        let hour = self.by_gap[(a % HOURS).abs_diff(b % HOURS)];
        if a / HOURS == b / HOURS {
            hour
        } else {
            hour * self.other_day
        }
    }
}
