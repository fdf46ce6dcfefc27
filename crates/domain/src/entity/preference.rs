//! Preference: what the debtor asked for about times, places and channels, and marks that call for
//! care; each with its proof.

use super::Channel;
use crate::ids::{DebtorId, PointId, PreferenceId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// What was asked for, or is to be heeded.
    pub enum PreferenceKind {
        /// Only between `from` and `to` (on `days`, or on all).
        OnlyBetween = "only_between",
        /// Not between `from` and `to` (on `days`, or on all).
        NotBetween = "not_between",
        /// May be reached beyond the legal hours, between `from` and `to`: a written instrument of its own.
        WiderHours = "wider_hours",
        /// Not by `channel`.
        NotChannel = "not_channel",
        /// By `channel` alone.
        OnlyChannel = "only_channel",
        /// Not at `point_id`.
        NotPoint = "not_point",
        /// Whoever answers (at `point_id`, or anywhere) is a minor.
        Minor = "minor",
        /// Is elderly.
        Elderly = "elderly",
        /// Is in poor health.
        Health = "health",
    }
}

impl PreferenceKind {
    /// Whether it is about hours of the day.
    #[must_use]
    pub const fn is_hours(self) -> bool {
        matches!(
            self,
            Self::OnlyBetween | Self::NotBetween | Self::WiderHours
        )
    }
}

/// A recorded preference or mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Identity.
    pub id: PreferenceId,
    /// Whose.
    pub debtor_id: DebtorId,
    /// What.
    pub kind: PreferenceKind,
    /// The channel it is about; `None` = all.
    pub channel: Option<Channel>,
    /// The point it is about; `None` = all.
    pub point_id: Option<PointId>,
    /// Local days, `mon` … `sun`; empty = all.
    pub days: Vec<String>,
    /// First local minute, `HH:MM`, for kinds about hours.
    pub from: Option<String>,
    /// End, `HH:MM` or `24:00`.
    pub to: Option<String>,
    /// Recorded at; in force from then.
    pub recorded_at: UtcMs,
    /// Ends at, when it has an end.
    pub until: Option<UtcMs>,
    /// Taken back at.
    pub revoked_at: Option<UtcMs>,
    /// Proof: reference to a document or recording.
    pub proof: String,
}

impl Preference {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn active_at(&self, now: UtcMs) -> bool {
        self.recorded_at <= now
            && self.until.is_none_or(|t| now < t)
            && self.revoked_at.is_none_or(|t| now < t)
    }
}
