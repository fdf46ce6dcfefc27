//! Debtor files: import, segments by the evaluator of the language itself, search.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Attempt, Channel, Consent, ContactPoint, Debt, DebtStatus, Debtor, Hold, Party, Payment,
    Portfolio, Promise, Suppression,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, ImportId, PortfolioId};
use domain::ports::store::{
    DebtorFile, DebtorRow, ImportReport, PortfolioStore, SegmentCount, SegmentSample, StoreError,
};
use domain::segment::{Expr, SegmentFacts, SegmentRow, eval};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Rows of one table by debtor, so that a segment is one pass over each table.
pub(super) fn by_debtor<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    debtor: impl Fn(&T) -> DebtorId,
) -> BTreeMap<DebtorId, Vec<&'a T>> {
    let mut groups: BTreeMap<DebtorId, Vec<&'a T>> = BTreeMap::new();
    for row in rows {
        groups.entry(debtor(row)).or_default().push(row);
    }
    groups
}

fn of<'a, 'b, T>(groups: &'b BTreeMap<DebtorId, Vec<&'a T>>, id: DebtorId) -> &'b [&'a T] {
    groups.get(&id).map_or(&[], Vec::as_slice)
}

/// Every debtor of a client with the values of every field at `now`, by id.
fn rows_of(t: &Tables, client: ClientId, now: UtcMs) -> Vec<(&Debtor, SegmentRow)> {
    let debts = by_debtor(t.debts.values(), |r: &Debt| r.debtor_id);
    let points = by_debtor(t.points.values(), |r: &ContactPoint| r.debtor_id);
    let attempts = by_debtor(t.attempts.values(), |r: &Attempt| r.debtor_id);
    let promises = by_debtor(t.promises.values(), |r: &Promise| r.debtor_id);
    let payments = by_debtor(t.payments.values(), |r: &Payment| r.debtor_id);
    let holds = by_debtor(t.holds.values(), |r: &Hold| r.debtor_id);
    let suppressions: Vec<&Suppression> = t.suppressions.values().collect();
    let ours = t.debtors.values().filter(|d| d.client_id == client);
    ours.map(|debtor| {
        let portfolio = t
            .portfolios
            .get(&debtor.portfolio_id)
            .map_or("", |p| p.name.as_str());
        let facts = SegmentFacts {
            debtor,
            portfolio,
            debts: of(&debts, debtor.id),
            points: of(&points, debtor.id),
            attempts: of(&attempts, debtor.id),
            promises: of(&promises, debtor.id),
            payments: of(&payments, debtor.id),
            holds: of(&holds, debtor.id),
            suppressions: &suppressions,
        };
        (debtor, facts.row(now))
    })
    .collect()
}

/// Debtors of a client who are in the segment at `now`, by id.
pub(crate) fn matching(t: &Tables, client: ClientId, expr: &Expr, now: UtcMs) -> Vec<DebtorId> {
    rows_of(t, client, now)
        .into_iter()
        .filter(|(_, row)| eval(expr, row))
        .map(|(debtor, _)| debtor.id)
        .collect()
}

fn open_debts(t: &Tables, debtor: DebtorId) -> impl Iterator<Item = &Debt> {
    t.debts
        .values()
        .filter(move |d| d.debtor_id == debtor && d.status == DebtStatus::Open)
}

/// Adds one debtor to the figures of a segment.
fn count_in(t: &Tables, debtor: DebtorId, into: &mut BTreeMap<String, i64>) -> u64 {
    for debt in open_debts(t, debtor) {
        let sum = into.entry(debt.currency.to_string()).or_insert(0);
        *sum = sum.saturating_add(debt.balance_minor());
    }
    let good = |p: &&ContactPoint| p.debtor_id == debtor && p.channel == Channel::Call && !p.bad;
    t.points.values().filter(good).count() as u64
}

fn counted(t: &Tables, debtors: &[DebtorId]) -> SegmentCount {
    let mut balance = BTreeMap::new();
    let phones = debtors
        .iter()
        .map(|d| count_in(t, *d, &mut balance))
        .sum::<u64>();
    SegmentCount {
        debtors: debtors.len() as u64,
        phones,
        balance: balance.into_iter().collect(),
    }
}

/// The main debt is the open one with the greatest balance; the figure is what is open in its currency.
fn sample_of(t: &Tables, debtor: &Debtor, row: &SegmentRow) -> SegmentSample {
    let main = open_debts(t, debtor.id).max_by_key(|d| (d.balance_minor(), d.id));
    let same = |d: &&Debt| main.is_some_and(|m| m.currency == d.currency);
    SegmentSample {
        debtor_id: debtor.id,
        external_ref: debtor.external_ref.clone(),
        country: debtor.country.clone(),
        days_past_due: row.days_past_due,
        balance_minor: open_debts(t, debtor.id)
            .filter(same)
            .map(Debt::balance_minor)
            .sum(),
        currency: main.map(|m| m.currency.to_string()).unwrap_or_default(),
    }
}

