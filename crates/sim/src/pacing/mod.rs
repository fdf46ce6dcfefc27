//! Pacing in virtual time: scenario files, an event-exact world, the live policy beside others, and
//! the protocol by which outsiders measure it.

mod dist;
mod floor;
mod metrics;
mod numbers;
pub mod obs;
mod place;
pub mod policies;
pub mod protocol;
pub mod report;
mod run;
pub mod scenario;
mod world;

pub use dialer::Lean;
pub use dist::Dist;
pub use metrics::Figures;
pub use policies::{Pilot, Policy, Tuned};
pub use run::{RunSpec, hello, run, run_timed};
pub use scenario::{Scenario, ScenarioError};
