//! `marcador import`: a portfolio file as a difference: read and shown, taken, thrown away, taken back. It
//! goes the way of the routes.

mod faults;
mod owner;
mod told;

pub(crate) use told::columns;

use super::{read_config, say};
use crate::cli::ImportArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use api::importer::{
    FileTurn, Flow, ImportError, ImportJob, PIECE_BYTES, detect, head, run as import,
};
use domain::entity::{GonePolicy, Import, ImportKind, ImportState};
use domain::ids::ImportId;
use domain::import::ColumnMap;
use domain::ports::store::{ImportReport, RowFault};
use domain::ports::{Clock as _, IdSource as _, Store};
use faults::Faults;
use owner::Owner;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncSeekExt as _;

/// Who acts on the command line.
const ACTOR: &str = "system";

/// Carries it out. Refused rows are no failure, they are counted, told and written to the report; a file
/// of which no row could be taken is one.
pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let config = read_config(&args.config)?;
    let gone: Option<GonePolicy> = args
        .gone
        .as_deref()
        .map(str::parse)
        .transpose()
        .context("--gone")
        .map_err(Failure::usage)?;
    let map = match &args.map {
        Some(path) => Some(map_file(path)?),
        None => None,
    };
    let Some(path) = &args.file else {
        let store = crate::node::open_store(&config.database).await?;
        return decided(flow(store), &args, gone).await;
    };
    let file = File::open(path)
        .await
        .with_context(|| path.display().to_string())
        .map_err(Failure::usage)?;
    let store = crate::node::open_store(&config.database).await?;
    let gone = gone.unwrap_or(GonePolicy::Keep);
    take_file(flow(store), &args, (file, path), map, gone).await
}

fn flow(store: Arc<dyn Store>) -> Flow {
    Flow {
        store,
        ids: Arc::new(RandomIds),
        clock: Arc::new(NodeClock::system()),
    }
}

/// A map as it was written, and read.
fn map_file(path: &Path) -> Result<(serde_json::Value, ColumnMap), Failure> {
    let text = std::fs::read_to_string(path).with_context(|| format!("--map {}", path.display()));
    let text = text.map_err(Failure::usage)?;
    let map = ColumnMap::from_json(&text).map_err(Failure::usage)?;
    let value = serde_json::from_str(&text).map_err(|e| Failure::usage(anyhow!(e)))?;
    Ok((value, map))
}

async fn take_file(
    flow: Flow,
    args: &ImportArgs,
    (mut file, path): (File, &Path),
    map: Option<(serde_json::Value, ColumnMap)>,
    gone: GonePolicy,
) -> Result<(), Failure> {
    let clock = NodeClock::system();
    let owner = Owner::of(&*flow.store, &clock, args).await?;
    let kind = kind_of(args, gone, &owner)?;
    let job = ImportJob {
        import_id: ImportId(RandomIds.next(clock.now())),
        client: owner.client.id,
        portfolio: owner.portfolio.clone(),
        kind,
        map: map.as_ref().map(|(_, map)| map.clone()),
        dry_run: true,
        actor: ACTOR.into(),
        gone: None,
        resume_after: 0,
    };
    // A file that cannot be read, or of which no row can be taken, leaves no empty client behind.
    let (notes, any) = match kind {
        ImportKind::Portfolio => trial(&mut file, &clock, &job).await?,
        // Nothing is made for them, and they mean something beside the debtors alone.
        ImportKind::Consents => (Vec::new(), true),
    };
    if args.dry_run || !any {
        return shown(flow, args, (job, file), &owner, (notes, any)).await;
    }
    owner.keep(&*flow.store).await?;
    let map = map.map_or(serde_json::Value::Null, |(value, _)| value);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut faults = Faults::open(args)?;
    let mut row = flow.begin((&owner.portfolio, job.kind), &name, map, ACTOR.into());
    row.gone = gone;
    flow.save(&row, ACTOR, "import.read")
        .await
        .map_err(anyhow::Error::from)?;
    let turn = turn(&flow, row.id).await?;
    let read = read_draft(&flow, &mut row, file, &mut faults).await;
    if let Err(error) = read {
        throw_away(&flow, row).await?;
        turn.end().await;
        return Err(failure(error));
    }
    turn.end().await;
    faults.end()?;
    told::difference(&row.difference);
    notes.into_iter().for_each(say);
    if args.draft {
        say(format!("draft {}: nothing is changed yet", row.id));
        say(format!(
            "take it: marcador import --accept {0}   throw it away: --discard {0}",
            row.id
        ));
        return Ok(());
    }
    accept(&flow, row, args.merge).await
}

