//! Rows end to end: header, map and cells to debtor, debt and points.
mod around;
mod consents;

use super::*;
use crate::entity::{CreditorKind, Language, PointClass, Portfolio};
use crate::ids::{ClientId, PortfolioId};
use crate::ports::IdSource;
use crate::ports::store::{DebtorRow, RowFault};
use crate::time::UtcMs;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

#[derive(Default)]
struct Counted(AtomicU64);
impl IdSource for Counted {
    fn next(&self, _now: UtcMs) -> Uuid {
        Uuid::from_u64_pair(7, self.0.fetch_add(1, Ordering::Relaxed))
    }
}

const HEADER: &str =
    "external_ref;debt_ref;name;country;balance;due_date;phone_mobile;phone_home;phone_authorised";

fn strings(text: &str) -> Vec<String> {
    text.split(';').map(str::to_owned).collect()
}

fn context() -> RowContext {
    RowContext {
        client: ClientId(Uuid::from_u128(1)),
        portfolio: Portfolio {
            id: PortfolioId(Uuid::from_u128(2)),
            client_id: ClientId(Uuid::from_u128(1)),
            name: "Consumo".into(),
            currency: "MXN".parse().expect("currency"),
            creditor_kind: CreditorKind::Financial,
            zone: "America/Mexico_City".into(),
            created_at: UtcMs(0),
        },
        // 2026-11-24 02:00 UTC is still the 23rd in Mexico.
        now: "2026-11-24T02:00:00Z".parse().expect("instant"),
        by_rule: false,
    }
}

fn reader(header: &str, map: ColumnMap) -> Result<RowReader, ImportFault> {
    let header = strings(header);
    let map = detect(&header, &[], &map).map;
    RowReader::new(&header, map, context())
}

fn read(header: &str, row: &str) -> Result<DebtorRow, RowFault> {
    reader(header, ColumnMap::default()).expect("header").read(
        7,
        &strings(row),
        &Counted::default(),
    )
}

#[test]
fn a_whole_row() {
    let row = read(
        HEADER,
        "D1;C1;Ana  Ruiz;mx;1.234,50;23/10/2026;55 0012 3456;+52 55 0012 3457;sí",
    )
    .expect("taken");
    assert_eq!(
        (
            row.line,
            row.debtor.name.reveal().as_str(),
            row.debtor.country.as_str()
        ),
        (7, "Ana Ruiz", "MX")
    );
    assert_eq!(
        (
            row.debtor.language,
            row.debt.principal_minor,
            row.debt.overdue_minor
        ),
        (Language::Es, 123_450, 123_450)
    );
    assert_eq!(row.debt.due_date, "2026-10-23");
    let points: Vec<_> = row
        .points
        .iter()
        .map(|p| {
            (
                p.value.reveal().as_str(),
                p.class,
                p.authorised,
                p.given_by_debtor,
                p.position,
            )
        })
        .collect();
    assert_eq!(
        points,
        [
            ("+525500123456", PointClass::Mobile, true, false, 0),
            ("+525500123457", PointClass::Home, true, false, 1)
        ]
    );
    assert_eq!(
        (row.parties.len(), row.parties[0].debt_id),
        (1, row.debt.id)
    );
}

#[test]
fn refused_cells_name_column_value_and_reason() {
    for (row, column, part) in [
        (
            ";C1;Ana;MX;1;2026-10-23;5500123456;;",
            "external_ref",
            "empty",
        ),
        (
            "D1;1.5E+11;Ana;MX;1;2026-10-23;5500123456;;",
            "debt_ref",
            "powers of ten",
        ),
        ("D1;C1;;MX;1;2026-10-23;5500123456;;", "name", "empty"),
        (
            "D1;C1;Ana;Narnia;1;2026-10-23;5500123456;;",
            "country",
            "unknown country",
        ),
        (
            "D1;C1;Ana;MX;1.234;2026-10-23;5500123456;;",
            "balance",
            "two ways",
        ),
        ("D1;C1;Ana;MX;;2026-10-23;5500123456;;", "balance", "empty"),
        (
            "D1;C1;Ana;MX;1;03/04/2026;5500123456;;",
            "due_date",
            "two ways",
        ),
        ("D1;C1;Ana;MX;1;;5500123456;;", "due_date", "expected"),
        (
            "D1;C1;Ana;MX;1;2026-10-23;1234;;",
            "phone_mobile",
            "numbering plan",
        ),
        (
            "D1;C1;Ana;MX;1;2026-10-23;5.25513E+11;;",
            "phone_mobile",
            "powers of ten",
        ),
        ("D1;C1;Ana;MX;1;2026-10-23;;12;", "phone_home", "phone"),
        (
            "D1;C1;Ana;MX;1;2026-10-23;5500123456;;quizá",
            "phone_authorised",
            "yes or no",
        ),
    ] {
        let fault = read(HEADER, row).expect_err(row);
        assert_eq!((fault.row, fault.column.as_str()), (7, column), "{row}");
        assert!(fault.reason.contains(part), "{row}: {}", fault.reason);
    }
}

