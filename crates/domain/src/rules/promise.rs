//! Promises to pay (terms.md §6): limits, the end of grace, and what the money made of them.

use crate::entity::{Promise, PromiseState};
use crate::time::UtcMs;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Longest horizon any campaign may set, days.
pub const HORIZON_MAX_DAYS: i32 = 30;
/// Business days of grace after the due date [H].
pub const GRACE_BUSINESS_DAYS: u32 = 2;
/// Part of the amount that keeps a promise, percent [H].
pub const TOLERANCE_PCT: i64 = 100;
/// Part of the amount that keeps it partly, percent [H].
pub const PARTIAL_PCT: i64 = 50;
/// Longest run of days off that is looked through for a business day.
const DAYS_OFF_MAX: u32 = 40;

/// Why a promise's terms do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsFault {
    /// The date cannot be read.
    #[error("due date: expected YYYY-MM-DD")]
    DateForm,
    /// Before today.
    #[error("due date is before today")]
    Past,
    /// Too far.
    #[error("due date is more than {0} days away")]
    TooFar(i32),
    /// Amount under the least or over the balance.
    #[error("amount must be from {min_minor} to {max_minor} minor units")]
    Amount {
        /// Least.
        min_minor: i64,
        /// Most.
        max_minor: i64,
    },
}

/// Least amount: `min_pct` of the overdue amount, rounded up, at least 1, never over the balance.
#[must_use]
pub fn least_minor(overdue_minor: i64, balance_minor: i64, min_pct: i32) -> i64 {
    let part = i128::from(overdue_minor.max(0)) * i128::from(min_pct.clamp(0, 100));
    let up = i64::try_from((part + 99) / 100).unwrap_or(i64::MAX);
    up.max(1).min(balance_minor.max(1))
}

/// Reads and checks a due date: today (local to the debtor) to `max_days` ahead, both included.
///
/// # Errors
/// When the text is no date or outside the horizon.
pub fn check_due(
    due_date: &str,
    now: UtcMs,
    zone: &TimeZone,
    max_days: i32,
) -> Result<Date, TermsFault> {
    let due: Date = due_date.parse().map_err(|_| TermsFault::DateForm)?;
    let today = now.in_zone(zone).date();
    let days = max_days.clamp(0, HORIZON_MAX_DAYS);
    if due < today {
        return Err(TermsFault::Past);
    }
    let ahead = today.until(due).map_or(i32::MAX, |s| s.get_days());
    if ahead > days {
        return Err(TermsFault::TooFar(days));
    }
    Ok(due)
}

/// Checks an amount.
///
/// # Errors
/// When it is outside `[min, max]`.
pub const fn check_amount(
    amount_minor: i64,
    min_minor: i64,
    max_minor: i64,
) -> Result<(), TermsFault> {
    if amount_minor < min_minor || amount_minor > max_minor {
        return Err(TermsFault::Amount {
            min_minor,
            max_minor,
        });
    }
    Ok(())
}

