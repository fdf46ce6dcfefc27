//! What was folded into a file of SQLite is brought to the disk beside SQLite.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Most files of one process; of more, SQLite brings what it folds to the disk itself.
const FILES_MAX: usize = 64;

/// Descriptors by file. They are never closed: closing any of a file takes the locks from the whole process that
/// SQLite holds on it.
static OPEN: Mutex<BTreeMap<PathBuf, Arc<File>>> = Mutex::new(BTreeMap::new());

/// A database's file.
pub(super) struct Disk(Arc<File>);

impl Disk {
    /// None when it cannot be opened, or too many are open.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(path) {
            return Some(Self(file.clone()));
        }
        if open.len() >= FILES_MAX {
            return None;
        }
        let file = Arc::new(File::open(path).ok()?);
        open.insert(path.to_owned(), file.clone());
        Some(Self(file))
    }

    /// Waits until the disk has what was written to it. Whether it has.
    pub(super) fn sync(&self) -> bool {
        self.0.sync_data().is_ok()
    }
}
