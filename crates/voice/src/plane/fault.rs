//! A fault of ours in a media thread ends the leg it happened with, and nothing else.

use super::order::{Counts, Event, LegId};
use super::thread::State;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

impl State {
    /// Does a piece of the thread's work. Where it panics, the leg it is done for goes out and the
    /// signalling thread is told, which ends the call.
    pub(super) fn safely(&mut self, leg: Option<LegId>, work: impl FnOnce(&mut Self)) {
        // Everything but the leg is whole between two statements: tables, queues, counters.
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.broke(leg);
        }
    }

    #[cold]
    fn broke(&mut self, leg: Option<LegId>) {
        if let Some(id) = leg {
            let counts = self.fall(id);
            self.fallen.insert(id, counts);
        }
        self.tell(Event::Broken { leg });
    }

    /// Takes a broken leg out. What is broken in it may panic again where it is taken apart.
    fn fall(&mut self, id: LegId) -> Counts {
        let now = Instant::now();
        let _ = catch_unwind(AssertUnwindSafe(|| self.part(id)));
        let Some(leg) = self.take_out(id) else {
            return Counts::default();
        };
        let counts = leg.counts();
        let sealed = catch_unwind(AssertUnwindSafe(|| self.dismiss(leg, now)));
        sealed.unwrap_or(counts)
    }
}
