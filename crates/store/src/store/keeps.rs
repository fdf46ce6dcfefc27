//! Care for sealed recordings. Each step is one statement with its condition.

use super::SqlStore;
use super::events::append;
use crate::rows::{Entity as _, columns};
use crate::sql::{Val, holes, vals};
use async_trait::async_trait;
use domain::entity::{Recording, RecordingKeep};
use domain::event::NewEvent;
use domain::ids::RecordingId;
use domain::ports::StoreError;
use domain::ports::store::{KeepChange, KeepStore, KeepWork};
use domain::time::UtcMs;

/// A file that is there.
const THERE: &str = "place IN ('local','store')";

/// Assignments and condition of a step; `$1` is the recording.
fn step(change: &KeepChange) -> (&'static str, String, Vec<Val>) {
    match change {
        KeepChange::Uploaded => ("place='store'", "place='local'".to_owned(), vals![]),
        KeepChange::UploadFailed { next_at } => (
            "tries=tries+1, next_try_at=$2",
            "place='local'".to_owned(),
            vals![*next_at],
        ),
        KeepChange::Planned {
            class,
            delete_after,
        } => (
            "class=$2, delete_after=$3",
            THERE.to_owned(),
            vals![*class, *delete_after],
        ),
        KeepChange::Hold { at, by, reason } => (
            "held_at=COALESCE(held_at,$2), held_by=$3, hold_reason=$4",
            THERE.to_owned(),
            vals![*at, by.clone(), reason.clone()],
        ),
        KeepChange::Release => (
            "held_at=NULL, held_by=NULL, hold_reason=NULL",
            "held_at IS NOT NULL".to_owned(),
            vals![],
        ),
        KeepChange::Rewrapped { stored_sha256 } => (
            "stored_sha256=$2",
            THERE.to_owned(),
            vals![stored_sha256.clone()],
        ),
        KeepChange::Deleting { at } => (
            "place='deleting'",
            format!("{THERE} AND held_at IS NULL AND delete_after<=$2"),
            vals![*at],
        ),
        KeepChange::Deleted { at } => (
            "place='deleted', deleted_at=$2",
            "place='deleting'".to_owned(),
            vals![*at],
        ),
    }
}

#[async_trait]
impl KeepStore for SqlStore {
    async fn get_keep(&self, id: RecordingId) -> Result<RecordingKeep, StoreError> {
        self.read().await?.get(id).await
    }

    async fn keeps_of(&self, ids: &[RecordingId]) -> Result<Vec<RecordingKeep>, StoreError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let sql = format!(
            "SELECT {} FROM recording_keeps WHERE id IN ({}) ORDER BY id",
            columns::<RecordingKeep>(),
            holes(1, ids.len())
        );
        let values = ids.iter().flat_map(|id| vals![*id]).collect();
        let rows = self.read().await?.rows_once(sql, values).await?;
        rows.iter().map(RecordingKeep::read).collect()
    }

    async fn unkept_recordings(
        &self,
        node: &str,
        since: UtcMs,
        limit: u32,
    ) -> Result<Vec<Recording>, StoreError> {
        let names: Vec<String> = Recording::COLUMNS
            .iter()
            .map(|c| format!("r.{c}"))
            .collect();
        let sql = format!(
            "SELECT {} FROM recordings r JOIN attempts a ON a.id=r.attempt_id \
                WHERE r.outcome IN ('sealed','repaired') AND r.sealed_at>=$3 AND a.node=$1 \
                AND NOT EXISTS (SELECT 1 FROM recording_keeps k WHERE k.id=r.id) \
                ORDER BY r.id LIMIT $2",
            names.join(",")
        );
        let values = vals![node.to_owned(), i64::from(limit), since];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(Recording::read).collect()
    }

    async fn add_keep(&self, row: &RecordingKeep) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = format!(
            "INSERT INTO recording_keeps ({}) VALUES ({}) ON CONFLICT (id) DO NOTHING",
            columns::<RecordingKeep>(),
            holes(1, RecordingKeep::COLUMNS.len())
        );
        tx.run(sql, row.vals()).await?;
        tx.commit().await
    }

    async fn keeps_due(
        &self,
        work: KeepWork,
        node: &str,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<RecordingKeep>, StoreError> {
        let (term, order) = match work {
            KeepWork::Upload => (
                "place='local' AND node=$1 AND next_try_at<=$2",
                "next_try_at",
            ),
            KeepWork::Plan => (
                "place IN ('local','store') AND node=$1 AND delete_after IS NULL AND kept_at<=$2",
                "kept_at",
            ),
            KeepWork::Delete => (
                "(place='deleting' OR (held_at IS NULL AND delete_after<=$2 \
                    AND (place='store' OR (place='local' AND node=$1))))",
                "delete_after",
            ),
        };
        let sql = format!(
            "SELECT {} FROM recording_keeps WHERE {term} ORDER BY {order}, id LIMIT $3",
            columns::<RecordingKeep>()
        );
        let values = vals![node.to_owned(), now, i64::from(limit)];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(RecordingKeep::read).collect()
    }

    async fn change_keep(
        &self,
        id: RecordingId,
        change: &KeepChange,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let (set, condition, mut rest) = step(change);
        let sql = format!("UPDATE recording_keeps SET {set} WHERE id=$1 AND {condition}");
        let mut values = vals![id];
        values.append(&mut rest);
        let mut tx = self.write().await?;
        if tx.run(sql, values).await? == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }
}
