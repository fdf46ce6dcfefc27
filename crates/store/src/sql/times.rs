//! Where the time of a write goes: what waits for the writer, what for statements, what for the disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where the time of one transaction went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteTimes {
    /// Until the writer was free.
    pub wait: Duration,
    /// Its statements, and what was done between them.
    pub statements: Duration,
    /// From its last statement until it was told that it is written: [`Self::journal`], and the way to the thread
    /// that commits and back.
    pub commit: Duration,
    /// The commit itself, which others may share.
    pub journal: Duration,
}

/// Those of the transaction that was written last.
#[derive(Debug, Default)]
pub(crate) struct Times(Mutex<WriteTimes>);

impl Times {
    fn with<T>(&self, of: impl FnOnce(&mut WriteTimes) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn committed(&self, journal: Duration) {
        self.with(|last| last.journal = journal);
    }

    pub(super) fn ended(&self, wait: Duration, statements: Duration, commit: Duration) {
        self.with(|last| {
            *last = WriteTimes {
                wait,
                statements,
                commit,
                journal: last.journal,
            };
        });
    }

    /// As the last transaction left them.
    pub(crate) fn last(&self) -> WriteTimes {
        self.with(|last| *last)
    }
}
