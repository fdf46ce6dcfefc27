//! What is kept of calls beside the attempt.

use super::SqlStore;
use super::events::append;
use crate::rows::columns;
use crate::sql::{Row, vals};
use async_trait::async_trait;
use domain::entity::{CallTrail, Transfer};
use domain::event::NewEvent;
use domain::ids::{AttemptId, ClientId, TrunkId};
use domain::ports::StoreError;
use domain::ports::store::{TrailStore, TrunkCount};
use domain::time::UtcMs;

fn count(row: &Row) -> Result<TrunkCount, StoreError> {
    Ok(TrunkCount {
        slice: row.get("slice")?,
        result: row.get("result")?,
        sip_code: row.get("sip_code")?,
        q850: row.get("q850")?,
        invites: row.get("invites")?,
        answered: row.get("answered")?,
        rung: row.get("rung")?,
        pdd_ms: row.get("pdd_ms")?,
        talk_ms: row.get("talk_ms")?,
    })
}

#[async_trait]
impl TrailStore for SqlStore {
    async fn put_transfer(
        &self,
        transfer: &Transfer,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(transfer).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn transfers_of(&self, attempt: AttemptId) -> Result<Vec<Transfer>, StoreError> {
        let sql = format!(
            "SELECT {} FROM transfers WHERE attempt_id=$1 ORDER BY asked_at, id",
            columns::<Transfer>()
        );
        let rows = self.read().await?.rows(sql, vals![attempt]).await?;
        rows.iter().map(crate::rows::Entity::read).collect()
    }

    async fn put_trail(
        &self,
        attempt: AttemptId,
        at: UtcMs,
        trail: &CallTrail,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO call_trails (attempt_id, client_id, at, trail) \
            SELECT id, client_id, $2, $3 FROM attempts WHERE id=$1 \
            ON CONFLICT (attempt_id) DO UPDATE SET at=excluded.at, trail=excluded.trail";
        let kept = tx.run(sql, vals![attempt, at, trail.clone()]).await?;
        if kept == 0 {
            return Err(StoreError::NotFound("attempt"));
        }
        tx.commit().await
    }

    async fn get_trail(&self, attempt: AttemptId) -> Result<Option<CallTrail>, StoreError> {
        let sql = "SELECT trail FROM call_trails WHERE attempt_id=$1";
        let row = self.read().await?.row(sql, vals![attempt]).await?;
        row.map(|r| r.get("trail")).transpose()
    }

    async fn forget_trails(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let sql = "DELETE FROM call_trails WHERE attempt_id IN \
            (SELECT attempt_id FROM call_trails WHERE at<$1 ORDER BY at LIMIT $2)";
        let gone = tx.run(sql, vals![before, i64::from(limit)]).await?;
        tx.commit().await?;
        Ok(gone)
    }

    async fn trunk_counts(
        &self,
        trunk: TrunkId,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<TrunkCount>, StoreError> {
        let sql = "SELECT (invite_at-$2)/$4 AS slice, result, sip_code, q850, \
            CAST(COUNT(*) AS BIGINT) AS invites, \
            CAST(COUNT(answered_at) AS BIGINT) AS answered, \
            CAST(COUNT(ringing_at) AS BIGINT) AS rung, \
            CAST(COALESCE(SUM(ringing_at-invite_at),0) AS BIGINT) AS pdd_ms, \
            CAST(COALESCE(SUM(ended_at-bridged_at),0) AS BIGINT) AS talk_ms \
            FROM attempts WHERE trunk_id=$1 AND invite_at>=$2 AND invite_at<$3 \
            GROUP BY (invite_at-$2)/$4, result, sip_code, q850 \
            ORDER BY 1, 2, 3, 4";
        let values = vals![trunk, since, until, slice_ms.max(1)];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(count).collect()
    }

    async fn number_listed(&self, client: ClientId, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS n FROM suppressions WHERE value=$1 AND kind='phone' \
            AND lifted_at IS NULL AND debtor_id IS NULL AND (client_id IS NULL OR client_id=$2) LIMIT 1";
        let values = vals![number.to_owned(), client];
        Ok(self.read().await?.row(sql, values).await?.is_some())
    }
}
