//! What is heard on a trunk before anybody answers.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::TrunkId;
use domain::ports::store::{EarlySound, SoundStore, StoreError};
use domain::time::UtcMs;
use std::cmp::Reverse;
use std::collections::BTreeMap;

#[async_trait]
impl SoundStore for MemoryStore {
    async fn put_early(&self, sound: &EarlySound) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        t.early.insert(sound.attempt_id, sound.clone());
        Ok(())
    }

    async fn early_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let t = self.tx().await?;
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        let ours = |s: &&EarlySound| s.trunk_id == trunk && s.at >= since && s.at < until;
        for sound in t.early.values().filter(ours) {
            *sums.entry(sound.class.clone()).or_default() += 1;
        }
        let mut counts: Vec<(String, i64)> = sums.into_iter().collect();
        counts.sort_by_key(|(class, calls)| (Reverse(*calls), class.clone()));
        Ok(counts)
    }
}
