//! Progress of a goal: gap, what each working day left must bring, where it will end at this pace.

/// Where a goal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct GoalProgress {
    /// Reached so far: minor units, promises or conversations.
    pub done: i64,
    /// What is asked for.
    pub target: i64,
    /// Still missing, 0 when it is reached.
    pub gap: i64,
    /// Reached of the target, hundredths of a percent.
    pub pct_bp: i64,
    /// Working days of the period.
    pub days: i64,
    /// Of them over, today not counted.
    pub days_over: i64,
    /// Of them left, today counted.
    pub days_left: i64,
    /// What each working day left must bring; the whole gap when none is left.
    pub needed_daily: i64,
    /// Where it ends at the pace of the days so far, today counted as far as it came; `None` before
    /// its first working day.
    pub run_rate: Option<i64>,
}

/// Progress by what was reached and the working days of the period: all, over before today, today
/// itself (0 or 1).
#[must_use]
pub fn progress(done: i64, target: i64, days: i64, days_over: i64, today: i64) -> GoalProgress {
    let gap = target.saturating_sub(done).max(0);
    let days_left = (days - days_over).max(0);
    let needed_daily = if days_left > 1 {
        gap / days_left + i64::from(gap % days_left > 0)
    } else {
        gap
    };
    let elapsed = (days_over + today).min(days);
    let at_pace = |elapsed: i64| {
        let whole = i128::from(done) * i128::from(days) / i128::from(elapsed);
        i64::try_from(whole).unwrap_or(i64::MAX)
    };
    let share = |target: i64| {
        let bp = i128::from(done) * 10_000 / i128::from(target);
        i64::try_from(bp).unwrap_or(i64::MAX)
    };
    GoalProgress {
        done,
        target,
        gap,
        pct_bp: if target > 0 { share(target) } else { 0 },
        days,
        days_over,
        days_left,
        needed_daily,
        run_rate: (elapsed > 0).then(|| at_pace(elapsed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_spread_over_the_days_left_row_27() {
        // Ten of twenty days are over, today is the eleventh.
        let p = progress(400_000, 1_000_000, 20, 10, 1);
        assert_eq!((p.gap, p.days_left, p.needed_daily), (600_000, 10, 60_000));
        assert_eq!((p.pct_bp, p.run_rate), (4_000, Some(727_272)));
        // What is missing is rounded up, so that the days left suffice.
        assert_eq!(progress(0, 10, 3, 0, 1).needed_daily, 4);
        // Reached, over, not begun.
        assert_eq!(progress(12, 10, 3, 1, 1).gap, 0);
        assert_eq!(progress(5, 10, 3, 3, 0).needed_daily, 5);
        assert_eq!(progress(0, 10, 3, 0, 0).run_rate, None);
        assert_eq!(progress(0, 0, 0, 0, 0).pct_bp, 0);
        // Money that went back leaves more to do than the target.
        assert_eq!(progress(-50, 100, 2, 1, 1).gap, 150);
    }
}
