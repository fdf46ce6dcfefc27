//! One batch of a portfolio file: what is stored is read in five statements, compared in memory, and
//! what is new or changed is written in as few.

use super::events::append;
use super::import_new::{insert_debtors, write_scores};
use super::items::lock_persons;
use super::merges::where_to;
use super::{SqlStore, hits, sums};
use crate::sql::{Field as _, Link, vals};
use domain::entity::{
    Channel, Consent, ContactPoint, Debt, DebtStatus, Debtor, ImportState, Party, PartyRole,
};
use domain::event::NewEvent;
use domain::ids::{
    ClientId, ConsentId, DebtId, DebtorId, ImportId, PartyId, PersonId, PlacementId, PointId,
    PortfolioId,
};
use domain::ports::StoreError;
use domain::ports::store::{
    DebtorRow, FieldChange, ImportReport, debt_changes, debtor_changes, point_changes,
};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
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
    /// Files that are part of another one: what the batch says of them goes there.
    merged: BTreeMap<DebtorId, DebtorId>,
    out: Written,
    report: ImportReport,
}

/// What stood there of a debtor before an import, so that it can be taken back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Before {
    /// Whether the import made him.
    pub(super) new: bool,
    /// His row, when it was changed.
    pub(super) debtor: Option<Debtor>,
    /// Debts that were changed.
    pub(super) debts: Vec<Debt>,
    /// Points that were changed.
    pub(super) points: Vec<ContactPoint>,
    /// What the import made.
    pub(super) new_debts: Vec<DebtId>,
    pub(super) new_points: Vec<PointId>,
    pub(super) new_parties: Vec<PartyId>,
    pub(super) new_consents: Vec<ConsentId>,
}

impl Before {
    /// One debt that is changed beside a file.
    pub(super) fn of_debt(debt: Debt) -> Self {
        Self {
            debts: vec![debt],
            ..Self::default()
        }
    }

    /// As it is kept: nothing is written of a debtor who was not there, because all of him is new.
    pub(super) fn text(&self) -> String {
        if self.new {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Rows to write.
#[derive(Default)]
struct Written {
    debtors: BTreeMap<DebtorId, Debtor>,
    debts: BTreeMap<DebtId, Debt>,
    points: BTreeMap<(DebtorId, String), ContactPoint>,
    parties: Vec<Party>,
    consents: Vec<Consent>,
    touched: BTreeSet<DebtorId>,
    before: BTreeMap<DebtorId, (u64, Before)>,
    scores: BTreeMap<DebtorId, i64>,
}

/// Reads what is stored of everything the rows name; `keeps`: it is going to be written.
async fn stored(link: &mut Link, rows: &[DebtorRow], keeps: bool) -> Result<Work, StoreError> {
    let mut work = Work::default();
    let mut refs: BTreeMap<PortfolioId, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for row in rows {
        let (debtors, debts) = refs.entry(row.debtor.portfolio_id).or_default();
        debtors.insert(row.debtor.external_ref.clone());
        debts.insert(row.debt.external_ref.clone());
    }
    let within = " AND portfolio_id=$1";
    for (portfolio, (debtors, _)) in &refs {
        let (debtors, fixed): (Vec<_>, _) = (debtors.iter().cloned().collect(), vals![*portfolio]);
        let found: Vec<Debtor> = link
            .all_in("external_ref", &debtors, within, &fixed)
            .await?;
        let place = |d: Debtor| ((*portfolio, d.external_ref.clone()), d);
        work.debtors.extend(found.into_iter().map(place));
    }
    if keeps {
        // Money posted on those debts waits, or is read with them: whoever posts takes the person first.
        lock_persons(link, work.debtors.values().map(|d| d.person_id)).await?;
    }
    for (portfolio, (_, debts)) in refs {
        let debts: Vec<String> = debts.into_iter().collect();
        let fixed = vals![portfolio];
        let found: Vec<Debt> = link.all_in("external_ref", &debts, within, &fixed).await?;
        let place = |d: Debt| ((portfolio, d.external_ref.clone()), d);
        work.debts.extend(found.into_iter().map(place));
    }
    let mut ids: Vec<DebtorId> = work.debtors.values().map(|d| d.id).collect();
    work.merged = where_to(link, &ids).await?;
    ids.extend(work.merged.values());
    let debts: Vec<DebtId> = work.debts.values().map(|d| d.id).collect();
    let points: Vec<ContactPoint> = link.all_in("debtor_id", &ids, "", &[]).await?;
    let place = |p: &ContactPoint| (p.debtor_id, p.value.reveal().clone());
    work.points = points.into_iter().map(|p| (place(&p), p)).collect();
    let parties: Vec<Party> = link.all_in("debt_id", &debts, "", &[]).await?;
    work.parties = parties.iter().map(party_key).collect();
    let consents: Vec<Consent> = link.all_in("debtor_id", &ids, "", &[]).await?;
    work.consents = consents.iter().map(consent_key).collect();
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
        let around =
            self.points(row, debtor) | self.parties(row, debtor, debt) | self.consents(row, debtor);
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
                let same = Debt {
                    updated_at: stored.updated_at,
                    ..fresh.clone()
                };
                if same == *stored {
                    return (stored.id, false);
                }
                let stored = stored.clone();
                self.out.touched.insert(stored.debtor_id);
                self.report.debts_changed += 1;
                self.note(row, debt_changes(&stored, &fresh));
                let before = self.before(row, debtor);
                let known = before.debts.iter().any(|d| d.id == stored.id);
                if !before.new && !known && !before.new_debts.contains(&stored.id) {
                    before.debts.push(stored);
                }
            }
            None => {
                self.report.debts_new += 1;
                let id = fresh.id;
                self.before(row, debtor).new_debts.push(id);
            }
        }
        let id = fresh.id;
        self.out.debts.insert(id, fresh.clone());
        self.debts.insert(key, fresh);
        (id, true)
    }

