//! The virtual-time world: a store in memory (the readable specification of the port), a simulated
//! carrier, simulated agents, faults, and the checkers of the house's invariants. The real `center`
//! and `dialer` run in it unchanged.

pub mod besttime;
pub mod blob;
pub mod bus;
pub mod checkers;
pub mod clock;
pub mod contract;
pub mod fate;
pub mod live;
mod mishaps;
pub mod pacing;
pub mod post;
pub mod store;
pub mod trunk;
pub mod world;
