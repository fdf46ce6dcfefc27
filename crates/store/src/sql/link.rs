//! A connection or transaction of either engine.

use super::direct::DirectTx;
use super::lasting::LastingTx;
use super::look::LookTx;
use super::{Row, Val};
use domain::ports::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

#[cfg(test)]
tokio::task_local! {
    /// Statements of a task that a test listens to, with their values.
    pub(crate) static HEARD: std::cell::RefCell<Vec<(String, Vec<Val>)>>;
}

#[cfg(test)]
fn hear(sql: &str, values: &[Val]) {
    let _ = HEARD.try_with(|heard| {
        heard.borrow_mut().push((sql.to_owned(), values.to_vec()));
    });
}

/// Which engine; statements that differ ask here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Lite,
    Pg,
}

/// What statements run on. A transaction that is dropped without `commit` is rolled back.
pub(crate) enum Link {
    Lite(PoolConnection<Sqlite>),
    /// Several statements that read one state.
    LiteTx(Transaction<'static, Sqlite>),
    /// The writer.
    Direct(DirectTx),
    /// Several statements that read one state, each of them short.
    Look(Box<LookTx>),
    Pg(PoolConnection<Postgres>),
    PgTx(Transaction<'static, Postgres>),
    /// For the steps of calls.
    PgCall(LastingTx),
}

/// Statement text: written here, or put together from pieces written here; values are always bound.
pub(crate) type Sql = Cow<'static, str>;

macro_rules! bind_all {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Val::Int(v) => query.bind(v),
                Val::Text(v) => query.bind(v),
                Val::Uuid(v) => query.bind(v),
                Val::Bool(v) => query.bind(v),
            };
        }
        query
    }};
}

fn lite(sql: Sql, values: Vec<Val>, keep: bool) -> Query<'static, Sqlite, SqliteArguments> {
    bind_all!(sqlx::query(AssertSqlSafe(sql)).persistent(keep), values)
}

fn pg(sql: Sql, values: Vec<Val>, keep: bool) -> Query<'static, Postgres, PgArguments> {
    bind_all!(sqlx::query(AssertSqlSafe(sql)).persistent(keep), values)
}

