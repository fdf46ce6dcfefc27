//! The endpoint: calls, registrations and pings over the transactions.
//!
//! One [`Endpoint`] carries all calls of a process. It owns no socket and no clock: give it octets
//! with [`Endpoint::receive`], commands and the time; take octets with
//! [`Endpoint::poll_transmit`], reports with [`Endpoint::poll_event`], and call
//! [`Endpoint::on_timer`] when [`Endpoint::next_deadline`] has come.

mod accounts;
mod acks;
mod body;
mod call;
mod checks;
mod commands;
mod config;
mod core;
mod dialog;
mod dispatch;
mod endpoint;
mod event;
mod identity;
mod in_dialog;
mod offer;
mod order;
mod orphan;
mod prack;
mod refer;
mod register;
mod session;
mod uac;
mod uas;

pub use config::{Auth, Config, LocalAddrs, Passwords, RegistrarRules, Secret};
pub use endpoint::Endpoint;
pub use event::{
    CallKey, Counters, End, Event, FailWhy, Failure, Incoming, PingKey, Received, RegKey,
    RegistrationState, Side,
};
pub use identity::Identity;
pub use order::{InviteOrder, Login, PingOrder, RegisterOrder};
pub use orphan::bye_again;
