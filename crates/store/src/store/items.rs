//! Campaign items and the leases on persons.

use super::item_rows;
use super::sums::reorder;
use crate::sql::{Cell as _, Dialect, Link, Row, Val, vals};
use domain::entity::Verdict;
use domain::ids::{ClientId, DebtId, DebtorId, PersonId};
use domain::ports::StoreError;
use domain::ports::store::ItemState;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Condition of an attempt that is not over; the partial indices are made with the same words.
pub(crate) const LIVE: &str = "state NOT IN ('ended', 'unknown')";

/// Frees a person.
pub(crate) const FREE: &str = "UPDATE persons SET lease_campaign=NULL, lease_debtor=NULL, \
    lease_node=NULL, lease_fence=NULL, lease_until=0";

/// An item of nobody.
pub(super) const NOT_THERE: StoreError = StoreError::NotFound("debtor");

/// Where a debtor stands, `$1` to `$9` of the statements that write it.
pub(super) fn item_vals(item: &ItemState) -> Vec<Val> {
    vals![
        item.campaign_id,
        item.debtor_id,
        item.next_at,
        item.priority,
        item.attempts,
        item.last_result,
        item.next_point,
        item.done,
        item.note,
    ]
}

/// Sets where a debtor stands in a campaign.
pub(crate) async fn write_item(tx: &mut Link, item: &ItemState) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Pg {
        return item_rows::write(tx, item).await;
    }
    let sql = "INSERT INTO campaign_items (campaign_id, debtor_id, person_id, next_at, priority, \
            attempts, last_result, next_point, done, note) \
        SELECT $1, d.id, d.person_id, $3, $4, $5, $6, $7, $8, $9 FROM debtors d WHERE d.id=$2 \
        ON CONFLICT (campaign_id, debtor_id) DO UPDATE SET next_at=excluded.next_at, \
            priority=excluded.priority, attempts=excluded.attempts, last_result=excluded.last_result, \
            next_point=excluded.next_point, done=excluded.done, note=excluded.note, awake=FALSE";
    if tx.run(sql, item_vals(item)).await? == 0 {
        return Err(NOT_THERE);
    }
    if item.done {
        return Ok(());
    }
    reorder(tx, &[item.debtor_id]).await
}

/// Gives the lease on debtor `$1` back; with a campaign `$2` only when that campaign holds it.
pub(super) static FREE_DEBTOR: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{FREE} WHERE id=(SELECT d.person_id FROM debtors d WHERE d.id=$1) AND lease_debtor=$1 \
            AND ($2 IS NULL OR lease_campaign=$2)"
    )
});

/// Gives the lease back that the item's campaign holds, with the item as it is from now on.
pub(super) async fn release(tx: &mut Link, item: &ItemState) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Pg {
        return item_rows::release(tx, item).await;
    }
    let values = vals![item.debtor_id, Some(item.campaign_id)];
    tx.run(FREE_DEBTOR.as_str(), values).await?;
    write_item(tx, item).await
}

/// Takes the person's row, so that on PostgreSQL what others decide about him waits until this
/// transaction is over. `false` when there is no such person. SQLite has his row once somebody may lease him.
pub(crate) async fn lock_person(tx: &mut Link, person: PersonId) -> Result<bool, StoreError> {
    let sql = match tx.dialect() {
        Dialect::Lite => "SELECT 1 AS n FROM debtors WHERE person_id=$1 LIMIT 1",
        Dialect::Pg => "SELECT 1 AS n FROM persons WHERE id=$1 FOR UPDATE",
    };
    Ok(tx.row(sql, vals![person]).await?.is_some())
}

/// As [`lock_person`], for several, in one order.
pub(crate) async fn lock_persons(
    tx: &mut Link,
    persons: impl Iterator<Item = PersonId>,
) -> Result<(), StoreError> {
    let lock = tx.pg_only(" ORDER BY id FOR UPDATE");
    if lock.is_empty() {
        return Ok(());
    }
    let persons: BTreeSet<PersonId> = persons.collect();
    let persons: Vec<PersonId> = persons.into_iter().collect();
    let sql = "SELECT 1 AS n FROM persons WHERE id";
    tx.rows_in(sql, &persons, lock, &[]).await.map(drop)
}

/// As [`lock_persons`], by debtors.
pub(crate) async fn lock_persons_of(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    if debtors.is_empty() || tx.pg_only("pg").is_empty() {
        return Ok(());
    }
    let sql = "SELECT person_id FROM debtors WHERE id";
    let mut persons: Vec<PersonId> = Vec::new();
    for row in &tx.rows_in(sql, debtors, "", &[]).await? {
        persons.push(row.get("person_id")?);
    }
    lock_persons(tx, persons.into_iter()).await
}

