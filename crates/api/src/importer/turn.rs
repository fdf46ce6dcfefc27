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

/// Between two words that the work goes on, ms.
const BEAT_MS: u64 = IMPORT_TURN_MS.unsigned_abs() / 3;

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
    /// nobody, and be gone when the first is taken back. The newest 500 files are looked at.
    ///
    /// # Errors
    /// The store's.
    pub async fn half_in(&self, row: &Import) -> Result<Option<ImportId>, StoreError> {
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
