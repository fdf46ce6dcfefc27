//! Workbooks through the importer.

use super::sheet::check_parts;
use super::tests::World;
use super::*;
use domain::import::Formulas;
use domain::ports::store::PortfolioStore as _;
use proptest::prelude::*;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// Parts of an archive as a file.
fn archive(parts: &[(String, String)]) -> Vec<u8> {
    let mut file = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        file.start_file(name.as_str(), SimpleFileOptions::default())
            .expect("part");
        file.write_all(text.as_bytes()).expect("text");
    }
    file.finish().expect("finished").into_inner()
}

/// A workbook of sheets, each with its rows as XML.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    let (mut list, mut rels, mut parts) = (String::new(), String::new(), Vec::new());
    for (n, (name, rows)) in sheets.iter().enumerate() {
        let n = n + 1;
        list += &format!(r#"<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>"#);
        rels += &format!(
            r#"<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>"#
        );
        parts.push((
            format!("xl/worksheets/sheet{n}.xml"),
            format!(r#"<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#),
        ));
    }
    rels += r#"<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>"#;
    let book = format!(
        r#"<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{list}</sheets></workbook>"#
    );
    let rels = format!(
        r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rels}</Relationships>"#
    );
    let fixed = [
        ("[Content_Types].xml", TYPES.to_owned()),
        ("_rels/.rels", RELS.to_owned()),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", rels),
        ("xl/styles.xml", STYLES.to_owned()),
    ];
    let fixed = fixed
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text));
    archive(&fixed.chain(parts).collect::<Vec<_>>())
}