/// Whose debts they are.
pub(crate) async fn persons_of_debts(
    tx: &mut Link,
    debts: &[DebtId],
) -> Result<Vec<PersonId>, StoreError> {
    let sql =
        "SELECT DISTINCT d.person_id FROM debts b JOIN debtors d ON d.id=b.debtor_id WHERE b.id";
    let rows = tx.rows_in(sql, debts, "", &[]).await?;
    rows.iter().map(|row| row.get("person_id")).collect()
}

/// As [`lock_person`], by one of his debtors.
pub(crate) async fn lock_person_of(tx: &mut Link, debtor: DebtorId) -> Result<bool, StoreError> {
    let sql = "SELECT person_id FROM debtors WHERE id=$1";
    match tx.row(sql, vals![debtor]).await? {
        Some(row) => lock_person(tx, row.get("person_id")?).await,
        None => Ok(false),
    }
}

/// Refuses a node whose lease was taken over. On PostgreSQL a take-over waits for this transaction.
pub(crate) async fn check_fence(tx: &mut Link, node: &str, fence: i64) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT fence FROM nodes WHERE name=$1{}",
        tx.pg_only(" FOR SHARE")
    );
    match tx.row(sql, vals![node.to_owned()]).await? {
        Some(row) if row.get::<i64>("fence")? == fence => Ok(()),
        _ => Err(StoreError::Fenced),
    }
}

/// Hash of a decision: of the one before it and its own body (law.md §7).
pub(crate) fn link_hash(before: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(b"\n");
    hash.update(body.as_bytes());
    hex::encode(hash.finalize())
}

/// Name space of the locks under which PostgreSQL writes a debtor's decisions one after the other.
const CHAIN_LOCK: i32 = 0x6d61_7264;

/// Takes the lock `$1`, `$2`: a debtor's decisions are written one link after the other, also where two nodes judge him
/// at once.
pub(super) const LOCK_CHAIN: &str = "pg_advisory_xact_lock(CAST($1 AS INTEGER), hashtext($2))";

/// Values of [`LOCK_CHAIN`].
pub(super) fn chain_lock(debtor: DebtorId) -> Vec<Val> {
    vals![CHAIN_LOCK, debtor.to_string()]
}

/// The newest decision of the debtor `$1`.
pub(super) const CHAIN_END: &str = "SELECT seq, hash FROM verdicts WHERE debtor_id=$1 \
    AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1";

/// Number and hash of a debtor's newest decision; 0 and nothing when he has none.
pub(super) fn chain_end(row: Option<&Row>) -> Result<(i64, String), StoreError> {
    match row {
        Some(row) => Ok((row.get("seq")?, row.get("hash")?)),
        None => Ok((0, String::new())),
    }
}

pub(super) const INSERT_VERDICT: &str = "INSERT INTO verdicts (id, at, client_id, check_point, debtor_id, \
        point_id, campaign_id, channel, decision, blocked, pack, pack_version, body, seq, prev_hash, hash) \
    VALUES ($1,$2,COALESCE($3,(SELECT d.client_id FROM debtors d WHERE d.id=$5)),$4,$5,$6,$7,$8,$9,$10,\
        $11,$12,$13,$14,$15,$16) ON CONFLICT (id) DO NOTHING";

/// Values of [`INSERT_VERDICT`]: the link behind the one that is the end.
pub(super) fn verdict_vals(
    verdict: &Verdict,
    client: Option<ClientId>,
    (seq, before): (i64, String),
) -> Vec<Val> {
    let body = verdict.to_raw();
    let hash = link_hash(&before, &body);
    let pack = verdict.packs.first();
    vals![
        verdict.id,
        verdict.at,
        client,
        verdict.check_point,
        verdict.debtor_id,
        verdict.point_id,
        verdict.campaign_id,
        verdict.channel,
        verdict.decision.as_str().to_owned(),
        verdict.blocked,
        pack.map(|p| p.id.clone()),
        pack.map(|p| p.version.clone()),
        body,
        seq + 1,
        before,
        hash,
    ]
}

/// Stores a verdict; it is never changed afterwards.
pub(crate) async fn write_verdict(
    tx: &mut Link,
    verdict: &Verdict,
    client: Option<ClientId>,
) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Pg {
        let lock = format!("SELECT {LOCK_CHAIN}");
        tx.rows(lock, chain_lock(verdict.debtor_id)).await?;
    }
    let end = tx.row(CHAIN_END, vals![verdict.debtor_id]).await?;
    let values = verdict_vals(verdict, client, chain_end(end.as_ref())?);
    tx.run(INSERT_VERDICT, values).await.map(drop)
}

/// Debtors without an open debt leave the campaigns, until they owe again (`members`).
pub(super) async fn end_items(tx: &mut Link, debtors: &[DebtorId]) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET done=TRUE, note='recalled' WHERE NOT EXISTS \
        (SELECT 1 FROM debts x WHERE x.debtor_id=campaign_items.debtor_id AND x.status='open') \
        AND NOT done AND debtor_id";
    tx.run_in(sql, debtors, "", &[]).await.map(drop)
}
