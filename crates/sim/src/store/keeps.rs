//! Care for sealed recordings.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Recording, RecordingKeep, RecordingOutcome, RecordingPlace};
use domain::event::NewEvent;
use domain::ids::RecordingId;
use domain::ports::store::{KeepChange, KeepStore, KeepWork, StoreError};
use domain::time::UtcMs;

/// Carries a step out; `false` when its condition does not hold.
fn step(keep: &mut RecordingKeep, change: &KeepChange) -> bool {
    let there = matches!(keep.place, RecordingPlace::Local | RecordingPlace::Store);
    match change {
        KeepChange::Uploaded if keep.place == RecordingPlace::Local => {
            keep.place = RecordingPlace::Store;
        }
        KeepChange::UploadFailed { next_at } if keep.place == RecordingPlace::Local => {
            keep.tries += 1;
            keep.next_try_at = *next_at;
        }
        KeepChange::Planned {
            class,
            delete_after,
        } if there => {
            keep.class = Some(*class);
            keep.delete_after = Some(*delete_after);
        }
        KeepChange::Hold { at, by, reason } if there => {
            keep.held_at.get_or_insert(*at);
            keep.held_by = Some(by.clone());
            keep.hold_reason = Some(reason.clone());
        }
        KeepChange::Release if keep.held_at.is_some() => {
            keep.held_at = None;
            keep.held_by = None;
            keep.hold_reason = None;
        }
        KeepChange::Rewrapped { stored_sha256 } if there => {
            keep.stored_sha256.clone_from(stored_sha256);
        }
        KeepChange::Deleting { at }
            if there
                && keep.held_at.is_none()
                && keep.delete_after.is_some_and(|after| after <= *at) =>
        {
            keep.place = RecordingPlace::Deleting;
        }
        KeepChange::Deleted { at } if keep.place == RecordingPlace::Deleting => {
            keep.place = RecordingPlace::Deleted;
            keep.deleted_at = Some(*at);
        }
        _ => return false,
    }
    true
}

fn due(keep: &RecordingKeep, work: KeepWork, node: &str, now: UtcMs) -> Option<UtcMs> {
    let mine = keep.node == node;
    match (work, keep.place) {
        (KeepWork::Upload, RecordingPlace::Local) if mine && keep.next_try_at <= now => {
            Some(keep.next_try_at)
        }
        (KeepWork::Plan, RecordingPlace::Local | RecordingPlace::Store)
            if mine && keep.delete_after.is_none() && keep.kept_at <= now =>
        {
            Some(keep.kept_at)
        }
        (KeepWork::Delete, RecordingPlace::Deleting) => keep.delete_after,
        (KeepWork::Delete, RecordingPlace::Store) if keep.held_at.is_none() => {
            keep.delete_after.filter(|at| *at <= now)
        }
        (KeepWork::Delete, RecordingPlace::Local) if mine && keep.held_at.is_none() => {
            keep.delete_after.filter(|at| *at <= now)
        }
        _ => None,
    }
}

fn unkept(t: &Tables, node: &str, since: UtcMs) -> Vec<Recording> {
    let sealed = |r: &&Recording| {
        let whole = matches!(
            r.outcome,
            RecordingOutcome::Sealed | RecordingOutcome::Repaired
        );
        whole && r.sealed_at.is_some_and(|at| at >= since)
    };
    let here = |r: &&Recording| {
        t.attempts
            .get(&r.attempt_id)
            .is_some_and(|a| a.node == node)
    };
    let rows = t.recordings.values().filter(sealed).filter(here);
    rows.filter(|r| !t.keeps.contains_key(&r.id))
        .cloned()
        .collect()
}

#[async_trait]
impl KeepStore for MemoryStore {
    async fn get_keep(&self, id: RecordingId) -> Result<RecordingKeep, StoreError> {
        let t = self.tx().await?;
        t.keeps
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("recording care"))
    }

    async fn keeps_of(&self, ids: &[RecordingId]) -> Result<Vec<RecordingKeep>, StoreError> {
        let t = self.tx().await?;
        Ok(ids
            .iter()
            .filter_map(|id| t.keeps.get(id))
            .cloned()
            .collect())
    }

    async fn unkept_recordings(
        &self,
        node: &str,
        since: UtcMs,
        limit: u32,
    ) -> Result<Vec<Recording>, StoreError> {
        let t = self.tx().await?;
        let mut rows = unkept(&t, node, since);
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn add_keep(&self, row: &RecordingKeep) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.keeps.entry(row.id).or_insert_with(|| row.clone());
        Ok(())
    }

    async fn keeps_due(
        &self,
        work: KeepWork,
        node: &str,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<RecordingKeep>, StoreError> {
        let t = self.tx().await?;
        let mut rows: Vec<(UtcMs, &RecordingKeep)> = t
            .keeps
            .values()
            .filter_map(|k| due(k, work, node, now).map(|at| (at, k)))
            .collect();
        rows.sort_by_key(|(at, k)| (*at, k.id));
        let rows = rows.into_iter().take(limit as usize);
        Ok(rows.map(|(_, k)| k.clone()).collect())
    }

    async fn change_keep(
        &self,
        id: RecordingId,
        change: &KeepChange,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut t = self.tx().await?;
        let done = t.keeps.get_mut(&id).is_some_and(|k| step(k, change));
        if done {
            t.append(events);
        }
        Ok(done)
    }
}
