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
use domain::ports::store::{HeardCall, HeardCount, TollAsk, TollTalk, TrailStore, TrunkCount};
use domain::rules::detector::EARLY_MS;
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

/// Columns of a judged call, of `heard_calls h`.
pub(super) const HEARD: &str = "h.attempt_id, h.at, h.class, h.confidence_pm, h.reason, h.decided_ms, \
    h.onset_ms, h.speech_ms, h.pauses, h.beep_ms, h.acted, h.truth";

pub(super) fn heard(row: &Row) -> Result<HeardCall, StoreError> {
    Ok(HeardCall {
        attempt_id: row.get("attempt_id")?,
        at: row.get("at")?,
        class: row.get("class")?,
        confidence_pm: row.get("confidence_pm")?,
        reason: row.get("reason")?,
        decided_ms: row.get("decided_ms")?,
        onset_ms: row.get("onset_ms")?,
        speech_ms: row.get("speech_ms")?,
        pauses: row.get("pauses")?,
        beep_ms: row.get("beep_ms")?,
        acted: row.get("acted")?,
        truth: row.get("truth")?,
    })
}

fn heard_count(row: &Row) -> Result<HeardCount, StoreError> {
    Ok(HeardCount {
        campaign_id: row.get("campaign_id")?,
        trunk_id: row.get("trunk_id")?,
        class: row.get("class")?,
        disposition: row.get("disposition")?,
        had_agent: row.get::<i64>("had_agent")? != 0,
        acted: row.get("acted")?,
        truth: row.get("truth")?,
        early: row.get::<i64>("early")? != 0,
        slice: row.get("slice")?,
        calls: row.get("calls")?,
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

    async fn toll_talk(&self, ask: &TollAsk) -> Result<Vec<TollTalk>, StoreError> {
        let sql = "SELECT (invite_at-$2)/$3 AS slice, \
            substr(phone, 1, CAST(CAST($4 AS BIGINT) AS INTEGER)) AS begins, \
            CAST(SUM(ended_at-answered_at) AS BIGINT) AS talk_ms \
            FROM attempts WHERE trunk_id=$1 AND invite_at>=$2 AND direction='outbound' \
            AND answered_at IS NOT NULL AND ended_at IS NOT NULL \
            AND COALESCE(result, '')<>'unknown' AND NOT (node=$5 AND invite_at>=$6) \
            GROUP BY 1, 2 ORDER BY 1, 2";
        let values = vals![
            ask.trunk_id,
            ask.since,
            ask.slice_ms.max(1),
            ask.begins.max(1),
            ask.node,
            ask.own_since,
        ];
        let rows = self.read().await?.rows(sql, values).await?;
        let talk = |row: &Row| -> Result<TollTalk, StoreError> {
            Ok(TollTalk {
                slice: row.get("slice")?,
                begins: row.get("begins")?,
                talk_ms: row.get("talk_ms")?,
            })
        };
        rows.iter().map(talk).collect()
    }

    async fn put_heard(&self, heard: &HeardCall, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO heard_calls (attempt_id, at, class, confidence_pm, reason, \
            decided_ms, onset_ms, speech_ms, pauses, beep_ms, acted) \
            SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM attempts WHERE id=$1 \
            ON CONFLICT (attempt_id) DO UPDATE SET at=excluded.at, class=excluded.class, \
            confidence_pm=excluded.confidence_pm, reason=excluded.reason, \
            decided_ms=excluded.decided_ms, onset_ms=excluded.onset_ms, \
            speech_ms=excluded.speech_ms, pauses=excluded.pauses, beep_ms=excluded.beep_ms, acted=excluded.acted";
        let values = vals![
            heard.attempt_id,
            heard.at,
            heard.class,
            heard.confidence_pm,
            heard.reason,
            heard.decided_ms,
            heard.onset_ms,
            heard.speech_ms,
            heard.pauses,
            heard.beep_ms,
            heard.acted,
        ];
        if tx.run(sql, values).await? == 0 {
            return Err(StoreError::NotFound("attempt"));
        }
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_heard(&self, attempt: AttemptId) -> Result<Option<HeardCall>, StoreError> {
        let sql = format!("SELECT {HEARD} FROM heard_calls h WHERE h.attempt_id=$1");
        let row = self.read().await?.row(sql, vals![attempt]).await?;
        row.as_ref().map(heard).transpose()
    }

    async fn heard_counts(
        &self,
        since: UtcMs,
        until: UtcMs,
        slice_ms: i64,
    ) -> Result<Vec<HeardCount>, StoreError> {
        let early = format!("CAST(CASE WHEN h.decided_ms<={EARLY_MS} THEN 1 ELSE 0 END AS BIGINT)");
        let had_agent = "CAST(CASE WHEN a.agent_id IS NULL THEN 0 ELSE 1 END AS BIGINT)";
        let sql = format!(
            "SELECT a.campaign_id, a.trunk_id, h.class, a.disposition, {had_agent} AS had_agent, \
            h.acted, h.truth, \
            {early} AS early, (h.at-$1)/$3 AS slice, CAST(COUNT(*) AS BIGINT) AS calls \
            FROM heard_calls h JOIN attempts a ON a.id=h.attempt_id WHERE h.at>=$1 AND h.at<$2 \
            GROUP BY a.campaign_id, a.trunk_id, h.class, a.disposition, {had_agent}, h.acted, h.truth, \
            {early}, (h.at-$1)/$3"
        );
        let values = vals![since, until, slice_ms.max(1)];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(heard_count).collect()
    }

    async fn number_listed(&self, client: ClientId, number: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 AS n FROM suppressions WHERE value=$1 AND kind='phone' \
            AND lifted_at IS NULL AND debtor_id IS NULL AND (client_id IS NULL OR client_id=$2) LIMIT 1";
        let values = vals![number.to_owned(), client];
        Ok(self.read().await?.row(sql, values).await?.is_some())
    }
}
