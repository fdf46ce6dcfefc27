//! What was recovered of the debts of a portfolio over the last days, by how old they were.

use super::Bucket;
use crate::ids::{ClientId, PortfolioId};
use crate::money::Currency;
use serde::{Deserialize, Serialize};

/// Debts of a portfolio in one bucket and currency that stood open on a morning, and what came in on them since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySum {
    /// Portfolio.
    pub portfolio_id: PortfolioId,
    /// Owner.
    pub client_id: ClientId,
    /// Currency of the amounts.
    pub currency: Currency,
    /// Bucket of the debtor's oldest open debt on that morning.
    pub bucket: Bucket,
    /// The morning, days since 1970.
    pub day: i64,
    /// Debts.
    pub debts: i64,
    /// Their balance on that morning, minor units.
    pub balance_minor: i64,
    /// What was paid on them since, of each no more than its balance; minor units.
    pub recovered_minor: i64,
}
