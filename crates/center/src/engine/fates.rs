//! How many calls of the last hour ended as `unknown` (`terms.md` §3: an alarm above 0.5 % of the hour).

use super::Engine;
use domain::time::{MINUTE_MS, UtcMs};
use std::collections::VecDeque;

/// The hour that is looked at, minutes.
const MINUTES: i64 = 60;
/// Calls of unknown fate above which the alarm is up, per thousand calls that were sent.
const UNKNOWN_MAX_PER_MILLE: u64 = 5;
/// Calls of unknown fate below which a share says nothing: one in the first dozen calls is an accident.
const UNKNOWN_LEAST: u64 = 2;
/// Name and kind of the alarm.
const ALARM: &str = "unknown_fate";

/// Calls of the last hour by the minute in which they ended.
#[derive(Debug, Default)]
pub(super) struct Fates {
    minutes: VecDeque<Minute>,
}

#[derive(Debug)]
struct Minute {
    number: i64,
    calls: u64,
    unknown: u64,
}

impl Fates {
    /// A call whose INVITE had left is over.
    pub(super) fn over(&mut self, now: UtcMs, unknown: bool) {
        let number = now.0.div_euclid(MINUTE_MS);
        if self.minutes.back().is_none_or(|m| m.number < number) {
            self.minutes.push_back(Minute {
                number,
                calls: 0,
                unknown: 0,
            });
        }
        if let Some(minute) = self.minutes.back_mut() {
            minute.calls += 1;
            minute.unknown += u64::from(unknown);
        }
        self.forget(now);
    }

    fn forget(&mut self, now: UtcMs) {
        let oldest = now.0.div_euclid(MINUTE_MS) - MINUTES;
        while self.minutes.front().is_some_and(|m| m.number <= oldest) {
            self.minutes.pop_front();
        }
    }

    /// Calls of the last hour and how many of them are of unknown fate, where these are too many.
    fn too_many(&mut self, now: UtcMs) -> Option<(u64, u64)> {
        self.forget(now);
        let calls: u64 = self.minutes.iter().map(|m| m.calls).sum();
        let unknown: u64 = self.minutes.iter().map(|m| m.unknown).sum();
        let above = unknown.saturating_mul(1_000) > calls.saturating_mul(UNKNOWN_MAX_PER_MILLE);
        (unknown >= UNKNOWN_LEAST && above).then_some((unknown, calls))
    }
}

impl Engine {
    /// The alarm about calls of unknown fate is raised, or cleared once the hour has few enough.
    pub(super) fn unknown_alarm(&mut self, now: UtcMs) {
        let Some((unknown, calls)) = self.fates.too_many(now) else {
            return self.clear_alarm(ALARM);
        };
        let words = (
            format!(
                "{unknown} de {calls} llamadas de la última hora terminaron sin resultado conocido (más de 0.5 %)"
            ),
            format!(
                "{unknown} of {calls} calls of the last hour ended with an unknown result (over 0.5 %)"
            ),
        );
        self.alarm(now, ALARM.to_owned(), ALARM, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> UtcMs {
        UtcMs(minute * MINUTE_MS)
    }

    #[test]
    fn more_than_half_a_percent_of_the_hour_is_too_many() {
        let mut fates = Fates::default();
        fates.over(at(1), true);
        assert_eq!(fates.too_many(at(1)), None, "one alone says nothing");
        fates.over(at(2), true);
        assert_eq!(fates.too_many(at(2)), Some((2, 2)));
        for _ in 0..397 {
            fates.over(at(30), false);
        }
        assert_eq!(fates.too_many(at(30)), Some((2, 399)));
        fates.over(at(31), false);
        assert_eq!(fates.too_many(at(31)), None, "0.5 % is not above it");
    }

    #[test]
    fn what_is_an_hour_old_counts_no_more() {
        let mut fates = Fates::default();
        fates.over(at(1), true);
        fates.over(at(1), true);
        fates.over(at(60), true);
        assert_eq!(fates.too_many(at(60)), Some((3, 3)));
        assert_eq!(fates.too_many(at(61)), None, "one is left");
        fates.over(at(500), false);
        assert_eq!(fates.minutes.len(), 1);
    }
}
