//! Rows of a kept file read once more, spread over it: what a report on it is made of. Nothing is compared or written.

use super::{ImportError, ImportJob, Taken, context_of, read_block, seen, source};
use domain::import::{Line, RowReader};
use domain::ports::store::DebtorRow;
use domain::ports::{Clock, IdSource, Store};
use tokio::io::AsyncRead;

/// The rows of every `every`-th line that are not refused, at most so many.
pub(super) async fn rows(
    (store, ids, clock): (&dyn Store, &dyn IdSource, &dyn Clock),
    job: &ImportJob,
    input: impl AsyncRead + Unpin + Send,
    (every, most): (u64, usize),
) -> Result<Vec<DebtorRow>, ImportError> {
    let given = job.map.clone().unwrap_or_default();
    let (mut source, header, map) = source::open(input, job.kind, given).await?;
    let context = context_of(store, job, clock.now()).await?;
    let reader = RowReader::new(&header, map, context)?;
    let mut seen = seen::Seen::new();
    let mut found = Vec::new();
    while let Some(block) = source.block().await? {
        let asked = block.into_iter().filter(|line| is_asked(line, every));
        for taken in read_block(&reader, ids, asked.collect()) {
            let Taken::Row(row) = taken else { continue };
            if found.len() < most && seen.note(&row.debt.external_ref, row.line).is_none() {
                found.push(*row);
            }
        }
    }
    Ok(found)
}

const fn is_asked(line: &Line, every: u64) -> bool {
    let (Line::Row { line, .. } | Line::Broken { line, .. }) = line;
    line.is_multiple_of(every)
}
