//! Visit: planned for an address of the debtor's file, and what came of it.

use crate::ids::{AddressId, ClientId, DebtId, DebtorId, VerdictId, VisitId};
use crate::pii::Pii;
use crate::time::{DAY_MS, UtcMs};
use serde::{Deserialize, Serialize};

/// Farthest ahead that a visit is planned: what the law says of a day further away is worth little, days.
pub const VISIT_AHEAD_DAYS: i64 = 30;
/// Farthest from the instant it was judged for that a visit may have been made, ms.
pub const VISIT_SLACK_MS: i64 = DAY_MS;

crate::text_enum! {
    /// Life of a visit.
    pub enum VisitState {
        /// Allowed, counted, and nobody said yet what came of it.
        Planned = "planned",
        /// Made; its outcome says whom it met.
        Made = "made",
        /// Given back before anybody went.
        Cancelled = "cancelled",
    }
}

crate::text_enum! {
    /// Whom a visit met.
    pub enum VisitOutcome {
        /// Who owes.
        Met = "met",
        /// Somebody else.
        OtherPerson = "other_person",
        /// Nobody.
        Nobody = "nobody",
    }
}

/// A visit in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Identity.
    pub id: VisitId,
    /// Owner.
    pub client_id: ClientId,
    /// To whom.
    pub debtor_id: DebtorId,
    /// Where: an address of his file.
    pub address_id: AddressId,
    /// Debts that it is about.
    pub debts: Vec<DebtId>,
    /// When, as the law was asked.
    pub planned_at: UtcMs,
    /// State.
    pub state: VisitState,
    /// The decision that allowed it.
    pub verdict_id: VerdictId,
    /// Who planned it.
    pub made_by: String,
    /// Planned at.
    pub made_at: UtcMs,
    /// When it was made.
    pub visited_at: Option<UtcMs>,
    /// Whom it met.
    pub outcome: Option<VisitOutcome>,
    /// Code of the disposition, where it met who owes.
    pub result: Option<String>,
    /// What was noted.
    pub note: Pii<String>,
    /// Why it was cancelled.
    pub reason: String,
    /// Who recorded or cancelled it.
    pub ended_by: String,
    /// Recorded or cancelled at.
    pub ended_at: Option<UtcMs>,
}
