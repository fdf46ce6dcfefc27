//! What is heard on a trunk before anybody answers.

use super::SqlStore;
use crate::sql::vals;
use async_trait::async_trait;
use domain::ids::TrunkId;
use domain::ports::StoreError;
use domain::ports::store::{EarlySound, SoundStore};
use domain::time::UtcMs;

/// Most sounds deleted in one transaction.
const PIECE: u32 = 2_000;

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
        let (mut last, mut gone) = (None, 0);
        while let Some((trunk, before)) = self.next_trunk(last, before, most).await? {
            last = Some(trunk);
            gone += self.forget_of(trunk, before).await?;
        }
        Ok(gone)
    }
}

impl SqlStore {
    /// From one trunk to the next by the index, whether or not the trunk is still there: with the time before which
    /// its sounds are too old or too many. The writer is not taken.
    async fn next_trunk(
        &self,
        last: Option<TrunkId>,
        before: UtcMs,
        most: u32,
    ) -> Result<Option<(TrunkId, UtcMs)>, StoreError> {
        let mut link = self.read().await?;
        let next = match last {
            None => {
                let sql = "SELECT trunk_id FROM early_sounds ORDER BY trunk_id LIMIT 1";
                link.row(sql, vec![]).await?
            }
            Some(last) => {
                let sql = "SELECT trunk_id FROM early_sounds WHERE trunk_id>$1 \
                    ORDER BY trunk_id LIMIT 1";
                link.row(sql, vals![last]).await?
            }
        };
        let Some(row) = next else { return Ok(None) };
        let trunk: TrunkId = row.get("trunk_id")?;
        let sql =
            "SELECT at FROM early_sounds WHERE trunk_id=$1 ORDER BY at DESC LIMIT 1 OFFSET $2";
        let over = link.row(sql, vals![trunk, most]).await?;
        let over: Option<UtcMs> = over.map(|row| row.get("at")).transpose()?;
        let before = over.map_or(before, |at| before.max(at.plus_ms(1)));
        Ok(Some((trunk, before)))
    }

    /// Deletes a trunk's sounds from before `before` in pieces, between which others write.
    async fn forget_of(&self, trunk: TrunkId, before: UtcMs) -> Result<u64, StoreError> {
        let has = "SELECT 1 AS n FROM early_sounds WHERE trunk_id=$1 AND at<$2 LIMIT 1";
        let values = vals![trunk, before];
        if self.read().await?.row(has, values).await?.is_none() {
            return Ok(0);
        }
        let mut gone = 0;
        loop {
            let mut tx = self.write().await?;
            let sql = "DELETE FROM early_sounds WHERE attempt_id IN (SELECT attempt_id \
                FROM early_sounds WHERE trunk_id=$1 AND at<$2 ORDER BY at LIMIT $3)";
            let piece = tx.run(sql, vals![trunk, before, PIECE]).await?;
            tx.commit().await?;
            gone += piece;
            if piece < u64::from(PIECE) {
                return Ok(gone);
            }
        }
    }
}
