//! Workbooks (XLSX): one sheet, as the CSV text that the importer reads. A formula is written as one, so that its
//! cell is refused with row and column where it is read; where the map says that stored results are taken, its result
//! is, as the spreadsheet last showed it. Nothing is calculated. A number keeps at most the 15 digits
//! that a spreadsheet keeps; one with more is written as a power of ten, which no column takes. Dates
//! become YYYY-MM-DD. A line of the text is a row of the sheet, so that refusals name the row.

use super::blocks::{BLOCKS_MAX, Blocks};
use super::cells::{CellFault, Cells};
use super::{ImportError, fill};
use axum::body::Bytes;
use calamine::{
    Data, DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxCellFormulaMetadataRecord,
    XlsxFormulaMetadata,
};
use domain::import::{COLUMNS_MAX, ColumnMap, Decimal, Formulas};
use std::io::{Cursor, Read as _};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::StreamReader;

/// Largest workbook, bytes as it is kept (compressed): it is held whole while it is read.
pub const SHEET_BYTES_MAX: u64 = 64 << 20;
/// Largest part of a workbook when unpacked, bytes; the sheet itself is streamed.
const PART_BYTES_MAX: u64 = 1 << 30;
/// Largest table of texts (and of styles) when unpacked, bytes: it is held in memory.
const TEXTS_BYTES_MAX: u64 = 128 << 20;
/// Largest workbook when unpacked, bytes, all its parts together.
const BOOK_BYTES_MAX: u64 = PART_BYTES_MAX + (256 << 20);
/// Largest list of what a workbook consists of, bytes.
const LIST_BYTES_MAX: u64 = 64 << 10;
/// Most parts of a workbook.
const PARTS_MAX: usize = 1_000;
/// Head of a table of texts that is looked at, bytes.
const START_BYTES: u64 = 4_096;
/// Bytes unpacked at once.
const UNPACK_BYTES: usize = 64 << 10;
/// Most rows of a sheet (Excel's own limit).
const ROWS_MAX: u32 = 1 << 20;
/// Bytes of text handed on at once, and pieces that wait for the importer.
const PIECE_BYTES: usize = 32 * 1024;
const PIECES_AHEAD: usize = 4;
/// Beginning of a ZIP archive, and of the older container (`.xls`, workbooks with a password).
const ZIP: [u8; 4] = *b"PK\x03\x04";
const OLE: [u8; 4] = [0xd0, 0xcf, 0x11, 0xe0];

type Book = Xlsx<Cursor<Vec<u8>>>;

fn fault(text: impl std::fmt::Display) -> ImportError {
    ImportError::Sheet(text.to_string())
}

/// The input as text: as it is, or a workbook's sheet as CSV; `given` then says so.
pub(super) async fn as_text<'a>(
    mut input: impl AsyncRead + Unpin + Send + 'a,
    given: &mut ColumnMap,
) -> Result<Box<dyn AsyncRead + Unpin + Send + 'a>, ImportError> {
    let mut head = [0; 4];
    let (filled, _) = fill(&mut input, &mut head).await?;
    if head == OLE {
        return Err(fault(
            "an old .xls, or locked by a password: save it as .xlsx without one, or as CSV",
        ));
    }
    let rest = AsyncReadExt::chain(Cursor::new(head[..filled].to_vec()), input);
    if head != ZIP {
        return Ok(Box::new(rest));
    }
    let mut bytes = Vec::new();
    let mut rest = AsyncReadExt::take(rest, SHEET_BYTES_MAX + 1);
    let read = rest.read_to_end(&mut bytes).await;
    read.map_err(|e| ImportError::Read(e.to_string()))?;
    if bytes.len() as u64 > SHEET_BYTES_MAX {
        return Err(fault("larger than 64 MB: split it, or save it as CSV"));
    }
    let (wanted, decimal) = (given.sheet.clone(), given.decimal);
    let stored = given.formulas == Some(Formulas::Stored);
    let opened = tokio::task::spawn_blocking(move || open(bytes, wanted.as_deref()));
    let (book, sheet, blocks) = opened.await.map_err(|_| fault("could not be opened"))??;
    if !stored && blocks.too_many() {
        return Err(fault(format!(
            "more than {BLOCKS_MAX} formulas of it fill several cells: paste their values"
        )));
    }
    given.delimiter = Some(',');
    given.encoding = Some("utf-8".to_owned());
    let (pieces, received) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut text = SheetText::new(pieces.clone(), decimal, (!stored).then_some(blocks));
        if let Err(error) = text.write(book, &sheet) {
            let _ = pieces.blocking_send(Err(std::io::Error::other(error)));
        }
    });
    Ok(Box::new(StreamReader::new(ReceiverStream::new(received))))
}

