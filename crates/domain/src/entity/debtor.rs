//! Debtor, Party, ContactPoint and Consent.

use super::Portfolio;
use crate::ids::{ClientId, ConsentId, DebtId, DebtorId, PartyId, PersonId, PointId, PortfolioId};
use crate::pii::Pii;
use crate::rules::reach::UNTRIED;
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};

crate::text_enum! {
    /// Language of messages and script.
    pub enum Language {
        /// Spanish.
        Es = "es",
        /// English.
        En = "en",
        /// Portuguese.
        Pt = "pt",
    }
}

impl Language {
    /// Whether an agent of those skills speaks it: they may name languages (`es`, `en`, `pt`), else he is taken to
    /// speak them all.
    #[must_use]
    pub fn spoken_with(self, skills: &[String]) -> bool {
        let named = |l: &Self| skills.iter().any(|skill| skill == l.as_str());
        named(&self) || !Self::ALL.iter().any(named)
    }
}

crate::text_enum! {
    /// Whether the debtor is a human being or a company.
    pub enum DebtorKind {
        /// Natural person.
        Person = "person",
        /// Legal person.
        Company = "company",
    }
}

crate::text_enum! {
    /// Channel of contact.
    pub enum Channel {
        /// Voice call.
        Call = "call",
        /// SMS.
        Sms = "sms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// E-mail.
        Email = "email",
        /// Push message (windows of SMS apply).
        Push = "push",
        /// Paper letter.
        Letter = "letter",
        /// Visit in person.
        Visit = "visit",
    }
}

crate::text_enum! {
    /// Role of someone on a debt; packs say who may be spoken to.
    pub enum PartyRole {
        /// Main obligor.
        Titular = "titular",
        /// Co-debtor.
        Codeudor = "codeudor",
        /// Guarantor by aval.
        Aval = "aval",
        /// Surety.
        Fiador = "fiador",
        /// Jointly liable.
        ObligadoSolidario = "obligado_solidario",
        /// Representative.
        Representative = "representative",
        /// Attorney.
        Attorney = "attorney",
        /// Executor.
        Executor = "executor",
        /// Guardian.
        Guardian = "guardian",
        /// Spouse.
        Spouse = "spouse",
        /// Parent of a minor.
        ParentOfMinor = "parent_of_minor",
        /// A reference: exists only to be refused.
        Reference = "reference",
    }
}

impl PartyRole {
    /// Who owes: the debtor himself and who answers with him.
    #[must_use]
    pub const fn is_obligated(self) -> bool {
        matches!(
            self,
            Self::Titular | Self::Codeudor | Self::Aval | Self::Fiador | Self::ObligadoSolidario
        )
    }
}

crate::text_enum! {
    /// Class of a contact point; some caps count homes and other places apart.
    pub enum PointClass {
        /// Mobile phone.
        Mobile = "mobile",
        /// Phone at home.
        Home = "home",
        /// Phone at work.
        Work = "work",
        /// Not known.
        Other = "other",
    }
}

/// Person or company that is contacted, within one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debtor {
    /// Identity.
    pub id: DebtorId,
    /// Owner.
    pub client_id: ClientId,
    /// Portfolio of its last import.
    pub portfolio_id: PortfolioId,
    /// The person over all clients (caps per person).
    pub person_id: PersonId,
    /// The client's own key of the debtor, unique within the portfolio.
    pub external_ref: String,
    /// Person or company.
    pub kind: DebtorKind,
    /// Full name.
    pub name: Pii<String>,
    /// Identity document, as given.
    pub document: Pii<String>,
    /// ISO 3166 alpha-2 country of residence.
    pub country: String,
    /// ISO 3166-2 subdivision without the country (`SP`, `MA`), when known.
    pub subdivision: Option<String>,
    /// Language of contact.
    pub language: Language,
    /// Zone of the current address (IANA), when known.
    pub address_zone: Option<String>,
    /// Zone told by the debtor with its recording date; replaces the other evidence.
    pub told_zone: Option<String>,
    /// When and where the told zone was recorded.
    pub told_zone_at: Option<UtcMs>,
    /// Created at.
    pub created_at: UtcMs,
    /// Last change.
    pub updated_at: UtcMs,
}

