//! Local time at its strict side: a local time that a clock change skips or repeats is read as
//! whichever instant allows less (law.md §2.4).

use crate::time::UtcMs;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Minutes in a civil day; `24:00` as an end.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;

/// Which instant of a skipped or repeated local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The later: for openings and releases.
    Later,
    /// The earlier: for closings and for the start of a counted period.
    Earlier,
}

/// The instant of a local minute (0 to 1,440) of `date`. `None` at the ends of the calendar.
pub(crate) fn instant(date: Date, minute: u16, tz: &TimeZone, side: Side) -> Option<UtcMs> {
    let (date, minute) = if minute >= DAY_MINUTES {
        (date.tomorrow().ok()?, 0)
    } else {
        (date, minute)
    };
    let hour = i8::try_from(minute / 60).ok()?;
    let rest = i8::try_from(minute % 60).ok()?;
    let ambiguous = tz.to_ambiguous_zoned(date.at(hour, rest, 0, 0));
    let zoned = match side {
        Side::Later => ambiguous.later(),
        Side::Earlier => ambiguous.earlier(),
    };
    zoned.ok().map(|z| UtcMs::from(z.timestamp()))
}

/// The local date of an instant.
pub(crate) fn date_of(at: UtcMs, tz: &TimeZone) -> Date {
    at.in_zone(tz).date()
}

/// `date` moved by days; clamped at the ends of the calendar.
pub(crate) fn plus_days(date: Date, days: i64) -> Date {
    date.saturating_add(jiff::Span::new().days(days.clamp(-36_500, 36_500)))
}

/// First instant of `date`, on the side that counts more or releases later.
pub(crate) fn day_start(date: Date, tz: &TimeZone, side: Side) -> UtcMs {
    instant(date, 0, tz, side).unwrap_or(UtcMs(match side {
        Side::Later => i64::MAX,
        Side::Earlier => i64::MIN,
    }))
}

/// Monday of the week of `date`.
pub(crate) fn monday_of(date: Date) -> Date {
    plus_days(date, -i64::from(date.weekday().to_monday_zero_offset()))
}
