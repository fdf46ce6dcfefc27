//! The node's clock over the monotonic one.

use domain::ports::Clock;
use domain::time::UtcMs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Maps monotonic instants to the node's clock: an event is stamped when it is read from its
/// socket, and told later.
#[derive(Clone)]
pub(crate) struct Wall(Arc<dyn Clock>);

impl Wall {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    /// The node's time at `at`, which is not in the future.
    pub(crate) fn at(&self, at: Instant) -> UtcMs {
        self.0.now().plus_ms(-ms(at.elapsed()))
    }

    pub(crate) fn now(&self) -> UtcMs {
        self.0.now()
    }
}

/// Whole milliseconds of a duration.
pub(crate) fn ms(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Clock for Fixed {
        fn now(&self) -> UtcMs {
            UtcMs(1_000_000)
        }
    }

    #[test]
    fn earlier_instants_are_earlier_on_the_node() {
        let wall = Wall::new(Arc::new(Fixed));
        let now = Instant::now();
        let past = now
            .checked_sub(Duration::from_millis(500))
            .expect("machine is up longer");
        assert!(wall.at(past).0 <= 1_000_000 - 500);
        assert!(wall.at(past) < wall.at(now));
    }
}