    fn points(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let mut changed = false;
        for point in &row.points {
            let key = (debtor, point.value.reveal().clone());
            let mut fresh = ContactPoint {
                debtor_id: debtor,
                ..point.clone()
            };
            match self.points.get(&key) {
                Some(stored) => {
                    // What calls have proved stays: a file does not make a wrong number right.
                    fresh.id = stored.id;
                    fresh.bad = stored.bad;
                    fresh.last_rpc_at = stored.last_rpc_at;
                    fresh.added_at = stored.added_at;
                    if fresh == *stored {
                        continue;
                    }
                    let stored = stored.clone();
                    self.note(row, point_changes(&stored, &fresh));
                    let before = self.before(row, debtor);
                    let known = before.points.iter().any(|p| p.id == stored.id);
                    if !before.new && !known && !before.new_points.contains(&stored.id) {
                        before.points.push(stored);
                    }
                }
                None => {
                    self.report.points_new += 1;
                    let id = fresh.id;
                    self.before(row, debtor).new_points.push(id);
                }
            }
            changed = true;
            self.out.points.insert(key.clone(), fresh.clone());
            self.points.insert(key, fresh);
        }
        changed
    }

    fn parties(&mut self, row: &DebtorRow, debtor: DebtorId, debt: DebtId) -> bool {
        let before = self.out.parties.len();
        for party in &row.parties {
            let fresh = Party {
                debtor_id: debtor,
                debt_id: debt,
                ..party.clone()
            };
            if self.parties.insert(party_key(&fresh)) {
                self.before(row, debtor).new_parties.push(fresh.id);
                self.out.parties.push(fresh);
            }
        }
        self.out.parties.len() > before
    }

    fn consents(&mut self, row: &DebtorRow, debtor: DebtorId) -> bool {
        let before = self.out.consents.len();
        for consent in &row.consents {
            let fresh = Consent {
                debtor_id: debtor,
                ..consent.clone()
            };
            if self.consents.insert(consent_key(&fresh)) {
                self.before(row, debtor).new_consents.push(fresh.id);
                self.out.consents.push(fresh);
            }
        }
        self.out.consents.len() > before
    }
}

/// Before-images of one statement.
const BEFORE_EACH: usize = 256;

/// Keeps what stood there, in the same transaction as what comes in its place.
pub(super) async fn keep_before(
    tx: &mut Link,
    import: ImportId,
    before: &[(i64, DebtorId, String)],
) -> Result<(), StoreError> {
    for piece in before.chunks(BEFORE_EACH) {
        let mut values = vals![import];
        let mut rows = Vec::with_capacity(piece.len());
        for (line, debtor, text) in piece {
            let n = values.len();
            rows.push(format!("($1,${},${},${})", n + 1, n + 2, n + 3));
            values.extend(vals![*line, *debtor, text.clone()]);
        }
        let sql = format!(
            "INSERT INTO import_changes (import_id, line, debtor_id, before_image) VALUES {}",
            rows.join(",")
        );
        tx.run(sql, values).await?;
    }
    Ok(())
}

impl Written {
    /// Line, debtor and what stood there.
    fn before_images(&self) -> Vec<(i64, DebtorId, String)> {
        let image = |(debtor, (line, before)): (&DebtorId, &(u64, Before))| {
            let line = i64::try_from(*line).unwrap_or(i64::MAX);
            (line, *debtor, before.text())
        };
        self.before.iter().map(image).collect()
    }

