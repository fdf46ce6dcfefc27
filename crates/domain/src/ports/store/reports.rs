//! Figures, the marks of debts they need, goals, and what the morning review asks.

use super::StoreError;
use crate::entity::{CallResult, Channel, DebtMark, Goal, Promise};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtId, DebtorId, GoalId, PortfolioId, PromiseId};
use crate::money::Currency;
use crate::rules::ageing::AgeingSet;
use crate::rules::kpi::{KpiAsk, KpiFact, KpiRows, KpiSums};
use crate::time::UtcMs;
use async_trait::async_trait;
use uuid::Uuid;

/// Most debts that one call marks.
pub const MARK_STEP: u32 = 500;
/// Most debts that one call looks at.
pub const MARK_LOOK: u32 = 5_000;

/// Which debts are marked.
#[derive(Debug, Clone)]
pub struct MarkAsk {
    /// Of this portfolio.
    pub portfolio: PortfolioId,
    /// The local day, days since 1970.
    pub day: i64,
    /// The instant.
    pub at: UtcMs,
    /// Most debts, at most [`MARK_STEP`].
    pub limit: u32,
    /// Only debts behind this one: where the call before ended.
    pub after: Option<DebtId>,
    /// The buckets of the client now; marks of days before keep theirs.
    pub ageing: AgeingSet,
}

/// What one call has marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Debts.
    pub debts: u32,
    /// The last debt that was looked at; none when the portfolio is through.
    pub next: Option<DebtId>,
}

/// What of a portfolio's debts came in since a morning is asked.
#[derive(Debug, Clone)]
pub struct RecoveryAsk {
    /// Of this portfolio.
    pub portfolio: PortfolioId,
    /// The morning on which the debts stood open, days since 1970.
    pub day: i64,
    /// Money paid at or after: its local midnight.
    pub from: UtcMs,
    /// And before.
    pub to: UtcMs,
    /// The buckets of the client now, which the debts are put into though they had others then.
    pub ageing: AgeingSet,
}

/// A row behind a figure, with the debtor's reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiRow {
    /// The row.
    pub fact: KpiFact,
    /// The client's key of the debtor.
    pub external_ref: String,
}

/// Which page of the rows behind a figure.
#[derive(Debug, Clone, Copy)]
pub struct KpiPage {
    /// Only rows whose weight is not 0.
    pub weighted: bool,
    /// Behind this row of the page before.
    pub after: Option<(UtcMs, Uuid)>,
    /// Most rows.
    pub limit: u32,
}

/// Promises broken within a time.
#[derive(Debug, Clone, Copy)]
pub struct BrokenAsk {
    /// The client.
    pub client: ClientId,
    /// Closed at or after.
    pub from: UtcMs,
    /// And before.
    pub to: UtcMs,
    /// Behind this row of the page before.
    pub after: Option<(UtcMs, PromiseId)>,
    /// Most rows.
    pub limit: u32,
}

/// What was done about a debtor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtorActions {
    /// Whom.
    pub debtor_id: DebtorId,
    /// Attempts since the instant asked.
    pub attempts: i64,
    /// Messages that left since.
    pub messages: i64,
    /// Letters made since.
    pub letters: i64,
    /// The last of all of them.
    pub last_at: UtcMs,
    /// By which channel it was.
    pub last_channel: Channel,
    /// What it came to, of a call.
    pub last_result: Option<CallResult>,
    /// Its code, of a call.
    pub last_code: Option<String>,
}

impl DebtorActions {
    /// Takes one action more; of two at one instant the later told is the last.
    pub fn take(
        &mut self,
        at: UtcMs,
        channel: Channel,
        came_to: (Option<CallResult>, Option<String>),
    ) {
        match channel {
            Channel::Call => self.attempts += 1,
            Channel::Letter => self.letters += 1,
            _ => self.messages += 1,
        }
        if at >= self.last_at {
            self.last_at = at;
            self.last_channel = channel;
            (self.last_result, self.last_code) = came_to;
        }
    }

    /// Nothing done yet.
    #[must_use]
    pub const fn none(debtor_id: DebtorId) -> Self {
        Self {
            debtor_id,
            attempts: 0,
            messages: 0,
            letters: 0,
            last_at: UtcMs(i64::MIN),
            last_channel: Channel::Call,
            last_result: None,
            last_code: None,
        }
    }
}

/// How many promises broke, and how much was promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokenSums {
    /// Of any currency.
    pub rows: i64,
    /// Minor units of the currency asked.
    pub minor: i64,
}

/// What left in a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentCounts {
    /// Messages that a gateway took.
    pub messages: i64,
    /// Letters made for the printer.
    pub letters: i64,
}

/// Reports.
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Marks debts of a portfolio that stand otherwise than their last mark says, one mark a debt and
    /// day; the mark before ends. Each is told by `told` in the same transaction. Debts are gone through by
    /// their identity, [`MARK_LOOK`] at most in one call, so that all calls together look at each once.
    async fn mark_debts(
        &self,
        ask: &MarkAsk,
        told: &(dyn for<'a> Fn(&'a DebtMark) -> NewEvent + Send + Sync),
    ) -> Result<Marked, StoreError>;
    /// Keeps what came in since a morning on the debts of a portfolio that stood open then, by currency and by the
    /// bucket of the debtor's oldest of them, in place of what was kept before ([`crate::rules::recovery`]). Of a debt no
    /// more than it stood at counts, and what was taken back again does not.
    async fn measure_recovery(&self, ask: &RecoveryAsk) -> Result<(), StoreError>;
    /// Sums over the rows of a kind.
    async fn kpi_sums(&self, rows: KpiRows, ask: &KpiAsk) -> Result<KpiSums, StoreError>;
    /// The rows of a kind, by instant and identity.
    async fn kpi_rows(
        &self,
        rows: KpiRows,
        ask: &KpiAsk,
        page: &KpiPage,
    ) -> Result<Vec<KpiRow>, StoreError>;
    /// A goal.
    async fn get_goal(&self, id: GoalId) -> Result<Goal, StoreError>;
    /// Goals of a client by identity, withdrawn ones left out; `on` = only those of that local day,
    /// `YYYY-MM-DD`.
    async fn goals(
        &self,
        client: ClientId,
        on: Option<&str>,
        after: Option<GoalId>,
        limit: u32,
    ) -> Result<Vec<Goal>, StoreError>;
    /// Inserts or replaces a goal.
    async fn put_goal(&self, goal: &Goal, events: &[NewEvent]) -> Result<(), StoreError>;
    /// Promises that were broken within a time, by when they closed and identity.
    async fn broken_promises(&self, ask: &BrokenAsk) -> Result<Vec<Promise>, StoreError>;
    /// How many were broken within a time, whatever the page asked, and how much of a currency.
    async fn broken_sums(
        &self,
        ask: &BrokenAsk,
        currency: Option<Currency>,
    ) -> Result<BrokenSums, StoreError>;
    /// What of a client left at or after an instant and before another.
    async fn sent_counts(
        &self,
        client: ClientId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<SentCounts, StoreError>;
    /// What was done about each of these debtors since an instant, by debtor; who was left alone is
    /// left out.
    async fn actions_of(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
    ) -> Result<Vec<DebtorActions>, StoreError>;
}
