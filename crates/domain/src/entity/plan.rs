//! Plan, Instalment, Settlement: an agreed schedule that closes a debt.

use super::Role;
use crate::ids::{AgentId, AttemptId, ClientId, DebtId, DebtorId, InstalmentId, PlanId, UserId};
use crate::money::Currency;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Life of a plan (terms.md §6).
    pub enum PlanState {
        /// Drawn, shown to nobody.
        Draft = "draft",
        /// Above the authority of who drew it: waits for an answer.
        Offered = "offered",
        /// The creditor's side agrees.
        Approved = "approved",
        /// Accepted by the debtor; the first part is not paid yet.
        Signed = "signed",
        /// Being paid.
        Active = "active",
        /// Paid as agreed.
        Completed = "completed",
        /// An instalment was missed past its grace.
        Broken = "broken",
        /// Refused, withdrawn or replaced before it was signed.
        Cancelled = "cancelled",
    }
}

crate::text_enum! {
    /// Life of an instalment; only posted money pays it.
    pub enum InstalmentState {
        /// Owed.
        Due = "due",
        /// Paid in full.
        Paid = "paid",
        /// Not paid within its grace.
        Missed = "missed",
    }
}

impl PlanState {
    /// Whether the debtor has accepted it and it runs.
    #[must_use]
    pub const fn runs(self) -> bool {
        matches!(self, Self::Signed | Self::Active)
    }
    /// Whether it may still be accepted, or runs.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(
            self,
            Self::Offered | Self::Approved | Self::Signed | Self::Active
        )
    }
}

/// An agreement on one debt. Amounts in minor units of `currency`; its instalments are rows of their own
/// and add up to `agreed_minor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Identity.
    pub id: PlanId,
    /// Owner.
    pub client_id: ClientId,
    /// Who agrees.
    pub debtor_id: DebtorId,
    /// On which debt; one live plan a debt.
    pub debt_id: DebtId,
    /// In which call.
    pub attempt_id: Option<AttemptId>,
    /// Who drew it.
    pub agent_id: Option<AgentId>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Balance of the debt when it was drawn.
    pub balance_minor: i64,
    /// Of it interest.
    pub interest_minor: i64,
    /// Forgiven when the plan is paid as agreed (quita).
    pub quita_minor: i64,
    /// To be paid: balance less quita.
    pub agreed_minor: i64,
    /// Whether interest stops while the plan runs.
    pub freeze_interest: bool,
    /// Further reduction when the rest is paid before `early_until`.
    pub early_off_minor: i64,
    /// End of the incentive, half-open.
    pub early_until: Option<UtcMs>,
    /// Whether the quita lapses when the plan breaks; the contract says so.
    pub lapses: bool,
    /// Version of the client's terms it was drawn under; 0 = the house's own.
    pub policy_version: i32,
    /// State.
    pub state: PlanState,
    /// Until when an answer is waited for.
    pub asked_until: Option<UtcMs>,
    /// The least role that may answer.
    pub needs_role: Option<Role>,
    /// Why more is asked than the agent may give.
    pub ask_reason: Option<String>,
    /// Who answered.
    pub answered_by: Option<UserId>,
    /// The answer's reason; `timeout` when nobody answered.
    pub answer_reason: Option<String>,
    /// Hash of the document that was accepted.
    pub document_sha256: Option<String>,
    /// `link`: how it was accepted.
    pub accepted_channel: Option<String>,
    /// `document_end`: the identity step passed before.
    pub accepted_identity: Option<String>,
    /// Drawn at.
    pub made_at: UtcMs,
    /// Accepted at.
    pub signed_at: Option<UtcMs>,
    /// Completed, broken or cancelled at.
    pub closed_at: Option<UtcMs>,
}

/// One due part of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// Identity.
    pub id: InstalmentId,
    /// Of which plan.
    pub plan_id: PlanId,
    /// Place in the plan, from 1; the down payment is the first.
    pub position: i32,
    /// Local date due, `YYYY-MM-DD`.
    pub due_date: String,
    /// End of the grace, half-open.
    pub grace_until: UtcMs,
    /// How much, minor units.
    pub amount_minor: i64,
    /// Paid of it, minor units.
    pub paid_minor: i64,
    /// State.
    pub state: InstalmentState,
}

/// A plan with its instalments, first due first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The plan.
    pub plan: Plan,
    /// Its parts.
    pub instalments: Vec<Instalment>,
}
