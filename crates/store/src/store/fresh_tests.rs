//! Fresh databases for tests in here: a SQLite file in a temporary folder, and a database of its own on the server
//! that `MARCADOR_TEST_POSTGRES_URL` names.

use super::SqlStore;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A store with its schema; the folder lives as long as it.
pub(super) struct Fresh {
    pub(super) store: SqlStore,
    _folder: Option<tempfile::TempDir>,
}

async fn open(url: &str) -> SqlStore {
    let store = SqlStore::connect(url).await.expect("connect");
    store.migrate().await.expect("migrate");
    store
}

pub(super) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite://{}", folder.path().join("fresh.db").display());
    Fresh {
        store: open(&url).await,
        _folder: Some(folder),
    }
}

/// `None` where no server is named.
pub(super) async fn postgres() -> Option<Fresh> {
    let Ok(server) = std::env::var("MARCADOR_TEST_POSTGRES_URL") else {
        eprintln!("without PostgreSQL: MARCADOR_TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("marcador_{}", uuid::Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(&server).await.expect("server");
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    let made = sqlx::query(sql).execute(&mut admin).await;
    made.expect("database");
    let (base, _) = server.rsplit_once('/').expect("a database in the URL");
    Some(Fresh {
        store: open(&format!("{base}/{name}")).await,
        _folder: None,
    })
}
