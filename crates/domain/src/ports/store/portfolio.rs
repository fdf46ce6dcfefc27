//! Debtor files: import, segments, one file.

use super::{ContactFacts, ListFilter, Page, PageRequest, StoreError};
use crate::entity::{
    Address, Attempt, Consent, ContactPoint, Debt, DebtItem, Debtor, Hold, Party, Payment, Promise,
    Segment,
};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtorId, ImportId, PortfolioId, SegmentId};
use crate::rules::recovery::Expected;
use crate::segment::{Expr, NAMED_MAX, NamedKey, asks_the_law, expand, named, parse};
use crate::time::UtcMs;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One validated row of a portfolio file: a debtor with one debt and his points.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DebtorRow {
    /// Line in the file, 1 = header.
    pub line: u64,
    /// The debtor; matched by `external_ref` within the portfolio, the stored id then wins.
    pub debtor: Debtor,
    /// The debt; matched by `external_ref` within the portfolio.
    pub debt: Debt,
    /// Its due items, the whole list, oldest first; empty where the file says nothing of them.
    #[serde(default)]
    pub items: Vec<DebtItem>,
    /// The titular and other parties.
    pub parties: Vec<Party>,
    /// Points; matched by value within the debtor.
    pub points: Vec<ContactPoint>,
    /// Consents that came with the row.
    pub consents: Vec<Consent>,
    /// The client's score of the debtor.
    pub score: Option<i64>,
    /// Where letters reach the debtor, as the file says; matched by place.
    pub address: Option<Address>,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// Line in the file, 1 = header.
    pub row: u64,
    /// Column name in the file.
    pub column: String,
    /// The value as it came (an auditor's file: personal data).
    pub value: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Rows read.
    pub rows: u64,
    /// Debtors new.
    pub debtors_new: u64,
    /// Debtors changed.
    pub debtors_changed: u64,
    /// Debts new.
    pub debts_new: u64,
    /// Debts changed.
    pub debts_changed: u64,
    /// Points new.
    pub points_new: u64,
    /// Co-debtors and guarantors new.
    #[serde(default)]
    pub parties_new: u64,
    /// Consents that a file of them grants.
    #[serde(default)]
    pub consents_granted: u64,
    /// Revocations of a file of consents.
    #[serde(default)]
    pub consents_revoked: u64,
    /// Rows equal to what is stored.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Open debts of which nothing is owed any more, by the file.
    #[serde(default)]
    pub paid: u64,
    /// Open debts of the portfolio that the file does not name.
    #[serde(default)]
    pub gone: u64,
    /// Of them recalled.
    #[serde(default)]
    pub recalled: u64,
    /// Phones mended by a rule that the map names, by rule.
    #[serde(default)]
    pub repaired: BTreeMap<String, u64>,
    /// Debtor files of one document made one after it.
    #[serde(default)]
    pub merged: u64,
    /// Changed values by field (`debt.principal`, `debtor.name`, `point.confidence`…).
    #[serde(default)]
    pub fields: BTreeMap<String, u64>,
    /// The first changes, each with what stood there before.
    #[serde(default)]
    pub changes: Vec<FieldChange>,
}

/// Most changes a report shows.
pub const CHANGES_MAX: usize = 200;

/// One value that a file changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Line in the file, 1 = header.
    pub row: u64,
    /// The client's key of the debt on that line.
    pub debt_ref: String,
    /// Which field.
    pub field: String,
    /// What stands there (a manager's screen: may be personal data).
    pub before: String,
    /// What the file says.
    pub after: String,
}

impl ImportReport {
    /// Adds what another part of the same file did.
    pub fn add(&mut self, part: &Self) {
        self.rows += part.rows;
        self.debtors_new += part.debtors_new;
        self.debtors_changed += part.debtors_changed;
        self.debts_new += part.debts_new;
        self.debts_changed += part.debts_changed;
        self.points_new += part.points_new;
        self.parties_new += part.parties_new;
        self.consents_granted += part.consents_granted;
        self.consents_revoked += part.consents_revoked;
        self.unchanged += part.unchanged;
        self.refused += part.refused;
        self.paid += part.paid;
        self.gone += part.gone;
        self.recalled += part.recalled;
        self.merged += part.merged;
        for (field, count) in &part.fields {
            *self.fields.entry(field.clone()).or_default() += count;
        }
        for (rule, count) in &part.repaired {
            *self.repaired.entry(rule.clone()).or_default() += count;
        }
        let room = CHANGES_MAX.saturating_sub(self.changes.len());
        self.changes.extend(part.changes.iter().take(room).cloned());
    }

