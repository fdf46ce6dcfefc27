//! Transactions (RFC 3261 §17, with the corrections of RFC 6026).
//!
//! Four machines, one file each, and the [`Layer`] that finds the machine of a message, keeps the
//! timers and bounds their number.

mod client_invite;
mod client_other;
mod key;
mod layer;
mod server_invite;
mod server_other;
mod timers;

pub use layer::{Layer, Matched, TxEvent, TxFault, TxId};
pub(crate) use timers::together;
pub use timers::{T1, T2, T4, TIMEOUT};

use bytes::Bytes;

use crate::Millis;
use crate::msg::{Request, Response};

/// What a machine wants done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send these octets to the transaction's target.
    Send(Bytes),
    /// Hand the response up.
    Response(Box<Response>),
    /// Hand an ACK up that came inside the transaction.
    Ack(Box<Request>),
    /// No final response came in time.
    Timeout,
    /// No ACK came in time for a final response other than 2xx.
    AckMissing,
    /// The transaction is over.
    Done,
}

/// One of the four machines.
#[derive(Debug)]
pub(crate) enum Machine {
    ClientInvite(client_invite::ClientInvite),
    ClientOther(client_other::ClientOther),
    ServerInvite(server_invite::ServerInvite),
    ServerOther(server_other::ServerOther),
}

impl Machine {
    pub(crate) fn deadline(&self) -> Option<Millis> {
        match self {
            Machine::ClientInvite(machine) => machine.deadline(),
            Machine::ClientOther(machine) => machine.deadline(),
            Machine::ServerInvite(machine) => machine.deadline(),
            Machine::ServerOther(machine) => machine.deadline(),
        }
    }

    pub(crate) fn on_timer(&mut self, now: Millis, out: &mut Vec<Action>) {
        match self {
            Machine::ClientInvite(machine) => machine.on_timer(now, out),
            Machine::ClientOther(machine) => machine.on_timer(now, out),
            Machine::ServerInvite(machine) => machine.on_timer(now, out),
            Machine::ServerOther(machine) => machine.on_timer(now, out),
        }
    }

    /// True for the transactions of peers' requests.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Machine::ServerInvite(_) | Machine::ServerOther(_))
    }

    /// True while a refusal of ours waits for its ACK.
    pub(crate) fn waits_for_ack(&self) -> bool {
        matches!(self, Machine::ServerInvite(machine) if machine.waits_for_ack())
    }

    /// True while a client transaction has heard nothing at all.
    pub(crate) fn unheard(&self) -> bool {
        match self {
            Machine::ClientInvite(machine) => machine.unheard(),
            Machine::ClientOther(machine) => machine.unheard(),
            _ => false,
        }
    }

    /// True while a client transaction waits for its final response.
    pub(crate) fn unanswered(&self) -> bool {
        match self {
            Machine::ClientInvite(machine) => machine.unanswered(),
            Machine::ClientOther(machine) => machine.unanswered(),
            _ => false,
        }
    }
}
