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
    async fn forget_early(&self, before: UtcMs, most: u32) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut times: BTreeMap<TrunkId, Vec<UtcMs>> = BTreeMap::new();
        for sound in t.early.values() {
            times.entry(sound.trunk_id).or_default().push(sound.at);
        }
        for times in times.values_mut() {
            times.sort_unstable_by_key(|at| Reverse(*at));
        }
        let had = t.early.len();
        t.early.retain(|_, sound| {
            let over = times
                .get(&sound.trunk_id)
                .and_then(|times| times.get(most as usize));
            sound.at >= before && over.is_none_or(|over| sound.at > *over)
        });
        Ok((had - t.early.len()) as u64)
    }
}
