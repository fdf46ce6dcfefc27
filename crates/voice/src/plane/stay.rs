//! A leg's stay on a debtor's call: what it carried meanwhile.

use super::leg::Leg;
use super::order::Counts;
use std::time::Instant;

impl Leg {
    /// It is on a debtor's call from now on.
    pub(super) fn joins(&mut self, now: Instant) {
        if self.joined.is_none() {
            self.rx.forget_jitter();
            self.joined = Some((now, self.counts()));
        }
    }

    /// It is off the call: since when it was on it, and what it carried.
    pub(super) fn leaves(&mut self) -> Option<(Instant, Counts)> {
        let (from, before) = self.joined.take()?;
        Some((from, self.counts().since(before)))
    }
}
