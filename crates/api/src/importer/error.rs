//! Why an import stopped.

use domain::import::ImportFault;
use domain::ports::StoreError;

/// Why an import stopped; refused rows are no error.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Header or map do not fit.
    #[error(transparent)]
    File(#[from] ImportFault),
    /// The bytes are no text that can be read with certainty.
    #[error("encoding: {0}")]
    Encoding(String),
    /// No sign separates its columns.
    #[error("no delimiter found: expected columns separated by comma, semicolon, tab or bar")]
    Delimiter,
    /// A workbook that cannot be read with certainty, or is too large.
    #[error("workbook: {0}")]
    Sheet(String),
    /// Larger than any portfolio.
    #[error("more than {0} rows: split the file")]
    TooManyRows(u64),
    /// The input broke off.
    #[error("reading the file: {0}")]
    Read(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
