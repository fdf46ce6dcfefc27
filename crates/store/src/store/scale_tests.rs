//! What is done differently for many than for few comes to the same: on a portfolio as the load figures use it.

use super::SqlStore;
use super::count::{all_of, count, ends, in_halves};
use crate::fill::{FillPlan, Filled};
use crate::segment::Filter;
use domain::ports::store::PortfolioStore as _;
use domain::segment::{examples::EXAMPLES, parse};
use domain::time::UtcMs;

/// Enough for every expression of the written set but those that name one debtor.
const DEBTORS: u64 = 600;

async fn filled() -> (tempfile::TempDir, SqlStore, Filled) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("a.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let plan = FillPlan {
        debtors: DEBTORS,
        attempts: DEBTORS * 2,
        now: UtcMs(1_790_000_000_000),
    };
    let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
    (dir, store, filled)
}

#[tokio::test]
async fn two_halves_are_the_whole() {
    let (_dir, store, filled) = filled().await;
    let mut some = 0;
    for text in EXAMPLES {
        let expr = parse(text).unwrap();
        let filter = Filter::of_client(store.dialect(), filled.client, &expr, filled.now);
        let mut read = store.snapshot().await.unwrap();
        let whole = count(&mut read, &all_of(&filter), filled.client)
            .await
            .unwrap();
        let [mut low, high] = store.halves().await.unwrap().unwrap();
        let (first, last) = ends(&mut low).await.unwrap();
        // Anywhere: the halves need not be as large as each other.
        let middle = first + (last - first) / 3;
        let halves = in_halves([low, high], middle, &filter, filled.client)
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
    let (_dir, store, filled) = filled().await;
    for text in EXAMPLES {
        let expr = parse(text).unwrap();
        let (client, now) = (filled.client, filled.now);
        let found = store.estimate(client, &expr, (now, DEBTORS), 5);
        let found = found.await.unwrap();
        let whole = store.segment_count(client, &expr, now).await.unwrap();
        assert_eq!(found.count.debtors, whole.debtors, "{text}");
        assert_eq!((found.asked, found.margin), (DEBTORS, 0), "{text}");
    }
    store.close().await;
}
