//! Language and law of Marcador: values, entities, rules, events and the ports to the outside.
//!
//! Pure: no clock, no socket, no randomness; time and identity are arguments. Everyone speaks this
//! crate, so its names are those of the product's vocabulary.

#[macro_use]
mod text_enum;

pub mod answer;
pub mod email;
pub mod entity;
mod error;
pub mod event;
pub mod ids;
pub mod import;
pub mod law;
pub mod link;
pub mod money;
mod near;
pub mod phone;
pub mod pii;
pub mod ports;
pub mod rules;
pub mod segment;
pub mod spoken;
pub mod time;

pub use error::ValueError;
