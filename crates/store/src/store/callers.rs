//! Callers whom nobody we know is behind: found by name or number, and given to whoever they are.

use super::SqlStore;
use super::events::append;
use super::facts_new::facts_of_new;
use super::forgotten::borrowed;
use super::half::WHOLE_ROW;
use super::inbound::{counted, opened, summed};
use super::items::{LIVE, lock_person, write_item};
use super::sums;
use crate::sql::{Dialect, Link, vals};
use async_trait::async_trait;
use domain::entity::dnc::listed_form;
use domain::entity::{Attempt, ContactPoint, Debtor, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId, PersonId};
use domain::ports::StoreError;
use domain::ports::store::{
    CallerStore, ContactFacts, FoundCaller, InboundCount, ItemState, NAME_LEAST, PAGE_LIMIT_MAX,
    PLACES_READ_MAX, PlaceKept,
};
use domain::time::UtcMs;

/// Tables whose rows of the file of nobody go with the caller, as those of the ledger do.
const GOES: &[&str] = &[
    "inbound_calls",
    "inbox",
    "holds",
    "suppressions",
    "consents",
];

/// Greater than every character of a name.
const LAST: char = '\u{10FFFF}';

#[async_trait]
impl CallerStore for SqlStore {
    async fn find_callers(
        &self,
        client: ClientId,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError> {
        let needle = needle.trim();
        // Empty where it is too short to be looked for. No index serves names: it would cost every import a
        // page for each row, and this reads one client.
        let end = if needle.chars().count() >= NAME_LEAST {
            format!("{needle}{LAST}")
        } else {
            needle.to_owned()
        };
        let lower = match self.dialect() {
            Dialect::Lite => "LOWER(name)",
            Dialect::Pg => "(LOWER(name) COLLATE \"C\")",
        };
        // A union, so that each other way has its index.
        let rest = format!(
            "WHERE id IN (SELECT COALESCE(merged_into,id) FROM debtors WHERE external_ref=$1 \
                    AND portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.client_id=$2) \
                UNION SELECT COALESCE(merged_into,id) FROM debtors WHERE listed_form=$5 AND document=$1 \
                    AND $1<>'' \
                UNION SELECT debtor_id FROM contact_points WHERE value=$1 \
                UNION SELECT id FROM debtors WHERE client_id=$2 AND {lower}>=LOWER($1) \
                    AND {lower}<LOWER($3)) \
            AND client_id=$2 AND merged_into IS NULL AND external_ref NOT LIKE 'caller:%' AND {WHOLE_ROW} \
            ORDER BY name, id LIMIT $4"
        );
        let limit = limit.clamp(1, PAGE_LIMIT_MAX);
        let document = listed_form(SuppressionKind::Document, needle);
        let values = vals![needle.to_owned(), client, end, limit, document];
        self.read().await?.all(&rest, values).await
    }

    async fn stranger_facts(
        &self,
        debtor: &Debtor,
        point: &ContactPoint,
        now: UtcMs,
    ) -> Result<ContactFacts, StoreError> {
        facts_of_new(&mut self.look().await?, debtor, point, now).await
    }

    async fn open_stranger(
        &self,
        (debtor, point): (&Debtor, &ContactPoint),
        attempt: &Attempt,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        sums::ensure_persons(&mut tx, &[debtor.person_id]).await?;
        tx.put(debtor).await?;
        tx.put(point).await?;
        if !opened(&mut tx, attempt).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sums::refresh(&mut tx, &[debtor.id]).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn forget_strangers(&self, before: UtcMs, limit: u32) -> Result<u64, StoreError> {
        let gone = self.forget_files(before, limit.max(1)).await?;
        let rest = limit.max(1).saturating_sub(gone);
        let gone = gone + self.forget_turned_away(before, rest).await?;
        let rest = limit.max(1).saturating_sub(gone);
        let gone = gone + self.forget_unnamed(before, rest).await?;
        let rest = limit.max(1).saturating_sub(gone);
        Ok(u64::from(gone + self.forget_borrowed(before, rest).await?))
    }

    async fn attach_caller(
        &self,
        found: &FoundCaller,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // The call first, as who closes it does.
        if given(&mut tx, found).await? {
            tx.rollback().await?;
            return Ok(true);
        }
        let sql = format!("SELECT 1 AS n FROM debtors WHERE id=$1 AND {WHOLE_ROW}");
        if tx.row(sql, vals![found.to]).await?.is_none() {
            return Err(StoreError::NotFound("debtor"));
        }
        // The lock that a dial takes too.
        let known = lock_person(&mut tx, found.person).await?;
        let sql =
            format!("SELECT 1 AS n FROM attempts WHERE person_id=$1 AND id<>$2 AND {LIVE} LIMIT 1");
        let busy = tx.row(sql, vals![found.person, found.attempt]).await?;
        let busy = busy.is_some();
        if !known || busy {
            tx.rollback().await?;
            return Ok(false);
        }
        match moved(&mut tx, found).await {
            // Another node was faster by a moment: its live attempt stands.
            Err(StoreError::Conflict(_)) => {
                tx.rollback().await?;
                return Ok(false);
            }
            other => other?,
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn inbound_elsewhere(
        &self,
        campaign: CampaignId,
        since: UtcMs,
        (node, from): (&str, UtcMs),
        within_ms: i64,
    ) -> Result<InboundCount, StoreError> {
        let sql = counted(" AND NOT (node=$4 AND at>=$5)");
        let values = vals![campaign, since, within_ms, node.to_owned(), from];
        summed(&self.read().await?.rows(sql, values).await?)
    }

    async fn keep_place(&self, place: &PlaceKept, item: &ItemState) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "INSERT INTO kept_places (campaign_id, debtor_id, node, fence, since, until) \
            VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (campaign_id, debtor_id) DO UPDATE SET \
            node=excluded.node, fence=excluded.fence, since=excluded.since, until=excluded.until \
            WHERE kept_places.since<=excluded.since";
        let PlaceKept {
            campaign,
            debtor,
            node,
            fence,
            since,
            until,
        } = place;
        let values = vals![*campaign, *debtor, node.clone(), *fence, *since, *until];
        if tx.run(sql, values).await? == 0 {
            return tx.rollback().await;
        }
        // Another file of his in the same queue, which another node may keep.
        let sql = "DELETE FROM kept_places WHERE campaign_id=$1 AND debtor_id<>$2 AND since<=$3 \
            AND debtor_id IN (SELECT o.id FROM debtors d JOIN debtors o ON o.person_id=d.person_id WHERE d.id=$2)";
        tx.run(sql, vals![*campaign, *debtor, *since]).await?;
        write_item(&mut tx, item).await?;
        tx.commit().await
    }

    async fn end_places(&self, person: PersonId, client: ClientId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "DELETE FROM kept_places WHERE debtor_id IN \
            (SELECT id FROM debtors WHERE person_id=$1 AND client_id=$2)";
        tx.run(sql, vals![person, client]).await?;
        tx.commit().await
    }

    async fn places_of(&self, node: &str, fence: i64) -> Result<Vec<PlaceKept>, StoreError> {
        let sql = format!(
            "SELECT campaign_id, debtor_id, since, until FROM kept_places WHERE node=$1 AND fence=$2 \
            ORDER BY since, campaign_id, debtor_id LIMIT {PLACES_READ_MAX}"
        );
        let values = vals![node.to_owned(), fence];
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(PlaceKept {
                    campaign: row.get("campaign_id")?,
                    debtor: row.get("debtor_id")?,
                    node: node.to_owned(),
                    fence,
                    since: row.get("since")?,
                    until: row.get("until")?,
                })
            })
            .collect()
    }

    async fn drop_place(&self, place: &PlaceKept) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "DELETE FROM kept_places WHERE campaign_id=$1 AND debtor_id=$2 AND node=$3 AND fence=$4 \
            AND since=$5";
        let PlaceKept { node, fence, .. } = place;
        let values = vals![
            place.campaign,
            place.debtor,
            node.clone(),
            *fence,
            place.since
        ];
        tx.run(sql, values).await?;
        tx.commit().await
    }
}

