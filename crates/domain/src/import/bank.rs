//! A bank's statement as CSV: rows of money that came in. Its map is smaller than a portfolio's; numbers and
//! dates are read by the same rules, "ask, never guess".

use super::column::plain;
use super::lines::{Line, Lines};
use super::{DateOrder, Decimal, ImportFault, amount, date};
use crate::money::{Currency, Money};
use crate::time::UtcMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most rows of a bank's file: longer ones are cut by day.
pub const BANK_ROWS_MAX: usize = 20_000;
/// Most characters of a concept that are kept.
pub const CONCEPT_MAX: usize = 300;
/// Rows that conventions are read from.
const PROBE: usize = 500;
/// Lines above the header that banks write (account, period) and that are passed over.
const PREAMBLE_MAX: usize = 20;
/// Hex digits of a row's digest behind its reference.
pub(super) const NAME_LEN: usize = 16;
/// Longest reference that is kept as it is, characters.
const REFERENCE_MAX: usize = 100;

crate::text_enum! {
    /// What a column of a bank's file means.
    pub enum BankTarget {
        /// Day on which the money moved.
        Date = "date",
        /// Amount with its sign: what is below 0 left the account.
        Amount = "amount",
        /// Amount that came in.
        Credit = "credit",
        /// Amount that left.
        Debit = "debit",
        /// The bank's reference of the movement.
        Reference = "reference",
        /// The payer's words.
        Concept = "concept",
        /// The payer's identity document.
        Document = "document",
        /// Currency.
        Currency = "currency",
    }
}

/// Names that banks use, as [`plain`] writes them.
const NAMES: &[(BankTarget, &[&str])] = &[
    (
        BankTarget::Date,
        &[
            "fecha",
            "date",
            "fecha_operacion",
            "fecha_de_operacion",
            "fecha_valor",
            "fecha_movimiento",
            "booking_date",
            "value_date",
            "dia",
            "data",
        ],
    ),
    (
        BankTarget::Credit,
        &[
            "abono",
            "abonos",
            "credito",
            "creditos",
            "deposito",
            "depositos",
            "haber",
            "credit",
            "ingreso",
        ],
    ),
    (
        BankTarget::Debit,
        &[
            "cargo", "cargos", "debito", "debitos", "retiro", "retiros", "debe", "debit", "egreso",
        ],
    ),
    (
        BankTarget::Amount,
        &["importe", "monto", "amount", "valor", "cantidad"],
    ),
    (
        BankTarget::Reference,
        &[
            "referencia",
            "reference",
            "numero_de_referencia",
            "referencia_bancaria",
            "folio",
            "clave_de_rastreo",
            "rastreo",
            "transaction_id",
            "no_operacion",
            "numero_operacion",
            "documento_bancario",
        ],
    ),
    (
        BankTarget::Concept,
        &[
            "concepto",
            "descripcion",
            "description",
            "detalle",
            "glosa",
            "leyenda",
            "concept",
            "memo",
            "observaciones",
            "motivo",
        ],
    ),
    (
        BankTarget::Document,
        &[
            "documento",
            "rfc",
            "curp",
            "dni",
            "cedula",
            "rut",
            "nit",
            "cpf",
            "document",
            "rfc_ordenante",
            "identificacion",
        ],
    ),
    (BankTarget::Currency, &["moneda", "divisa", "currency"]),
];

/// Which column means what, and the file's conventions; what is not said is read from the file where it is
/// clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankMap {
    /// Header of the file → meaning. Empty: by name.
    #[serde(default)]
    pub columns: BTreeMap<String, BankTarget>,
    /// Sign between decimals.
    #[serde(default)]
    pub decimal: Option<Decimal>,
    /// Order of day and month.
    #[serde(default)]
    pub dates: Option<DateOrder>,
    /// Sign between columns.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// Encoding by its WHATWG label.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Currency of rows that do not say theirs.
    #[serde(default)]
    pub currency: Option<Currency>,
}

/// Money of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankMoney {
    /// Noon (UTC) of the day: the same date in every zone from −12 to +11 hours.
    pub paid_at: UtcMs,
    /// How much.
    pub amount: Money,
    /// Unique within the file and the same whenever the same row comes: the bank's own and a digest of the
    /// row.
    pub reference: String,
    /// The payer's words, cut to [`CONCEPT_MAX`].
    pub concept: String,
    /// The payer's document.
    pub document: String,
}

/// What a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankRead {
    /// Money that came in.
    Money(BankMoney),
    /// Money that came in before and that the bank took away again; its reference is the bank's own.
    Back(BankMoney),
    /// A row that brings none.
    NotMoney,
    /// It cannot be read.
    Refused {
        /// Column.
        column: String,
        /// What is wrong and what would be right.
        reason: String,
    },
}

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankRow {
    /// Line (of CSV) or number of the entry.
    pub line: u64,
    /// What it is.
    pub read: BankRead,
}

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankSheet {
    /// The map that was used; empty for formats that need none.
    pub map: BankMap,
    /// Header as it stands.
    pub header: Vec<String>,
    /// All rows.
    pub rows: Vec<BankRow>,
}

