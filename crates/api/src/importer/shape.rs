//! What the beginning of a file says: encoding, delimiter, header, conventions.

use super::encoding::Text;
use super::{ImportError, PIECE_BYTES, fill, sheet};
use domain::entity::ImportKind;
use domain::import::{
    ColumnMap, DateOrder, Decimal, Detected, ImportFault, Line, Lines, Target, delimiter,
    detect_as as conventions, fingerprint,
};
use serde::Serialize;
use std::collections::BTreeMap;
use tokio::io::AsyncRead;

/// Rows from which conventions of numbers and dates are read.
const EVIDENCE_ROWS: usize = 400;
/// Rows shown as a sample.
const SAMPLE_ROWS: usize = 20;

/// A file's beginning, read.
pub(super) struct Beginning {
    pub(super) delimiter: char,
    pub(super) header: Vec<String>,
    pub(super) header_line: u64,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) detected: Detected,
}

impl Beginning {
    pub(super) fn of(kind: ImportKind, text: &str, given: &ColumnMap) -> Result<Self, ImportError> {
        if text.trim().is_empty() {
            return Err(ImportFault::Empty.into());
        }
        let told = told_by_spreadsheet(text);
        let delimiter = match given.delimiter.or(told) {
            Some(delimiter) => delimiter,
            None => delimiter(text).ok_or(ImportError::Delimiter)?,
        };
        let mut lines = Lines::new(delimiter);
        lines.push(text);
        let mut rows = Vec::new();
        let mut header = None;
        while let Some(line) = lines.next_line().or_else(|| {
            // A file of a header alone may have no line end.
            lines.end();
            header.is_none().then(|| lines.next_line()).flatten()
        }) {
            match (line, &header) {
                (Line::Row { line: 1, .. } | Line::Broken { line: 1, .. }, None)
                    if told.is_some() => {}
                (Line::Row { line, fields }, None) => header = Some((line, fields)),
                (Line::Broken { line, reason, .. }, None) => {
                    return Err(ImportFault::Header(format!("line {line}: {reason}")).into());
                }
                (Line::Row { fields, .. }, Some(_)) => rows.push(fields),
                (Line::Broken { .. }, Some(_)) => {}
            }
            if rows.len() >= EVIDENCE_ROWS {
                break;
            }
        }
        let (header_line, header) = header.ok_or(ImportFault::Empty)?;
        if header.iter().any(|h| h.contains('\u{fffd}')) {
            return Err(ImportFault::Header(
                "holds bytes that are no text in the file's encoding".into(),
            )
            .into());
        }
        let detected = conventions(kind, (&header, &rows), given);
        Ok(Self {
            delimiter,
            header,
            header_line,
            rows,
            detected,
        })
    }
}

/// `sep=;` on the first line, as spreadsheets write it.
fn told_by_spreadsheet(text: &str) -> Option<char> {
    let line = text
        .lines()
        .next()?
        .trim_start_matches('\u{feff}')
        .trim_matches('"');
    let mut rest = line
        .strip_prefix("sep=")
        .or_else(|| line.strip_prefix("SEP="))?
        .chars();
    match (rest.next(), rest.next()) {
        (Some(sign @ (',' | ';' | '\t' | '|')), None) => Some(sign),
        _ => None,
    }
}

/// What a file looks like, for the screen that asks for the column map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileShape {
    /// Sign between columns.
    pub delimiter: char,
    /// Encoding (WHATWG name).
    pub encoding: String,
    /// Header as it stands.
    pub columns: Vec<String>,
    /// Source column → meaning, as far as the names are known.
    pub map: BTreeMap<String, Target>,
    /// Sign between decimals, when the first rows are clear.
    pub decimal: Option<Decimal>,
    /// Order of day and month, when the first rows are clear.
    pub dates: Option<DateOrder>,
    /// Columns without a meaning; they are not read.
    pub unknown: Vec<String>,
    /// Needed meanings that no column has.
    pub missing: Vec<String>,
    /// First rows, at most 20.
    pub sample: Vec<Vec<String>>,
    /// Of the header: files with the same have the same map.
    pub fingerprint: String,
}

/// The beginning of a file as text that [`detect`] reads: of a workbook, its first rows as CSV. `given` is
/// completed with what a workbook needs.
///
/// # Errors
/// When the file cannot be read, or a workbook is too large or not clear.
pub async fn head(
    input: impl AsyncRead + Unpin + Send,
    given: &mut ColumnMap,
) -> Result<Vec<u8>, ImportError> {
    let mut input = sheet::as_text(input, given).await?;
    let mut bytes = vec![0; PIECE_BYTES];
    let (filled, _) = fill(&mut input, &mut bytes).await?;
    bytes.truncate(filled);
    Ok(bytes)
}

/// Reads the beginning of a file (64 kB are enough; a cut last row is passed over).
///
/// # Errors
/// When the encoding or the delimiter is not clear, or there is no header.
pub fn detect(
    kind: ImportKind,
    first: &[u8],
    given: Option<&ColumnMap>,
) -> Result<FileShape, ImportError> {
    let none = ColumnMap::default();
    let given = given.unwrap_or(&none);
    let mut text = Text::begin(first, given.encoding.as_deref())?;
    let mut decoded = String::new();
    text.decode(first, false, &mut decoded)?;
    let mut beginning = Beginning::of(kind, &decoded, given)?;
    beginning.rows.truncate(SAMPLE_ROWS);
    let fingerprint = fingerprint(&beginning.header);
    Ok(FileShape {
        delimiter: beginning.delimiter,
        encoding: text.name().to_owned(),
        columns: beginning.header,
        map: beginning.detected.map.columns,
        decimal: beginning.detected.map.decimal,
        dates: beginning.detected.map.dates,
        unknown: beginning.detected.unknown,
        missing: beginning.detected.missing,
        sample: beginning.rows,
        fingerprint,
    })
}
