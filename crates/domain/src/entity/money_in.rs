//! Promise and Payment.

use crate::ids::{AgentId, AttemptId, ClientId, DebtId, DebtorId, PaymentId, PromiseId};
use crate::money::Money;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Life of a promise; only posted payments close it (terms.md §6).
    pub enum PromiseState {
        /// Alive.
        Active = "active",
        /// Paid in time.
        Kept = "kept",
        /// At least half paid in time.
        KeptPartial = "kept_partial",
        /// Not paid in time.
        Broken = "broken",
        /// Withdrawn by a supervisor.
        Cancelled = "cancelled",
        /// Replaced by a new one.
        Replaced = "replaced",
    }
}

crate::text_enum! {
    /// How the debtor pays.
    pub enum PaymentChannel {
        /// Bank transfer.
        Transfer = "transfer",
        /// Cash at a shop or branch.
        Cash = "cash",
        /// Card by a payment page.
        Card = "card",
        /// Direct debit.
        Debit = "debit",
        /// Payment link.
        Link = "link",
        /// Other.
        Other = "other",
    }
}

/// A promise to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Identity.
    pub id: PromiseId,
    /// Owner.
    pub client_id: ClientId,
    /// Who promised.
    pub debtor_id: DebtorId,
    /// On which debt; one active promise per debt.
    pub debt_id: DebtId,
    /// In which call.
    pub attempt_id: Option<AttemptId>,
    /// Who took it.
    pub agent_id: Option<AgentId>,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// Local date due, `YYYY-MM-DD`.
    pub due_date: String,
    /// End of the grace (two business days after due, in the debtor's zone), half-open.
    pub grace_until: UtcMs,
    /// How it will be paid.
    pub channel: PaymentChannel,
    /// State.
    pub state: PromiseState,
    /// Made at.
    pub made_at: UtcMs,
    /// Closed at.
    pub closed_at: Option<UtcMs>,
}

/// Money seen from a trusted source. A reversal is a second row with a negative amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Identity.
    pub id: PaymentId,
    /// Owner.
    pub client_id: ClientId,
    /// Who paid.
    pub debtor_id: DebtorId,
    /// On which debt.
    pub debt_id: DebtId,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// When the money moved.
    pub paid_at: UtcMs,
    /// How.
    pub channel: PaymentChannel,
    /// The source's own reference; unique within the client, so that a repeat is no second payment.
    pub reference: String,
    /// The payment this row takes back.
    pub reverses: Option<PaymentId>,
    /// Posted at.
    pub posted_at: UtcMs,
}
