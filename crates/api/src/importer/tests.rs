//! Whole files through the importer into the store in memory.

use super::*;
use domain::entity::CreditorKind;
use domain::ids::PortfolioId;
use domain::import::{Decimal, Target};
use domain::time::UtcMs;
use proptest::prelude::*;
use uuid::Uuid;

struct At(UtcMs);
impl Clock for At {
    fn now(&self) -> UtcMs {
        self.0
    }
}

fn job(map: Option<ColumnMap>, dry_run: bool) -> ImportJob {
    let client = ClientId(Uuid::from_u128(1));
    let portfolio = Portfolio {
        id: PortfolioId(Uuid::from_u128(2)),
        client_id: client,
        name: "Consumo".into(),
        currency: "MXN".parse().expect("currency"),
        creditor_kind: CreditorKind::Financial,
        zone: "America/Mexico_City".into(),
        created_at: UtcMs(0),
    };
    ImportJob {
        import_id: ImportId(Uuid::from_u128(3)),
        client,
        portfolio,
        kind: ImportKind::Portfolio,
        map,
        dry_run,
        actor: "system".into(),
        gone: None,
        resume_after: 0,
    }
}

pub(super) struct World {
    pub(super) store: sim::store::MemoryStore,
    ids: Arc<sim::clock::SeededIds>,
    clock: At,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            store: sim::store::MemoryStore::new(),
            ids: Arc::new(sim::clock::SeededIds::new(1)),
            clock: At("2026-11-23T15:00:00Z".parse().expect("instant")),
        }
    }

    pub(super) async fn import(
        &self,
        bytes: &[u8],
        map: Option<ColumnMap>,
        dry_run: bool,
    ) -> Result<(ImportReport, Vec<RowFault>), ImportError> {
        self.take(job(map, dry_run), bytes).await
    }

    /// What a file of consents would do.
    pub(super) async fn consents(
        &self,
        bytes: &[u8],
        map: Option<ColumnMap>,
    ) -> Result<(ImportReport, Vec<RowFault>), ImportError> {
        let job = ImportJob {
            kind: ImportKind::Consents,
            ..job(map, true)
        };
        self.take(job, bytes).await
    }

    async fn take(
        &self,
        job: ImportJob,
        bytes: &[u8],
    ) -> Result<(ImportReport, Vec<RowFault>), ImportError> {
        let mut faults = Vec::new();
        let report = run(
            &self.store,
            self.ids.clone(),
            &self.clock,
            job,
            bytes,
            |f| faults.push(f.clone()),
            |_| {},
        )
        .await?;
        Ok((report, faults))
    }

    pub(super) async fn balances(&self) -> Vec<(String, i64)> {
        self.store
            .portfolio_totals(PortfolioId(Uuid::from_u128(2)))
            .await
            .expect("totals")
            .balance
    }
}

use domain::ports::store::PortfolioStore as _;

const NAMES: [&str; 3] = ["Peña Núñez, Ana", "Iñigo \"Cádiz\" Vélez", "Luz Ibáñez"];

fn file(delimiter: char, decimal: char) -> String {
    let quote = |s: &str| format!("\"{}\"", s.replace('"', "\"\""));
    let columns = [
        "Id deudor",
        "Número de crédito",
        "Nombre",
        "País",
        "Saldo",
        "Vencimiento",
        "Celular",
    ];
    let sign = delimiter.to_string();
    let mut text = columns.join(&sign) + "\r\n";
    for (n, name) in NAMES.iter().enumerate() {
        let amount = quote(&format!(
            "1{}234{decimal}5{n}",
            if decimal == ',' { '.' } else { ',' }
        ));
        let cells = [
            format!("D{n}"),
            format!("C{n}"),
            quote(name),
            "México".into(),
            amount,
            "2026-10-23".into(),
            format!("550000000{n}"),
        ];
        text += &(cells.join(&sign) + "\r\n");
    }
    text
}

fn encoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |big: bool| -> Vec<u8> {
        std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(|u| {
                if big {
                    u16::to_be_bytes(u)
                } else {
                    u16::to_le_bytes(u)
                }
            })
            .collect()
    };
    vec![
        ("utf-8", text.as_bytes().to_vec()),
        (
            "utf-8 with mark",
            [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
        ),
        ("utf-16le", utf16(false)),
        ("utf-16be", utf16(true)),
        (
            "latin-1",
            encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        ),
    ]
}