/// What the file is about; consents are of debtors who are there, and change no debts.
fn kind_of(args: &ImportArgs, gone: GonePolicy, owner: &Owner) -> Result<ImportKind, Failure> {
    let kind = args.kind.parse::<ImportKind>();
    let kind = kind.context("--kind").map_err(Failure::usage)?;
    if kind == ImportKind::Consents && owner.is_new() {
        let told = "--kind consents: no such client or portfolio";
        return Err(Failure::usage(anyhow!(told)));
    }
    if kind == ImportKind::Consents && (args.merge || gone == GonePolicy::Recall) {
        let told = "--kind consents: recalls nothing and merges nobody";
        return Err(Failure::usage(anyhow!(told)));
    }
    Ok(kind)
}

/// Reads the file and keeps nothing.
async fn shown(
    flow: Flow,
    args: &ImportArgs,
    (job, file): (ImportJob, File),
    owner: &Owner,
    (notes, any): (Vec<String>, bool),
) -> Result<(), Failure> {
    let nothing_kept = match args.dry_run {
        true => "dry run, nothing kept: ",
        false => "nothing kept: ",
    };
    // A dry run for an owner who is not there yet is a dry run against an empty database.
    let store: Arc<dyn Store> = match owner.is_new() {
        true => Arc::new(sim::store::MemoryStore::new()),
        false => flow.store,
    };
    let mut faults = Faults::open(args)?;
    let bar = progress();
    let (ids, clock) = (Arc::new(RandomIds), NodeClock::system());
    let (fault, rows) = (|f: &RowFault| faults.take(f), |n| bar.set_position(n));
    let report = import(&*store, ids, &clock, job, file, fault, rows).await;
    bar.finish_and_clear();
    let report = report.map_err(failure)?;
    faults.end()?;
    told::sums(&report, nothing_kept);
    notes.into_iter().for_each(say);
    match any || report.rows == 0 {
        true => Ok(()),
        false => Err(Failure::Failed(anyhow!("no row could be taken"))),
    }
}

async fn read_draft(
    flow: &Flow,
    row: &mut Import,
    file: File,
    faults: &mut Faults,
) -> Result<(), ImportError> {
    flow.keep(row, file).await?;
    let bar = progress();
    let rows = |n| bar.set_position(n);
    let done = flow.read(row, |f| faults.take(f), rows).await;
    bar.finish_and_clear();
    done?;
    Ok(flow.save(row, ACTOR, "import.ready").await?)
}

async fn throw_away(flow: &Flow, mut row: Import) -> anyhow::Result<()> {
    row.state = ImportState::Discarded;
    flow.store.drop_pieces(row.id).await?;
    Ok(flow.save(&row, ACTOR, "import.discarded").await?)
}

/// The turn of a file: another process that works on it is waited for by whoever asks.
async fn turn(flow: &Flow, id: ImportId) -> Result<FileTurn, Failure> {
    let turn = flow.take(id).await.map_err(anyhow::Error::from)?;
    turn.ok_or_else(|| {
        Failure::Failed(anyhow!(
            "another process works on import {id}: wait for its end (a minute when it has died)"
        ))
    })
}

async fn accept(flow: &Flow, row: Import, merge: bool) -> Result<(), Failure> {
    let turn = turn(flow, row.id).await?;
    let gone = row.gone;
    let done = accept_now(flow, row.id, gone, merge).await;
    turn.end().await;
    done
}

async fn accept_now(
    flow: &Flow,
    id: ImportId,
    gone: GonePolicy,
    merge: bool,
) -> Result<(), Failure> {
    // Another process may have worked on it until now.
    let mut row = in_state(flow, id, &[ImportState::Ready, ImportState::Accepting]).await?;
    let half = flow.half_in(&row).await.map_err(anyhow::Error::from)?;
    if let Some(other) = half {
        return Err(Failure::usage(if other.at_work {
            anyhow!(
                "import {} is being written into the portfolio: wait for its end",
                other.id
            )
        } else {
            anyhow!(
                "import {} is half in the portfolio: --accept it again, or --undo it first",
                other.id
            )
        }));
    }
    row.gone = gone;
    row.merges |= merge;
    row.state = ImportState::Accepting;
    let saved = flow.save(&row, ACTOR, "import.accepting").await;
    saved.map_err(anyhow::Error::from)?;
    let bar = progress();
    let done = flow.write(&row, |n| bar.set_position(n)).await;
    bar.finish_and_clear();
    let mut row = done.map_err(failure)?;
    let saved = flow.accept(&mut row, ACTOR).await;
    saved.map_err(anyhow::Error::from)?;
    told::sums(&row.report, "");
    say(format!("import {}", row.id));
    Ok(())
}