fn meaning(map: &BankMap, header: &str) -> Option<BankTarget> {
    let name = header.trim().trim_start_matches('\u{feff}');
    if !map.columns.is_empty() {
        let same = |(h, t): (&String, &BankTarget)| (plain(h) == plain(name)).then_some(*t);
        return map.columns.iter().find_map(same);
    }
    let name = plain(name);
    let known = |(t, names): &(BankTarget, &[&str])| names.contains(&&*name).then_some(*t);
    NAMES.iter().find_map(known)
}

fn is_header(map: &BankMap, fields: &[String]) -> bool {
    let found: BTreeSet<BankTarget> = fields.iter().filter_map(|f| meaning(map, f)).collect();
    let money = [BankTarget::Amount, BankTarget::Credit];
    found.contains(&BankTarget::Date) && money.iter().any(|t| found.contains(t))
}

fn lines_of(text: &str, delimiter: char) -> Vec<Line> {
    let mut lines = Lines::new(delimiter);
    lines.push(text);
    lines.end();
    std::iter::from_fn(|| lines.next_line())
        .take(BANK_ROWS_MAX + PREAMBLE_MAX + 2)
        .collect()
}

/// The rows from the header on, under the sign that shows a header.
fn headed(text: &str, map: &BankMap) -> Result<(char, Vec<Line>), ImportFault> {
    let signs = map.delimiter.map_or(vec![',', ';', '\t', '|'], |d| vec![d]);
    for sign in signs {
        let mut lines = lines_of(text, sign);
        let head = lines
            .iter()
            .take(PREAMBLE_MAX)
            .position(|l| matches!(l, Line::Row { fields, .. } if is_header(map, fields)));
        if let Some(at) = head {
            lines.drain(..at);
            return Ok((sign, lines));
        }
    }
    Err(ImportFault::Missing(
        "the day (fecha) and the amount (abono, importe)".to_owned(),
    ))
}

struct Columns {
    header: Vec<String>,
    at: BTreeMap<BankTarget, usize>,
}

impl Columns {
    fn of(header: Vec<String>, map: &BankMap) -> Result<Self, ImportFault> {
        let mut at = BTreeMap::new();
        for (n, name) in header.iter().enumerate() {
            if let Some(target) = meaning(map, name)
                && at.insert(target, n).is_some()
            {
                return Err(ImportFault::Map(format!("two columns for {target}")));
            }
        }
        Ok(Self { header, at })
    }

    fn cell<'a>(&self, fields: &'a [String], target: BankTarget) -> &'a str {
        let at = self.at.get(&target);
        at.and_then(|n| fields.get(*n)).map_or("", |f| f.trim())
    }

    fn name(&self, target: BankTarget) -> String {
        let at = self.at.get(&target);
        at.and_then(|n| self.header.get(*n))
            .cloned()
            .unwrap_or_default()
    }
}

/// The one convention that cells show, if they do not contradict each other.
fn agreed<T: Copy + PartialEq>(mut seen: impl Iterator<Item = T>) -> Option<T> {
    let first = seen.next()?;
    seen.all(|s| s == first).then_some(first)
}

fn conventions(rows: &[Line], columns: &Columns, map: &mut BankMap) {
    let fields = || {
        rows.iter().take(PROBE).filter_map(|l| match l {
            Line::Row { fields, .. } => Some(fields),
            Line::Broken { .. } => None,
        })
    };
    let money = [BankTarget::Amount, BankTarget::Credit, BankTarget::Debit];
    if map.decimal.is_none() {
        let cells = fields().flat_map(|f| money.map(|t| unsigned(columns.cell(f, t)).1));
        map.decimal = agreed(cells.filter_map(|c| amount::evidence(&c)));
    }
    if map.dates.is_none() {
        let cells = fields().map(|f| columns.cell(f, BankTarget::Date));
        map.dates = agreed(cells.filter_map(date::evidence));
    }
}

/// Whether a written amount is below 0, and the amount without its sign.
fn unsigned(text: &str) -> (bool, String) {
    let text = text.trim();
    let bare = text.trim_start_matches('$').trim_start();
    for sign in ['-', '\u{2212}'] {
        if let Some(rest) = bare.strip_prefix(sign).or_else(|| bare.strip_suffix(sign)) {
            return (true, rest.trim().to_owned());
        }
    }
    if let Some(inner) = bare.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return (true, inner.trim().to_owned());
    }
    (false, bare.strip_prefix('+').unwrap_or(bare).to_owned())
}

type Refusal = (BankTarget, String);

