//! Node leases and recovery.

use super::SqlStore;
use super::attempts::count;
use super::callers::free_places;
use super::events::append;
use super::items::{FREE, LIVE, write_item};
use super::sums::history;
use crate::rows::columns;
use crate::sql::{Link, vals};
use async_trait::async_trait;
use domain::entity::{Attempt, AttemptState, CallResult, LedgerRow, Recording};
use domain::event::NewEvent;
use domain::ids::DebtorId;
use domain::ports::StoreError;
use domain::ports::store::{ItemState, NodeLease, NodeStore, Recovery, SETTINGS_MAX, rested};
use domain::time::UtcMs;
use std::sync::PoisonError;

/// Lock number under which PostgreSQL nodes get their fences one after the other.
const NODE_LOCK: i64 = 0x6d61_7263_0003;

/// A node's life in one word, as [`LIVES`] has it.
fn claimant(node: &str, fence: i64) -> String {
    format!("{node} {fence}")
}

/// The node's life that a row of `idempotency` names in its body is the current one of its name.
pub(super) const LIVES: &str =
    "EXISTS (SELECT 1 FROM nodes n WHERE n.name || ' ' || n.fence = idempotency.body)";

async fn lock_nodes(tx: &mut Link) -> Result<(), StoreError> {
    if !tx.pg_only("lock").is_empty() {
        tx.rows("SELECT pg_advisory_xact_lock($1)", vals![NODE_LOCK])
            .await?;
    }
    Ok(())
}

/// Closes the live attempts whose owner's fence is no longer the current one of his name.
async fn close_orphans(tx: &mut Link, now: UtcMs) -> Result<Vec<Attempt>, StoreError> {
    let which = format!(
        "WHERE {LIVE} AND NOT EXISTS \
            (SELECT 1 FROM nodes n WHERE n.name=attempts.node AND n.fence=attempts.fence) ORDER BY id{}",
        tx.pg_only(" FOR UPDATE")
    );
    let mut orphans: Vec<Attempt> = tx.all(&which, vec![]).await?;
    for attempt in &mut orphans {
        attempt.state = AttemptState::Unknown;
        attempt.result = Some(CallResult::Unknown);
        attempt.ended_at = Some(now);
        let sql = "UPDATE attempts SET state=$2, result=$3, ended_at=$4 WHERE id=$1";
        let values = vals![attempt.id, attempt.state, attempt.result, now];
        tx.run(sql, values).await?;
        count(tx, LedgerRow::of_lost(attempt).as_slice()).await?;
        rest(tx, attempt, now).await?;
    }
    let debtors: Vec<DebtorId> = orphans.iter().map(|a| a.debtor_id).collect();
    history(tx, &debtors).await?;
    Ok(orphans)
}

/// The debtor of a lost attempt is not due before his time, from the very moment in which he is free.
async fn rest(tx: &mut Link, orphan: &Attempt, now: UtcMs) -> Result<(), StoreError> {
    let Some(campaign) = orphan.campaign_id else {
        return Ok(());
    };
    let of_him = "WHERE campaign_id=$1 AND debtor_id=$2";
    let values = vals![campaign, orphan.debtor_id];
    let item: Option<ItemState> = tx.find(of_him, values).await?;
    match item.and_then(|item| rested(&item, orphan, now)) {
        Some(item) => write_item(tx, &item).await,
        None => Ok(()),
    }
}

async fn open_recordings(tx: &mut Link) -> Result<Vec<Recording>, StoreError> {
    let sql = format!(
        "SELECT {} FROM recordings WHERE outcome='open' AND NOT EXISTS \
            (SELECT 1 FROM attempts a WHERE a.id=recordings.attempt_id AND a.{LIVE}) ORDER BY id",
        columns::<Recording>()
    );
    let rows = tx.rows(sql, vec![]).await?;
    rows.iter().map(crate::rows::Entity::read).collect()
}

