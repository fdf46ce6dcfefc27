//! The center in a small house on virtual time: memory store, simulated carrier, real rule book,
//! agents' sockets.
#![expect(clippy::expect_used, reason = "a test without its house has failed")]

mod agentless;
mod agreed;
mod amd;
mod answers;
mod away;
mod best_time;
mod calls;
mod campaigns;
mod carriers;
mod corrected;
mod counts;
mod dispositions;
mod early;
mod faults;
mod floor;
mod gateways;
mod held;
mod lost;
mod marks;
mod messages;
mod negotiated;
mod nodes;
mod pacing;
mod plans;
mod queue;
mod queue_ends;
mod quick;
mod reads;
mod recordings;
mod refunds;
mod routes;
mod screen;
mod screens;
mod short_calls;
mod sound;
mod stages;
mod stops;
mod strangers;
mod strategies;
mod told;
mod transfers;
mod world;
mod written;
