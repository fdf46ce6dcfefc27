//! The room over real connections: sockets, campaigns, imports, metrics, with the real engine, the
//! store in memory and a simulated carrier behind them.

#![expect(clippy::expect_used, reason = "a test that cannot go on says where")]

mod agent;
mod by_hand;
mod campaigns;
mod door;
mod floor;
mod ops;
mod socket;
mod supervisor;
