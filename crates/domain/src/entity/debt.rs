//! Debt.

use crate::ids::{ClientId, DebtId, DebtorId, PortfolioId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Life of a debt.
    pub enum DebtStatus {
        /// Owed.
        Open = "open",
        /// Paid in full.
        Paid = "paid",
        /// Taken back by the client.
        Recalled = "recalled",
        /// Written off or sold.
        Closed = "closed",
    }
}

/// One debt. Amounts in minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// Identity.
    pub id: DebtId,
    /// Who owes.
    pub debtor_id: DebtorId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// The client's number of the credit or contract, unique within the portfolio.
    pub external_ref: String,
    /// Product name (`tarjeta`, `préstamo personal`).
    pub product: String,
    /// Currency.
    pub currency: Currency,
    /// Principal.
    pub principal_minor: i64,
    /// Interest.
    pub interest_minor: i64,
    /// Fees.
    pub fees_minor: i64,
    /// Part that is overdue.
    pub overdue_minor: i64,
    /// Least payment asked.
    pub minimum_minor: i64,
    /// Local date of the oldest unpaid item, `YYYY-MM-DD`.
    pub due_date: String,
    /// Status.
    pub status: DebtStatus,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

impl Debt {
    /// Principal + interest + fees, saturating.
    #[must_use]
    pub const fn balance_minor(&self) -> i64 {
        self.principal_minor
            .saturating_add(self.interest_minor)
            .saturating_add(self.fees_minor)
    }
}
