//! Process-level tests of the product and of the house's own rules. What they share lives here.

pub mod house;
