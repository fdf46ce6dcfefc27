//! The `Store` port over SQL. One method is one transaction.

mod attempts;
mod catalog;
mod contacts;
mod events;
mod facts;
mod import;
mod imports;
mod items;
mod keeps;
mod law;
mod listed;
mod money;
mod nodes;
mod open;
mod people;
mod portfolio;
mod standing;
pub(crate) mod sums;
mod table;
mod trail;

pub use open::{PoolStats, SqlStore};