#[test]
fn the_statute_date_is_read_where_the_file_has_it() {
    let header = "external_ref;debt_ref;name;country;balance;due_date;Fecha de prescripción";
    let statute = |cell: &str| read(header, &format!("D1;C1;Ana;MX;1;23/10/2026;{cell}"));
    let taken = statute("31/12/2029").expect("taken");
    assert_eq!(taken.debt.statute_date.as_deref(), Some("2029-12-31"));
    assert_eq!(statute(" ").expect("taken").debt.statute_date, None);
    let fault = statute("31/02/2029").expect_err("no such day");
    assert_eq!(fault.column, "Fecha de prescripción");
}

#[test]
fn days_past_due_count_from_the_portfolios_own_day() {
    let header =
        "external_ref;debt_ref;name;country;principal;interest;fees;days_past_due;overdue;minimum";
    let row = read(header, "D1;C1;Ana;MX;100;10;1.5;31;60.00;6").expect("taken");
    assert_eq!(row.debt.due_date, "2026-10-23");
    assert_eq!(
        (
            row.debt.balance_minor(),
            row.debt.overdue_minor,
            row.debt.minimum_minor
        ),
        (11_150, 6_000, 600)
    );
    assert!(row.points.is_empty());
    for (cells, column) in [
        ("D1;C1;Ana;MX;100;10;1.5;x;1;1", "days_past_due"),
        ("D1;C1;Ana;MX;100;10;1.5;999999;1;1", "days_past_due"),
        ("D1;C1;Ana;MX;100;10;1.5;3;112.00;1", "overdue"),
        ("D1;C1;Ana;MX;100;10;1.5;3;1;112.00", "minimum"),
    ] {
        assert_eq!(
            read(header, cells).expect_err(cells).column,
            column,
            "{cells}"
        );
    }
}

#[test]
fn principal_and_balance_must_agree() {
    let header = "external_ref;debt_ref;name;country;principal;interest;balance;due_date";
    assert_eq!(
        read(header, "D;C;Ana;MX;90;10;100;2026-10-23")
            .expect("agrees")
            .debt
            .principal_minor,
        9_000
    );
    assert_eq!(
        read(header, "D;C;Ana;MX;;10;100;2026-10-23")
            .expect("follows")
            .debt
            .principal_minor,
        9_000
    );
    for row in [
        "D;C;Ana;MX;80;10;100;2026-10-23",
        "D;C;Ana;MX;;100;10;2026-10-23",
    ] {
        assert_eq!(read(header, row).expect_err(row).column, "balance");
    }
}

#[test]
fn headers_and_maps_that_do_not_fit_are_refused() {
    let fault = |header: &str, map: ColumnMap| reader(header, map).expect_err(header).to_string();
    assert!(
        fault("nombre;saldo", ColumnMap::default())
            .contains("external_ref, debt_ref, country, due_date or days_past_due")
    );
    assert!(fault(HEADER, ColumnMap::of(&[("Otro", Target::Name)])).contains("no column 'Otro'"));
    let twice = ColumnMap::of(&[("name", Target::Name), ("country", Target::Name)]);
    assert!(fault(HEADER, twice).contains("'name' and 'country' are both name"));
    let header = "external_ref;debt_ref;name;balance;due_date;phone;phone";
    let map = ColumnMap {
        defaults: [(Target::Country, "MX".to_owned())].into(),
        ..ColumnMap::default()
    };
    assert!(fault(header, map).contains("'phone' and 'phone'"));
}

#[test]
fn two_columns_of_one_meaning_ask_for_a_map() {
    let header = "external_ref;debt_ref;name;country;saldo;importe;due_date";
    let refused = reader(header, ColumnMap::default()).expect_err("both may be what is owed");
    assert!(
        refused
            .to_string()
            .contains("'saldo' and 'importe' are both balance"),
        "{refused}"
    );
    let names = ["external_ref", "debt_ref", "name", "country", "due_date"];
    let mut told: Vec<_> = names
        .iter()
        .map(|n| (*n, n.parse().expect("a target")))
        .collect();
    told.push(("importe", Target::Balance));
    let reader = reader(header, ColumnMap::of(&told)).expect("the map says which");
    let row = strings("D1;C1;Ana;MX;900;1000;2026-10-01");
    let row = reader.read(2, &row, &Counted::default()).expect("taken");
    assert_eq!(row.debt.principal_minor, 100_000);
}

