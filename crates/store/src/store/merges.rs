//! Two debtor files of one person made one, and taken apart again. Rows move and are listed; nothing is
//! deleted. Attempts, verdicts and complaints stay with the file they were made for: their chain of
//! hashes and what was told of them stay true.

use super::half::WHOLE_ROW;
use super::{merge_wishes, sums};
use crate::sql::{Field as _, Link, vals};
use domain::entity::{Debtor, Merge};
use domain::ids::DebtorId;
use domain::ports::StoreError;
use domain::ports::store::Duplicates;
use domain::time::UtcMs;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Tables whose rows move with their debtor.
const MOVES: &[&str] = &[
    "debts",
    "parties",
    "consents",
    "holds",
    "preferences",
    "suppressions",
    "promises",
    "payments",
    "receipts",
    "payment_links",
    "plans",
    "excuses",
    "letters",
    "messages",
    "inbox",
    "inbound_calls",
    "planned_steps",
    "addresses",
    "visits",
    "claims",
];

/// Tables whose rows belong to a debt and go with it when it goes back.
const OF_DEBT: &[&str] = &[
    "parties",
    "holds",
    "promises",
    "payments",
    "payment_links",
    "plans",
    "letters",
    "messages",
    "planned_steps",
    "debt_stages",
];

fn conflict(text: &str) -> StoreError {
    StoreError::Conflict(text.to_owned())
}

async fn merged_into(tx: &mut Link, id: DebtorId) -> Result<Option<DebtorId>, StoreError> {
    let sql = "SELECT merged_into FROM debtors WHERE id=$1";
    let row = tx.row(sql, vals![id]).await?;
    row.map_or(Ok(None), |r| r.get("merged_into"))
}

/// Refuses what may not be merged.
async fn check(tx: &mut Link, row: &Merge) -> Result<(), StoreError> {
    let kept: Debtor = tx.get(row.kept_id).await?;
    let gone: Debtor = tx.get(row.gone_id).await?;
    if kept.id == gone.id || kept.portfolio_id != gone.portfolio_id {
        return Err(conflict("expected two debtors of one portfolio"));
    }
    if gone.document.reveal().is_empty() || kept.person_id != gone.person_id {
        return Err(conflict("their documents are not the same"));
    }
    if merged_into(tx, kept.id).await?.is_some() || merged_into(tx, gone.id).await?.is_some() {
        return Err(conflict("one of them is part of another debtor already"));
    }
    let lock = tx.pg_only(" FOR UPDATE");
    let sql = format!("SELECT lease_until FROM persons WHERE id=$1{lock}");
    let lease = tx.row(sql, vals![kept.person_id]).await?;
    let until: UtcMs = lease.map_or(Ok(UtcMs(0)), |r| r.get("lease_until"))?;
    let sql = "SELECT 1 AS n FROM attempts WHERE debtor_id IN ($1,$2) \
        AND state NOT IN ('ended','unknown') LIMIT 1";
    let live = tx.row(sql, vals![kept.id, gone.id]).await?;
    if until > row.at || live.is_some() {
        return Err(conflict(
            "the debtor is being called: try again after the call",
        ));
    }
    Ok(())
}

/// Runs a statement that returns `id`s of what it changed.
async fn ids(tx: &mut Link, sql: String, of: &Merge) -> Result<Vec<Uuid>, StoreError> {
    let rows = tx.rows(sql, vals![of.kept_id, of.gone_id]).await?;
    rows.iter().map(|r| r.get("id")).collect()
}

/// Makes one of two; the row that comes back lists what moved.
pub(super) async fn merge(tx: &mut Link, row: &Merge) -> Result<Merge, StoreError> {
    check(tx, row).await?;
    let mut moved = BTreeMap::new();
    for table in MOVES {
        let sql = format!("UPDATE {table} SET debtor_id=$1 WHERE debtor_id=$2 RETURNING id");
        moved.insert((*table).to_owned(), ids(tx, sql, row).await?);
    }
    // A number that both have stays behind with the other file.
    let sql = "UPDATE contact_points SET debtor_id=$1 WHERE debtor_id=$2 AND NOT EXISTS \
        (SELECT 1 FROM contact_points k WHERE k.debtor_id=$1 AND k.channel=contact_points.channel \
        AND k.value=contact_points.value) RETURNING id";
    moved.insert("contact_points".into(), ids(tx, sql.to_owned(), row).await?);
    let sql = "UPDATE debt_stages SET debtor_id=$1 WHERE debtor_id=$2";
    tx.run(sql, vals![row.kept_id, row.gone_id]).await?;
    merge_wishes::repoint(tx, row.kept_id, row.gone_id).await?;
    merge_wishes::share_bad(tx, row.kept_id, row.gone_id).await?;
    merge_wishes::hand_callbacks(tx, row).await?;
    let sql = "UPDATE debtors SET merged_into=$1 WHERE merged_into=$2 RETURNING id";
    moved.insert("debtors".into(), ids(tx, sql.to_owned(), row).await?);
    let sql = "UPDATE campaign_items SET done=TRUE, note='merged' WHERE debtor_id=$1 AND NOT done \
        RETURNING campaign_id";
    let rows = tx.rows(sql, vals![row.gone_id]).await?;
    let items = rows.iter().map(|r| r.get("campaign_id"));
    moved.insert("campaign_items".into(), items.collect::<Result<_, _>>()?);
    let sql = "UPDATE debtors SET merged_into=$1, updated_at=$3 WHERE id=$2";
    tx.run(sql, vals![row.kept_id, row.gone_id, row.at]).await?;
    moved.retain(|_, ids| !ids.is_empty());
    let done = Merge {
        moved,
        ..row.clone()
    };
    tx.put(&done).await?;
    set_anew(tx, &done).await?;
    Ok(done)
}

