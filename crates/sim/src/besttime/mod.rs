//! Does the best time to call pay? People with hidden hour curves of another family than the model's,
//! a ration of contacts a person, and three orders that spend it: the model's, random, oldest debt first.

mod order;
mod people;
mod run;

pub use order::Order;
pub use people::{Curves, Person, town};
pub use run::{Compared, Interval, Setup, Spent, calibration, compare, spend};

#[cfg(test)]
mod tests;