    /// Notes a changed value.
    pub fn change(&mut self, change: FieldChange) {
        *self.fields.entry(change.field.clone()).or_default() += 1;
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(change);
        }
    }
}

/// Live figures of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCount {
    /// Debtors.
    pub debtors: u64,
    /// Their phones that are not bad.
    pub phones: u64,
    /// Sum of the balances of their open debts per currency: `[["MXN", minor], …]`.
    pub balance: Vec<(String, i64)>,
    /// What those debts may be expected to bring, of the same currencies in their order; empty where it was not asked.
    pub expected: Vec<Expected>,
}

impl SegmentCount {
    /// The figures of debtors who owe so much, one row a currency in their order.
    #[must_use]
    pub fn of(debtors: u64, phones: u64, owed: impl IntoIterator<Item = Expected>) -> Self {
        let expected: Vec<Expected> = owed.into_iter().collect();
        let balance = expected
            .iter()
            .map(|e| (e.currency.clone(), e.balance_minor));
        Self {
            debtors,
            phones,
            balance: balance.collect(),
            expected,
        }
    }
}

/// Debtors without a mark of the law of whom the client's are told apart.
pub const PENDING_LOOK: u32 = 5_000;

/// What a segment holds, counted or estimated from a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentEstimate {
    /// The figures; scaled up from the sample when they are not exact.
    pub count: SegmentCount,
    /// Whether every debtor was asked.
    pub exact: bool,
    /// Debtors asked.
    pub asked: u64,
    /// Debtors of the client.
    pub of: u64,
    /// Half the width of the interval that holds the true number of debtors in 95 of 100 cases; 0 when
    /// exact.
    pub margin: u64,
    /// Debtors about whom the law has not been asked yet, so that `callable_now` says no of them; 0 where the segment
    /// does not ask. As [`PortfolioStore::marks_pending`] counts them; they are in the margin.
    pub pending: u64,
    /// Some of those found, highest balance first.
    pub sample: Vec<SegmentSample>,
}

/// Debtors taken in hand so that the law can be asked about them.
#[derive(Debug, Clone, Default)]
pub struct MarkClaim {
    /// What their marks have to name.
    pub claim: i64,
    /// What the law looks at, of each.
    pub facts: Vec<ContactFacts>,
}

/// When the law lets a debtor be called, as it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallableMark {
    /// Who.
    pub debtor: DebtorId,
    /// From.
    pub from: UtcMs,
    /// Until, not in it; the mark is to be made anew then. `from >= until`: not before.
    pub until: UtcMs,
}

/// A row of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSample {
    /// Debtor.
    pub debtor_id: DebtorId,
    /// The client's key.
    pub external_ref: String,
    /// Country.
    pub country: String,
    /// Greatest days past due among the open debts.
    pub days_past_due: i64,
    /// Balance in minor units of the main debt's currency.
    pub balance_minor: i64,
    /// That currency.
    pub currency: String,
}

/// Everything of one debtor.
#[derive(Debug, Clone)]
pub struct DebtorFile {
    /// The debtor.
    pub debtor: Debtor,
    /// Debts.
    pub debts: Vec<Debt>,
    /// Due items of those that have any, by debt, oldest first.
    pub items: Vec<DebtItem>,
    /// Parties.
    pub parties: Vec<Party>,
    /// Points.
    pub points: Vec<ContactPoint>,
    /// Consents.
    pub consents: Vec<Consent>,
    /// Holds, lifted ones too.
    pub holds: Vec<Hold>,
    /// Promises, newest first.
    pub promises: Vec<Promise>,
    /// Payments, newest first.
    pub payments: Vec<Payment>,
    /// Attempts, newest first, at most 100.
    pub attempts: Vec<Attempt>,
    /// The client's score of the debtor.
    pub score: Option<i64>,
    /// From when until when the law lets him be called, as it was last asked.
    pub callable: Option<(UtcMs, UtcMs)>,
}

