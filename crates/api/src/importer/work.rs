//! Files that this node works on: one at a time each, with the rows read so far.

use domain::ids::ImportId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often one process goes on by itself with a file that breaks off again and again.
const TRIES_MAX: u32 = 3;
/// Most files whose tries are counted.
const TRIED_MAX: usize = 10_000;

type Rows = HashMap<ImportId, Arc<AtomicU64>>;

#[derive(Debug, Default)]
struct Files {
    rows: Mutex<Rows>,
    tried: Mutex<HashMap<ImportId, u32>>,
}

/// The files; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImportWork(Arc<Files>);

/// The turn of a file; it ends with the value.
#[derive(Debug)]
pub(crate) struct Turn {
    work: ImportWork,
    id: ImportId,
    rows: Arc<AtomicU64>,
}

impl ImportWork {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process may go on by itself with a file once more; it then has.
    pub(crate) fn may_try(&self, id: ImportId) -> bool {
        let mut tried = self.0.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.len() >= TRIED_MAX && !tried.contains_key(&id) {
            return false;
        }
        let tries = tried.entry(id).or_default();
        *tries += 1;
        *tries <= TRIES_MAX
    }

    /// The turn of a file; `None` while somebody works on it.
    pub(crate) fn begin(&self, id: ImportId) -> Option<Turn> {
        let rows = Arc::new(AtomicU64::new(0));
        let mut all = self.rows();
        if all.contains_key(&id) {
            return None;
        }
        all.insert(id, Arc::clone(&rows));
        Some(Turn {
            work: self.clone(),
            id,
            rows,
        })
    }

    /// Rows of a file read so far; `None` when nobody works on it.
    pub(crate) fn progress(&self, id: ImportId) -> Option<u64> {
        self.rows().get(&id).map(|n| n.load(Ordering::Relaxed))
    }
}

impl Turn {
    /// Notes how many rows are read.
    pub(crate) fn told(&self) -> impl Fn(u64) + Send + Sync + use<> {
        let rows = Arc::clone(&self.rows);
        move |n| rows.store(n, Ordering::Relaxed)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.work.rows().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_turn_at_a_time() {
        let work = ImportWork::default();
        let id = ImportId(uuid::Uuid::from_u128(1));
        let turn = work.begin(id).expect("free");
        assert!(work.begin(id).is_none());
        turn.told()(2_000);
        assert_eq!(work.progress(id), Some(2_000));
        drop(turn);
        assert_eq!(work.progress(id), None);
        assert!(work.begin(id).is_some());
    }

    #[test]
    fn a_file_that_breaks_off_again_and_again_is_left_to_a_person() {
        let work = ImportWork::default();
        let (id, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let tries = (0..5).filter(|_| work.may_try(ImportId(id))).count();
        assert_eq!(tries, 3);
        assert!(work.may_try(ImportId(other)), "each has its own");
    }
}
