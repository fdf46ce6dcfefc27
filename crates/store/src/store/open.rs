//! Opening a database, its pools and its schema.

use super::ahead::Ahead;
use super::import::behind::Behind;
use crate::sql::{
    Changes, Dialect, Direct, Lasting, Link, LiteSync, Looks, Pace, Reach, WriteTimes,
    know_their_reach, migrate,
};
use domain::ids::{ClientId, ImportId};
use domain::ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection as _, Executor as _};
use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longest wait for another process that holds SQLite's write lock.
const BUSY: Duration = Duration::from_secs(5);
/// Readers beside SQLite's one writer.
const LITE_READERS: u32 = 4;
/// Pages that each of them keeps, KiB (negative, as SQLite wants it). What it reads besides the kernel keeps; mapped
/// from the file it would count as memory of the process, once for each connection.
const READ_CACHE: &str = "-8192";
/// Connections for what a call waits for, and the pages that each keeps, KiB. SQLite forgets them whenever
/// something was written.
const LITE_LOOKS: usize = 4;
const LOOK_CACHE: u32 = 16_384;
/// Connections that go through a large table side by side. They come by each page once.
const LITE_SCANS: usize = 2;
const SCAN_CACHE: u32 = 8_192;
/// Connections to PostgreSQL for all but what a call waits for.
const PG_CONNECTIONS: u32 = 12;
/// Those by which a reservation's facts are read, ahead of it or beside it: few and for nothing else, so that the plans and
/// the pages of these statements are at hand.
const PG_AHEAD_CONNECTIONS: usize = 6;
/// Those for reservations and the steps of calls, which so never wait behind a page or a segment. Few, so that each has
/// soon made the plans of their statements: one that runs a statement for the first time takes several times as long.
pub(super) const PG_CALL_CONNECTIONS: usize = 8;
/// A connection that was used so lately is taken to be alive: to ask costs another way to the server.
const PG_ALIVE: Duration = Duration::from_secs(1);
/// A preview of a segment is one statement of 300 expressions, each run a few thousand times: to compile them took
/// PostgreSQL 15 thirty times as long as to run them. Who waits for a row that a long file holds gives his connection
/// back after ten seconds: a dozen of them would else keep everybody from the database until the file is in.
const PG_SETTINGS: &str = "SET jit=off; SET lock_timeout='10s'";
/// What calls ask is found by keys, whatever the values are: planned once for a connection, and not for five calls anew.
/// Such a plan takes a limit for a tenth of the rows, for which PostgreSQL would start other processes: 12 ms for nothing.
const PG_CALL_SETTINGS: &str = "SET jit=off; SET plan_cache_mode=force_generic_plan; \
    SET max_parallel_workers_per_gather=0";
/// The same for who reads ahead. Pages that one statement finds are asked of the disk together, where PostgreSQL can: it
/// is 0 where it cannot.
const PG_AHEAD_SETTINGS: &str = "SET jit=off; SET plan_cache_mode=force_generic_plan; \
    SET max_parallel_workers_per_gather=0; \
    SELECT set_config(name, '64', FALSE) FROM pg_settings WHERE name='effective_io_concurrency' AND setting<>'0'";
/// Several statements see the same state.
const PG_LOOK: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// For the sets that a condition makes of all debtors of a client. One that PostgreSQL thinks larger it keeps as a list,
/// and goes through it for each debtor anew: with 4 MB, its own default, a count of those who were called in a month
/// was not done after four minutes (a million debtors, ten million attempts). 256 MB, for hashes may have twice as
/// much, hold five million ids.
const PG_SETS: &str = "SET LOCAL work_mem='128MB'";
/// Statements whose plans a connection keeps; the room has fewer.
const STATEMENTS: usize = 512;

#[derive(Debug, Clone)]
enum Pools {
    Lite {
        writer: Arc<Direct>,
        readers: SqlitePool,
        looks: Arc<Looks>,
        scans: Arc<Looks>,
    },
    Pg {
        calls: Lasting,
        ahead: Lasting,
        others: PgPool,
    },
}

/// The store over SQLite or PostgreSQL. Cheap to clone: clones share the pools.
#[derive(Debug, Clone)]
pub struct SqlStore {
    pools: Pools,
    /// Numbers of debtors of large clients, as they were counted.
    pub(super) sizes: Sizes,
    /// The last line of each file on its way in that this process has written and that may not be durable yet.
    pub(super) lines: Lines,
    /// Held while somebody takes the connections of [`Self::halves`].
    counting: Arc<tokio::sync::Mutex<()>>,
    /// What was read of debtors who are soon to be reserved.
    pub(super) ahead: Arc<Ahead>,
    /// Up to which row debtors without a mark were gone through, past those of files that are half in.
    pub(super) marks_at: Arc<AtomicI64>,
    /// Whose idempotency keys are taken here: node and fence as last registered, empty before that.
    pub(super) claimant: Arc<Mutex<String>>,
    /// Where it was opened: what is read ahead is read there and not on the thread that carries calls, for SQLite's
    /// statements run where they are asked for, and rows of either engine are put together there.
    pub(super) readers: Handle,
}

