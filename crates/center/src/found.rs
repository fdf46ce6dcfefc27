//! Machines that agents of other nodes find: each is taken off the live answers once, whichever of its end and
//! its code comes first in the log.

use domain::ids::AttemptId;
use domain::time::UtcMs;
use std::collections::{BTreeSet, VecDeque};

/// Calls whose other half may still come: those of the last minutes on the largest floor.
const RECENT_MAX: usize = 20_000;

/// The newest of many calls.
#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<AttemptId>,
    known: BTreeSet<AttemptId>,
}

impl Recent {
    /// `true` where it was not known.
    fn add(&mut self, id: AttemptId) -> bool {
        let new = self.known.insert(id);
        if new {
            self.order.push_back(id);
        }
        while self.order.len() > RECENT_MAX {
            if let Some(old) = self.order.pop_front() {
                self.known.remove(&old);
            }
        }
        new
    }

    fn take(&mut self, id: AttemptId) -> bool {
        // Its place in the order goes when its time comes.
        self.known.remove(&id)
    }
}

/// What the end of a call that an agent had means to the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing: the store told of it at the start, when it was still up.
    Counted,
    /// One answer more.
    Answer,
    /// One answer more, that was called a machine before.
    Machine,
}

/// What of other nodes' calls passed in the log since `from`, when the store was asked for all before it.
#[derive(Debug)]
pub(crate) struct Found {
    from: UtcMs,
    /// How far the log was then: what it told of, the store had.
    read: i64,
    /// Counted as given to an agent.
    ended: Recent,
    /// Called a machine before the end of the call was told.
    named: Recent,
    /// Of those that the store told of: taken off since.
    taken: Recent,
}

impl Found {
    /// Who was given to an agent before `from` is counted already.
    pub(crate) fn new((from, read): (UtcMs, i64)) -> Self {
        Self {
            from,
            read,
            ended: Recent::default(),
            named: Recent::default(),
            taken: Recent::default(),
        }
    }

    /// Whether the store counted already what the log tells at `cursor`. Of what was told while it counted nobody
    /// knows: that may count twice, which holds the cap.
    pub(crate) const fn stored(&self, cursor: i64) -> bool {
        cursor <= self.read
    }

    /// A call that an agent was given at `joined` is over.
    pub(crate) fn ended(&mut self, id: AttemptId, joined: UtcMs) -> Ended {
        if joined < self.from {
            return Ended::Counted;
        }
        if self.named.take(id) {
            return Ended::Machine;
        }
        self.ended.add(id);
        Ended::Answer
    }

    /// At `coded` an agent called a machine what he was given at `joined`; `true` where that is to be taken off
    /// now.
    pub(crate) fn named(&mut self, id: AttemptId, joined: UtcMs, coded: UtcMs) -> bool {
        if joined < self.from {
            // What was coded by then was counted as a machine, and each is taken off once.
            return coded >= self.from && self.taken.add(id);
        }
        if self.ended.take(id) {
            return true;
        }
        self.named.add(id);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const FROM: UtcMs = UtcMs(100);
    const LATER: UtcMs = UtcMs(200);
    const READ: i64 = 40;

    fn id(n: u128) -> AttemptId {
        AttemptId(Uuid::from_u128(n))
    }

    #[test]
    fn each_counts_once_whichever_half_comes_first() {
        let mut found = Found::new((FROM, READ));
        assert_eq!(found.ended(id(1), LATER), Ended::Answer);
        assert!(found.named(id(1), LATER, LATER));
        assert!(!found.named(id(2), LATER, LATER));
        assert_eq!(found.ended(id(2), LATER), Ended::Machine);
    }

    #[test]
    fn what_the_store_told_at_the_start_is_neither_added_nor_taken_off_twice() {
        let before = UtcMs(99);
        let mut found = Found::new((FROM, READ));
        assert!(found.named(id(3), before, LATER));
        assert!(!found.named(id(3), before, LATER), "told again");
        assert_eq!(
            found.ended(id(3), before),
            Ended::Counted,
            "it was still up"
        );
        assert!(!found.named(id(4), before, before), "told as a machine");
        assert_eq!(found.ended(id(5), before), Ended::Counted);
        assert!(found.named(id(5), before, LATER));
    }

    #[test]
    fn what_the_log_told_before_the_store_was_asked_is_counted() {
        let found = Found::new((FROM, READ));
        assert!(found.stored(READ - 1) && found.stored(READ));
        assert!(!found.stored(READ + 1), "told since");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut found = Found::new((FROM, READ));
        for n in 0..RECENT_MAX as u128 + 5 {
            found.ended(id(n), LATER);
        }
        assert_eq!(found.ended.order.len(), RECENT_MAX);
        assert!(!found.named(id(0), LATER, LATER), "too long ago");
        assert!(found.named(id(9), LATER, LATER));
    }
}
