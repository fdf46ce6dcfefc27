//! What the law asks beyond one debtor now.

use super::events::append;
use super::facts::{Asked, facts_as};
use super::facts_new::facts_of_rows;
use super::items::link_hash;
use super::receipts::conflict;
use super::{SqlStore, listed};
use crate::rows::{Entity as _, columns};
use crate::sql::{Dialect, Field as _, Row, Val, vals};
use async_trait::async_trait;
use domain::entity::{Client, Complaint, Debtor, DncList, LedgerRow, Suppression};
use domain::event::{AuditHead, AuditLink, Event, NewEvent};
use domain::ids::{CampaignId, ClientId, DebtorId, DncListId, LedgerId};
use domain::law::ClientLaw;
use domain::ports::StoreError;
use domain::ports::store::{
    ActAsk, ChainLink, ComplaintAsk, ContactFacts, DebtorRow, ItemState, LawStore, PAGE_LIMIT_MAX,
    ReasonCount, ReasonKey, RowFacts,
};
use domain::time::UtcMs;
use std::fmt::Write as _;

/// Entries of a list written in one statement.
const ENTRIES_PIECE: usize = 400;
/// Statements in one transaction, so that nobody waits long for the writer.
const PIECES_A_COMMIT: usize = 25;
/// Most rows behind one reason in a page.
const ROWS_MAX: u32 = 500;

/// Whether the item's debtor is leased to a hopper of the campaign.
const LEASED: &str = "COALESCE(p.lease_campaign=$1 AND p.lease_debtor=i.debtor_id \
    AND p.lease_node IS NOT NULL AND p.lease_until>$2, FALSE)";

/// The note without what follows a colon.
const fn why(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Pg => "split_part(i.note, ':', 1)",
        Dialect::Lite => {
            "CASE WHEN instr(i.note, ':')>0 THEN substr(i.note, 1, instr(i.note, ':')-1) ELSE i.note END"
        }
    }
}

/// Our acts in the words of the index ledger_acts.
fn acts(ask: &ActAsk) -> (String, Vec<Val>) {
    let mut terms = "kind IN ('attempt', 'message', 'visit') AND at>=$1 AND at<$2".to_owned();
    let mut values = vals![ask.since, ask.until];
    if let Some(client) = ask.client {
        values.push(client.val());
        terms.push_str(" AND client_id=$3");
    }
    (terms, values)
}

fn count(row: &Row) -> Result<ReasonCount, StoreError> {
    let done: bool = row.get("done")?;
    Ok(ReasonCount {
        key: ReasonKey {
            done,
            due: row.get("due")?,
            leased: row.get("leased")?,
            note: row.get("why")?,
        },
        debtors: row.get::<i64>("n")?.unsigned_abs(),
        next_at: if done { None } else { Some(row.get("next")?) },
    })
}

#[async_trait]
impl LawStore for SqlStore {
    async fn facts_at(&self, debtor: DebtorId, at: UtcMs) -> Result<ContactFacts, StoreError> {
        let mut read = self.snapshot().await?;
        let mut found = facts_as(&mut read, &[debtor], at, Asked::Then).await?;
        found.pop().ok_or(StoreError::NotFound("debtor"))
    }

    async fn row_facts(&self, rows: &[DebtorRow], now: UtcMs) -> Result<RowFacts, StoreError> {
        facts_of_rows(&mut self.look().await?, rows, now).await
    }

    async fn client_law(&self, client: ClientId) -> Result<ClientLaw, StoreError> {
        let rest = "WHERE client_id=$1 ORDER BY version DESC LIMIT 1";
        let row = self.read().await?.find(rest, vals![client]).await?;
        Ok(row.unwrap_or_else(|| ClientLaw::none(client)))
    }

    async fn client_laws_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<ClientLaw>, StoreError> {
        let rest = "WHERE client_id=$1 ORDER BY version DESC LIMIT $2";
        let limit = limit.clamp(1, PAGE_LIMIT_MAX);
        self.read().await?.all(rest, vals![client, limit]).await
    }

