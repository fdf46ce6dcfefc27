//! Strategies and what they plan beside messages.

use super::{Page, PageRequest, StoreError};
use crate::entity::{PlannedState, PlannedStep, StepAction, Strategy, StrategyTrigger};
use crate::event::NewEvent;
use crate::ids::{ClientId, DebtId, DebtorId, PlannedStepId, PortfolioId, PromiseId, StrategyId};
use crate::money::Currency;
use crate::time::UtcMs;
use async_trait::async_trait;
use uuid::Uuid;

/// Which dates a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanAsk {
    /// Client.
    pub client: ClientId,
    /// Only this portfolio's debts.
    pub portfolio: Option<PortfolioId>,
    /// Kind of date.
    pub trigger: StrategyTrigger,
    /// First day, days since 1970.
    pub from_day: i64,
    /// Last day, inclusive.
    pub to_day: i64,
    /// Behind this source of the page before.
    pub after: Option<Uuid>,
    /// Most rows.
    pub limit: u32,
}

/// A date that steps are counted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSource {
    /// Row behind it (debt, promise or instalment); pages go by it.
    pub id: Uuid,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Debt.
    pub debt_id: DebtId,
    /// The promise, when it is one.
    pub promise_id: Option<PromiseId>,
    /// Local date, `YYYY-MM-DD`.
    pub date: String,
}

impl PlanSource {
    /// Key of a step planned from it: the same date gives the same key, a new date a new one.
    #[must_use]
    pub fn key(&self, trigger: StrategyTrigger, strategy: StrategyId, step: &str) -> String {
        format!("{trigger}:{}:{}:{strategy}:{step}", self.id, self.date)
    }
}

/// Which planned steps; by due instant.
#[derive(Debug, Clone, Default)]
pub struct StepAsk {
    /// Only this client's.
    pub client: Option<ClientId>,
    /// Only this debtor's.
    pub debtor: Option<DebtorId>,
    /// Only in this state.
    pub state: Option<PlannedState>,
    /// Only this action.
    pub action: Option<StepAction>,
    /// Due at or before.
    pub until: Option<UtcMs>,
    /// Behind this row of the page before.
    pub after: Option<(UtcMs, PlannedStepId)>,
    /// Most rows.
    pub limit: u32,
}

/// What a strategy did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StrategyFigures {
    /// Messages by state.
    pub messages: Vec<(String, u64)>,
    /// Debtors for whom a step came due: carried out, refused by the law, or taken back after its instant.
    pub debtors: u64,
    /// Of them, who paid more than was taken back, of money dated since their first step.
    pub payers: u64,
    /// What they paid since then, less what was taken back of it, by currency, minor units.
    pub paid: Vec<(Currency, i64)>,
    /// What the messages cost, by currency, millionths.
    pub cost: Vec<(Currency, i64)>,
    /// Calls that were carried out, by the currency of their debts.
    pub calls: Vec<(Currency, u64)>,
}

/// What came of a call that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepCalled {
    /// The debtor stands at the head of his campaign.
    Called,
    /// He is not called, for that reason.
    Refused(&'static str),
    /// The step has ended already, or its debtor paid since it was planned, which ends it.
    Gone,
}

/// Strategies.
#[async_trait]
pub trait StrategyStore: Send + Sync {
    /// Inserts or replaces a strategy and keeps its version.
    async fn put_strategy(&self, row: &Strategy, events: &[NewEvent]) -> Result<(), StoreError>;
    /// A strategy.
    async fn get_strategy(&self, id: StrategyId) -> Result<Strategy, StoreError>;
    /// A page of strategies by id.
    async fn strategies(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<Strategy>, StoreError>;
    /// Every version of a strategy, oldest first.
    async fn strategy_versions(&self, id: StrategyId) -> Result<Vec<Strategy>, StoreError>;
    /// Every strategy that plans.
    async fn active_strategies(&self) -> Result<Vec<Strategy>, StoreError>;
    /// Dates that steps are counted from, by id: of open debts unless money since then paid all that was overdue
    /// of them, active promises, due instalments.
    async fn plan_sources(&self, ask: &PlanAsk) -> Result<Vec<PlanSource>, StoreError>;
    /// Plans steps; one whose plan key its client has already is left out. Gives how many are new.
    async fn plan_steps(
        &self,
        rows: &[PlannedStep],
        events: &[NewEvent],
    ) -> Result<u64, StoreError>;
    /// A planned step.
    async fn get_step(&self, id: PlannedStepId) -> Result<PlannedStep, StoreError>;
    /// A page.
    async fn steps_page(&self, ask: &StepAsk) -> Result<Vec<PlannedStep>, StoreError>;
    /// Ends a planned step; `false` when it has ended already.
    async fn end_step(
        &self,
        id: PlannedStepId,
        state: PlannedState,
        reason: &str,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
    /// In one transaction: ends a step that is a call and puts its debtor at the head of its campaign, as
    /// [`called`](crate::rules::strategy::called) has it; `told` is written with it.
    async fn call_step(
        &self,
        id: PlannedStepId,
        now: UtcMs,
        told: &[NewEvent],
    ) -> Result<StepCalled, StoreError>;
    /// What a strategy did.
    async fn strategy_figures(&self, id: StrategyId) -> Result<StrategyFigures, StoreError>;
}
