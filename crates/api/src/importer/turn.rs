//! The turn of a file over all processes: of the nodes and command lines of one database one works on a file
//! at a time. Who holds it says so again three times in its length; whoever dies loses it at its end, and
//! another goes on where he was.

use super::Flow;
use domain::entity::{Import, ImportState};
use domain::ids::ImportId;
use domain::ports::store::{IMPORT_TURN_MS, PAGE_LIMIT_MAX, PageRequest};
use domain::ports::{Clock, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Between two words that the work goes on, ms.
const BEAT_MS: u64 = IMPORT_TURN_MS.unsigned_abs() / 3;
/// Longest that a file waits for another of its portfolio that is being written, ms: short files follow one
/// another, a long one is told.
const PORTFOLIO_WAIT_MS: u64 = 10_000;
/// From one look at the portfolio to the next, ms.
const LOOK_MS: u64 = 200;

/// Another file of the portfolio that is half in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Half {
    /// The file.
    pub id: ImportId,
    /// Somebody works on it; else its work broke off.
    pub at_work: bool,
}

impl std::fmt::Display for Half {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.id;
        if self.at_work {
            write!(
                f,
                "file {id} is being written into the portfolio: wait for its end"
            )
        } else {
            write!(
                f,
                "file {id} is half in the portfolio: accept it again, or take it back first"
            )
        }
    }
}

/// The turn of a file; give it back with [`FileTurn::end`], else it lasts until its time is over.
pub struct FileTurn {
    store: Arc<dyn Store>,
    id: ImportId,
    worker: String,
    beat: JoinHandle<()>,
}

impl std::fmt::Debug for FileTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FileTurn").field(&self.id).finish()
    }
}

impl Flow {
    /// Takes the turn of a file; `None` while another process has it.
    ///
    /// # Errors
    /// The store's.
    pub async fn take(&self, id: ImportId) -> Result<Option<FileTurn>, StoreError> {
        let now = self.clock.now();
        let worker = self.ids.next(now).to_string();
        if !self.store.take_import(id, &worker, now).await? {
            return Ok(None);
        }
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let beat = tokio::spawn(keep(store, clock, id, worker.clone()));
        Ok(Some(FileTurn {
            store: Arc::clone(&self.store),
            id,
            worker,
            beat,
        }))
    }
}

impl Flow {
    /// Another file of the portfolio that is half in: what a second one says of its debtors would be seen by
    /// nobody, and be gone when the first is taken back. One that somebody works on is waited for, 10 s at most.
    ///
    /// # Errors
    /// The store's.
    pub async fn half_in(&self, row: &Import) -> Result<Option<Half>, StoreError> {
        let until = Instant::now() + Duration::from_millis(PORTFOLIO_WAIT_MS);
        loop {
            let Some(id) = self.other_half(row).await? else {
                return Ok(None);
            };
            let at_work = self.at_work(id).await?;
            // Its work may have ended between the two looks.
            if !at_work && self.other_half(row).await? == Some(id) {
                return Ok(Some(Half { id, at_work }));
            }
            if Instant::now() >= until {
                return Ok(Some(Half { id, at_work }));
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }

    /// Whether a process has the turn of a file.
    async fn at_work(&self, id: ImportId) -> Result<bool, StoreError> {
        let Some(turn) = self.take(id).await? else {
            return Ok(true);
        };
        turn.end().await;
        Ok(false)
    }

    /// The newest 500 files are looked at.
    async fn other_half(&self, row: &Import) -> Result<Option<ImportId>, StoreError> {
        let page = PageRequest {
            limit: PAGE_LIMIT_MAX,
            cursor: None,
        };
        let files = self
            .store
            .imports_page(Some(row.client_id), Some(row.portfolio_id), &page)
            .await?;
        let half = |i: &Import| {
            i.id != row.id && matches!(i.state, ImportState::Accepting | ImportState::Undoing)
        };
        Ok(files.items.into_iter().find(half).map(|i| i.id))
    }
}

async fn keep(store: Arc<dyn Store>, clock: Arc<dyn Clock>, id: ImportId, worker: String) {
    loop {
        tokio::time::sleep(Duration::from_millis(BEAT_MS)).await;
        match store.take_import(id, &worker, clock.now()).await {
            Ok(true) => {}
            // What it writes from here on is refused by the store.
            Ok(false) => return tracing::warn!(import = %id, "the turn of the file is lost"),
            Err(error) => {
                tracing::warn!(import = %id, reason = %error, "turn not kept: tried again")
            }
        }
    }
}

impl FileTurn {
    /// Gives the turn back.
    pub async fn end(self) {
        self.beat.abort();
        if let Err(error) = self.store.leave_import(self.id, &self.worker).await {
            tracing::warn!(import = %self.id, reason = %error, "turn not given back: it ends by itself");
        }
    }
}

impl Drop for FileTurn {
    fn drop(&mut self) {
        self.beat.abort();
    }
}
