//! What a file costs on its way in, below the API: rows as `marcador bench import` makes them are read, compared
//! and written as a kept file is, and the processor time of each pass is told, as JSON. Then a second file changes what
//! every debt owes: what is kept aside of it is written when it is accepted, while another caller writes too.
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
use sim::contract::scene::{NOW, Scene, fresh};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
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

/// A file of so many rows, in which each debt owes so much more.
fn text(rows: u64, more: u64) -> String {
    let mut text = format!("{HEADER}\n");
    for n in 0..rows {
        let mixed = n.wrapping_mul(48_271) % 99_999_989;
        let _ = writeln!(
            text,
            "D{n:07},C{n:07},José Núñez,RFC{mixed:08},MX,{}.{:02},2026-{:02}-{:02},55{mixed:08}",
            500 + more + mixed % 40_000,
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
    (text, ids): (&str, u64),
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
    let ids = Arc::new(Growing(AtomicU64::new(ids)));
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
    let text = text(rows, 0);
    for (name, state, dry_run) in [
        ("difference", ImportState::Ready, true),
        ("writing", ImportState::Accepting, false),
    ] {
        row.state = state;
        store.put_import(&row, &[]).await.expect("its row");
        let (before, begun) = (used().0, Instant::now());
        let done = pass(&store, (row.id, &scene.portfolio), (&text, 0), dry_run).await;
        assert_eq!(done.debtors_new, rows);
        if !dry_run {
            store.settle_rows(row.id).await.expect("durable");
        }
        told(name, rows, (before, begun));
    }
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("it is in");
    change(&store, &scene, rows).await;
}

/// Tells what a pass took.
fn told(name: &str, rows: u64, (before, begun): (f64, Instant)) {
    let (after, peak) = used();
    println!(
        "{{\"pass\":\"{name}\",\"s\":{:.2},\"cpu_us_a_row\":{:.1},\"peak_mb\":{peak:.0}}}",
        begun.elapsed().as_secs_f64(),
        (after - before) * 1e6 / f64::from(u32::try_from(rows).unwrap_or(u32::MAX)),
    );
}

/// Writes a second file, which changes every debt of the first.
async fn change(store: &Arc<dyn Store>, scene: &Scene, rows: u64) {
    let mut row = file(scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("its row");
    let (before, begun) = (used().0, Instant::now());
    let text = text(rows, 1);
    let done = pass(store, (row.id, &scene.portfolio), (&text, rows), false).await;
    assert_eq!((done.debts_changed, done.debtors_new), (rows, 0));
    store.settle_rows(row.id).await.expect("durable");
    told("kept aside", rows, (before, begun));
    let (ended, other) = (Arc::new(AtomicBool::new(false)), Arc::clone(store));
    let over = Arc::clone(&ended);
    let waits = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let written = other.leave_import(fresh(), "nobody").await;
            written.expect("another's write");
            longest = longest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        longest
    });
    let (before, begun) = (used().0, Instant::now());
    while store.write_aside(row.id, NOW).await.expect("a piece") {}
    let pieces = begun.elapsed();
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("it is in");
    told("changed", rows, (before, begun));
    ended.store(true, Ordering::Relaxed);
    let longest = waits.await.expect("another");
    println!(
        "{{\"before_it_is_in_s\":{:.2},\"another_waited_ms\":{}}}",
        pieces.as_secs_f64(),
        longest.as_millis()
    );
}
