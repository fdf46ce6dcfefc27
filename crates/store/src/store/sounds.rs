//! What is heard on a trunk before anybody answers.

use super::SqlStore;
use crate::sql::vals;
use async_trait::async_trait;
use domain::ids::TrunkId;
use domain::ports::StoreError;
use domain::ports::store::{EarlySound, SoundStore};
use domain::time::UtcMs;

#[async_trait]
impl SoundStore for SqlStore {
    async fn put_early(&self, sound: &EarlySound) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO early_sounds (attempt_id, trunk_id, at, class) VALUES ($1,$2,$3,$4) \
            ON CONFLICT (attempt_id) DO UPDATE SET trunk_id=excluded.trunk_id, at=excluded.at, \
            class=excluded.class";
        let values = vals![sound.attempt_id, sound.trunk_id, sound.at, sound.class];
        tx.run(sql, values).await?;
        tx.commit().await
    }

    async fn early_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let sql = "SELECT class, CAST(COUNT(*) AS BIGINT) AS calls FROM early_sounds \
            WHERE trunk_id=$1 AND at>=$2 AND at<$3 GROUP BY class ORDER BY calls DESC, class";
        let rows = self
            .read()
            .await?
            .rows(sql, vals![trunk, since, until])
            .await?;
        rows.iter()
            .map(|row| Ok((row.get("class")?, row.get("calls")?)))
            .collect()
    }

    async fn forget_early(&self, before: UtcMs, most: u32) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let (mut last, mut gone) = (None::<TrunkId>, 0);
        loop {
            // From one trunk to the next by the index, whether or not the trunk is still there.
            let next = match last {
                None => {
                    let sql = "SELECT trunk_id FROM early_sounds ORDER BY trunk_id LIMIT 1";
                    tx.row(sql, vec![]).await?
                }
                Some(last) => {
                    let sql = "SELECT trunk_id FROM early_sounds WHERE trunk_id>$1 \
                        ORDER BY trunk_id LIMIT 1";
                    tx.row(sql, vals![last]).await?
                }
            };
            let Some(row) = next else { break };
            let trunk: TrunkId = row.get("trunk_id")?;
            last = Some(trunk);
            let sql =
                "SELECT at FROM early_sounds WHERE trunk_id=$1 ORDER BY at DESC LIMIT 1 OFFSET $2";
            let over = tx.row(sql, vals![trunk, most]).await?;
            let over: Option<UtcMs> = over.map(|row| row.get("at")).transpose()?;
            let before = over.map_or(before, |at| before.max(at.plus_ms(1)));
            let sql = "DELETE FROM early_sounds WHERE trunk_id=$1 AND at<$2";
            gone += tx.run(sql, vals![trunk, before]).await?;
        }
        tx.commit().await?;
        Ok(gone)
    }
}
