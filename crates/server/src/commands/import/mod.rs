//! `marcador import`: a portfolio file, streamed into the database as a difference.

mod owner;
mod told;

pub(crate) use told::columns;

use super::{read_config, say};
use crate::cli::ImportArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use crate::sheet::Sheet;
use anyhow::Context as _;
use api::importer::{ImportError, ImportJob, PIECE_BYTES, run as import};
use domain::ids::ImportId;
use domain::import::ColumnMap;
use domain::ports::store::{ImportReport, RowFault};
use domain::ports::{Clock as _, IdSource as _, Store};
use owner::Owner;
use std::io::IsTerminal as _;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// Refused rows shown when there is no report file.
const FAULTS_SHOWN: u64 = 20;

/// Carries it out. Refused rows are no failure, they are counted, told and written to the report; a file
/// of which no row could be taken is one.
pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let config = read_config(&args.config)?;
    let map = match &args.map {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("--map {}", path.display()));
            Some(ColumnMap::from_json(&text.map_err(Failure::usage)?).map_err(Failure::usage)?)
        }
        None => None,
    };
    let mut file = tokio::fs::File::open(&args.file)
        .await
        .with_context(|| args.file.display().to_string())
        .map_err(Failure::usage)?;
    let store = crate::node::open_store(&config.database.url).await?;
    let clock = NodeClock::system();
    let owner = Owner::of(&*store, &clock, &args).await?;
    let job = ImportJob {
        import_id: ImportId(RandomIds.next(clock.now())),
        client: owner.client.id,
        portfolio: owner.portfolio.clone(),
        map,
        dry_run: args.dry_run,
        actor: "system".into(),
        gone: None,
        resume_after: 0,
    };
    // A file that cannot be read, or of which no row can be taken, leaves no empty client behind.
    let (notes, any) = trial(&mut file, &clock, &job).await?;
    let job = ImportJob {
        dry_run: args.dry_run || !any,
        ..job
    };
    if !job.dry_run {
        owner.keep(&*store).await?;
    }
    // A dry run for an owner who is not there yet is a dry run against an empty database.
    let store: Arc<dyn Store> = match job.dry_run && owner.is_new() {
        true => Arc::new(sim::store::MemoryStore::new()),
        false => store,
    };
    let nothing_kept = match (args.dry_run, any) {
        (true, _) => "dry run, nothing kept: ",
        (false, false) => "nothing kept: ",
        (false, true) => "",
    };
    let mut faults = Faults::open(&args)?;
    let progress = progress();
    let report = import(
        &*store,
        &RandomIds,
        &clock,
        job,
        file,
        |f| faults.take(f),
        |n| progress.set_position(n),
    )
    .await;
    progress.finish_and_clear();
    let report = report.map_err(failure)?;
    faults.end()?;
    told::sums(&report, nothing_kept);
    notes.into_iter().for_each(say);
    if !any && report.rows > 0 {
        return Err(Failure::Failed(anyhow::anyhow!("no row could be taken")));
    }
    Ok(())
}

/// Reads the file as the import will, and keeps nothing: what is to be said of its columns, and whether
/// any row can be taken. It reads on until it has seen one.
async fn trial(
    file: &mut File,
    clock: &NodeClock,
    job: &ImportJob,
) -> Result<(Vec<String>, bool), Failure> {
    let mut head = Vec::new();
    let read = (&mut *file)
        .take(PIECE_BYTES as u64)
        .read_to_end(&mut head)
        .await;
    read.map_err(anyhow::Error::from)?;
    file.rewind().await.map_err(anyhow::Error::from)?;
    let nowhere = sim::store::MemoryStore::new();
    let job = ImportJob {
        dry_run: true,
        ..job.clone()
    };
    let taken = |report: &ImportReport| report.rows > report.refused;
    let quiet = |_: &RowFault| {};
    let report = import(
        &nowhere,
        &RandomIds,
        clock,
        job.clone(),
        &*head,
        quiet,
        |_| {},
    )
    .await;
    let mut any = taken(&report.map_err(failure)?);
    let map = job.map.clone();
    if !any && head.len() >= PIECE_BYTES {
        let whole = import(&nowhere, &RandomIds, clock, job, &mut *file, quiet, |_| {}).await;
        any = taken(&whole.map_err(failure)?);
        file.rewind().await.map_err(anyhow::Error::from)?;
    }
    let shape = told::shape(&head, map.as_ref()).map_err(Failure::usage)?;
    Ok((told::notes(&shape, map.as_ref()), any))
}

/// A file that cannot be read is the user's to mend; the rest is the outside's.
fn failure(error: ImportError) -> Failure {
    match error {
        ImportError::Store(_) | ImportError::Read(_) => Failure::Failed(error.into()),
        _ => Failure::usage(error),
    }
}

fn progress() -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}");
    let bar = indicatif::ProgressBar::new_spinner();
    if let Ok(style) = style {
        bar.with_style(style)
    } else {
        bar
    }
}

/// Refused rows: to the report file, or the first ones to standard error.
struct Faults {
    sheet: Option<Sheet<std::fs::File>>,
    shown: u64,
    failed: Option<anyhow::Error>,
}

impl Faults {
    fn open(args: &ImportArgs) -> Result<Self, Failure> {
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

    fn take(&mut self, fault: &RowFault) {
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

    fn end(self) -> Result<(), Failure> {
        if let Some(error) = self.failed {
            return Err(Failure::Failed(error.context("--report")));
        }
        match self.sheet {
            Some(sheet) => Ok(sheet.end()?),
            None => Ok(()),
        }
    }
}
