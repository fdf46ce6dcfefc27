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
    fn add(&mut self, id: AttemptId) {
        if self.known.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > RECENT_MAX {
            if let Some(old) = self.order.pop_front() {
                self.known.remove(&old);
            }
        }
    }

    fn take(&mut self, id: AttemptId) -> bool {
        // Its place in the order goes when its time comes.
        self.known.remove(&id)
    }
}

/// What of other nodes' calls passed in the log since `from`.
#[derive(Debug)]
pub(crate) struct Found {
    from: UtcMs,
    /// Counted as given to an agent.
    ended: Recent,
    /// Called a machine before the end of the call was told.
    named: Recent,
}

impl Found {
    /// What was over before `from` is counted already.
    pub(crate) fn new(from: UtcMs) -> Self {
        Self {
            from,
            ended: Recent::default(),
            named: Recent::default(),
        }
    }

    /// A call that was given to an agent is counted now; `true` where it was called a machine before.
    pub(crate) fn ended(&mut self, id: AttemptId) -> bool {
        if self.named.take(id) {
            return true;
        }
        self.ended.add(id);
        false
    }

    /// An agent called it a machine; `true` where that counts now. `over`: when the call was over, as far as it is.
    pub(crate) fn named(&mut self, id: AttemptId, over: Option<UtcMs>) -> bool {
        if self.ended.take(id) || over.is_some_and(|at| at < self.from) {
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

    fn id(n: u128) -> AttemptId {
        AttemptId(Uuid::from_u128(n))
    }

    #[test]
    fn each_counts_once_whichever_half_comes_first() {
        let mut found = Found::new(UtcMs(100));
        assert!(!found.ended(id(1)));
        assert!(found.named(id(1), Some(UtcMs(200))));
        assert!(!found.named(id(2), None));
        assert!(found.ended(id(2)));
        // It was counted with what the store said at the start.
        assert!(found.named(id(3), Some(UtcMs(99))));
        // Its end is on its way though the row has it.
        assert!(!found.named(id(4), Some(UtcMs(101))));
        assert!(found.ended(id(4)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut found = Found::new(UtcMs(0));
        for n in 0..RECENT_MAX as u128 + 5 {
            found.ended(id(n));
        }
        assert_eq!(found.ended.order.len(), RECENT_MAX);
        assert!(!found.named(id(0), Some(UtcMs(1))), "too long ago");
        assert!(found.named(id(9), Some(UtcMs(1))));
    }
}
