//! Times of the four statements that must be quick, on a filled database, as JSON.
//!
//! ```text
//! cargo run --release -p store --example figures -- sqlite:///tmp/figures.db 100000
//! ```

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use domain::entity::CallResult;
use domain::ids::ImportId;
use domain::ports::Store;
use domain::ports::store::{OpenOutcome, ReserveRequest};
use domain::segment::parse;
use domain::time::{MINUTE_MS, UtcMs};
use sim::contract::attempts::ended;
use sim::contract::judges::Allow;
use sim::contract::scene::{NOW, Person, Scene, event, fresh, node, refill, request, reserve};
use std::sync::Arc;
use std::time::Instant;
use store::SqlStore;

const BATCH: usize = 1_000;
const ROUNDS: usize = 100;

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

async fn calls(store: &Arc<dyn Store>, scene: &Scene) {
    let campaign = scene.draft_campaign();
    store.put_campaign(&campaign, &[]).await.expect("campaign");
    let start = Instant::now();
    refill(store, &campaign).await;
    report("refill_ms", vec![ms(start)]);
    let lease = node(store).await;
    let later = UtcMs(i64::MAX / 2);
    let (mut reserves, mut opens, mut notes, mut closes, mut why) =
        (vec![], vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let now = NOW.plus_ms(i64::try_from(round).unwrap_or(0) * 1_000);
        let start = Instant::now();
        let request = ReserveRequest {
            now,
            until: now.plus_ms(60 * MINUTE_MS),
            ..request(&campaign, &lease, 100)
        };
        let held = store.reserve_contacts(&request).await.expect("reserve");
        reserves.push(ms(start));
        assert_eq!(held.len(), 100);
        let (dialed, rest) = held.split_at(10);
        for candidate in rest {
            let mut item = candidate.item.clone();
            item.next_at = later;
            store
                .release_contact(&item, None, &[])
                .await
                .expect("release");
        }
        for candidate in dialed.iter().cloned() {
            let person = Person {
                debtor: candidate.facts.debtor,
                debt: candidate.facts.debts[0].clone(),
                point: candidate.facts.points[0].clone(),
            };
            let draft = person.draft(&lease, Some(campaign.id), now);
            let start = Instant::now();
            let opened = store.open_attempt(&draft, &Allow).await.expect("open");
            opens.push(ms(start));
            assert!(matches!(opened, OpenOutcome::Opened(..)));
            let id = draft.attempt.id;
            let told = [event("attempt.sent", &format!("attempt:{id}"))];
            let change = domain::ports::store::AttemptChange {
                state: Some(domain::entity::AttemptState::Sent),
                ..Default::default()
            };
            let start = Instant::now();
            store.note_attempt(id, &change, &told).await.expect("note");
            notes.push(ms(start));
            let mut closing = ended(CallResult::NoAnswer);
            let mut item = candidate.item;
            item.next_at = later;
            closing.item = Some(item);
            closing.events = vec![event("attempt.ended", &format!("attempt:{id}"))];
            let start = Instant::now();
            store.close_attempt(id, &closing).await.expect("close");
            closes.push(ms(start));
            let start = Instant::now();
            store
                .contact_facts(person.debtor.id, now)
                .await
                .expect("facts");
            store.items_of(person.debtor.id).await.expect("items");
            why.push(ms(start));
        }
    }
    report("reserve_100_ms", reserves);
    report("open_attempt_ms", opens);
    report("note_attempt_ms", notes);
    report("close_attempt_ms", closes);
    report("why_not_ms", why);
    let start = Instant::now();
    store.item_counts(campaign.id, NOW).await.expect("counts");
    report("item_counts_ms", vec![ms(start)]);
    reserve(store, &campaign, &lease, 1).await;
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("a database url");
    let debtors = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let sql = SqlStore::connect(&url).await.expect("connect");
    sql.migrate().await.expect("migrate");
    let store: Arc<dyn Store> = Arc::new(sql.clone());
    let scene = Scene::new(&store).await;
    fill(&store, &scene, debtors).await;
    segments(&store, &scene).await;
    calls(&store, &scene).await;
    segments(&store, &scene).await;
    sql.close().await;
}
