//! SQLite's log is folded into the file beside the writer: a commit that had to do it would keep everybody
//! waiting for two trips to the disk.
//!
//! Under a steady writer the thread never reaches the end of the log, and SQLite brings the file itself to the disk
//! only there: whoever went through the last pages of 64 MiB waited a quarter of a second for all that had been folded
//! before. So the thread does that too, and the few pages that are left then are folded between two transactions.

use super::disk::Disk;
use domain::ports::StoreError;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::cell::Cell;
use std::ffi::c_int;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pages (4 KiB each) that have come to the log since it was folded last, after which it is folded.
const FOLD_PAGES: c_int = 8_000;
/// The same while somebody writes much: what he writes many times goes into the file, and to the disk, fewer times.
const FOLD_PAGES_MUCH: c_int = 24_000;
/// Pages (64 MiB) after which the log is begun anew, as soon as no more than [`TAIL`] pages of it are left to fold:
/// without it, it would grow without end.
const FINISH: c_int = 16_000;
const TAIL: c_int = 256;
/// Times the thread goes through what has come meanwhile, until no more than that is left.
const PASSES: usize = 4;
/// Pages after which the commit itself folds (192 MiB): the thread is behind by far, or a reader kept it from it.
const FOLD_AT_ONCE: c_int = 48_000;
/// The same while somebody writes much (an import): 512 MiB. He waits himself for the thread, at [`LONG`]; a page
/// that is written many times is folded once.
const FOLD_AT_ONCE_MUCH: c_int = 128_000;
/// Pages (400 MiB) at which who writes much waits for the thread to reach the end of the log.
const LONG: c_int = 100_000;
/// Least time between two folds.
const REST: Duration = Duration::from_millis(200);

thread_local! {
    /// Pages of the log after the last commit on this thread.
    static PAGES: Cell<c_int> = const { Cell::new(0) };
    /// Somebody writes much, or has just ended.
    static MUCH: Cell<bool> = const { Cell::new(false) };
}

/// How long the log is, as far as it is not folded.
#[derive(Debug, Default)]
pub(super) struct Log {
    pages: AtomicI32,
    /// Who wrote much has left it longer than others may find it, and the thread has not been through it since.
    owed: AtomicBool,
    /// How many of its pages are in the file, and that on the disk; 0 when that is not known.
    safe: AtomicI32,
}

impl Log {
    /// Whether who writes much has to wait.
    pub(super) fn is_long(&self) -> bool {
        self.pages.load(Ordering::Relaxed) >= LONG
    }

    /// All is folded that there was when it was `pages` long.
    fn is_folded(&self, pages: c_int) {
        let _ = self
            .pages
            .compare_exchange(pages, 0, Ordering::Relaxed, Ordering::Relaxed);
        self.safe.store(0, Ordering::Relaxed);
    }

    /// It is so long now.
    fn is_at(&self, pages: c_int) {
        if pages < self.pages.swap(pages, Ordering::Relaxed) {
            // Begun anew.
            self.safe.store(0, Ordering::Relaxed);
        }
    }

    /// Pages that are not in the file, or not safe there.
    fn left(&self) -> c_int {
        self.pages.load(Ordering::Relaxed) - self.safe.load(Ordering::Relaxed)
    }

    /// Whether it is worth to end it, and little work.
    fn is_ending(&self) -> bool {
        let long = self.pages.load(Ordering::Relaxed) >= FINISH;
        let short = (0..=TAIL).contains(&self.left());
        long && short && self.safe.load(Ordering::Relaxed) > 0
    }

    /// The same, said once for each time the thread has been through it.
    fn ends(&self) -> bool {
        self.is_ending() && self.safe.swap(0, Ordering::Relaxed) > 0
    }
}

/// Says of the commit that follows on this thread whether somebody writes much, or has left a long log.
pub(super) fn expect_much(much: bool) {
    MUCH.set(much);
}

/// Lets the commits of the writer say how long the log has become.
pub(super) fn watch(writer: &Connection) {
    writer.wal_hook(Some(noted));
}

fn noted(wal: &Wal, pages: c_int) -> rusqlite::Result<()> {
    PAGES.set(pages);
    let at_once = match MUCH.get() {
        true => FOLD_AT_ONCE_MUCH,
        false => FOLD_AT_ONCE,
    };
    if pages >= at_once {
        // The commit stands already: that the log could not be folded now is no fault of its.
        let _ = wal.checkpoint();
    }
    Ok(())
}

/// The thread that folds.
pub(super) struct Fold {
    line: SyncSender<()>,
    thread: JoinHandle<()>,
    log: Arc<Log>,
}

impl Fold {
    pub(super) fn start(file: &Path, log: Arc<Log>) -> Result<Self, StoreError> {
        let (line, told) = sync_channel(1);
        let file = file.to_owned();
        let own = log.clone();
        let thread = std::thread::Builder::new()
            .name("fold".into())
            .spawn(move || run(&file, &told, &own))
            .map_err(|e| StoreError::Unavailable(format!("thread of the log: {e}")))?;
        Ok(Self { line, thread, log })
    }

