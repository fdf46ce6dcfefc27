//! Care for sealed recordings: taken into care, brought to the object store, ended when their time is
//! over; the disk that new ones need; and what else is forgotten in time.

mod disk;
mod forget;
mod retention;
mod upload;

pub use disk::DiskLimits;
pub use retention::Retention;

use disk::disk;
use retention::retention;
use upload::upload;

use crate::shared::Shared;
use crate::tasks::pause;
use async_trait::async_trait;
use domain::entity::{Recording, RecordingKeep, RecordingPlace};
use domain::ids::RecordingId;
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Between two looks for recordings that are not in care yet, ms.
const LOOK_MS: u64 = SECOND_MS as u64;
/// Most taken into care in one go.
const BATCH: u32 = 64;
/// How far back a look goes once everything older was seen, ms: rows are written a little after their
/// instant.
const BACK_MS: i64 = 10 * MINUTE_MS;
/// Files that could not be read, remembered so that they are told once.
const MISSED_MAX: usize = 10_000;

/// Where recordings are, as the center needs it. Errors are reasons without personal data.
#[async_trait]
pub trait Archive: Send + Sync {
    /// SHA-256 (hex) and size of a file in the node's folder, as it is stored.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    async fn stored(&self, key: &str) -> Result<(String, i64), String>;

    /// Whether recordings are brought to an object store.
    fn uploads(&self) -> bool;

    /// Brings a file there and reads it back; done only when what is read has that SHA-256.
    ///
    /// # Errors
    /// The store is away, or has something else.
    async fn upload(&self, key: &str, sha256: &str) -> Result<(), String>;

    /// Takes a file out of the node's folder that is in the object store.
    ///
    /// # Errors
    /// It cannot be deleted.
    async fn leave_folder(&self, key: &str) -> Result<(), String>;

    /// Deletes a recording wherever it is.
    ///
    /// # Errors
    /// It is still somewhere.
    async fn delete(&self, key: &str) -> Result<(), String>;

    /// Bytes that may still be written to the node's folder.
    ///
    /// # Errors
    /// The folder is not there.
    fn free_bytes(&self) -> Result<u64, String>;
}

/// Starts what looks after recordings, where there are any, and what forgets the rest.
pub(crate) fn start(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let forgets = tokio::spawn(forget::forget(Arc::clone(shared)));
    let Some(archive) = &shared.config.archive else {
        return vec![forgets];
    };
    let both = || (Arc::clone(shared), Arc::clone(archive));
    let ((a, b), (c, d), (e, f), (g, h)) = (both(), both(), both(), both());
    vec![
        forgets,
        tokio::spawn(care(a, b)),
        tokio::spawn(upload(c, d)),
        tokio::spawn(retention(e, f)),
        tokio::spawn(disk(g, h)),
    ]
}

/// Takes sealed recordings into care.
async fn care(shared: Arc<Shared>, archive: Arc<dyn Archive>) {
    let mut stop = shared.stop.clone();
    let mut missed = BTreeSet::new();
    let mut since = UtcMs(0);
    while pause(&mut stop, LOOK_MS).await {
        let now = shared.now();
        let store = &shared.out.store;
        let rows = match store
            .unkept_recordings(&shared.config.node, since, BATCH)
            .await
        {
            Ok(rows) => rows,
            Err(error) => {
                shared.mind(&error).await;
                continue;
            }
        };
        let full = rows.len() >= BATCH as usize;
        let fresh = rows.iter().filter(|r| !missed.contains(&r.id));
        let mut taken = 0_usize;
        for row in fresh.cloned().collect::<Vec<_>>() {
            match take(&shared, &*archive, &row).await {
                Ok(()) => taken += 1,
                Err(reason) => miss(&mut missed, row.id, &reason),
            }
        }
        // Files that are lost would stand in the way of those behind them for ever.
        if !full || taken == 0 {
            since = now.plus_ms(-BACK_MS);
        }
    }
}

fn miss(missed: &mut BTreeSet<RecordingId>, id: RecordingId, reason: &str) {
    tracing::error!(recording = %id, reason, "sealed recording not in the folder");
    if missed.len() < MISSED_MAX {
        missed.insert(id);
    }
}

async fn take(shared: &Shared, archive: &dyn Archive, row: &Recording) -> Result<(), String> {
    let (stored_sha256, stored_bytes) = archive.stored(&row.key).await?;
    let now = shared.now();
    let keep = RecordingKeep {
        id: row.id,
        client_id: row.client_id,
        attempt_id: row.attempt_id,
        node: shared.config.node.clone(),
        place: RecordingPlace::Local,
        stored_sha256,
        stored_bytes,
        class: None,
        delete_after: None,
        held_at: None,
        held_by: None,
        hold_reason: None,
        tries: 0,
        next_try_at: now,
        kept_at: now,
        deleted_at: None,
    };
    if let Err(error) = shared.out.store.add_keep(&keep).await {
        // Looked at again in a second.
        shared.mind(&error).await;
    }
    Ok(())
}
