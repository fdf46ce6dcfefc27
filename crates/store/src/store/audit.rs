//! The audit's chains: each row of the audit is linked in the transaction that writes it.

use super::SqlStore;
use crate::sql::{Cell as _, Link, Row, vals};
use domain::event::{AUDIT_KIND, AuditHead, AuditLink, NewEvent, chain_hash};
use domain::ports::StoreError;

/// Links a row that was just written under `cursor`. The caller holds the lock under which events are
/// appended one after the other.
pub(super) async fn chain(tx: &mut Link, cursor: i64, event: &NewEvent) -> Result<(), StoreError> {
    let tenant = event.tenant();
    let head = "SELECT seq, hash FROM audit_heads WHERE tenant=$1";
    let (seq, before) = match tx.row(head, vals![tenant]).await? {
        Some(row) => (row.get("seq")?, row.get("hash")?),
        None => (0_i64, String::new()),
    };
    let hash = chain_hash(&before, &event.audit_text(&event.data.to_raw()));
    let sql =
        "INSERT INTO audit_chain (tenant, seq, cursor, prev_hash, hash) VALUES ($1,$2,$3,$4,$5)";
    tx.run(sql, vals![tenant, seq + 1, cursor, before, hash])
        .await?;
    let sql = "INSERT INTO audit_heads (tenant, seq, hash) VALUES ($1,$2,$3) \
        ON CONFLICT (tenant) DO UPDATE SET seq=excluded.seq, hash=excluded.hash";
    tx.run(sql, vals![tenant, seq + 1, hash]).await.map(drop)
}

fn link(row: &Row) -> Result<AuditLink, StoreError> {
    let (prev_hash, hash): (String, String) = (row.get("prev_hash")?, row.get("hash")?);
    let whole = match row.get::<Option<String>>("data")? {
        None => false,
        Some(data) => {
            let event = NewEvent {
                id: row.get("id")?,
                at: row.get("at")?,
                client_id: row.get("client_id")?,
                actor: row.get("actor")?,
                kind: row.get("kind")?,
                subject: row.get("subject")?,
                data: serde_json::Value::Null,
            };
            chain_hash(&prev_hash, &event.audit_text(&data)) == hash
        }
    };
    Ok(AuditLink {
        seq: row.get("seq")?,
        cursor: row.get("cursor")?,
        prev_hash,
        hash,
        whole,
    })
}

impl SqlStore {
    pub(super) async fn chain_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        let sql = "SELECT tenant, seq, hash FROM audit_heads \
            UNION ALL SELECT DISTINCT c.tenant, CAST(0 AS BIGINT), '' FROM audit_chain c \
            WHERE NOT EXISTS (SELECT 1 FROM audit_heads h WHERE h.tenant=c.tenant) ORDER BY 1";
        let rows = self.read().await?.rows(sql, vec![]).await?;
        let head = |row: &Row| {
            Ok(AuditHead {
                tenant: row.get("tenant")?,
                seq: row.get("seq")?,
                hash: row.get("hash")?,
            })
        };
        rows.iter().map(head).collect()
    }

    pub(super) async fn chain_links(
        &self,
        tenant: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditLink>, StoreError> {
        let sql = "SELECT c.seq AS seq, c.cursor AS cursor, c.prev_hash AS prev_hash, c.hash AS hash, \
                e.id AS id, e.at AS at, e.client_id AS client_id, e.actor AS actor, e.kind AS kind, \
                e.subject AS subject, e.data AS data \
            FROM audit_chain c LEFT JOIN events e ON e.cursor=c.cursor \
            WHERE c.tenant=$1 AND c.seq>$2 ORDER BY c.seq LIMIT $3";
        let values = vals![tenant.to_owned(), after, limit];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(link).collect()
    }

    pub(super) async fn chain_loose(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT COUNT(*) AS n, \
                COUNT(CASE WHEN e.cursor>(SELECT MIN(cursor) FROM audit_chain) THEN 1 END) AS later \
            FROM events e WHERE e.kind=$1 \
                AND NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.cursor=e.cursor)";
        let row = self
            .read()
            .await?
            .row(sql, vals![AUDIT_KIND.to_owned()])
            .await?;
        let Some(row) = row else { return Ok((0, 0)) };
        let (all, later): (i64, i64) = (row.get("n")?, row.get("later")?);
        Ok(((all - later).unsigned_abs(), later.unsigned_abs()))
    }
}
