//! The columns an import understands, and how their names are recognised.

use super::names::NAMES;

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
    }
}

/// A column as screens explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ColumnInfo {
    /// Name, to be used in maps.
    pub name: &'static str,
    /// Whether a file without it (and without a default in the map) is refused.
    pub required: bool,
    /// What it holds, in Spanish.
    pub help_es: &'static str,
    /// What it holds, in English.
    pub help_en: &'static str,
}

const fn info(
    target: Target,
    required: bool,
    help_es: &'static str,
    help_en: &'static str,
) -> ColumnInfo {
    ColumnInfo {
        name: target.as_str(),
        required,
        help_es,
        help_en,
    }
}

const COLUMNS: &[ColumnInfo] = &[
    info(
        Target::ExternalRef,
        true,
        "clave del deudor en el acreedor, única en la cartera",
        "the client's key of the debtor, unique in the portfolio",
    ),
    info(
        Target::DebtRef,
        true,
        "número de crédito o contrato, único en la cartera",
        "number of the credit or contract, unique in the portfolio",
    ),
    info(Target::Name, true, "nombre completo", "full name"),
    info(
        Target::Document,
        false,
        "documento de identidad; los topes por persona lo usan",
        "identity document; caps per person use it",
    ),
    info(
        Target::Kind,
        false,
        "person o company; sin columna, person",
        "person or company; person without the column",
    ),
    info(
        Target::Country,
        true,
        "país de residencia, ISO 3166 de dos letras o su nombre",
        "country of residence, ISO 3166 of two letters or its name",
    ),
    info(
        Target::Subdivision,
        false,
        "estado o región, ISO 3166-2 sin el país, como SP",
        "state or region, ISO 3166-2 without the country, as SP",
    ),
    info(
        Target::Language,
        false,
        "es, en o pt; sin columna, la del país",
        "es, en or pt; the country's without the column",
    ),
    info(
        Target::AddressZone,
        false,
        "zona horaria del domicilio, como America/Bogota",
        "time zone of the address, as America/Bogota",
    ),
    info(Target::Product, false, "producto", "product"),
    info(
        Target::Currency,
        false,
        "moneda, tres letras; sin columna, la de la cartera",
        "currency, three letters; the portfolio's without the column",
    ),
    info(
        Target::Principal,
        false,
        "capital; hace falta este o balance",
        "principal; this or balance is needed",
    ),
    info(Target::Interest, false, "intereses", "interest"),
    info(Target::Fees, false, "gastos y comisiones", "fees"),
    info(
        Target::Balance,
        false,
        "saldo total; hace falta este o principal",
        "everything owed; this or principal is needed",
    ),
    info(
        Target::Overdue,
        false,
        "importe vencido; sin columna, todo",
        "overdue part; all of it without the column",
    ),
    info(
        Target::Minimum,
        false,
        "pago mínimo; sin columna, el importe vencido",
        "least payment asked; the overdue part without the column",
    ),
    info(
        Target::DueDate,
        false,
        "fecha del pago más antiguo sin cubrir; hace falta este, days_past_due o items",
        "date of the oldest unpaid item; this, days_past_due or items is needed",
    ),
    info(
        Target::DaysPastDue,
        false,
        "días de mora a la fecha de carga; hace falta este, due_date o items",
        "days past due on the day of the import; this, due_date or items is needed",
    ),
    info(
        Target::Items,
        false,
        "vencimientos o facturas del capital sin cubrir, referencia|fecha|importe;…; suman el capital y el más \
         antiguo da la fecha de vencimiento",
        "unpaid due items or invoices of the principal, reference|date|amount;…; they add up to the principal, and \
         the oldest gives the due date",
    ),
    info(
        Target::StatuteDate,
        false,
        "fecha en que prescribe la deuda; sin columna, la que se conozca",
        "date on which the debt becomes statute-barred; what is known without the column",
    ),
    info(
        Target::Phone,
        false,
        "teléfono; puede repetirse",
        "phone; may be given several times",
    ),
    info(
        Target::PhoneMobile,
        false,
        "celular; puede repetirse",
        "mobile; may be given several times",
    ),
    info(
        Target::PhoneHome,
        false,
        "teléfono de casa; puede repetirse",
        "phone at home; may be given several times",
    ),
    info(
        Target::PhoneWork,
        false,
        "teléfono del trabajo; puede repetirse",
        "phone at work; may be given several times",
    ),
    info(
        Target::PhoneAuthorised,
        false,
        "sí o no: el deudor autorizó llamadas; sin columna, no",
        "yes or no: the debtor authorised calls; no without the column",
    ),
    info(
        Target::PhoneGivenByDebtor,
        false,
        "sí o no: el deudor dio sus teléfonos; sin columna, no",
        "yes or no: the debtor gave his phones; no without the column",
    ),
    info(
        Target::Score,
        false,
        "puntaje del acreedor, entero de 0 a 1000",
        "the client's score, a whole number from 0 to 1000",
    ),
    info(
        Target::Street,
        false,
        "calle y número del domicilio",
        "street and number of the postal address",
    ),
    info(
        Target::City,
        false,
        "ciudad del domicilio",
        "city of the postal address",
    ),
    info(
        Target::AddressRegion,
        false,
        "estado o provincia del domicilio; sin columna, subdivision",
        "state or province of the postal address; subdivision without the column",
    ),
    info(
        Target::Postcode,
        false,
        "código postal del domicilio",
        "postal code of the postal address",
    ),
    info(
        Target::AddressCountry,
        false,
        "país del domicilio; sin columna, el de residencia",
        "country of the postal address; that of residence without the column",
    ),
];

/// Every column an import understands.
#[must_use]
pub const fn columns() -> &'static [ColumnInfo] {
    COLUMNS
}

impl Target {
    /// Whether several source columns may have this meaning.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(
            self,
            Self::Phone | Self::PhoneMobile | Self::PhoneHome | Self::PhoneWork
        )
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

/// The meaning of a header, when its name is known.
pub(super) fn recognise(header: &str) -> Option<Target> {
    let name = plain(header);
    if let Some(target) = Target::ALL.iter().find(|t| t.as_str() == name) {
        return Some(*target);
    }
    NAMES
        .iter()
        .find(|(_, names)| names.split(' ').any(|n| n == name))
        .map(|(target, _)| *target)
}

#[cfg(test)]
mod tests {
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
        let told: Vec<&str> = columns().iter().map(|c| c.name).collect();
        let all: Vec<&str> = Target::ALL.iter().map(|t| t.as_str()).collect();
        assert_eq!(told, all);
    }
}
