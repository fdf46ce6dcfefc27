//! Rows of a file of consents.

use super::{Counted, context, strings};
use crate::entity::{Channel, ImportKind};
use crate::import::{ColumnMap, ConsentReader, ImportFault, detect_as};
use crate::ports::store::RowFault;
use crate::rules::consents::{ConsentAct, ConsentDebtor, ConsentRow};

const HEADER: &str = "Clave deudor;RFC;Canal;Estado;Fecha;Prueba;Finalidad;Vigencia;Notas";

fn reader(header: &str, map: &ColumnMap) -> Result<ConsentReader, ImportFault> {
    let header = strings(header);
    let found = detect_as(ImportKind::Consents, (&header, &[]), map);
    let context = context();
    ConsentReader::new(&header, found.map, (&context.portfolio, context.now))
}

fn read(row: &str) -> Result<ConsentRow, RowFault> {
    let reader = reader(HEADER, &ColumnMap::default()).expect("header");
    reader.read(7, &strings(row), &Counted::default())
}

#[test]
fn spanish_columns_and_words_are_understood() {
    let row =
        read("D1;;Correo electrónico;Otorgado;23/10/2026;Contrato 12;;31/12/2026;").expect("taken");
    assert_eq!(row.debtor, ConsentDebtor::Ref("D1".into()));
    assert_eq!((row.line, row.channel), (7, Channel::Email));
    assert_eq!(
        (row.act, row.purpose.as_str()),
        (ConsentAct::Granted, "contact")
    );
    // Days of the portfolio's zone, Mexico City, six hours behind UTC.
    assert_eq!(row.at.to_string(), "2026-10-23T06:00:00.000Z");
    let until = row.until.map(|at| at.to_string());
    assert_eq!(
        until.as_deref(),
        Some("2027-01-01T06:00:00.000Z"),
        "its last day is in it"
    );
    assert_eq!(row.proof, "Contrato 12");
    let row =
        read(";xaxx-010101 000;WhatsApp;REVOCADO;2026-11-23;Audio 7;voz grabada;;").expect("taken");
    assert_eq!(row.debtor, ConsentDebtor::Document("XAXX010101000".into()));
    assert_eq!(
        (row.act, row.channel),
        (ConsentAct::Revoked, Channel::Whatsapp)
    );
    assert_eq!((row.purpose.as_str(), row.until), ("prerecorded", None));
}

#[test]
fn rows_without_proof_or_date_are_refused_by_column_and_reason() {
    for (row, column, part) in [
        ("D1;;sms;otorgado;2026-10-23;;;;", "Prueba", "no proof"),
        ("D1;;sms;otorgado;2026-10-23;  ;;;", "Prueba", "no proof"),
        ("D1;;sms;otorgado;;Contrato;;;", "Fecha", "no date"),
        (
            "D1;;sms;otorgado;03/11/2026;Contrato;;;",
            "Fecha",
            "two ways",
        ),
        (
            "D1;;sms;otorgado;2026-11-24;Contrato;;;",
            "Fecha",
            "a day to come",
        ),
        ("D1;;sms;otorgado;45985;Contrato;;;", "Fecha", "day count"),
        (
            ";;sms;otorgado;2026-10-23;Contrato;;;",
            "Clave deudor",
            "empty",
        ),
        (
            "1.5E+11;;sms;otorgado;2026-10-23;C;;;",
            "Clave deudor",
            "powers of ten",
        ),
        (
            ";---;sms;otorgado;2026-10-23;C;;;",
            "RFC",
            "letters or digits",
        ),
        (
            "D1;;fax;otorgado;2026-10-23;Contrato;;;",
            "Canal",
            "expected call",
        ),
        (
            "D1;;;otorgado;2026-10-23;Contrato;;;",
            "Canal",
            "expected call",
        ),
        (
            "D1;;sms;sí;2026-10-23;Contrato;;;",
            "Estado",
            "granted or revoked",
        ),
        (
            "D1;;sms;otorgado;2026-10-23;C;publicidad;;",
            "Finalidad",
            "one of contact",
        ),
        (
            "D1;;sms;otorgado;2026-10-23;C;;2026-10-22;",
            "Vigencia",
            "ends before",
        ),
        (
            "D1;;sms;revocado;2026-10-23;C;;2026-12-31;",
            "Vigencia",
            "granted alone",
        ),
        ("D1;;sms;otorgado;2026-10-23;=A1&B1;;;", "Prueba", "formula"),
    ] {
        let fault = read(row).expect_err(row);
        assert_eq!((fault.row, fault.column.as_str()), (7, column), "{row}");
        assert!(fault.reason.contains(part), "{row}: {}", fault.reason);
    }
}

#[test]
fn a_header_that_lacks_what_is_needed_is_refused() {
    let none = ColumnMap::default();
    for (header, part) in [
        ("Clave deudor;Canal;Estado;Fecha", "consent_proof"),
        ("Clave deudor;Canal;Estado;Prueba", "consent_date"),
        ("Canal;Estado;Fecha;Prueba", "external_ref or document"),
        (
            "Clave deudor;Canal;Medio;Estado;Fecha;Prueba",
            "are both consent_channel",
        ),
    ] {
        let error = reader(header, &none).expect_err(header).to_string();
        assert!(error.contains(part), "{header}: {error}");
    }
    let map = r#"{"columns":{"Quién":"external_ref","Por":"consent_channel","Cuándo":"consent_date","Folio":"consent_proof"},"defaults":{"consent_state":"revocado"}}"#;
    let map = ColumnMap::from_json(map).expect("map");
    let reader = reader("Quién;Por;Cuándo;Folio;Otra", &map).expect("header");
    let row = reader.read(
        2,
        &strings("D1;llamada;2026-10-23;F1;"),
        &Counted::default(),
    );
    let row = row.expect("taken");
    assert_eq!((row.act, row.channel), (ConsentAct::Revoked, Channel::Call));
    let money = ColumnMap::from_json(r#"{"Saldo":"balance"}"#).expect("map");
    let fault = self::reader("Saldo;Canal", &money)
        .expect_err("money")
        .to_string();
    assert!(
        fault.contains("a file of consents has no balance"),
        "{fault}"
    );
}

#[test]
fn a_portfolio_has_no_columns_of_consents() {
    let map = ColumnMap::from_json(r#"{"columns":{"Fecha":"consent_date"}}"#).expect("map");
    let header = strings("Fecha");
    let fault = crate::import::RowReader::new(&header, map, context()).expect_err("refused");
    assert!(
        fault.to_string().contains("goes with a file of consents"),
        "{fault}"
    );
}
