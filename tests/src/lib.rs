//! Process-level tests of the product and of the house's own rules. What they share lives here.

pub mod demo_facts;
pub mod house;
pub mod process;
pub mod rules;
pub mod s3;
pub mod service;
