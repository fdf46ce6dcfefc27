//! What a question to the law was asked in: who asked, by which clock, showing which number, under which rate
//! (law.md §7). Part of the record of each decision, so that it can be made again.

use super::{CallerPick, CampaignSchedule, CampaignZones};
use crate::ids::{CallerIdId, OverrideId};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

/// The clock of whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSeen {
    /// Time since the process began, by the clock that never jumps, ms.
    pub mono_ms: i64,
    /// How far the machine's date is ahead of the instant asked with, ms; 0 = they agree.
    pub drift_ms: i64,
}

/// A number that a call would show, as the law looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerSeen {
    /// Which; none = the client's call-back number, which is in no list of ours.
    pub id: Option<CallerIdId>,
    /// The number, E.164; empty = none.
    pub number: String,
    /// Country it is a number of, ISO 3166.
    pub country: String,
    /// Whether it is on the list of the authority.
    pub registered: bool,
    /// Whether its carrier signs the calls that show it.
    pub signed: bool,
    /// When somebody last called it and came to us.
    pub callback_at: Option<UtcMs>,
    /// Calls of the company in the month so far, where they are counted.
    pub month_calls: Option<u64>,
    /// Why it is this one: `home`, `home_resting`, `abroad`, `abroad_resting`, `client`.
    pub why: String,
    /// How its campaign chooses among such numbers.
    #[serde(skip_serializing_if = "CallerPick::is_health")]
    pub pick: CallerPick,
}

/// The abandonment rate of the campaign in the window that is nearest to its cap. Numbers are thousandths: corrected
/// formulas have no whole ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AbandonSeen {
    /// Formula (law.md §4).
    pub formula: String,
    /// Abandoned, thousandths.
    pub numerator_m: i64,
    /// Answers, thousandths.
    pub denominator_m: i64,
    /// Cap, hundredths of a percent.
    pub cap_bp: i64,
    /// Mode in which the number is dialed.
    pub mode: String,
}

/// Who, when and with what. Everything is optional: a question about nobody's call has none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Circumstances {
    /// Who asked: `user:…`, `agent:…`, `key:…`, `node:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// His clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockSeen>,
    /// Days on which the campaign works.
    #[serde(skip_serializing_if = "CampaignSchedule::is_plain")]
    pub schedule: CampaignSchedule,
    /// Which evidence of the debtor's zone counts for the campaign.
    #[serde(skip_serializing_if = "CampaignZones::is_pack")]
    pub zone_policy: CampaignZones,
    /// The number that would be shown; none = no call is about to leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<CallerSeen>,
    /// The rate of abandonment under which it is dialed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandonment: Option<AbandonSeen>,
    /// What follows when it is allowed: `attempt:…`, `message:…`, `letter:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Until when the debtor is reserved for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_until: Option<UtcMs>,
    /// When it was asked, where that is not the instant that was judged: with the facts of then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<UtcMs>,
}

impl Circumstances {
    /// Whether nothing is known of them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A presumption that somebody relaxed for this action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideSeen {
    /// Which.
    pub id: OverrideId,
    /// The rule that would have refused.
    pub rule: String,
    /// Who did.
    pub by: String,
    /// The right he used.
    pub right: String,
    /// Why.
    pub reason: String,
}
