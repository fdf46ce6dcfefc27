//! Who answers when: the probability that a call to a point at a local hour reaches a live person and
//! the right party, and what it is worth to call now against later under a ration of contacts.
//!
//! Pure: instants and seeds are arguments. Three levels, each shrunk to the one above: the portfolio,
//! the campaign (its segment), the point with its own tries. Where nothing was tried yet, the level
//! above speaks. What is said is calibrated on line against what came.

mod advice;
mod calibration;
mod curve;
mod model;
mod params;
mod pick;
mod slot;
mod words;

pub use advice::{Later, Outlook, Passes, Worth, hours_ahead, weigh};
pub use calibration::{Calibration, CalibrationRow};
pub use curve::Curve;
pub use model::{AnswerModel, Chance, Observation, PointRecord, PointView, Tried};
pub use params::AnswerParams;
pub use pick::{Choice, Entry, Why, choose};
pub use slot::{DayKind, Nearness, SLOTS, Slot};
pub use words::{why_not_yet, why_now};

#[cfg(test)]
mod tests;
