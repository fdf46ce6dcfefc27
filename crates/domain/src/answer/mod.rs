//! Who answers when: the probability that a call to a point at a local hour reaches a live person and
//! the right party, and what it is worth to call now against later under a ration of contacts.
//!
//! Pure: instants and seeds are arguments. Three levels, each shrunk to the one above: the portfolio,
//! the campaign (its segment), the point with its own tries. Where nothing was tried yet, the level
//! above speaks. The day of the week, the age and the source of a point and what its last try came to are
//! factors learnt at the portfolio's level. What is said is calibrated on line against what came.

mod advice;
mod calibration;
mod curve;
mod factors;
mod model;
mod params;
mod pick;
mod record;
mod slot;
mod traits;
mod tried;
mod words;

pub use advice::{Later, Outlook, Passes, Worth, hours_ahead, weigh};
pub use calibration::{Calibration, CalibrationRow};
pub use curve::Curve;
pub use model::{AnswerModel, Observation};
pub use params::AnswerParams;
pub use pick::{Choice, Due, Entry, Why, choose};
pub use record::{Chance, Forecast, PointRecord};
pub use slot::{DayKind, Nearness, SLOTS, Slot};
pub use traits::{PointSource, PointView, Traits};
pub use tried::{Tried, TryResult};
pub use words::{better_hour, why_not_yet, why_now};

#[cfg(test)]
mod class_tests;
#[cfg(test)]
mod tests;
