//! The `Store` port over SQL. One method is one transaction.

mod attempts;
mod audit;
mod catalog;
mod contacts;
mod estimate;
mod events;
mod facts;
mod floor;
mod hits;
mod import;
mod import_new;
mod import_undo;
mod imports;
mod items;
mod keeps;
mod law;
mod listed;
mod marks;
mod merges;
mod money;
mod nodes;
mod open;
mod people;
mod portfolio;
mod standing;
pub(crate) mod sums;
mod table;
mod trail;
mod wake;

pub use open::{PoolStats, SqlStore};
