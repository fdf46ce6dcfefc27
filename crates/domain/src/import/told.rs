//! The columns an import understands, as screens and helps explain them.

use super::Target;
use crate::entity::ImportKind;

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
    info(
        Target::Email,
        false,
        "correo electrónico; puede repetirse",
        "e-mail address; may be given several times",
    ),
    info(
        Target::EmailAuthorised,
        false,
        "sí o no: el deudor autorizó correos; sin columna, no",
        "yes or no: the debtor authorised e-mails; no without the column",
    ),
    info(
        Target::EmailGivenByDebtor,
        false,
        "sí o no: el deudor dio sus correos; sin columna, no",
        "yes or no: the debtor gave his e-mail addresses; no without the column",
    ),
    info(
        Target::CodeudorName,
        false,
        "nombre de un codeudor; puede repetirse",
        "name of a co-debtor; may be given several times",
    ),
    info(
        Target::CodeudorPhone,
        false,
        "teléfono de un codeudor, con su nombre; puede repetirse",
        "phone of a co-debtor, beside his name; may be given several times",
    ),
    info(
        Target::CodeudorEmail,
        false,
        "correo de un codeudor, con su nombre; puede repetirse",
        "e-mail address of a co-debtor, beside his name; may be given several times",
    ),
    info(
        Target::AvalName,
        false,
        "nombre de un aval; puede repetirse",
        "name of a guarantor by aval; may be given several times",
    ),
    info(
        Target::AvalPhone,
        false,
        "teléfono de un aval, con su nombre; puede repetirse",
        "phone of a guarantor by aval, beside his name; may be given several times",
    ),
    info(
        Target::AvalEmail,
        false,
        "correo de un aval, con su nombre; puede repetirse",
        "e-mail address of a guarantor by aval, beside his name; may be given several times",
    ),
    info(
        Target::FiadorName,
        false,
        "nombre de un fiador; puede repetirse",
        "name of a surety; may be given several times",
    ),
    info(
        Target::FiadorPhone,
        false,
        "teléfono de un fiador, con su nombre; puede repetirse",
        "phone of a surety, beside his name; may be given several times",
    ),
    info(
        Target::FiadorEmail,
        false,
        "correo de un fiador, con su nombre; puede repetirse",
        "e-mail address of a surety, beside his name; may be given several times",
    ),
    info(
        Target::ObligadoSolidarioName,
        false,
        "nombre de un obligado solidario; puede repetirse",
        "name of a person jointly liable; may be given several times",
    ),
    info(
        Target::ObligadoSolidarioPhone,
        false,
        "teléfono de un obligado solidario, con su nombre; puede repetirse",
        "phone of a person jointly liable, beside his name; may be given several times",
    ),
    info(
        Target::ObligadoSolidarioEmail,
        false,
        "correo de un obligado solidario, con su nombre; puede repetirse",
        "e-mail address of a person jointly liable, beside his name; may be given several times",
    ),
    info(
        Target::PartyAuthorised,
        false,
        "sí o no: codeudores y garantes autorizaron el contacto; sin columna, no",
        "yes or no: co-debtors and guarantors authorised contact; no without the column",
    ),
    info(
        Target::PartyGivenByDebtor,
        false,
        "sí o no: los puntos de codeudores y garantes los dio el deudor; sin columna, no",
        "yes or no: the debtor gave the points of co-debtors and guarantors; no without the column",
    ),
];

const CONSENTS: &[ColumnInfo] = &[
    info(
        Target::ExternalRef,
        false,
        "clave del deudor en el acreedor; hace falta esta o document",
        "the client's key of the debtor; this or document is needed",
    ),
    info(
        Target::Document,
        false,
        "documento de identidad, de un solo deudor de la cartera",
        "identity document, of one debtor of the portfolio alone",
    ),
    info(
        Target::ConsentChannel,
        true,
        "canal: llamada, sms, whatsapp, correo, push, carta o visita",
        "channel: call, sms, whatsapp, email, push, letter or visit",
    ),
    info(
        Target::ConsentState,
        true,
        "otorgado o revocado",
        "granted or revoked",
    ),
    info(
        Target::ConsentDate,
        true,
        "día en que se otorgó o revocó",
        "day on which it was granted or revoked",
    ),
    info(
        Target::ConsentProof,
        true,
        "referencia del documento o grabación que lo prueba",
        "reference of the document or recording that proves it",
    ),
    info(
        Target::ConsentPurpose,
        false,
        "para qué: contacto si falta; voz grabada, horario ampliado, solicitud de información…",
        "what for: contact without the column; prerecorded, wider_hours, information_request…",
    ),
    info(
        Target::ConsentUntil,
        false,
        "último día de vigencia; sin columna, sin fin",
        "last day on which it holds; no end without the column",
    ),
];

/// Every column that a portfolio's file may have.
#[must_use]
pub const fn columns() -> &'static [ColumnInfo] {
    COLUMNS
}

/// Every column that a file of a kind may have.
#[must_use]
pub const fn columns_of(kind: ImportKind) -> &'static [ColumnInfo] {
    match kind {
        ImportKind::Portfolio => COLUMNS,
        ImportKind::Consents => CONSENTS,
    }
}