/// Replaces `stored` when `fresh` differs in more than its stamps; says whether it did.
fn replace<T: PartialEq>(stored: &mut T, fresh: T, same: impl Fn(&T) -> T) -> bool {
    let changed = same(stored) != same(&fresh);
    if changed {
        *stored = fresh;
    }
    changed
}

/// Id of the debtor the row belongs to, and whether it was new or changed.
fn import_debtor(t: &mut Tables, row: &DebtorRow, report: &mut ImportReport) -> (DebtorId, bool) {
    let key = |d: &&mut Debtor| {
        d.portfolio_id == row.debtor.portfolio_id && d.external_ref == row.debtor.external_ref
    };
    let Some(stored) = t.debtors.values_mut().find(key) else {
        t.debtors.insert(row.debtor.id, row.debtor.clone());
        report.debtors_new += 1;
        return (row.debtor.id, true);
    };
    let fresh = Debtor {
        id: stored.id,
        created_at: stored.created_at,
        // What the debtor told us himself is not in a client's file.
        told_zone: row.debtor.told_zone.clone().or(stored.told_zone.clone()),
        told_zone_at: row.debtor.told_zone_at.or(stored.told_zone_at),
        ..row.debtor.clone()
    };
    let stamp = |d: &Debtor| Debtor {
        updated_at: UtcMs(0),
        ..d.clone()
    };
    let id = stored.id;
    (id, replace(stored, fresh, stamp))
}

/// Id of the debt, and whether it was new or changed. A debt that was paid or recalled is not opened
/// again by a file: only the amounts follow it.
fn import_debt(
    t: &mut Tables,
    row: &DebtorRow,
    debtor: DebtorId,
    report: &mut ImportReport,
) -> (DebtId, bool) {
    let key = |d: &&mut Debt| {
        d.portfolio_id == row.debt.portfolio_id && d.external_ref == row.debt.external_ref
    };
    let mut fresh = Debt {
        debtor_id: debtor,
        ..row.debt.clone()
    };
    let Some(stored) = t.debts.values_mut().find(key) else {
        t.debts.insert(fresh.id, fresh);
        report.debts_new += 1;
        return (row.debt.id, true);
    };
    fresh.id = stored.id;
    fresh.created_at = stored.created_at;
    if fresh.status == DebtStatus::Open {
        fresh.status = stored.status;
    }
    let stamp = |d: &Debt| Debt {
        updated_at: UtcMs(0),
        ..d.clone()
    };
    let (id, changed) = (stored.id, replace(stored, fresh, stamp));
    report.debts_changed += u64::from(changed);
    (id, changed)
}

/// Points, parties and consents; whether any was new or changed.
fn import_around(
    t: &mut Tables,
    row: &DebtorRow,
    (debtor, debt): (DebtorId, DebtId),
    report: &mut ImportReport,
) -> bool {
    let mut changed = false;
    for point in &row.points {
        let mut fresh = ContactPoint {
            debtor_id: debtor,
            ..point.clone()
        };
        let same = |p: &&mut ContactPoint| p.debtor_id == debtor && p.value == point.value;
        if let Some(stored) = t.points.values_mut().find(same) {
            // What calls have proved stays: a file does not make a wrong number right.
            fresh.id = stored.id;
            fresh.bad = stored.bad;
            fresh.last_rpc_at = stored.last_rpc_at;
            changed |= replace(stored, fresh, Clone::clone);
        } else {
            t.points.insert(fresh.id, fresh);
            report.points_new += 1;
            changed = true;
        }
    }
    for party in &row.parties {
        let fresh = Party {
            debtor_id: debtor,
            debt_id: debt,
            ..party.clone()
        };
        let same = |p: &Party| p.debt_id == debt && p.role == party.role && p.name == party.name;
        if !t.parties.values().any(same) {
            t.parties.insert(fresh.id, fresh);
            changed = true;
        }
    }
    for consent in &row.consents {
        let fresh = Consent {
            debtor_id: debtor,
            ..consent.clone()
        };
        let same = |c: &Consent| {
            c.debtor_id == debtor
                && c.channel == consent.channel
                && c.purpose == consent.purpose
                && c.proof == consent.proof
        };
        if !t.consents.values().any(same) {
            t.consents.insert(fresh.id, fresh);
            changed = true;
        }
    }
    changed
}

fn import_rows(t: &mut Tables, rows: &[DebtorRow]) -> ImportReport {
    let mut report = ImportReport {
        rows: rows.len() as u64,
        ..ImportReport::default()
    };
    for row in rows {
        let before = report.debtors_new;
        let (debtor, own) = import_debtor(t, row, &mut report);
        let (debt, debt_changed) = import_debt(t, row, debtor, &mut report);
        let around = import_around(t, row, (debtor, debt), &mut report);
        if (own || around) && report.debtors_new == before {
            report.debtors_changed += 1;
        }
        if !(own || debt_changed || around) {
            report.unchanged += 1;
        }
    }
    report
}

