//! `marcador bench store`: the statements that a campaign waits for, on a portfolio of a million debtors and
//! ten million attempts, by the store's own code.

mod asked;
mod measure;
mod segments;
mod slowest;

use super::args::StoreArgs;
use super::goals::{self, Goal, at_most};
use super::{profile, write_json};
use crate::commands::say;
use crate::node::Calls;
use ::store::{FillPlan, Filled, LiteSync, SqlStore};
use domain::law::{OpeningPlace, Place, RuleBook};
use domain::time::{HOUR_MS, UtcMs};
use measure::{Percentiles, Told, Work};
use segments::Segments;
use serde::Serialize;
use slowest::Slow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a hundred are reserved: 1,000 contacts a second, the calls that `bench signalling` asks of a core.
const PACE: Duration = Duration::from_millis(100);

/// What one engine showed. Times in milliseconds.
#[derive(Debug, Serialize)]
struct Engine {
    debtors: u64,
    attempts: u64,
    fill_s: Option<f64>,
    /// When SQLite's commits are brought to the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<LiteSync>,
    /// What a write of 4 kB to this disk takes until it is safe, for comparison.
    fsync_ms: Percentiles,
    /// One each [`PACE`].
    reserve_100_ms: Percentiles,
    /// One behind the other, faster than any campaign asks.
    reserve_100_unpaced_ms: Percentiles,
    open_attempt_ms: Percentiles,
    close_attempt_ms: Percentiles,
    segment_preview_ms: Percentiles,
    segment_exact_ms: Percentiles,
    why_not_ms: Percentiles,
    why_not_campaign_ms: Percentiles,
    debtor_file_ms: Percentiles,
    /// Openings the law let pass, of those asked.
    opened: u64,
    asked: u64,
    slow_reserves: Vec<Slow>,
    slow_opens: Vec<Slow>,
    segments: Segments,
}

impl Engine {
    /// How its commits reach the disk, where it can be chosen.
    fn synced(&self) -> String {
        let said = |sync: LiteSync| format!(" (sync = {})", sync.as_str());
        self.sync.map(said).unwrap_or_default()
    }
}

#[derive(Debug, Serialize)]
struct Outcome {
    profile: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlite: Option<Engine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postgres: Option<Engine>,
    goals: Vec<Goal>,
}

/// Carries it out.
pub(super) async fn run(args: &StoreArgs) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = args.data.as_deref().unwrap_or_else(|| folder.path());
    std::fs::create_dir_all(data)?;
    let mut outcome = Outcome {
        profile: profile(),
        sqlite: None,
        postgres: None,
        goals: Vec::new(),
    };
    if !args.no_sqlite {
        let url = format!("sqlite://{}", data.join("bench.db").display());
        outcome.sqlite = engine(args, &url, data).await?;
    }
    if let Some(url) = &args.database_url {
        outcome.postgres = engine(args, url, data).await?;
    }
    for (name, engine) in [("sqlite", &outcome.sqlite), ("postgres", &outcome.postgres)] {
        let Some(engine) = engine else { continue };
        let goals = goals_of(engine);
        say(format!(
            "{name}{}, {}:\n{}",
            engine.synced(),
            outcome.profile,
            goals::table(&goals)
        ));
        say(slowest::told("reservations", &engine.slow_reserves));
        say(slowest::told("openings", &engine.slow_opens));
        say(engine.segments.told());
        outcome.goals.extend(goals);
    }
    write_json(&outcome, args.json.as_deref())
}

