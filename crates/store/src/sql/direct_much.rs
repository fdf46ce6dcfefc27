//! Who writes much and can do it again: an import.

use super::{Direct, DirectTx, Isolation, LEAVE, TURN, closed};
use crate::sql::Val;
use crate::sql::direct_row::ask_each;
use domain::ports::StoreError;
use std::time::{Duration, Instant};

/// Longest wait for the log to be folded, and how often that is looked at.
const FOLDED: Duration = Duration::from_secs(3);
const FOLDED_LOOK: Duration = Duration::from_millis(10);
/// Rows of one statement before the other tasks of the thread may get their turn.
const PIECE: usize = 32;

impl Direct {
    /// As [`Self::begin`], for who writes much and can do it again: if it fails, transactions that nobody
    /// waits for may be lost with it. It waits while the log is long and being folded, and after each commit
    /// until another process has had the chance to write.
    pub(crate) async fn begin_again(&self) -> Result<DirectTx, StoreError> {
        let since = Instant::now();
        while self.log.is_long() && since.elapsed() < FOLDED {
            tokio::time::sleep(FOLDED_LOOK).await;
        }
        let open = self.core.lock().await.open;
        if !open {
            tokio::time::sleep(LEAVE).await;
        }
        let mut tx = self.enter(Isolation::Again).await?;
        if let Some(core) = tx.core.as_mut() {
            core.widen();
        }
        Ok(tx)
    }
}

impl DirectTx {
    /// Whatever was read before its commit counts as changed.
    pub(crate) fn stirs_everybody(&self) -> Result<(), StoreError> {
        self.core.as_ref().ok_or_else(closed)?.changes.all();
        Ok(())
    }

    /// Runs a statement that writes and gives no rows once for each `width` values; its text is read and looked
    /// up once for a piece of them.
    pub(crate) async fn run_each(
        &mut self,
        sql: &str,
        width: usize,
        values: &[Val],
    ) -> Result<(), StoreError> {
        for piece in values.chunks(width * PIECE) {
            if self.since.elapsed() > TURN {
                tokio::task::yield_now().await;
                self.since = Instant::now();
            }
            self.writes()?;
            let core = &mut **self.core.as_mut().ok_or_else(closed)?;
            let conn = core.conn.as_ref().ok_or_else(closed)?;
            ask_each((conn, &mut core.plans), sql, width, piece)?;
            core.changes.gather(conn);
        }
        Ok(())
    }
}
