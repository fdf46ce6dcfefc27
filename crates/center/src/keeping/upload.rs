//! Sealed recordings on their way to the object store: from the database's list, a few at once, tried
//! again with growing pauses. A file leaves the folder when it was read back from the store.

use super::Archive;
use crate::shared::{Shared, persist};
use crate::tasks::pause;
use domain::entity::RecordingKeep;
use domain::ports::store::{KeepChange, KeepWork};
use domain::time::{MINUTE_MS, SECOND_MS, UtcMs};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Between two looks for work, ms.
const LOOK_MS: u64 = SECOND_MS as u64;
/// Most looked at in one go: the queue itself is in the database.
const BATCH: u32 = 32;
/// Uploads at once.
const AT_ONCE: usize = 4;
/// First pause after a failure, ms; it doubles.
const AGAIN_MS: i64 = 5 * SECOND_MS;
/// Longest pause, ms.
const AGAIN_MAX_MS: i64 = 10 * MINUTE_MS;
/// Failures of one recording after which an alarm is raised.
const ALARM_TRIES: i32 = 3;
const ALARM: &str = "recordings_upload";

/// When a recording is tried again after so many failures.
fn again(tries: i32, now: UtcMs) -> UtcMs {
    let doubled = u32::try_from(tries).unwrap_or(0).min(16);
    now.plus_ms((AGAIN_MS << doubled).min(AGAIN_MAX_MS))
}

/// Runs until the center stops.
pub(super) async fn upload(shared: Arc<Shared>, archive: Arc<dyn Archive>) {
    if !archive.uploads() {
        return;
    }
    let mut stop = shared.stop.clone();
    while pause(&mut stop, LOOK_MS).await {
        loop {
            let found = due(&shared).await;
            let full = found.len() >= BATCH as usize;
            let done = carry(&shared, &archive, found).await;
            if !full || done == 0 || shared.stopping() {
                break;
            }
        }
    }
}

async fn due(shared: &Shared) -> Vec<RecordingKeep> {
    let (node, now) = (&shared.config.node, shared.now());
    let store = &shared.out.store;
    match store.keeps_due(KeepWork::Upload, node, now, BATCH).await {
        Ok(found) => found,
        Err(error) => {
            shared.mind(&error).await;
            Vec::new()
        }
    }
}

/// Brings some over; how many arrived.
async fn carry(
    shared: &Arc<Shared>,
    archive: &Arc<dyn Archive>,
    found: Vec<RecordingKeep>,
) -> usize {
    let mut done = 0;
    let mut running = JoinSet::new();
    for keep in found {
        while running.len() >= AT_ONCE {
            done += usize::from(matches!(running.join_next().await, Some(Ok(true))));
        }
        if shared.stopping() {
            break;
        }
        let (shared, archive) = (Arc::clone(shared), Arc::clone(archive));
        running.spawn(async move { one(&shared, &*archive, &keep).await });
    }
    while let Some(ended) = running.join_next().await {
        done += usize::from(matches!(ended, Ok(true)));
    }
    done
}

async fn one(shared: &Shared, archive: &dyn Archive, keep: &RecordingKeep) -> bool {
    let store = &shared.out.store;
    let row = match store.get_recording(keep.id).await {
        Ok(row) => row,
        Err(error) => {
            shared.mind(&error).await;
            return false;
        }
    };
    if let Err(reason) = archive.upload(&row.key, &keep.stored_sha256).await {
        tracing::warn!(recording = %keep.id, reason, tries = keep.tries + 1, "recording not brought to the object store");
        failed(shared, keep).await;
        return false;
    }
    let data = json!({"recording_id": keep.id, "stored_sha256": keep.stored_sha256, "bytes": keep.stored_bytes});
    let subject = format!("recording:{}", keep.id);
    let event = shared.event(
        Some(keep.client_id),
        shared.actor(),
        "recording.stored",
        subject,
        data,
    );
    let events = [event];
    let stored = persist!(
        shared,
        store.change_keep(keep.id, &KeepChange::Uploaded, &events)
    );
    if !matches!(stored, Ok(true)) {
        return false;
    }
    // What stays in the folder is read from there: a waste, not a fault.
    if let Err(reason) = archive.leave_folder(&row.key).await {
        tracing::warn!(recording = %keep.id, reason, "recording stays in the folder too");
    }
    shared
        .post
        .tell(|engine, _| engine.clear_alarm(ALARM))
        .await;
    true
}

async fn failed(shared: &Shared, keep: &RecordingKeep) {
    let next_at = again(keep.tries, shared.now());
    let change = KeepChange::UploadFailed { next_at };
    if let Err(error) = shared.out.store.change_keep(keep.id, &change, &[]).await {
        shared.mind(&error).await;
    }
    if keep.tries + 1 >= ALARM_TRIES {
        shared
            .post
            .tell(|engine, now| {
                let words = (
                    "las grabaciones no llegan al almacén: se guardan aquí".to_owned(),
                    "recordings do not reach the object store: they stay here".to_owned(),
                );
                engine.alarm(now, ALARM.to_owned(), ALARM, words);
            })
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_ten_minutes() {
        let now = UtcMs(0);
        let pauses: Vec<i64> = [0, 1, 2, 6, 7, 60].map(|n| again(n, now).0).to_vec();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 320_000, 600_000, 600_000]);
    }
}
