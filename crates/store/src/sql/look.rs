//! Connections of SQLite that only read, whose statements run where they are asked for: what a call waits for
//! costs no way to another thread and back for each of a dozen statements, and does not hold the writer.

use super::direct_row::{Plans, ask, closed, fault};
use super::{Row, Val};
use domain::ports::StoreError;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest wait for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// Longest run of statements before the other tasks of the thread get their turn.
const TURN: Duration = Duration::from_millis(2);
/// Statements whose plans a connection keeps; the room has fewer.
const STATEMENTS: usize = 512;

/// What the statements of a connection go through.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// A few rows here and there. What is mapped of the file is given back whenever something was written, and
    /// comes back 16 pages at a time: two fifths of what it cost to read a hundred debtors.
    Rows,
    /// Whole tables, whose pages would be copied for one look.
    Tables,
}

/// Most bytes of the file that are mapped.
const MAPPED: u64 = 2_147_418_112;

/// A few connections that read one file.
pub(crate) struct Looks {
    file: PathBuf,
    /// Pages that each keeps, KiB.
    cache_kib: u32,
    reach: Reach,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Eye>>,
}

/// One of them.
struct Eye {
    conn: Connection,
    plans: Plans,
}

impl std::fmt::Debug for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looks").finish_non_exhaustive()
    }
}

impl Looks {
    /// At most `most` connections, opened when they are needed.
    pub(crate) fn of(file: &Path, most: usize, cache_kib: u32, reach: Reach) -> Arc<Self> {
        Arc::new(Self {
            file: file.to_owned(),
            cache_kib,
            reach,
            free: Arc::new(Semaphore::new(most)),
            idle: Mutex::default(),
        })
    }

    /// Statements that read one state: what was committed when the first of them runs.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<LookTx, StoreError> {
        let permit = tokio::time::timeout(WAIT, self.free.clone().acquire_owned());
        let permit = permit
            .await
            .map_err(|_| StoreError::Unavailable("the readers are busy".into()))?
            .map_err(|_| closed())?;
        self.with(permit)
    }

    fn with(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Result<LookTx, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let eye = match idle {
            Some(eye) => eye,
            None => Eye::open(&self.file, self.cache_kib, self.reach).map_err(fault)?,
        };
        let begun = eye.script("BEGIN");
        let tx = LookTx {
            eye: Some(eye),
            home: self.clone(),
            _permit: permit,
            since: Instant::now(),
        };
        begun.map_err(fault).map(|()| tx)
    }

    /// Closes those that nobody uses; the others close when they are given back.
    pub(crate) fn close(&self) {
        self.free.close();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Eye {
    fn open(file: &Path, cache_kib: u32, reach: Reach) -> Result<Self, rusqlite::Error> {
        let mapped = match reach {
            Reach::Rows => 0,
            Reach::Tables => MAPPED,
        };
        let conn = Connection::open(file)?;
        conn.busy_timeout(WAIT)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        conn.execute_batch(&format!(
            "PRAGMA query_only=ON; PRAGMA cache_size=-{cache_kib}; PRAGMA temp_store=memory; \
             PRAGMA mmap_size={mapped};"
        ))?;
        steady(&conn)?;
        Ok(Self {
            conn,
            plans: Plans::default(),
        })
    }

    fn script(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.conn.prepare_cached(sql)?.raw_execute().map(drop)
    }
}

/// A plan stays as it was made. Otherwise SQLite, where it has counted what the tables hold, plans a statement
/// anew for each other value, and those with a list of a hundred places cost more to plan than to run.
pub(super) fn steady(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// A connection while it reads one state.
pub(crate) struct LookTx {
    eye: Option<Eye>,
    home: Arc<Looks>,
    _permit: OwnedSemaphorePermit,
    since: Instant,
}

impl LookTx {
    /// Rows of a statement.
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
        let eye = self.eye.as_mut().ok_or_else(closed)?;
        ask((&eye.conn, &mut eye.plans), sql, values, keep)
    }
}

impl Drop for LookTx {
    fn drop(&mut self) {
        let Some(eye) = self.eye.take() else { return };
        // One that cannot end its reading is closed, and so is one that comes back after all were.
        if eye.script("ROLLBACK").is_ok() && !self.home.free.is_closed() {
            let idle = self.home.idle.lock();
            idle.unwrap_or_else(PoisonError::into_inner).push(eye);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seen(tx: &mut LookTx) -> i64 {
        let sql = "SELECT COUNT(*) AS n FROM t";
        let (rows, _) = tx.run(sql, &[], true).await.unwrap();
        rows[0].get("n").unwrap()
    }

    #[tokio::test]
    async fn one_state_is_read_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        crate::sql::know_their_reach();
        let other = Connection::open(&file).unwrap();
        let begin = "PRAGMA journal_mode=WAL; CREATE TABLE t (n INTEGER PRIMARY KEY)";
        other.execute_batch(begin).unwrap();
        let looks = Looks::of(&file, 1, 1_024, Reach::Rows);
        let mut tx = looks.begin().await.unwrap();
        assert_eq!(seen(&mut tx).await, 0);
        other.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(seen(&mut tx).await, 0, "as it was when it was first asked");
        let wrote = tx.run("INSERT INTO t VALUES (2)", &[], false).await;
        assert!(wrote.is_err());
        // There is one connection: the next gets it when this one is given back.
        let next = tokio::spawn({
            let looks = looks.clone();
            async move { seen(&mut looks.begin().await.unwrap()).await }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(tx);
        assert_eq!(next.await.unwrap(), 1);
        looks.close();
        assert!(looks.begin().await.is_err(), "closed");
    }
}