fn read_row(
    columns: &Columns,
    map: &BankMap,
    fields: &[String],
) -> Result<Option<BankMoney>, Refusal> {
    let cell = |target| columns.cell(fields, target);
    let currency = match (cell(BankTarget::Currency), map.currency) {
        ("", Some(known)) => known,
        ("", None) => {
            let reason = "no currency: expected a column or one for the whole file";
            return Err((BankTarget::Currency, reason.to_owned()));
        }
        (text, _) => text
            .to_uppercase()
            .parse()
            .map_err(|e: crate::ValueError| (BankTarget::Currency, e.to_string()))?,
    };
    let target = if cell(BankTarget::Credit).is_empty() && cell(BankTarget::Amount).is_empty() {
        // Only the column of what left has something, or none has.
        return Ok(None);
    } else if cell(BankTarget::Credit).is_empty() {
        BankTarget::Amount
    } else {
        BankTarget::Credit
    };
    let (left, written) = unsigned(cell(target));
    let minor = amount::parse(&written, &currency, map.decimal).map_err(|e| (target, e))?;
    if left || minor == 0 {
        return Ok(None);
    }
    let day = date::parse(cell(BankTarget::Date), map.dates).map_err(|e| (BankTarget::Date, e))?;
    let noon = format!("{day}T12:00:00Z").parse::<UtcMs>();
    let paid_at = noon.map_err(|e| (BankTarget::Date, e.to_string()))?;
    let cut = |text: &str, most: usize| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(most)
            .collect()
    };
    Ok(Some(BankMoney {
        paid_at,
        amount: Money::new(minor, currency),
        reference: cut(cell(BankTarget::Reference), REFERENCE_MAX),
        concept: cut(cell(BankTarget::Concept), CONCEPT_MAX),
        document: cut(cell(BankTarget::Document), REFERENCE_MAX),
    }))
}

/// Gives each row of money a reference that is unique within the file and comes again with the same row: the
/// bank's own, as a clue, and a digest of the whole row and its turn among equal ones. The bank's own alone
/// tells nothing: a payer's standing one comes again every month.
pub fn name_rows(rows: &mut [BankRow]) {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let BankRead::Money(money) = &mut row.read else {
            continue;
        };
        let whole = format!(
            "{}|{}|{}|{}|{}|{}",
            money.paid_at.0,
            money.amount.amount_minor,
            money.amount.currency,
            money.reference,
            money.concept,
            money.document
        );
        let turn = turns.entry(whole.clone()).or_default();
        *turn += 1;
        let hash = hex::encode(Sha256::digest(format!("{whole}|{turn}").as_bytes()));
        let own = match money.reference.as_str() {
            "" => "row",
            own => own,
        };
        money.reference = format!("{own} {}", &hash[..NAME_LEN]);
    }
}

/// Reads a file of CSV whole.
///
/// # Errors
/// When no header is found, the map does not fit, or it has more than [`BANK_ROWS_MAX`] rows.
pub fn read_csv(text: &str, given: &BankMap) -> Result<BankSheet, ImportFault> {
    if text.trim().is_empty() {
        return Err(ImportFault::Empty);
    }
    let (sign, mut lines) = headed(text, given)?;
    let header = match lines.remove(0) {
        Line::Row { fields, .. } => fields,
        Line::Broken { reason, .. } => return Err(ImportFault::Header(reason.to_owned())),
    };
    if lines.len() > BANK_ROWS_MAX {
        let text = format!("more than {BANK_ROWS_MAX} rows: cut the file by day");
        return Err(ImportFault::Header(text));
    }
    let columns = Columns::of(header, given)?;
    let mut map = given.clone();
    map.delimiter = Some(sign);
    conventions(&lines, &columns, &mut map);
    let row = |line: Line| match line {
        Line::Broken { line, reason, .. } => BankRow {
            line,
            read: BankRead::Refused {
                column: String::new(),
                reason: reason.to_owned(),
            },
        },
        Line::Row { line, fields } => BankRow {
            line,
            read: match read_row(&columns, &map, &fields) {
                Ok(Some(money)) => BankRead::Money(money),
                Ok(None) => BankRead::NotMoney,
                Err((target, reason)) => BankRead::Refused {
                    column: columns.name(target),
                    reason,
                },
            },
        },
    };
    let mut rows: Vec<BankRow> = lines.into_iter().map(row).collect();
    name_rows(&mut rows);
    let known = columns
        .header
        .iter()
        .filter_map(|h| Some((h.clone(), meaning(given, h)?)));
    map.columns = known.collect();
    Ok(BankSheet {
        map,
        header: columns.header,
        rows,
    })
}

/// An amount as statements in XML write it: decimals behind a point, no groups.
///
/// # Errors
/// Says what is wrong and what would be right.
pub fn plain_amount(text: &str, currency: Currency) -> Result<i64, String> {
    amount::parse(text, &currency, Some(Decimal::Point))
}

/// Noon (UTC) of a day written as `2026-11-23`, or of the day of an instant.
///
/// # Errors
/// Says what is wrong and what would be right.
pub fn plain_day(text: &str) -> Result<UtcMs, String> {
    let day = text.trim().get(..10).unwrap_or(text);
    let day = date::parse(day, None)?;
    let noon = format!("{day}T12:00:00Z").parse::<UtcMs>();
    noon.map_err(|e| e.to_string())
}
