//! Import: from the lines of a portfolio file to validated rows. Pure: the text comes in, rows or
//! refusals come out; reading bytes, encodings and storing batches is the shell's business
//! (`api::importer`).
//!
//! The rule is "ask, never guess": a value that can be read in two ways is refused with the reason,
//! unless the file itself or the map says which convention holds. A row is taken whole or not at all.

mod amount;
pub mod bank;
#[cfg(test)]
mod bank_tests;
mod cells;
mod column;
mod consents;
mod date;
mod detect;
mod lines;
mod map;
mod names;
pub mod reference;
mod repair;
mod row;
pub mod sample;
#[cfg(test)]
mod tests;
mod told;
mod value;

pub use amount::Decimal;
pub use column::Target;
pub use consents::ConsentReader;
pub use date::DateOrder;
pub use detect::{Detected, delimiter, detect, detect_as, fingerprint};
pub use lines::{Line, Lines};
pub use map::{ColumnMap, Formulas};
pub use repair::PhoneRepair;
pub use row::{RowContext, RowReader};
pub use told::{ColumnInfo, columns, columns_of};
pub use value::listed_phone;

/// Most columns of a file.
pub const COLUMNS_MAX: usize = 200;
/// Largest row in bytes; a longer one is refused and passed over.
pub const ROW_BYTES_MAX: usize = 64 * 1024;
/// Most characters of a value that a fault repeats.
pub const FAULT_VALUE_CHARS: usize = 200;

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// Nothing in it.
    #[error("the file is empty: expected a header line with column names")]
    Empty,
    /// The header cannot be used.
    #[error("header: {0}")]
    Header(String),
    /// Needed columns are not there.
    #[error("no column for {0}: name it in the header or in a column map")]
    Missing(String),
    /// The map names what the file does not have, or twice.
    #[error("column map: {0}")]
    Map(String),
}

/// A value cut for a fault.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(FAULT_VALUE_CHARS).collect()
}
