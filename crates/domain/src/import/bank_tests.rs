//! Files as banks write them.

use super::bank::{BankMap, BankMoney, BankRead, BankSheet, read_csv};
use super::reference::own_reference;
use super::{DateOrder, Decimal};

fn read(text: &str) -> BankSheet {
    let map = BankMap {
        currency: Some("MXN".parse().expect("a currency")),
        ..BankMap::default()
    };
    read_csv(text, &map).expect("a file")
}

fn money(sheet: &BankSheet) -> Vec<&BankMoney> {
    let of = |row: &'_ super::bank::BankRow| matches!(row.read, BankRead::Money(_));
    let rows = sheet.rows.iter().filter(|r| of(r));
    rows.filter_map(|r| match &r.read {
        BankRead::Money(m) => Some(m),
        _ => None,
    })
    .collect()
}

#[test]
fn a_statement_with_a_preamble_and_two_columns_of_money() {
    let text = "Cuenta;0123\nPeriodo;noviembre\nFecha;Concepto;Referencia;Cargos;Abonos;RFC\n\
        23/11/2026;PAGO C-1001;884201;;1.850,50;PEGA800101AAA\n\
        24/11/2026;COMISION;;35,00;;\n\
        25/11/2026;ABONO;884202;;0,00;\n\
        25/11/2026;ABONO;884203;;12,345;\n\
        40/11/2026;ABONO;884204;;10,00;\n";
    let sheet = read(text);
    assert_eq!(sheet.map.delimiter, Some(';'));
    assert_eq!(sheet.map.decimal, Some(Decimal::Comma));
    assert_eq!(sheet.map.dates, Some(DateOrder::Dmy));
    let found = money(&sheet);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].amount.amount_minor, 185_050);
    assert_eq!(found[0].paid_at.to_string(), "2026-11-23T12:00:00.000Z");
    let words = (
        &found[0].reference[..7],
        &*found[0].concept,
        &*found[0].document,
    );
    assert_eq!(words, ("884201 ", "PAGO C-1001", "PEGA800101AAA"));
    let kinds: Vec<_> = sheet
        .rows
        .iter()
        .map(|r| std::mem::discriminant(&r.read))
        .collect();
    assert_eq!(kinds[1], kinds[2], "a charge and nothing are no money");
    for (row, column) in [(3, "Abonos"), (4, "Fecha")] {
        let BankRead::Refused { column: at, .. } = &sheet.rows[row].read else {
            panic!("row {row}: {:?}", sheet.rows[row]);
        };
        assert_eq!(at, column);
    }
}

#[test]
fn a_signed_column_and_a_currency_of_each_row() {
    let text = "date,amount,currency,memo\n2026-11-23,\"1,234.50\",MXN,a\n2026-11-23,-20.00,MXN,b\n\
        2026-11-24,(5.00),MXN,c\n2026-11-24,700,CLP,d\n2026-11-24,7.00,XXX,e\n";
    let sheet = read(text);
    let have: Vec<_> = money(&sheet).iter().map(|m| m.amount).collect();
    assert_eq!(have.len(), 2);
    assert_eq!((have[0].amount_minor, have[1].amount_minor), (123_450, 700));
    assert_eq!(have[1].currency.as_str(), "CLP");
    assert!(
        matches!(&sheet.rows[4].read, BankRead::Refused { column, .. } if column == "currency")
    );
}

#[test]
fn rows_without_a_name_of_their_own_get_one_that_comes_again() {
    let text = "fecha,abono,concepto,referencia\n2026-11-23,10.00,x,SPEI\n2026-11-23,10.00,x,SPEI\n\
        2026-11-23,11.00,x,SPEI\n2026-11-23,10.00,y,\n2026-11-23,12.00,z,77\n";
    let names = |text: &str| -> Vec<String> {
        money(&read(text))
            .iter()
            .map(|m| m.reference.clone())
            .collect()
    };
    let first = names(text);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 5, "{first:?}");
    assert!(first[4].starts_with("77 "), "{first:?}");
    assert_eq!(names(text), first, "the same file, the same names");
    let other = "fecha,abono,concepto,referencia\n2026-11-23,12.00,z,77\n2026-12-23,12.00,z,77\n";
    let later = names(other);
    assert_eq!(later[0], first[4], "the same row in another file");
    assert_ne!(later[0], later[1], "a standing reference a month later");
}

#[test]
fn what_is_no_statement_says_what_is_missing() {
    for text in ["", "a,b\n1,2\n", "fecha,concepto\n2026-11-23,x\n"] {
        assert!(read_csv(text, &BankMap::default()).is_err(), "{text}");
    }
    let sheet = read_csv("fecha,abono\n2026-11-23,5.00\n", &BankMap::default()).expect("read");
    assert!(
        matches!(&sheet.rows[0].read, BankRead::Refused { reason, .. } if reason.contains("currency"))
    );
    let ambiguous = read("fecha,abono\n03/04/2026,5.00\n");
    assert!(
        matches!(&ambiguous.rows[0].read, BankRead::Refused { column, .. } if column == "fecha")
    );
}

#[test]
fn a_reference_is_shown_as_the_bank_wrote_it() {
    let sheet = read("Fecha;Referencia;Abono\n23/11/2026;SPEI 88-A;10,00\n23/11/2026;;20,00\n");
    let names: Vec<&str> = money(&sheet).iter().map(|m| &*m.reference).collect();
    assert_eq!(own_reference(names[0]), "SPEI 88-A");
    assert_eq!(own_reference(names[1]), "", "it had none");
    let with = |behind: &str| own_reference(&format!("{}{behind}", names[0]));
    assert_eq!(with("#2"), "SPEI 88-A#2");
    assert_eq!(with("~35000MXN#2-3"), "SPEI 88-A#2-3");
    assert_eq!(with("~35000MXN"), "SPEI 88-A");
    assert_eq!(with("!dp_1"), "SPEI 88-A!dp_1");
    assert_eq!(own_reference("c-9~12000MXN"), "c-9");
    for own in [
        "SPEI-01",
        "stripe:pi_3",
        "pago 0123456789abcdef0",
        "a b",
        "",
    ] {
        assert_eq!(own_reference(own), own, "{own:?} has no digest");
    }
}
