//! Ageing: in which bucket a debt is on a day (terms.md §7), and which days are worked.

mod set;

pub use set::{AGEING_BUCKETS_MAX, AGEING_DAYS_MAX, AGEING_LABEL_MAX, AgeBucket, AgeingSet};

use crate::entity::{Bucket, DebtStatus};
use crate::segment::day_of_date;
use jiff::civil::Date;

/// Bucket of a debt in its client's set on the morning of `today`, by the day of its oldest unpaid item (both days
/// since 1970). A date that cannot be read ages nothing.
#[must_use]
pub fn bucket(set: &AgeingSet, status: DebtStatus, due_day: Option<i64>, today: i64) -> Bucket {
    match status {
        DebtStatus::Paid => Bucket::Paid,
        DebtStatus::Recalled | DebtStatus::Closed => Bucket::Gone,
        DebtStatus::Open => set.of(due_day.map_or(0, |due| today.saturating_sub(due))),
    }
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
        let set = AgeingSet::default();
        let of = |status, due| bucket(&set, status, due, 20_000);
        for (past, want) in [
            (-5, "preventive"),
            (0, "preventive"),
            (1, "b1_30"),
            (30, "b1_30"),
            (31, "b31_60"),
            (90, "b61_90"),
            (120, "b91_120"),
            (180, "b121_180"),
            (360, "b181_360"),
            (361, "b361_plus"),
        ] {
            let found = of(DebtStatus::Open, Some(20_000 - past));
            assert_eq!(found.to_string(), want, "{past} days past due");
        }
        assert_eq!(of(DebtStatus::Paid, Some(0)), Bucket::Paid);
        assert_eq!(of(DebtStatus::Recalled, None), Bucket::Gone);
        assert_eq!(of(DebtStatus::Open, None), Bucket::Preventive);
        let names = crate::segment::BUCKETS;
        assert_eq!(set.names(), names);
    }

    #[test]
    fn a_bucket_is_named_by_its_days() {
        for name in [
            "gone",
            "paid",
            "preventive",
            "b1_7",
            "b8_30",
            "b5_5",
            "b91_plus",
        ] {
            let bucket: Bucket = name.parse().unwrap();
            assert_eq!(bucket.to_string(), name);
            assert_eq!(Bucket::of_code(bucket.code()), Some(bucket), "{name}");
            let told = serde_json::to_value(bucket).unwrap();
            assert_eq!(told, name);
            assert_eq!(serde_json::from_value::<Bucket>(told).unwrap(), bucket);
        }
        for bad in [
            "",
            "b",
            "b0_7",
            "b7_1",
            "b01_7",
            "b+1_7",
            "b1_",
            "b1_70000",
            "b9999_plus",
            "B1_7",
            "1_7",
        ] {
            assert!(bad.parse::<Bucket>().is_err(), "{bad}");
        }
        for bad in [-3, 7, 10_000, 300_001, 99_999_999] {
            assert_eq!(Bucket::of_code(bad), None, "{bad}");
        }
        assert_eq!(Bucket::of_open("paid"), None);
        let weeks = Bucket::past(8, Some(30)).unwrap();
        assert!(Bucket::B31_60.is_later_than(weeks) && Bucket::B31_60.is_later_than(Bucket::B1_30));
        assert!(!weeks.is_later_than(Bucket::B1_30), "they overlap");
        assert!(!Bucket::Paid.is_later_than(weeks) && !weeks.is_later_than(Bucket::Gone));
        assert!(
            weeks.is_later_than(Bucket::Preventive) && weeks.code() > Bucket::Preventive.code()
        );
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
