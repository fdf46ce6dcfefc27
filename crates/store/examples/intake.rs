//! What a file costs on its way in, below the API: rows as `marcador bench import` makes them are read, compared
//! and written as a kept file is, and the processor time of each pass is told, as JSON.
//!
//! ```text
//! cargo run --release -p store --example intake -- sqlite:///tmp/intake.db 100000
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use domain::entity::{ImportState, Portfolio};
use domain::ids::ImportId;
use domain::import::{ColumnMap, Line, Lines, RowContext, RowReader, detect};
use domain::ports::store::{DebtorRow, ImportReport};
use domain::ports::{IdSource, Store};
use domain::time::UtcMs;
use sim::contract::imports::file;
use sim::contract::scene::{NOW, Scene};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use store::SqlStore;
use uuid::Uuid;

const BATCH: usize = 1_000;
const AHEAD: usize = 2;
const HEADER: &str = "external_ref,debt_ref,name,document,country,balance,due_date,phone_mobile";

/// Ids that grow, as the importer's do.
struct Growing(AtomicU64);

impl IdSource for Growing {
    fn next(&self, now: UtcMs) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = *Uuid::now_v7().as_bytes();
        let ms = now.0 + i64::try_from(n / 4_096).unwrap_or(0);
        bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        let [.., high, low] = (n % 4_096).to_be_bytes();
        bytes[6] = 0x70 | high & 0x0f;
        bytes[7] = low;
        Uuid::from_bytes(bytes)
    }
}

/// Seconds of the processor that this process has used, and its largest memory in MB.
fn used() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |n| {
        let field = rest.split_ascii_whitespace().nth(n);
        field.and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|l| l.split_ascii_whitespace().next());
    let kb = peak.and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0);
    ((ticks(11) + ticks(12)) / 100.0, kb * 1.024 / 1_000.0)
}

fn text(rows: u64) -> String {
    let mut text = format!("{HEADER}\n");
    for n in 0..rows {
        let mixed = n.wrapping_mul(48_271) % 99_999_989;
        let _ = writeln!(
            text,
            "D{n:07},C{n:07},José Núñez,RFC{mixed:08},MX,{}.{:02},2026-{:02}-{:02},55{mixed:08}",
            500 + mixed % 40_000,
            mixed % 100,
            1 + mixed % 9,
            1 + mixed % 28,
        );
    }
    text
}

fn read(reader: &RowReader, ids: &dyn IdSource, lines: Vec<Line>) -> Vec<DebtorRow> {
    let row = |line| match line {
        Line::Row { line, fields } => reader.read(line, &fields, ids).ok(),
        Line::Broken { .. } => None,
    };
    lines.into_iter().filter_map(row).collect()
}

async fn pass(
    store: &Arc<dyn Store>,
    (import, portfolio): (ImportId, &Portfolio),
    text: &str,
    dry_run: bool,
) -> ImportReport {
    let header: Vec<String> = HEADER.split(',').map(str::to_owned).collect();
    let map = detect(&header, &[], &ColumnMap::default()).map;
    let context = RowContext {
        client: portfolio.client_id,
        portfolio: portfolio.clone(),
        now: NOW,
        by_rule: false,
    };
    let reader = Arc::new(RowReader::new(&header, map, context).expect("header"));
    let ids = Arc::new(Growing(AtomicU64::new(0)));
    let mut lines = Lines::new(',');
    let mut ahead = VecDeque::new();
    let mut sum = ImportReport::default();
    let (mut at, mut block) = (text.find('\n').map_or(0, |n| n + 1), Vec::new());
    loop {
        let mut end = (at + 65_536).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        lines.push(&text[at..end]);
        at = end;
        let ended = at == text.len();
        if ended {
            lines.end();
        }
        while let Some(line) = lines.next_line() {
            block.push(line);
            if block.len() >= BATCH {
                let (reader, ids, block) =
                    (reader.clone(), ids.clone(), std::mem::take(&mut block));
                let read = move || read(&reader, &*ids, block);
                ahead.push_back(tokio::task::spawn_blocking(read));
            }
            if ahead.len() > AHEAD {
                sum.add(&take(store, import, dry_run, &mut ahead).await);
            }
        }
        if ended {
            break;
        }
    }
    while !ahead.is_empty() {
        sum.add(&take(store, import, dry_run, &mut ahead).await);
    }
    let rest = read(&reader, &*ids, block);
    if !rest.is_empty() {
        sum.add(&put(store, import, dry_run, &rest).await);
    }
    sum
}

type Ahead = VecDeque<tokio::task::JoinHandle<Vec<DebtorRow>>>;

async fn take(
    store: &Arc<dyn Store>,
    import: ImportId,
    dry_run: bool,
    ahead: &mut Ahead,
) -> ImportReport {
    let rows = ahead.pop_front().expect("a block").await.expect("read");
    put(store, import, dry_run, &rows).await
}

async fn put(
    store: &Arc<dyn Store>,
    import: ImportId,
    dry_run: bool,
    rows: &[DebtorRow],
) -> ImportReport {
    let done = match dry_run {
        true => store.import_batch(import, rows, true, &[]).await,
        false => store.take_rows(import, rows).await,
    };
    done.expect("batch")
}

/// On a thread of the runtime, as in the service: what such a task makes begins elsewhere than what `main` makes.
#[tokio::main]
async fn main() {
    tokio::spawn(measure()).await.expect("measured");
}

async fn measure() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut args = args.into_iter();
    let url = args.next().expect("a database");
    let rows = args
        .next()
        .map_or(100_000, |n| n.parse().expect("a number"));
    let store = SqlStore::connect(&url).await.expect("open");
    store.migrate().await.expect("schema");
    let store: Arc<dyn Store> = Arc::new(store);
    let scene = Scene::new(&store).await;
    let mut row = file(&scene, ImportState::Ready);
    let text = text(rows);
    for (name, state, dry_run) in [
        ("difference", ImportState::Ready, true),
        ("writing", ImportState::Accepting, false),
    ] {
        row.state = state;
        store.put_import(&row, &[]).await.expect("its row");
        let (before, begun) = (used().0, Instant::now());
        let done = pass(&store, (row.id, &scene.portfolio), &text, dry_run).await;
        assert_eq!(done.debtors_new, rows);
        if !dry_run {
            store.settle_rows(row.id).await.expect("durable");
        }
        let (after, peak) = used();
        println!(
            "{{\"pass\":\"{name}\",\"s\":{:.2},\"cpu_us_a_row\":{:.1},\"peak_mb\":{peak:.0}}}",
            begun.elapsed().as_secs_f64(),
            (after - before) * 1e6 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX)),
        );
    }
}
