//! The center in a small house on virtual time: memory store, simulated carrier, real rule book,
//! agents' sockets.
#![expect(clippy::expect_used, reason = "a test without its house has failed")]

mod best_time;
mod calls;
mod campaigns;
mod dispositions;
mod faults;
mod floor;
mod lost;
mod nodes;
mod pacing;
mod recordings;
mod routes;
mod screen;
mod screens;
mod sound;
mod stops;
mod told;
mod transfers;
mod world;
