//! Complaint: a case before an authority, with its number and the day by which it must be answered.

use crate::ids::{ClientId, ComplaintId, DebtorId};
use crate::pii::Pii;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where a complaint stands.
    pub enum ComplaintState {
        /// Awaits an answer.
        Open = "open",
        /// Answered, in time or not.
        Answered = "answered",
        /// Closed by the authority or withdrawn.
        Closed = "closed",
    }
}

/// A complaint of a debtor before an authority (REDECO, SERNAC, SIC, CFPB, …) or to the house itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Identity.
    pub id: ComplaintId,
    /// Owner.
    pub client_id: ClientId,
    /// Who complains.
    pub debtor_id: DebtorId,
    /// The authority.
    pub authority: String,
    /// Its number of the case.
    pub number: String,
    /// Received at.
    pub received_at: UtcMs,
    /// Local date by which it must be answered, `YYYY-MM-DD`.
    pub deadline: String,
    /// Where it stands.
    pub state: ComplaintState,
    /// What it is about.
    pub summary: Pii<String>,
    /// What was answered.
    pub answer: Option<Pii<String>>,
    /// Answered at.
    pub answered_at: Option<UtcMs>,
    /// Recorded at.
    pub created_at: UtcMs,
}
