//! Connections to PostgreSQL for the steps of calls and for what is read ahead of them. A pool of sqlx asks a connection
//! whether it is there each time it comes back, which is another way to the server beside the next step, and gives out
//! the one that has rested longest: eight processes of the server in turn, each of which finds its own tables and the
//! server's pages cold. Here the last one is the next one, and who was used so lately is taken to be alive.

use super::link::fault;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use domain::ports::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Who was used so lately is not asked whether he is there.
const ALIVE: Duration = Duration::from_secs(1);

/// Opens connections with their settings.
#[derive(Debug)]
pub(crate) struct Opener {
    options: PgConnectOptions,
    settings: &'static str,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Kept {
    conn: PgConnection,
    used: Instant,
    /// A transaction is begun on it that is not over.
    busy: bool,
}

impl Kept {
    /// Its transaction is over.
    fn rests(&mut self) {
        self.used = Instant::now();
        self.busy = false;
    }
}

impl Manager for Opener {
    type Type = Kept;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Kept, sqlx::Error> {
        let mut conn = self.options.connect().await?;
        conn.execute(self.settings).await?;
        let used = Instant::now();
        let busy = false;
        Ok(Kept { conn, used, busy })
    }

    async fn recycle(&self, kept: &mut Kept, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if kept.busy {
            return Err(RecycleError::message("its transaction is not over"));
        }
        if kept.used.elapsed() > ALIVE {
            let there = kept.conn.ping().await;
            there.map_err(RecycleError::Backend)?;
        }
        Ok(())
    }
}

/// A few connections that stay: a new one would have to plan anew what is asked. Each is opened where it is asked for
/// first: what comes on it wakes that thread alone.
#[derive(Debug, Clone)]
pub(crate) struct Lasting(Pool<Opener>);

impl Lasting {
    /// At most `most` of them; who waits longer than `patience` for one is told so.
    pub(crate) fn of(
        options: PgConnectOptions,
        (settings, most): (&'static str, usize),
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let pool = Pool::builder(Opener { options, settings })
            .max_size(most)
            .queue_mode(QueueMode::Lifo)
            .timeouts(Timeouts {
                wait: Some(patience),
                create: Some(patience),
                recycle: Some(patience),
            })
            .runtime(deadpool::Runtime::Tokio1)
            .build();
        pool.map(Self)
            .map_err(|e| StoreError::Unavailable(e.to_string()))
    }

    /// A transaction that `begin` begins.
    pub(crate) async fn begin(&self, begin: &'static str) -> Result<LastingTx, StoreError> {
        let mut kept = self.0.get().await.map_err(|e| match e {
            PoolError::Backend(e) => StoreError::Unavailable(e.to_string()),
            other => StoreError::Unavailable(format!("no connection to the database: {other}")),
        })?;
        kept.busy = true;
        let mut tx = LastingTx(Some(kept));
        tx.script(begin).await?;
        Ok(tx)
    }

    /// Ends those that nobody has.
    pub(crate) async fn close(&self) {
        let all = self.0.retain(|_, _| false).removed;
        self.0.close();
        for kept in all {
            // It ends in any case.
            let _ = kept.conn.close().await;
        }
    }
}

/// A transaction on one of them; undone where it is dropped.
pub(crate) struct LastingTx(Option<Object<Opener>>);

impl LastingTx {
    /// What statements run on.
    pub(crate) fn conn(&mut self) -> Result<&mut PgConnection, StoreError> {
        let kept = self.0.as_mut();
        let kept = kept.ok_or_else(|| StoreError::Unavailable("the transaction is over".into()))?;
        Ok(&mut kept.conn)
    }

    /// Several statements without values.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let done = sqlx::raw_sql(sql).execute(self.conn()?).await;
        done.map(drop).map_err(|e| fault(&e))
    }

    /// Ends it by `how`; the next one has its connection.
    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        self.script(how).await?;
        if let Some(mut kept) = self.0.take() {
            kept.rests();
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }
}

impl Drop for LastingTx {
    fn drop(&mut self) {
        let Some(kept) = self.0.take() else {
            return;
        };
        match Handle::try_current() {
            Ok(here) => drop(here.spawn(undo(kept))),
            // The server undoes it once the connection ends.
            Err(_) => drop(Object::take(kept)),
        }
    }
}

/// Gives its rows free at once. A connection that cannot do it ends.
async fn undo(mut kept: Object<Opener>) {
    let undone = sqlx::raw_sql("ROLLBACK").execute(&mut kept.conn).await;
    match undone {
        Ok(_) => kept.rests(),
        Err(_) => drop(Object::take(kept)),
    }
}
