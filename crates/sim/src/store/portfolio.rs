//! Debtor files: import, segments by the evaluator of the language itself, search.

use super::imports::import_rows;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{
    Attempt, Channel, Consent, ContactPoint, Debt, DebtStatus, Debtor, Hold, Party, Payment,
    Portfolio, Promise, Suppression,
};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, ImportId, PortfolioId};
use domain::ports::store::{
    CallableMark, DebtorFile, DebtorRow, ImportReport, PortfolioStore, SegmentCount, SegmentSample,
    StoreError,
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
    let parties = by_debtor(t.parties.values(), |r: &Party| r.debtor_id);
    let consents = by_debtor(t.consents.values(), |r: &Consent| r.debtor_id);
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
            parties: of(&parties, debtor.id),
            consents: of(&consents, debtor.id),
            score: t.scores.get(&debtor.id).copied(),
            callable: t.callable.get(&debtor.id).copied(),
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
            score: t.scores.get(&id).copied(),
            callable: t.callable.get(&id).copied(),
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

    async fn unmarked_debtors(
        &self,
        after: Option<DebtorId>,
        now: UtcMs,
        limit: u32,
    ) -> Result<(Vec<DebtorId>, Option<DebtorId>), StoreError> {
        let t = self.tx().await?;
        let ids = t.debtors.keys().copied();
        let ids = ids.filter(|id| after.is_none_or(|a| *id > a));
        let looked: Vec<DebtorId> = ids.take(limit as usize).collect();
        let stale = |id: &DebtorId| {
            open_debts(&t, *id).next().is_some()
                && t.callable.get(id).is_none_or(|(_, until)| *until <= now)
        };
        let found = looked.iter().copied().filter(stale).collect();
        Ok((found, looked.last().copied()))
    }

    async fn mark_callable(&self, marks: &[CallableMark]) -> Result<(), StoreError> {
        let mut t = self.tx().await?;
        for mark in marks {
            t.callable.insert(mark.debtor, (mark.from, mark.until));
        }
        Ok(())
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
