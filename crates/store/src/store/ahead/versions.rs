//! Facts that were read ahead where other nodes write too (PostgreSQL): whether they still stand the database itself is
//! asked, by the reservation, once its persons are leased.
//!
//! Whatever may change the law's answer about a debtor takes his mark away in its own transaction (`store::marks`), and
//! so makes another version of his row. Who has no mark, of whom nothing is seen that way, is not read ahead. What is
//! everybody's (portfolios, contracts, lists) is looked at as a whole. The attempt asks for nothing that was read ahead:
//! it reads all anew in its own transaction.

use super::super::SqlStore;
use super::{Ahead, Early, Mark};
use crate::sql::{Ask, Batch, Key, Link, Row, key};
use crate::store::reserve::RESERVED_TOGETHER;
use crate::store::table::pieces;
use domain::ids::{CampaignId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{ContactFacts, ReserveRequest};
use std::collections::BTreeMap;

/// Debtors who have a mark, and which version of their row it is: the transaction that wrote it. Beside it the few rows
/// that many debtors have in common, how many there are and the sum of their versions, looked at once.
const VERSIONS: &str = "SELECT id, CAST(CAST(xmin AS TEXT) AS BIGINT) AS n, CONCAT_WS(' ', \
        (SELECT CONCAT(COUNT(*),'/',SUM(CAST(CAST(xmin AS TEXT) AS BIGINT))) FROM portfolios), \
        (SELECT CONCAT(COUNT(*),'/',SUM(CAST(CAST(xmin AS TEXT) AS BIGINT))) FROM client_laws), \
        (SELECT CONCAT(COUNT(*),'/',SUM(CAST(CAST(xmin AS TEXT) AS BIGINT))) FROM dnc_lists)) AS s \
    FROM debtors WHERE callable_until IS NOT NULL AND id";

/// The version of each debtor's row, and what he has in common with others.
async fn versions(
    tx: &mut Link,
    debtors: &[DebtorId],
) -> Result<BTreeMap<DebtorId, (u64, Key)>, StoreError> {
    let rows = tx.rows_in(VERSIONS, debtors, "", &[]).await?;
    read(&rows)
}

fn read(rows: &[Row]) -> Result<BTreeMap<DebtorId, (u64, Key)>, StoreError> {
    let version = |row: &Row| {
        let common: String = row.get("s")?;
        let version = (row.get::<i64>("n")?.unsigned_abs(), key(common.as_bytes()));
        Ok((row.get("id")?, version))
    };
    rows.iter().map(version).collect()
}

/// The versions of some of the debtors who are leased with it.
pub(in super::super) async fn versions_with(
    tx: &mut Link,
    mut leases: Batch,
    mut debtors: Vec<DebtorId>,
) -> Result<BTreeMap<DebtorId, (u64, Key)>, StoreError> {
    if let Some(last) = debtors.last().copied() {
        debtors.resize(debtors.len().max(RESERVED_TOGETHER), last);
    }
    let mut all = Vec::new();
    for (n, piece) in pieces(&debtors).iter().enumerate() {
        Ask::of_list(VERSIONS, piece, "").join(&mut leases, &format!("v{n}"));
        all.push(format!("v{n}.* FROM v{n}"));
    }
    let all = all.join(" UNION ALL SELECT ");
    read(&tx.write_rows(leases, &all).await?)
}

/// The versions of facts that were read in the same snapshot; of who has no mark there is none.
pub(super) async fn marks(tx: &mut Link, facts: &[ContactFacts]) -> Result<Vec<Mark>, StoreError> {
    let debtors: Vec<DebtorId> = facts.iter().map(|f| f.debtor.id).collect();
    let versions = versions(tx, &debtors).await?;
    let mark = |(debtor, (since, common))| Mark {
        debtor,
        since,
        keys: vec![common],
    };
    Ok(versions.into_iter().map(mark).collect())
}

impl Ahead {
    /// What was read of the debtors, no more known from now on.
    fn take(&self, campaign: CampaignId, debtors: &[DebtorId]) -> Vec<Early> {
        let mut known = self.held();
        let taken = debtors.iter().map(|id| known.remove(&(campaign, *id)));
        taken.flatten().collect()
    }
}

impl SqlStore {
    /// Of debtors who are leased with it, what was read ahead and still stands, in the transaction of the reservation. Their
    /// persons are held by it already: whoever changed something of them before is seen.
    pub(super) async fn early_versions(
        &self,
        tx: &mut Link,
        request: &ReserveRequest,
        debtors: &[DebtorId],
        leases: Batch,
    ) -> Result<Vec<Early>, StoreError> {
        let mut taken = self.ahead.take(request.campaign.id, debtors);
        taken.retain(|early| self.is_fresh(early.at, request.now));
        if taken.is_empty() {
            tx.write_rows(leases, "1 AS n").await?;
            return Ok(taken);
        }
        let ids: Vec<DebtorId> = taken.iter().map(|e| e.facts.debtor.id).collect();
        let versions = versions_with(tx, leases, ids).await?;
        taken.retain(|early| {
            let version = versions.get(&early.facts.debtor.id);
            version.is_some_and(|(since, common)| *since == early.since && early.keys == [*common])
        });
        Ok(taken)
    }
}
