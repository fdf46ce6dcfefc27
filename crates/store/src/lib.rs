//! Facts at rest and in motion: the `Store` port over SQL (SQLite, PostgreSQL), the event bus (inside
//! one process or over Redis streams) and recordings as files or S3 objects, sealed. The only room that knows a table.
//!
//! ```no_run
//! # async fn start() -> Result<(), domain::ports::StoreError> {
//! let store = store::SqlStore::connect("sqlite://marcador.db").await?;
//! store.migrate().await?;
//! # Ok(()) }
//! ```

mod blob;
mod bus_local;
mod bus_redis;
mod check;
mod fill;
mod hundredths;
mod listing;
mod rows;
mod s3;
mod sealed;
mod segment;
mod sql;
mod store;
mod tiered;

pub use blob::FileBlob;
pub use bus_local::LocalBus;
pub use bus_redis::RedisBus;
pub use check::{Checked, check_recording, stored_hash};
pub use fill::{FillPlan, Filled};
pub use s3::{S3Blob, S3Login};
pub use sealed::SealedBlob;
pub use sql::{LiteSync, SCHEMA_VERSION, WriteTimes};
pub use store::{AheadCounts, SqlStore};
pub use tiered::TieredBlob;
