//! Interest by the rule of a portfolio.

use super::StoreError;
use crate::entity::{Accrual, Debt, InterestRule};
use crate::event::NewEvent;
use crate::ids::{DebtId, PortfolioId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Why a rule is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefusal {
    /// Debts of the portfolio bear interest that the creditor gave: it is his figure or the rule, never both.
    #[error("debts of the portfolio bear interest that the creditor gave")]
    CreditorsFigures,
    /// Days on which another rule holds are not accrued anew.
    #[error("another rule holds from that day on")]
    Past,
}

/// Rules of interest, and what is owed by them.
#[async_trait]
pub trait InterestStore: Send + Sync {
    /// Rules of a portfolio, by the day from which each holds.
    async fn interest_rules(&self, portfolio: PortfolioId)
    -> Result<Vec<InterestRule>, StoreError>;
    /// Adds a rule, later than those that are there.
    async fn add_interest_rule(
        &self,
        row: &InterestRule,
        events: &[NewEvent],
    ) -> Result<Result<(), RuleRefusal>, StoreError>;
    /// Debts (at most 1,000) with the interest that their portfolios' rules have accrued by the local day of
    /// an instant, in the order given; nothing is written. One of a portfolio without a rule is as it was.
    async fn owed(&self, debts: &[Debt], at: UtcMs) -> Result<Vec<Debt>, StoreError>;
    /// How far the rule's interest is in the stored figures of debts; without those it is not in at all.
    async fn accruals_of(&self, debts: &[DebtId]) -> Result<Vec<Accrual>, StoreError>;
}
