//! Terms of clients, and plans with their instalments.

use super::{Page, PageRequest, StoreError};
use crate::entity::{Forgiven, Language, Plan, PlanFile, PlanState, PolicyVersion};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtId, DebtorId, PlanId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Most plans of one debtor that are read at once.
pub const PLANS_OF_MAX: u32 = 50;

/// Why a plan is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// Its instalments are not the agreement (invariant 10).
    #[error("the instalments do not add up to the agreement")]
    Sum,
    /// The debt has a plan that the debtor has accepted.
    #[error("the debt has a plan that runs")]
    Runs(PlanId),
    /// The debt is not open, or its balance is not the plan's.
    #[error("the debt has another balance now")]
    Balance,
}

/// Narrows a list of plans.
#[derive(Debug, Clone, Default)]
pub struct PlanFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only in this state.
    pub state: Option<PlanState>,
}

/// A document as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDocument {
    /// Its bytes (PDF).
    pub pdf: Vec<u8>,
    /// Their SHA-256, lower-case hex.
    pub sha256: String,
}

/// Terms of clients and plans.
#[async_trait]
pub trait PlanStore: Send + Sync {
    /// The terms in force; `None` = the house's own.
    async fn policy_of(&self, client: ClientId) -> Result<Option<PolicyVersion>, StoreError>;
    /// Versions of a client's terms, newest first.
    async fn policies_of(
        &self,
        client: ClientId,
        limit: u32,
    ) -> Result<Vec<PolicyVersion>, StoreError>;
    /// Adds a version; `Conflict` unless it is the next one.
    async fn add_policy(&self, row: &PolicyVersion, events: &[NewEvent]) -> Result<(), StoreError>;
    /// Keeps a new plan; one that waits or was not signed yet on the same debt is cancelled by it.
    async fn draw_plan(
        &self,
        file: &PlanFile,
        events: &[NewEvent],
    ) -> Result<Result<(), PlanRefusal>, StoreError>;
    /// A plan with its instalments.
    async fn get_plan(&self, id: PlanId) -> Result<PlanFile, StoreError>;
    /// A page of plans, oldest first.
    async fn plans_page(
        &self,
        filter: &PlanFilter,
        page: &PageRequest,
    ) -> Result<Page<Plan>, StoreError>;
    /// Plans of a debtor, newest first, at most [`PLANS_OF_MAX`].
    async fn plans_of(&self, debtor: DebtorId) -> Result<Vec<PlanFile>, StoreError>;
    /// Replaces the plan's row when it still stands in `from`; `false` when it does not. A plan that runs
    /// from here on silences its debt until the grace of its first instalment is over.
    async fn move_plan(
        &self,
        plan: &Plan,
        from: PlanState,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// Keeps the document of a plan as it was shown, by language; the first one stays.
    async fn keep_document(
        &self,
        plan: PlanId,
        language: Language,
        document: &PlanDocument,
    ) -> Result<(), StoreError>;
    /// The document of a plan as it was shown.
    async fn document_of(
        &self,
        plan: PlanId,
        language: Language,
    ) -> Result<Option<PlanDocument>, StoreError>;
    /// What plans forgave of a debt, oldest first; a row with negative parts took an earlier one back.
    async fn forgiven_of(&self, debt: DebtId) -> Result<Vec<Forgiven>, StoreError>;
    /// Plans whose answer is waited for, oldest first, at most 500.
    async fn plans_asked(&self) -> Result<Vec<Plan>, StoreError>;
    /// Ends what time ends: asks that nobody answered are cancelled with the reason `timeout`, plans with
    /// an instalment missed past its grace are broken and their debtors lead the queue. Each is told in
    /// the same transaction (`plan.answered`, `instalment.missed`, `plan.broken`). Gives the plans it moved.
    async fn sweep_plans(&self, now: UtcMs, limit: u32) -> Result<Vec<Plan>, StoreError>;
}
