//! Override: a presumption of the law that a person with the right relaxed for one call to one debtor.

use crate::ids::{ClientId, DebtorId, OverrideId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// The right that relaxes a presumption.
pub const RELAX_RIGHT: &str = "relax_presumption";

/// A relaxed presumption. It is used up by the first contact after it, and ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Identity.
    pub id: OverrideId,
    /// Owner.
    pub client_id: ClientId,
    /// For whom.
    pub debtor_id: DebtorId,
    /// Rule relaxed, as `us-federal/reg_f_7in7`.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// Who: `user:…`, `key:…`.
    pub granted_by: String,
    /// The right used.
    pub granted_right: String,
    /// Since.
    pub granted_at: UtcMs,
    /// Until, at the latest.
    pub until: UtcMs,
    /// Taken back.
    pub withdrawn_at: Option<UtcMs>,
}

impl Override {
    /// Whether it holds at an instant, used or not.
    #[must_use]
    pub fn active_at(&self, at: UtcMs) -> bool {
        self.granted_at <= at && at < self.until && self.withdrawn_at.is_none_or(|t| at < t)
    }
}