/// How the reference begins of the file that is kept for a caller whom nobody has named yet.
const STRANGER: &str = "caller:";
/// What such a caller is called until then.
const STRANGER_NAME: &str = "Sin identificar";

impl Debtor {
    /// The file of a caller from a number of nobody we know: it holds his calls until an agent says whose
    /// they are. The portfolio
    /// is any of his client's: it says whose the file is and in what zone its days are counted.
    #[must_use]
    pub fn stranger(
        (id, person_id): (DebtorId, PersonId),
        portfolio: &Portfolio,
        country: String,
        now: UtcMs,
    ) -> Self {
        Self {
            id,
            client_id: portfolio.client_id,
            portfolio_id: portfolio.id,
            person_id,
            external_ref: format!("{STRANGER}{id}"),
            kind: DebtorKind::Person,
            name: Pii(STRANGER_NAME.to_owned()),
            document: Pii(String::new()),
            country,
            subdivision: None,
            language: Language::Es,
            address_zone: None,
            told_zone: None,
            told_zone_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether nobody has said yet who this caller is.
    #[must_use]
    pub fn is_stranger(&self) -> bool {
        self.external_ref.starts_with(STRANGER)
    }
}

/// A role of someone on a debt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Identity.
    pub id: PartyId,
    /// The debt.
    pub debt_id: DebtId,
    /// The debtor file this party belongs to.
    pub debtor_id: DebtorId,
    /// Role.
    pub role: PartyRole,
    /// Name of the party.
    pub name: Pii<String>,
}

/// A phone (other kinds of point come with their channels).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// Identity.
    pub id: PointId,
    /// Whose.
    pub debtor_id: DebtorId,
    /// Role of the person who answers there.
    pub role: PartyRole,
    /// Channel the value belongs to (`call` for a phone).
    pub channel: Channel,
    /// The value: E.164 phone, e-mail.
    pub value: Pii<String>,
    /// Class of a phone.
    pub class: PointClass,
    /// Where it came from (`import`, `agent`, `debtor`).
    pub source: String,
    /// Whether the debtor gave it (Mexico: only such points may be used).
    pub given_by_debtor: bool,
    /// Whether the debtor authorised this channel on this point (Colombia: required).
    pub authorised: bool,
    /// 0–100, how sure we are that it reaches the debtor.
    pub confidence: i32,
    /// Order given by the client, 0 first.
    pub position: i32,
    /// Proved wrong, invalid or fax: never tried again.
    pub bad: bool,
    /// Last right-party contact there.
    pub last_rpc_at: Option<UtcMs>,
    /// When we first had it: its age tells how far to trust it.
    #[serde(default)]
    pub added_at: UtcMs,
}

impl ContactPoint {
    /// The number as a later file names it, beside how it is `stored`: what calls have proved stays, for a
    /// file does not make a wrong number right; how sure the file is counts where it says so.
    pub fn keep_proved(&mut self, stored: &Self) {
        self.id = stored.id;
        self.bad = stored.bad;
        self.last_rpc_at = stored.last_rpc_at;
        self.added_at = stored.added_at;
        if self.confidence == UNTRIED {
            self.confidence = stored.confidence;
        }
    }
}

/// Who allowed what channel and purpose, with proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Identity.
    pub id: ConsentId,
    /// Whose.
    pub debtor_id: DebtorId,
    /// Channel.
    pub channel: Channel,
    /// Purpose, one of `rules::consents::PURPOSES`.
    pub purpose: String,
    /// Given at.
    pub granted_at: UtcMs,
    /// Ends at, when it has an end.
    pub until: Option<UtcMs>,
    /// Revoked at.
    pub revoked_at: Option<UtcMs>,
    /// Proof: reference to a document or recording.
    pub proof: String,
    /// Proof of the revocation, where one was given.
    #[serde(default)]
    pub revoke_proof: Option<String>,
}