    async fn put_client_law(&self, row: &ClientLaw, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        // Who writes the next version waits for whoever writes one. Attempts, which only want the client to stay there,
        // do not: they would hold what this waits for at its end.
        let rest = format!("WHERE id=$1{}", tx.pg_only(" FOR NO KEY UPDATE"));
        let client: Option<Client> = tx.find(&rest, vals![row.client_id]).await?;
        client.ok_or(StoreError::NotFound("client"))?;
        let rest = "WHERE client_id=$1 ORDER BY version DESC LIMIT 1";
        let stored: Option<ClientLaw> = tx.find(rest, vals![row.client_id]).await?;
        if stored.map_or(0, |law| law.version) + 1 != row.version {
            return Err(conflict("the client's law was changed meanwhile"));
        }
        tx.insert(std::slice::from_ref(row), "").await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn client_law_changes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) AS n FROM client_laws";
        let row = self.read().await?.row(sql, vec![]).await?;
        let n: i64 = row.map_or(Ok(0), |row| row.get("n"))?;
        Ok(u64::try_from(n).unwrap_or_default())
    }

    async fn load_list(
        &self,
        list: &DncList,
        hashes: &[String],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        // Out of force until all of it is written: a load that dies leaves nothing that counts.
        let mut tx = self.write().await?;
        tx.put(&DncList {
            retired_at: Some(list.created_at),
            ..list.clone()
        })
        .await?;
        tx.commit().await?;
        for piece in hashes.chunks(ENTRIES_PIECE * PIECES_A_COMMIT) {
            let mut tx = self.write().await?;
            for rows in piece.chunks(ENTRIES_PIECE) {
                let mut sql = "INSERT INTO dnc_entries (hash, list_id) VALUES ".to_owned();
                let mut values: Vec<Val> = vec![list.id.val()];
                for (n, hash) in rows.iter().enumerate() {
                    let comma = if n == 0 { "" } else { "," };
                    let _ = write!(sql, "{comma}(${},$1)", n + 2);
                    values.push(hash.val());
                }
                sql.push_str(" ON CONFLICT (hash, list_id) DO NOTHING");
                tx.run(sql, values).await?;
            }
            tx.commit().await?;
        }
        self.spread(list, hashes).await?;
        let mut tx = self.write().await?;
        let sql = "UPDATE dnc_lists SET retired_at=$1 WHERE name=$2 AND kind=$3 AND id<>$4 \
            AND retired_at IS NULL AND (client_id=$5 OR (client_id IS NULL AND $5 IS NULL)) RETURNING id";
        let values = vals![
            list.created_at,
            list.name,
            list.kind,
            list.id,
            list.client_id
        ];
        let mut before: Vec<DncListId> = Vec::new();
        for row in &tx.rows(sql, values).await? {
            before.push(row.get("id")?);
        }
        tx.put(list).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        // Only now does the law see it: a mark that was made before is taken away behind it.
        self.stir_held(list.id).await?;
        self.let_go(&before).await?;
        self.hit_by(list).await
    }

    async fn list_has(
        &self,
        list: DncListId,
        hashes: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let mut read = self.read().await?;
        let before = "SELECT hash FROM dnc_entries WHERE list_id=$1 AND hash";
        let rows = read.rows_in(before, hashes, "", &[list.val()]).await?;
        rows.iter().map(|row| row.get("hash")).collect()
    }

    async fn verdict_chain(&self, debtor: DebtorId) -> Result<Vec<ChainLink>, StoreError> {
        let sql = "SELECT seq, id, prev_hash, hash, body FROM verdicts \
            WHERE debtor_id=$1 AND seq IS NOT NULL ORDER BY seq, id";
        let rows = self.read().await?.rows(sql, vals![debtor]).await?;
        let link = |row: &Row| {
            let (prev_hash, hash): (String, String) = (row.get("prev_hash")?, row.get("hash")?);
            let body: String = row.get("body")?;
            Ok(ChainLink {
                seq: row.get("seq")?,
                id: row.get("id")?,
                whole: link_hash(&prev_hash, &body) == hash,
                prev_hash,
                hash,
            })
        };
        rows.iter().map(link).collect()
    }

    async fn ledger_of(&self, debtor: DebtorId) -> Result<Vec<LedgerRow>, StoreError> {
        let rest = "WHERE person_id=(SELECT person_id FROM debtors WHERE id=$1) AND debtor_id=$1 \
            ORDER BY at, id";
        self.read().await?.all(rest, vals![debtor]).await
    }

    async fn listings_of(&self, debtor: DebtorId) -> Result<Vec<Suppression>, StoreError> {
        let mut read = self.read().await?;
        let debtor: Debtor = read.get(debtor).await?;
        listed::ever(&mut read, debtor).await
    }

    async fn acts_count(&self, ask: &ActAsk) -> Result<u64, StoreError> {
        let (terms, values) = acts(ask);
        let sql = format!("SELECT COUNT(*) AS n FROM ledger WHERE {terms}");
        let row = self.read().await?.row(sql, values).await?;
        let n: Option<i64> = row.map(|r| r.get("n")).transpose()?;
        Ok(n.unwrap_or(0).unsigned_abs())
    }

    async fn acts(
        &self,
        ask: &ActAsk,
        after: Option<(UtcMs, LedgerId)>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let (mut terms, mut values) = acts(ask);
        if let Some((at, id)) = after {
            let n = values.len();
            values.extend(vals![at, id]);
            let _ = write!(terms, " AND (at, id)>(${}, ${})", n + 1, n + 2);
        }
        values.extend(vals![limit.clamp(1, PAGE_LIMIT_MAX)]);
        let rest = format!("WHERE {terms} ORDER BY at, id LIMIT ${}", values.len());
        self.read().await?.all(&rest, values).await
    }

    async fn audit_heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        self.chain_heads().await
    }

    async fn audit_links(
        &self,
        tenant: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditLink>, StoreError> {
        self.chain_links(tenant, after, limit).await
    }

    async fn audit_loose(&self) -> Result<(u64, u64), StoreError> {
        self.chain_loose().await
    }

    async fn complaints_by_urgency(
        &self,
        ask: &ComplaintAsk,
    ) -> Result<Vec<Complaint>, StoreError> {
        self.urgent_complaints(ask).await
    }

    async fn complaints_late(
        &self,
        client: Option<ClientId>,
        day: &str,
    ) -> Result<(u64, u64), StoreError> {
        self.late_complaints(client, day).await
    }

    async fn events_about(&self, subjects: &[String]) -> Result<Vec<Event>, StoreError> {
        self.about(subjects).await
    }

    async fn campaign_reasons(
        &self,
        campaign: CampaignId,
        now: UtcMs,
    ) -> Result<Vec<ReasonCount>, StoreError> {
        let mut read = self.read().await?;
        let sql = format!(
            "SELECT i.done AS done, i.next_at<=$2 AS due, {LEASED} AS leased, {} AS why, \
                COUNT(*) AS n, MIN(i.next_at) AS next \
            FROM campaign_items i JOIN persons p ON p.id=i.person_id WHERE i.campaign_id=$1 \
            GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC",
            why(read.dialect())
        );
        let rows = read.rows(sql, vals![campaign, now]).await?;
        rows.iter().map(count).collect()
    }

    async fn reason_rows(
        &self,
        campaign: CampaignId,
        key: &ReasonKey,
        now: UtcMs,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<ItemState>, StoreError> {
        let mut read = self.read().await?;
        let names: Vec<String> = columns::<ItemState>()
            .split(',')
            .map(|c| format!("i.{c}"))
            .collect();
        let past = if after.is_some() {
            "AND i.debtor_id>$8"
        } else {
            ""
        };
        let sql = format!(
            "SELECT {} FROM campaign_items i JOIN persons p ON p.id=i.person_id \
            WHERE i.campaign_id=$1 AND i.done=$3 AND (i.next_at<=$2)=$4 AND {LEASED}=$5 AND {}=$6 {past} \
            ORDER BY i.debtor_id LIMIT $7",
            names.join(","),
            why(read.dialect())
        );
        let mut values = vals![
            campaign,
            now,
            key.done,
            key.due,
            key.leased,
            key.note,
            limit.clamp(1, ROWS_MAX)
        ];
        values.extend(after.map(|id| id.val()));
        let rows = read.rows(sql, values).await?;
        rows.iter().map(ItemState::read).collect()
    }
}
