//! A fault of ours in a media thread ends the leg it happened with, and nothing else; what is no leg's and does not
//! cease ends the thread.

use super::order::{Counts, Event, LegId, Order};
use super::thread::{State, ThreadLine};
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
        self.tell(Event::Broken { leg });
        match leg {
            Some(id) => {
                let counts = self.fall(id);
                self.fallen.entry(id).or_insert(counts);
            }
            None if self.faults.beyond(Instant::now()) => self.give_up(),
            None => {}
        }
    }

    /// Takes a broken leg out. What is broken in it may panic again where it is taken apart.
    fn fall(&mut self, id: LegId) -> Counts {
        let now = Instant::now();
        let _ = catch_unwind(AssertUnwindSafe(|| self.part(id)));
        let Some(leg) = self.take_out(id) else {
            return Counts::default();
        };
        let counts = catch_unwind(AssertUnwindSafe(|| leg.counts()));
        let _ = catch_unwind(AssertUnwindSafe(|| self.dismiss(leg, now)));
        counts.unwrap_or_default()
    }

    /// The thread's own work breaks again and again: nobody hears well here. It seals what it records and ends, as one
    /// that is gone; who ends the calls finds that out by itself.
    fn give_up(&mut self) {
        tracing::error!("a media thread ends: its work breaks off again and again");
        let all: Vec<LegId> = self.slots.keys().copied().collect();
        for leg in all {
            self.fall(leg);
        }
        self.expected.clear();
        self.stopping = true;
    }

    /// A leg is here; what was ordered of it meanwhile is done.
    pub(super) fn arrive(&mut self, leg: Box<super::leg::Leg>) {
        let id = leg.id;
        self.safely(Some(id), |plane| plane.take_in(leg));
        self.obey_kept(id);
        if self.stopping {
            self.remove(id, Instant::now());
        }
    }

    /// A leg that broke where it was: what was ordered of it here ends it.
    pub(super) fn never_comes(&mut self, leg: LegId, counts: Counts) {
        self.fallen.insert(leg, counts);
        self.obey_kept(leg);
    }

    /// Another thread is gone with the legs that it still had to give.
    pub(super) fn lost(&mut self, from: usize) {
        let of_it = self.expected.iter().filter(|(_, (n, _))| *n == from);
        let legs: Vec<LegId> = of_it.map(|(leg, _)| *leg).collect();
        for leg in legs {
            self.tell(Event::Broken { leg: Some(leg) });
            self.never_comes(leg, Counts::default());
        }
    }

    /// Each order by itself: one that breaks must not take the others along.
    fn obey_kept(&mut self, leg: LegId) {
        let kept = self.expected.remove(&leg);
        for order in kept.into_iter().flat_map(|(_, orders)| orders) {
            self.safely(order.whose(), |plane| plane.obey(order));
        }
    }

    /// Hands a leg to another thread. Whatever becomes of it here, that thread waits to hear of it.
    pub(super) fn give(&mut self, leg: LegId, line: &ThreadLine) {
        self.safely(Some(leg), |plane| plane.part(leg));
        let passed = match self.let_go(leg) {
            Some(leg) => Order::Arrive(leg),
            None => Order::NeverComing(leg, self.fallen.remove(&leg).unwrap_or_default()),
        };
        Self::pass_on(line, passed);
    }
}
