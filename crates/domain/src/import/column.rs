//! The columns an import understands, and how their names are recognised.

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
        "fecha del pago más antiguo sin cubrir; hace falta este o days_past_due",
        "date of the oldest unpaid item; this or days_past_due is needed",
    ),
    info(
        Target::DaysPastDue,
        false,
        "días de mora a la fecha de carga; hace falta este o due_date",
        "days past due on the day of the import; this or due_date is needed",
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

/// Names that files of this trade use, per meaning, as [`plain`] writes them.
const NAMES: &[(Target, &str)] = &[
    (
        Target::ExternalRef,
        "id_deudor deudor deudor_id clave_deudor cliente_id id_cliente no_cliente \
         num_cliente numero_de_cliente numero_cliente referencia debtor_id debtor \
         debtor_ref customer_id customer_number customer_ref ref",
    ),
    (
        Target::DebtRef,
        "credito no_credito num_credito numero_de_credito numero_credito id_credito \
         contrato no_contrato num_contrato numero_de_contrato numero_contrato cuenta \
         no_cuenta numero_de_cuenta obligacion numero_obligacion operacion id_deuda deuda \
         debt_id debt account account_number account_id loan_id contract contract_number",
    ),
    (
        Target::Name,
        "nombre nombre_completo nombre_deudor nombre_del_deudor titular razon_social \
         full_name debtor_name customer_name",
    ),
    (
        Target::Document,
        "documento numero_documento num_documento doc rfc curp cedula cc nit dni nie rut \
         run ruc cpf cnpj cuit cuil identificacion document_number national_id tax_id \
         id_number",
    ),
    (
        Target::Kind,
        "tipo tipo_persona tipo_de_persona debtor_kind person_type",
    ),
    (
        Target::Country,
        "pais codigo_pais pais_residencia country_code",
    ),
    (
        Target::Subdivision,
        "estado provincia departamento region comunidad uf state province",
    ),
    (Target::Language, "idioma lengua lang"),
    (
        Target::AddressZone,
        "zona_horaria huso huso_horario time_zone timezone zona",
    ),
    (
        Target::Product,
        "producto tipo_producto tipo_de_credito product_name",
    ),
    (Target::Currency, "moneda divisa currency_code"),
    (
        Target::Principal,
        "capital saldo_capital principal_amount capital_vigente saldo_de_capital",
    ),
    (
        Target::Interest,
        "interes intereses interest_amount intereses_moratorios",
    ),
    (
        Target::Fees,
        "gastos comisiones gastos_de_cobranza recargos cargos fee charges",
    ),
    (
        Target::Balance,
        "saldo saldo_total deuda_total adeudo adeudo_total total importe monto \
         monto_total amount amount_due total_due outstanding",
    ),
    (
        Target::Overdue,
        "vencido saldo_vencido importe_vencido monto_vencido overdue_amount \
         past_due_amount",
    ),
    (
        Target::Minimum,
        "minimo pago_minimo importe_minimo minimum_payment min_payment",
    ),
    (
        Target::DueDate,
        "vencimiento fecha_vencimiento fecha_de_vencimiento fecha_limite fecha_mora \
         fecha_primer_impago due due_on",
    ),
    (
        Target::DaysPastDue,
        "dias_mora dias_de_mora dias_vencidos dias_atraso dias_de_atraso mora dpd \
         days_late days_overdue",
    ),
    (
        Target::Phone,
        "telefono telefono_1 telefono1 telefono_2 telefono2 telefono_3 telefono3 tel tel1 \
         tel2 tel_1 tel_2 fono phone_1 phone1 phone_2 phone2 phone_3 phone3 phone_number \
         telephone",
    ),
    (
        Target::PhoneMobile,
        "celular celular_1 celular_2 celular1 celular2 movil telefono_movil \
         telefono_celular cel mobile mobile_phone cell cell_phone",
    ),
    (
        Target::PhoneHome,
        "telefono_casa tel_casa casa telefono_domicilio home_phone fijo telefono_fijo",
    ),
    (
        Target::PhoneWork,
        "telefono_trabajo tel_trabajo tel_oficina telefono_oficina work_phone oficina",
    ),
    (
        Target::PhoneAuthorised,
        "autorizado telefono_autorizado autoriza_llamadas authorised authorized \
         phone_authorized",
    ),
    (
        Target::PhoneGivenByDebtor,
        "dado_por_deudor telefono_dado_por_deudor proporcionado_por_deudor \
         given_by_debtor",
    ),
    (
        Target::Score,
        "score puntaje calificacion score_cobranza puntuacion",
    ),
];

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