#[tokio::test]
async fn every_encoding_delimiter_and_decimal_gives_the_same_rows() {
    for delimiter in [',', ';', '\t', '|'] {
        for decimal in [',', '.'] {
            for (name, bytes) in encoded(&file(delimiter, decimal)) {
                let world = World::new();
                let (report, faults) = world.import(&bytes, None, false).await.expect("read");
                assert_eq!(faults, [], "{name} {delimiter} {decimal}");
                assert_eq!(
                    (
                        report.rows,
                        report.debtors_new,
                        report.debts_new,
                        report.points_new
                    ),
                    (3, 3, 3, 3)
                );
                assert_eq!(
                    world.balances().await,
                    [("MXN".to_owned(), 370_353)],
                    "{name} {delimiter} {decimal}"
                );
                let found = world
                    .store
                    .find_debtors(None, "D0", 5)
                    .await
                    .expect("found");
                assert_eq!(found[0].name.reveal(), NAMES[0], "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_second_import_is_a_difference_and_a_dry_run_keeps_nothing() {
    let world = World::new();
    let text = file(';', ',');
    let (report, _) = world
        .import(text.as_bytes(), None, true)
        .await
        .expect("dry");
    assert_eq!((report.debtors_new, world.balances().await), (3, vec![]));
    world
        .import(text.as_bytes(), None, false)
        .await
        .expect("first");
    let (again, _) = world
        .import(text.as_bytes(), None, false)
        .await
        .expect("again");
    assert_eq!(
        (again.debtors_new, again.debts_changed, again.unchanged),
        (0, 0, 3)
    );
    let changed = text.replace("1.234,50", "2.000,00");
    let (third, _) = world
        .import(changed.as_bytes(), None, false)
        .await
        .expect("third");
    assert_eq!((third.debts_changed, third.unchanged), (1, 2));
}

#[tokio::test]
async fn refused_rows_are_told_and_the_others_are_kept() {
    let text = "external_ref,debt_ref,name,country,balance,due_date,phone\n\
        D1,C1,Ana,MX,10.50,2026-10-23,5500000001\n\
        D2,C2,Luis,MX,1.234,2026-10-23,5500000002\n\
        D3,C3,\"Eva,MX,1,2026-10-23,5500000003\n\
        D4,C4,Max,MX,12.00,2026-10-23,1.5E+11\n\
        D5,C5,Sol,MX,12.00,2026-10-23\n\
        D6,C1,Mar,MX,12.00,2026-10-23,5500000006\n\
        D7,C7,Fin,MX,12.00,23/10/2026,5500000007\n";
    let world = World::new();
    let map = ColumnMap {
        decimal: None,
        ..ColumnMap::default()
    };
    let (report, faults) = world
        .import(text.as_bytes(), Some(map), false)
        .await
        .expect("read");
    let told: Vec<(u64, &str)> = faults.iter().map(|f| (f.row, f.column.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "balance"),
            (4, ""),
            (5, "phone"),
            (6, ""),
            (7, "debt_ref")
        ],
        "{faults:#?}"
    );
    assert_eq!((report.rows, report.refused, report.debts_new), (7, 5, 2));
    // The other amounts say that the point is the decimal sign, and MXN has no third decimal.
    assert!(faults[0].reason.contains("decimals"), "{faults:?}");
    assert!(faults[1].reason.contains("quote"), "{faults:?}");
    assert!(faults[4].reason.contains("line 2"), "{faults:?}");
    // Without another amount the file says nothing about its decimals: 1.234 is asked for.
    let alone =
        "external_ref,debt_ref,name,country,balance,due_date\nD,C,Ana,MX,1.234,2026-10-23\n";
    let (_, faults) = World::new()
        .import(alone.as_bytes(), None, false)
        .await
        .expect("read");
    assert!(faults[0].reason.contains("two ways"), "{faults:?}");
    let map = ColumnMap {
        decimal: Some(Decimal::Comma),
        ..ColumnMap::default()
    };
    let (_, faults) = World::new()
        .import(alone.as_bytes(), Some(map), false)
        .await
        .expect("read");
    assert_eq!(faults, []);
}

#[tokio::test]
async fn files_that_cannot_be_read_say_why() {
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b"  \r\n ", "empty"),
        (b"nombre\nAna\n", "delimiter"),
        (b"nombre;saldo\nAna;1\n", "no column for external_ref"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no text file"),
    ] {
        let error = World::new()
            .import(bytes, None, false)
            .await
            .expect_err(part)
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    let map = ColumnMap::of(&[("Falta", Target::Name)]);
    let error = World::new()
        .import(file(',', '.').as_bytes(), Some(map), false)
        .await
        .expect_err("map");
    assert!(error.to_string().contains("no column 'Falta'"), "{error}");
}

#[tokio::test]
async fn a_spreadsheets_own_delimiter_line_is_obeyed() {
    let text = format!("sep=;\r\n{}", file(';', ','));
    let (report, faults) = World::new()
        .import(text.as_bytes(), None, false)
        .await
        .expect("read");
    assert_eq!((report.rows, faults), (3, vec![]));
    let broken = text.replace("2026-10-23", "nunca");
    let (_, faults) = World::new()
        .import(broken.as_bytes(), None, false)
        .await
        .expect("read");
    assert_eq!(faults.iter().map(|f| f.row).collect::<Vec<_>>(), [3, 4, 5]);
}

#[tokio::test]
async fn many_rows_go_in_batches() {
    let mut text = String::from("external_ref,debt_ref,name,country,balance,due_date\n");
    for n in 0..2_500 {
        text += &format!("D{n},C{n},Ana Ruiz,MX,10.00,2026-10-23\n");
    }
    let world = World::new();
    let mut heard = Vec::new();
    let report = run(
        &world.store,
        world.ids.clone(),
        &world.clock,
        job(None, false),
        text.as_bytes(),
        |_| {},
        |n| heard.push(n),
    )
    .await
    .expect("read");
    assert_eq!(
        (report.debts_new, heard),
        (2_500, vec![1_000, 2_000, 2_500])
    );
}

#[test]
fn shapes_for_the_screen() {
    let shape = detect(ImportKind::Portfolio, file(';', ',').as_bytes(), None).expect("shape");
    assert_eq!(
        (shape.delimiter, shape.encoding.as_str(), shape.sample.len()),
        (';', "UTF-8", 3)
    );
    assert_eq!(
        (shape.map["Saldo"], shape.decimal),
        (Target::Balance, Some(Decimal::Comma))
    );
    assert!(shape.missing.is_empty() && shape.unknown.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any damage: no panic, and rows taken + refused are all rows.
    #[test]
    fn damage_is_refused_row_by_row(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let mut bytes = file(';', ',').into_bytes();
        let len = bytes.len();
        bytes[at % len] = byte;
        bytes.truncate(len - cut % len);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let world = World::new();
        if let Ok((report, faults)) = runtime.block_on(world.import(&bytes, None, false)) {
            prop_assert_eq!(report.refused, faults.len() as u64);
            prop_assert_eq!(report.rows, report.refused + report.debts_new + report.debts_changed + report.unchanged);
        }
    }
}

#[tokio::test]
async fn a_file_of_consents_is_held_against_the_portfolio() {
    let world = World::new();
    let debtors = file(';', ',');
    world
        .import(debtors.as_bytes(), None, false)
        .await
        .expect("debtors");
    let text = "Clave deudor;Canal;Estado;Fecha;Prueba\n\
        D0;sms;otorgado;23/10/2026;Contrato 1\n\
        D1;correo;revocado;24/10/2026;Audio 2\n\
        D2;sms;otorgado;23/10/2026;\n\
        D9;sms;otorgado;23/10/2026;Contrato 3\n\
        D0;sms;otorgado;23/10/2026;Contrato 4\n\
        D2;sms;otorgado\n";
    let read = world.consents(text.as_bytes(), None).await;
    let (report, faults) = read.expect("read");
    let sums = (report.consents_granted, report.consents_revoked);
    assert_eq!((report.rows, sums, report.refused), (6, (1, 1), 4));
    let why: Vec<(u64, &str)> = faults.iter().map(|f| (f.row, f.reason.as_str())).collect();
    for (row, part) in [
        (4, "no proof"),
        (5, "no such debtor"),
        (6, "the same is on line 2"),
        (7, "number of fields"),
    ] {
        let fault = why.iter().find(|(at, _)| *at == row);
        let fault = fault.unwrap_or_else(|| panic!("line {row}: {why:?}"));
        assert!(fault.1.contains(part), "line {row}: {}", fault.1);
    }
    let wrong = world.consents(debtors.as_bytes(), None).await;
    let wrong = wrong.expect_err("a portfolio").to_string();
    assert!(wrong.contains("consent_proof"), "{wrong}");
}
