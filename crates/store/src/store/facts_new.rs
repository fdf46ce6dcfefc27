//! The facts of debtors who are not there yet: callers whom nobody knows, and whom a file names before it is in.

use super::facts::{
    Asked, client_laws, facts_of_many, holds_of_persons, ledger_of, portfolios_of, with_those_of,
};
use super::import::known;
use super::{listed, merges};
use crate::sql::Link;
use domain::entity::{ContactPoint, Debtor};
use domain::ids::DebtorId;
use domain::ports::StoreError;
use domain::ports::store::{ContactFacts, DebtorRow, DraftDebtor, RowFacts};
use domain::time::UtcMs;
use std::collections::{BTreeMap, BTreeSet};

/// The facts of a debtor who is not there yet, with his one point.
pub(super) async fn facts_of_new(
    tx: &mut Link,
    debtor: &Debtor,
    point: &ContactPoint,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let draft = DraftDebtor::with_points(debtor.clone(), vec![point.clone()]);
    let mut found = facts_of_drafts(tx, vec![draft], now).await?;
    found.pop().ok_or(StoreError::NotFound("debtor"))
}

/// The facts of the debtors whom rows of a file name: as they stand, or as the rows say where they are new.
pub(super) async fn facts_of_rows(
    tx: &mut Link,
    rows: &[DebtorRow],
    now: UtcMs,
) -> Result<RowFacts, StoreError> {
    let stored = known(tx, rows, false).await?;
    let ids: Vec<DebtorId> = stored.values().map(|d| d.id).collect();
    let merged = merges::where_to(tx, &ids).await?;
    let kept = |id: &DebtorId| merged.get(id).copied().unwrap_or(*id);
    let ids: BTreeSet<DebtorId> = ids.iter().map(kept).collect();
    let ids: Vec<DebtorId> = ids.into_iter().collect();
    let is_new = |row: &&DebtorRow| {
        let key = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
        !stored.contains_key(&key)
    };
    let new = DraftDebtor::of_rows(rows.iter().filter(is_new));
    Ok(RowFacts {
        on_file: facts_of_many(tx, &ids, now).await?,
        new: facts_of_drafts(tx, new, now).await?,
    })
}

/// The facts of debtors who are not there yet, with what is known already of their persons and their numbers.
async fn facts_of_drafts(
    tx: &mut Link,
    drafts: Vec<DraftDebtor>,
    now: UtcMs,
) -> Result<Vec<ContactFacts>, StoreError> {
    let debtors: Vec<Debtor> = drafts.iter().map(|d| d.debtor.clone()).collect();
    let points: BTreeMap<DebtorId, Vec<ContactPoint>> = drafts
        .iter()
        .map(|d| (d.debtor.id, d.points.clone()))
        .collect();
    let portfolios = portfolios_of(tx, &debtors).await?;
    let holds = holds_of_persons(tx, &debtors, Asked::Now).await?;
    let ledger = ledger_of(tx, &debtors, &points, now, Asked::Now).await?;
    let any = tx.row("SELECT 1 AS n FROM dnc_lists LIMIT 1", vec![]);
    let any = any.await?.is_some();
    let listed = listed::listed(tx, &debtors, &points, (now, Asked::Now), any).await?;
    let laws = client_laws(tx, &debtors, (now, Asked::Now)).await?;
    let facts = |draft: DraftDebtor| {
        let portfolio = portfolios.get(&draft.debtor.portfolio_id).cloned();
        Ok(ContactFacts {
            portfolio: portfolio.ok_or(StoreError::NotFound("portfolio"))?,
            debts: draft.debts,
            parties: draft.parties,
            holds: with_those_of(&draft.debtor, Vec::new(), &holds),
            consents: draft.consents,
            preferences: Vec::new(),
            ledger: ledger.rows_for(&draft.debtor, &draft.points),
            suppressions: listed.of(&draft.debtor, &draft.points),
            lists: listed.states.clone(),
            address_zones: draft.address_zones,
            overrides: Vec::new(),
            client_law: laws.get(&draft.debtor.client_id).cloned(),
            points: draft.points,
            debtor: draft.debtor,
        })
    };
    drafts.into_iter().map(facts).collect()
}
