//! Rule packs: dated files with the legal rules of a jurisdiction (law.md §1).

mod check;
mod duties;
mod sections;

pub use duties::*;
pub use sections::*;

use crate::ValueError;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Largest pack file in bytes; the packs shipped are under 5 kB.
pub const PACK_BYTES_MAX: usize = 256 * 1024;

/// Format of the pack files this engine reads.
pub const PACK_SCHEMA: &str = "marcador.rulepack/0";

/// A pack as its file says it. Sections of type [`Value`] are read and shown but not judged yet:
/// [`Pack::unjudged`] names them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Format; [`PACK_SCHEMA`].
    pub schema: String,
    /// Standing of the text (`draft: …`).
    pub status: String,
    /// Id, the same in every version.
    pub id: String,
    /// Version.
    pub version: String,
    /// First local date in force.
    pub valid_from: Date,
    /// Last local date in force.
    pub valid_to: Option<Date>,
    /// Countries (`CO`) and subdivisions (`US-MA`).
    pub jurisdiction: Vec<String>,
    /// Whose creditors and collectors.
    pub applies_to: AppliesTo,
    /// Name shown, with its law.
    pub name: String,
    /// Date by which a person looks at it again.
    pub review_by: Date,
    /// Who signed it; none = unsigned.
    pub legal_signoff: Option<String>,
    /// Pack that this one adds to.
    pub stacks_on: Option<String>,
    /// Zone evidence.
    pub timezone_policy: ZonePolicy,
    /// Legal hours.
    pub windows: Vec<Window>,
    /// Holidays.
    pub holidays: HolidaySection,
    /// Caps.
    pub caps: Vec<Cap>,
    /// Cool-offs.
    pub cooloff: Vec<Cooloff>,
    /// Channel authorisation.
    pub channel_authorisation: Option<ChannelAuthorisation>,
    /// Abandonment.
    pub abandonment: Option<Abandonment>,
    /// Number shown.
    pub caller_id: Option<CallerIdSection>,
    /// Who may be spoken to.
    pub parties: Option<Parties>,
    /// Holds that the law forces.
    pub holds: Option<HoldSection>,
    /// Consent for automated contact.
    pub consent: Option<ConsentSection>,
    /// Harder reading.
    pub strict_mode: Option<StrictMode>,
    /// Do-not-call lists.
    pub dnc: Option<Value>,
    /// Voicemail.
    pub voicemail: Option<Value>,
    /// Facts of the first contact.
    pub opening: Option<Value>,
    /// Questions never to be asked.
    pub forbidden_questions: Option<Value>,
    /// Recording.
    pub recording: Option<Value>,
    /// Taking money.
    pub payment: Option<Value>,
    /// Written agreement.
    pub plan: Option<Value>,
    /// Messages.
    pub messages: Option<Value>,
    /// Retention of the log.
    pub records: Option<Value>,
    /// Field visits.
    pub visits: Option<Value>,
    /// Wider hours by agreement.
    pub wider_hours: Option<Value>,
    /// Vulnerable persons.
    pub vulnerable: Option<Value>,
    /// Preferences that bind.
    pub debtor_prefs: Option<Value>,
    /// Telephone network's own limits.
    pub telco: Option<Value>,
    /// Duties of the inbound line.
    pub inbound: Option<Value>,
}

