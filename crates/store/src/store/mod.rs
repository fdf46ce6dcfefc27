//! The `Store` port over SQL. One method is one transaction.

mod attempts;
mod catalog;
mod contacts;
mod events;
mod facts;
mod import;
mod items;
mod keeps;
mod money;
mod nodes;
mod open;
mod people;
mod portfolio;
mod sums;
mod table;
mod trail;

pub use open::{PoolStats, SqlStore};
