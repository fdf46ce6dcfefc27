//! SQLite's log is folded into the file beside the writer: a commit that had to do it would keep everybody
//! waiting for two trips to the disk.

use domain::ports::StoreError;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::cell::Cell;
use std::ffi::c_int;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pages of the log (4 KiB each) after which it is folded.
const FOLD_PAGES: c_int = 4_000;
/// Pages after which the commit itself folds (64 MiB): under a steady writer the thread never reaches the end
/// of the log, so it would grow without end, and each page that is read is looked for in all of it.
const FOLD_AT_ONCE: c_int = 16_000;
/// Least time between two folds.
const REST: Duration = Duration::from_millis(200);

thread_local! {
    /// Pages of the log after the last commit on this thread.
    static PAGES: Cell<c_int> = const { Cell::new(0) };
}

/// Lets the commits of the writer say how long the log has become.
pub(super) fn watch(writer: &Connection) {
    writer.wal_hook(Some(noted));
}

fn noted(wal: &Wal, pages: c_int) -> rusqlite::Result<()> {
    PAGES.set(pages);
    if pages >= FOLD_AT_ONCE {
        // The commit stands already: that the log could not be folded now is no fault of its.
        let _ = wal.checkpoint();
    }
    Ok(())
}

/// The thread that folds.
pub(super) struct Fold {
    line: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Fold {
    pub(super) fn start(file: &Path) -> Result<Self, StoreError> {
        let (line, told) = sync_channel(1);
        let file = file.to_owned();
        let thread = std::thread::Builder::new()
            .name("fold".into())
            .spawn(move || run(&file, &told))
            .map_err(|e| StoreError::Unavailable(format!("thread of the log: {e}")))?;
        Ok(Self { line, thread })
    }

    /// Says so when the log has become long.
    pub(super) fn after_commit(&self) {
        if PAGES.take() >= FOLD_PAGES {
            // Full: it is told already.
            let _ = self.line.try_send(());
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

fn run(file: &Path, told: &Receiver<()>) {
    let mut conn = None;
    while told.recv().is_ok() {
        if let Err(error) = fold(file, &mut conn) {
            tracing::debug!(%error, "log not folded: later");
        }
        std::thread::sleep(REST);
    }
}

/// What readers and the writer still need stays in the log; nobody is waited for.
fn fold(file: &Path, conn: &mut Option<Connection>) -> rusqlite::Result<()> {
    let conn = match conn {
        Some(conn) => conn,
        None => {
            let made = Connection::open(file)?;
            made.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048;")?;
            conn.insert(made)
        }
    };
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