fn text(at: &str, value: &str) -> String {
    format!(r#"<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>"#)
}

const NAMES: [&str; 7] = [
    "Id deudor",
    "Crédito",
    "Nombre",
    "País",
    "Saldo",
    "Vencimiento",
    "Celular",
];

fn header(row: usize) -> String {
    let cells: String = NAMES
        .iter()
        .zip("ABCDEFG".chars())
        .map(|(name, column)| text(&format!("{column}{row}"), name))
        .collect();
    format!(r#"<row r="{row}">{cells}</row>"#)
}

fn debtor(row: usize, balance: &str, due: &str, phone: &str) -> String {
    let (id, debt) = (
        text(&format!("A{row}"), &format!("D{row}")),
        text(&format!("B{row}"), &format!("C{row}")),
    );
    let name = text(&format!("C{row}"), "Peña &quot;Núñez&quot;, Ana");
    let country = text(&format!("D{row}"), "MX");
    format!(
        r#"<row r="{row}">{id}{debt}{name}{country}<c r="E{row}">{balance}</c><c r="F{row}" s="1">{due}</c><c r="G{row}">{phone}</c></row>"#
    )
}

/// 45985 is 24 November 2025.
const DUE: &str = "<v>45985</v>";

#[tokio::test]
async fn a_sheet_is_read_as_its_cells_show() {
    let rows = header(2)
        + &debtor(4, "<v>1234.5</v>", DUE, "<v>5512345678</v>")
        + &debtor(5, "<v>2469</v>", DUE, "<v>525512345679</v>")
        + &debtor(6, "<v>0.30000000000000004</v>", DUE, "<v>5512345670</v>")
        + &debtor(8, "<v>10</v>", "<v>nunca</v>", "<v>5512345671</v>");
    let rows = rows.replace(r#"s="1"><v>nunca</v>"#, r#"t="e"><v>#N/A</v>"#);
    let world = World::new();
    let book = workbook(&[("Cartera", &rows), ("Vacía", "")]);
    let (report, faults) = world.import(&book, None, false).await.expect("read");
    let told: Vec<(u64, &str)> = faults.iter().map(|f| (f.row, f.column.as_str())).collect();
    assert_eq!(
        told,
        [(8, "Vencimiento")],
        "rows are those of the sheet: {faults:?}"
    );
    assert_eq!((report.rows, report.debts_new), (4, 3));
    let balances = world.balances().await;
    assert_eq!(balances, [("MXN".to_owned(), 123_450 + 246_900 + 30)]);
    let found = world
        .store
        .find_debtors(None, "D4", 5)
        .await
        .expect("found");
    assert_eq!(found[0].name.reveal(), "Peña \"Núñez\", Ana");
    let file = world.store.debtor_file(found[0].id).await.expect("file");
    assert_eq!(file.debts[0].due_date, "2025-11-24");
    assert_eq!(file.points[0].value.reveal(), "+525512345678");
}

/// Formulas of each kind in columns that are read: alone, one of several that share it, one that fills two cells.
fn calculated() -> String {
    let filled = r#"<f t="array" ref="E5:E6">E2:E3*2</f><v>3</v>"#;
    header(1)
        + &debtor(2, "<v>1</v>", DUE, "<v>5512345671</v>")
        + &debtor(3, "<f>E2*2</f><v>2</v>", DUE, "<v>5512345672</v>")
        + &debtor(
            4,
            "<v>7</v>",
            r#"<f t="shared" si="0"/><v>45985</v>"#,
            "<v>5512345673</v>",
        )
        + &debtor(5, filled, DUE, "<v>5512345674</v>")
        + &debtor(6, "<v>4</v>", DUE, "<v>5512345675</v>")
        + &debtor(7, "<v>5</v>", DUE, "<f>\"55\"&amp;A1</f><v/>")
        + &debtor(8, "<v>6</v>", DUE, "<v>5512345676</v>")
}

#[tokio::test]
async fn a_formula_is_refused_with_its_row_and_column() {
    let world = World::new();
    let book = workbook(&[("Cartera", &calculated())]);
    let (report, faults) = world.import(&book, None, false).await.expect("read");
    let told: Vec<(u64, &str, &str)> = faults
        .iter()
        .map(|f| (f.row, f.column.as_str(), f.value.as_str()))
        .collect();
    let want = [
        (3, "Saldo", "=E2*2"),
        (4, "Vencimiento", "="),
        (5, "Saldo", "=E2:E3*2"),
        (6, "Saldo", "="),
        (7, "Celular", "=\"55\"&A1"),
    ];
    assert_eq!(told, want, "{faults:?}");
    assert!(faults.iter().all(|f| f.reason.contains("formula")));
    assert_eq!((report.rows, report.debts_new), (7, 2));
}

#[tokio::test]
async fn stored_results_are_taken_where_the_map_says_so() {
    let world = World::new();
    let book = workbook(&[("Cartera", &calculated())]);
    let map = |formulas| ColumnMap {
        formulas: Some(formulas),
        ..ColumnMap::default()
    };
    let refused = world.import(&book, Some(map(Formulas::Refused)), true);
    assert_eq!(refused.await.expect("read").1.len(), 5);
    let taken = world.import(&book, Some(map(Formulas::Stored)), false);
    let (report, faults) = taken.await.expect("read");
    let told: Vec<(u64, &str)> = faults.iter().map(|f| (f.row, f.column.as_str())).collect();
    // It was never calculated: there is nothing to take.
    assert_eq!(told, [(7, "Celular")], "{faults:?}");
    assert_eq!((report.rows, report.debts_new), (7, 6));
    let sum = 100 * (1 + 2 + 7 + 3 + 4 + 6);
    assert_eq!(world.balances().await, [("MXN".to_owned(), sum)]);
}

#[tokio::test]
async fn a_formula_in_a_column_that_is_not_read_refuses_nothing() {
    let world = World::new();
    let note = r#"<c r="H2"><f>E2*2</f><v>2</v></c></row>"#;
    let head = header(1).replace("</row>", &(text("H1", "Doble") + "</row>"));
    let row = debtor(2, "<v>1</v>", DUE, "<v>5512345671</v>").replace("</row>", note);
    let book = workbook(&[("Cartera", &(head + &row)), ("Vacía", "")]);
    let (report, faults) = world.import(&book, None, false).await.expect("read");
    assert_eq!((report.debts_new, faults.len()), (1, 0), "{faults:?}");
}

#[tokio::test]
async fn the_map_names_the_sheet_where_several_hold_something() {
    let one = header(1) + &debtor(2, "<v>1</v>", DUE, "<v>5512345678</v>");
    let book = workbook(&[("Resumen", &header(1)), ("Datos", &one)]);
    let world = World::new();
    let error = world.import(&book, None, false).await.expect_err("asks");
    let error = error.to_string();
    assert!(
        error.contains("Resumen, Datos") && error.contains("\"sheet\""),
        "{error}"
    );
    let named = |name: &str| ColumnMap {
        sheet: Some(name.to_owned()),
        ..ColumnMap::default()
    };
    let (report, _) = world
        .import(&book, Some(named("datos")), false)
        .await
        .expect("read");
    assert_eq!(report.debts_new, 1);
    let error = world
        .import(&book, Some(named("Otra")), false)
        .await
        .expect_err("none");
    assert!(error.to_string().contains("no sheet 'Otra'"), "{error}");
    let shown = head(book.as_slice(), &mut named("Datos"))
        .await
        .expect("head");
    let shape = detect(ImportKind::Portfolio, &shown, None).expect("shape");
    assert_eq!(shape.columns, NAMES);
}

#[tokio::test]
async fn what_is_no_workbook_says_so() {
    let world = World::new();
    let whole = workbook(&[("Cartera", &header(1))]);
    for (bytes, part) in [
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old"[..], ".xls"),
        (b"PK\x03\x04 nothing else", "damaged"),
        (&whole[..whole.len() / 2], "damaged"),
        (&archive(&[("a.txt".into(), "x".into())]), ".xlsx"),
        (&workbook(&[("Nada", "")]), "no sheet of it"),
    ] {
        let error = world.import(bytes, None, true).await.expect_err(part);
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_part_that_swells_is_refused_before_it_is_read() {
    let bomb = archive(&[
        (
            "xl/sharedStrings.xml".into(),
            "<sst>".to_owned() + &"0".repeat(199_995),
        ),
        ("xl/worksheets/sheet1.xml".into(), "0".repeat(200_000)),
    ]);
    assert!(bomb.len() < 10_000, "packed: {}", bomb.len());
    assert!(check_parts(&bomb, (200_000, 200_000), WIDE).is_ok());
    for limits in [(199_999, 200_000), (200_000, 199_999)] {
        let error = check_parts(&bomb, limits, WIDE).expect_err("too large");
        assert!(error.to_string().contains("when unpacked"), "{error}");
    }
}

/// No limit of all parts together.
const WIDE: u64 = 1 << 30;

#[test]
fn many_parts_are_no_way_around_the_limit_of_one() {
    let parts: Vec<(String, String)> = (0..5)
        .map(|n| (format!("xl/media/{n}.bin"), "0".repeat(200_000)))
        .collect();
    let book = archive(&parts);
    let limits = (200_000, 200_000);
    check_parts(&book, limits, 1_000_000).expect("all of it fits");
    let error = check_parts(&book, limits, 999_999).expect_err("too large");
    assert!(error.to_string().contains("when unpacked"), "{error}");
}

#[test]
fn a_workbook_lies_in_its_folder() {
    let list = |target: &str| {
        let text = RELS.replace(r#"Target="xl/workbook.xml""#, target);
        archive(&[("_rels/.rels".into(), text)])
    };
    let limits = (200_000, 200_000);
    for good in [
        r#"Target="xl/workbook.xml""#,
        r#"Target="/xl/workbook.xml""#,
        "Target = 'xl/workbook2.xml'",
    ] {
        check_parts(&list(good), limits, WIDE).expect(good);
    }
    for bad in [
        r#"Target="other/workbook.xml""#,
        r#"Target="workbook.xml""#,
        r#"Target="xl/../other/workbook.xml""#,
        r#"Target="xl/&#47;workbook.xml""#,
        r#"Target="xl/workbook.xml" Target="other/workbook.xml""#,
        "",
    ] {
        let error = check_parts(&list(bad), limits, WIDE).expect_err(bad);
        assert!(error.to_string().contains("folder xl/"), "{error}");
    }
}

#[test]
fn a_cell_without_end_is_refused_before_it_is_read() {
    let row = format!("<row r=\"1\">{}</row>", text("A1", &"x".repeat(1 << 20)));
    let book = workbook(&[("Cartera", &row)]);
    let error = check_parts(&book, (WIDE, WIDE), WIDE).expect_err("too large");
    assert!(error.to_string().contains("a cell of it"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any damage to a workbook: an answer, never a panic.
    #[test]
    fn damage_is_no_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let rows = header(1) + &debtor(2, "<v>1</v>", DUE, "<v>5512345678</v>");
        let mut bytes = workbook(&[("Cartera", &rows)]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.index(bytes.len()) / 8);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let world = World::new();
        if let Ok((report, faults)) = runtime.block_on(world.import(&bytes, None, false)) {
            prop_assert_eq!(report.refused, faults.len() as u64);
        }
    }
}

#[test]
fn a_table_of_texts_that_promises_more_than_it_holds_is_refused() {
    let table = |head: &str| archive(&[("xl/sharedStrings.xml".into(), head.into())]);
    let limits = (200_000, 200_000);
    let lie = r#"<sst uniqueCount="1000000000000"><si><t>a</t></si></sst>"#;
    let hidden = r#"<!-- uniqueCount="1" --><sst uniqueCount='1000000000000'/>"#;
    for bad in [
        lie,
        hidden,
        "<x/>",
        r#"<sst uniqueCount="&#49;0000000000000"/>"#,
    ] {
        check_parts(&table(bad), limits, WIDE).expect_err(bad);
    }
    let good = r#"<?xml version="1.0"?><sst count="9" uniqueCount="1"><si><t>a</t></si></sst>"#;
    check_parts(&table(good), limits, WIDE).expect("it holds what it says");
}

#[tokio::test]
async fn a_workbook_of_consents_is_read_as_well() {
    let world = World::new();
    let debtors = header(1) + &debtor(2, "<v>10</v>", DUE, "<v>5512345678</v>");
    let book = workbook(&[("Cartera", &debtors)]);
    world.import(&book, None, false).await.expect("debtors");
    let names = ["Clave deudor", "Canal", "Estado", "Fecha", "Prueba"];
    let cells = names.iter().zip("ABCDE".chars());
    let head: String = cells
        .map(|(name, c)| text(&format!("{c}1"), name))
        .collect();
    let row = |n: usize, proof: &str| {
        let (who, by) = (
            text(&format!("A{n}"), "D2"),
            text(&format!("B{n}"), "llamada"),
        );
        let (said, proof) = (
            text(&format!("C{n}"), "revocado"),
            text(&format!("E{n}"), proof),
        );
        format!(r#"<row r="{n}">{who}{by}{said}<c r="D{n}" s="1">{DUE}</c>{proof}</row>"#)
    };
    let rows = format!(r#"<row r="1">{head}</row>"#) + &row(2, "Audio 7") + &row(3, "");
    let book = workbook(&[("Consentimientos", &rows)]);
    let (report, faults) = world.consents(&book, None).await.expect("read");
    assert_eq!(
        (report.rows, report.consents_revoked, report.refused),
        (2, 1, 1)
    );
    assert_eq!((faults[0].row, faults[0].column.as_str()), (3, "Prueba"));
}
