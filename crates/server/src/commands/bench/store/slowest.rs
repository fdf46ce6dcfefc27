//! Where the time of the slowest writes of a kind went.

use super::measure::Percentiles;
use ::store::{AheadCounts, SqlStore, WriteTimes};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Of each kind.
const SHOWN: usize = 5;

/// One of them, milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Slow {
    /// Which of its kind, from 0.
    nth: usize,
    whole: f64,
    /// Until the writer was free.
    wait: f64,
    statements: f64,
    /// From the last statement until it was told as written.
    commit: f64,
    /// Of it the commit alone.
    journal: f64,
    /// Debtors of a reservation whose facts it read itself.
    missed: u64,
}

/// Times of one kind of write.
#[derive(Default)]
pub(super) struct Writes {
    all: Vec<Slow>,
}

/// When one of them began.
pub(super) struct Begun(Instant, AheadCounts);

impl Writes {
    pub(super) fn begin(store: &SqlStore) -> Begun {
        Begun(Instant::now(), store.ahead_counts())
    }

    pub(super) fn end(&mut self, store: &SqlStore, begun: &Begun) {
        let ms = |of: Duration| of.as_secs_f64() * 1_000.0;
        let whole = ms(begun.0.elapsed());
        let WriteTimes {
            wait,
            statements,
            commit,
            journal,
        } = store.last_write().unwrap_or_default();
        self.all.push(Slow {
            nth: self.all.len(),
            whole,
            wait: ms(wait),
            statements: ms(statements),
            commit: ms(commit),
            journal: ms(journal),
            missed: store.ahead_counts().missed - begun.1.missed,
        });
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        Percentiles::of(self.all.iter().map(|one| one.whole).collect())
    }

    /// The slowest first.
    pub(super) fn slowest(mut self) -> Vec<Slow> {
        self.all.sort_by(|a, b| b.whole.total_cmp(&a.whole));
        self.all.truncate(SHOWN);
        self.all
    }
}

/// The table that is printed.
pub(super) fn told(what: &str, slowest: &[Slow]) -> String {
    let mut text = format!(
        "slowest {what}, ms: whole = writer, statements, commit (journal); debtors not read ahead\n"
    );
    for one in slowest {
        // A String takes every write.
        let _ = writeln!(
            text,
            "{:>6}: {:>7.1} = {:>6.1} {:>6.1} {:>6.1} ({:>6.1}) {:>4}",
            one.nth, one.whole, one.wait, one.statements, one.commit, one.journal, one.missed
        );
    }
    text
}
