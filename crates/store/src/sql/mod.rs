//! SQL of two engines behind one type: values, rows, connections, transactions and the schema.

mod changes;
mod direct;
mod direct_row;
mod disk;
mod fold;
mod lasting;
mod link;
mod lite_sync;
mod look;
mod pages;
mod raw;
mod schema;
mod several;
mod times;

pub(crate) use changes::{Changes, Key, key, row_key};
pub(crate) use direct::{Direct, Pace};
pub(crate) use lasting::Lasting;
#[cfg(test)]
pub(crate) use link::HEARD;
pub(crate) use link::{Dialect, Link, fault, holes};
pub use lite_sync::LiteSync;
pub(crate) use look::{Looks, Reach};
pub(crate) use pages::know_their_reach;
pub(crate) use raw::{Cell, Field, Row, Val};
pub use schema::SCHEMA_VERSION;
pub(crate) use schema::migrate;
pub(crate) use several::{Ask, Batch, rows_of_json};
pub use times::WriteTimes;

/// Builds the list of values of a statement from anything that is a [`Field`].
macro_rules! vals {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Field::val(&$value)),*] };
}
pub(crate) use vals;
