//! Claims of payment.

use super::{Page, PageRequest, StoreError};
use crate::entity::{Claim, ClaimState};
use crate::event::NewEvent;
use crate::ids::{ClaimId, ClientId, DebtorId, PaymentId, PortfolioId};
use crate::time::UtcMs;
use async_trait::async_trait;

/// Why a debtor is due again whose payment was looked for and is not there: the note of his item.
pub const CLAIM_NOT_FOUND: &str = "claim_not_found";

/// Which claims, oldest first.
#[derive(Debug, Clone, Default)]
pub struct ClaimFilter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only of debtors of this portfolio.
    pub portfolio_id: Option<PortfolioId>,
    /// Only this debtor's.
    pub debtor_id: Option<DebtorId>,
    /// Only in this state.
    pub state: Option<ClaimState>,
}

/// How a claim is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimEnd {
    /// The payment that it was found to be; `None` = it is not there.
    pub payment_id: Option<PaymentId>,
    /// Why it was not found.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// Now.
    pub at: UtcMs,
}

/// Claims of payment. They are made with their disposition ([`super::Closing::claim`]): found at once where a payment
/// that is meant ([`crate::rules::claim::is_meant`]) is posted already, and by themselves in the transaction that
/// posts one.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// A claim.
    async fn get_claim(&self, id: ClaimId) -> Result<Claim, StoreError>;
    /// A page of them.
    async fn claims_page(
        &self,
        filter: &ClaimFilter,
        page: &PageRequest,
    ) -> Result<Page<Claim>, StoreError>;
    /// Claims of a debtor, newest first.
    async fn claims_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Claim>, StoreError>;
    /// Closes an open claim; `false` when it was closed before. Where the payment is not there the debtor is due again
    /// in the campaign of that call, unless a later call there had a disposition.
    async fn end_claim(
        &self,
        id: ClaimId,
        end: &ClaimEnd,
        events: &[NewEvent],
    ) -> Result<bool, StoreError>;
}
