//! The room over real connections: sockets, campaigns, imports, metrics, with the real engine, the
//! store in memory and a simulated carrier behind them.

mod agent;
mod by_hand;
mod campaigns;
mod consents;
mod door;
mod floor;
mod imports;
mod late;
mod law;
mod money;
mod ops;
mod socket;
mod supervisor;
mod transfer;
mod turns;
