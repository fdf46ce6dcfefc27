//! Refused rows on the command line.

use crate::cli::ImportArgs;
use crate::failure::Failure;
use crate::sheet::Sheet;
use anyhow::Context as _;
use domain::ports::store::RowFault;

/// Refused rows shown when there is no report file.
const FAULTS_SHOWN: u64 = 20;

/// Refused rows: to the report file, or the first ones to standard error.
pub(super) struct Faults {
    sheet: Option<Sheet<std::fs::File>>,
    shown: u64,
    failed: Option<anyhow::Error>,
}

impl Faults {
    pub(super) fn open(args: &ImportArgs) -> Result<Self, Failure> {
        let sheet = match &args.report {
            Some(path) => {
                let file = std::fs::File::create(path)
                    .with_context(|| format!("--report {}", path.display()));
                Some(Sheet::new(
                    file.map_err(Failure::usage)?,
                    &["row", "column", "value", "reason"],
                )?)
            }
            None => None,
        };
        Ok(Self {
            sheet,
            shown: 0,
            failed: None,
        })
    }

    pub(super) fn take(&mut self, fault: &RowFault) {
        match &mut self.sheet {
            Some(sheet) => {
                let cells = [
                    &fault.row.to_string(),
                    &fault.column,
                    &fault.value,
                    &fault.reason,
                ];
                if let Err(error) = sheet.row(cells) {
                    self.failed.get_or_insert(error);
                }
            }
            // The value is personal data: it goes to the report file only.
            None if self.shown < FAULTS_SHOWN => {
                self.shown += 1;
                eprintln!(
                    "row {}, column '{}': {}",
                    fault.row, fault.column, fault.reason
                );
            }
            None if self.shown == FAULTS_SHOWN => {
                self.shown += 1;
                eprintln!("more rows were refused: --report FILE writes them all");
            }
            None => {}
        }
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        if let Some(error) = self.failed {
            return Err(Failure::Failed(error.context("--report")));
        }
        match self.sheet {
            Some(sheet) => Ok(sheet.end()?),
            None => Ok(()),
        }
    }
}
