//! The contract suites of the ports: what every implementation of `Store`, `Bus` and `Blob` must do, as plain
//! async functions that panic where a promise is broken. They run against the store in memory here,
//! and against SQLite, PostgreSQL and Redis in the room `store`.
//!
//! A group leaves its rows behind and uses fresh identities each time, so that groups may share one
//! database and run in any order.

pub mod addresses;
mod assigned;
pub mod attempts;
mod behind;
pub mod blob;
mod books;
mod books_audit;
mod books_people;
mod books_plans;
pub mod bus;
pub mod callers;
pub mod catalog;
pub mod claims;
mod client_law;
mod complaints;
pub mod consent_files;
pub mod contacts;
mod court;
pub mod departures;
pub mod detector;
pub mod due_items;
mod endings;
pub mod events;
pub mod facts;
mod file_tasks;
pub mod floor;
mod forgotten;
pub mod imports;
pub mod inbound;
pub mod interest;
pub mod judges;
pub mod keeps;
mod kept;
pub mod law;
mod law_acts;
pub mod letters;
pub mod marks;
mod members;
pub mod merges;
pub mod messages;
mod messages_ends;
mod messages_nodes;
mod messages_paid;
pub mod money;
pub mod nodes;
mod past;
mod pay_links;
pub mod people;
mod placements;
mod places;
pub mod plans;
mod plans_beside;
pub mod portfolio;
pub mod races;
pub mod receipts;
mod rejudged;
pub mod reports;
mod row_facts;
pub mod scene;
mod segment_days;
mod settled;
pub mod stages;
pub mod strategies;
pub mod trail;
pub mod visits;

#[cfg(test)]
mod tests;
