//! A change of the audit behind the product's back is found by the center itself.

use super::{Arc, AtomicI64, Dial, Duration, Instant, LIMIT, NOW, Subject, common, event, open};
use domain::ports::store::CatalogStore as _;
use sqlx::{Connection as _, SqliteConnection};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_audit_is_an_alarm() {
    let (store, url, _folder) = common::sqlite().await;
    let rows: Vec<_> = (0..5)
        .map(|n| event("audit.written", &format!("thing:{n}")))
        .collect();
    store.append_events(&rows).await.expect("appended");
    let mut db = SqliteConnection::connect(&url).await.expect("connect");
    for sql in [
        "DROP TRIGGER IF EXISTS events_no_update",
        "UPDATE events SET actor='nobody' WHERE subject='thing:2'",
    ] {
        let done = sqlx::query(sql).execute(&mut db).await;
        done.expect("changed by hand");
    }
    let store: Subject = Arc::new(store);
    let clock = Arc::new(Dial(AtomicI64::new(NOW.0)));
    let center = open(&store, &clock, "a").await;
    let from = Instant::now();
    let alarm = loop {
        let board = center.board().await;
        let found = board.data.alarms.iter().find(|a| a.kind == "audit_broken");
        if let Some(found) = found {
            break found.clone();
        }
        assert!(
            from.elapsed() < LIMIT,
            "the audit was changed and nobody says so"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(alarm.en.contains("row 3"), "{}", alarm.en);
    center.shutdown().await;
}
