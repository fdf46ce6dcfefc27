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
    /// Last local date on which a court may be asked for it (prescripción), `YYYY-MM-DD`; `None` = not known.
    #[serde(default)]
    pub statute_date: Option<String>,
    /// Status.
    pub status: DebtStatus,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

/// Most due items of a debt: ten years of months.
pub const DEBT_ITEMS_MAX: usize = 120;
/// Most characters of an item's reference.
pub const ITEM_REFERENCE_CHARS: usize = 64;

/// One due item of a debt, an invoice (terms.md §1): a part of its principal with a day of its own. What of
/// it is open follows from the principal that is still owed (`rules::due_items`) and is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtItem {
    /// Of which debt.
    pub debt_id: DebtId,
    /// The client's number of the invoice or part, unique within the debt.
    pub reference: String,
    /// Local date on which it falls due, `YYYY-MM-DD`.
    pub due_date: String,
    /// What it was of, minor units of the debt's currency; above 0.
    pub amount_minor: i64,
}

impl Debt {
    /// Keeps what is known of the debt and a file leaves out.
    pub fn keep_known(&mut self, stored: &Self) {
        if self.statute_date.is_none() {
            self.statute_date.clone_from(&stored.statute_date);
        }
    }

    /// Principal + interest + fees, saturating.
    #[must_use]
    pub const fn balance_minor(&self) -> i64 {
        self.principal_minor
            .saturating_add(self.interest_minor)
            .saturating_add(self.fees_minor)
    }

    /// Least payment as it is told: what was asked, never more than what is overdue, or than the balance where
    /// nothing is. The stored figure is the creditor's and stays, so that money given back needs no second one.
    #[must_use]
    pub fn least_payment_minor(&self) -> i64 {
        let balance = self.balance_minor();
        let owed = if self.overdue_minor > 0 {
            self.overdue_minor.min(balance)
        } else {
            balance
        };
        self.minimum_minor.min(owed).max(0)
    }
}
