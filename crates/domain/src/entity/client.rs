//! Client and Portfolio.

use crate::ids::{ClientId, PortfolioId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// A creditor: the unit of isolation for data, limits and reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Identity.
    pub id: ClientId,
    /// Name shown to staff and said in messages.
    pub name: String,
    /// Number that debtors may call back, said in the safe-harbour message.
    pub callback_number: String,
    /// Created at.
    pub created_at: UtcMs,
}

crate::text_enum! {
    /// What the creditor is: some packs bind only one kind (Mexico: CONDUSEF or PROFECO).
    pub enum CreditorKind {
        /// Bank, lender, other financial entity.
        Financial = "financial",
        /// Shop or service that sold on credit.
        Commercial = "commercial",
    }
}

/// A client's set of debts of one kind, with its own policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portfolio {
    /// Identity.
    pub id: PortfolioId,
    /// Owner.
    pub client_id: ClientId,
    /// Name, unique within the client.
    pub name: String,
    /// Default currency of its debts.
    pub currency: Currency,
    /// Kind of creditor.
    pub creditor_kind: CreditorKind,
    /// Zone in which the portfolio's working day is counted (IANA).
    pub zone: String,
    /// Created at.
    pub created_at: UtcMs,
}
