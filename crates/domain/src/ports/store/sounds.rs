//! What is heard on a trunk before anybody answers.

use super::StoreError;
use crate::ids::{AttemptId, TrunkId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// A sound before the answer, as it was last taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlySound {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The trunk that carried it.
    pub trunk_id: TrunkId,
    /// When it was told.
    pub at: UtcMs,
    /// `ring_back`, `busy`, `congestion`, `sit` or `announcement`.
    pub class: String,
}

/// Sounds before the answer.
#[async_trait]
pub trait SoundStore: Send + Sync {
    /// Keeps what was heard; a later verdict on the same attempt replaces it.
    async fn put_early(&self, sound: &EarlySound) -> Result<(), StoreError>;
    /// Attempts of a trunk in `[since, until)` by what was heard before the answer, most frequent first.
    async fn early_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(String, i64)>, StoreError>;
    /// Deletes what was heard before `before`, and of every trunk all but its `most` newest; how many rows.
    async fn forget_early(&self, before: UtcMs, most: u32) -> Result<u64, StoreError>;
}
