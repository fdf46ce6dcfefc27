//! Wrong passwords, counted by account and source address, so that a guesser gets silence while
//! the owner elsewhere is not locked out.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::Millis;
use crate::limits::{GUESS_MEMORY_MS, MAX_GUESS_ROWS, MAX_WRONG_GUESSES};

type Row = (String, IpAddr);

/// The counts.
#[derive(Debug, Default)]
pub struct Guesses {
    rows: HashMap<Row, (u32, Millis)>,
    order: BTreeSet<(Millis, Row)>,
}

impl Guesses {
    /// True when this account got too many wrong guesses from this address.
    #[must_use]
    pub fn silenced(&self, now: Millis, user: &str, from: IpAddr) -> bool {
        let row = self.rows.get(&(user.to_owned(), from));
        row.is_some_and(|(count, last)| {
            *count >= MAX_WRONG_GUESSES && now.since(*last) <= GUESS_MEMORY_MS
        })
    }

    /// Counts a wrong guess.
    pub fn wrong(&mut self, now: Millis, user: &str, from: IpAddr) {
        self.forget_old(now);
        let row = (user.to_owned(), from);
        let before = self.rows.get(&row).copied();
        if let Some((_, last)) = before {
            self.order.remove(&(last, row.clone()));
        } else if self.rows.len() >= MAX_GUESS_ROWS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.rows.remove(&oldest);
        }
        let count = before.map_or(0, |(count, _)| count).saturating_add(1);
        self.order.insert((now, row.clone()));
        self.rows.insert(row, (count, now));
    }

    /// Forgets the guesses of an account from an address: its password was right.
    pub fn right(&mut self, user: &str, from: IpAddr) {
        let row = (user.to_owned(), from);
        if let Some((_, last)) = self.rows.remove(&row) {
            self.order.remove(&(last, row));
        }
    }

    fn forget_old(&mut self, now: Millis) {
        while let Some((last, row)) = self.order.first().cloned() {
            if now.since(last) <= GUESS_MEMORY_MS {
                break;
            }
            self.order.remove(&(last, row.clone()));
            self.rows.remove(&row);
        }
    }
}