#[test]
fn a_formula_is_refused_with_its_row() {
    for (row, column) in [
        ("=A2;C1;Ana;MX;100;2026-10-01", "external_ref"),
        ("D1;=\"00123\";Ana;MX;100;2026-10-01", "debt_ref"),
        ("D1;C1;=B2&C2;MX;100;2026-10-01", "name"),
        ("D1;C1;Ana;MX;=100*2;2026-10-01", "balance"),
        // Where a value is one of a few words, too, and before what is wrong elsewhere in the row.
        ("D1;C1;Ana;=A1;100;2026-10-01", "country"),
        ("D1;C1;Ana;MX;mucho;=TODAY()", "due_date"),
    ] {
        let fault = read("external_ref;debt_ref;name;country;balance;due_date", row);
        let fault = fault.expect_err(row);
        assert_eq!((fault.row, fault.column.as_str()), (7, column), "{row}");
        assert!(fault.reason.contains("formula"), "{row}: {}", fault.reason);
    }
}

#[test]
fn defaults_fill_what_has_no_column() {
    let header = "external_ref;debt_ref;name;balance;due_date;phone";
    let map = ColumnMap {
        defaults: [
            (Target::Country, "CO".to_owned()),
            (Target::PhoneAuthorised, "yes".to_owned()),
        ]
        .into(),
        ..ColumnMap::default()
    };
    let reader = reader(header, map).expect("header");
    let row = reader
        .read(
            2,
            &strings("D;C;Ana;10;2026-10-23;6019123456"),
            &Counted::default(),
        )
        .expect("taken");
    assert_eq!(
        (row.debtor.country.as_str(), row.points[0].authorised),
        ("CO", true)
    );
    assert_eq!(row.points[0].value.reveal(), "+576019123456");
}

#[test]
fn the_same_document_is_the_same_person_for_all() {
    let header = "external_ref;debt_ref;name;country;document;balance;due_date";
    let one = read(header, "D1;C1;Ana;MX;RUAA-800101;1;2026-10-23").expect("taken");
    let two = read(header, "D2;C2;Ana R;MX;ruaa800101;1;2026-10-23").expect("taken");
    let none = read(header, "D3;C3;Ana R;MX;;1;2026-10-23").expect("taken");
    assert_eq!(one.debtor.person_id, two.debtor.person_id);
    assert_ne!(one.debtor.person_id, none.debtor.person_id);
}

/// What the importer says about a CSV text of commas.
pub(super) fn faults_of(text: &str) -> Vec<String> {
    let mut lines = Lines::new(',');
    lines.push(text);
    lines.end();
    let rows: Vec<Line> = std::iter::from_fn(|| lines.next_line()).collect();
    let Some(Line::Row { fields: header, .. }) = rows.first() else {
        return vec!["no header".into()];
    };
    let map = detect(header, &[], &ColumnMap::default()).map;
    let reader = RowReader::new(header, map, context()).expect("header");
    let ids = Counted::default();
    rows[1..]
        .iter()
        .filter_map(|line| match line {
            Line::Row { line, fields } => reader
                .read(*line, fields, &ids)
                .err()
                .map(|f| format!("{f:?}")),
            Line::Broken { line, reason, .. } => Some(format!("{line}: {reason}")),
        })
        .collect()
}

#[test]
fn interest_is_the_creditors_or_the_rules_never_both() {
    let header = strings("external_ref;debt_ref;name;country;principal;Intereses;due_date");
    let map = detect(&header, &[], &ColumnMap::default()).map;
    let by_rule = RowContext {
        by_rule: true,
        ..context()
    };
    let refused = RowReader::new(&header, map.clone(), by_rule.clone()).expect_err("never both");
    assert!(refused.to_string().contains("'Intereses'"), "{refused}");
    assert!(RowReader::new(&header, map, context()).is_ok());
    let header = strings("external_ref;debt_ref;name;country;principal;due_date");
    let mut map = detect(&header, &[], &ColumnMap::default()).map;
    assert!(RowReader::new(&header, map.clone(), by_rule.clone()).is_ok());
    map.defaults.insert(Target::Interest, "10".into());
    assert!(RowReader::new(&header, map, by_rule).is_err());
}

