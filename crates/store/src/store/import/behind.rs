//! Batches of a kept file one after the other. What a batch of new rows writes is told before it is written, and
//! written while the next one is read: as with a commit that fails later, the next batch or
//! [`SqlStore::settle_kept`] tells of a fault.

use super::super::import_write::{Batch, lost, note};
use super::aside::write_mixed;
use super::laid::Laid;
use crate::sql::{Dialect, vals};
use crate::store::SqlStore;
use domain::ids::ImportId;
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport};
use std::sync::PoisonError;
use tokio::task::JoinHandle;

/// How far this process is with a file.
#[derive(Debug)]
pub(in crate::store) struct Behind {
    /// The last line that is written or being written, and that may not be durable.
    line: i64,
    /// The writing of the last batch.
    writing: Writing,
    /// Something was stored of the last batch: of the next one too, most likely, and it is not laid out.
    mixed: bool,
}

type Writing = Option<JoinHandle<Result<(), StoreError>>>;

impl SqlStore {
    fn taken(&self, import: ImportId) -> Option<Behind> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.remove(&import)
    }

    fn put_behind(&self, import: ImportId, of: Behind) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(import, of);
    }

    fn was_mixed(&self, import: ImportId) -> bool {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(&import).is_some_and(|of| of.mixed)
    }

    /// The last line of a file that this process has written, once it is.
    async fn written(&self, import: ImportId) -> Result<Option<i64>, StoreError> {
        let Some(Behind { line, writing, .. }) = self.taken(import) else {
            return Ok(None);
        };
        if let Some(writing) = writing {
            writing.await.map_err(|_| lost())??;
        }
        Ok(Some(line))
    }

    /// Waits for a batch that is being written, whatever becomes of it: the file's next worker begins behind it.
    pub(in crate::store) async fn end_writing(&self, import: ImportId) {
        let writing = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.get_mut(&import).and_then(|of| of.writing.take())
        };
        if let Some(writing) = writing {
            // Its line is not there then, which the next batch finds.
            let _ = writing.await;
        }
    }

    pub(in crate::store) async fn take_kept(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
    ) -> Result<ImportReport, StoreError> {
        let Some(batch) = Batch::of(rows) else {
            return Ok(ImportReport::default());
        };
        let laid = match self.dialect() {
            // References are compared byte by byte there.
            Dialect::Lite if !self.was_mixed(import) => Laid::of(import, rows),
            _ => None,
        };
        let expected = self.written(import).await?;
        let mut tx = self.write_again().await?;
        if let Some(mut laid) = laid
            && laid.is_new(&mut tx).await?
        {
            let mut report = std::mem::take(&mut laid.report);
            report.rows = rows.len() as u64;
            let placement = note(&mut tx, import, &batch, &report, expected).await?;
            let write = async move {
                laid.write(&mut tx, placement).await?;
                tx.commit_later().await
            };
            let behind = Behind {
                line: batch.done,
                writing: Some(tokio::spawn(write)),
                mixed: false,
            };
            self.put_behind(import, behind);
            // A task begins on the thread that made it, once that has nothing else to do: the next batch would be read
            // and laid out first.
            tokio::task::yield_now().await;
            return Ok(report);
        }
        let report = write_mixed(&mut tx, import, (rows, &batch), expected).await?;
        tx.commit_later().await?;
        let behind = Behind {
            line: batch.done,
            writing: None,
            mixed: true,
        };
        self.put_behind(import, behind);
        Ok(report)
    }

    pub(in crate::store) async fn settle_kept(&self, import: ImportId) -> Result<(), StoreError> {
        let Some(line) = self.written(import).await? else {
            return Ok(());
        };
        let mut tx = self.write().await?;
        let sql = "UPDATE imports SET rows_done=rows_done WHERE id=$1 RETURNING rows_done";
        let row = tx.row(sql, vals![import]).await?;
        let done: Option<i64> = row.map(|row| row.get("rows_done")).transpose()?;
        tx.commit().await?;
        match done == Some(line) {
            true => Ok(()),
            false => Err(lost()),
        }
    }
}
