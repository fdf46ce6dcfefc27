//! Both engines have the same tables with the same columns, and a database is brought up to date once.

mod common;

use domain::entity::Bucket;
use domain::ports::StoreError;
use domain::rules::ageing::AgeingSet;
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};
use std::collections::BTreeMap;
use store::{SCHEMA_VERSION, SqlStore};

const FOLDERS: [&str; 2] = ["sqlite", "postgres"];

fn names(engine: &str) -> Vec<String> {
    let folder = format!("{}/../../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|f| f.expect("file").file_name().into_string().expect("name"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn both_engines_have_the_same_files() {
    let [lite, pg] = FOLDERS.map(names);
    assert_eq!(lite, pg);
    assert_eq!(lite.len(), SCHEMA_VERSION, "every file is compiled in");
    for (n, name) in lite.iter().enumerate() {
        assert!(
            name.starts_with(&format!("{:04}_", n + 1)),
            "{name}: numbered without gaps"
        );
    }
}

type Tables = BTreeMap<String, Vec<(String, String, bool)>>;

/// Table → columns in order: name, kind, whether it may be null.
async fn lite_tables(url: &str) -> Tables {
    let mut db = SqliteConnection::connect(url).await.expect("connect");
    let sql = "SELECT m.name AS t, c.name AS c, c.type AS k, c.\"notnull\" AS n FROM sqlite_master m \
        JOIN pragma_table_info(m.name) c WHERE m.type='table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid";
    let mut tables = Tables::new();
    for row in sqlx::query(sql).fetch_all(&mut db).await.expect("tables") {
        let kind: String = row.get("k");
        let kind = match kind.as_str() {
            "BLOB" => "uuid",
            "BIGINT" | "INTEGER" => "bigint",
            "TEXT" => "text",
            "BOOLEAN" => "boolean",
            other => panic!("unexpected type {other}"),
        };
        let column = (row.get("c"), kind.to_owned(), row.get::<i64, _>("n") == 0);
        tables.entry(row.get("t")).or_default().push(column);
    }
    tables
}

async fn pg_tables(url: &str) -> Tables {
    let mut db = PgConnection::connect(url).await.expect("connect");
    let sql = "SELECT table_name::text AS t, column_name::text AS c, data_type::text AS k, \
        is_nullable::text AS n FROM information_schema.columns WHERE table_schema='public' \
        ORDER BY table_name, ordinal_position";
    let mut tables = Tables::new();
    for row in sqlx::query(sql).fetch_all(&mut db).await.expect("tables") {
        let column = (
            row.get("c"),
            row.get("k"),
            row.get::<String, _>("n") == "YES",
        );
        tables.entry(row.get("t")).or_default().push(column);
    }
    tables
}

async fn lite_indices(url: &str) -> Vec<String> {
    let mut db = SqliteConnection::connect(url).await.expect("connect");
    let sql = "SELECT name FROM sqlite_master WHERE type='index' AND sql IS NOT NULL ORDER BY name";
    let rows = sqlx::query(sql).fetch_all(&mut db).await.expect("indices");
    rows.iter().map(|r| r.get("name")).collect()
}

async fn pg_indices(url: &str) -> Vec<String> {
    let mut db = PgConnection::connect(url).await.expect("connect");
    let sql = "SELECT i.indexname::text AS name FROM pg_indexes i WHERE i.schemaname='public' \
        AND i.indexname NOT LIKE '%_pkey' AND i.indexname NOT LIKE '%_key' ORDER BY 1";
    let rows = sqlx::query(sql).fetch_all(&mut db).await.expect("indices");
    let mut names: Vec<String> = rows.iter().map(|r| r.get("name")).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let (_lite, lite_url, _folder) = common::sqlite().await;
    let Some((_pg, pg_url, _)) = common::postgres().await else {
        return;
    };
    let mut tables = lite_tables(&lite_url).await;
    // SQLite's row id is never null, whatever the column says.
    for name in ["events", "outbox"] {
        for column in tables.get_mut(name).expect(name) {
            column.2 &= column.0 != "cursor";
        }
    }
    assert_eq!(tables, pg_tables(&pg_url).await);
    assert_eq!(lite_indices(&lite_url).await, pg_indices(&pg_url).await);
}

async fn is_brought_up_once((store, url, _folder): common::Fresh) {
    store.migrate().await.expect("nothing left to do");
    let second = SqlStore::connect(&url).await.expect("connect");
    let (a, b) = tokio::join!(second.migrate(), store.migrate());
    a.expect("second node");
    b.expect("first node");
}

#[tokio::test]
async fn a_database_is_brought_up_once() {
    is_brought_up_once(common::sqlite().await).await;
    if let Some(pg) = common::postgres().await {
        is_brought_up_once(pg).await;
    }
}

#[tokio::test]
async fn a_newer_or_changed_database_is_refused() {
    let (store, url, _folder) = common::sqlite().await;
    let mut db = SqliteConnection::connect(&url).await.expect("connect");
    for sql in [
        "INSERT INTO schema_migrations (version, name, sha256) VALUES (9999, 'later', '')",
        "UPDATE schema_migrations SET sha256='0' WHERE version=1",
    ] {
        sqlx::query(sql).execute(&mut db).await.expect("change");
        let refused = store.migrate().await;
        assert!(
            matches!(refused, Err(StoreError::Conflict(_))),
            "{refused:?}"
        );
        sqlx::query("DELETE FROM schema_migrations WHERE version=9999")
            .execute(&mut db)
            .await
            .expect("change");
    }
}

/// A foreign key that was taken away by the text of its table: what is stored stays whole, and whoever may lease or
/// call a person goes on to need his row.
#[tokio::test]
async fn debtors_do_not_need_the_rows_of_persons() {
    let (_store, url, _folder) = common::sqlite().await;
    let mut db = SqliteConnection::connect(&url).await.expect("connect");
    let named = [
        ("debtors", vec!["clients", "portfolios"]),
        ("campaign_items", vec!["campaigns", "debtors", "persons"]),
        ("attempts", vec!["clients", "debtors", "persons"]),
    ];
    for (table, keys) in named {
        let sql = "SELECT \"table\" AS t FROM pragma_foreign_key_list($1) ORDER BY 1";
        let rows = sqlx::query(sql).bind(table).fetch_all(&mut db).await;
        let found: Vec<String> = rows.expect(table).iter().map(|r| r.get("t")).collect();
        assert_eq!(found, keys, "{table}");
    }
    let row = sqlx::query("PRAGMA integrity_check").fetch_one(&mut db);
    let told: String = row.await.expect("check").get(0);
    assert_eq!(told, "ok");
    let person = "INSERT INTO campaign_items (campaign_id, debtor_id, person_id, next_at) \
        VALUES (x'01', x'02', x'03', 0)";
    for sql in ["PRAGMA foreign_keys=OFF", person] {
        sqlx::query(sql).execute(&mut db).await.expect(sql);
    }
    let sql = "UPDATE campaign_items SET person_id=x'04' WHERE debtor_id=x'02'";
    sqlx::query(sql).execute(&mut db).await.expect("another");
    let rows = sqlx::query("SELECT hex(id) AS id FROM persons ORDER BY id").fetch_all(&mut db);
    let made: Vec<String> = rows
        .await
        .expect("rows")
        .iter()
        .map(|r| r.get("id"))
        .collect();
    assert_eq!(made, ["03", "04"]);
}

/// Buckets that were kept by their place in the one set are kept by their days, and are the same ones.
#[tokio::test]
async fn marks_of_the_one_set_keep_their_buckets() {
    let (_store, url, _folder) = common::sqlite().await;
    let mut db = SqliteConnection::connect(&url).await.expect("connect");
    sqlx::query("PRAGMA foreign_keys=OFF")
        .execute(&mut db)
        .await
        .expect("off");
    for code in -2..8 {
        let mark = "INSERT INTO debt_marks (debt_id, day, until_day, first_mark, debtor_id, client_id, portfolio_id, \
            at, bucket, currency, balance_minor, overdue_minor) \
            VALUES (x'01', $1, 1000000, TRUE, x'02', x'03', x'04', 0, $1, 'MXN', 0, 0)";
        let sum = "INSERT INTO recovery_sums (portfolio_id, client_id, currency, bucket, day, debts, balance_minor, \
            recovered_minor) VALUES (x'04', x'03', 'MXN', $1, $1, 0, 0, 0)";
        for sql in [mark, sum] {
            sqlx::query(sql)
                .bind(code)
                .execute(&mut db)
                .await
                .expect(sql);
        }
    }
    let name = names("sqlite")
        .into_iter()
        .find(|n| n.ends_with("_ageing_days.sql"));
    let folder = format!("{}/../../migrations/sqlite", env!("CARGO_MANIFEST_DIR"));
    let text =
        std::fs::read_to_string(format!("{folder}/{}", name.expect("the file"))).expect("text");
    // A second time it finds nothing.
    for _ in 0..2 {
        let sql = sqlx::AssertSqlSafe(text.clone());
        sqlx::raw_sql(sql).execute(&mut db).await.expect("migrated");
    }
    for table in ["debt_marks", "recovery_sums"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT bucket AS b FROM {table} ORDER BY day"));
        let rows = sqlx::query(sql).fetch_all(&mut db).await.expect("rows");
        let found: Vec<String> = rows
            .iter()
            .map(|r| Bucket::of_code(r.get("b")).expect("a bucket").to_string())
            .collect();
        let mut want = vec!["gone".to_owned(), "paid".to_owned()];
        want.extend(AgeingSet::default().names());
        assert_eq!(found, want, "{table}");
    }
}

#[tokio::test]
async fn other_urls_are_refused() {
    for url in ["", "mysql://root@localhost/x", "marcador.db", "postgres://"] {
        let refused = SqlStore::connect(url).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{url}");
    }
}

#[tokio::test]
async fn facts_cannot_be_rewritten() {
    let (store, url, _folder) = common::sqlite().await;
    let told = [sim::contract::scene::event("suite.told", "x")];
    domain::ports::store::CatalogStore::append_events(&store, &told)
        .await
        .expect("append");
    let mut db = SqliteConnection::connect(&url).await.expect("connect");
    for sql in ["UPDATE events SET kind='y'", "DELETE FROM events"] {
        let refused = sqlx::query(sql).execute(&mut db).await;
        let text = refused.expect_err("append-only").to_string();
        assert!(text.contains("append-only"), "{text}");
    }
}
