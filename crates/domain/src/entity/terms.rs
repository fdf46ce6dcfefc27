//! What a client allows: a versioned document that offers, promises and stages follow, and the rows
//! that stages and excuses leave.

use super::HoldKind;
use crate::ids::{
    AgentId, AttemptId, ClientId, DebtId, DebtorId, ExcuseId, PolicyId, PromiseId, UserId,
};
use crate::rules::offers::ClientTerms;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// A version of a client's terms; the newest is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Identity.
    pub id: PolicyId,
    /// Whose.
    pub client_id: ClientId,
    /// From 1, without holes.
    pub version: i32,
    /// What they say.
    pub terms: ClientTerms,
    /// What changed and why.
    pub note: String,
    /// Who wrote it.
    pub made_by: Option<UserId>,
    /// In force since.
    pub made_at: UtcMs,
}

crate::text_enum! {
    /// Where a debt stands on its way (terms.md §6).
    pub enum Stage {
        /// Not due yet.
        Preventive = "preventive",
        /// The creditor's own reminders.
        Administrative = "administrative",
        /// An agency or team works it.
        Extrajudicial = "extrajudicial",
        /// Last demand before court.
        Prejudicial = "prejudicial",
        /// Before a court.
        Judicial = "judicial",
        /// Given up.
        WrittenOff = "written_off",
        /// Sold.
        Sold = "sold",
    }
}

impl Stage {
    /// Whether it leads to a court, so that the debt's statute date counts.
    #[must_use]
    pub const fn to_court(self) -> bool {
        matches!(self, Self::Prejudicial | Self::Judicial)
    }

    /// Whether a court may still have to be asked.
    #[must_use]
    pub const fn before_court(self) -> bool {
        !matches!(self, Self::Judicial | Self::WrittenOff | Self::Sold)
    }

    /// The next one a debt is escalated to; the last three end the way.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Preventive => Some(Self::Administrative),
            Self::Administrative => Some(Self::Extrajudicial),
            Self::Extrajudicial => Some(Self::Prejudicial),
            Self::Prejudicial => Some(Self::Judicial),
            Self::Judicial => Some(Self::WrittenOff),
            Self::WrittenOff | Self::Sold => None,
        }
    }

    /// What holds contact about a debt that is in it: the court's word, or that the debt is not ours any more.
    /// One that is written off is owed as before and is collected on; no terms of a client say otherwise, so who
    /// wants it left alone places a hold.
    #[must_use]
    pub const fn hold(self) -> Option<HoldKind> {
        match self {
            Self::Judicial => Some(HoldKind::Judicial),
            Self::Sold => Some(HoldKind::Recalled),
            Self::Preventive
            | Self::Administrative
            | Self::Extrajudicial
            | Self::Prejudicial
            | Self::WrittenOff => None,
        }
    }
}

crate::text_enum! {
    /// What of a debt can be shown to a court, as far as it is stored.
    pub enum Evidence {
        /// Number of an identity document.
        Identity = "identity",
        /// A postal address that is not known to be wrong.
        Address = "address",
        /// A point over which he himself was reached.
        Contact = "contact",
        /// Invoices or other due items of the debt.
        Items = "items",
        /// A demand in writing: a letter L3 or L4 about the debt.
        Demand = "demand",
        /// An agreement on the debt that he accepted.
        Agreement = "agreement",
    }
}

/// Which evidence of a debt is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvidenceHeld {
    /// [`Evidence::Identity`].
    pub identity: bool,
    /// [`Evidence::Address`].
    pub address: bool,
    /// [`Evidence::Contact`].
    pub contact: bool,
    /// [`Evidence::Items`].
    pub items: bool,
    /// [`Evidence::Demand`].
    pub demand: bool,
    /// [`Evidence::Agreement`].
    pub agreement: bool,
}

impl EvidenceHeld {
    /// Whether this one is there.
    #[must_use]
    pub const fn has(self, kind: Evidence) -> bool {
        match kind {
            Evidence::Identity => self.identity,
            Evidence::Address => self.address,
            Evidence::Contact => self.contact,
            Evidence::Items => self.items,
            Evidence::Demand => self.demand,
            Evidence::Agreement => self.agreement,
        }
    }
}

/// Where one debt stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtStage {
    /// The debt.
    pub debt_id: DebtId,
    /// Owner.
    pub client_id: ClientId,
    /// Who owes.
    pub debtor_id: DebtorId,
    /// The stage.
    pub stage: Stage,
    /// In it since.
    pub entered_at: UtcMs,
    /// When it has to have left it; `None` without a limit.
    pub deadline: Option<UtcMs>,
    /// Who is told when it has not.
    pub owner_id: Option<UserId>,
    /// When he was told.
    pub late_at: Option<UtcMs>,
    /// The statute date of the debt that he was told is near; one that is moved is told of again.
    #[serde(default)]
    pub statute_told: Option<String>,
    /// Who put it there (`user:…`, `system`).
    pub moved_by: String,
    /// Why.
    pub reason: String,
}

crate::text_enum! {
    /// Why a debtor says that he did not pay.
    pub enum ExcuseKind {
        /// No income.
        Unemployed = "unemployed",
        /// Paid late himself.
        PaidLate = "paid_late",
        /// Illness or death in the family.
        Illness = "illness",
        /// Forgot.
        Forgot = "forgot",
        /// Could not reach where he pays.
        NoAccess = "no_access",
        /// Says that he paid.
        SaysPaid = "says_paid",
        /// Does not agree with the amount.
        Disagrees = "disagrees",
        /// Something else.
        Other = "other",
    }
}

/// An excuse as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excuse {
    /// Identity.
    pub id: ExcuseId,
    /// Owner.
    pub client_id: ClientId,
    /// Who gave it.
    pub debtor_id: DebtorId,
    /// For which broken promise.
    pub promise_id: Option<PromiseId>,
    /// In which call.
    pub attempt_id: AttemptId,
    /// Who heard it.
    pub agent_id: Option<AgentId>,
    /// What kind.
    pub kind: ExcuseKind,
    /// When.
    pub at: UtcMs,
}
