//! Verdict: a stored decision with everything that made it (law.md §7).

use super::{Channel, Circumstances, OverrideSeen, PartyRole};
use crate::ids::{
    CampaignId, ClientId, ConsentId, DebtId, DebtorId, HoldId, LedgerId, PartyId, PointId,
    PreferenceId, SuppressionId, VerdictId,
};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Where in the flow the decision was asked for (law.md §2.6).
    pub enum CheckPoint {
        /// When a list is loaded: report only.
        Load = "load",
        /// When the hopper is filled.
        Hopper = "hopper",
        /// At dial time: binding.
        Dial = "dial",
        /// Before a retry.
        Retry = "retry",
        /// Before a transfer or conference.
        Transfer = "transfer",
        /// Before a message.
        Message = "message",
        /// A person dials by hand or asks.
        Manual = "manual",
        /// An agreed call-back.
        Callback = "callback",
        /// Before a visit.
        Visit = "visit",
    }
}

crate::text_enum! {
    /// Why a contact is refused; the `blocked_*` results of terms.md §3.
    pub enum BlockReason {
        /// Outside legal or campaign hours, or a holiday.
        Window = "blocked_window",
        /// A cap, gap or cool-off.
        Cap = "blocked_cap",
        /// A hold.
        Hold = "blocked_hold",
        /// Listed.
        Suppressed = "blocked_suppressed",
        /// Any other rule: no pack, no zone, no authorised point.
        Rule = "blocked_rule",
    }
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// May be contacted.
    Allow,
    /// Only with an agent reserved first: no over-dialing.
    AllowAgentOnly,
    /// Not now; `until` is the next legal instant.
    Defer {
        /// Next legal instant.
        until: UtcMs,
    },
    /// No.
    Deny,
}

impl Decision {
    /// Whether contact may go on (given an agent is reserved when `agent_reserved`).
    #[must_use]
    pub const fn permits(self, agent_reserved: bool) -> bool {
        match self {
            Self::Allow => true,
            Self::AllowAgentOnly => agent_reserved,
            Self::Defer { .. } | Self::Deny => false,
        }
    }
    /// `allow`, `allow_agent_only`, `defer`, `deny`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AllowAgentOnly => "allow_agent_only",
            Self::Defer { .. } => "defer",
            Self::Deny => "deny",
        }
    }
}

/// One rule that spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// `co/one_contact_day`, `house/parties`, `hold/dispute`.
    pub rule: String,
    /// Reason in Spanish.
    pub es: String,
    /// Reason in English.
    pub en: String,
    /// Whether this rule refused (false: it was tested and passed, and is named for the record).
    pub refused: bool,
}

/// A pack that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackRef {
    /// Pack id.
    pub id: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the pack file, hex.
    pub hash: String,
    /// Sections of the pack that this engine does not judge yet; each fell to the house floor or denied.
    pub unjudged: Vec<String>,
}

/// A zone that the debtor may be in, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneEvidence {
    /// IANA name.
    pub zone: String,
    /// `prefix`, `address`, `told`.
    pub evidence: String,
    /// Local time there at the decision, `2026-11-23T09:15:00-05:00`.
    pub local: String,
}

/// A counter that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterCheck {
    /// Rule id.
    pub rule: String,
    /// Rows counted.
    pub value: u32,
    /// Limit.
    pub limit: u32,
    /// Window, half-open.
    pub from: UtcMs,
    /// End of the window.
    pub to: UtcMs,
    /// Rows counted, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<LedgerId>,
    /// Rows that an exclusion left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A ledger row that an exclusion of a cap left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The row.
    pub row: LedgerId,
    /// The exclusion, as the pack writes it.
    pub why: String,
}

/// A cool-off or a least gap that stood in the way, and the row that started it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Rule id.
    pub rule: String,
    /// The ledger row.
    pub row: LedgerId,
    /// Its instant.
    pub at: UtcMs,
    /// When it ends.
    pub until: UtcMs,
}

/// What was asked and seen, so that the decision can be made again (law.md §7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionRecord {
    /// Campaign hours asked with, `HH:MM`.
    pub campaign_window: Option<(String, String)>,
    /// Campaign's limit of attempts a local day.
    pub attempts_per_day: Option<i32>,
    /// Ring time asked with, ms.
    pub ring_timeout_ms: i64,
    /// Whether an agent was reserved first.
    pub agent_reserved: bool,
    /// Role at the point.
    pub role: Option<PartyRole>,
    /// Debts that the contact would be about.
    pub debts: Vec<DebtId>,
    /// SHA-256 of the holiday table, first 16 hex digits.
    pub calendars: String,
    /// SHA-256 of the prefix table, first 16 hex digits.
    pub prefixes: String,
    /// Holds in force.
    pub holds: Vec<HoldId>,
    /// Consents in force.
    pub consents: Vec<ConsentId>,
    /// Preferences in force.
    pub preferences: Vec<PreferenceId>,
    /// Listings that name him.
    pub suppressions: Vec<SuppressionId>,
    /// External lists asked, `name@date`.
    pub lists: Vec<String>,
    /// Ledger rows that were seen.
    pub ledger_rows: u32,
    /// Client of the debt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// Parties who have the role on those debts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<PartyId>,
    /// Whether the debtor authorised the point for contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorised: Option<bool>,
    /// Whether the debtor gave the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by_debtor: Option<bool>,
    /// Version of the zone database.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone_data: String,
    /// Cool-offs and gaps that stood in the way, with what started them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Started>,
    /// Presumptions that were relaxed for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OverrideSeen>,
    /// Who asked, by which clock, with which number shown.
    #[serde(skip_serializing_if = "Circumstances::is_plain")]
    pub circumstances: Circumstances,
}

/// A decision with its reasons. Same inputs, same verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Identity.
    pub id: VerdictId,
    /// When.
    pub at: UtcMs,
    /// Where in the flow.
    pub check_point: CheckPoint,
    /// Debtor.
    pub debtor_id: DebtorId,
    /// Point, when one was judged.
    pub point_id: Option<PointId>,
    /// Campaign.
    pub campaign_id: Option<CampaignId>,
    /// Channel.
    pub channel: Channel,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why it was refused; `None` when allowed.
    pub blocked: Option<BlockReason>,
    /// Rules that spoke.
    pub rules: Vec<RuleHit>,
    /// Packs that took part.
    pub packs: Vec<PackRef>,
    /// Candidate zones.
    pub zones: Vec<ZoneEvidence>,
    /// Counters tested.
    pub counters: Vec<CounterCheck>,
    /// Next legal instant, when known.
    pub next_legal_at: Option<UtcMs>,
    /// What was asked and seen; absent in decisions of versions before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Box<DecisionRecord>>,
}

impl Verdict {
    /// The instant whose facts it was made of.
    #[must_use]
    pub fn facts_at(&self) -> UtcMs {
        let record = self.record.as_deref();
        record
            .and_then(|r| r.circumstances.asked_at)
            .unwrap_or(self.at)
    }

    /// The first refusing reason in Spanish and English, when refused.
    #[must_use]
    pub fn reason(&self) -> Option<(&str, &str)> {
        self.rules
            .iter()
            .find(|r| r.refused)
            .map(|r| (r.es.as_str(), r.en.as_str()))
    }
}
