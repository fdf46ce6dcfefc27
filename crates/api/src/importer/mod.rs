//! The streaming importer that `/imports` and `marcador import` share: CSV and workbooks. What a cell means
//! and when it is refused is `domain::import`; here are bytes, encodings, batches and the way of a file
//! from draft to accepted. Memory is bounded by three batches, one piece of text and one short hash
//! per debt; a workbook is held whole besides, within the limits of `sheet`.

mod blocks;
mod cells;
mod consents;
mod encoding;
mod error;
mod flow;
mod order;
mod sample;
mod seen;
mod shape;
mod sheet;
#[cfg(test)]
mod sheet_tests;
mod source;
#[cfg(test)]
mod tests;
mod turn;
mod work;

pub(crate) use encoding::whole as decode_whole;
pub use error::ImportError;
pub use flow::{FAULTS_MAX, Flow};
pub use shape::{FileShape, detect, head};
pub use sheet::SHEET_BYTES_MAX;
pub use turn::{FileTurn, Half};
pub(crate) use work::{ImportWork, Turn};

use domain::entity::{GonePolicy, ImportKind, Portfolio};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, EventId, ImportId};
use domain::import::{ColumnMap, ConsentReader, Line, RowContext, RowReader};
use domain::ports::store::{DebtorRow, IMPORT_STEP, ImportReport, RowFault};
use domain::ports::{Clock, IdSource, Store};
use domain::time::UtcMs;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinHandle;

/// Bytes read at once; the first piece is also what encoding, delimiter and conventions are read from.
pub const PIECE_BYTES: usize = 64 * 1024;
/// Rows written in one transaction (the store's own limit).
pub const BATCH_ROWS: usize = 1_000;
/// Blocks of rows that are read by other threads while one is written.
const AHEAD: usize = 2;
/// Open debts looked at together.
const GONE_PAGE: u32 = 2_000;
/// Most rows of a file: the hashes of their keys then take about 110 MB.
pub const ROWS_MAX: u64 = 5_000_000;

/// What is to be imported.
#[derive(Debug, Clone)]
pub struct ImportJob {
    /// Identity of this import.
    pub import_id: ImportId,
    /// Owner.
    pub client: ClientId,
    /// Portfolio; must be the client's.
    pub portfolio: Portfolio,
    /// What the file is about.
    pub kind: ImportKind,
    /// Column map; what it does not say is detected where the file is clear.
    pub map: Option<ColumnMap>,
    /// Read and check everything, keep nothing.
    pub dry_run: bool,
    /// Who: `user:<id>`, `system`.
    pub actor: String,
    /// What happens to open debts of the portfolio that the file does not name; `None`: nobody asks, and the file
    /// is not kept. Of a kept file nobody sees anything before it is in as a whole.
    pub gone: Option<GonePolicy>,
    /// Rows up to this line are in the database already: an import that broke off goes on behind it.
    pub resume_after: u64,
}

/// What holds for every row.
async fn context_of(
    store: &dyn Store,
    job: &ImportJob,
    now: UtcMs,
) -> Result<RowContext, ImportError> {
    Ok(RowContext {
        client: job.client,
        portfolio: job.portfolio.clone(),
        now,
        by_rule: !store.interest_rules(job.portfolio.id).await?.is_empty(),
    })
}