impl Pack {
    /// Sections and fields that this engine reads but does not judge; each falls to the house floor,
    /// is kept by another room, or denies (see [`Pack::denying_sections`]).
    #[must_use]
    pub fn unjudged(&self) -> Vec<String> {
        let mut names: Vec<String> = [
            ("dnc", &self.dnc),
            ("voicemail", &self.voicemail),
            ("opening", &self.opening),
            ("forbidden_questions", &self.forbidden_questions),
            ("recording", &self.recording),
            ("payment", &self.payment),
            ("plan", &self.plan),
            ("messages", &self.messages),
            ("records", &self.records),
            ("visits", &self.visits),
            ("wider_hours", &self.wider_hours),
            ("vulnerable", &self.vulnerable),
            ("debtor_prefs", &self.debtor_prefs),
            ("telco", &self.telco),
            ("inbound", &self.inbound),
        ]
        .into_iter()
        .filter(|(_, section)| section.is_some())
        .map(|(name, _)| name.to_owned())
        .collect();
        if self.strict_mode.is_some() {
            names.push("strict_mode".into());
        }
        if let Some(caller) = &self.caller_id {
            let parts = [
                ("prefix", caller.prefix.is_some()),
                ("registered_list", caller.registered_list.is_some()),
                (
                    "must_accept_callback",
                    caller.must_accept_callback.is_some(),
                ),
                ("number_class", caller.number_class.is_some()),
                ("mobile_origin", caller.mobile_origin.is_some()),
            ];
            names.extend(
                parts
                    .iter()
                    .filter(|p| p.1)
                    .map(|p| format!("caller_id.{}", p.0)),
            );
        }
        if self
            .parties
            .as_ref()
            .is_some_and(|p| p.forbidden.contains(&ForbiddenPerson::ElderlyUnlessDebtor))
        {
            names.push("parties.forbidden.elderly_unless_debtor".into());
        }
        for cap in &self.caps {
            if cap.exclusions.contains(&Exclusion::Professionals) {
                names.push(format!("caps.{}.exclusions.professionals", cap.id));
            }
        }
        names
    }

    /// Unjudged sections without a house floor: contact is denied, on every channel or on those named.
    #[must_use]
    pub fn denying_sections(&self, channel: crate::entity::Channel) -> Vec<&'static str> {
        use crate::entity::Channel;
        let remote = matches!(
            channel,
            Channel::Sms | Channel::Whatsapp | Channel::Email | Channel::Push
        );
        [
            ("dnc", self.dnc.is_some()),
            ("vulnerable", self.vulnerable.is_some()),
            ("debtor_prefs", self.debtor_prefs.is_some()),
            (
                "strict_mode",
                self.strict_mode.as_ref().is_some_and(|s| s.enabled),
            ),
            ("visits", self.visits.is_some() && channel == Channel::Visit),
            ("messages", self.messages.is_some() && remote),
        ]
        .into_iter()
        .filter(|(_, denies)| *denies)
        .map(|(name, _)| name)
        .collect()
    }
}

/// A pack read from its file.
#[derive(Debug, Clone)]
pub(crate) struct LoadedPack {
    pub(crate) pack: Pack,
    pub(crate) hash: String,
    pub(crate) unjudged: Vec<String>,
}

/// Reads one pack; `file` names it in errors.
///
/// # Errors
/// Names the file, the field and what would be right.
pub fn parse(file: &str, text: &str) -> Result<Pack, ValueError> {
    if text.len() > PACK_BYTES_MAX {
        return Err(fault(
            file,
            "",
            &format!("file is over {PACK_BYTES_MAX} bytes"),
        ));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let pack: Pack = serde_path_to_error::deserialize(&mut json)
        .map_err(|e| fault(file, &e.path().to_string(), &e.inner().to_string()))?;
    json.end().map_err(|_| {
        fault(
            file,
            "",
            "text after the end of the pack; expected one JSON object",
        )
    })?;
    check::check(file, &pack)?;
    Ok(pack)
}

/// Reads one pack and its hash.
pub(crate) fn load(file: &str, text: &str) -> Result<LoadedPack, ValueError> {
    let pack = parse(file, text)?;
    let unjudged = pack.unjudged();
    Ok(LoadedPack {
        pack,
        hash: hex::encode(Sha256::digest(text.as_bytes())),
        unjudged,
    })
}

/// An error about a pack file.
pub(crate) fn fault(file: &str, field: &str, reason: &str) -> ValueError {
    let place = if field.is_empty() || field == "." {
        String::new()
    } else {
        format!("{field}: ")
    };
    ValueError::malformed("rule pack", format!("{file}: {place}{reason}"))
}
