//! One batch of a portfolio file: what is stored is read in five statements, compared in memory, and
//! what is new or changed is written in as few.

mod around;
pub(super) mod aside;
pub(super) mod behind;
mod consents;
mod gently;
mod laid;
mod piece;

pub(super) use super::import_write::Before;

use self::around::new_list;
use super::events::append;
use super::import_write::{Batch, Written, keep_before, note};
use super::items::lock_persons;
use super::merges::where_to;
use super::{SqlStore, due_items, interest, sums};
use crate::sql::{Field as _, Link, vals};
use domain::entity::{
    Address, Channel, Consent, ContactPoint, Debt, DebtItem, DebtStatus, Debtor, Party, PartyRole,
};
use domain::event::NewEvent;
use domain::ids::{DebtId, DebtorId, ImportId, PersonId, PlacementId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, FieldChange, ImportReport, debt_changes, debtor_changes};
use domain::rules::interest::InterestBook;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

type Key = (PortfolioId, String);

/// What is stored of the debtors a batch names, and what the batch makes of it.
#[derive(Default)]
struct Work {
    debtors: HashMap<Key, Debtor>,
    debts: HashMap<Key, Debt>,
    points: HashMap<(DebtorId, String), ContactPoint>,
    parties: HashSet<(DebtId, PartyRole, String)>,
    consents: HashSet<(DebtorId, Channel, String, String)>,
    addresses: HashMap<DebtorId, Vec<Address>>,
    /// Due items of the debts that have any.
    items: BTreeMap<DebtId, Vec<DebtItem>>,
    /// Interest of the portfolios that accrue it by a rule.
    interest: InterestBook,
    /// Files that are part of another one: what the batch says of them goes there.
    merged: BTreeMap<DebtorId, DebtorId>,
    out: Written,
    report: ImportReport,
}

/// References of a kind that the rows name, by portfolio.
fn named(
    rows: &[DebtorRow],
    of: impl Fn(&DebtorRow) -> (PortfolioId, &String),
) -> BTreeMap<PortfolioId, BTreeSet<String>> {
    let mut refs: BTreeMap<PortfolioId, BTreeSet<String>> = BTreeMap::new();
    for (portfolio, name) in rows.iter().map(of) {
        refs.entry(portfolio).or_default().insert(name.clone());
    }
    refs
}

/// The stored debtors that the rows name; with `keeps`, their persons and those that the rows make of them are
/// taken, in one order: whoever posts money, calls or reads another file in waits, or is seen here.
pub(super) async fn known(
    link: &mut Link,
    rows: &[DebtorRow],
    keeps: bool,
) -> Result<HashMap<Key, Debtor>, StoreError> {
    let mut debtors = HashMap::new();
    for (portfolio, refs) in named(rows, |r| (r.debtor.portfolio_id, &r.debtor.external_ref)) {
        let (refs, fixed): (Vec<_>, _) = (refs.into_iter().collect(), vals![portfolio]);
        let within = " AND portfolio_id=$1";
        let found: Vec<Debtor> = link.all_in("external_ref", &refs, within, &fixed).await?;
        let place = |d: Debtor| ((portfolio, d.external_ref.clone()), d);
        debtors.extend(found.into_iter().map(place));
    }
    if keeps {
        let stored = debtors.values().map(|d| d.person_id).collect();
        take_persons(link, rows, stored).await?;
    }
    Ok(debtors)
}

/// Takes the `stored` persons and those that the rows make of them.
async fn take_persons(
    link: &mut Link,
    rows: &[DebtorRow],
    stored: Vec<PersonId>,
) -> Result<(), StoreError> {
    if link.pg_only("pg").is_empty() {
        return Ok(());
    }
    let said: BTreeSet<PersonId> = rows.iter().map(|r| r.debtor.person_id).collect();
    let said: Vec<PersonId> = said.into_iter().collect();
    // New ones first: who waits for another's new person holds nobody yet.
    sums::ensure_persons(link, &said).await?;
    lock_persons(link, stored.into_iter().chain(said)).await
}