/// Imports a file as a difference: what is new or changed is written, what is equal is left alone.
/// Rows that cannot be taken go to `on_fault`, one each, and nothing of them is kept; `on_progress`
/// hears the number of rows read after each batch. Cells are read on other threads while the rows
/// before them are written.
///
/// # Errors
/// When the file cannot be read at all (encoding, header, map), the reader or the store fails. Batches
/// before the failure are kept: the same file imported again continues as a difference.
pub async fn run(
    store: &dyn Store,
    ids: Arc<dyn IdSource>,
    clock: &dyn Clock,
    job: ImportJob,
    input: impl AsyncRead + Unpin + Send,
    on_fault: impl FnMut(&RowFault) + Send,
    on_progress: impl FnMut(u64) + Send,
) -> Result<ImportReport, ImportError> {
    let given = job.map.clone().unwrap_or_default();
    let (mut source, header, map) = source::open(input, job.kind, given).await?;
    if job.kind == ImportKind::Consents {
        let reader = ConsentReader::new(&header, map, (&job.portfolio, clock.now()))?;
        let ids = &*ids;
        return consents::take(store, (&job, ids), (reader, source), on_fault, on_progress).await;
    }
    let context = context_of(store, &job, clock.now()).await?;
    let reader = RowReader::new(&header, map, context)?;
    let mut intake = Intake {
        store,
        ids: Arc::new(order::InOrder::new(Arc::clone(&ids))),
        job: &job,
        reader: Arc::new(reader),
        ahead: VecDeque::new(),
        sent: 0,
        batch: Vec::new(),
        report: ImportReport::default(),
        seen: seen::Seen::new(),
        unnamed: 0,
        on_fault,
        on_progress,
    };
    while let Some(block) = source.block().await? {
        intake.send(block).await?;
    }
    let report = intake.end().await?;
    // Of a kept file that is told with the row that says that it is in.
    if !job.dry_run && !job.is_kept() {
        store
            .append_events(&[imported(&job, &report, &*ids, clock)])
            .await?;
    }
    Ok(report)
}

/// Reads until the piece is full or the input ends.
async fn fill(
    input: &mut (impl AsyncRead + Unpin),
    piece: &mut [u8],
) -> Result<(usize, bool), ImportError> {
    let mut filled = 0;
    while filled < piece.len() {
        let count = input
            .read(&mut piece[filled..])
            .await
            .map_err(|e| ImportError::Read(e.to_string()))?;
        if count == 0 {
            return Ok((filled, true));
        }
        filled += count;
    }
    Ok((filled, false))
}

/// A line that was read.
enum Taken {
    Row(Box<DebtorRow>),
    /// Why not, and the key of its debt when that at least can be read.
    Refused(RowFault, Option<String>),
}

fn read_block(reader: &RowReader, ids: &dyn IdSource, lines: Vec<Line>) -> Vec<Taken> {
    let read = |line| match line {
        Line::Row { line, fields } => match reader.read(line, &fields, ids) {
            Ok(row) => Taken::Row(Box::new(row)),
            Err(fault) => Taken::Refused(fault, reader.debt_ref(&fields)),
        },
        Line::Broken { line, text, reason } => {
            let fault = RowFault {
                row: line,
                column: String::new(),
                value: text,
                reason: reason.to_owned(),
            };
            Taken::Refused(fault, None)
        }
    };
    lines.into_iter().map(read).collect()
}

struct Intake<'a, F, P> {
    store: &'a dyn Store,
    ids: Arc<dyn IdSource>,
    job: &'a ImportJob,
    reader: Arc<RowReader>,
    /// Blocks that other threads read, in the order of the file.
    ahead: VecDeque<JoinHandle<Vec<Taken>>>,
    sent: u64,
    batch: Vec<DebtorRow>,
    report: ImportReport,
    /// Debts that came.
    seen: seen::Seen,
    /// Refused rows of which not even the debt's key can be read.
    unnamed: u64,
    on_fault: F,
    on_progress: P,
}

impl ImportJob {
    /// Whether the rows are those of a kept file that is being accepted.
    const fn is_kept(&self) -> bool {
        self.gone.is_some() && !self.dry_run
    }
}