/// Portfolio files and segments.
#[async_trait]
pub trait PortfolioStore: Send + Sync {
    /// Writes one batch of validated rows (at most 1,000) in one transaction and says what was new.
    /// With `dry_run` nothing is kept.
    async fn import_batch(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError>;
    /// Everything of one debtor.
    async fn debtor_file(&self, id: DebtorId) -> Result<DebtorFile, StoreError>;
    /// Counts a segment within a client at `now`.
    async fn segment_count(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<SegmentCount, StoreError>;
    /// A few rows of it, highest balance first.
    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError>;
    /// Figures and a few rows of a segment while somebody types: exact for a small client, else estimated
    /// from a sample of some thousand debtors spread evenly over all, and marked as such.
    async fn segment_estimate(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        rows: u32,
    ) -> Result<SegmentEstimate, StoreError> {
        let whole = &self.whole_segment(client, expr, None).await?;
        let pending = match asks_the_law(whole) {
            true => self.marks_pending(client, now).await?,
            false => 0,
        };
        let of = self.segment_count(client, &Expr::All, now).await?.debtors;
        Ok(SegmentEstimate {
            count: self.segment_count(client, whole, now).await?,
            exact: pending == 0,
            asked: of,
            of,
            margin: pending,
            pending,
            sample: self.segment_sample(client, whole, now, rows).await?,
        })
    }
    /// How many debtors of the client with an open debt have no mark of the law that holds at `now`: it is missing,
    /// over, or being asked for. Looked for among the first [`PENDING_LOOK`] such debtors of all clients and of either
    /// kind; where there are more, never 0.
    async fn marks_pending(&self, client: ClientId, now: UtcMs) -> Result<u64, StoreError>;
    /// Takes debtors with an open debt in hand whose mark of the law is missing or over at `now`, at most
    /// `limit` (500 at most), those without one first. What happens to one of them from here on undoes the
    /// claim, and a claim that nobody answers is given out again.
    async fn claim_marks(&self, now: UtcMs, limit: u32) -> Result<MarkClaim, StoreError>;
    /// Keeps marks of the law (at most 1,000) of debtors whose claim stands; how many were kept.
    async fn mark_callable(&self, claim: i64, marks: &[CallableMark]) -> Result<u64, StoreError>;
    /// Takes away marks, `limit` (10,000 at most) at a time, because the law itself has changed; how many.
    async fn forget_marks(&self, limit: u32) -> Result<u64, StoreError>;
    /// What a client's segment of that name says, newest or in one of its versions; the first of several
    /// of one name.
    async fn segment_text(
        &self,
        client: ClientId,
        name: &str,
        version: Option<i32>,
    ) -> Result<Option<String>, StoreError>;
    /// What a segment was in each of its versions, newest first, at most 500; the instants are those at
    /// which each was saved.
    async fn segment_versions(&self, id: SegmentId) -> Result<Vec<Segment>, StoreError>;
    /// The expression with the segments that it names put in. The methods above do it by themselves; this
    /// one is for who wants to know whether it can be done, `own` being the name under which it is saved.
    ///
    /// # Errors
    /// `Conflict` says what is wrong with the names.
    async fn whole_segment(
        &self,
        client: ClientId,
        expr: &Expr,
        own: Option<&str>,
    ) -> Result<Expr, StoreError> {
        let mut known: BTreeMap<NamedKey, Expr> = BTreeMap::new();
        let mut wanted = named(expr);
        while let Some(key) = wanted.pop() {
            if known.contains_key(&key) {
                continue;
            }
            if known.len() >= NAMED_MAX {
                let text = format!("more than {NAMED_MAX} segments are named");
                return Err(StoreError::Conflict(text));
            }
            let Some(text) = self.segment_text(client, &key.0, key.1).await? else {
                continue;
            };
            let inner = parse(&text).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            wanted.extend(named(&inner));
            known.insert(key, inner);
        }
        expand(expr, &known, own).map_err(|e| StoreError::Conflict(e.reason))
    }
    /// Ids of a segment by page, for the property test against the in-memory evaluator.
    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError>;
    /// Whether this one debtor is in a segment; nobody else is looked at.
    async fn in_segment(
        &self,
        client: ClientId,
        debtor: DebtorId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<bool, StoreError>;
    /// A portfolio by name within a client.
    async fn portfolio_by_name(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Option<crate::entity::Portfolio>, StoreError>;
    /// Searches debtors of a client by reference, document (exact) or phone (exact E.164).
    async fn find_debtors(
        &self,
        client: Option<ClientId>,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError>;
    /// A page of debtors by id, as `list_debtors` gives them, without those of files that are half in.
    async fn debtor_page(
        &self,
        filter: &ListFilter,
        page: &PageRequest,
    ) -> Result<Page<Debtor>, StoreError>;
    /// Points of all of these debtors (as many as a page has), by debtor, position and id.
    async fn points_of(&self, debtors: &[DebtorId]) -> Result<Vec<ContactPoint>, StoreError>;
    /// Counts rows of the large tables, for `/readyz` pages and the demo summary: (table, rows).
    async fn table_counts(&self) -> Result<Vec<(String, i64)>, StoreError>;
    /// What is owed in a portfolio, without what it may be expected to bring.
    async fn portfolio_totals(&self, portfolio: PortfolioId) -> Result<SegmentCount, StoreError>;
}
