//! A file of consents on its way in: what a row means is `domain::import`, what it does to what is known
//! `domain::rules::consents`.

use super::seen::Seen;
use super::source::Source;
use super::{ImportError, ImportJob, ROWS_MAX};
use domain::import::{ConsentReader, Line};
use domain::ports::store::{ImportReport, RowFault};
use domain::ports::{IdSource, Store};
use domain::rules::consents::ConsentRow;
use tokio::io::AsyncRead;

/// Holds a file against what is stored, and keeps its rows aside where the job is to write.
pub(super) async fn take(
    store: &dyn Store,
    (job, ids): (&ImportJob, &dyn IdSource),
    (reader, mut source): (ConsentReader, Source<impl AsyncRead + Unpin>),
    mut on_fault: impl FnMut(&RowFault) + Send,
    mut on_progress: impl FnMut(u64) + Send,
) -> Result<ImportReport, ImportError> {
    let mut sum = ImportReport::default();
    let mut seen = Seen::new();
    while let Some(block) = source.block().await? {
        sum.rows += block.len() as u64;
        if sum.rows > ROWS_MAX {
            return Err(ImportError::TooManyRows(ROWS_MAX));
        }
        // What is kept aside already is held again for what it could not take.
        let (mut kept, mut rows) = (Vec::new(), Vec::new());
        for line in block {
            let row = read(&reader, ids, line).and_then(|row| once(&mut seen, row));
            match row {
                Ok(row) if row.line <= job.resume_after => kept.push(row),
                Ok(row) => rows.push(row),
                Err(fault) => {
                    sum.refused += 1;
                    on_fault(&fault);
                }
            }
        }
        for (rows, keeps) in [(kept, false), (rows, !job.dry_run)] {
            if rows.is_empty() {
                continue;
            }
            let (import, portfolio) = (job.import_id, job.portfolio.id);
            let taken = store.take_consents(import, portfolio, &rows, keeps);
            let taken = taken.await?;
            taken.faults.iter().for_each(&mut on_fault);
            let read = (sum.rows, sum.refused + taken.faults.len() as u64);
            sum.add(&taken.report);
            (sum.rows, sum.refused) = read;
        }
        on_progress(sum.rows);
    }
    Ok(sum)
}

fn read(reader: &ConsentReader, ids: &dyn IdSource, line: Line) -> Result<ConsentRow, RowFault> {
    match line {
        Line::Row { line, fields } => reader.read(line, &fields, ids),
        Line::Broken { line, text, reason } => Err(RowFault {
            row: line,
            column: String::new(),
            value: text,
            reason: reason.to_owned(),
        }),
    }
}

/// Refuses a row that the same file gave before.
fn once(seen: &mut Seen, row: ConsentRow) -> Result<ConsentRow, RowFault> {
    let key = format!(
        "{:?}|{}|{}|{}|{}",
        row.debtor, row.channel, row.purpose, row.act, row.at.0
    );
    match seen.note(&key, row.line) {
        None => Ok(row),
        Some(before) => Err(RowFault {
            row: row.line,
            column: row.column,
            value: String::new(),
            reason: format!("the same is on line {before} already"),
        }),
    }
}
