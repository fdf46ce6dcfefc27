//! Debtor files: import, segments, one file.

use super::StoreError;
use crate::entity::{Attempt, Consent, ContactPoint, Debt, Debtor, Hold, Party, Payment, Promise};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtorId, ImportId, PortfolioId};
use crate::segment::Expr;
use crate::time::UtcMs;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One validated row of a portfolio file: a debtor with one debt and his points.
#[derive(Debug, Clone)]
pub struct DebtorRow {
    /// Line in the file, 1 = header.
    pub line: u64,
    /// The debtor; matched by `external_ref` within the portfolio, the stored id then wins.
    pub debtor: Debtor,
    /// The debt; matched by `external_ref` within the portfolio.
    pub debt: Debt,
    /// The titular and other parties.
    pub parties: Vec<Party>,
    /// Points; matched by value within the debtor.
    pub points: Vec<ContactPoint>,
    /// Consents that came with the row.
    pub consents: Vec<Consent>,
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
    /// Rows equal to what is stored.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
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
    /// Ids of a segment by page, for the property test against the in-memory evaluator.
    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError>;
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
    /// Counts rows of the large tables, for `/readyz` pages and the demo summary: (table, rows).
    async fn table_counts(&self) -> Result<Vec<(String, i64)>, StoreError>;
    /// Portfolios' import marks.
    async fn portfolio_totals(&self, portfolio: PortfolioId) -> Result<SegmentCount, StoreError>;
}