/// Opens a workbook whose parts are within the limits, and finds its sheet.
fn open(bytes: Vec<u8>, wanted: Option<&str>) -> Result<(Book, String, Blocks), ImportError> {
    let blocks = check_parts(&bytes, (PART_BYTES_MAX, TEXTS_BYTES_MAX), BOOK_BYTES_MAX)?;
    let mut book = Book::new(Cursor::new(bytes))
        .map_err(|e| fault(format!("not an .xlsx that can be read ({e})")))?;
    let sheet = sheet_of(&mut book, wanted)?;
    Ok((book, sheet, blocks))
}

/// Unpacks every part without keeping it: what its directory says of sizes may be a lie. Gives the formulas that fill
/// several cells.
pub(super) fn check_parts(
    bytes: &[u8],
    (sheet_max, part_max): (u64, u64),
    book_max: u64,
) -> Result<Blocks, ImportError> {
    let (mut left, mut blocks) = (book_max, Blocks::default());
    let broken = |e| fault(format!("a damaged archive ({e})"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > PARTS_MAX {
        return Err(fault(format!("more than {PARTS_MAX} parts")));
    }
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(broken)?;
        let name = part.name().map_err(broken)?;
        let streamed = name.starts_with("xl/worksheets/sheet");
        let texts = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let list = name.eq_ignore_ascii_case("_rels/.rels");
        let (most, head) = match (streamed, list) {
            (true, _) => (sheet_max, START_BYTES),
            (_, true) => (LIST_BYTES_MAX, LIST_BYTES_MAX),
            _ => (part_max, START_BYTES),
        };
        let (mut start, mut part) = (Vec::new(), part.take(most.min(left) + 1));
        let read = |e| fault(format!("a damaged archive ({e})"));
        (&mut part)
            .take(head)
            .read_to_end(&mut start)
            .map_err(read)?;
        let mut watch = Watch(streamed.then(Cells::default));
        watch.see(&start)?;
        let mut piece = vec![0; UNPACK_BYTES];
        let mut size = start.len() as u64;
        loop {
            let filled = part.read(&mut piece).map_err(read)?;
            if filled == 0 {
                break;
            }
            watch.see(&piece[..filled])?;
            size += filled as u64;
        }
        if let Some(cells) = watch.0 {
            blocks.extend(cells.into_blocks());
        }
        if list && !in_its_folder(&start) {
            return Err(fault("its workbook is not in the folder xl/"));
        }
        if texts && texts_said(&start).is_none_or(|said| said > size) {
            return Err(fault("its table of texts says it holds more than it does"));
        }
        if size > most {
            return Err(fault(format!(
                "a part of it is larger than {} MB when unpacked: save it as CSV",
                most >> 20
            )));
        }
        left = left.checked_sub(size).ok_or_else(|| {
            let most = book_max >> 20;
            fault(format!(
                "larger than {most} MB when unpacked: save it as CSV"
            ))
        })?;
    }
    Ok(blocks)
}

/// Watches a sheet go by, where it is one.
struct Watch(Option<Cells>);

impl Watch {
    fn see(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        let seen = self.0.as_mut().map_or(Ok(()), |cells| cells.push(bytes));
        seen.map_err(|why| match why {
            CellFault::Large => fault("a cell of it is larger than a spreadsheet can hold"),
            CellFault::Form => fault("a sheet in a form that no spreadsheet writes"),
        })
    }
}

/// Whether the workbook lies in `xl/`, where its parts are looked for: elsewhere the limits of the parts would
/// be those of others.
fn in_its_folder(list: &[u8]) -> bool {
    let text = String::from_utf8_lossy(list);
    let named = text
        .split('<')
        .filter(|part| part.contains("/relationships/officeDocument"));
    let mut found = false;
    for part in named {
        let value = part.split("Target").nth(1).unwrap_or_default();
        let value = value.trim_start().strip_prefix('=').unwrap_or_default();
        let value = value.trim_start();
        let sign = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = sign.and_then(|sign| value[1..].split(sign).next());
        let target = inner.unwrap_or_default();
        let name = target
            .strip_prefix('/')
            .unwrap_or(target)
            .strip_prefix("xl/");
        // Two targets, or one that is written in signs for signs, hide what the reader takes.
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '&', '\\']);
        if part.matches("Target").count() != 1 || !name.is_some_and(plain) {
            return false;
        }
        found = true;
    }
    found
}

