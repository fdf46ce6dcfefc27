//! What columns of a portfolio's file may mean, and how their names are recognised.

use super::names::{CONSENT_NAMES, NAMES};
use crate::entity::ImportKind;

crate::text_enum! {
    /// What a column of the file means.
    pub enum Target {
        /// The client's key of the debtor.
        ExternalRef = "external_ref",
        /// The client's key of the debt.
        DebtRef = "debt_ref",
        /// Full name.
        Name = "name",
        /// Identity document.
        Document = "document",
        /// Person or company.
        Kind = "kind",
        /// Country of residence.
        Country = "country",
        /// Subdivision.
        Subdivision = "subdivision",
        /// Language.
        Language = "language",
        /// Zone of the address.
        AddressZone = "address_zone",
        /// Product.
        Product = "product",
        /// Currency.
        Currency = "currency",
        /// Principal.
        Principal = "principal",
        /// Interest.
        Interest = "interest",
        /// Fees.
        Fees = "fees",
        /// Everything owed.
        Balance = "balance",
        /// Overdue part.
        Overdue = "overdue",
        /// Least payment.
        Minimum = "minimum",
        /// Date of the oldest unpaid item.
        DueDate = "due_date",
        /// The same as days before the import.
        DaysPastDue = "days_past_due",
        /// Due items of the principal, `reference|date|amount;…`.
        Items = "items",
        /// Last date on which a court may be asked for the debt.
        StatuteDate = "statute_date",
        /// Phone of unknown class.
        Phone = "phone",
        /// Mobile.
        PhoneMobile = "phone_mobile",
        /// Phone at home.
        PhoneHome = "phone_home",
        /// Phone at work.
        PhoneWork = "phone_work",
        /// Whether the debtor authorised calls to his phones.
        PhoneAuthorised = "phone_authorised",
        /// Whether the debtor gave his phones.
        PhoneGivenByDebtor = "phone_given_by_debtor",
        /// The client's score of the debtor.
        Score = "score",
        /// Street and number of the postal address.
        Street = "street",
        /// City of it.
        City = "city",
        /// State or province of it.
        AddressRegion = "address_region",
        /// Postal code of it.
        Postcode = "postcode",
        /// Country of it.
        AddressCountry = "address_country",
        /// E-mail address.
        Email = "email",
        /// Whether the debtor authorised e-mails to it.
        EmailAuthorised = "email_authorised",
        /// Whether the debtor gave it.
        EmailGivenByDebtor = "email_given_by_debtor",
        /// Name of a co-debtor.
        CodeudorName = "codeudor_name",
        /// His phone.
        CodeudorPhone = "codeudor_phone",
        /// His e-mail address.
        CodeudorEmail = "codeudor_email",
        /// Name of a guarantor by aval.
        AvalName = "aval_name",
        /// His phone.
        AvalPhone = "aval_phone",
        /// His e-mail address.
        AvalEmail = "aval_email",
        /// Name of a surety.
        FiadorName = "fiador_name",
        /// His phone.
        FiadorPhone = "fiador_phone",
        /// His e-mail address.
        FiadorEmail = "fiador_email",
        /// Name of a person jointly liable.
        ObligadoSolidarioName = "obligado_solidario_name",
        /// His phone.
        ObligadoSolidarioPhone = "obligado_solidario_phone",
        /// His e-mail address.
        ObligadoSolidarioEmail = "obligado_solidario_email",
        /// Whether co-debtors and guarantors authorised contact at their points.
        PartyAuthorised = "party_authorised",
        /// Whether the debtor gave the points of his co-debtors and guarantors.
        PartyGivenByDebtor = "party_given_by_debtor",
        /// Channel of a consent.
        ConsentChannel = "consent_channel",
        /// Granted or revoked.
        ConsentState = "consent_state",
        /// Day on which it was.
        ConsentDate = "consent_date",
        /// What proves it.
        ConsentProof = "consent_proof",
        /// What it is for.
        ConsentPurpose = "consent_purpose",
        /// Its last day.
        ConsentUntil = "consent_until",
    }
}

impl Target {
    /// Whether several source columns may have this meaning.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(
            self,
            Self::Phone
                | Self::PhoneMobile
                | Self::PhoneHome
                | Self::PhoneWork
                | Self::Email
                | Self::CodeudorName
                | Self::CodeudorPhone
                | Self::CodeudorEmail
                | Self::AvalName
                | Self::AvalPhone
                | Self::AvalEmail
                | Self::FiadorName
                | Self::FiadorPhone
                | Self::FiadorEmail
                | Self::ObligadoSolidarioName
                | Self::ObligadoSolidarioPhone
                | Self::ObligadoSolidarioEmail
        )
    }

    /// Whether a file of consents has it.
    #[must_use]
    pub const fn is_of_consents(self) -> bool {
        matches!(self, Self::ExternalRef | Self::Document) || self.is_consent()
    }

    /// Whether only a file of consents has it.
    pub(super) const fn is_consent(self) -> bool {
        matches!(
            self,
            Self::ConsentChannel
                | Self::ConsentState
                | Self::ConsentDate
                | Self::ConsentProof
                | Self::ConsentPurpose
                | Self::ConsentUntil
        )
    }

    /// Whether a file of a kind has it.
    pub(super) fn is_in(self, kind: ImportKind) -> bool {
        match kind {
            ImportKind::Portfolio => !self.is_consent(),
            ImportKind::Consents => self.is_of_consents(),
        }
    }

    /// Whether it holds money.
    #[must_use]
    pub const fn is_money(self) -> bool {
        matches!(
            self,
            Self::Principal
                | Self::Interest
                | Self::Fees
                | Self::Balance
                | Self::Overdue
                | Self::Minimum
        )
    }
}

