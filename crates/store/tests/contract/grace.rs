//! Money that is being posted while grace ends: the sweep waits for it, and counts it.

use super::{Arc, common};
use domain::entity::PromiseState;
use domain::ports::store::{CatalogStore as _, MoneyStore as _, PromiseTerms};
use sim::contract::scene::*;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use store::SqlStore;

const TERMS: PromiseTerms = PromiseTerms {
    min_minor: 1,
    max_minor: 1_000_000,
};

/// Waits until so many statements of this database wait for somebody's lock.
async fn waiting(db: &mut PgConnection, want: i64) {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE datname=current_database() AND wait_event_type='Lock'";
    for _ in 0..1_000 {
        let found: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut *db)
            .await
            .expect("asked");
        if found >= want {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{want} statements should wait by now");
}

async fn a_part_paid_at_the_end_of_grace_counts(store: Arc<SqlStore>, url: &str) {
    let subject: Subject = store.clone();
    let person = Scene::new(&subject).await.person(&subject).await;
    let promise = person.promise(40_000);
    let made = store.record_promise(&promise, TERMS, &[]).await;
    made.expect("promise").expect("taken");
    let mut holder = PgConnection::connect(url).await.expect("connect");
    let mut hold = holder.begin().await.expect("begin");
    // The payment has judged its promise by then, and sets the debtor's sums before it is durable.
    sqlx::query("SELECT 1 FROM debtors WHERE id=$1 FOR NO KEY UPDATE")
        .bind(person.debtor.id.0)
        .execute(&mut *hold)
        .await
        .expect("held");
    let mut watch = PgConnection::connect(url).await.expect("connect");
    let (paying, part) = (store.clone(), person.payment(20_000));
    let pays = tokio::spawn(async move { paying.post_payment(&part, &[], &of_promise).await });
    waiting(&mut watch, 1).await;
    let (sweeping, end) = (store.clone(), promise.grace_until);
    let sweeps = tokio::spawn(async move { sweeping.sweep_promises(end, 10, &of_promise).await });
    waiting(&mut watch, 2).await;
    hold.commit().await.expect("let go");
    pays.await.expect("ran").expect("posted");
    sweeps.await.expect("ran").expect("swept");
    let row = store.get_promise(promise.id).await.expect("promise");
    assert_eq!(row.state, PromiseState::KeptPartial, "half of it was paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    if let Some((store, url, _)) = common::postgres().await {
        a_part_paid_at_the_end_of_grace_counts(Arc::new(store), &url).await;
    }
}
