//! SQLite's one writer: statements run where they are asked for, without a way to another thread and
//! back, and transactions that are ready together become durable in one commit.
//!
//! Each transaction behind another one is a savepoint inside the open commit. `commit` of the caller
//! returns when that commit stands, so nothing is told as written before it is durable; what is rolled
//! back leaves the others alone. Only who writes much and can do it again (an import) ends his transactions
//! without waiting: they become durable with the next commit, three seconds later at the latest.

use super::changes::Changes;
use super::direct_row::{Plans, ask, closed, fault, is_busy};
use super::fold::{self, Fold, Log};
use super::lite_sync::LiteSync;
use super::look::steady;
use super::times::Times;
use super::{Row, Val};
use domain::ports::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
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
/// The least that the thread of the commits waits for others of a crowd where nobody is in a hurry: what comes of the
/// calls of one decision comes within milliseconds.
const GATHER: Duration = Duration::from_millis(12);
/// Commits that tell a lone writer from a crowd.
const ALONE: u32 = 8;
/// Longest that what nobody waits for stays without a commit, and how often that is looked at.
const LATER: Duration = Duration::from_millis(2_500);
const LOOK: Duration = Duration::from_millis(250);
/// After another process has written nothing is left without a commit for so long: that would keep it waiting.
const OTHERS: Duration = Duration::from_secs(10);
/// Who writes much leaves the writer to others for so long after a commit, that another process gets it.
const LEAVE: Duration = Duration::from_millis(12);
/// Longest wait for an instant without commits.
const STILL: Duration = Duration::from_millis(500);
/// Longest run of statements before the other tasks of the thread get their turn.
const TURN: Duration = Duration::from_millis(2);
/// Pages that the writer keeps in memory, KiB, and while somebody writes much: each of his rows changes a page of
/// each index that follows no order.
const CACHE: u32 = 65_536;
const CACHE_MUCH: u32 = 98_304;
/// After so long without him it is as before.
const MUCH: Duration = Duration::from_secs(5);
/// Statements whose plans are kept; the room has fewer.
const STATEMENTS: usize = 512;

/// The writer; it ends with the value.
pub(crate) struct Direct {
    core: Arc<Mutex<Core>>,
    line: SyncSender<()>,
    /// How many wait for the writer.
    queue: Arc<AtomicUsize>,
    log: Arc<Log>,
    /// What it changes.
    pub(crate) changes: Arc<Changes>,
    /// Where the time of its last transaction went.
    pub(crate) times: Arc<Times>,
}

/// Keeps the writer from committing.
pub(crate) struct Still {
    _core: OwnedMutexGuard<Core>,
}

struct Core {
    /// None once closed.
    conn: Option<Connection>,
    plans: Plans,
    sync: LiteSync,
    /// A commit is open: `BEGIN IMMEDIATE` has been run.
    open: bool,
    /// How many commits in a row were of one transaction, and when the last one was.
    alone: u32,
    last: Option<Instant>,
    /// Somebody waits for the next one: an INVITE, or a person.
    hurry: bool,
    /// Transactions that are ready and wait for the commit.
    ready: Vec<oneshot::Sender<Result<(), StoreError>>>,
    /// Since when the open commit holds transactions that nobody waits for.
    later: Option<Instant>,
    /// When who writes much was here last.
    much: Option<Instant>,
    /// What SQLite counts when another process writes, and when that was seen last.
    version: i64,
    others: Option<Instant>,
    /// Who folds the log; none once closed.
    fold: Option<Fold>,
    changes: Arc<Changes>,
    times: Arc<Times>,
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

impl Direct {
    /// Opens the file, making it when it is not there, and starts the thread that commits.
    pub(crate) fn open(file: &Path, sync: LiteSync) -> Result<Self, StoreError> {
        let conn = connection(file, sync).map_err(fault)?;
        let log = Arc::new(Log::default());
        let changes = Changes::of(&conn).map_err(fault)?;
        let times = Arc::<Times>::default();
        let core = Core {
            conn: Some(conn),
            plans: Plans::default(),
            sync,
            open: false,
            alone: 0,
            last: None,
            hurry: false,
            ready: Vec::new(),
            later: None,
            much: None,
            version: 0,
            others: None,
            fold: Some(Fold::start(file, log.clone())?),
            changes: changes.clone(),
            times: times.clone(),
        };
        let core = Arc::new(Mutex::new(core));
        let (line, told) = sync_channel(1);
        let keeper = core.clone();
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || end::keep(&keeper, &told))
            .map_err(|e| StoreError::Unavailable(format!("thread of the journal: {e}")))?;
        Ok(Self {
            core,
            line,
            queue: Arc::default(),
            log,
            changes,
            times,
        })
    }

