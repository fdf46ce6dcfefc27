//! A simulated month: every cap holds, the books balance, everything that a month has happened, and its figures
//! by SQL are those folded from its event log. In full, with an optimised
//! build: `MARCADOR_MONTH="1 5000 12 30 12"` (seed, debtors, agents, days, minutes a day)
//! `cargo test --release -p store --lib figures_of_a_month -- --nocapture`, on SQLite, and then on PostgreSQL when
//! `MARCADOR_TEST_POSTGRES_URL` names a server. The short month is written into SQLite alone.

use super::SqlStore;
use super::fresh_tests;
use super::sums::ensure_persons;
use domain::ids::PersonId;
use domain::ports::store::{KpiPage, PAGE_LIMIT_MAX, ReportStore as _};
use domain::rules::kpi::{Kpi, KpiAsk, KpiFact, KpiRows, KpiSums};
use sim::world::{Month, MonthRows, live_month_told};
use std::time::Instant;

/// Seed, debtors, agents, days, minutes a day: a whole month of as many debtors as the suite can wait for.
const AFFORDABLE: [u64; 5] = [11, 200, 6, 30, 10];

/// The month, and whether it was asked for from outside.
fn month() -> (Month, bool) {
    let said = std::env::var("MARCADOR_MONTH").ok();
    let numbers = said.as_ref().map_or_else(
        || AFFORDABLE.to_vec(),
        |text| {
            let words = text.split_whitespace();
            words.map(|w| w.parse().expect("a number")).collect()
        },
    );
    let [seed, debtors, agents, days, minutes] = numbers[..] else {
        panic!("expected seed, debtors, agents, days, minutes");
    };
    let month = Month {
        seed,
        debtors: usize::try_from(debtors).expect("debtors"),
        agents: usize::try_from(agents).expect("agents"),
        days: i64::try_from(days).expect("days"),
        minutes,
    };
    (month, said.is_some())
}

async fn fill(store: &SqlStore, rows: &MonthRows) {
    let mut tx = store.write().await.expect("write");
    tx.insert(&rows.clients, "").await.expect("clients");
    tx.insert(&rows.portfolios, "").await.expect("portfolios");
    let persons: Vec<PersonId> = rows.debtors.iter().map(|d| d.person_id).collect();
    ensure_persons(&mut tx, &persons).await.expect("persons");
    tx.insert(&rows.debtors, "").await.expect("debtors");
    tx.insert(&rows.debts, "").await.expect("debts");
    tx.insert(&rows.attempts, "").await.expect("attempts");
    tx.insert(&rows.ledger, "").await.expect("ledger");
    tx.insert(&rows.promises, "").await.expect("promises");
    tx.insert(&rows.payments, "").await.expect("payments");
    tx.insert(&rows.marks, "").await.expect("marks");
    tx.insert(&rows.messages, "").await.expect("messages");
    tx.insert(&rows.spells, "").await.expect("spells");
    tx.commit().await.expect("commit");
}

/// All rows of a kind, page by page.
async fn paged(store: &SqlStore, rows: KpiRows, ask: &KpiAsk) -> Vec<KpiFact> {
    let mut page = KpiPage {
        weighted: false,
        after: None,
        limit: PAGE_LIMIT_MAX,
    };
    let mut facts = Vec::new();
    loop {
        let found = store.kpi_rows(rows, ask, &page).await.expect("rows");
        let Some(last) = found.last() else {
            return facts;
        };
        page.after = Some((last.fact.at, last.fact.id));
        facts.extend(found.into_iter().map(|r| r.fact));
    }
}

/// The figures of an engine, asked for in every way: sums and rows of each question are those of the event log.
/// `told` hears how far it is, and the figures themselves.
async fn compared(store: &SqlStore, rows: &MonthRows, told: Option<&dyn Fn(&str)>) {
    let said = |what: String| told.iter().for_each(|told| told(&what));
    let engine = store.engine();
    for (n, ask) in rows.asks.iter().enumerate() {
        let mut compared = 0;
        for kind in KpiRows::ALL.iter().copied() {
            let want = rows.log.facts(kind, ask);
            let sums = store.kpi_sums(kind, ask).await.expect("sums");
            let of = format!("{engine}, question {n}: {kind}");
            assert_eq!(sums, KpiSums::over(&want), "sums of {of}");
            assert_eq!(paged(store, kind, ask).await, want, "{of}");
            compared += want.len();
        }
        let kinds = KpiRows::ALL.len();
        said(format!(
            "{engine}, question {n}: sums of {kinds} kinds of rows and {compared} rows are those of the log"
        ));
    }
    let whole = rows.asks.first().expect("the whole month");
    for kpi in Kpi::ALL {
        let def = kpi.def();
        let below = store.kpi_sums(def.denominator.rows, whole).await;
        let below = below.expect("sums").get(def.denominator.sum);
        if told.is_some() {
            let above = store.kpi_sums(def.numerator.rows, whole).await;
            let above = above.expect("sums").get(def.numerator.sum);
            said(format!("{engine}, {kpi}: {above} of {below}"));
        }
        // A figure of nothing proves nothing; who was handed over is known from the first day on.
        assert!(below != 0, "{engine}: {kpi} of nothing");
    }
}

#[tokio::test]
async fn figures_of_a_month_by_sql_are_those_of_its_event_log_row_28() {
    let (month, full) = month();
    let begun = Instant::now();
    let said = move |what: &str| {
        if full {
            println!("{:>6} s  {what}", begun.elapsed().as_secs());
        }
    };
    let lived = tokio::task::spawn_blocking(move || {
        live_month_told(&month, |day| said(&format!("{day:?}")))
    });
    let outcome = lived.await.expect("a month");
    let wrong: Vec<&String> = outcome.wrong.iter().take(10).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
    let missing = outcome.missing();
    assert!(missing.is_empty(), "{missing:?}");
    let mut engines = vec![fresh_tests::sqlite().await];
    if full {
        engines.extend(fresh_tests::postgres().await);
    }
    for fresh in &engines {
        let store = &fresh.store;
        fill(store, &outcome.rows).await;
        said(&format!("{}: the month is written", store.engine()));
        compared(store, &outcome.rows, full.then_some(&said as &dyn Fn(&str))).await;
        store.close().await;
    }
}
