//! Times of the four statements that must be quick, on a filled database, as JSON.
//!
//! ```text
//! cargo run --release -p store --example figures -- sqlite:///tmp/figures.db 100000
//! ```
//!
//! With a number of attempts behind it, the database is filled as `marcador bench store` fills it, or was by it, and
//! reservations and calls alone are run on it, as a profile wants them; a number of rounds may follow. The slowest
//! reservations and openings are told with where their time went.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use domain::entity::{AttemptState, CallResult, Campaign, CampaignParams, CampaignStatus};
use domain::ids::{CampaignId, ImportId, SegmentId};
use domain::ports::Store;
use domain::ports::store::PortfolioStore as _;
use domain::ports::store::{AttemptChange, Candidate, NodeLease, OpenOutcome, ReserveRequest};
use domain::segment::examples::EXAMPLES;
use domain::segment::{Expr, parse};
use domain::time::{MINUTE_MS, UtcMs};
use sim::contract::attempts::ended;
use sim::contract::judges::Allow;
use sim::contract::scene::{NOW, Person, Scene, event, fresh, node, refill, request};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{FillPlan, Filled, SqlStore, WriteTimes};

const BATCH: usize = 1_000;
const ROUNDS: usize = 100;
/// When a debtor who was called may be called again: not in this run.
const LATER: UtcMs = UtcMs(i64::MAX / 2);

