//! A simulated month: every cap holds, the books balance, everything that a month has happened, and its figures
//! by SQL are those folded from its event log. In full, with an optimised
//! build: `MARCADOR_MONTH="1 5000 12 30 60"` (seed, debtors, agents, days, minutes a day)
//! `cargo test --release -p store --lib figures_of_a_month -- --nocapture`.

use super::SqlStore;
use super::sums::ensure_persons;
use domain::ids::PersonId;
use domain::ports::store::{KpiPage, PAGE_LIMIT_MAX, ReportStore as _};
use domain::rules::kpi::{Kpi, KpiAsk, KpiFact, KpiRows, KpiSums};
use sim::world::{Month, MonthRows, live_month_told};

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

async fn filled(rows: &MonthRows) -> (SqlStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite://{}", folder.path().join("month.db").display());
    let store = SqlStore::connect(&url).await.expect("connect");
    store.migrate().await.expect("migrate");
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
    (store, folder)
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

#[tokio::test]
async fn figures_of_a_month_by_sql_are_those_of_its_event_log_row_28() {
    let (month, full) = month();
    let lived = tokio::task::spawn_blocking(move || {
        live_month_told(&month, |day| {
            if full {
                println!("{day:?}");
            }
        })
    });
    let outcome = lived.await.expect("a month");
    let wrong: Vec<&String> = outcome.wrong.iter().take(10).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(outcome.breaches.is_empty(), "{:#?}", outcome.breaches);
    let missing = outcome.missing();
    assert!(missing.is_empty(), "{missing:?}");
    let (store, _folder) = filled(&outcome.rows).await;
    for (n, ask) in outcome.rows.asks.iter().enumerate() {
        for rows in KpiRows::ALL.iter().copied() {
            let want = outcome.rows.log.facts(rows, ask);
            let sums = store.kpi_sums(rows, ask).await.expect("sums");
            assert_eq!(sums, KpiSums::over(&want), "question {n}: sums of {rows}");
            assert_eq!(paged(&store, rows, ask).await, want, "question {n}: {rows}");
        }
    }
    let whole = outcome.rows.asks.first().expect("the whole month");
    for kpi in Kpi::ALL {
        let def = kpi.def();
        let below = store.kpi_sums(def.denominator.rows, whole).await;
        let below = below.expect("sums").get(def.denominator.sum);
        if full {
            let above = store.kpi_sums(def.numerator.rows, whole).await;
            let above = above.expect("sums").get(def.numerator.sum);
            println!("{kpi}: {above} of {below}");
        }
        // A figure of nothing proves nothing; who was handed over is known from the first day on.
        assert!(below != 0, "{kpi} of nothing");
    }
}
