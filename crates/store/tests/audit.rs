//! Whoever changes the audit behind the product's back is found out: a byte, a row, the tail, one row more.

mod common;

use domain::event::{AuditHead, AuditLink, AuditWalk};
use domain::ports::store::{CatalogStore as _, LawStore as _};
use sim::contract::scene::event;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use store::SqlStore;

/// Statements past the product, by somebody who may take its guards away.
async fn by_hand(url: &str, sql: &str) {
    let lite = url.starts_with("sqlite");
    let mut all: Vec<String> = Vec::new();
    for table in ["events", "audit_chain"] {
        for what in ["update", "delete"] {
            let on = if lite { "" } else { " ON " };
            let named = if lite { "" } else { table };
            all.push(format!(
                "DROP TRIGGER IF EXISTS {table}_no_{what}{on}{named}"
            ));
        }
    }
    all.extend(sql.split(';').map(str::to_owned));
    for one in all {
        let one = AssertSqlSafe(one);
        if lite {
            let mut db = SqliteConnection::connect(url).await.expect("connect");
            let done = sqlx::query(one).execute(&mut db).await;
            done.expect("changed");
        } else {
            let mut db = PgConnection::connect(url).await.expect("connect");
            let done = sqlx::query(one).execute(&mut db).await;
            done.expect("changed");
        }
    }
}

/// Five rows of the installation, and one change by hand.
async fn changed(url: &str, store: &SqlStore, sql: &str) -> (Vec<AuditLink>, AuditHead, u64) {
    let rows: Vec<_> = (0..5)
        .map(|n| event("audit.written", &format!("thing:{n}")))
        .collect();
    store.append_events(&rows).await.expect("appended");
    by_hand(url, sql).await;
    let links = store.audit_links("", 0, 100).await.expect("links");
    let head = store.audit_heads().await.expect("heads").remove(0);
    (links, head, store.audit_loose().await.expect("loose").1)
}

/// What `verify audit` would find.
fn faults(links: &[AuditLink], head: &AuditHead, loose: u64) -> bool {
    let mut walk = AuditWalk::default();
    let wrong = links.iter().any(|link| walk.follow(link).is_some());
    wrong || walk.ended(head).is_some() || loose > 0
}

const CHANGES: [(&str, bool); 6] = [
    ("UPDATE events SET schema=schema", false),
    (
        "UPDATE events SET actor='systen' WHERE subject='thing:2'",
        true,
    ),
    ("DELETE FROM events WHERE subject='thing:2'", true),
    (
        "DELETE FROM audit_chain WHERE seq=3;DELETE FROM events WHERE subject='thing:2'",
        true,
    ),
    (
        "DELETE FROM audit_chain WHERE seq>3;DELETE FROM events WHERE subject IN ('thing:3','thing:4')",
        true,
    ),
    ("DELETE FROM audit_chain WHERE seq=5", true),
];

#[tokio::test]
async fn every_change_is_found_on_sqlite() {
    for (sql, found) in CHANGES {
        let (store, url, _folder) = common::sqlite().await;
        let (links, head, loose) = changed(&url, &store, sql).await;
        assert_eq!(faults(&links, &head, loose), found, "{sql}: {links:?}");
    }
}

#[tokio::test]
async fn every_change_is_found_on_postgres() {
    for (sql, found) in CHANGES {
        let Some((store, url, _)) = common::postgres().await else {
            return;
        };
        let (links, head, loose) = changed(&url, &store, sql).await;
        assert_eq!(faults(&links, &head, loose), found, "{sql}: {links:?}");
    }
}
