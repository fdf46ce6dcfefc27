//! E-mail addresses, co-debtors and guarantors of a row.

use super::read;
use crate::entity::{Channel, PartyRole};
use crate::ports::store::DebtorRow;
use crate::rules::reach::UNTRIED;

const HEADER: &str = "external_ref;debt_ref;name;country;balance;due_date;Celular;Correo electrónico;correo_2;\
    correo_autorizado;Aval;Teléfono aval;Correo aval;nombre_aval_2;telefono_aval_2;codeudor;tel_codeudor;\
    aval_dado_por_deudor";

fn row(rest: &str) -> String {
    format!("D1;C1;Ana Ruiz;MX;10.50;2026-10-23;{rest}")
}

fn points(row: &DebtorRow) -> Vec<(Channel, &str, PartyRole, bool, bool)> {
    let of = |p: &crate::entity::ContactPoint| (p.channel, p.role, p.authorised, p.given_by_debtor);
    let mut all = Vec::new();
    for point in &row.points {
        let (channel, role, authorised, given) = of(point);
        all.push((
            channel,
            point.value.reveal().as_str(),
            role,
            authorised,
            given,
        ));
    }
    all
}

#[test]
fn spanish_columns_bring_addresses_guarantors_and_their_own_points() {
    let text = row(
        "5500123456;Ana.Ruiz@Example.com;ana@otra.mx;sí;Luis Pérez;5500123457;luis@example.com;\
         Eva Gil;5500123458;Juan Díaz;5500123459;sí",
    );
    let row = read(HEADER, &text).expect("taken");
    let parties: Vec<_> = row
        .parties
        .iter()
        .map(|p| (p.role, p.name.reveal().as_str(), p.debt_id == row.debt.id))
        .collect();
    assert_eq!(
        parties,
        [
            (PartyRole::Titular, "Ana Ruiz", true),
            (PartyRole::Codeudor, "Juan Díaz", true),
            (PartyRole::Aval, "Luis Pérez", true),
            (PartyRole::Aval, "Eva Gil", true),
        ]
    );
    use Channel::{Call, Email};
    assert_eq!(
        points(&row),
        [
            (Call, "+525500123456", PartyRole::Titular, false, false),
            (
                Email,
                "ana.ruiz@example.com",
                PartyRole::Titular,
                true,
                false
            ),
            (Email, "ana@otra.mx", PartyRole::Titular, true, false),
            (Call, "+525500123459", PartyRole::Codeudor, false, true),
            (Call, "+525500123457", PartyRole::Aval, false, true),
            (Call, "+525500123458", PartyRole::Aval, false, true),
            (Email, "luis@example.com", PartyRole::Aval, false, true),
        ]
    );
    for (n, point) in row.points.iter().enumerate() {
        assert_eq!(point.position, i32::try_from(n).expect("few"));
        assert_eq!(
            (point.source.as_str(), point.confidence),
            ("import", UNTRIED)
        );
        assert_eq!(point.added_at, row.debtor.created_at, "its age is told");
    }
}

#[test]
fn one_value_is_one_point_and_stays_the_main_debtors() {
    let text =
        row("5500123456;ana@example.com;ANA@example.com;;Luis;5500123456;ana@example.com;;;;;");
    let row = read(HEADER, &text).expect("taken");
    assert_eq!(row.points.len(), 2);
    assert!(row.points.iter().all(|p| p.role == PartyRole::Titular));
}

#[test]
fn a_bad_address_or_a_point_of_nobody_is_refused_by_its_column() {
    for (rest, column, part) in [
        (
            "5500123456;no tiene;;;;;;;;;;",
            "Correo electrónico",
            "expected an e-mail",
        ),
        ("5500123456;a@b.com;c@d;;;;;;;;;", "correo_2", "domain"),
        (
            "5500123456;#N/A;;;;;;;;;;",
            "Correo electrónico",
            "spreadsheet",
        ),
        (
            "5500123456;=A1&B1;;;;;;;;;;",
            "Correo electrónico",
            "formula",
        ),
        (
            "5500123456;;;tal vez;;;;;;;;",
            "correo_autorizado",
            "yes or no",
        ),
        (
            "5500123456;;;;;5500123457;;;;;;",
            "Teléfono aval",
            "aval_name",
        ),
        (
            "5500123456;;;;;;luis@example.com;;;;;",
            "Correo aval",
            "aval_name",
        ),
        (
            "5500123456;;;;Luis;1.5E+11;;;;;;",
            "Teléfono aval",
            "powers of ten",
        ),
        (
            "5500123456;;;;;;;;;;5500123459;",
            "tel_codeudor",
            "codeudor_name",
        ),
    ] {
        let fault = read(HEADER, &row(rest)).expect_err(rest);
        assert_eq!(fault.column, column, "{rest}");
        assert!(fault.reason.contains(part), "{rest}: {}", fault.reason);
    }
}
