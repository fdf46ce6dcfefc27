//! The shapes of the sections on abandonment, holds, parties and consent; see `sections` for the hours
//! and the counters.

use super::{CapWindow, Confidence, CooloffMode};
use crate::entity::{HoldKind, PartyRole};
use serde::Deserialize;

crate::text_enum! {
    /// When the abandonment clock starts.
    pub enum AbandonClock {
        /// At the 200 OK.
        Answer = "answer",
        /// At the end of the debtor's greeting.
        EndOfGreeting = "end_of_greeting",
    }
}

crate::text_enum! {
    /// Abandonment formula (law.md §4).
    pub enum FormulaId {
        /// A ÷ (A + H), at most 30 days.
        Tsr = "tsr",
        /// D ÷ (D + L), corrected for machines, calendar day.
        OfcomCorrected = "ofcom_corrected",
        /// A ÷ (A + H), calendar day.
        PlainDay = "plain_day",
        /// Short calls ÷ all calls.
        AnatelShort = "anatel_short",
    }
}

crate::text_enum! {
    /// Scope of the abandonment rate.
    pub enum AbandonScope {
        /// Each campaign.
        Campaign = "campaign",
    }
}

/// Abandonment rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abandonment {
    /// Most, percent.
    pub cap_percent: f64,
    /// Aim, percent.
    pub target_percent: Option<f64>,
    /// Period.
    pub window: CapWindow,
    /// Scope.
    pub scope: AbandonScope,
    /// Formula in words.
    pub formula: String,
    /// Formula.
    pub formula_id: FormulaId,
    /// Seconds from the clock's start to an agent or message.
    pub agent_within_s: u32,
    /// Clock.
    pub clock: AbandonClock,
    /// Least ring time, seconds.
    pub ring_min_s: u32,
    /// Least rings, where the law counts rings.
    pub ring_min_rings: Option<u32>,
    /// What the message says.
    #[serde(default)]
    pub message_must: Vec<String>,
    /// What it never says.
    #[serde(default)]
    pub message_must_not: Vec<String>,
    /// Hours without over-dialing the number again.
    pub retry_block_h: Option<u32>,
    /// How it is blocked.
    pub retry_block_mode: Option<CooloffMode>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

/// Holds that the law forces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldSection {
    /// The holds.
    pub list: Vec<HoldEntry>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldEntry {
    /// Kind.
    pub hold: HoldKind,
    /// Its length where the law fixes one.
    pub days: Option<u32>,
    /// Remark.
    pub note: Option<String>,
}

crate::text_enum! {
    /// Which points may be used.
    pub enum PointsRule {
        /// Those that the debtor gave.
        OnlyGivenByDebtor = "only_given_by_debtor",
    }
}

crate::text_enum! {
    /// Persons never to be spoken to.
    pub enum ForbiddenPerson {
        /// Minors: the hold `minor`.
        Minors = "minors",
        /// The elderly, unless they owe: a mark `elderly` at a point that is not the main debtor's.
        ElderlyUnlessDebtor = "elderly_unless_debtor",
        /// References: always refused.
        References = "references",
    }
}

/// Who may be spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// Roles.
    pub allowed: Vec<PartyRole>,
    /// What a third party may hear.
    pub third_party: Option<String>,
    /// Which points may be used.
    pub points: Option<PointsRule>,
    /// Persons never to be spoken to.
    #[serde(default)]
    pub forbidden: Vec<ForbiddenPerson>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

crate::text_enum! {
    /// Whether a channel must be on the debtor's list.
    pub enum AuthorisationRule {
        /// It must.
        Required = "required",
    }
}

/// Channel authorisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelAuthorisation {
    /// The rule.
    pub rule: AuthorisationRule,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

crate::text_enum! {
    /// Consent that automated contact needs.
    pub enum AutomatedConsent {
        /// Express consent before the call.
        PriorExpress = "prior_express",
    }
}

/// Consent for prerecorded or automated contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSection {
    /// For calls to mobiles by machine or with a recorded voice.
    pub prerecorded_or_atds_mobile: Option<AutomatedConsent>,
    /// Days to honour a revocation; ours is at once.
    pub revocation_honour_business_days: Option<u32>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

crate::text_enum! {
    /// The harder readings the engine knows.
    pub enum StrictId {
        /// Colombia's financial supervisor: from the first attempt on, one channel a week and one action
        /// a day.
        SfcReading = "sfc_reading",
    }
}

/// A harder reading that a client can switch on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrictMode {
    /// Its id.
    pub id: StrictId,
    /// Switched on.
    pub enabled: bool,
    /// Effect in words.
    pub effect: String,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}

crate::text_enum! {
    /// Whether the number may be hidden.
    pub enum Withheld {
        /// It may not; the product always shows a number.
        Forbidden = "forbidden",
    }
}

/// What the number shown must be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerIdSection {
    /// Hidden numbers.
    pub withheld: Option<Withheld>,
    /// Prefix that mass calls must show.
    pub prefix: Option<String>,
    /// Since when.
    pub since: Option<String>,
    /// List the number must be on.
    pub registered_list: Option<String>,
    /// A call back must be answered.
    pub must_accept_callback: Option<bool>,
    /// Class of number.
    pub number_class: Option<String>,
    /// Whether mobiles may be shown.
    pub mobile_origin: Option<String>,
    /// Remark.
    pub note: Option<String>,
    /// Origin.
    pub confidence: Confidence,
    /// Remark.
    pub confidence_note: Option<String>,
}