type Lines = Arc<Mutex<HashMap<ImportId, Behind>>>;
type Sizes = Arc<Mutex<HashMap<ClientId, (Instant, u64)>>>;

fn unavailable(error: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// SQLite's readers: WAL, so that they and the writer do not wait for each other.
fn lite_options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    Ok(SqliteConnectOptions::from_str(url)
        .map_err(|e| unavailable(&e))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", READ_CACHE)
        .pragma("temp_store", "memory")
        .pragma("mmap_size", "0"))
}

async fn lite_pools(url: &str, sync: LiteSync) -> Result<Pools, StoreError> {
    // Before the first connection.
    know_their_reach();
    let options = lite_options(url)?;
    // First, for it makes the file.
    let writer = Arc::new(Direct::open(options.get_filename(), sync)?);
    let file = options.get_filename();
    let looks = Looks::of(file, LITE_LOOKS, LOOK_CACHE, Reach::Rows);
    let scans = Looks::of(file, LITE_SCANS, SCAN_CACHE, Reach::Tables);
    let readers = SqlitePoolOptions::new()
        .max_connections(LITE_READERS)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(Pools::Lite {
        writer,
        readers,
        looks,
        scans,
    })
}

async fn pg_pools(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| {
            StoreError::Unavailable("database url: expected postgres://user@host/name".into())
        })?
        .statement_cache_capacity(STATEMENTS)
        .application_name("marcador");
    let others = PgPoolOptions::new()
        .max_connections(PG_CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|conn, known| {
            Box::pin(async move {
                if known.idle_for > PG_ALIVE && conn.ping().await.is_err() {
                    return Ok(false);
                }
                Ok(true)
            })
        })
        .after_connect(|conn, _| Box::pin(async move { conn.execute(PG_SETTINGS).await.map(drop) }))
        .connect_with(options.clone())
        .await
        .map_err(|e| unavailable(&e))?;
    let ahead = (PG_AHEAD_SETTINGS, PG_AHEAD_CONNECTIONS);
    let calls = (PG_CALL_SETTINGS, PG_CALL_CONNECTIONS);
    Ok(Pools::Pg {
        calls: Lasting::of(options.clone(), calls, ACQUIRE)?,
        ahead: Lasting::of(options, ahead, ACQUIRE)?,
        others,
    })
}

