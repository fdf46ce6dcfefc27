//! Letters: each Monday a batch, one level firmer each week.

use super::super::World;
use super::super::life::Life;
use domain::entity::{LetterBatch, LetterLevel, Segment};
use domain::ids::{LetterBatchId, SegmentId};
use domain::ports::{Clock as _, IdSource as _};
use serde_json::json;

/// Who gets one: no more than a batch may hold of the largest portfolio.
const TO_WHOM: &str = "days_past_due >= 15 and balance >= 9000.00";

/// Begins the batch of a week.
pub(super) fn begin(world: &World, life: &Life, number: usize) {
    let now = life.clock.now();
    let level = LetterLevel::ALL[(number / 7) % LetterLevel::ALL.len()];
    let id = LetterBatchId(world.ids.next(now));
    let segment_id = SegmentId(world.ids.next(now));
    let placed = world.store.with(|t| {
        let client_id = t.clients.keys().next().copied()?;
        let segment = Segment {
            id: segment_id,
            client_id,
            name: format!("Cartas {level}"),
            expression: TO_WHOM.to_owned(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let batch: LetterBatch = serde_json::from_value(json!({
            "id": id, "client_id": client_id, "segment_id": segment_id, "level": level,
            "state": "running", "total": 0, "done": 0, "made": 0, "left_out": 0, "made_at": now,
        }))
        .ok()?;
        t.segments.insert(segment.id, segment);
        t.letter_batches.insert(batch.id, batch);
        Some(())
    });
    if placed.is_some() {
        life.handle.run_letters(id);
    }
}