    /// A transaction that may write. `BEGIN IMMEDIATE`, because a transaction that turns from reading
    /// to writing is refused at once when another process has written.
    pub(crate) async fn begin(&self) -> Result<DirectTx, StoreError> {
        self.enter(Isolation::Whole).await
    }

    /// As [`Self::begin`], for steps of calls. They are undone only by a fault: others of the open commit are undone
    /// with them then, and told so, and SQLite need not keep every page they change twice. Those of one moment share a
    /// commit ([`DirectTx::commit`]).
    pub(crate) async fn begin_together(&self, pace: Pace) -> Result<DirectTx, StoreError> {
        let mut tx = self.enter(Isolation::Sure).await?;
        tx.together = Some(pace);
        Ok(tx)
    }

    async fn enter(&self, isolation: Isolation) -> Result<DirectTx, StoreError> {
        let since = Instant::now();
        let waits = Waits::of(&self.queue);
        let core = tokio::time::timeout(WAIT, self.core.clone().lock_owned());
        let mut core = core
            .await
            .map_err(|_| StoreError::Unavailable("the writer is busy".into()))?;
        drop(waits);
        if matches!(isolation, Isolation::Again) && !core.ready.is_empty() {
            core = apart(core).await?;
        }
        while !core.open {
            match core.script("BEGIN IMMEDIATE") {
                Ok(()) => core.begun(),
                Err(error) if is_busy(&error) && since.elapsed() < WAIT => {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error) => return Err(fault(error)),
            }
        }
        // The first has nobody to leave alone: SQLite need not keep what it changes for its sake.
        let (waited_for, later) = (!core.ready.is_empty(), core.later.is_some());
        let behind = match isolation {
            Isolation::Whole => waited_for || later,
            Isolation::Again => waited_for,
            // Nobody would be told that these are lost.
            Isolation::Sure => later,
        };
        Ok(DirectTx {
            core: Some(core),
            line: self.line.clone(),
            together: None,
            queue: self.queue.clone(),
            behind,
            wrote: false,
            since: Instant::now(),
            entered: (since.elapsed(), Instant::now()),
        })
    }

    /// Nothing is committed by this process as long as the answer is kept, so that several connections begin to
    /// read one state; nothing is answered when the writer is not free soon.
    pub(crate) async fn still(&self) -> Option<Still> {
        let core = tokio::time::timeout(STILL, self.core.clone().lock_owned());
        core.await.ok().map(|core| Still { _core: core })
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

fn connection(file: &Path, sync: LiteSync) -> Result<Connection, rusqlite::Error> {
    super::know_their_reach();
    let conn = Connection::open(file)?;
    conn.busy_timeout(WAIT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Pages mapped from the file would count as memory of the process beside the cache.
    conn.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous={}; PRAGMA foreign_keys=ON; \
         PRAGMA cache_size=-{CACHE}; PRAGMA temp_store=memory; PRAGMA mmap_size=0;",
        sync.as_str(),
    ))?;
    fold::watch(&conn);
    steady(&conn)?;
    // From here on waiting is done without holding a thread.
    conn.busy_timeout(Duration::ZERO)?;
    Ok(conn)
}

impl Core {
    fn script(&self, sql: &str) -> Result<(), rusqlite::Error> {
        let conn = self.conn.as_ref().ok_or(rusqlite::Error::InvalidQuery)?;
        let mut statement = conn.prepare_cached(sql)?;
        statement.raw_execute().map(drop)
    }

    /// A commit is open. Whether another process has written since the last one is seen here.
    fn begun(&mut self) {
        self.open = true;
        let Some(conn) = self.conn.as_ref() else {
            return;
        };
        let version = conn.prepare_cached("PRAGMA data_version");
        let version = version.and_then(|mut s| s.query_row([], |row| row.get(0)));
        let version = version.unwrap_or(self.version);
        if self.version != 0 && self.version != version {
            self.others = Some(Instant::now());
            self.changes.all();
        }
        self.version = version;
    }

    /// Whether another process has written lately.
    fn has_others(&self) -> bool {
        self.others.is_some_and(|at| at.elapsed() < OTHERS)
    }

    /// Commits what nobody waits for, once it is old, and what waits for one who does not come.
    fn commit_later(&mut self) {
        if !self.ready.is_empty() || self.later.is_some_and(|at| at.elapsed() >= LATER) {
            self.commit();
        }
        self.narrow();
    }

    /// More memory while somebody writes much.
    fn widen(&mut self) {
        if self.much.replace(Instant::now()).is_none() {
            self.changes.blind(true);
            self.keep_pages(CACHE_MUCH);
        }
    }

    fn narrow(&mut self) {
        if self.much.is_some_and(|at| at.elapsed() >= MUCH) {
            self.much = None;
            self.changes.blind(false);
            self.keep_pages(CACHE);
            if let Some(fold) = &self.fold {
                fold.owe();
            }
        }
    }

