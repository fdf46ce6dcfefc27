//! Short calls of the company's day (law.md §4, `anatel_short`): dialing stops before their share blocks it.

use domain::law::ShortCallRule;
use domain::ports::store::ShortCount;

/// Percentage points that are kept below the share that blocks: for the calls that other nodes started since the
/// last count.
const MARGIN_PCT: f64 = 1.0;
/// Share of the calls from which the rule counts at which it is watched: stopped only when it counts, a day of
/// short calls would be blocked with its next call.
const WATCHED_FROM: f64 = 0.99;

/// How a campaign under the rule stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShortDay {
    /// What binds it.
    pub rule: ShortCallRule,
    /// The company's day, as last counted; `None` before the first time.
    pub counted: Option<ShortCount>,
    /// Calls that this node had started until then.
    started: u64,
}

#[expect(clippy::cast_precision_loss, reason = "calls of a day")]
const fn real(n: u64) -> f64 {
    n as f64
}

impl ShortDay {
    /// Code of a stop before the day was counted.
    pub(crate) const NOT_COUNTED: &'static str = "short_calls_not_counted";

    pub(crate) const fn new(rule: ShortCallRule) -> Self {
        Self {
            rule,
            counted: None,
            started: 0,
        }
    }

    /// A rule holds, beside the one that may hold already.
    pub(crate) fn join(day: &mut Option<Self>, rule: ShortCallRule) {
        match day {
            Some(day) => day.bind(rule),
            None => *day = Some(Self::new(rule)),
        }
    }

    /// Another rule holds too. What is short by a longer limit was not counted yet.
    pub(crate) fn bind(&mut self, rule: ShortCallRule) {
        let max_ms = self.rule.max_ms;
        self.rule = self.rule.and(rule);
        if self.rule.max_ms != max_ms {
            self.counted = None;
        }
    }

    pub(crate) const fn count(&mut self, counted: ShortCount, started: u64) {
        self.counted = Some(counted);
        self.started = started;
    }

    /// Why no call may leave now, stable code. What left since the last count is taken to be short.
    pub(crate) fn stops(&self, started: u64) -> Option<&'static str> {
        let Some(counted) = self.counted else {
            return Some(Self::NOT_COUNTED);
        };
        let next = started.saturating_sub(self.started) + 1;
        let calls = real(counted.calls + next);
        let short = real(counted.short + next);
        let watched = calls >= WATCHED_FROM * f64::from(self.rule.day_min);
        let full = short * 100.0 >= (self.rule.cap_pct - MARGIN_PCT) * calls;
        (watched && full).then_some("short_calls")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: ShortCallRule = ShortCallRule {
        max_ms: 6_000,
        cap_pct: 85.0,
        day_min: 100_000,
    };

    fn day(calls: u64, short: u64) -> ShortDay {
        let mut day = ShortDay::new(RULE);
        day.count(ShortCount { calls, short }, 500);
        day
    }

    #[test]
    fn the_call_that_would_block_the_company_does_not_leave() {
        assert_eq!(
            ShortDay::new(RULE).stops(0),
            Some("short_calls_not_counted")
        );
        assert_eq!(day(100_000, 84_950).stops(500), Some("short_calls"));
        assert_eq!(day(100_000, 83_500).stops(500), None);
        assert_eq!(day(80_000, 79_000).stops(500), None, "too few to count");
        assert_eq!(
            day(99_500, 90_000).stops(500),
            Some("short_calls"),
            "the rule must not begin to count on a bad day"
        );
    }

    #[test]
    fn what_left_since_the_count_is_taken_to_be_short() {
        let day = day(100_000, 83_500);
        let left = (500..20_000).find(|n| day.stops(*n).is_some());
        let left = left.expect("it ends") - 500;
        let share = real(83_500 + left) / real(100_000 + left);
        assert!((0.8399..0.84).contains(&share), "{left} {share}");
    }

    #[test]
    fn a_longer_limit_is_counted_anew() {
        let mut day = day(10, 1);
        day.bind(ShortCallRule {
            cap_pct: 80.0,
            ..RULE
        });
        assert_eq!((day.rule.cap_pct, day.stops(500)), (80.0, None));
        day.bind(ShortCallRule {
            max_ms: 10_000,
            ..RULE
        });
        assert_eq!(day.stops(500), Some("short_calls_not_counted"));
    }
}
