//! When the signalling thread lets messages gather: a wake-up costs as much as reading one, and whoever is told of each
//! by itself is woken by each as well.

use std::time::{Duration, Instant};

/// Over which time messages are counted.
const WINDOW: Duration = Duration::from_millis(10);
/// So many in it, and what else comes soon is read together: the answers to calls that were placed together. Fewer are
/// read as they come.
const MANY: usize = 8;
/// How long they gather. Nothing of SIP minds, and nobody hears an answer a millisecond earlier.
const GATHER: Duration = Duration::from_millis(1);

/// How many messages came lately.
#[derive(Debug)]
pub(super) struct Gather {
    since: Instant,
    heard: usize,
}

impl Gather {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            since: now,
            heard: 0,
        }
    }

    /// So many were read; how long the next ones gather.
    pub(super) fn heard(&mut self, messages: usize, now: Instant) -> Option<Duration> {
        if now.saturating_duration_since(self.since) > WINDOW {
            (self.since, self.heard) = (now, 0);
        }
        self.heard += messages;
        (self.heard >= MANY).then_some(GATHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_messages_gather_and_few_are_read_as_they_come() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut gather = Gather::new(start);
        for ms in 1..MANY as u64 {
            assert_eq!(gather.heard(1, at(ms)), None);
        }
        assert_eq!(gather.heard(1, at(MANY as u64)), Some(GATHER));
        assert_eq!(
            gather.heard(3, at(10)),
            Some(GATHER),
            "as long as they come"
        );
        assert_eq!(gather.heard(3, at(30)), None);
        assert_eq!(gather.heard(MANY, at(50)), Some(GATHER), "at once");
    }
}