/// Lower case, without accents, words joined by `_`: `Días de mora` → `dias_de_mora`.
pub(super) fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in name
        .trim()
        .trim_start_matches('\u{feff}')
        .chars()
        .flat_map(char::to_lowercase)
    {
        let c = match c {
            'á' | 'à' | 'ã' | 'â' => 'a',
            'é' | 'ê' => 'e',
            'í' => 'i',
            'ó' | 'õ' | 'ô' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            other => other,
        };
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// The meaning of a header in a portfolio's file, when its name is known.
#[cfg(test)]
fn recognise(header: &str) -> Option<Target> {
    recognise_in(ImportKind::Portfolio, header)
}

/// The meaning of a header in a file of a kind, when its name is known.
pub(super) fn recognise_in(kind: ImportKind, header: &str) -> Option<Target> {
    let name = plain(header);
    let own = |t: &&Target| t.as_str() == name && t.is_in(kind);
    if let Some(target) = Target::ALL.iter().find(own) {
        return Some(*target);
    }
    let names = match kind {
        ImportKind::Portfolio => &[][..],
        ImportKind::Consents => CONSENT_NAMES,
    };
    names
        .iter()
        .chain(NAMES.iter().filter(|(target, _)| target.is_in(kind)))
        .find(|(_, names)| names.split(' ').any(|n| n == name))
        .map(|(target, _)| *target)
}

#[cfg(test)]
mod tests {
    use super::super::columns_of;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn headers_are_recognised_in_both_languages() {
        for (header, target) in [
            ("external_ref", Target::ExternalRef),
            ("\u{feff}Nº crédito", Target::DebtRef),
            ("Número de crédito", Target::DebtRef),
            ("NOMBRE", Target::Name),
            ("Días de mora", Target::DaysPastDue),
            ("Teléfono 2", Target::Phone),
            ("Country", Target::Country),
            ("Saldo vencido", Target::Overdue),
        ] {
            let found = recognise(header);
            if header.contains('º') {
                assert_eq!(found, None, "an unknown abbreviation is not guessed");
            } else {
                assert_eq!(found, Some(target), "{header}");
            }
        }
        assert_eq!(recognise("comentarios"), None);
    }

    #[test]
    fn no_name_has_two_meanings_and_every_target_is_explained() {
        let mut seen = BTreeSet::new();
        for (target, names) in NAMES {
            for name in names.split(' ') {
                assert!(seen.insert(name), "{name} twice");
                assert_eq!(plain(name), name);
                assert_eq!(recognise(name), Some(*target), "{name}");
            }
        }
        for kind in ImportKind::ALL {
            let told: BTreeSet<&str> = columns_of(*kind).iter().map(|c| c.name).collect();
            let all = Target::ALL.iter().filter(|t| t.is_in(*kind));
            let all: BTreeSet<&str> = all.map(|t| t.as_str()).collect();
            assert_eq!(told, all, "{kind}");
        }
    }

    #[test]
    fn a_name_means_something_only_in_a_file_that_has_it() {
        let of = |kind, header| recognise_in(kind, header);
        use ImportKind::{Consents, Portfolio};
        for (header, target) in [
            ("Clave deudor", Target::ExternalRef),
            ("RFC", Target::Document),
            ("Canal", Target::ConsentChannel),
            ("Estado", Target::ConsentState),
            ("Fecha", Target::ConsentDate),
            ("Prueba", Target::ConsentProof),
            ("Finalidad", Target::ConsentPurpose),
            ("Vigencia", Target::ConsentUntil),
            ("consent_date", Target::ConsentDate),
        ] {
            assert_eq!(of(Consents, header), Some(target), "{header}");
        }
        assert_eq!(of(Portfolio, "Estado"), Some(Target::Subdivision));
        for header in ["Canal", "Fecha", "Prueba", "consent_date"] {
            assert_eq!(of(Portfolio, header), None, "{header}");
        }
        assert_eq!(of(Consents, "Saldo"), None);
        let mut seen = BTreeSet::new();
        for (_, names) in CONSENT_NAMES {
            for name in names.split_whitespace() {
                assert!(seen.insert(name) && plain(name) == name, "{name}");
            }
        }
    }
}
