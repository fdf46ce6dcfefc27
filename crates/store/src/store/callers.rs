//! Callers whom nobody we know is behind: found by name or number, and given to whoever they are.

use super::SqlStore;
use super::events::append;
use super::half::WHOLE_ROW;
use super::inbound::{counted, summed};
use super::items::LIVE;
use super::sums;
use crate::sql::{Dialect, Link, vals};
use async_trait::async_trait;
use domain::entity::dnc::listed_form;
use domain::entity::{Debtor, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{CallerStore, FoundCaller, InboundCount, NAME_LEAST, PAGE_LIMIT_MAX};
use domain::time::UtcMs;

/// Tables whose rows of the file of nobody go with the caller.
const GOES: &[&str] = &[
    "ledger",
    "inbound_calls",
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
        let lock = tx.pg_only(" FOR UPDATE");
        let sql = format!("SELECT id FROM persons WHERE id=$1{lock}");
        let known = tx.row(sql, vals![found.person]).await?.is_some();
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
    let sql = "UPDATE ledger SET person_id=$2 WHERE debtor_id=$1";
    tx.run(sql, vals![to, found.person]).await?;
    if found.keep {
        tx.put(point).await?;
    }
    let sql = "UPDATE debtors SET merged_into=$2, updated_at=$3 WHERE id=$1";
    tx.run(sql, vals![from, to, found.at]).await?;
    let both = [from, to];
    sums::refresh(tx, &both).await?;
    sums::history(tx, &both).await
}