#[async_trait]
impl NodeStore for SqlStore {
    async fn register_node(
        &self,
        node: &str,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError> {
        let mut tx = self.write().await?;
        lock_nodes(&mut tx).await?;
        let until = now.plus_ms(lease_ms);
        let sql = "INSERT INTO nodes (name, fence, until) \
            SELECT $1, COALESCE(MAX(fence),0)+1, $2 FROM nodes WHERE TRUE \
            ON CONFLICT (name) DO UPDATE SET fence=excluded.fence, until=excluded.until RETURNING fence";
        let row = tx.row(sql, vals![node.to_owned(), until]).await?;
        let fence: i64 = row
            .ok_or_else(|| StoreError::Corrupt("no fence was given".into()))?
            .get("fence")?;
        // Places it kept before are its own still: nobody finds them without a keeper in between.
        let sql = "UPDATE kept_places SET fence=$2 WHERE node=$1";
        tx.run(sql, vals![node.to_owned(), fence]).await?;
        tx.commit().await?;
        let claimant = claimant(node, fence);
        *self.claimant.lock().unwrap_or_else(PoisonError::into_inner) = claimant;
        Ok(NodeLease {
            node: node.to_owned(),
            fence,
            until,
        })
    }

    async fn renew_node(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        lease_ms: i64,
    ) -> Result<NodeLease, StoreError> {
        let mut tx = self.write().await?;
        let until = now.plus_ms(lease_ms);
        let sql = "UPDATE nodes SET until=$3 WHERE name=$1 AND fence=$2";
        if tx.run(sql, vals![lease.node, lease.fence, until]).await? == 0 {
            return Err(StoreError::Fenced);
        }
        tx.commit().await?;
        Ok(NodeLease {
            until,
            ..lease.clone()
        })
    }

    async fn recover(
        &self,
        lease: &NodeLease,
        now: UtcMs,
        events: &(dyn for<'a> Fn(&'a Attempt) -> NewEvent + Send + Sync),
    ) -> Result<Recovery, StoreError> {
        let mut tx = self.write().await?;
        lock_nodes(&mut tx).await?;
        // A node whose lease ended is fenced off first: should it wake up, it may write nothing.
        let sql = "UPDATE nodes SET fence=(SELECT MAX(n.fence)+1 FROM nodes n) WHERE name<>$1 AND until<=$2";
        tx.run(sql, vals![lease.node, now]).await?;
        let orphans = close_orphans(&mut tx, now).await?;
        // What its process of before wrote late is kept on too; one that was replaced takes nothing.
        let sql = "UPDATE kept_places SET fence=$2 WHERE node=$1 AND fence<>$2 \
            AND EXISTS (SELECT 1 FROM nodes n WHERE n.name=$1 AND n.fence=$2)";
        tx.run(sql, vals![lease.node, lease.fence]).await?;
        free_places(&mut tx).await?;
        // Callers whom a dead node had are nobody's: no queue counts them any more.
        let sql = "UPDATE inbound_calls SET outcome='lost', ended_at=$1 WHERE outcome='open' \
            AND node IN (SELECT name FROM nodes WHERE until<=$1)";
        tx.run(sql, vals![now]).await?;
        let open_recordings = open_recordings(&mut tx).await?;
        let sql = format!(
            "{FREE} WHERE lease_node IS NOT NULL AND NOT EXISTS \
                (SELECT 1 FROM nodes n WHERE n.name=persons.lease_node AND n.fence=persons.lease_fence)"
        );
        let released = tx.run(sql, vec![]).await?;
        let told: Vec<NewEvent> = orphans.iter().map(events).collect();
        append(&mut tx, &told).await?;
        tx.commit().await?;
        Ok(Recovery {
            orphans,
            open_recordings,
            released,
        })
    }

    async fn node_place(&self, node: &str, now: UtcMs) -> Result<(u32, u32), StoreError> {
        let sql = "SELECT COUNT(CASE WHEN name<$1 THEN 1 END) AS before, COUNT(*) AS others FROM nodes \
            WHERE name<>$1 AND until>$2";
        let row = self
            .read()
            .await?
            .row(sql, vals![node.to_owned(), now])
            .await?;
        let Some(row) = row else { return Ok((0, 1)) };
        let count = |name| {
            let n: i64 = row.get(name)?;
            Ok::<u32, StoreError>(u32::try_from(n).unwrap_or(u32::MAX))
        };
        Ok((count("before")?, count("others")?.saturating_add(1)))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read()
            .await?
            .row("SELECT 1 AS n", vec![])
            .await
            .map(drop)
    }

    async fn get_setting(&self, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM settings WHERE name=$1";
        let row = self.read().await?.row(sql, vals![key.to_owned()]).await?;
        row.map(|r| r.get("value")).transpose()
    }

    async fn settings_under(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let length = prefix.chars().count();
        let sql = format!(
            "SELECT name, value FROM settings WHERE substr(name, 1, {length})=$1 ORDER BY name LIMIT {SETTINGS_MAX}"
        );
        let values = vals![prefix.to_owned()];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter()
            .map(|row| Ok((row.get("name")?, row.get("value")?)))
            .collect()
    }

    async fn put_setting(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
            ON CONFLICT (name) DO UPDATE SET value=excluded.value";
        tx.run(sql, vals![key.to_owned(), value.to_owned()]).await?;
        tx.commit().await
    }
}
