//! Before the first call, on PostgreSQL: each connection for calls goes once through a reservation, an opening and an end
//! of somebody who does not exist, in a transaction that is undone. A connection that asks for the first time plans the
//! statement and learns the tables, their keys and triggers: an opening took 33 ms then, and 5 afterwards.

mod nobody;

use super::SqlStore;
use super::ahead::versions_with;
use super::attempts::busy_vals;
use super::closing;
use super::open::PG_CALL_CONNECTIONS;
use super::opening;
use super::reserve::{Hold, due_of_parts, leases, woken};
use crate::sql::{Dialect, Link};
use domain::ports::StoreError;
use domain::ports::store::OpenOutcome;
use nobody::{Lets, Nobody};

/// What a call asks, once through, and nothing of it is kept.
async fn once_through(mut tx: Link) -> Result<(), StoreError> {
    let nobody = Nobody::fresh()?;
    nobody.write(&mut tx).await?;
    let request = nobody.request(None);
    woken(&mut tx, &request).await?;
    let items = due_of_parts(&mut tx, &request, Hold::Persons).await?;
    let leases = leases(&request, &items);
    versions_with(&mut tx, leases, vec![nobody.debtor()]).await?;
    // With a number of agreed call-backs they are other statements.
    due_of_parts(&mut tx, &nobody.request(Some(1)), Hold::Persons).await?;
    let draft = nobody.draft();
    let busy = busy_vals(&draft.attempt);
    let opened = opening::opened(&mut tx, &draft, &Lets, busy).await?;
    if !matches!(opened, OpenOutcome::Opened(..)) {
        return Err(StoreError::Corrupt("nobody could not be called".into()));
    }
    // At once and last of all: others who tell events wait from the opening on.
    closing::ended(&mut tx, draft.attempt.id, &nobody.closing()).await?;
    tx.rollback().await
}

impl SqlStore {
    /// Makes what calls ask quick from the first call on: for a node that has just come up, before it dials. Nothing is
    /// written. How many connections are ready; none on SQLite, whose one writer plans in less time than a call's
    /// commit takes.
    ///
    /// # Errors
    /// `Unavailable`; calls can be made all the same.
    pub async fn rehearse(&self) -> Result<usize, StoreError> {
        if self.dialect() == Dialect::Lite {
            return Ok(0);
        }
        // All of them at once, so that none comes twice.
        let mut all = Vec::new();
        for _ in 0..PG_CALL_CONNECTIONS {
            all.push(self.write_leases().await?);
        }
        let count = all.len();
        for tx in all {
            once_through(tx).await?;
        }
        Ok(count)
    }
}

#[cfg(test)]
#[path = "rehearsal_tests.rs"]
mod tests;
