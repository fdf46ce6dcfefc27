//! Wrong passwords, counted by account and source address, so that a guesser gets silence while
//! the owner elsewhere is not locked out.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::Millis;
use crate::limits::{GUESS_MEMORY_MS, MAX_GUESS_ROWS, MAX_WRONG_GUESSES};
use crate::transport::origin;

/// A hash stands for the name, for a guesser may choose one of 60 kB. 16 octets: nobody finds a
/// second name with the hash of an account.
type Row = ([u8; 16], IpAddr);

fn row(user: &str, from: IpAddr) -> Row {
    let mut name = [0; 16];
    name.copy_from_slice(&Sha256::digest(user)[..16]);
    (name, origin(from))
}

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
        let row = self.rows.get(&row(user, from));
        row.is_some_and(|(count, last)| {
            *count >= MAX_WRONG_GUESSES && now.since(*last) <= GUESS_MEMORY_MS
        })
    }

    /// Counts a wrong guess.
    pub fn wrong(&mut self, now: Millis, user: &str, from: IpAddr) {
        self.forget_old(now);
        let row = row(user, from);
        let before = self.rows.get(&row).copied();
        if let Some((_, last)) = before {
            self.order.remove(&(last, row));
        } else if self.rows.len() >= MAX_GUESS_ROWS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.rows.remove(&oldest);
        }
        let count = before.map_or(0, |(count, _)| count).saturating_add(1);
        self.order.insert((now, row));
        self.rows.insert(row, (count, now));
    }

    /// Forgets the guesses of an account from an address: its password was right.
    pub fn right(&mut self, user: &str, from: IpAddr) {
        let row = row(user, from);
        if let Some((_, last)) = self.rows.remove(&row) {
            self.order.remove(&(last, row));
        }
    }

    fn forget_old(&mut self, now: Millis) {
        while let Some((last, row)) = self.order.first().copied() {
            if now.since(last) <= GUESS_MEMORY_MS {
                break;
            }
            self.order.remove(&(last, row));
            self.rows.remove(&row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_no_memory_beside_its_own() {
        fn holds_none<T: Copy>(_: T) {}
        holds_none(row(&"x".repeat(60_000), IpAddr::from([192, 0, 2, 1])));
        let mut guesses = Guesses::default();
        for number in 0..MAX_GUESS_ROWS + 100 {
            let from = IpAddr::from([192, 0, 2, 1]);
            guesses.wrong(Millis(1), &number.to_string(), from);
        }
        assert_eq!(guesses.rows.len(), MAX_GUESS_ROWS);
        assert_eq!(guesses.order.len(), MAX_GUESS_ROWS);
    }
}
