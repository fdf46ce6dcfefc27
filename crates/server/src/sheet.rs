//! CSV for people's spreadsheets (faults.md promise 23).

use api::export::sheet_line;
use std::io::Write;

/// A CSV file being written.
pub(crate) struct Sheet<W: Write>(W);

impl<W: Write> Sheet<W> {
    /// Starts with a header.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn new(out: W, header: &[&str]) -> anyhow::Result<Self> {
        let mut sheet = Self(out);
        sheet.row(header)?;
        Ok(sheet)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn row<C: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = C>,
    ) -> anyhow::Result<()> {
        Ok(self.0.write_all(sheet_line(cells).as_bytes())?)
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }
}
