//! Fresh databases for tests: SQLite files in a temporary folder, PostgreSQL databases of their own
//! when `MARCADOR_TEST_POSTGRES_URL` names a server.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::SqlStore;

/// A store with its schema, its URL, and the folder that lives as long as it.
pub(crate) type Fresh = (SqlStore, String, Option<tempfile::TempDir>);

pub(crate) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite://{}", folder.path().join("marcador.db").display());
    let store = open(&url).await;
    (store, url, Some(folder))
}

/// `None` when no server is named: the test then says so and does nothing.
pub(crate) async fn postgres() -> Option<Fresh> {
    let Ok(server) = std::env::var("MARCADOR_TEST_POSTGRES_URL") else {
        eprintln!("skipped: MARCADOR_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("marcador_{}", uuid::Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(&server).await.expect("server");
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(sql)
        .execute(&mut admin)
        .await
        .expect("database");
    let (base, _) = server.rsplit_once('/').expect("a database in the URL");
    let url = format!("{base}/{name}");
    let store = open(&url).await;
    Some((store, url, None))
}

async fn open(url: &str) -> SqlStore {
    let store = SqlStore::connect(url).await.expect("connect");
    store.migrate().await.expect("migrate");
    store
}
