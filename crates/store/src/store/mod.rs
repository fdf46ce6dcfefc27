//! The `Store` port over SQL. One method is one transaction.

mod open;

pub use open::{PoolStats, SqlStore};