impl<F: FnMut(&RowFault), P: FnMut(u64)> Intake<'_, F, P> {
    /// Has a block read, and takes the oldest one when enough are on their way.
    async fn send(&mut self, block: Vec<Line>) -> Result<(), ImportError> {
        if block.is_empty() {
            return Ok(());
        }
        self.sent += block.len() as u64;
        if self.sent > ROWS_MAX {
            return Err(ImportError::TooManyRows(ROWS_MAX));
        }
        let (reader, ids) = (Arc::clone(&self.reader), Arc::clone(&self.ids));
        let read = move || read_block(&reader, &*ids, block);
        self.ahead.push_back(tokio::task::spawn_blocking(read));
        if self.ahead.len() > AHEAD {
            self.settle().await?;
        }
        Ok(())
    }

    /// Takes the oldest block; false when there is none.
    async fn settle(&mut self) -> Result<bool, ImportError> {
        let Some(block) = self.ahead.pop_front() else {
            return Ok(false);
        };
        let rows = block.await;
        let rows = rows.map_err(|_| ImportError::Read("a block of rows broke off".into()))?;
        for taken in rows {
            self.report.rows += 1;
            let row = match taken {
                Taken::Row(row) => self.first(*row),
                Taken::Refused(fault, key) => {
                    self.named(fault.row, key.as_deref());
                    Err(fault)
                }
            };
            match row {
                Ok(row) if row.line <= self.job.resume_after => {}
                Ok(row) => self.batch.push(row),
                Err(fault) => {
                    self.report.refused += 1;
                    (self.on_fault)(&fault);
                }
            }
            if self.batch.len() >= BATCH_ROWS {
                self.write().await?;
            }
        }
        Ok(true)
    }

    /// All is sent: takes what is left, looks for what the file does not name.
    async fn end(&mut self) -> Result<ImportReport, ImportError> {
        while self.settle().await? {}
        self.write().await?;
        if self.job.is_kept() {
            self.store.settle_rows(self.job.import_id).await?;
        }
        if let Some(policy) = self.job.gone {
            self.gone(policy).await?;
        }
        self.report.repaired = self.reader.repaired();
        Ok(std::mem::take(&mut self.report))
    }

    /// A row that is refused names its debt all the same: it is not gone.
    fn named(&mut self, line: u64, key: Option<&str>) {
        match key {
            Some(key) => {
                self.seen.note(key, line);
            }
            None => self.unnamed += 1,
        }
    }

    /// Open debts of the portfolio that the file does not name: counted, and recalled where that is
    /// wished. While a row of unknown debt is refused nobody is recalled: it may be his.
    async fn gone(&mut self, policy: GonePolicy) -> Result<(), ImportError> {
        let (portfolio, mut after) = (self.job.portfolio.id, String::new());
        let recalls = policy == GonePolicy::Recall && !self.job.dry_run && self.unnamed == 0;
        let import = self.job.import_id;
        if self.job.is_kept() {
            self.store.recall_aside(import, &[], true).await?;
        }
        loop {
            let page = self.store.open_debts(portfolio, &after, GONE_PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.external_ref);
            let missing: Vec<DebtId> = page
                .iter()
                .filter(|d| !self.seen.has(&d.external_ref))
                .map(|d| d.id)
                .collect();
            self.report.gone += missing.len() as u64;
            for piece in missing.chunks(IMPORT_STEP as usize).filter(|_| recalls) {
                self.store.recall_aside(import, piece, false).await?;
                self.report.recalled += piece.len() as u64;
            }
        }
        Ok(())
    }

    /// Refuses a debt that the same file gave before: which of the two holds is not ours to guess.
    fn first(&mut self, row: DebtorRow) -> Result<DebtorRow, RowFault> {
        match self.seen.note(&row.debt.external_ref, row.line) {
            None => Ok(row),
            Some(before) => Err(RowFault {
                row: row.line,
                column: "debt_ref".to_owned(),
                value: row.debt.external_ref,
                reason: format!("the same debt is on line {before} already"),
            }),
        }
    }

    async fn write(&mut self) -> Result<(), ImportError> {
        if !self.batch.is_empty() {
            let (import, dry_run) = (self.job.import_id, self.job.dry_run);
            let done = match self.job.is_kept() {
                true => self.store.take_rows(import, &self.batch).await?,
                false => {
                    let done = self.store.import_batch(import, &self.batch, dry_run, &[]);
                    done.await?
                }
            };
            self.batch.clear();
            let read = (self.report.rows, self.report.refused);
            self.report.add(&done);
            (self.report.rows, self.report.refused) = read;
        }
        (self.on_progress)(self.report.rows);
        Ok(())
    }
}

fn imported(
    job: &ImportJob,
    report: &ImportReport,
    ids: &dyn IdSource,
    clock: &dyn Clock,
) -> NewEvent {
    let now = clock.now();
    // Values of people stay with the import: whoever reads events need not see them.
    let report = ImportReport {
        changes: Vec::new(),
        ..report.clone()
    };
    NewEvent {
        id: EventId(ids.next(now)),
        at: now,
        client_id: Some(job.client),
        actor: job.actor.clone(),
        kind: "portfolio.imported".to_owned(),
        subject: format!("portfolio:{}", job.portfolio.id),
        data: serde_json::json!({ "import": job.import_id, "report": report }),
    }
}
