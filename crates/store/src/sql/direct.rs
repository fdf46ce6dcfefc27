//! SQLite's one writer: statements run where they are asked for, without a way to another thread and
//! back, and transactions that are ready together become durable in one commit.
//!
//! Each transaction behind another one is a savepoint inside the open commit. `commit` of the caller
//! returns when that commit stands, so nothing is told as written before it is durable; what is rolled
//! back leaves the others alone.

use super::direct_row::{CellRow, Plan, Plans};
use super::fold::{self, Fold};
use super::{Row, Val};
use domain::ports::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// Longest wait for the writer, and for another process that holds SQLite's write lock.
const WAIT: Duration = Duration::from_secs(5);
/// How often the lock of another process is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(5);
/// Commits are at least this far apart under load, so that what comes meanwhile shares the next one: its pages
/// are written once, and what waits for it wakes together. A call's INVITE and an agent's click bear the wait.
/// As long as each of the last [`ALONE`] commits was of one transaction there is nobody to wait for.
const APART: Duration = Duration::from_millis(8);
/// Commits that tell a lone writer from a crowd.
const ALONE: u32 = 8;
/// Longest run of statements before the other tasks of the thread get their turn.
const TURN: Duration = Duration::from_millis(2);
/// Statements whose plans are kept; the room has fewer.
const STATEMENTS: usize = 512;

/// The writer; it ends with the value.
pub(crate) struct Direct {
    core: Arc<Mutex<Core>>,
    line: SyncSender<()>,
}

struct Core {
    /// None once closed.
    conn: Option<Connection>,
    plans: Plans,
    /// A commit is open: `BEGIN IMMEDIATE` has been run.
    open: bool,
    /// Transactions that are ready and wait for the commit.
    ready: Vec<oneshot::Sender<Result<(), StoreError>>>,
    /// Who folds the log; none once closed.
    fold: Option<Fold>,
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".into())
}

impl Direct {
    /// Opens the file, making it when it is not there, and starts the thread that commits.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        let conn = connection(file).map_err(fault)?;
        let core = Core {
            conn: Some(conn),
            plans: Plans::default(),
            open: false,
            ready: Vec::new(),
            fold: Some(Fold::start(file)?),
        };
        let core = Arc::new(Mutex::new(core));
        let (line, told) = sync_channel(1);
        let keeper = core.clone();
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || keep(&keeper, &told))
            .map_err(|e| StoreError::Unavailable(format!("thread of the journal: {e}")))?;
        Ok(Self { core, line })
    }

    /// A transaction that may write. `BEGIN IMMEDIATE`, because a transaction that turns from reading
    /// to writing is refused at once when another process has written.
    pub(crate) async fn begin(&self) -> Result<DirectTx, StoreError> {
        let since = Instant::now();
        let core = tokio::time::timeout(WAIT, self.core.clone().lock_owned());
        let mut core = core
            .await
            .map_err(|_| StoreError::Unavailable("the writer is busy".into()))?;
        while !core.open {
            match core.script("BEGIN IMMEDIATE") {
                Ok(()) => core.open = true,
                Err(error) if is_busy(&error) && since.elapsed() < WAIT => {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error) => return Err(fault(error)),
            }
        }
        // The first has nobody to leave alone: SQLite need not keep what it changes for its sake.
        let behind = !core.ready.is_empty();
        if behind {
            core.script("SAVEPOINT work").map_err(fault)?;
        }
        Ok(DirectTx {
            core: Some(core),
            line: self.line.clone(),
            behind,
            since: Instant::now(),
        })
    }

    /// Commits what is open and closes the file.
    pub(crate) async fn close(&self) {
        let mut core = self.core.lock().await;
        core.commit();
        core.conn = None;
        if let Some(fold) = core.fold.take() {
            // The last connection that closes folds what is left.
            let _ = tokio::task::spawn_blocking(move || fold.end()).await;
        }
    }
}

fn connection(file: &Path) -> Result<Connection, rusqlite::Error> {
    let conn = Connection::open(file)?;
    conn.busy_timeout(WAIT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; \
         PRAGMA cache_size=-65536; PRAGMA temp_store=memory; PRAGMA mmap_size=268435456;",
    )?;
    fold::watch(&conn);
    // From here on waiting is done without holding a thread.
    conn.busy_timeout(Duration::ZERO)?;
    Ok(conn)
}

