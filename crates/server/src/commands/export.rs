//! `marcador export`: for auditors. No cell that a spreadsheet would run; instants in UTC.

use super::read_config;
use crate::cli::{ExportArgs, ExportFormat, ExportWhat};
use crate::failure::Failure;
use crate::sheet::Sheet;
use anyhow::Context as _;
use api::export::{Format, Names, header, row};
use domain::entity::Suppression;
use domain::event::{AUDIT_KIND, Event};
use domain::ports::Store;
use domain::ports::store::{AttemptFilter, ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::time::UtcMs;
use std::io::{BufWriter, Write};

/// Columns of the events.
const EVENT_COLUMNS: [&str; 8] = [
    "cursor", "id", "at", "kind", "subject", "actor", "client", "data",
];
/// Columns of the do-not-call changes.
const SUPPRESSION_COLUMNS: [&str; 8] = [
    "id",
    "created_at",
    "lifted_at",
    "kind",
    "value",
    "reason",
    "client",
    "debtor_id",
];

/// Carries it out.
pub(crate) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let since: UtcMs = match &args.since {
        Some(text) => text.parse().context("--since").map_err(Failure::usage)?,
        None => UtcMs(i64::MIN),
    };
    let config = read_config(&args.config)?;
    let store = crate::node::open_store(&config.database).await?;
    if args.what == ExportWhat::Debtor {
        return super::evidence::run(&args, &config, &*store).await;
    }
    let mut out = BufWriter::new(std::io::stdout());
    let csv = args.format == ExportFormat::Csv;
    let done = match args.what {
        ExportWhat::Attempts => attempts(&*store, since, csv, &mut out).await,
        ExportWhat::Events => events(&*store, since, None, csv, &mut out).await,
        ExportWhat::Audit => events(&*store, since, Some(AUDIT_KIND), csv, &mut out).await,
        ExportWhat::Suppressions => suppressions(&*store, since, csv, &mut out).await,
        ExportWhat::Debtor => Ok(()),
    };
    match done.and_then(|()| Ok(out.flush()?)) {
        // Nobody reads on: that is the reader's choice.
        Err(e) if broken_pipe(&e) => Ok(()),
        other => Ok(other?),
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| {
        e.downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

async fn attempts(
    store: &dyn Store,
    since: UtcMs,
    csv: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let format = if csv { Format::Csv } else { Format::Jsonl };
    if let Some(head) = header(format).map_err(anyhow::Error::msg)? {
        out.write_all(&head)?;
    }
    let filter = AttemptFilter {
        since: (since.0 > i64::MIN).then_some(since),
        ..AttemptFilter::default()
    };
    let mut names = Names::default();
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    loop {
        let rows = store.list_attempts(&filter, &page).await?;
        for attempt in &rows.items {
            let named = names.of(store, attempt).await?;
            out.write_all(&row(format, attempt, &named).map_err(anyhow::Error::msg)?)?;
        }
        match rows.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}

async fn events(
    store: &dyn Store,
    since: UtcMs,
    kind: Option<&str>,
    csv: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let wanted = |e: &&Event| e.event.at >= since && kind.is_none_or(|k| e.event.kind == k);
    let mut rows = Rows::new(csv, out, &EVENT_COLUMNS)?;
    let mut cursor = 0;
    loop {
        let batch = store.events_after(cursor, PAGE_LIMIT_MAX).await?;
        let Some(last) = batch.last() else {
            return rows.end();
        };
        cursor = last.cursor;
        for event in batch.iter().filter(wanted) {
            rows.write(event, event_cells)?;
        }
    }
}

fn event_cells(event: &Event) -> [String; 8] {
    let new = &event.event;
    [
        event.cursor.to_string(),
        new.id.to_string(),
        new.at.to_string(),
        new.kind.clone(),
        new.subject.clone(),
        new.actor.clone(),
        new.client_id.map(|c| c.to_string()).unwrap_or_default(),
        new.data.to_string(),
    ]
}

async fn suppressions(
    store: &dyn Store,
    since: UtcMs,
    csv: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut rows = Rows::new(csv, out, &SUPPRESSION_COLUMNS)?;
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    loop {
        let found = store
            .list_suppressions(&ListFilter::default(), &page)
            .await?;
        let changed =
            |s: &Suppression| s.created_at >= since || s.lifted_at.is_some_and(|t| t >= since);
        for row in found.items.iter().filter(|s| changed(s)) {
            rows.write(row, suppression_cells)?;
        }
        match found.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return rows.end(),
        }
    }
}

fn suppression_cells(row: &Suppression) -> [String; 8] {
    [
        row.id.to_string(),
        row.created_at.to_string(),
        row.lifted_at.map(|t| t.to_string()).unwrap_or_default(),
        row.kind.to_string(),
        // Without +: a spreadsheet would take it for a formula.
        row.value.reveal().trim_start_matches('+').to_owned(),
        row.reason.clone(),
        row.client_id.map(|c| c.to_string()).unwrap_or_default(),
        row.debtor_id.map(|d| d.to_string()).unwrap_or_default(),
    ]
}

/// Rows as CSV cells or as JSON lines of the whole thing.
enum Rows<W: Write> {
    Csv(Box<Sheet<W>>),
    Jsonl(W),
}

impl<W: Write> Rows<W> {
    fn new(csv: bool, out: W, columns: &[&str]) -> anyhow::Result<Self> {
        Ok(if csv {
            Self::Csv(Box::new(Sheet::new(out, columns)?))
        } else {
            Self::Jsonl(out)
        })
    }

    fn write<T: serde::Serialize>(
        &mut self,
        row: &T,
        cells: fn(&T) -> [String; 8],
    ) -> anyhow::Result<()> {
        match self {
            Self::Csv(sheet) => sheet.row(cells(row)),
            Self::Jsonl(out) => {
                let mut line = serde_json::to_vec(row)?;
                line.push(b'\n');
                Ok(out.write_all(&line)?)
            }
        }
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Csv(sheet) => sheet.end(),
            Self::Jsonl(_) => Ok(()),
        }
    }
}
