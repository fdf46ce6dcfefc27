//! How often the work of a thread broke off lately.

use crate::limits;
use std::collections::VecDeque;
use std::time::Instant;

/// When the latest faults of a thread happened.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<Instant>);

impl Faults {
    /// Counts one. Whether they follow each other too quickly: what breaks again and again is not mended by going on.
    pub(crate) fn beyond(&mut self, now: Instant) -> bool {
        let old = |at: &Instant| now.saturating_duration_since(*at) >= limits::FAULTS_WITHIN;
        self.0.retain(|at| !old(at));
        self.0.push_back(now);
        self.0.len() > limits::FAULTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_faults_do_not_count() {
        let mut faults = Faults::default();
        let start = Instant::now();
        for _ in 0..limits::FAULTS {
            assert!(!faults.beyond(start));
        }
        assert!(faults.beyond(start), "one more within the time");
        assert!(!faults.beyond(start + limits::FAULTS_WITHIN));
    }
}
