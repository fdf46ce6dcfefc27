//! Debtor files: import, segments by the evaluator of the language itself, search.

use super::contacts::facts_of;
use super::import_rows::import_rows;
use super::owned::{OfDebtor, Owned};
use super::segment_rows::rows_of;
use super::{Mark, MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Channel, ContactPoint, Debt, DebtStatus, Debtor, Portfolio, Segment};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, ImportId, PortfolioId, SegmentId};
use domain::ports::store::{
    CallableMark, ContactFacts, DebtorFile, DebtorRow, ImportReport, ListFilter, MarkClaim, Page,
    PageRequest, PortfolioStore, SegmentCount, SegmentSample, StoreError,
};
use domain::segment::{Expr, SegmentRow, eval};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// What a mark was made of.
fn print_of(facts: &ContactFacts) -> String {
    format!("{facts:?}")
}

/// A mark as it was made.
fn made(t: &Tables, id: DebtorId) -> Option<(UtcMs, UtcMs)> {
    match t.callable.get(&id) {
        Some(Mark::Made(from, until, _)) => Some((*from, *until)),
        _ => None,
    }
}

/// The mark, as long as what it was made of is so.
pub(super) fn mark_of(t: &Tables, id: DebtorId, now: UtcMs) -> Option<(UtcMs, UtcMs)> {
    let Some(Mark::Made(from, until, print)) = t.callable.get(&id) else {
        return None;
    };
    let facts = facts_of(t, id, now).ok()?;
    (print_of(&facts) == *print).then_some((*from, *until))
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
    t.debts.of(debtor).filter(|d| d.status == DebtStatus::Open)
}

/// His phones that are not bad.
fn phones_of(t: &Tables, debtor: DebtorId) -> u64 {
    let good = |p: &&ContactPoint| p.debtor_id == debtor && p.channel == Channel::Call && !p.bad;
    t.points.values().filter(good).count() as u64
}