/// Commits what is ready, until nobody can write any more.
fn keep(core: &Mutex<Core>, told: &Receiver<()>) {
    let mut last: Option<Instant> = None;
    let mut alone = 0_u32;
    while told.recv().is_ok() {
        let early = last.and_then(|at| APART.checked_sub(at.elapsed()));
        if let Some(early) = early.filter(|_| alone < ALONE) {
            std::thread::sleep(early);
        }
        match core.blocking_lock().commit() {
            0 => {}
            1 => alone = alone.saturating_add(1),
            _ => alone = 0,
        }
        last = Some(Instant::now());
    }
}

impl Core {
    fn script(&self, sql: &str) -> Result<(), rusqlite::Error> {
        let conn = self.conn.as_ref().ok_or(rusqlite::Error::InvalidQuery)?;
        let mut statement = conn.prepare_cached(sql)?;
        statement.raw_execute().map(drop)
    }

    /// Makes what is ready durable and tells who waits for it; how many transactions that were.
    fn commit(&mut self) -> usize {
        if !std::mem::take(&mut self.open) {
            return 0;
        }
        let together = self.ready.len();
        let done = self.script("COMMIT").map_err(fault);
        if let Some(fold) = &self.fold {
            fold.after_commit();
        }
        if done.is_err() {
            self.undo();
        }
        for waiting in self.ready.drain(..) {
            let _ = waiting.send(done.clone());
        }
        together
    }

    fn undo(&mut self) {
        self.open = false;
        if let Err(error) = self.script("ROLLBACK") {
            // Some faults (a full disk) have undone it already.
            tracing::debug!(%error, "rollback");
        }
    }

    /// Undoes the transaction that runs `behind` others; they stay, unless SQLite has undone them too.
    fn undo_work(&mut self, behind: bool) {
        let undone = self.conn.as_ref().is_none_or(Connection::is_autocommit);
        let back = |core: &Self| {
            core.script("ROLLBACK TO work")?;
            core.script("RELEASE work")
        };
        if behind && !undone && back(self).is_ok() {
            return;
        }
        self.undo();
        for waiting in self.ready.drain(..) {
            let lost = StoreError::Unavailable("the transaction was rolled back".into());
            let _ = waiting.send(Err(lost));
        }
    }
}

/// A transaction; rolled back when it is dropped without `commit`.
pub(crate) struct DirectTx {
    core: Option<OwnedMutexGuard<Core>>,
    line: SyncSender<()>,
    /// Others are ready that share its commit.
    behind: bool,
    since: Instant,
}

impl Drop for DirectTx {
    fn drop(&mut self) {
        if let Some(mut core) = self.core.take() {
            core.undo_work(self.behind);
        }
    }
}