/// How many texts the table says it holds at most: the reader makes room for that many at once, unseen.
/// `None` when its head is not where it has to be, or hides behind a comment.
fn texts_said(start: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(start);
    if !text.contains("sst") || text.contains("<!--") {
        return None;
    }
    let number = |after: &str| {
        let digits = after.trim_start_matches([' ', '\t', '\r', '\n', '=', '"', '\'']);
        let end = digits.find(|c: char| !c.is_ascii_digit());
        // What is no number to us may be one to the reader.
        digits[..end.unwrap_or(digits.len())]
            .parse()
            .unwrap_or(u64::MAX)
    };
    Some(
        text.split("uniqueCount")
            .skip(1)
            .map(number)
            .max()
            .unwrap_or(0),
    )
}

/// The sheet that is named, or the only one that holds anything.
fn sheet_of(book: &mut Book, wanted: Option<&str>) -> Result<String, ImportError> {
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible)
        .map(|s| s.name.clone())
        .collect();
    if let Some(wanted) = wanted {
        let known = || {
            fault(format!(
                "it has no sheet '{wanted}': it has {}",
                sheets.join(", ")
            ))
        };
        let same = |name: &&String| name.trim().to_lowercase() == wanted.trim().to_lowercase();
        return sheets.iter().find(same).cloned().ok_or_else(known);
    }
    let mut filled = Vec::new();
    for name in &sheets {
        let mut cells = book.worksheet_cells_reader(name).map_err(fault)?;
        loop {
            match cells.next_cell_with_formula_metadata().map_err(fault)? {
                Some(cell) if cell.value == DataRef::Empty && cell.formula.is_none() => {}
                Some(_) => {
                    filled.push(name.clone());
                    break;
                }
                None => break,
            }
        }
    }
    match filled.len() {
        0 => Err(fault("no sheet of it holds anything")),
        1 => Ok(filled.swap_remove(0)),
        _ => Err(fault(format!(
            "several sheets hold something ({}): name one in the map, as \"sheet\"",
            filled.join(", ")
        ))),
    }
}

/// Writes rows of cells as lines of CSV.
struct SheetText {
    pieces: mpsc::Sender<std::io::Result<Bytes>>,
    text: String,
    decimal: Option<Decimal>,
    /// What formulas fill beyond their own cells; `None` = stored results are taken.
    blocks: Option<Blocks>,
    /// Columns of the header, once it is there.
    width: usize,
}

impl SheetText {
    fn new(
        pieces: mpsc::Sender<std::io::Result<Bytes>>,
        decimal: Option<Decimal>,
        blocks: Option<Blocks>,
    ) -> Self {
        Self {
            pieces,
            text: String::new(),
            decimal,
            blocks,
            width: 0,
        }
    }

    fn write(&mut self, mut book: Book, sheet: &str) -> Result<(), String> {
        let mut cells = book
            .worksheet_cells_reader(sheet)
            .map_err(|e| e.to_string())?;
        let (mut at, mut row): (u32, Vec<String>) = (0, Vec::new());
        let mut next = || cells.next_cell_with_formula_metadata();
        while let Some(cell) = next().map_err(|e| e.to_string())? {
            let (line, column) = cell.pos;
            if line < at || line >= ROWS_MAX {
                return Err(format!("row {}: out of order", u64::from(line) + 1));
            }
            while at < line {
                if !self.line(&std::mem::take(&mut row)) {
                    return Ok(());
                }
                at += 1;
            }
            let value = self.shown(&cell);
            if value.is_empty() {
                continue;
            }
            let column = column as usize;
            if column >= COLUMNS_MAX {
                return Err(format!("row {}: more than {COLUMNS_MAX} columns", line + 1));
            }
            if row.len() <= column {
                row.resize(column + 1, String::new());
            }
            row[column] = value;
        }
        self.line(&row);
        self.flush();
        Ok(())
    }

    /// One row; false when nobody reads any more.
    fn line(&mut self, row: &[String]) -> bool {
        if !row.is_empty() {
            if self.width == 0 {
                self.width = row.len();
            }
            for n in 0..row.len().max(self.width) {
                if n > 0 {
                    self.text.push(',');
                }
                self.text.push('"');
                for c in row.get(n).map_or("", String::as_str).chars() {
                    match c {
                        '"' => self.text.push_str("\"\""),
                        // A line of the text is a row of the sheet.
                        '\n' | '\r' => self.text.push(' '),
                        c => self.text.push(c),
                    }
                }
                self.text.push('"');
            }
        }
        self.text.push('\n');
        self.text.len() < PIECE_BYTES || self.flush()
    }

