//! Steps that are not due within a day yet, or not any more: until they may be, their debtors' files are not read
//! again at each round.

use domain::time::{HOUR_MS, UtcMs};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest before a step is looked at again, ms: a debtor's zone and date may have been corrected meanwhile.
const AGAIN_MS: i64 = HOUR_MS;
/// Steps remembered; beyond that all are forgotten and looked at anew.
const KEPT_MAX: usize = 500_000;

/// When to look at a step again, by its plan key and the strategy's version.
#[derive(Debug, Default)]
pub(crate) struct Later(Mutex<Kept>);

type Kept = HashMap<(String, i32), UtcMs>;

impl Later {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to look at the step.
    pub(super) fn is_time(&self, key: &str, version: i32, now: UtcMs) -> bool {
        let kept = self.kept();
        kept.get(&(key.to_owned(), version))
            .is_none_or(|at| *at <= now)
    }

    /// The step is due within a day from `near_at` on; `None` when it has passed.
    pub(super) fn put_off(&self, key: String, version: i32, now: UtcMs, near_at: Option<UtcMs>) {
        let again = now.plus_ms(AGAIN_MS);
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert((key, version), near_at.map_or(again, |at| at.min(again)));
    }

    /// Forgets what is to be looked at anyway.
    pub(super) fn sweep(&self, now: UtcMs) {
        self.kept().retain(|_, at| *at > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_looked_at_when_it_may_be_due_and_each_hour() {
        let later = Later::default();
        let now = UtcMs(1_000_000);
        assert!(later.is_time("a", 1, now), "never looked at");
        later.put_off("a".into(), 1, now, Some(now.plus_ms(60_000)));
        assert!(!later.is_time("a", 1, now.plus_ms(59_999)));
        assert!(later.is_time("a", 1, now.plus_ms(60_000)));
        assert!(later.is_time("a", 2, now), "another version");
        later.put_off("b".into(), 1, now, Some(now.plus_ms(9 * HOUR_MS)));
        later.put_off("c".into(), 1, now, None);
        for key in ["b", "c"] {
            assert!(!later.is_time(key, 1, now.plus_ms(HOUR_MS - 1)));
            assert!(later.is_time(key, 1, now.plus_ms(HOUR_MS)));
        }
        later.sweep(now.plus_ms(HOUR_MS));
        assert!(later.kept().is_empty());
    }
}