fn goals_of(engine: &Engine) -> Vec<Goal> {
    vec![
        at_most(
            "reserve 100, ten times a second, p99",
            "ms",
            engine.reserve_100_ms.p99,
            10.0,
            None,
        ),
        at_most(
            "reserve 100, one behind the other, p99",
            "ms",
            engine.reserve_100_unpaced_ms.p99,
            None,
            None,
        ),
        at_most(
            "open an attempt, p99",
            "ms",
            engine.open_attempt_ms.p99,
            5.0,
            None,
        ),
        at_most(
            "close an attempt, p99",
            "ms",
            engine.close_attempt_ms.p99,
            None,
            None,
        ),
        at_most(
            "fsync of this disk, p99",
            "ms",
            engine.fsync_ms.p99,
            None,
            None,
        ),
        at_most(
            "segment preview, p95",
            "ms",
            engine.segment_preview_ms.p95,
            300.0,
            None,
        ),
        at_most(
            "segment exact, slowest",
            "ms",
            engine.segment_exact_ms.max,
            2_000.0,
            None,
        ),
        at_most("why not, p99", "ms", engine.why_not_ms.p99, 50.0, None),
        at_most(
            "why not of a campaign, slowest",
            "ms",
            engine.why_not_campaign_ms.max,
            None,
            None,
        ),
        at_most(
            "debtor file, p95",
            "ms",
            engine.debtor_file_ms.p95,
            50.0,
            None,
        ),
    ]
}

/// An instant at which calls are allowed in Mexico: two hours after an opening.
fn working_hour(book: &RuleBook) -> anyhow::Result<UtcMs> {
    let place = OpeningPlace {
        place: Place {
            country: "MX".into(),
            subdivision: None,
            creditor_kind: domain::entity::CreditorKind::Financial,
        },
        zone: "America/Mexico_City".into(),
    };
    let now = domain::ports::Clock::now(&crate::clock::NodeClock::system());
    let opening = book.next_opening(&[place], None, 60_000, now)?;
    Ok(opening.plus_ms(2 * HOUR_MS))
}

async fn engine(args: &StoreArgs, url: &str, data: &Path) -> anyhow::Result<Option<Engine>> {
    let store = SqlStore::connect_synced(url, args.sqlite_sync).await?;
    store.migrate().await?;
    let book = RuleBook::embedded()?;
    let plan = FillPlan {
        debtors: args.debtors,
        attempts: args.attempts,
        now: working_hour(&book)?,
    };
    let begun = Instant::now();
    let told: Told = Arc::new(move |what: &str| {
        say(format!("{:>6.1} s  {what}", begun.elapsed().as_secs_f64()));
    });
    let filled: Filled = store.fill_for_bench(&plan, &mut &*told).await?;
    let fill_s = (!filled.before).then(|| begun.elapsed().as_secs_f64());
    if args.fill_only {
        store.close().await;
        return Ok(None);
    }
    // As a node carries calls: on a thread of their own.
    let calls = Calls::start()?;
    let (with, book, heard) = (store.clone(), Arc::new(book), told.clone());
    let debtors = args.debtors;
    let steps = async move {
        let mut work = Work::begin((with, book), (filled, debtors), heard).await?;
        let paced = work.calls(Some(PACE)).await?;
        let unpaced = work.calls(None).await?;
        anyhow::Ok((work, paced, unpaced))
    };
    let (work, figures, unpaced) = calls.handle().spawn(steps).await??;
    told("why not");
    let why_not = asked::measure(&store, &work).await?;
    told("debtor files");
    let debtor_file_ms = work.file().await?;
    let segments = segments::measure(&store, filled, &told).await?;
    let engine = Engine {
        debtors: args.debtors,
        attempts: args.attempts,
        fill_s,
        sync: (store.engine() == "sqlite").then_some(args.sqlite_sync),
        fsync_ms: measure::fsync(data)?,
        reserve_100_ms: figures.reserve,
        reserve_100_unpaced_ms: unpaced.reserve,
        open_attempt_ms: figures.open,
        close_attempt_ms: figures.close,
        segment_preview_ms: segments.preview,
        segment_exact_ms: segments.exact,
        why_not_ms: why_not.debtor,
        why_not_campaign_ms: why_not.campaign,
        debtor_file_ms,
        opened: figures.opened,
        asked: figures.asked,
        slow_reserves: figures.slow_reserves,
        slow_opens: figures.slow_opens,
        segments,
    };
    store.close().await;
    Ok(Some(engine))
}