    /// Debts that were not there.
    fn new_debts(&self) -> Vec<DebtId> {
        let of = |(_, before): &(u64, Before)| before.new_debts.clone();
        self.before.values().flat_map(of).collect()
    }

    async fn write(self, tx: &mut Link, import: ImportId) -> Result<(), StoreError> {
        let is_new = |id: &DebtorId| self.before.get(id).is_some_and(|(_, before)| before.new);
        let (new, known): (Vec<Debtor>, Vec<Debtor>) = self
            .debtors
            .into_values()
            .partition(|debtor| is_new(&debtor.id));
        let persons: BTreeSet<PersonId> = new.iter().chain(&known).map(|d| d.person_id).collect();
        let persons: Vec<PersonId> = persons.into_iter().collect();
        sums::ensure_persons(tx, &persons).await?;
        let (debts, points) = (self.debts.values(), self.points.values());
        insert_debtors(tx, import, &new, (debts, points), &self.scores).await?;
        let ids: Vec<DebtorId> = new.iter().map(|d| d.id).collect();
        hits::refresh(tx, &ids).await?;
        tx.put_all(&known).await?;
        let debts: Vec<Debt> = self.debts.into_values().collect();
        tx.put_all(&debts).await?;
        let points: Vec<ContactPoint> = self.points.into_values().collect();
        tx.put_all(&points).await?;
        tx.put_all(&self.parties).await?;
        tx.put_all(&self.consents).await?;
        let ids: Vec<DebtorId> = known.iter().map(|d| d.id).collect();
        sums::follow_person(tx, &ids).await?;
        let scores = self.scores.into_iter();
        write_scores(tx, scores.filter(|(id, _)| !is_new(id)).collect()).await?;
        let touched = self.touched.into_iter();
        let touched: Vec<DebtorId> = touched.filter(|id| !is_new(id)).collect();
        sums::refresh(tx, &touched).await
    }
}

/// Adds the batch to the import's own row; the placement its new debts belong to.
async fn note(
    tx: &mut Link,
    import: ImportId,
    (client, portfolio, at): (ClientId, PortfolioId, UtcMs),
    (batch, first, done): (&ImportReport, i64, i64),
) -> Result<Option<PlacementId>, StoreError> {
    let lock = tx.pg_only(" FOR UPDATE");
    let sql = format!(
        "SELECT report, placement_id, state, rows_done, bytes FROM imports WHERE id=$1{lock}"
    );
    let (mut sum, placement) = match tx.row(sql, vals![import]).await? {
        Some(row) => {
            let (state, before): (ImportState, i64) = (row.get("state")?, row.get("rows_done")?);
            // A kept file is written by whoever has its turn. Who had it, froze and wakes up finds that its
            // rows are written, or that the file is accepted or being taken back.
            let kept = row.get::<i64>("bytes")? > 0;
            if kept && (state != ImportState::Accepting || first <= before) {
                return Err(StoreError::Conflict(
                    "the file is another's to write by now".to_owned(),
                ));
            }
            (row.get("report")?, row.get("placement_id")?)
        }
        None => (ImportReport::default(), None),
    };
    sum.add(batch);
    let sql = "INSERT INTO imports (id, client_id, portfolio_id, at, report, rows_done) \
        VALUES ($1,$2,$3,$4,$5,$6) \
        ON CONFLICT (id) DO UPDATE SET report=excluded.report, rows_done=excluded.rows_done";
    tx.run(sql, vals![import, client, portfolio, at, sum, done])
        .await?;
    Ok(placement)
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
        let Work { out, report, .. } = work;
        if dry_run {
            tx.rollback().await?;
            return Ok(report);
        }
        let before = out.before_images();
        let new_debts = out.new_debts();
        out.write(&mut tx, import).await?;
        if let Some(row) = rows.first() {
            let line = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let first = line(rows.iter().map(|r| r.line).min().unwrap_or_default());
            let done = line(rows.iter().map(|r| r.line).max().unwrap_or_default());
            let of = (
                row.debtor.client_id,
                row.debtor.portfolio_id,
                row.debtor.updated_at,
            );
            if let Some(placement) = note(&mut tx, import, of, (&report, first, done)).await? {
                let sql = "UPDATE debts SET placement_id=$1 WHERE id";
                tx.run_in(sql, &new_debts, "", &[placement.val()]).await?;
            }
            keep_before(&mut tx, import, &before).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(report)
    }
}