fn report(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |pct: usize| times[(times.len() * pct / 100).min(times.len() - 1)];
    println!(
        "{{\"{name}\":{{\"p50\":{:.2},\"p99\":{:.2},\"n\":{}}}}}",
        at(50),
        at(99),
        times.len()
    );
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

async fn fill(store: &Arc<dyn Store>, scene: &Scene, debtors: usize) {
    let mut times = Vec::new();
    for batch in 0..debtors.div_ceil(BATCH) {
        let rows: Vec<_> = (0..BATCH)
            .map(|n| {
                let mut person = scene.draft_person();
                let spread = i64::try_from((batch * 7_919 + n * 104_729) % 900_000).unwrap_or(0);
                person.debt = scene.draft_debt(person.debtor.id, 100_000 + spread);
                person.debt.due_date = format!("2026-{:02}-{:02}", 1 + n % 11, 1 + batch % 28);
                person.row(2)
            })
            .collect();
        let start = Instant::now();
        store
            .import_batch(fresh::<ImportId>(), &rows, false, &[])
            .await
            .expect("import");
        times.push(ms(start));
    }
    report("import_1000_ms", times);
}

async fn segments(store: &Arc<dyn Store>, scene: &Scene) {
    let client = scene.client.id;
    for (name, text) in [
        ("count_all_ms", "all"),
        (
            "count_days_ms",
            "days_past_due between 31 and 60 and balance >= 5000.00",
        ),
        (
            "count_history_ms",
            "attempts_7d = 0 and not on_hold and not promise_active and not suppressed",
        ),
    ] {
        let expr = parse(text).expect("expression");
        let mut times = Vec::new();
        for _ in 0..ROUNDS / 5 {
            let start = Instant::now();
            store
                .segment_count(client, &expr, NOW)
                .await
                .expect("count");
            store
                .segment_sample(client, &expr, NOW, 20)
                .await
                .expect("sample");
            times.push(ms(start));
        }
        report(name, times);
    }
}

/// Where the time of one write went, slowest first: ms in all, until the writer was free, statements, commit (of it the
/// journal), and debtors not read ahead.
#[derive(Default)]
struct Slow(Vec<(f64, WriteTimes, u64)>);

impl Slow {
    fn note(&mut self, sql: &SqlStore, took: f64, missed: u64) {
        if let Some(times) = sql.last_write() {
            self.0.push((took, times, missed));
        }
    }

    fn report(mut self, what: &str) {
        self.0.sort_by(|a, b| b.0.total_cmp(&a.0));
        let ms = |of: Duration| of.as_secs_f64() * 1_000.0;
        for (took, t, missed) in self.0.iter().take(12) {
            println!(
                "{what}: {took:.1} = {:.1} + {:.1} + {:.1} ({:.1}), {missed} missed",
                ms(t.wait),
                ms(t.statements),
                ms(t.commit),
                ms(t.journal)
            );
        }
    }
}

/// Times of one kind each, in milliseconds.
#[derive(Default)]
struct Times {
    slow: Slow,
    reserve: Vec<f64>,
    open: Vec<f64>,
    note: Vec<f64>,
    close: Vec<f64>,
    why: Vec<f64>,
}

/// One call from the dial to its end.
async fn call(
    (sql, store): (&SqlStore, &Arc<dyn Store>),
    lease: &NodeLease,
    candidate: Candidate,
    now: UtcMs,
    times: &mut Times,
) {
    let person = Person {
        debtor: candidate.facts.debtor,
        debt: candidate.facts.debts[0].clone(),
        point: candidate.facts.points[0].clone(),
    };
    let draft = person.draft(lease, Some(candidate.item.campaign_id), now);
    let id = draft.attempt.id;
    let start = Instant::now();
    let opened = store.open_attempt(&draft, &Allow).await.expect("open");
    times.open.push(ms(start));
    times.slow.note(sql, ms(start), 0);
    assert!(matches!(opened, OpenOutcome::Opened(..)));
    let told = [event("attempt.sent", &format!("attempt:{id}"))];
    let change = AttemptChange {
        state: Some(AttemptState::Sent),
        ..AttemptChange::default()
    };
    let start = Instant::now();
    store.note_attempt(id, &change, &told).await.expect("note");
    times.note.push(ms(start));
    let mut closing = ended(CallResult::NoAnswer);
    let mut item = candidate.item;
    item.next_at = LATER;
    closing.item = Some(item);
    closing.events = vec![event("attempt.ended", &format!("attempt:{id}"))];
    let start = Instant::now();
    store.close_attempt(id, &closing).await.expect("close");
    times.close.push(ms(start));
    let start = Instant::now();
    store
        .contact_facts(person.debtor.id, now)
        .await
        .expect("facts");
    store.items_of(person.debtor.id).await.expect("items");
    times.why.push(ms(start));
}

/// Reservations of a hundred, the first few of each called, the others given back for later.
async fn rounds(
    (sql, store): (&SqlStore, &Arc<dyn Store>),
    campaign: &Campaign,
    lease: &NodeLease,
    from: UtcMs,
    (rounds, calls): (usize, usize),
) {
    let mut times = Times::default();
    let mut slow = Slow::default();
    for round in 0..rounds {
        let now = from.plus_ms(i64::try_from(round).unwrap_or(0) * 1_000);
        let request = ReserveRequest {
            now,
            until: now.plus_ms(60 * MINUTE_MS),
            ..request(campaign, lease, 100)
        };
        let missed = sql.ahead_counts().missed;
        let start = Instant::now();
        let held = store.reserve_contacts(&request).await.expect("reserve");
        times.reserve.push(ms(start));
        slow.note(sql, ms(start), sql.ahead_counts().missed - missed);
        for (n, candidate) in held.into_iter().enumerate() {
            if n < calls {
                call((sql, store), lease, candidate, now, &mut times).await;
            } else {
                let mut item = candidate.item;
                item.next_at = LATER;
                let done = store.release_contact(&item, None, &[]).await;
                done.expect("release");
            }
        }
    }
    slow.report("reserve");
    times.slow.report("open");
    report("reserve_100_ms", times.reserve);
    report("open_attempt_ms", times.open);
    report("note_attempt_ms", times.note);
    report("close_attempt_ms", times.close);
    report("why_not_ms", times.why);
}

async fn calls(sql: &SqlStore, store: &Arc<dyn Store>, scene: &Scene) {
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let start = Instant::now();
    refill(store, &campaign).await;
    report("refill_ms", vec![ms(start)]);
    let lease = node(store).await;
    rounds((sql, store), &campaign, &lease, NOW, (ROUNDS, 10)).await;
    let start = Instant::now();
    store.item_counts(campaign.id, NOW).await.expect("counts");
    report("item_counts_ms", vec![ms(start)]);
}

/// Reservations, openings and ends on a database of `marcador bench store`.
async fn filled(sql: &SqlStore, debtors: u64, attempts: u64, count: usize) {
    let plan = FillPlan {
        debtors,
        attempts,
        now: NOW,
    };
    let filled = sql.fill_for_bench(&plan, &mut |_| {}).await.expect("fill");
    let store: Arc<dyn Store> = Arc::new(sql.clone());
    let campaign = Campaign {
        id: CampaignId(filled.portfolio.0),
        client_id: filled.client,
        name: "bench".into(),
        segment_id: SegmentId(filled.portfolio.0),
        script_id: None,
        status: CampaignStatus::Running,
        params: CampaignParams::default(),
        version: 1,
        created_at: filled.now,
        updated_at: filled.now,
    };
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    store
        .refill_campaign(&campaign, &Expr::All, filled.now, &[])
        .await
        .expect("refill");
    let name = store.register_node("bench", filled.now, 60 * MINUTE_MS);
    let lease = name.await.expect("node");
    rounds((sql, &store), &campaign, &lease, filled.now, (count, 5)).await;
    written_set(sql, filled).await;
}

/// The written set of segments: figures while somebody types, and the exact ones; the slowest of both are named.
async fn written_set(sql: &SqlStore, filled: Filled) {
    let (mut previews, mut exacts) = (Vec::new(), Vec::new());
    for text in EXAMPLES {
        let expr = parse(text).expect("expression");
        for _ in 0..3 {
            let start = Instant::now();
            let found = sql.segment_estimate(filled.client, &expr, filled.now, 10);
            found.await.expect("estimate");
            previews.push((ms(start), *text));
        }
        let start = Instant::now();
        let found = sql.segment_count(filled.client, &expr, filled.now);
        found.await.expect("count");
        exacts.push((ms(start), *text));
    }
    for (name, mut times) in [("preview_ms", previews), ("exact_ms", exacts)] {
        times.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (took, text) in times.iter().take(8) {
            println!("{name}: {took:.0} {text}");
        }
        report(name, times.into_iter().map(|(took, _)| took).collect());
    }
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("a database url");
    let debtors = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let sql = SqlStore::connect(&url).await.expect("connect");
    sql.migrate().await.expect("migrate");
    if let Some(attempts) = args.next().and_then(|n| n.parse().ok()) {
        let count = args.next().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
        filled(&sql, debtors as u64, attempts, count).await;
        return sql.close().await;
    }
    let store: Arc<dyn Store> = Arc::new(sql.clone());
    let scene = Scene::new(&store).await;
    fill(&store, &scene, debtors).await;
    segments(&store, &scene).await;
    calls(&sql, &store, &scene).await;
    segments(&store, &scene).await;
    sql.close().await;
}