impl DirectTx {
    /// Statements without values.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let core = self.core.as_ref().ok_or_else(closed)?;
        let conn = core.conn.as_ref().ok_or_else(closed)?;
        conn.execute_batch(sql).map_err(fault)
    }

    /// Rows of a statement, and how many it touched.
    pub(crate) async fn run(
        &mut self,
        sql: &str,
        values: &[Val],
        keep: bool,
    ) -> Result<(Vec<Row>, u64), StoreError> {
        if self.since.elapsed() > TURN {
            tokio::task::yield_now().await;
            self.since = Instant::now();
        }
        let core = &mut **self.core.as_mut().ok_or_else(closed)?;
        let conn = core.conn.as_ref().ok_or_else(closed)?;
        if keep {
            let mut statement = conn.prepare_cached(sql).map_err(fault)?;
            let plan = core.plans.of(sql, &statement)?;
            plan.run(conn, &mut statement, values).map_err(fault)
        } else {
            let mut statement = conn.prepare(sql).map_err(fault)?;
            let plan = Plan::of(&statement)?;
            plan.run(conn, &mut statement, values).map_err(fault)
        }
    }

    /// Waits until it is durable.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let (told, durable) = oneshot::channel();
        if self.behind {
            self.script("RELEASE work")?;
        }
        if let Some(mut core) = self.core.take() {
            core.ready.push(told);
        }
        // Full: it is told already and looks after this.
        let _ = self.line.try_send(());
        durable.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl From<CellRow> for Row {
    fn from(row: CellRow) -> Self {
        Self::Direct(row)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(e, _)
        if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What the caller can do about a fault, as `link::fault` tells it of the other connections.
fn fault(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            let text = text.unwrap_or_else(|| code.to_string());
            match code.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                    StoreError::Conflict(text)
                }
                ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
                    StoreError::Conflict("the row it belongs to is not there".into())
                }
                _ => StoreError::Unavailable(text),
            }
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, Arc<Direct>, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        let direct = Direct::open(&file).unwrap();
        // Another process, as it were.
        let other = Connection::open(&file).unwrap();
        other
            .execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")
            .unwrap();
        (dir, Arc::new(direct), other)
    }

    fn seen(other: &Connection) -> Vec<i64> {
        let mut all = other.prepare("SELECT n FROM t ORDER BY n").unwrap();
        let rows = all.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    async fn put(tx: &mut DirectTx, n: i64) -> Result<u64, StoreError> {
        let sql = "INSERT INTO t (n) VALUES ($1)";
        tx.run(sql, &[crate::sql::Field::val(&n)], true)
            .await
            .map(|(_, touched)| touched)
    }

    #[tokio::test]
    async fn what_is_told_as_written_is_seen_and_what_is_dropped_is_not() {
        let (_dir, direct, other) = scene();
        let mut kept = direct.begin().await.unwrap();
        assert_eq!(put(&mut kept, 1).await.unwrap(), 1);
        assert!(seen(&other).is_empty(), "not yet");
        let commit = tokio::spawn(kept.commit());
        // Whether or not they share its commit.
        let mut dropped = direct.begin().await.unwrap();
        put(&mut dropped, 2).await.unwrap();
        drop(dropped);
        let mut again = direct.begin().await.unwrap();
        put(&mut again, 3).await.unwrap();
        assert!(matches!(
            put(&mut again, 3).await,
            Err(StoreError::Conflict(_))
        ));
        again.commit().await.unwrap();
        commit.await.unwrap().unwrap();
        assert_eq!(seen(&other), [1, 3]);
    }

    #[tokio::test]
    async fn many_at_once_are_all_written() {
        let (_dir, direct, other) = scene();
        let one = |n: i64| {
            let direct = direct.clone();
            tokio::spawn(async move {
                let mut tx = direct.begin().await?;
                put(&mut tx, n).await?;
                if n % 5 == 0 {
                    return Ok(());
                }
                tx.commit().await
            })
        };
        let all: Vec<_> = (0..200).map(one).collect();
        for task in all {
            task.await.unwrap().unwrap();
        }
        assert_eq!(seen(&other).len(), 160);
        direct.close().await;
        assert!(direct.begin().await.is_err(), "closed");
        assert_eq!(seen(&other).len(), 160);
    }

    #[tokio::test]
    async fn the_lock_of_another_process_is_waited_for() {
        let (_dir, direct, other) = scene();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let waiting = tokio::spawn({
            let direct = direct.clone();
            async move {
                let mut tx = direct.begin().await?;
                put(&mut tx, 7).await?;
                tx.commit().await
            }
        });
        tokio::time::sleep(TRY_AGAIN * 4).await;
        assert!(!waiting.is_finished());
        other.execute_batch("COMMIT").unwrap();
        waiting.await.unwrap().unwrap();
        assert_eq!(seen(&other), [7]);
    }

    #[tokio::test]
    async fn places_go_by_their_numbers() {
        let (_dir, direct, _other) = scene();
        let mut tx = direct.begin().await.unwrap();
        let (rows, _) = tx
            .run(
                "SELECT $2 AS b, $1 AS a, $2 AS c",
                &[
                    crate::sql::Field::val(&1_i64),
                    crate::sql::Field::val(&2_i64),
                ],
                false,
            )
            .await
            .unwrap();
        let read = ["a", "b", "c"].map(|name| rows[0].get::<i64>(name).unwrap());
        assert_eq!(read, [1, 2, 2]);
        assert!(rows[0].get::<i64>("d").is_err());
        assert!(rows[0].get::<String>("a").is_err(), "of another kind");
    }
}