    fn flush(&mut self) -> bool {
        let piece = Bytes::from(std::mem::take(&mut self.text).into_bytes());
        self.pieces.blocking_send(Ok(piece)).is_ok()
    }

    /// A cell as text: its value, or the formula where its result is not to be taken or was never calculated.
    fn shown(&mut self, cell: &XlsxCellFormulaMetadataRecord<'_>) -> String {
        let empty = cell.value == DataRef::Empty;
        let calculates = match (&mut self.blocks, &cell.formula) {
            (Some(blocks), Some(_)) => {
                blocks.begin(cell.pos);
                true
            }
            (Some(blocks), None) => blocks.fill(cell.pos) && !empty,
            (None, formula) => formula.is_some() && empty,
        };
        match calculates {
            true => as_formula(cell.formula.as_ref()),
            false => self.cell(&cell.value),
        }
    }

    fn cell(&self, value: &DataRef<'_>) -> String {
        let sign = match self.decimal {
            Some(Decimal::Comma) => ',',
            _ => '.',
        };
        match Data::from(value.clone()) {
            Data::Int(n) => n.to_string(),
            Data::Float(n) => number(n, sign),
            Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text,
            Data::Bool(yes) => if yes { "yes" } else { "no" }.to_owned(),
            Data::DateTime(at) if at.is_datetime() => {
                let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
                let date = format!("{year:04}-{month:02}-{day:02}");
                match (hour, minute, second) {
                    (0, 0, 0) => date,
                    _ => format!("{date} {hour:02}:{minute:02}:{second:02}"),
                }
            }
            Data::DateTime(span) => number(span.as_f64(), sign),
            Data::Error(error) => error.to_string(),
            Data::Empty => String::new(),
        }
    }
}

/// Most characters of a formula that a refusal shows.
const FORMULA_CHARS: usize = 60;

/// A formula as text that no column takes; of one that is written with another cell its sign alone.
fn as_formula(formula: Option<&XlsxFormulaMetadata>) -> String {
    let said = match formula {
        Some(
            XlsxFormulaMetadata::Normal { formula } | XlsxFormulaMetadata::Shared { formula, .. },
        ) => formula.as_str(),
        _ => "",
    };
    let said = said.chars().take(FORMULA_CHARS);
    std::iter::once('=').chain(said).collect()
}

/// Digits that a spreadsheet keeps of a number.
const DIGITS: usize = 15;

/// A number with the digits that the spreadsheet keeps of it, never in a form that reads in two ways.
fn number(value: f64, sign: char) -> String {
    if !value.is_finite() {
        return "#NUM!".to_owned();
    }
    // Rounded to 15 digits, so that 0.1 + 0.2 is 0.3.
    let exact = format!("{value:.*e}", DIGITS - 1);
    let (mantissa, power) = exact.split_once('e').unwrap_or((&exact, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let digits = i32::try_from(DIGITS).unwrap_or(15);
    if power >= digits {
        let mantissa = mantissa.trim_end_matches('0');
        let zero = if mantissa.ends_with('.') { "0" } else { "" };
        return format!("{mantissa}{zero}E+{power}");
    }
    let places = usize::try_from((digits - 1 - power).clamp(0, 20)).unwrap_or(0);
    let text = format!("{value:.places$}");
    let Some((whole, fraction)) = text.split_once('.') else {
        return text;
    };
    let mut fraction = fraction.trim_end_matches('0').to_owned();
    match fraction.len() {
        0 => return whole.to_owned(),
        // Three digits behind a sign may be thousands.
        3 => fraction.push('0'),
        _ => {}
    }
    format!("{whole}{sign}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_as_a_spreadsheet_shows_them() {
        for (value, text) in [
            (0.0, "0"),
            (5_512_345_678.0, "5512345678"),
            (525_512_345_678.0, "525512345678"),
            (1_234.5, "1234.5"),
            (0.1 + 0.2, "0.3"),
            (1.234, "1.2340"),
            (-12.25, "-12.25"),
            (999_999_999_999_999.0, "999999999999999"),
            (1.5e17, "1.5E+17"),
            (1e15, "1.0E+15"),
            (f64::NAN, "#NUM!"),
        ] {
            assert_eq!(number(value, '.'), text);
        }
        assert_eq!(number(1_234.5, ','), "1234,5");
    }
}