    /// Who wrote much has ended: what he left is folded here, and not by the next commit.
    pub(super) fn owe(&self) {
        if self.log.pages.load(Ordering::Relaxed) >= FOLD_PAGES {
            self.log.owed.store(true, Ordering::Relaxed);
            let _ = self.line.try_send(());
        }
    }

    /// Whether that is still to be done.
    pub(super) fn is_owed(&self) -> bool {
        self.log.owed.load(Ordering::Relaxed)
    }

    /// Says so when the log has become long, for which somebody may write `much`.
    pub(super) fn after_commit(&self, much: bool) {
        let pages = PAGES.take();
        if pages > 0 {
            self.log.is_at(pages);
        }
        // A page that is written with each commit is folded once for many of them. Near its end the log is kept folded,
        // so that it can be begun anew.
        let enough = match much {
            true => pages >= FOLD_PAGES_MUCH,
            false => pages >= FINISH || self.log.left() >= FOLD_PAGES,
        };
        if pages > 0 && enough {
            // Full: it is told already.
            let _ = self.line.try_send(());
        }
    }

    /// Whether the next commit does not fold.
    pub(super) fn is_quick(&self) -> bool {
        self.log.pages.load(Ordering::Relaxed) < FOLD_AT_ONCE - FOLD_PAGES
    }

    /// Whether [`Self::finish`] has something to do.
    pub(super) fn is_ending(&self) -> bool {
        self.log.is_ending()
    }

    /// Folds the last pages of a long log, between two transactions and when everybody has been told of his: what is
    /// written next begins at its front.
    pub(super) fn finish(&self, writer: &Connection) {
        if self.log.ends()
            && let Err(error) = pass(writer)
        {
            tracing::debug!(%error, "log not ended: later");
        }
    }

    /// Ends the thread and waits until its connection is closed.
    pub(super) fn end(self) {
        drop(self.line);
        if self.thread.join().is_err() {
            tracing::warn!("the log's thread had died: SQLite folded it in its commits");
        }
    }
}

fn run(file: &Path, told: &Receiver<()>, log: &Log) {
    let mut conn = None;
    loop {
        if !told_or_due(told, log) {
            return;
        }
        let owed = log.owed.load(Ordering::Relaxed);
        let done = through(file, &mut conn, (log, owed));
        if owed && done.is_ok() {
            // What a reader keeps from being folded no commit can fold either.
            log.owed.store(false, Ordering::Relaxed);
        }
        if let Err(error) = done {
            tracing::debug!(%error, "log not folded: later");
        }
        std::thread::sleep(REST);
    }
}

/// Waits until there is something to fold; `false` once nobody is left who could say so.
fn told_or_due(told: &Receiver<()>, log: &Log) -> bool {
    // A reader was in the way: who writes much waits for another try.
    let again = log.is_long() || log.owed.load(Ordering::Relaxed);
    match again {
        true => told.recv_timeout(REST) != Err(RecvTimeoutError::Disconnected),
        false => told.recv().is_ok(),
    }
}

/// Goes through the log until little of it is left, as far as readers let it.
fn through(
    file: &Path,
    conn: &mut Option<Connection>,
    (log, owed): (&Log, bool),
) -> rusqlite::Result<()> {
    let conn = match conn {
        Some(conn) => conn,
        None => {
            let made = Connection::open(file)?;
            made.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048;")?;
            conn.insert(made)
        }
    };
    for _ in 0..PASSES {
        let pages = log.pages.load(Ordering::Relaxed);
        let (all, folded) = pass(conn)?;
        if all {
            // What is written next begins at the front of the log.
            log.is_folded(pages);
            return Ok(());
        }
        // Who writes much waits for the end of the log himself, and has the disk to himself until then.
        let busy = pages >= FOLD_PAGES_MUCH && !owed;
        if busy || !Disk::of(file).is_some_and(|disk| disk.sync()) {
            return Ok(());
        }
        log.safe.store(folded, Ordering::Relaxed);
        if log.left() <= TAIL {
            return Ok(());
        }
    }
    Ok(())
}