fn counted(t: &Tables, client: ClientId, debtors: &[DebtorId], now: UtcMs) -> SegmentCount {
    let phones = debtors.iter().map(|d| phones_of(t, *d)).sum();
    let owed = super::recovery::expected(t, client, debtors, now);
    SegmentCount::of(debtors.len() as u64, phones, owed)
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

fn newest<K: Ord + Copy, T: Clone + OfDebtor>(
    rows: &Owned<K, T>,
    debtor: DebtorId,
    limit: usize,
) -> Vec<T> {
    rows.of(debtor).rev().take(limit).cloned().collect()
}

/// Attempts shown in a debtor's file.
const FILE_ATTEMPTS: usize = 100;

#[async_trait]
impl PortfolioStore for MemoryStore {
    async fn import_batch(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError> {
        let mut t = self.tx().await?;
        if !dry_run {
            super::import_rows::take_batch(&mut t, import, rows)?;
            let strangers = super::import_rows::strangers(&t, rows);
            let report = super::import_rows::write_rows(&mut t, import, rows);
            super::import_rows::note_made(&mut t, import, strangers);
            t.append(events);
            return Ok(report);
        }
        let mut copy = super::import_aside::copy_of(&t);
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
            callable: made(&t, id),
            items: t
                .debts
                .of(id)
                .flat_map(|debt| super::due_items::of(&t, debt.id))
                .collect(),
            debts: t.debts.of(id).cloned().collect(),
            parties: t.parties.of(id).cloned().collect(),
            points: t.points.of(id).cloned().collect(),
            consents: t.consents.of(id).cloned().collect(),
            holds: t.holds.of(id).cloned().collect(),
            promises: newest(&t.promises, id, usize::MAX),
            payments: newest(&t.payments, id, usize::MAX),
            attempts: newest(&t.attempts, id, FILE_ATTEMPTS),
            debtor,
        })
    }

    async fn segment_count(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<SegmentCount, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        let t = self.tx().await?;
        Ok(counted(&t, client, &matching(&t, client, expr, now), now))
    }

    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        let t = self.tx().await?;
        let mut rows = rows_of(&t, client, now);
        rows.retain(|(_, row)| eval(expr, row));
        let owed = |id| open_debts(&t, id).map(Debt::balance_minor).sum::<i64>();
        rows.sort_by_key(|(debtor, _)| (std::cmp::Reverse(owed(debtor.id)), debtor.id));
        rows.truncate(limit as usize);
        Ok(rows.iter().map(|(d, row)| sample_of(&t, d, row)).collect())
    }

    async fn claim_marks(&self, now: UtcMs, limit: u32) -> Result<MarkClaim, StoreError> {
        let mut t = self.tx().await?;
        let stale = |id: &DebtorId| {
            !super::import_rows::is_half(&t, *id)
                && open_debts(&t, *id).next().is_some()
                && mark_of(&t, *id, now).is_none_or(|(_, until)| until <= now)
        };
        let ids: Vec<DebtorId> = t.debtors.keys().copied().filter(stale).collect();
        let mut facts = Vec::new();
        t.claims_given += 1;
        let claim = t.claims_given;
        for id in ids.into_iter().take(limit as usize) {
            let found = facts_of(&t, id, now)?;
            let print = print_of(&found);
            t.callable.insert(id, Mark::Claimed(claim, print));
            facts.push(found);
        }
        Ok(MarkClaim { claim, facts })
    }

    async fn mark_callable(&self, claim: i64, marks: &[CallableMark]) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let mut kept = 0;
        for mark in marks {
            let Some(Mark::Claimed(by, print)) = t.callable.get(&mark.debtor).cloned() else {
                continue;
            };
            if by == claim {
                let made = Mark::Made(mark.from, mark.until, print);
                t.callable.insert(mark.debtor, made);
                kept += 1;
            }
        }
        Ok(kept)
    }

    async fn forget_marks(&self, limit: u32) -> Result<u64, StoreError> {
        let mut t = self.tx().await?;
        let made = t
            .callable
            .iter()
            .filter(|(_, m)| matches!(m, Mark::Made(..)));
        let ids: Vec<DebtorId> = made.map(|(id, _)| *id).take(limit as usize).collect();
        for id in &ids {
            t.callable.remove(id);
        }
        Ok(ids.len() as u64)
    }

    async fn marks_pending(&self, client: ClientId, now: UtcMs) -> Result<u64, StoreError> {
        let t = self.tx().await?;
        let pending = |d: &&Debtor| {
            d.client_id == client
                && !super::import_rows::is_half(&t, d.id)
                && open_debts(&t, d.id).next().is_some()
                && mark_of(&t, d.id, now).is_none_or(|(_, until)| until <= now)
        };
        Ok(t.debtors.values().filter(pending).count() as u64)
    }

    async fn segment_text(
        &self,
        client: ClientId,
        name: &str,
        version: Option<i32>,
    ) -> Result<Option<String>, StoreError> {
        let t = self.tx().await?;
        let ours = |s: &&Segment| s.client_id == client && s.name == name;
        let Some(found) = t.segments.values().find(ours) else {
            return Ok(None);
        };
        Ok(match version {
            None => Some(found.expression.clone()),
            Some(n) => t
                .segment_versions
                .get(&(found.id, n))
                .map(|s| s.expression.clone()),
        })
    }

    async fn segment_versions(&self, id: SegmentId) -> Result<Vec<Segment>, StoreError> {
        let t = self.tx().await?;
        let of = t.segment_versions.range((id, i32::MIN)..=(id, i32::MAX));
        Ok(of.map(|(_, row)| row.clone()).rev().collect())
    }

    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        Ok(matching(&*self.tx().await?, client, expr, now))
    }

    async fn in_segment(
        &self,
        client: ClientId,
        debtor: DebtorId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        Ok(matching(&*self.tx().await?, client, expr, now).contains(&debtor))
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
            .filter(|d| !super::import_rows::is_half(&t, d.id))
            .filter(|d| d.external_ref == needle || d.document.reveal() == needle || phone(d))
            // Of a merged file the one that it is in.
            .filter_map(|d| t.debtors.get(t.merged_into.get(&d.id).unwrap_or(&d.id)))
            .map(|d| (d.id, d))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .take(limit as usize)
            .cloned()
            .collect())
    }

    async fn debtor_page(
        &self,
        filter: &ListFilter,
        page: &PageRequest,
    ) -> Result<Page<Debtor>, StoreError> {
        let t = self.tx().await?;
        let whole = |d: &Debtor| !super::import_rows::is_half(&t, d.id);
        super::catalog::page_where(&t.debtors, (filter, page), &whole)
    }

    async fn points_of(&self, debtors: &[DebtorId]) -> Result<Vec<ContactPoint>, StoreError> {
        let t = self.tx().await?;
        let of = t.points.values().filter(|p| debtors.contains(&p.debtor_id));
        let mut points: Vec<ContactPoint> = of.cloned().collect();
        points.sort_by_key(|p| (p.debtor_id, p.position, p.id));
        Ok(points)
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
            .filter(|d| d.portfolio_id == portfolio && !super::import_rows::is_half(&t, d.id))
            .map(|d| d.id)
            .collect();
        let phones = ours.iter().map(|d| phones_of(&t, *d)).sum();
        let mut owed: BTreeMap<String, i64> = BTreeMap::new();
        for debt in ours.iter().flat_map(|d| open_debts(&t, *d)) {
            let sum = owed.entry(debt.currency.to_string()).or_default();
            *sum = sum.saturating_add(debt.balance_minor());
        }
        Ok(SegmentCount {
            debtors: ours.len() as u64,
            phones,
            balance: owed.into_iter().collect(),
            expected: Vec::new(),
        })
    }
}
