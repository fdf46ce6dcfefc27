//! The simulated world over real sockets: carrier, phone, agent and the program itself.

mod agent;
mod caller;
mod carrier;
mod common;
mod interop;
mod phone;
mod process;
mod sipp;