/// Folds what nobody needs in the log any more; nobody is waited for. Whether that was all there was, and how many of
/// its pages are folded.
fn pass(conn: &Connection) -> rusqlite::Result<(bool, c_int)> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (pages, folded): (c_int, c_int) = (row.get(1)?, row.get(2)?);
        // Both are -1 while another connection folds.
        Ok((pages >= 0 && pages == folded, folded.max(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(dir: &Path) -> (std::path::PathBuf, Connection) {
        crate::sql::know_their_reach();
        let file = dir.join("a.db");
        let writer = Connection::open(&file).unwrap();
        let wal = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (b BLOB);";
        writer.execute_batch(wal).unwrap();
        watch(&writer);
        (file, writer)
    }

    /// Writes so many pages in one commit; how long the log is then.
    fn write(writer: &Connection, fold: &Fold, pages: c_int) -> c_int {
        expect_much(false);
        let bytes = i64::from(pages) * 4_096;
        let sql = "INSERT INTO t VALUES (zeroblob(?1))";
        writer.execute(sql, [bytes]).unwrap();
        fold.after_commit(false);
        fold.log.pages.load(Ordering::Relaxed)
    }

    #[test]
    fn a_long_log_begins_anew_under_a_steady_writer() {
        let dir = tempfile::tempdir().unwrap();
        let (file, writer) = filled(dir.path());
        let log = Arc::new(Log::default());
        let (line, _told) = sync_channel(1);
        let fold = Fold {
            line,
            thread: std::thread::spawn(|| {}),
            log: log.clone(),
        };
        write(&writer, &fold, FINISH);
        // Not folded at all: nobody has to wait for so much.
        fold.finish(&writer);
        assert!(write(&writer, &fold, 1) > FINISH);
        // Somebody reads: what comes now stays in the log.
        let reader = Connection::open(&file).unwrap();
        let sql = "BEGIN; SELECT COUNT(*) FROM t;";
        reader.execute_batch(sql).unwrap();
        write(&writer, &fold, TAIL / 4);
        let conn = Connection::open(&file).unwrap();
        let (all, folded) = pass(&conn).unwrap();
        assert!(!all && folded >= FINISH && Disk::of(&file).unwrap().sync());
        log.safe.store(folded, Ordering::Relaxed);
        assert!(fold.is_ending());
        fold.finish(&writer);
        assert!(!fold.is_ending(), "tried once for each time");
        let kept = write(&writer, &fold, 1);
        assert!(kept > FINISH, "it is still read");
        reader.execute_batch("COMMIT").unwrap();
        fold.finish(&writer);
        assert!(write(&writer, &fold, 1) > kept);
        log.safe.store(folded, Ordering::Relaxed);
        fold.finish(&writer);
        assert!(write(&writer, &fold, 1) < TAIL, "from its front");
        assert_eq!(log.safe.load(Ordering::Relaxed), 0);
        drop(fold);
    }

    #[test]
    fn what_is_folded_already_calls_for_no_pass() {
        let dir = tempfile::tempdir().unwrap();
        let (_file, writer) = filled(dir.path());
        let log = Arc::new(Log::default());
        let (line, told) = sync_channel(1);
        let fold = Fold {
            line,
            thread: std::thread::spawn(|| {}),
            log: log.clone(),
        };
        let asked = || told.try_recv().is_ok();
        write(&writer, &fold, FOLD_PAGES - 100);
        assert!(!asked());
        let pages = write(&writer, &fold, 200);
        assert!(asked());
        log.safe.store(pages, Ordering::Relaxed);
        write(&writer, &fold, 200);
        assert!(!asked(), "200 of them are new");
        write(&writer, &fold, FOLD_PAGES);
        assert!(asked());
        log.safe.store(FINISH, Ordering::Relaxed);
        let pages = write(&writer, &fold, FINISH - 2 * FOLD_PAGES);
        assert!(pages >= FINISH && asked(), "its end is near");
    }

    #[test]
    fn what_an_import_leaves_is_folded_beside_the_writer() {
        crate::sql::know_their_reach();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.db");
        let writer = Connection::open(&file).unwrap();
        let wal = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE t (b BLOB);";
        writer.execute_batch(wal).unwrap();
        watch(&writer);
        let log = Arc::new(Log::default());
        // Nobody takes what is told before the test does.
        let (line, told) = sync_channel(1);
        let thread = std::thread::spawn(|| {});
        let fold = Fold {
            line,
            thread,
            log: log.clone(),
        };
        let insert = |pages: c_int, much: bool| {
            expect_much(much || fold.is_owed());
            let bytes = i64::from(pages) * 4_096;
            let sql = "INSERT INTO t VALUES (zeroblob(?1))";
            writer.execute(sql, [bytes]).unwrap();
            fold.after_commit(much);
        };
        insert(FOLD_AT_ONCE + 100, true);
        assert!(told.try_recv().is_ok(), "the thread, for its next pass");
        fold.owe();
        assert!(fold.is_owed());
        let before = std::fs::metadata(&file).unwrap().len();
        insert(1, false);
        let after = std::fs::metadata(&file).unwrap().len();
        assert_eq!(before, after, "not by the commit");
        drop(fold);
        // Told, and nobody is there any more.
        run(&file, &told, &log);
        assert!(!log.owed.load(Ordering::Relaxed));
        assert_eq!(log.pages.load(Ordering::Relaxed), 0);
        assert!(
            std::fs::metadata(&file).unwrap().len()
                > u64::from(FOLD_AT_ONCE.unsigned_abs()) * 4_096
        );
    }
}