fn newest<K: Ord + Copy, T: Clone>(
    rows: &BTreeMap<K, T>,
    mine: impl Fn(&T) -> bool,
    limit: usize,
) -> Vec<T> {
    rows.values()
        .rev()
        .filter(|r| mine(r))
        .take(limit)
        .cloned()
        .collect()
}

/// Attempts shown in a debtor's file.
const FILE_ATTEMPTS: usize = 100;

#[async_trait]
impl PortfolioStore for MemoryStore {
    async fn import_batch(
        &self,
        _import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError> {
        let mut t = self.tx().await?;
        if !dry_run {
            let report = import_rows(&mut t, rows);
            t.append(events);
            return Ok(report);
        }
        // A dry run is the same import on copies of the five tables it touches.
        let mut copy = Tables {
            debtors: t.debtors.clone(),
            debts: t.debts.clone(),
            parties: t.parties.clone(),
            points: t.points.clone(),
            consents: t.consents.clone(),
            ..Tables::default()
        };
        Ok(import_rows(&mut copy, rows))
    }

    async fn debtor_file(&self, id: DebtorId) -> Result<DebtorFile, StoreError> {
        let t = self.tx().await?;
        let debtor = t
            .debtors
            .get(&id)
            .cloned()
            .ok_or(StoreError::NotFound("debtor"))?;
        Ok(DebtorFile {
            debts: t
                .debts
                .values()
                .filter(|r| r.debtor_id == id)
                .cloned()
                .collect(),
            parties: t
                .parties
                .values()
                .filter(|r| r.debtor_id == id)
                .cloned()
                .collect(),
            points: t
                .points
                .values()
                .filter(|r| r.debtor_id == id)
                .cloned()
                .collect(),
            consents: t
                .consents
                .values()
                .filter(|r| r.debtor_id == id)
                .cloned()
                .collect(),
            holds: t
                .holds
                .values()
                .filter(|r| r.debtor_id == id)
                .cloned()
                .collect(),
            promises: newest(&t.promises, |r| r.debtor_id == id, usize::MAX),
            payments: newest(&t.payments, |r| r.debtor_id == id, usize::MAX),
            attempts: newest(&t.attempts, |r| r.debtor_id == id, FILE_ATTEMPTS),
            debtor,
        })
    }

    async fn segment_count(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<SegmentCount, StoreError> {
        let t = self.tx().await?;
        Ok(counted(&t, &matching(&t, client, expr, now)))
    }

    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError> {
        let t = self.tx().await?;
        let mut rows = rows_of(&t, client, now);
        rows.retain(|(_, row)| eval(expr, row));
        rows.sort_by_key(|(debtor, row)| (std::cmp::Reverse(row.balance), debtor.id));
        rows.truncate(limit as usize);
        Ok(rows.iter().map(|(d, row)| sample_of(&t, d, row)).collect())
    }

    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError> {
        Ok(matching(&*self.tx().await?, client, expr, now))
    }

    async fn portfolio_by_name(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Option<Portfolio>, StoreError> {
        let t = self.tx().await?;
        Ok(t.portfolios
            .values()
            .find(|p| p.client_id == client && p.name == name)
            .cloned())
    }

    async fn find_debtors(
        &self,
        client: Option<ClientId>,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError> {
        let t = self.tx().await?;
        let phone = |d: &Debtor| {
            t.points
                .values()
                .any(|p| p.debtor_id == d.id && p.value.reveal() == needle)
        };
        Ok(t.debtors
            .values()
            .filter(|d| client.is_none_or(|c| c == d.client_id))
            .filter(|d| d.external_ref == needle || d.document.reveal() == needle || phone(d))
            .take(limit as usize)
            .cloned()
            .collect())
    }

    async fn table_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let t = self.tx().await?;
        let counts = [
            ("debtors", t.debtors.len()),
            ("debts", t.debts.len()),
            ("points", t.points.len()),
            ("attempts", t.attempts.len()),
            ("ledger", t.ledger.len()),
            ("verdicts", t.verdicts.len()),
            ("recordings", t.recordings.len()),
            ("promises", t.promises.len()),
            ("payments", t.payments.len()),
            ("events", t.events.len()),
        ];
        Ok(counts
            .into_iter()
            .map(|(name, rows)| (name.to_owned(), i64::try_from(rows).unwrap_or(i64::MAX)))
            .collect())
    }

    async fn portfolio_totals(&self, portfolio: PortfolioId) -> Result<SegmentCount, StoreError> {
        let t = self.tx().await?;
        let ours: Vec<DebtorId> = t
            .debtors
            .values()
            .filter(|d| d.portfolio_id == portfolio)
            .map(|d| d.id)
            .collect();
        Ok(counted(&t, &ours))
    }
}
