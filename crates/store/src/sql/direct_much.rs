//! Who writes much and can do it again: an import. And who waits for the writer meanwhile.

use super::{Core, Direct, DirectTx, LEAVE, TURN, closed};
use crate::sql::Val;
use crate::sql::direct_row::ask_each;
use domain::ports::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// Longest wait for the log to be folded, and how often that is looked at.
const FOLDED: Duration = Duration::from_secs(3);
const FOLDED_LOOK: Duration = Duration::from_millis(10);
/// Values, and statements, before the other tasks of the thread may get their turn.
const VALUES: usize = 2_048;
const PIECE: usize = 32;

/// Makes what is ready durable now: behind it, SQLite would keep every page that much writing changes a second time,
/// and go through all of them at the end of each statement.
pub(super) async fn apart(
    mut core: OwnedMutexGuard<Core>,
) -> Result<OwnedMutexGuard<Core>, StoreError> {
    let done = tokio::task::spawn_blocking(move || {
        core.commit();
        core
    });
    done.await.map_err(|_| closed())
}

/// Whom a transaction leaves alone when it is undone.
#[derive(Clone, Copy)]
pub(super) enum Isolation {
    /// Everybody.
    Whole,
    /// Those who wait for the commit.
    Again,
    /// Those who do not.
    Sure,
}

/// Counted among those who wait for the writer, until it is dropped.
pub(super) struct Waits(Arc<AtomicUsize>);

impl Waits {
    pub(super) fn of(queue: &Arc<AtomicUsize>) -> Self {
        queue.fetch_add(1, Ordering::Relaxed);
        Self(queue.clone())
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

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
        let width = width.max(1);
        for piece in values.chunks(width * (VALUES / width).clamp(1, PIECE)) {
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