/// Whether nothing is stored yet of the portfolios that the rows name: then nothing of the rows is.
async fn are_empty(link: &mut Link, rows: &[DebtorRow]) -> Result<bool, StoreError> {
    let debtors = rows.iter().map(|row| row.debtor.portfolio_id);
    let debts = rows.iter().map(|row| row.debt.portfolio_id);
    let portfolios: BTreeSet<PortfolioId> = debtors.chain(debts).collect();
    for portfolio in portfolios {
        for sql in [
            "SELECT 1 AS n FROM debtors WHERE portfolio_id=$1 LIMIT 1",
            "SELECT 1 AS n FROM debts WHERE portfolio_id=$1 LIMIT 1",
        ] {
            if link.row(sql, vals![portfolio]).await?.is_some() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Reads what is stored of everything the rows name; `keeps`: it is going to be written.
async fn stored(link: &mut Link, rows: &[DebtorRow], keeps: bool) -> Result<Work, StoreError> {
    if !keeps && are_empty(link, rows).await? {
        return Ok(Work::default());
    }
    let mut work = Work {
        debtors: known(link, rows, keeps).await?,
        ..Work::default()
    };
    // A debt may be another's than the rows say: money that is posted on it waits too.
    let lock = link.pg_only(if keeps { " ORDER BY id FOR UPDATE" } else { "" });
    let within = format!(" AND portfolio_id=$1{lock}");
    for (portfolio, debts) in named(rows, |r| (r.debt.portfolio_id, &r.debt.external_ref)) {
        let debts: Vec<String> = debts.into_iter().collect();
        let fixed = vals![portfolio];
        let found: Vec<Debt> = link.all_in("external_ref", &debts, &within, &fixed).await?;
        let place = |d: Debt| ((portfolio, d.external_ref.clone()), d);
        work.debts.extend(found.into_iter().map(place));
    }
    let known: Vec<Debt> = work.debts.values().cloned().collect();
    work.interest = interest::book_of(link, &known).await?;
    let mut ids: Vec<DebtorId> = work.debtors.values().map(|d| d.id).collect();
    work.merged = where_to(link, &ids).await?;
    ids.extend(work.merged.values());
    let debts: Vec<DebtId> = work.debts.values().map(|d| d.id).collect();
    let points: Vec<ContactPoint> = link.all_in("debtor_id", &ids, "", &[]).await?;
    let place = |p: &ContactPoint| (p.debtor_id, p.value.reveal().clone());
    work.points = points.into_iter().map(|p| (place(&p), p)).collect();
    work.items = due_items::by_debt(due_items::of_debts(link, &debts).await?);
    let parties: Vec<Party> = link.all_in("debt_id", &debts, "", &[]).await?;
    work.parties = parties.iter().map(party_key).collect();
    let consents: Vec<Consent> = link.all_in("debtor_id", &ids, "", &[]).await?;
    work.consents = consents.iter().map(consent_key).collect();
    if rows.iter().any(|row| row.address.is_some()) {
        for address in link
            .all_in::<Address, _>("debtor_id", &ids, "", &[])
            .await?
        {
            let of = work.addresses.entry(address.debtor_id).or_default();
            of.push(address);
        }
    }
    Ok(work)
}

fn party_key(p: &Party) -> (DebtId, PartyRole, String) {
    (p.debt_id, p.role, p.name.reveal().clone())
}

fn consent_key(c: &Consent) -> (DebtorId, Channel, String, String) {
    (c.debtor_id, c.channel, c.purpose.clone(), c.proof.clone())
}

impl Work {
    /// What is kept of a debtor to take this row back.
    fn before(&mut self, row: &DebtorRow, debtor: DebtorId) -> &mut Before {
        let (_, before) = self
            .out
            .before
            .entry(debtor)
            .or_insert_with(|| (row.line, Before::default()));
        before
    }

    /// Notes what a row changes.
    fn note(&mut self, row: &DebtorRow, found: Vec<(&'static str, String, String)>) {
        for (field, before, after) in found {
            self.report.change(FieldChange {
                row: row.line,
                debt_ref: row.debt.external_ref.clone(),
                field: field.to_owned(),
                before,
                after,
            });
        }
    }

    fn take(&mut self, row: &DebtorRow) {
        let before = self.report.debtors_new;
        let (debtor, own) = self.debtor(row);
        if let Some(score) = row.score {
            self.out.scores.insert(debtor, score);
        }
        let (debt, debt_changed) = self.debt(row, debtor);
        let around = self.points(row, debtor)
            | self.parties(row, debtor, debt)
            | self.consents(row, debtor)
            | self.address(row, debtor);
        if (own || around) && self.report.debtors_new == before {
            self.report.debtors_changed += 1;
        }
        if own || debt_changed || around {
            self.out.touched.insert(debtor);
        } else {
            self.report.unchanged += 1;
        }
    }

    /// Id of the debtor, and whether he was new or changed.
    fn debtor(&mut self, row: &DebtorRow) -> (DebtorId, bool) {
        let key = (row.debtor.portfolio_id, row.debtor.external_ref.clone());
        let mut fresh = row.debtor.clone();
        match self.debtors.get(&key) {
            Some(stored) => {
                if let Some(kept) = self.merged.get(&stored.id) {
                    return (*kept, false);
                }
                fresh.id = stored.id;
                fresh.created_at = stored.created_at;
                // What the debtor told us himself is not in a client's file.
                fresh.told_zone = fresh.told_zone.or_else(|| stored.told_zone.clone());
                fresh.told_zone_at = fresh.told_zone_at.or(stored.told_zone_at);
                let same = Debtor {
                    updated_at: stored.updated_at,
                    ..fresh.clone()
                };
                if same == *stored {
                    return (stored.id, false);
                }
                let stored = stored.clone();
                self.note(row, debtor_changes(&stored, &fresh));
                let before = self.before(row, stored.id);
                if !before.new {
                    before.debtor.get_or_insert(stored);
                }
            }
            None => {
                self.report.debtors_new += 1;
                self.before(row, fresh.id).new = true;
            }
        }
        let id = fresh.id;
        self.out.debtors.insert(id, fresh.clone());
        self.debtors.insert(key, fresh);
        (id, true)
    }

    /// Id of the debt, and whether it was new or changed. A debt that was paid or recalled is not opened
    /// again by a file: only the amounts follow it.
    fn debt(&mut self, row: &DebtorRow, debtor: DebtorId) -> (DebtId, bool) {
        let key = (row.debt.portfolio_id, row.debt.external_ref.clone());
        let mut fresh = Debt {
            debtor_id: debtor,
            ..row.debt.clone()
        };
        match self.debts.get(&key) {
            Some(stored) => {
                fresh.id = stored.id;
                fresh.created_at = stored.created_at;
                fresh.keep_known(stored);
                if fresh.status == DebtStatus::Open {
                    fresh.status = stored.status;
                }
                // Nothing is owed any more, the client says.
                if stored.status == DebtStatus::Open
                    && stored.balance_minor() > 0
                    && fresh.balance_minor() == 0
                {
                    fresh.status = DebtStatus::Paid;
                    self.report.paid += 1;
                }
                // Before interest: it counts from the date that holds.
                let list = new_list(&self.items, row, &mut fresh, stored.principal_minor);
                let accrual = self.interest.keep(stored, &mut fresh, row.debt.updated_at);
                let same = Debt {
                    updated_at: stored.updated_at,
                    ..fresh.clone()
                };
                if same == *stored && list.is_none() {
                    return (stored.id, false);
                }
                let stored = stored.clone();
                let stored_id = stored.id;
                self.out.touched.insert(stored.debtor_id);
                self.report.debts_changed += 1;
                self.note(row, debt_changes(&stored, &fresh));
                let was = self.interest.accruals.get(&stored.id).copied();
                let before = self.before(row, debtor);
                let known = before.debts.iter().any(|d| d.id == stored.id);
                // Also of a debtor who is new: it was another's before.
                if !known && !before.new_debts.contains(&stored.id) {
                    // Also without a rule: one that comes later books on what the file has written.
                    before.accruals.push((stored.id, was));
                    before.debts.push(stored);
                }
                if let Some(list) = list {
                    self.set_items(row, debtor, (stored_id, list));
                }
                if let Some(accrual) = accrual {
                    self.interest.accruals.insert(accrual.debt_id, accrual);
                    self.out.accruals.insert(accrual.debt_id, accrual);
                }
            }
            None => {
                self.report.debts_new += 1;
                let id = fresh.id;
                self.before(row, debtor).new_debts.push(id);
                if let Some(list) = new_list(&self.items, row, &mut fresh, i64::MAX) {
                    self.set_items(row, debtor, (id, list));
                }
            }
        }
        let id = fresh.id;
        self.out.debts.insert(id, fresh.clone());
        self.debts.insert(key, fresh);
        (id, true)
    }
}

/// New debts belong to the placement of their file.
async fn place(
    tx: &mut Link,
    placement: Option<PlacementId>,
    debts: &[DebtId],
) -> Result<(), StoreError> {
    let Some(placement) = placement else {
        return Ok(());
    };
    let sql = "UPDATE debts SET placement_id=$1 WHERE id";
    tx.run_in(sql, debts, "", &[placement.val()])
        .await
        .map(drop)
}

impl SqlStore {
    pub(super) async fn import_rows(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError> {
        let mut tx = if dry_run {
            self.snapshot().await?
        } else {
            self.write().await?
        };
        let mut work = stored(&mut tx, rows, !dry_run).await?;
        work.report.rows = rows.len() as u64;
        for row in rows {
            work.take(row);
        }
        let Work {
            mut out, report, ..
        } = work;
        if dry_run {
            tx.rollback().await?;
            return Ok(report);
        }
        let batch = Batch::of(rows);
        let began = batch.as_ref().map(|batch| batch.at);
        out.count_money(&mut tx, import, began).await?;
        let before = out.before_images();
        let new_debts = out.new_debts();
        out.write(&mut tx, import).await?;
        if let Some(batch) = batch {
            let placement = note(&mut tx, import, &batch, &report, None).await?;
            place(&mut tx, placement, &new_debts).await?;
            keep_before(&mut tx, import, &before).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(report)
    }
}