impl Link {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Lite(_) | Self::LiteTx(_) | Self::Direct(_) | Self::Look(_) => Dialect::Lite,
            Self::Pg(_) | Self::PgTx(_) | Self::PgCall(_) => Dialect::Pg,
        }
    }

    /// `text` for PostgreSQL, nothing for SQLite, whose one writer makes locks needless.
    pub(crate) const fn pg_only(&self, text: &'static str) -> &'static str {
        match self.dialect() {
            Dialect::Lite => "",
            Dialect::Pg => text,
        }
    }

    async fn fetch(
        &mut self,
        sql: Sql,
        values: Vec<Val>,
        keep: bool,
    ) -> Result<Vec<Row>, StoreError> {
        #[cfg(test)]
        hear(&sql, &values);
        let rows = match self {
            Self::Direct(tx) => return Ok(tx.run(&sql, &values, keep).await?.0),
            Self::Look(tx) => return Ok(tx.run(&sql, &values, keep).await?.0),
            Self::Lite(c) => lite(sql, values, keep)
                .fetch_all(&mut **c)
                .await
                .map(lite_rows),
            Self::LiteTx(c) => lite(sql, values, keep)
                .fetch_all(&mut **c)
                .await
                .map(lite_rows),
            Self::Pg(c) => pg(sql, values, keep).fetch_all(&mut **c).await.map(pg_rows),
            Self::PgTx(c) => pg(sql, values, keep).fetch_all(&mut **c).await.map(pg_rows),
            Self::PgCall(tx) => pg(sql, values, keep)
                .fetch_all(tx.conn()?)
                .await
                .map(pg_rows),
        };
        rows.map_err(|e| fault(&e))
    }

    /// What this transaction changes may concern anybody: nothing stands that was read beside the writer.
    pub(crate) fn stirs_everybody(&self) -> Result<(), StoreError> {
        match self {
            Self::Direct(tx) => tx.stirs_everybody(),
            _ => Ok(()),
        }
    }

    /// Rows of a statement that will come again: its plan is kept.
    pub(crate) async fn rows(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Val>,
    ) -> Result<Vec<Row>, StoreError> {
        self.fetch(sql.into(), values, true).await
    }

    /// Rows of a statement made for this one time.
    pub(crate) async fn rows_once(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Val>,
    ) -> Result<Vec<Row>, StoreError> {
        self.fetch(sql.into(), values, false).await
    }

    /// The first row, if any.
    pub(crate) async fn row(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Val>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Runs a statement; the number of rows it touched.
    pub(crate) async fn run(
        &mut self,
        sql: impl Into<Sql>,
        values: Vec<Val>,
    ) -> Result<u64, StoreError> {
        let sql = sql.into();
        #[cfg(test)]
        hear(&sql, &values);
        match self {
            Self::Direct(tx) => return Ok(tx.run(&sql, &values, true).await?.1),
            Self::Look(tx) => return Ok(tx.run(&sql, &values, true).await?.1),
            Self::Lite(c) => lite(sql, values, true)
                .execute(&mut **c)
                .await
                .map(|r| r.rows_affected()),
            Self::LiteTx(c) => lite(sql, values, true)
                .execute(&mut **c)
                .await
                .map(|r| r.rows_affected()),
            Self::Pg(c) => pg(sql, values, true)
                .execute(&mut **c)
                .await
                .map(|r| r.rows_affected()),
            Self::PgTx(c) => pg(sql, values, true)
                .execute(&mut **c)
                .await
                .map(|r| r.rows_affected()),
            Self::PgCall(tx) => pg(sql, values, true)
                .execute(tx.conn()?)
                .await
                .map(|r| r.rows_affected()),
        }
        .map_err(|e| fault(&e))
    }

    /// Runs a statement that writes once for each `width` values; SQLite's writer reads its text once.
    pub(crate) async fn run_each(
        &mut self,
        sql: &str,
        width: usize,
        values: &[Val],
    ) -> Result<(), StoreError> {
        if let Self::Direct(tx) = self {
            #[cfg(test)]
            hear(sql, values);
            return tx.run_each(sql, width, values).await;
        }
        for row in values.chunks(width) {
            self.run(sql.to_owned(), row.to_vec()).await?;
        }
        Ok(())
    }

    /// Several statements without values, as a migration has them.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Direct(tx) => return tx.script(sql),
            Self::Look(tx) => return tx.run(sql, &[], false).await.map(drop),
            Self::Lite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
            Self::LiteTx(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
            Self::Pg(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
            Self::PgTx(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(drop),
            Self::PgCall(tx) => return tx.script(sql).await,
        }
        .map_err(|e| fault(&e))
    }

    /// Lets a transaction wait for rows that others hold as long as it takes. PostgreSQL's others give up after a
    /// while (`PG_SETTINGS`); SQLite's wait for their one writer.
    pub(crate) async fn wait_long(&mut self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Pg => self.script("SET LOCAL lock_timeout=0").await,
            Dialect::Lite => Ok(()),
        }
    }

    /// Makes a transaction durable; on a plain connection nothing is left to do.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Direct(tx) => return tx.commit().await,
            Self::LiteTx(tx) => tx.commit().await,
            Self::PgTx(tx) => tx.commit().await,
            Self::PgCall(tx) => return tx.commit().await,
            Self::Lite(_) | Self::Look(_) | Self::Pg(_) => Ok(()),
        }
        .map_err(|e| fault(&e))
    }

    /// Ends a transaction of `SqlStore::write_again`: it becomes durable with a later one.
    pub(crate) async fn commit_later(self) -> Result<(), StoreError> {
        match self {
            Self::Direct(tx) => tx.commit_later().await,
            other => other.commit().await,
        }
    }

    /// Undoes a transaction.
    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::LiteTx(tx) => tx.rollback().await,
            Self::PgTx(tx) => tx.rollback().await,
            Self::PgCall(tx) => return tx.rollback().await,
            Self::Direct(tx) => {
                drop(tx);
                return Ok(());
            }
            Self::Lite(_) | Self::Look(_) | Self::Pg(_) => Ok(()),
        }
        .map_err(|e| fault(&e))
    }
}

impl From<LookTx> for Link {
    fn from(tx: LookTx) -> Self {
        Self::Look(Box::new(tx))
    }
}

fn lite_rows(rows: Vec<sqlx::sqlite::SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Lite).collect()
}

fn pg_rows(rows: Vec<sqlx::postgres::PgRow>) -> Vec<Row> {
    rows.into_iter().map(Row::Pg).collect()
}

/// What the caller can do about a database fault. Messages of constraints name columns, never values.
pub(crate) fn fault(error: &sqlx::Error) -> StoreError {
    use sqlx::error::ErrorKind;
    match error {
        sqlx::Error::Database(db) => match db.kind() {
            ErrorKind::UniqueViolation => StoreError::Conflict(match db.constraint() {
                Some(name) => format!("{name} is taken"),
                None => db.message().to_owned(),
            }),
            ErrorKind::ForeignKeyViolation => {
                StoreError::Conflict("the row it belongs to is not there".into())
            }
            _ => StoreError::Unavailable(db.message().to_owned()),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::TypeNotFound { .. } => StoreError::Corrupt(error.to_string()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// Places of the longest statement: 64 rows of the widest table.
const PLACES: usize = 64 * 48;

/// `$1,$2,…`, and where each of them begins.
static ROW: LazyLock<(String, Vec<usize>)> = LazyLock::new(|| {
    let (mut text, mut begins) = (String::new(), Vec::with_capacity(PLACES + 1));
    for n in 1..=PLACES {
        begins.push(text.len());
        // A String takes every write.
        let _ = write!(text, "${n},");
    }
    begins.push(text.len());
    (text, begins)
});

/// `$from,$from+1,…`: places for `count` values.
pub(crate) fn holes(from: usize, count: usize) -> Sql {
    let (text, begins) = &*ROW;
    let first = from.checked_sub(1).and_then(|at| begins.get(at));
    let end = from.checked_sub(1).and_then(|at| begins.get(at + count));
    if let (Some(first), Some(end)) = (first, end) {
        return Cow::Borrowed(text[*first..*end].trim_end_matches(','));
    }
    let places: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
    Cow::Owned(places.join(","))
}
