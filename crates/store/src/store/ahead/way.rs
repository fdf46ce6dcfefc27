//! Calls go first: on a machine whose cores PostgreSQL shares with others each step of a call that met reading ahead
//! waited for a core (an opening 4.3 ms in the middle, and 3.0 where the readers had the least priority).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The steps of one decision's calls come one behind the other: between two of them the way looks clear.
const BETWEEN: Duration = Duration::from_millis(2);
/// Longest that reading gives way at a time.
const GIVES_WAY: Duration = Duration::from_millis(40);

/// The steps of calls that are being written now.
#[derive(Default)]
pub(in super::super) struct Way {
    now: AtomicUsize,
    begun: AtomicUsize,
}

/// One step; it is over with this.
pub(in super::super) struct Step<'a>(&'a Way);

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Way {
    pub(in super::super) fn step(&self) -> Step<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.now.fetch_add(1, Ordering::Relaxed);
        Step(self)
    }

    /// Waits until no step is on its way and none comes behind the last one, or for long enough.
    pub(super) async fn clear(&self) {
        let (until, mut begun) = (
            Instant::now() + GIVES_WAY,
            self.begun.load(Ordering::Relaxed),
        );
        while Instant::now() < until {
            tokio::time::sleep(BETWEEN).await;
            let now = self.begun.load(Ordering::Relaxed);
            if begun == now && self.now.load(Ordering::Relaxed) == 0 {
                return;
            }
            begun = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reading_waits_for_the_steps_of_calls_and_not_for_ever() {
        let way = Way::default();
        let start = Instant::now();
        way.clear().await;
        assert_eq!(start.elapsed(), BETWEEN, "nobody calls");
        let step = way.step();
        let start = Instant::now();
        way.clear().await;
        assert!(start.elapsed() >= GIVES_WAY, "for long enough");
        drop(step);
        let start = Instant::now();
        let steps = async {
            for _ in 0..5 {
                let step = way.step();
                tokio::time::sleep(Duration::from_millis(3)).await;
                drop(step);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::join!(way.clear(), steps);
        assert!(
            start.elapsed() >= Duration::from_millis(20),
            "until the last"
        );
        assert!(start.elapsed() < GIVES_WAY);
    }
}
