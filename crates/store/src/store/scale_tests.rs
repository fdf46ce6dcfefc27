//! What is done differently for many than for few comes to the same: on a portfolio as the load figures use it.

use super::SqlStore;
use super::count::{all_of, count, ends, in_halves};
use super::fresh_tests;
use super::recovery::Shares;
use crate::fill::{FillPlan, Filled};
use crate::segment::Filter;
use crate::sql::{Dialect, HEARD, Val};
use domain::ids::{DebtId, DebtorId};
use domain::ports::store::{
    AddressStore as _, CatalogStore as _, InboxAsk, InterestStore as _, LetterStore as _,
    MessageAsk, MessageStore as _, PageRequest, PlanStore as _, PortfolioStore as _, StageFilter,
    StageStore as _,
};
use domain::segment::{examples::EXAMPLES, parse};
use domain::time::UtcMs;

/// Enough for every expression of the written set but those that name one debtor.
const DEBTORS: u64 = 600;
/// Debtors whose files are read, each with messages, and all of them: with fewer some tables have so few rows that
/// PostgreSQL does not care how it finds one.
const FILES: u64 = 10;
const FILED: u64 = 300;

async fn filled() -> (tempfile::TempDir, SqlStore, Filled) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("a.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let filled = fill(&store, DEBTORS).await;
    (dir, store, filled)
}