#[test]
fn an_address_comes_with_its_row() {
    let header =
        "external_ref;debt_ref;name;country;subdivision;balance;due_date;Dirección;Ciudad;CP";
    let row = read(
        header,
        "1;D1;Ana;MX;JAL;100;2026-10-01;Av. Juárez 12, int. 4;Guadalajara;44100",
    )
    .expect("row");
    let address = row.address.expect("an address");
    let lines = ["Av. Juárez 12, int. 4", "44100 Guadalajara, JAL", "MX"];
    assert_eq!(address.lines(), lines);
    assert_eq!((address.source.as_str(), address.bad), ("import", false));
    assert!(!format!("{address:?}").contains("Juárez"), "masked");
    let row = read(header, "1;D1;Ana;MX;JAL;100;2026-10-01;;;").expect("row");
    assert_eq!(row.address, None);
}

const ITEMS: [&str; 8] = [
    "external_ref",
    "debt_ref",
    "name",
    "country",
    "principal",
    "fees",
    "due_date",
    "items",
];

fn with_items(principal: &str, due_date: &str, items: &str) -> Result<DebtorRow, RowFault> {
    let header: Vec<String> = ITEMS.iter().map(|s| (*s).to_owned()).collect();
    let map = detect(&header, &[], &ColumnMap::default()).map;
    let reader = RowReader::new(&header, map, context()).expect("header");
    let cells = ["D1", "C1", "Ana", "MX", principal, "5", due_date, items];
    let cells: Vec<String> = cells.iter().map(|s| (*s).to_owned()).collect();
    reader.read(7, &cells, &Counted::default())
}

#[test]
fn items_are_parts_of_the_principal_and_give_the_due_date_row_01() {
    let text = "F-2|2026-10-05|40.50; F-1|23/09/2026 | 1 ;F-3|2026-12-05|58.5;";
    let row = with_items("100", "2026-01-31", text).expect("taken");
    assert_eq!(row.debt.due_date, "2026-09-23", "of the oldest item");
    // Two of the three are past, and fees of 5.00 with them; the last is due in December.
    assert_eq!(
        (row.debt.overdue_minor, row.debt.minimum_minor),
        (4_650, 4_650)
    );
    let undated = with_items("100", "", text).expect("taken");
    assert_eq!(undated.debt.due_date, "2026-09-23");
    let plain = with_items("100", "2026-01-31", " ").expect("taken");
    assert_eq!(
        (plain.debt.due_date.as_str(), plain.items.len()),
        ("2026-01-31", 0)
    );
    let items: Vec<_> = row
        .items
        .iter()
        .map(|i| (i.reference.as_str(), i.due_date.as_str(), i.amount_minor))
        .collect();
    assert_eq!(
        items,
        [
            ("F-1", "2026-09-23", 100),
            ("F-2", "2026-10-05", 4_050),
            ("F-3", "2026-12-05", 5_850)
        ],
        "oldest first"
    );
    assert!(row.items.iter().all(|i| i.debt_id == row.debt.id));
    let many = "F|2026-10-05|1;".repeat(crate::entity::DEBT_ITEMS_MAX + 1);
    for (items, part) in [
        ("F-1|2026-10-05", "item 1: expected reference|date|amount"),
        (";", "expected reference|date|amount"),
        (
            "F-1|2026-10-05|60;|2026-11-05|40",
            "item 2: reference: empty",
        ),
        ("F-1|2026-02-30|100", "item 1: date: no such day"),
        (
            "F-1|03/04/2026|100",
            "item 1: date: can be read in two ways",
        ),
        ("F-1|2026-10-05|1.234", "item 1: amount: can be read in two"),
        (
            "F-1|2026-10-05|100;F-2|2026-11-05|0",
            "item 2: expected an amount above 0",
        ),
        (
            "F-1|2026-10-05|60;F-1|2026-11-05|40",
            "item 2: another item has the same",
        ),
        (
            "F-1|2026-10-05|99.9",
            "add up to 99.90, the principal of the same row is 100.00",
        ),
        (many.as_str(), "more than 120 items"),
    ] {
        let fault = with_items("100", "2026-01-31", items).expect_err(items);
        assert_eq!((fault.row, fault.column.as_str()), (7, "items"), "{items}");
        assert!(fault.reason.contains(part), "{items}: {}", fault.reason);
    }
    let wrong = with_items("100", "mañana", text).expect_err("a date that is written is read");
    assert_eq!(wrong.column, "due_date");
}
