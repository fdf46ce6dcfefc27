//! Facts of who was reserved, kept for the attempt that follows: it then asks for nothing that no write has changed.

use super::super::SqlStore;
use super::{Ahead, Early, KEPT_MS, keys_of, rowids};
use crate::sql::{Key, Link};
use domain::ids::DebtorId;
use domain::law::LEDGER_DAYS;
use domain::ports::StoreError;
use domain::ports::store::ContactFacts;
use domain::time::{DAY_MS, UtcMs};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Debtors kept, over all campaigns (4 kB each); of more the attempt reads itself.
const RESERVED_MAX: usize = 4_096;

/// By which changes a debtor's facts are made wrong, and as of which change they were read.
pub(in super::super) struct Mark {
    pub(super) debtor: DebtorId,
    pub(super) since: u64,
    pub(super) keys: Vec<Key>,
}

/// Who was reserved and not called yet.
#[derive(Default)]
pub(super) struct Reserved(Mutex<HashMap<DebtorId, Early>>);

impl Reserved {
    fn held(&self) -> MutexGuard<'_, HashMap<DebtorId, Early>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has(&self, debtor: DebtorId) -> bool {
        self.held().contains_key(&debtor)
    }
}

impl Ahead {
    /// Keeps the facts of who was reserved at `at`, as far as they have a mark; both in one order.
    pub(in super::super) fn keep(&self, facts: &[ContactFacts], marks: Vec<Mark>, at: UtcMs) {
        let mut held = self.reserved.held();
        if held.len() + marks.len() > RESERVED_MAX {
            held.retain(|_, early| early.is_fresh(at));
        }
        let room = RESERVED_MAX.saturating_sub(held.len());
        let of_each = facts.iter().zip(marks);
        let same = of_each.filter(|(facts, mark)| facts.debtor.id == mark.debtor);
        for (facts, mark) in same.take(room) {
            let early = Early {
                facts: facts.clone(),
                tries: Vec::new(),
                at,
                since: mark.since,
                keys: mark.keys,
            };
            held.insert(mark.debtor, early);
        }
    }
}

impl SqlStore {
    /// The marks of facts just read by who holds the writer; `since` is of before the reading.
    pub(in super::super) async fn marks_of(
        tx: &mut Link,
        since: Option<u64>,
        facts: &[ContactFacts],
    ) -> Result<Vec<Mark>, StoreError> {
        let Some(since) = since else {
            return Ok(Vec::new());
        };
        let debtors: Vec<DebtorId> = facts.iter().map(|f| f.debtor.id).collect();
        let rowids = rowids(tx, &debtors).await?;
        let mark = |facts: &ContactFacts| {
            let debtor = facts.debtor.id;
            let keys = keys_of(facts, *rowids.get(&debtor)?);
            Some(Mark {
                debtor,
                since,
                keys,
            })
        };
        Ok(facts.iter().map_while(mark).collect())
    }

    /// What was told of a reserved debtor, when it still stands; for who holds the writer.
    pub(in super::super) fn reserved_facts(
        &self,
        debtor: DebtorId,
        now: UtcMs,
    ) -> Option<ContactFacts> {
        let changes = self.changes()?;
        let mut early = self.ahead.reserved.held().remove(&debtor)?;
        if !early.is_fresh(now) || !changes.stands(early.since, &early.keys) {
            return None;
        }
        let oldest = now.plus_ms(-i64::from(LEDGER_DAYS) * DAY_MS);
        early.facts.ledger.retain(|row| row.at >= oldest);
        Some(early.facts)
    }
}

impl Early {
    fn is_fresh(&self, now: UtcMs) -> bool {
        (0..KEPT_MS).contains(&(now.0 - self.at.0))
    }
}
