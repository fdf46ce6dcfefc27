//! A table whose rows belong to debtors: a map by id that also knows whose each row is, so that a debtor's rows
//! cost what he has and not what is stored.

use crate::mishaps::locked;
use domain::entity::{
    Attempt, Consent, ContactPoint, Debt, Hold, Override, Party, Payment, Promise,
};
use domain::ids::DebtorId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Mutex;

/// A row that belongs to a debtor.
pub(crate) trait OfDebtor {
    fn owner(&self) -> DebtorId;
}

macro_rules! of_debtor {
    ($($row:ty),*) => {
        $(impl OfDebtor for $row {
            fn owner(&self) -> DebtorId {
                self.debtor_id
            }
        })*
    };
}

of_debtor!(
    Attempt,
    Consent,
    ContactPoint,
    Debt,
    Hold,
    Override,
    Party,
    Payment,
    Promise
);

/// Whose the rows were when somebody last asked, and which may have another owner since.
#[derive(Debug, Clone)]
struct Index<K> {
    owners: BTreeMap<K, DebtorId>,
    rows: BTreeMap<DebtorId, BTreeSet<K>>,
    changed: BTreeSet<K>,
    /// Any row may have changed.
    all: bool,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self {
            owners: BTreeMap::new(),
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
            all: false,
        }
    }
}

impl<K: Ord + Copy> Index<K> {
    fn set(&mut self, key: K, owner: Option<DebtorId>) {
        let before = match owner {
            Some(owner) => self.owners.insert(key, owner),
            None => self.owners.remove(&key),
        };
        if before == owner {
            return;
        }
        if let Some(before) = before
            && let Some(rows) = self.rows.get_mut(&before)
        {
            rows.remove(&key);
        }
        if let Some(owner) = owner {
            self.rows.entry(owner).or_default().insert(key);
        }
    }

    fn follow<V: OfDebtor>(&mut self, table: &BTreeMap<K, V>) {
        if std::mem::take(&mut self.all) {
            *self = Self::default();
            for (key, row) in table {
                self.set(*key, Some(row.owner()));
            }
        }
        for key in std::mem::take(&mut self.changed) {
            self.set(key, table.get(&key).map(OfDebtor::owner));
        }
    }
}

/// A map that reads as a `BTreeMap` and is written through the methods here alone.
#[derive(Debug)]
pub(crate) struct Owned<K, V> {
    table: BTreeMap<K, V>,
    index: Mutex<Index<K>>,
}

impl<K, V> Default for Owned<K, V> {
    fn default() -> Self {
        Self {
            table: BTreeMap::new(),
            index: Mutex::default(),
        }
    }
}

impl<K: Clone, V: Clone> Clone for Owned<K, V> {
    fn clone(&self) -> Self {
        Self {
            table: self.table.clone(),
            index: Mutex::new(locked(&self.index).clone()),
        }
    }
}

impl<K, V> Deref for Owned<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.table
    }
}

impl<K: Ord + Copy, V: OfDebtor> Owned<K, V> {
    fn index(&mut self) -> &mut Index<K> {
        self.index
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The rows of a debtor, in the order of their ids.
    pub(crate) fn of(&self, debtor: DebtorId) -> impl DoubleEndedIterator<Item = &V> {
        let keys: Vec<K> = {
            let mut index = locked(&self.index);
            index.follow(&self.table);
            index
                .rows
                .get(&debtor)
                .into_iter()
                .flatten()
                .copied()
                .collect()
        };
        keys.into_iter().filter_map(|key| self.table.get(&key))
    }

    pub(crate) fn insert(&mut self, key: K, row: V) -> Option<V> {
        self.index().changed.insert(key);
        self.table.insert(key, row)
    }

    pub(crate) fn extend(&mut self, rows: impl IntoIterator<Item = (K, V)>) {
        for (key, row) in rows {
            self.insert(key, row);
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.index().changed.insert(*key);
        self.table.remove(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.index().changed.insert(*key);
        self.table.get_mut(key)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.index().all = true;
        self.table.values_mut()
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.index().all = true;
        self.table.retain(keep);
    }
}

impl<'a, K, V> IntoIterator for &'a Owned<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.table.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Row(u8);

    impl OfDebtor for Row {
        fn owner(&self) -> DebtorId {
            DebtorId(uuid::Uuid::from_u128(u128::from(self.0)))
        }
    }

    proptest! {
        /// Whatever was written and however often somebody asked between: a debtor's rows are those of a whole walk.
        #[test]
        fn a_debtors_rows_are_those_a_walk_finds(steps in prop::collection::vec((0_u8..6, 0_u8..12, 0_u8..4), 0..60)) {
            let mut table: Owned<u8, Row> = Owned::default();
            for (what, key, owner) in steps {
                match what {
                    0 => drop(table.insert(key, Row(owner))),
                    1 => drop(table.remove(&key)),
                    2 => if let Some(row) = table.get_mut(&key) { row.0 = owner },
                    3 => table.values_mut().filter(|r| r.0 == owner).for_each(|r| r.0 = (owner + 1) % 4),
                    4 => table.retain(|k, r| *k > key || r.0 != owner),
                    _ => {
                        let asked: Vec<Row> = table.of(Row(owner).owner()).copied().collect();
                        let walked: Vec<Row> = table.values().filter(|r| r.0 == owner).copied().collect();
                        prop_assert_eq!(asked, walked);
                    }
                }
            }
            for owner in 0..4 {
                let asked: Vec<Row> = table.of(Row(owner).owner()).copied().collect();
                let walked: Vec<Row> = table.values().filter(|r| r.0 == owner).copied().collect();
                prop_assert_eq!(asked, walked);
            }
        }
    }
}