/// Places that no node keeps any more: their call-backs are due, as long as nothing changed them since.
pub(super) async fn free_places(tx: &mut Link) -> Result<(), StoreError> {
    let dead = "NOT EXISTS (SELECT 1 FROM nodes n WHERE n.name=k.node AND n.fence=k.fence)";
    let lock = tx.pg_only(" FOR UPDATE");
    let sql = format!(
        "SELECT campaign_id, debtor_id, since, until FROM kept_places k WHERE {dead} \
        ORDER BY campaign_id, debtor_id{lock}"
    );
    for row in tx.rows(sql, vec![]).await? {
        let campaign: CampaignId = row.get("campaign_id")?;
        let debtor: DebtorId = row.get("debtor_id")?;
        let (since, until): (UtcMs, UtcMs) = (row.get("since")?, row.get("until")?);
        let values = vals![campaign, debtor, until];
        let of_him =
            "WHERE campaign_id=$1 AND debtor_id=$2 AND next_at=$3 AND note='callback' AND NOT done";
        let item: Option<ItemState> = tx.find(of_him, values).await?;
        if let Some(mut item) = item {
            item.next_at = since;
            write_item(tx, &item).await?;
        }
        let sql = "DELETE FROM kept_places WHERE campaign_id=$1 AND debtor_id=$2";
        tx.run(sql, vals![campaign, debtor]).await?;
    }
    Ok(())
}