/// What is decided of a file that came before.
async fn decided(flow: Flow, args: &ImportArgs, gone: Option<GonePolicy>) -> Result<(), Failure> {
    let (id, wanted): (&str, &[ImportState]) = match (&args.accept, &args.discard, &args.undo) {
        (Some(id), ..) => (id.as_str(), &[ImportState::Ready, ImportState::Accepting]),
        (_, Some(id), _) => (id.as_str(), &[ImportState::Reading, ImportState::Ready]),
        (.., Some(id)) => (
            id.as_str(),
            &[
                ImportState::Accepted,
                ImportState::Accepting,
                ImportState::Undoing,
            ],
        ),
        _ => return Err(Failure::usage(anyhow!("expected a file, or --accept ID"))),
    };
    let id: ImportId = id.parse().map_err(|e| Failure::usage(anyhow!("{e}")))?;
    let mut row = in_state(&flow, id, wanted).await?;
    if args.accept.is_some() {
        row.gone = gone.unwrap_or(row.gone);
        return accept(&flow, row, args.merge).await;
    }
    let turn = turn(&flow, id).await?;
    let done = match args.discard.is_some() {
        true => discard(&flow, id, wanted).await,
        false => undo(&flow, id, wanted).await,
    };
    turn.end().await;
    done
}

/// A file that is in one of these states.
async fn in_state(flow: &Flow, id: ImportId, wanted: &[ImportState]) -> Result<Import, Failure> {
    let row = flow.store.get_import(id).await;
    let row = row.map_err(|e| Failure::usage(anyhow!(e)))?;
    if wanted.contains(&row.state) {
        return Ok(row);
    }
    let names: Vec<&str> = wanted.iter().map(|s| s.as_str()).collect();
    Err(Failure::usage(anyhow!(
        "the import is {}: expected {}",
        row.state,
        names.join(" or ")
    )))
}

async fn discard(flow: &Flow, id: ImportId, wanted: &[ImportState]) -> Result<(), Failure> {
    throw_away(flow, in_state(flow, id, wanted).await?).await?;
    say(format!("import {id} is thrown away"));
    Ok(())
}

async fn undo(flow: &Flow, id: ImportId, wanted: &[ImportState]) -> Result<(), Failure> {
    let mut row = in_state(flow, id, wanted).await?;
    let later = flow.store.later_import(id).await;
    if later.map_err(anyhow::Error::from)? {
        return Err(Failure::usage(anyhow!(
            "a later file was taken into the portfolio: take that back first"
        )));
    }
    row.state = ImportState::Undoing;
    let saved = flow.save(&row, ACTOR, "import.undoing").await;
    saved.map_err(anyhow::Error::from)?;
    flow.undo(&mut row).await.map_err(anyhow::Error::from)?;
    let saved = flow.save(&row, ACTOR, "import.undone").await;
    saved.map_err(anyhow::Error::from)?;
    say(format!("import {id} is taken back"));
    Ok(())
}

/// Reads the file as the import will, and keeps nothing: what is to be said of its columns, and whether
/// any row can be taken. It reads on until it has seen one.
async fn trial(
    file: &mut File,
    clock: &NodeClock,
    job: &ImportJob,
) -> Result<(Vec<String>, bool), Failure> {
    let mut given = job.map.clone().unwrap_or_default();
    // Of a workbook its first rows, as text.
    let first = head(&mut *file, &mut given).await.map_err(failure)?;
    file.rewind().await.map_err(anyhow::Error::from)?;
    let nowhere = sim::store::MemoryStore::new();
    let taken = |report: &ImportReport| report.rows > report.refused;
    let quiet = |_: &RowFault| {};
    let ids = Arc::new(RandomIds);
    let begun = ImportJob {
        map: Some(given.clone()),
        ..job.clone()
    };
    let report = import(&nowhere, ids.clone(), clock, begun, &*first, quiet, |_| {}).await;
    let mut any = taken(&report.map_err(failure)?);
    if !any && first.len() >= PIECE_BYTES {
        let job = job.clone();
        let whole = import(&nowhere, ids, clock, job, &mut *file, quiet, |_| {}).await;
        any = taken(&whole.map_err(failure)?);
        file.rewind().await.map_err(anyhow::Error::from)?;
    }
    let shape = detect(job.kind, &first, Some(&given)).context("header");
    let shape = shape.map_err(Failure::usage)?;
    Ok((told::notes(&shape, job.map.as_ref()), any))
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