    fn keep_pages(&self, kib: u32) {
        let sql = format!("PRAGMA cache_size=-{kib}; PRAGMA shrink_memory;");
        let conn = self.conn.as_ref();
        if let Some(Err(error)) = conn.map(|conn| conn.execute_batch(&sql)) {
            tracing::debug!(%error, "pages of the writer");
        }
    }

    /// How long the next commit is to wait for those who share it; nobody is waited for by a lone writer, nor when the
    /// last commit was long ago.
    fn early(&self) -> Option<Duration> {
        let last = self.last.filter(|_| self.alone < ALONE)?;
        APART.checked_sub(last.elapsed())
    }

    /// Makes what is ready durable, and ends a log that is long.
    fn commit(&mut self) {
        self.commit_open();
        if let (Some(fold), Some(conn)) = (&self.fold, &self.conn) {
            fold.finish(conn);
        }
    }

    /// Makes what is ready durable and tells who waits for it.
    fn commit_open(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.alone = match self.ready.len() {
            0 => self.alone,
            1 => self.alone.saturating_add(1),
            _ => 0,
        };
        self.later = None;
        let much = self.much.is_some();
        fold::expect_much(much || self.fold.as_ref().is_some_and(Fold::is_owed));
        // Of a statement that failed behind rows that stay.
        if let Some(conn) = self.conn.as_ref() {
            self.changes.gather(conn);
        }
        let begun = Instant::now();
        let done = self.script("COMMIT").map_err(fault);
        self.times.committed(begun.elapsed());
        self.last = Some(Instant::now());
        self.hurry = false;
        if let Some(fold) = &self.fold {
            fold.after_commit(much);
        }
        match done {
            Ok(()) => self.changes.committed(),
            Err(_) => self.undo(),
        }
        for waiting in self.ready.drain(..) {
            let _ = waiting.send(done.clone());
        }
        self.narrow();
    }

    /// Whether nobody shares the commit of the transaction that ends now, nor has for a while.
    fn is_lone(&self) -> bool {
        self.is_quick() && self.ready.is_empty() && self.later.is_none() && self.alone >= ALONE
    }

    /// Whether a commit is as short as a statement now: the disk is not waited for.
    fn is_quick(&self) -> bool {
        self.sync == LiteSync::Normal
            && self.much.is_none()
            && self.fold.as_ref().is_none_or(Fold::is_quick)
    }

    fn undo(&mut self) {
        self.open = false;
        self.later = None;
        if let Err(error) = self.script("ROLLBACK") {
            // Some faults (a full disk) have undone it already.
            tracing::debug!(%error, "rollback");
        }
    }

    /// Whether nobody shares the open commit, or SQLite has undone it by itself.
    fn is_alone(&self) -> bool {
        let undone = self.conn.as_ref().is_none_or(Connection::is_autocommit);
        undone || (self.ready.is_empty() && self.later.is_none())
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
    /// A step of a call, of which others may come in the same moment.
    together: Option<Pace>,
    queue: Arc<AtomicUsize>,
    /// Others share its commit and are left alone when it is undone.
    behind: bool,
    /// It has changed something.
    wrote: bool,
    since: Instant,
    /// How long it waited for the writer, and when it had it.
    entered: (Duration, Instant),
}

impl Drop for DirectTx {
    fn drop(&mut self) {
        if let Some(mut core) = self.core.take() {
            // Who only looked leaves what others wrote as it is.
            if self.wrote || core.is_alone() {
                core.undo_work(self.behind && self.wrote);
            }
        }
    }
}

impl DirectTx {
    /// Statements without values.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.writes()?;
        let core = self.core.as_ref().ok_or_else(closed)?;
        let conn = core.conn.as_ref().ok_or_else(closed)?;
        core.changes.all();
        conn.execute_batch(sql).map_err(fault)
    }

    /// Before the first change: a place to come back to, where others are to be left alone.
    fn writes(&mut self) -> Result<(), StoreError> {
        if self.wrote {
            return Ok(());
        }
        let core = self.core.as_ref().ok_or_else(closed)?;
        if self.behind {
            core.script("SAVEPOINT work").map_err(fault)?;
        }
        self.wrote = true;
        Ok(())
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
        let writes = !sql.starts_with("SELECT");
        if writes {
            self.writes()?;
        }
        let core = &mut **self.core.as_mut().ok_or_else(closed)?;
        let conn = core.conn.as_ref().ok_or_else(closed)?;
        let found = ask((conn, &mut core.plans), sql, values, keep)?;
        if writes {
            core.changes.gather(conn);
        }
        Ok(found)
    }
}

#[path = "direct_end.rs"]
mod end;
pub(crate) use end::Pace;
#[path = "direct_much.rs"]
mod much;
use much::{Isolation, Waits, apart};

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
