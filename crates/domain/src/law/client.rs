//! What a client's contract asks beyond the law: a layer that stacks on the packs of his debtors (law.md §2.2). Its hours,
//! caps and gaps are weighed as those of a pack that adds to another, so that it can only be stricter.

use super::finding::Finding;
use super::pack::{
    AppliesTo, Cap, CapWindow, Confidence, Counts, Day, HolidayPolicy, HolidaySection, LoadedPack,
    PACK_SCHEMA, Pack, RuleKind, Scope, Window, ZonePolicy, ZoneRule, check_terms, fault,
};
use crate::ValueError;
use crate::entity::Channel;
use crate::ids::ClientId;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Id of the layer in verdicts: `client/windows`, `client/<id of a cap>`. No pack may have it.
pub const CLIENT_LAYER: &str = "client";
/// Most windows of a contract: a line a day and channel.
const TERM_WINDOWS_MAX: usize = 49;
/// Most caps of a contract.
const TERM_CAPS_MAX: usize = 20;
/// Longest id of a cap, characters.
const CAP_ID_MAX: usize = 40;
/// Longest clause that a cap names, characters.
const CLAUSE_MAX: usize = 120;
/// How reasons call it, Spanish and English.
const LABEL: (&str, &str) = ("contrato del cliente", "client contract");

/// Hours in which the contract lets a channel be used, half-open, in the debtor's time. A channel that no window names is
/// left to the packs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermWindow {
    /// Days.
    pub days: Vec<Day>,
    /// First minute, `HH:MM`.
    pub from: String,
    /// End, `HH:MM` or `24:00`.
    pub to: String,
    /// Channels it is for.
    pub channels: Vec<Channel>,
}

/// A cap of the contract, in the words of the packs; always hard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermCap {
    /// Id within the contract.
    pub id: String,
    /// Over what.
    pub scope: Scope,
    /// What is counted.
    pub counts: Counts,
    /// Most.
    pub limit: u32,
    /// Period.
    pub window: CapWindow,
    /// Channels it counts and stops.
    pub channels: Vec<Channel>,
    /// Least days between two.
    #[serde(default)]
    pub min_gap_days: Option<u16>,
    /// Clause of the contract, told in reasons.
    #[serde(default)]
    pub source: Option<String>,
}

/// What a contract asks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractTerms {
    /// Whether the packs' harder readings bind, where they have one.
    pub strict_mode: bool,
    /// Hours.
    pub windows: Vec<TermWindow>,
    /// Caps and gaps.
    pub caps: Vec<TermCap>,
}

/// One version of a client's contract. Versions are kept, so that a decision is made again with the one of its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLaw {
    /// Client.
    pub client_id: ClientId,
    /// Number, 1 first; 0 = the client said nothing.
    pub version: i32,
    /// What it asks.
    pub terms: ContractTerms,
    /// In force from this instant until the next version.
    pub updated_at: UtcMs,
    /// Who put it in force.
    pub updated_by: String,
}

impl ClientLaw {
    /// That of a client who said nothing.
    #[must_use]
    pub fn none(client_id: ClientId) -> Self {
        Self {
            client_id,
            version: 0,
            terms: ContractTerms::default(),
            updated_at: UtcMs(0),
            updated_by: String::new(),
        }
    }

    /// The layer that is weighed with the packs; none where it asks nothing.
    fn layer(&self) -> Option<LoadedPack> {
        if self.terms == ContractTerms::default() {
            return None;
        }
        let text = serde_json::to_string(&self.terms).unwrap_or_default();
        Some(LoadedPack {
            pack: self.terms.as_pack(self.version.to_string()),
            hash: hex::encode(Sha256::digest(text.as_bytes())),
            unjudged: Vec::new(),
        })
    }
}