/// Whether the call is his already: the answer of an ask before was lost. Refuses a call that is another's.
async fn given(tx: &mut Link, found: &FoundCaller) -> Result<bool, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    let sql = format!("SELECT debtor_id FROM attempts WHERE id=$1{lock}");
    let row = tx.row(sql, vals![found.attempt]).await?;
    let owner: DebtorId = row
        .ok_or(StoreError::NotFound("attempt"))?
        .get("debtor_id")?;
    if owner != found.from && owner != found.to {
        let text = "this caller was given to another debtor before";
        return Err(StoreError::Conflict(text.to_owned()));
    }
    Ok(owner == found.to)
}

async fn moved(tx: &mut Link, found: &FoundCaller) -> Result<(), StoreError> {
    let (from, to) = (found.from, found.to);
    if !found.keep {
        borrowed(tx, found).await?;
    }
    // The ledger is found by person: it has no index of debtors.
    let sql = "UPDATE ledger SET debtor_id=$2, person_id=$3 \
        WHERE person_id=(SELECT person_id FROM debtors WHERE id=$1) AND debtor_id=$1";
    tx.run(sql, vals![from, to, found.person]).await?;
    let sql = "UPDATE attempts SET debtor_id=$2, person_id=$3 WHERE debtor_id=$1";
    tx.run(sql, vals![from, to, found.person]).await?;
    let sql = "UPDATE attempts SET debt_id=$2, debts=$3, point_id=$4, class=$5 WHERE id=$1";
    let point = &found.point;
    let values = vals![
        found.attempt,
        found.debt,
        found.debts,
        point.id,
        point.class
    ];
    tx.run(sql, values).await?;
    for table in GOES {
        let sql = format!("UPDATE {table} SET debtor_id=$2 WHERE debtor_id=$1");
        tx.run(sql, vals![from, to]).await?;
    }
    let left = "DELETE FROM contact_points WHERE debtor_id=$1";
    tx.run(left, vals![from]).await?;
    if found.keep {
        tx.put(point).await?;
    }
    let sql = "UPDATE debtors SET merged_into=$2, updated_at=$3 WHERE id=$1";
    tx.run(sql, vals![from, to, found.at]).await?;
    let both = [from, to];
    sums::refresh(tx, &both).await?;
    sums::history(tx, &both).await
}
