//! The law by golden cases: each says, for a debtor in a place with a history, what may be done at an
//! instant and by which rule; written from the law and the packs, not from the code.

mod callable;
mod campaign_zones;
mod care;
mod case;
mod client;
mod covered;
mod fields;
mod golden;
mod hours;
mod kinds;
mod ledger;
mod notice;
mod people;
mod record;
mod schedule;
mod visits;