async fn fill(store: &SqlStore, debtors: u64) -> Filled {
    let plan = FillPlan {
        debtors,
        attempts: debtors * 2,
        now: UtcMs(1_790_000_000_000),
    };
    store.fill_for_bench(&plan, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn two_halves_are_the_whole() {
    let (_dir, store, filled) = filled().await;
    let mut some = 0;
    for text in EXAMPLES {
        let expr = parse(text).unwrap();
        let today = store.today_of(filled.client, filled.now).await.unwrap();
        let filter = Filter::of_client(store.dialect(), filled.client, &expr, &today);
        let mut read = store.snapshot().await.unwrap();
        let shares = Shares::read(&mut read, filled.client, today.first);
        let shares = shares.await.unwrap();
        let whole = count(&mut read, &all_of(&filter), filled.client, &shares)
            .await
            .unwrap();
        let [mut low, high] = store.halves().await.unwrap().unwrap();
        let (first, last) = ends(&mut low).await.unwrap();
        // Anywhere: the halves need not be as large as each other.
        let middle = first + (last - first) / 3;
        let halves = in_halves([low, high], middle, &filter, (filled.client, &shares))
            .await
            .unwrap();
        assert_eq!(halves, whole, "{text}");
        some += u32::from(whole.debtors > 0);
    }
    assert!(some > 35, "{some} expressions found somebody");
    store.close().await;
}

#[tokio::test]
async fn a_sample_of_everybody_is_everybody() {
    let mut engines = vec![fresh_tests::sqlite().await];
    engines.extend(fresh_tests::postgres().await);
    for fresh in &engines {
        let store = &fresh.store;
        let filled = fill(store, DEBTORS).await;
        for text in EXAMPLES {
            let expr = parse(text).unwrap();
            let (client, now) = (filled.client, filled.now);
            let found = store.estimate(client, &expr, (now, DEBTORS), 5);
            let found = found.await.unwrap();
            let whole = store.segment_count(client, &expr, now).await.unwrap();
            assert_eq!(found.count, whole, "{text}");
            assert_eq!((found.asked, found.margin), (DEBTORS, 0), "{text}");
        }
        store.close().await;
    }
}

/// Asks whatever the file of a debtor shows; how many rows there are of each kind that only some have.
async fn whole_file(store: &SqlStore, debtor: DebtorId, now: UtcMs) -> [usize; 8] {
    let file = store.debtor_file(debtor).await.unwrap();
    let ids: Vec<DebtId> = file.debts.iter().map(|d| d.id).collect();
    let portfolio = file.debtor.portfolio_id;
    store.get_portfolio(portfolio).await.unwrap();
    store.owed(&file.debts, now).await.unwrap();
    store.accruals_of(&ids).await.unwrap();
    let (debtor, limit) = (Some(debtor), 100);
    let messages = MessageAsk {
        debtor,
        limit,
        ..MessageAsk::default()
    };
    let received = InboxAsk {
        debtor,
        limit,
        ..InboxAsk::default()
    };
    let stages = StageFilter {
        debtor_id: debtor,
        ..StageFilter::default()
    };
    let page = PageRequest {
        limit,
        cursor: None,
    };
    let id = file.debtor.id;
    [
        file.items.len(),
        store.messages_page(&messages).await.unwrap().len(),
        store.inbox_page(&received).await.unwrap().len(),
        store.plans_of(id).await.unwrap().len(),
        store.stages_page(&stages, &page).await.unwrap().items.len(),
        store.letters_of(id, limit).await.unwrap().len(),
        store.excuses_of(id, limit).await.unwrap().len(),
        store.addresses_of(id).await.unwrap().len(),
    ]
}

/// How the engine finds the rows of a statement: a line for each table it reads, then what it finds them by.
async fn way(store: &SqlStore, (sql, values): (String, Vec<Val>)) -> Vec<String> {
    let mut read = store.snapshot().await.unwrap();
    let (explain, column) = match store.dialect() {
        Dialect::Lite => ("EXPLAIN QUERY PLAN", "detail"),
        Dialect::Pg => ("EXPLAIN", "QUERY PLAN"),
    };
    if store.dialect() == Dialect::Pg {
        // A hundred rows are read from one end to the other, were there an index or not.
        read.script("SET LOCAL enable_seqscan=off").await.unwrap();
    }
    let rows = read.rows_once(format!("{explain} {sql}"), values).await;
    let rows = rows.unwrap();
    rows.iter().map(|r| r.get(column).unwrap()).collect()
}

/// Whether a table is gone through. PostgreSQL says below each index what it is asked for, or nothing when it is
/// read from end to end.
fn goes_through(lines: &[String]) -> bool {
    let asked = |n: usize| {
        let below = lines[n + 1..].iter().take_while(|l| !l.contains("->"));
        below.into_iter().any(|l| l.contains("Index Cond"))
    };
    lines.iter().enumerate().any(|(n, line)| {
        line.contains("SCAN ")
            || line.contains("Seq Scan")
            || (line.contains("Index") && line.contains("Scan ") && !asked(n))
    })
}

#[tokio::test]
async fn every_read_of_a_debtor_s_file_is_found_by_an_index_row_01() {
    let mut engines = vec![fresh_tests::sqlite().await];
    engines.extend(fresh_tests::postgres().await);
    for fresh in &engines {
        let store = &fresh.store;
        let filled = fill(store, FILED).await;
        let mut some = [0; 8];
        for n in 0..FILES {
            let rows = whole_file(store, filled.debtor(n), filled.now).await;
            some.iter_mut().zip(rows).for_each(|(sum, n)| *sum += n);
        }
        assert!(some.iter().all(|n| *n > 0), "{some:?}");
        let heard = HEARD.scope(std::cell::RefCell::default(), async {
            whole_file(store, filled.debtor(1), filled.now).await;
            HEARD.with(std::cell::RefCell::take)
        });
        let heard = heard.await;
        assert!(heard.len() > 20, "{heard:?}");
        for statement in heard {
            let sql = statement.0.clone();
            let lines = way(store, statement).await;
            assert!(!goes_through(&lines), "{sql}\n{}", lines.join("\n"));
        }
        store.close().await;
    }
}

#[tokio::test]
async fn an_estimate_is_told_by_either_engine() {
    let mut engines = vec![fresh_tests::sqlite().await];
    engines.extend(fresh_tests::postgres().await);
    for fresh in &engines {
        let store = &fresh.store;
        let filled = fill(store, FILED).await;
        let mut most = 0;
        for text in EXAMPLES {
            let expr = parse(text).unwrap();
            let of = (filled.now, FILED);
            let told = store.estimate(filled.client, &expr, of, 5).await;
            let told = told.unwrap_or_else(|e| panic!("{text}: {e}"));
            assert!(told.count.debtors <= FILED, "{text}: {told:?}");
            assert!(told.sample.len() <= 5, "{text}");
            most = most.max(told.asked);
        }
        assert!(most > 0, "nobody was asked");
        store.close().await;
    }
}
