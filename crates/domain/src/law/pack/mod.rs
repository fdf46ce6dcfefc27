//! Rule packs: dated files with the legal rules of a jurisdiction (law.md §1).

mod beside;
mod check;
mod conduct;
mod duties;
mod sections;

pub(crate) use check::check_terms;
pub use conduct::*;
pub use duties::*;
pub use sections::*;

use crate::ValueError;
use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Largest pack file in bytes; the packs shipped are under 5 kB.
pub const PACK_BYTES_MAX: usize = 256 * 1024;

/// Format of the pack files this engine reads.
pub const PACK_SCHEMA: &str = "marcador.rulepack/0";

/// A pack as its file says it. Every section has its shape, so that a field nobody knows is refused by
/// its name; [`Pack::unjudged`] names what nobody is held to, [`Pack::beside`] what no verdict, duty or alarm needs.
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
    pub dnc: Option<DncSection>,
    /// Voicemail.
    pub voicemail: Option<VoicemailSection>,
    /// Facts of the first contact.
    pub opening: Option<OpeningSection>,
    /// Questions never to be asked.
    pub forbidden_questions: Option<ForbiddenQuestions>,
    /// Recording.
    pub recording: Option<RecordingSection>,
    /// Taking money.
    pub payment: Option<PaymentSection>,
    /// Written agreement.
    pub plan: Option<PlanSection>,
    /// Messages.
    pub messages: Option<MessagesSection>,
    /// Retention of the log.
    pub records: Option<RecordsSection>,
    /// Field visits.
    pub visits: Option<VisitsSection>,
    /// Wider hours by agreement.
    pub wider_hours: Option<WiderHours>,
    /// Vulnerable persons.
    pub vulnerable: Option<VulnerableSection>,
    /// Preferences that bind.
    pub debtor_prefs: Option<DebtorPrefs>,
    /// Telephone network's own limits.
    pub telco: Option<TelcoSection>,
    /// Duties of the inbound line.
    pub inbound: Option<InboundSection>,
}

impl Pack {
    /// Sections that nothing in the product holds anybody to, so that the house floor does: no message is left on a
    /// mailbox where one wants told what nobody here knows.
    #[must_use]
    pub fn unjudged(&self) -> Vec<String> {
        let unknown = |v: &VoicemailSection| v.facts().is_none();
        let mailbox = self.voicemail.as_ref().is_some_and(unknown);
        mailbox
            .then(|| "voicemail".to_owned())
            .into_iter()
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