impl SqlStore {
    /// Opens a database: `sqlite://FILE` (made when it is not there) or `postgres://user@host/name`.
    /// The tables are made by [`Self::migrate`].
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached within 5 s or the URL is of another kind.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_synced(url, LiteSync::default()).await
    }

    /// As [`Self::connect`], with SQLite's commits brought to the disk when `sync` says.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_synced(url: &str, sync: LiteSync) -> Result<Self, StoreError> {
        let pools = if url.starts_with("sqlite:") {
            lite_pools(url, sync).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            pg_pools(url).await?
        } else {
            return Err(StoreError::Unavailable(
                "database url: expected sqlite://FILE or postgres://user@host/name".into(),
            ));
        };
        Ok(Self {
            pools,
            sizes: Sizes::default(),
            lines: Lines::default(),
            counting: Arc::default(),
            ahead: Arc::default(),
            marks_at: Arc::default(),
            claimant: Arc::default(),
            readers: Handle::current(),
        })
    }

    /// Brings the schema to what this programme knows ([`crate::SCHEMA_VERSION`]); nothing happens
    /// when it is there already. Several nodes may call it at once.
    ///
    /// # Errors
    /// `Conflict` when the database is newer or was made by other migrations, `Unavailable`.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        migrate(&mut tx).await?;
        tx.commit().await
    }

    /// Where the time of the transaction that was written last went; on PostgreSQL nobody waits for one writer.
    #[must_use]
    pub fn last_write(&self) -> Option<WriteTimes> {
        match &self.pools {
            Pools::Lite { writer, .. } => Some(writer.times.last()),
            Pools::Pg { .. } => None,
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self.dialect() {
            Dialect::Lite => "sqlite",
            Dialect::Pg => "postgres",
        }
    }

    /// Closes every connection; SQLite then folds its log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Lite {
                writer,
                readers,
                looks,
                scans,
            } => {
                looks.close();
                scans.close();
                readers.close().await;
                writer.close().await;
            }
            Pools::Pg {
                calls,
                ahead,
                others,
            } => {
                calls.close().await;
                ahead.close().await;
                others.close().await;
            }
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match &self.pools {
            Pools::Lite { .. } => Dialect::Lite,
            Pools::Pg { .. } => Dialect::Pg,
        }
    }

    /// A transaction that may write.
    pub(crate) async fn write(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { writer, .. } => writer.begin().await.map(Link::Direct),
            Pools::Pg { others: pool, .. } => pool
                .begin()
                .await
                .map(Link::PgTx)
                .map_err(|e| unavailable(&e)),
        }
    }

    /// A transaction of who writes much and can do it again, ended by `Link::commit_later`: should the process
    /// or the server die, the last of them are lost, always from the end.
    pub(crate) async fn write_again(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { writer, .. } => writer.begin_again().await.map(Link::Direct),
            Pools::Pg { .. } => {
                let mut tx = self.write().await?;
                tx.script("SET LOCAL synchronous_commit=off").await?;
                Ok(tx)
            }
        }
    }

    /// As [`Self::write`], for what a call waits for.
    pub(crate) async fn write_call(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { .. } => self.write().await,
            Pools::Pg { calls, .. } => calls.begin("BEGIN").await.map(Link::PgCall),
        }
    }

    /// The same for leases. On PostgreSQL their end does not wait for the disk: should the server die this moment they are
    /// lost, and nobody is called by them, for an attempt asks for its lease. One that is kept keeps all before it.
    pub(crate) async fn write_leases(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { .. } => self.write().await,
            Pools::Pg { calls, .. } => calls
                .begin("BEGIN; SET LOCAL synchronous_commit=off")
                .await
                .map(Link::PgCall),
        }
    }

    /// As [`Self::write_call`], for a step that only a fault undoes.
    pub(crate) async fn write_together(&self, pace: Pace) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { writer, .. } => writer.begin_together(pace).await.map(Link::Direct),
            Pools::Pg { .. } => self.write_call().await,
        }
    }

    /// What SQLite's writer changes; none where other nodes write too.
    pub(super) fn changes(&self) -> Option<&Changes> {
        match &self.pools {
            Pools::Lite { writer, .. } => Some(&writer.changes),
            Pools::Pg { .. } => None,
        }
    }

    /// A connection for a single statement that reads.
    pub(crate) async fn read(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { readers, .. } => readers.acquire().await.map(Link::Lite),
            Pools::Pg { others: pool, .. } => pool.acquire().await.map(Link::Pg),
        }
        .map_err(|e| unavailable(&e))
    }

    /// As [`Self::snapshot`], for statements that are short, each of them: on SQLite they run on the thread that
    /// asks.
    pub(crate) async fn look(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { looks, .. } => looks.begin().await.map(Link::from),
            Pools::Pg { .. } => self.snapshot().await,
        }
    }

    /// The same for who reads what reservations tell.
    pub(crate) async fn look_ahead(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { .. } => self.look().await,
            Pools::Pg { ahead, .. } => ahead.begin(PG_LOOK).await.map(Link::PgCall),
        }
    }

    /// Two transactions that read the same state side by side, for what goes through a large table; each is for
    /// a thread that may wait. None where the engine divides such work itself, or others hold them for long.
    pub(crate) async fn halves(&self) -> Result<Option<[Link; 2]>, StoreError> {
        let Pools::Lite { writer, scans, .. } = &self.pools else {
            return Ok(None);
        };
        // Both or none: two who had one each would wait for each other.
        let turn = self.counting.lock().await;
        let (Ok(one), Ok(other)) = (scans.begin().await, scans.begin().await) else {
            return Ok(None);
        };
        drop(turn);
        let mut both = [one, other].map(Link::from);
        let _still = writer.still().await;
        for one in &mut both {
            one.rows("SELECT 1 AS n FROM schema_migrations LIMIT 1", vec![])
                .await?;
        }
        Ok(Some(both))
    }

    /// As [`Self::snapshot`], for conditions that are asked of all debtors of a client.
    pub(crate) async fn wide(&self) -> Result<Link, StoreError> {
        let mut link = self.snapshot().await?;
        if link.dialect() == Dialect::Pg {
            link.script(PG_SETS).await?;
        }
        Ok(link)
    }

    /// A transaction in which several statements see the same state.
    pub(crate) async fn snapshot(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Lite { readers, .. } => readers.begin().await.map(Link::LiteTx),
            Pools::Pg { others, .. } => others.begin_with(PG_LOOK).await.map(Link::PgTx),
        }
        .map_err(|e| unavailable(&e))
    }
}