async fn set_anew(tx: &mut Link, row: &Merge) -> Result<(), StoreError> {
    let both = [row.kept_id, row.gone_id];
    sums::refresh(tx, &both).await?;
    sums::money(tx, &both).await
}

/// Takes it apart again.
pub(super) async fn undo(
    tx: &mut Link,
    row: Merge,
    by: &str,
    now: UtcMs,
) -> Result<Merge, StoreError> {
    if row.undone_at.is_some() {
        return Err(conflict("it was taken apart before"));
    }
    if merged_into(tx, row.gone_id).await? != Some(row.kept_id) {
        return Err(conflict("a later merge holds it: take that apart first"));
    }
    let back = [row.gone_id.val(), row.kept_id.val()];
    for (table, ids) in &row.moved {
        match table.as_str() {
            "debtors" => {
                let sql = "UPDATE debtors SET merged_into=$1 WHERE merged_into=$2 AND id";
                tx.run_in(sql, ids, "", &back).await?;
            }
            "campaign_items" => merge_wishes::wake_items(tx, row.gone_id, ids).await?,
            own if own == "contact_points" || MOVES.contains(&own) => {
                let sql = format!("UPDATE {own} SET debtor_id=$1 WHERE debtor_id=$2 AND id");
                tx.run_in(&sql, ids, "", &back).await?;
            }
            other => return Err(StoreError::Corrupt(format!("merge: no table '{other}'"))),
        }
    }
    // What was promised and paid meanwhile on a debt that goes back goes with it.
    if let Some(debts) = row.moved.get("debts") {
        for table in OF_DEBT {
            let sql = format!("UPDATE {table} SET debtor_id=$1 WHERE debtor_id=$2 AND debt_id");
            tx.run_in(&sql, debts, "", &back).await?;
        }
    }
    merge_wishes::copy_wishes(tx, &row, now).await?;
    let sql = "UPDATE debtors SET merged_into=NULL, updated_at=$2 WHERE id=$1";
    tx.run(sql, vals![row.gone_id, now]).await?;
    let done = Merge {
        undone_at: Some(now),
        undone_by: Some(by.to_owned()),
        ..row
    };
    tx.put(&done).await?;
    set_anew(tx, &done).await?;
    Ok(done)
}

/// Files of a portfolio with one document: person, then the oldest first.
pub(super) async fn duplicates(
    link: &mut Link,
    values: Vec<crate::sql::Val>,
) -> Result<Vec<Duplicates>, StoreError> {
    let own = format!("portfolio_id=$1 AND merged_into IS NULL AND document<>'' AND {WHOLE_ROW}");
    let sql = format!(
        "SELECT person_id, id FROM debtors WHERE {own} AND person_id IN (SELECT person_id FROM debtors \
            WHERE {own} AND person_id>$2 GROUP BY person_id \
            HAVING COUNT(*)>1 ORDER BY person_id LIMIT $3) ORDER BY person_id, created_at, id"
    );
    let mut found: Vec<Duplicates> = Vec::new();
    for row in &link.rows(sql, values).await? {
        let (person, debtor) = (row.get("person_id")?, row.get("id")?);
        match found.last_mut() {
            Some(last) if last.person == person => last.debtors.push(debtor),
            _ => found.push(Duplicates {
                person,
                debtors: vec![debtor],
            }),
        }
    }
    Ok(found)
}

/// Where debtors of a list went: gone → kept.
pub(super) async fn where_to(
    link: &mut Link,
    debtors: &[DebtorId],
) -> Result<BTreeMap<DebtorId, DebtorId>, StoreError> {
    let sql = "SELECT id, merged_into FROM debtors WHERE merged_into IS NOT NULL AND id";
    let rows = link.rows_in(sql, debtors, "", &[]).await?;
    rows.iter()
        .map(|r| Ok((r.get("id")?, r.get("merged_into")?)))
        .collect()
}
