//! Ageing: in which bucket a debt is on a day (terms.md §7), and which days are worked.

use crate::entity::{Bucket, DebtStatus};
use crate::segment::day_of_date;
use jiff::civil::Date;

/// Last day past due of each overdue bucket but the last.
pub const BUCKET_ENDS: [(i64, Bucket); 6] = [
    (30, Bucket::B1To30),
    (60, Bucket::B31To60),
    (90, Bucket::B61To90),
    (120, Bucket::B91To120),
    (180, Bucket::B121To180),
    (360, Bucket::B181To360),
];

/// Bucket of a debt on the morning of `today`, by the day of its oldest unpaid item (both days since
/// 1970). A date that cannot be read ages nothing.
#[must_use]
pub fn bucket(status: DebtStatus, due_day: Option<i64>, today: i64) -> Bucket {
    match status {
        DebtStatus::Paid => return Bucket::Paid,
        DebtStatus::Recalled | DebtStatus::Closed => return Bucket::Gone,
        DebtStatus::Open => {}
    }
    let past = due_day.map_or(0, |due| today.saturating_sub(due));
    if past <= 0 {
        return Bucket::Preventive;
    }
    BUCKET_ENDS
        .iter()
        .find(|(end, _)| past <= *end)
        .map_or(Bucket::B361Plus, |(_, bucket)| *bucket)
}

/// The date of a day number, days since 1970.
#[must_use]
pub fn date_of_day(day: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(day).ok()?;
    Date::constant(1970, 1, 1).checked_add(span).ok()
}

/// Day number of a date.
#[must_use]
pub fn day_of(date: Date) -> i64 {
    day_of_date(&date.to_string()).unwrap_or(0)
}

/// Days from `from` to before `to` that are neither Saturday nor Sunday nor a day off.
#[must_use]
pub fn working_days(from: i64, to: i64, is_off: &dyn Fn(Date) -> bool) -> i64 {
    let works = |day: i64| {
        date_of_day(day).is_some_and(|d| d.weekday().to_monday_zero_offset() < 5 && !is_off(d))
    };
    (from..to).filter(|day| works(*day)).fold(0, |n, _| n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_moves_through_its_buckets() {
        let of = |past: i64| bucket(DebtStatus::Open, Some(20_000), 20_000 + past);
        for (past, want) in [
            (-5, Bucket::Preventive),
            (0, Bucket::Preventive),
            (1, Bucket::B1To30),
            (30, Bucket::B1To30),
            (31, Bucket::B31To60),
            (90, Bucket::B61To90),
            (120, Bucket::B91To120),
            (180, Bucket::B121To180),
            (360, Bucket::B181To360),
            (361, Bucket::B361Plus),
        ] {
            assert_eq!(of(past), want, "{past} days past due");
        }
        assert_eq!(bucket(DebtStatus::Paid, Some(0), 20_000), Bucket::Paid);
        assert_eq!(bucket(DebtStatus::Recalled, None, 20_000), Bucket::Gone);
        assert_eq!(bucket(DebtStatus::Open, None, 20_000), Bucket::Preventive);
        for b in Bucket::ALL {
            assert_eq!(Bucket::of_code(b.code()), Some(*b));
        }
    }

    #[test]
    fn weekends_and_days_off_are_not_worked() {
        // Monday 2026-11-02 to Monday 2026-11-30.
        let from = day_of("2026-11-02".parse().unwrap());
        let to = day_of("2026-11-30".parse().unwrap());
        assert_eq!(working_days(from, to, &|_| false), 20);
        let off: Date = "2026-11-16".parse().unwrap();
        assert_eq!(working_days(from, to, &|d| d == off), 19);
        assert_eq!(working_days(to, from, &|_| false), 0);
        assert_eq!(
            date_of_day(from).map(|d| d.to_string()).as_deref(),
            Some("2026-11-02")
        );
    }
}