impl ContractTerms {
    /// Checks what the shape alone does not: the rules of a pack's windows and caps.
    ///
    /// # Errors
    /// Names the field and what would be right.
    pub fn check(&self) -> Result<(), ValueError> {
        let is = |ok: bool, field: &str, right: &str| {
            let wrong = || fault(CLIENT_LAYER, field, right);
            if ok { Ok(()) } else { Err(wrong()) }
        };
        let most = format!("expected at most {TERM_WINDOWS_MAX}");
        is(self.windows.len() <= TERM_WINDOWS_MAX, "windows", &most)?;
        let most = format!("expected at most {TERM_CAPS_MAX}");
        is(self.caps.len() <= TERM_CAPS_MAX, "caps", &most)?;
        for (n, cap) in self.caps.iter().enumerate() {
            let right = format!("expected 1 to {CAP_ID_MAX} of a–z, 0–9 and _, and not windows");
            is(is_id(&cap.id), &format!("caps[{n}].id"), &right)?;
            let clause = cap
                .source
                .as_deref()
                .is_none_or(|s| (1..=CLAUSE_MAX).contains(&s.chars().count()) && s.trim() == s);
            let right = format!("expected 1 to {CLAUSE_MAX} characters");
            is(clause, &format!("caps[{n}].source"), &right)?;
        }
        check_terms(CLIENT_LAYER, &self.as_pack(String::new()))
    }

    /// As a pack that adds to others: what it does not name is left to them.
    fn as_pack(&self, version: String) -> Pack {
        let house = Confidence::House;
        let windows = self.windows.iter().map(|w| Window {
            days: w.days.clone(),
            from: w.from.clone(),
            to: w.to.clone(),
            channels: w.channels.clone(),
            confidence: house,
            confidence_note: None,
            enabled: true,
        });
        Pack {
            version,
            windows: windows.collect(),
            caps: self.caps.iter().map(TermCap::as_cap).collect(),
            ..bare()
        }
    }
}

impl TermCap {
    fn as_cap(&self) -> Cap {
        Cap {
            id: self.id.clone(),
            scope: self.scope,
            counts: self.counts,
            limit: self.limit,
            window: self.window,
            kind: RuleKind::Hard,
            confidence: Confidence::House,
            channels: self.channels.clone(),
            exclusions: Vec::new(),
            point: None,
            min_gap_days: self.min_gap_days,
            source: self.source.clone(),
            confidence_note: None,
            note: None,
        }
    }
}

fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=CAP_ID_MAX).contains(&id.len()) && id.bytes().all(plain) && id != "windows"
}

/// A layer that says nothing. Holidays are the packs' affair.
fn bare() -> Pack {
    Pack {
        schema: PACK_SCHEMA.to_owned(),
        status: String::new(),
        id: CLIENT_LAYER.to_owned(),
        version: String::new(),
        valid_from: Date::MIN,
        valid_to: None,
        jurisdiction: Vec::new(),
        applies_to: AppliesTo::Any,
        name: LABEL.0.to_owned(),
        review_by: Date::MAX,
        legal_signoff: None,
        stacks_on: Some(String::new()),
        timezone_policy: ZonePolicy {
            rule: ZoneRule::Intersection,
            confidence: Confidence::House,
            confidence_note: None,
        },
        windows: Vec::new(),
        holidays: HolidaySection {
            calendar: String::new(),
            policy: HolidayPolicy::Allow,
            confidence: Confidence::House,
            confidence_note: None,
        },
        caps: Vec::new(),
        cooloff: Vec::new(),
        channel_authorisation: None,
        abandonment: None,
        caller_id: None,
        parties: None,
        holds: None,
        consent: None,
        strict_mode: None,
        dnc: None,
        voicemail: None,
        opening: None,
        forbidden_questions: None,
        recording: None,
        payment: None,
        plan: None,
        messages: None,
        records: None,
        visits: None,
        wider_hours: None,
        vulnerable: None,
        debtor_prefs: None,
        telco: None,
        inbound: None,
    }
}

/// The layer of the debtor's client.
pub(crate) fn layer_of(facts: &ContactFacts) -> Option<LoadedPack> {
    facts.client_law.as_deref().and_then(ClientLaw::layer)
}

/// Whether the debtor's client wants the harder readings.
pub(crate) fn wants_strict(facts: &ContactFacts) -> bool {
    let law = facts.client_law.as_deref();
    law.is_some_and(|law| law.terms.strict_mode)
}

/// Packs tell their one name in both languages; this layer has a name in each.
pub(crate) fn in_english(finding: &mut Finding) {
    let ours = finding.rule.split('/').next() == Some(CLIENT_LAYER);
    if let Some(rest) = finding.en.strip_prefix(LABEL.0).filter(|_| ours) {
        finding.en = format!("{}{rest}", LABEL.1);
    }
}