/// End of grace, half-open: local midnight after the second business day behind the due date.
/// Saturdays, Sundays and days for which `is_holiday` says yes are no business days.
#[must_use]
pub fn grace_until(due: Date, zone: &TimeZone, is_holiday: &dyn Fn(Date) -> bool) -> UtcMs {
    let mut day = due;
    let mut business = 0;
    for _ in 0..DAYS_OFF_MAX {
        if business == GRACE_BUSINESS_DAYS {
            break;
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        let weekend = day.weekday().to_monday_zero_offset() >= 5;
        business += u32::from(!weekend && !is_holiday(day));
    }
    let end = day.tomorrow().unwrap_or(day);
    end.to_zoned(zone.clone())
        .map_or(UtcMs(i64::MAX), |z| z.timestamp().into())
}

/// State of a promise of `amount_minor` with `paid_minor` dated inside it. A kept promise is closed
/// at once; a partial or broken one only when grace is over.
#[must_use]
pub fn outcome(amount_minor: i64, paid_minor: i64, grace_over: bool) -> PromiseState {
    let share =
        |pct: i64| i128::from(paid_minor) * 100 >= i128::from(amount_minor) * i128::from(pct);
    if share(TOLERANCE_PCT) {
        PromiseState::Kept
    } else if !grace_over {
        PromiseState::Active
    } else if share(PARTIAL_PCT) {
        PromiseState::KeptPartial
    } else {
        PromiseState::Broken
    }
}

/// State of a promise now that its money is `paid_minor`, at `now`: one that lives is kept or lives on; one
/// that was judged is judged anew, as money was taken back or came late. What was withdrawn or replaced stays
/// so; one that would live again beside another one (`alive`) is replaced by it.
#[must_use]
pub fn judged(promise: &Promise, paid_minor: i64, now: UtcMs, alive: bool) -> PromiseState {
    let over = match promise.state {
        PromiseState::Active => false,
        PromiseState::Kept => promise.grace_until <= now,
        PromiseState::KeptPartial | PromiseState::Broken => true,
        ended => return ended,
    };
    let next = outcome(promise.amount.amount_minor, paid_minor, over);
    let again = next == PromiseState::Active && promise.state != PromiseState::Active;
    if again && alive {
        PromiseState::Replaced
    } else {
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::zone;

    fn bogota() -> TimeZone {
        zone("America/Bogota").unwrap()
    }

    #[test]
    fn horizon_is_counted_in_local_days() {
        // 23:30 on the 23rd in Bogotá is the 24th in UTC.
        let now: UtcMs = "2026-11-24T04:30:00Z".parse().unwrap();
        let due = |text: &str| check_due(text, now, &bogota(), 7);
        assert!(due("2026-11-23").is_ok());
        assert_eq!(due("2026-11-22"), Err(TermsFault::Past));
        assert!(due("2026-11-30").is_ok());
        assert_eq!(due("2026-12-01"), Err(TermsFault::TooFar(7)));
        assert_eq!(due("23/11/2026"), Err(TermsFault::DateForm));
        assert_eq!(
            check_due("2027-02-01", now, &bogota(), 365),
            Err(TermsFault::TooFar(30))
        );
    }

    #[test]
    fn grace_skips_weekends_and_holidays() {
        let end = |due: &str, holiday: Option<&str>| {
            let holiday: Option<Date> = holiday.map(|h| h.parse().unwrap());
            grace_until(due.parse().unwrap(), &bogota(), &|d| Some(d) == holiday)
                .in_zone(&bogota())
                .strftime("%F %H:%M")
                .to_string()
        };
        assert_eq!(end("2026-11-23", None), "2026-11-26 00:00");
        assert_eq!(end("2026-11-26", None), "2026-12-01 00:00");
        assert_eq!(end("2026-11-23", Some("2026-11-24")), "2026-11-27 00:00");
        assert_eq!(end("2026-11-21", None), "2026-11-25 00:00");
    }

    #[test]
    fn amounts_and_outcomes() {
        assert_eq!(least_minor(10_001, 50_000, 20), 2001);
        assert_eq!(least_minor(0, 50_000, 20), 1);
        assert_eq!(least_minor(90_000, 100, 20), 100);
        assert!(check_amount(2000, 2001, 50_000).is_err());
        assert!(check_amount(2001, 2001, 50_000).is_ok());
        assert_eq!(outcome(1000, 1000, false), PromiseState::Kept);
        assert_eq!(outcome(1000, 999, false), PromiseState::Active);
        assert_eq!(outcome(1000, 500, true), PromiseState::KeptPartial);
        assert_eq!(outcome(1000, 499, true), PromiseState::Broken);
    }

    #[test]
    fn money_that_goes_or_comes_late_judges_anew() {
        use PromiseState::{Active, Broken, Cancelled, Kept, KeptPartial, Replaced};
        let mut promise = Promise {
            id: crate::ids::PromiseId(uuid::Uuid::nil()),
            client_id: crate::ids::ClientId(uuid::Uuid::nil()),
            debtor_id: crate::ids::DebtorId(uuid::Uuid::nil()),
            debt_id: crate::ids::DebtId(uuid::Uuid::nil()),
            attempt_id: None,
            agent_id: None,
            amount: crate::money::Money::new(100, "MXN".parse().unwrap()),
            due_date: "2026-11-24".into(),
            grace_until: UtcMs(50),
            channel: crate::entity::PaymentChannel::Transfer,
            state: Kept,
            made_at: UtcMs(0),
            closed_at: None,
        };
        for (state, paid, now, alive, want) in [
            (Active, 99, 90, false, Active),
            (Active, 100, 90, false, Kept),
            (Kept, 0, 49, false, Active),
            (Kept, 0, 49, true, Replaced),
            (Kept, 0, 50, true, Broken),
            (Kept, 50, 50, false, KeptPartial),
            (KeptPartial, 49, 50, false, Broken),
            (Broken, 100, 50, false, Kept),
            (Broken, 0, 10, false, Broken),
            (Cancelled, 100, 50, false, Cancelled),
        ] {
            promise.state = state;
            let next = judged(&promise, paid, UtcMs(now), alive);
            assert_eq!(next, want, "{state} {paid} {now} {alive}");
        }
    }
}
