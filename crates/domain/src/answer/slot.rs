//! The local hour and kind of day of a call.

use crate::time::UtcMs;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Hours of a day.
const HOURS: usize = 24;
/// Cells of a table by kind of day and local hour.
pub const SLOTS: usize = 3 * HOURS;

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

/// A local hour on a kind of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// Kind of day.
    pub day: DayKind,
    /// Local hour, 0–23.
    pub hour: u8,
}

impl Slot {
    /// The slot of an instant in the zone of who is called.
    #[must_use]
    pub fn at(instant: UtcMs, zone: &TimeZone) -> Self {
        let local = instant.in_zone(zone);
        let day = match local.weekday() {
            Weekday::Saturday => DayKind::Saturday,
            Weekday::Sunday => DayKind::Sunday,
            _ => DayKind::Workday,
        };
        Self {
            day,
            hour: local.hour().unsigned_abs(),
        }
    }

    /// Its cell, 0..`SLOTS`.
    #[must_use]
    pub fn index(self) -> usize {
        let day = match self.day {
            DayKind::Workday => 0,
            DayKind::Saturday => 1,
            DayKind::Sunday => 2,
        };
        day * HOURS + usize::from(self.hour) % HOURS
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
