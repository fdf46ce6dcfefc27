//! CSV for people's spreadsheets: no cell that one of them would run (faults.md promise 23).

use std::io::Write;

/// A CSV file being written.
pub(crate) struct Sheet<W: Write>(csv::Writer<W>);

impl<W: Write> Sheet<W> {
    /// Starts with a header.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn new(out: W, header: &[&str]) -> anyhow::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        writer.write_record(header)?;
        Ok(Self(writer))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn row<C: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = C>,
    ) -> anyhow::Result<()> {
        self.0
            .write_record(cells.into_iter().map(|cell| tame(cell.as_ref())))?;
        Ok(())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }
}

fn tame(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_in_a_spreadsheet() {
        let mut out = Vec::new();
        let mut sheet = Sheet::new(&mut out, &["a", "b"]).expect("header");
        sheet.row(["=1+1", "x\"y"]).expect("row");
        sheet.row(["-5", "5"]).expect("row");
        sheet.end().expect("written");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "a,b\r\n'=1+1,\"x\"\"y\"\r\n'-5,5\r\n"
        );
    }
}
