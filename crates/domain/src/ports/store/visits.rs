//! Visits.

use super::StoreError;
use crate::entity::{LedgerRow, Verdict, Visit, VisitOutcome};
use crate::event::NewEvent;
use crate::ids::{DebtorId, VisitId};
use crate::law::{Action, Judge};
use crate::pii::Pii;
use crate::time::UtcMs;
use async_trait::async_trait;

/// A visit that somebody wants to make.
#[derive(Debug, Clone)]
pub struct VisitDraft {
    /// As it is planned.
    pub visit: Visit,
    /// What is asked of the law, at check point `visit` and at the planned instant.
    pub action: Action,
    /// The row that counts it from now on.
    pub ledger: LedgerRow,
    /// Event `visit.planned`.
    pub events: Vec<NewEvent>,
}

/// Whether a visit may be made.
#[derive(Debug, Clone)]
pub enum VisitPlanned {
    /// It is planned and counted.
    Planned,
    /// The law refused; the decision is stored.
    Refused(Box<Verdict>),
    /// His debts are closed or held.
    Stopped(&'static str),
    /// Another visit to him waits for what came of it.
    Another(VisitId),
}

/// How a visit ended.
#[derive(Debug, Clone)]
pub struct VisitEnd {
    /// Whom it met; `None` = it was given back before anybody went.
    pub outcome: Option<VisitOutcome>,
    /// When it was made.
    pub visited_at: Option<UtcMs>,
    /// Code of the disposition.
    pub result: Option<String>,
    /// What was noted.
    pub note: Pii<String>,
    /// Why it was given back.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// Now.
    pub at: UtcMs,
}

/// Visits.
#[async_trait]
pub trait VisitStore: Send + Sync {
    /// In one transaction: loads the facts as they are when the visit is planned, asks `judge` about its instant,
    /// stores the verdict and, when it permits, the visit with its ledger row. A debtor has one planned visit.
    async fn plan_visit(
        &self,
        draft: &VisitDraft,
        judge: &dyn Judge,
    ) -> Result<VisitPlanned, StoreError>;
    /// Ends a planned visit and settles its ledger row
    /// ([`settled`](crate::rules::visit::settled)); `false` when it had ended before.
    async fn end_visit(
        &self,
        id: VisitId,
        end: &VisitEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Gives back planned visits that must not be made any more: the debtor's debts are closed or held, or he paid
    /// since. Each is told by `told` in the same transaction.
    async fn withdraw_visits(
        &self,
        debtor: DebtorId,
        now: UtcMs,
        told: &(dyn for<'a> Fn(&'a Visit) -> NewEvent + Send + Sync),
    ) -> Result<Vec<Visit>, StoreError>;
    /// A visit.
    async fn get_visit(&self, id: VisitId) -> Result<Visit, StoreError>;
    /// Visits of a debtor older than `before`, newest first.
    async fn visits_of(
        &self,
        debtor: DebtorId,
        before: Option<VisitId>,
        limit: u32,
    ) -> Result<Vec<Visit>, StoreError>;
}
