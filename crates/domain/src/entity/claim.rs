//! Claim: a payment that a debtor says he made, and what came of looking for it.

use crate::ids::{AgentId, AttemptId, ClaimId, ClientId, DebtorId, PaymentId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

use super::PaymentChannel;

crate::text_enum! {
    /// Life of a claim.
    pub enum ClaimState {
        /// Nobody has found the payment yet.
        Open = "open",
        /// A payment of the debtor was found to be it.
        Found = "found",
        /// It was looked for and is not there.
        NotFound = "not_found",
    }
}

/// A payment that a debtor says he made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Identity: that of its call.
    pub id: ClaimId,
    /// Owner.
    pub client_id: ClientId,
    /// Who says so.
    pub debtor_id: DebtorId,
    /// In which call.
    pub attempt_id: AttemptId,
    /// To whom.
    pub agent_id: Option<AgentId>,
    /// Local date on which he says he paid, `YYYY-MM-DD`.
    pub paid_on: String,
    /// How he says he paid.
    pub channel: PaymentChannel,
    /// Whether he has a proof of it.
    pub proof: bool,
    /// When he said it.
    pub made_at: UtcMs,
    /// State.
    pub state: ClaimState,
    /// The payment that it was found to be.
    pub payment_id: Option<PaymentId>,
    /// Why it was not found.
    pub reason: String,
    /// Who closed it; `system` = by the payment's date.
    pub ended_by: String,
    /// Closed at.
    pub ended_at: Option<UtcMs>,
}
