//! Care for sealed recordings: their way to the object store, their holds, their end.

use super::StoreError;
use crate::entity::{Recording, RecordingKeep, RetentionClass};
use crate::event::NewEvent;
use crate::ids::RecordingId;
use crate::time::UtcMs;
use async_trait::async_trait;

/// What waits to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepWork {
    /// In the folder of this node, due to be brought to the object store.
    Upload,
    /// Taken into care before the instant and without a planned end.
    Plan,
    /// Its time is over and nobody holds it, or its end was begun: in this node's folder, or in the
    /// object store.
    Delete,
}

/// One step; each holds only under its condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepChange {
    /// It is in the object store (from `local`).
    Uploaded,
    /// It could not be brought there (while `local`).
    UploadFailed {
        /// Next try.
        next_at: UtcMs,
    },
    /// Its class and end are known (while it is there).
    Planned {
        /// Class.
        class: RetentionClass,
        /// From when it may be deleted.
        delete_after: UtcMs,
    },
    /// Nobody may delete it (while it is there and its end has not begun). Held already: the new
    /// reason replaces the old.
    Hold {
        /// When.
        at: UtcMs,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// The hold is lifted (while held).
    Release,
    /// Its key is wrapped anew (while it is there).
    Rewrapped {
        /// SHA-256 of the stored bytes now, hex.
        stored_sha256: String,
    },
    /// Its end begins (while it is there, not held, `delete_after` reached by the instant).
    Deleting {
        /// When.
        at: UtcMs,
    },
    /// It is gone (from `deleting`).
    Deleted {
        /// When.
        at: UtcMs,
    },
}

/// Care for recordings.
#[async_trait]
pub trait KeepStore: Send + Sync {
    /// The care of a recording; `NotFound` while it is not sealed.
    async fn get_keep(&self, id: RecordingId) -> Result<RecordingKeep, StoreError>;
    /// Those of a list that are in care.
    async fn keeps_of(&self, ids: &[RecordingId]) -> Result<Vec<RecordingKeep>, StoreError>;
    /// Recordings of the node's attempts, sealed or repaired from `since` on, that are not in care yet,
    /// oldest first.
    async fn unkept_recordings(
        &self,
        node: &str,
        since: UtcMs,
        limit: u32,
    ) -> Result<Vec<Recording>, StoreError>;
    /// Takes a recording into care; one that is there is left alone.
    async fn add_keep(&self, row: &RecordingKeep) -> Result<(), StoreError>;
    /// What waits for a node, the longest waiting first.
    async fn keeps_due(
        &self,
        work: KeepWork,
        node: &str,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<RecordingKeep>, StoreError>;
    /// Takes a step with its events; `false`, and nothing written, when its condition does not hold.
    async fn change_keep(
        &self,
        id: RecordingId,
        change: &KeepChange,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
}
