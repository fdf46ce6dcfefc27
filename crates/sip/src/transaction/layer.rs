//! All transactions of an endpoint.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;

use super::client_invite::ClientInvite;
use super::client_other::ClientOther;
use super::key::Key;
use super::server_invite::ServerInvite;
use super::server_other::ServerOther;
use super::{Action, Machine};
use crate::header::Via;
use crate::limits::{MAX_SERVED, MAX_TRANSACTIONS, OWN_RESERVE};
use crate::msg::{Method, Request, Response};
use crate::transport::{ConnId, Proto, Source, Target, Transmit};
use crate::{Millis, SipError};

/// A transaction; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(u64);

/// Why a client transaction got no final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxFault {
    /// Timer B or F.
    Timeout,
    /// The transport could not deliver.
    Transport,
    /// The connection went away behind the request: it may have been read.
    Cut,
}

/// A report of the layer.
#[derive(Debug)]
pub enum TxEvent {
    /// A response to our request.
    Response {
        /// Whose.
        tx: TxId,
        /// The response.
        response: Box<Response>,
        /// Where it came from.
        source: Source,
    },
    /// Our request got no final response.
    Failed {
        /// Whose.
        tx: TxId,
        /// Why.
        fault: TxFault,
    },
    /// The peer never acknowledged our final response to its INVITE (timer H).
    AckMissing {
        /// Whose.
        tx: TxId,
    },
    /// An ACK that reached a transaction that had sent 2xx.
    Ack(Box<Request>),
    /// The transaction is gone.
    Ended {
        /// Which.
        tx: TxId,
    },
}

/// What became of a received request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched {
    /// It belonged to a transaction, which dealt with it.
    Absorbed,
    /// It is new.
    New,
    /// It is new but a copy of a request that came over another path (RFC 3261 §8.2.2.2).
    Merged,
}

#[derive(Debug)]
struct Row {
    machine: Machine,
    target: Target,
    /// The connection its first message took.
    home: Option<ConnId>,
    key: Key,
    merge: Option<Key>,
    armed: Option<Millis>,
    waits_for_ack: bool,
}

/// The transactions, their timers and what they want sent.
#[derive(Debug, Default)]
pub struct Layer {
    rows: HashMap<TxId, Row>,
    keys: HashMap<Key, TxId>,
    timers: BTreeSet<(Millis, TxId)>,
    next: u64,
    /// Rows of server transactions.
    served: usize,
    /// Rows of refused INVITEs that wait for their ACK.
    unacknowledged: usize,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TxEvent>,
}

impl Layer {
    /// An empty layer.
    #[must_use]
    pub fn new() -> Self {
        Layer::default()
    }

    /// How many transactions are alive.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without any transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many of them are of requests of peers.
    #[must_use]
    pub fn served(&self) -> usize {
        self.served
    }

    /// How many refused INVITEs wait for their ACK.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged
    }

    /// The next octets to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next report.
    pub fn poll_event(&mut self) -> Option<TxEvent> {
        self.events.pop_front()
    }

    /// When [`Layer::on_timer`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Sends octets outside any transaction: the ACK of a 2xx, a stateless response.
    pub fn transmit(&mut self, target: Target, bytes: Bytes) {
        self.transmits.push_back(Transmit { target, bytes });
    }

    /// Starts a client transaction; the request's top Via must be ours with a fresh branch. An INVITE
    /// that starts a call leaves [`OWN_RESERVE`] free for what ends calls.
    ///
    /// # Errors
    /// [`SipError::Limit`] when full, [`SipError::Missing`] without a usable Via.
    pub fn send(
        &mut self,
        now: Millis,
        request: Request,
        target: Target,
    ) -> Result<TxId, SipError> {
        let starts = request.method == Method::Invite
            && request.headers.to().is_ok_and(|to| to.tag().is_none());
        self.room(if starts { OWN_RESERVE } else { 0 })?;
        let via = request.headers.top_via()?;
        let key = Key::of_client(&via, &request.method).ok_or(SipError::Missing("Via branch"))?;
        let mut out = Vec::new();
        let reliable = target.proto.reliable();
        let machine = if request.method == Method::Invite {
            Machine::ClientInvite(ClientInvite::start(now, request, reliable, &mut out))
        } else {
            Machine::ClientOther(ClientOther::start(now, &request, reliable, &mut out))
        };
        Ok(self.insert(machine, target, key, None, out))
    }

    /// Gives a received request to the transaction it belongs to. The caller has checked that
    /// the headers every request must have are readable.
    pub fn receive_request(&mut self, now: Millis, request: &Request, via: &Via) -> Matched {
        let Some(key) = Key::of_request(request, via) else {
            return Matched::New;
        };
        let Some(tx) = self.keys.get(&key).copied() else {
            let twin = Key::of_merge(request).is_some_and(|key| self.keys.contains_key(&key));
            return if twin { Matched::Merged } else { Matched::New };
        };
        let Some(row) = self.rows.get_mut(&tx) else {
            return Matched::New;
        };
        let mut out = Vec::new();
        match &mut row.machine {
            Machine::ServerInvite(machine) => machine.on_request(now, request, &mut out),
            Machine::ServerOther(machine) => machine.on_request(&mut out),
            _ => {}
        }
        self.carry_out(tx, out, None);
        Matched::Absorbed
    }

    /// Starts a server transaction for a new request; responses go to `target`.
    ///
    /// # Errors
    /// [`SipError::Limit`] when full.
    pub fn accept(
        &mut self,
        now: Millis,
        request: &Request,
        via: &Via,
        target: Target,
    ) -> Result<TxId, SipError> {
        self.room(OWN_RESERVE)?;
        if self.served >= MAX_SERVED {
            return Err(SipError::Limit("served transactions"));
        }
        let key = Key::of_request(request, via).ok_or(SipError::Missing("Via branch"))?;
        let reliable = target.proto.reliable();
        let machine = if request.method == Method::Invite {
            Machine::ServerInvite(ServerInvite::start(reliable))
        } else {
            Machine::ServerOther(ServerOther::start(now, reliable))
        };
        let merge = Key::of_merge(request).filter(|key| !self.keys.contains_key(key));
        Ok(self.insert(machine, target, key, merge, Vec::new()))
    }

    /// The INVITE transaction that a CANCEL means.
    #[must_use]
    pub fn cancelled_by(&self, cancel: &Request, via: &Via) -> Option<TxId> {
        let tx = self.keys.get(&Key::of_cancelled(cancel, via)?)?;
        Some(*tx)
    }

    /// True while a server INVITE transaction has sent no final response.
    #[must_use]
    pub fn is_proceeding(&self, tx: TxId) -> bool {
        let row = self.rows.get(&tx);
        row.is_some_and(|row| matches!(&row.machine, Machine::ServerInvite(m) if m.proceeding()))
    }

    /// Sends a response through a server transaction.
    pub fn respond(&mut self, now: Millis, tx: TxId, response: &Response) {
        let mut out = Vec::new();
        match self.rows.get_mut(&tx).map(|row| &mut row.machine) {
            Some(Machine::ServerInvite(machine)) => machine.respond(now, response, &mut out),
            Some(Machine::ServerOther(machine)) => machine.respond(now, response, &mut out),
            _ => {}
        }
        self.carry_out(tx, out, None);
    }

    /// Gives a received response to its transaction; false when there is none.
    pub fn receive_response(&mut self, now: Millis, response: Response, source: Source) -> bool {
        let tx = Key::of_response(&response).and_then(|key| self.keys.get(&key).copied());
        let Some(tx) = tx else { return false };
        let Some(row) = self.rows.get_mut(&tx) else {
            return false;
        };
        if source.conn.is_some() {
            row.target.conn = source.conn;
        }
        let mut out = Vec::new();
        match &mut row.machine {
            Machine::ClientInvite(machine) => machine.on_response(now, response, &mut out),
            Machine::ClientOther(machine) => machine.on_response(now, response, &mut out),
            _ => return false,
        }
        self.carry_out(tx, out, Some(source));
        true
    }

    /// The INVITE of a client transaction, without its body once a final response came.
    #[must_use]
    pub fn invite(&self, tx: TxId) -> Option<(&Request, Target)> {
        let row = self.rows.get(&tx)?;
        match &row.machine {
            Machine::ClientInvite(machine) => Some((machine.request(), row.target)),
            _ => None,
        }
    }

    /// Forgets a transaction at once, without report.
    pub fn drop_transaction(&mut self, tx: TxId) {
        self.remove(tx);
    }

    /// Fires what is due.
    pub fn on_timer(&mut self, now: Millis) {
        while let Some((at, tx)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            let mut out = Vec::new();
            match self.rows.get_mut(&tx) {
                Some(row) => row.machine.on_timer(now, &mut out),
                None => {
                    self.timers.remove(&(at, tx));
                }
            }
            self.carry_out(tx, out, None);
        }
    }

    /// Fails all requests to an address that still wait for their final response.
    pub fn transport_failed(&mut self, proto: Proto, dest: SocketAddr) {
        self.fail(TxFault::Transport, |row| {
            row.target.proto == proto && row.target.dest == dest && row.machine.unanswered()
        });
    }

    /// Fails the requests to an address by whichever connection leads there that nobody has answered at all:
    /// the connection they went over is gone.
    pub fn stream_closed(&mut self, proto: Proto, dest: SocketAddr) {
        self.fail(TxFault::Cut, |row| {
            let target = &row.target;
            let there = target.conn.is_none() && target.proto == proto && target.dest == dest;
            there && row.machine.unheard()
        });
    }

    /// Fails all requests over a connection that still wait for their final response.
    pub fn connection_failed(&mut self, conn: ConnId) {
        self.fail(TxFault::Transport, |row| {
            row.target.conn == Some(conn) && row.machine.unanswered()
        });
    }

    /// Fails the requests over a connection that nobody has answered at all; the others may still get
    /// their response over the next one.
    pub fn connection_cut(&mut self, conn: ConnId) {
        self.fail(TxFault::Cut, |row| {
            row.target.conn == Some(conn) && row.machine.unheard()
        });
    }

    /// Fails the requests on a closed connection that nobody has answered at all; the others may
    /// still get their response over a new connection (RFC 3261 §18.2.2).
    pub fn connection_closed(&mut self, conn: ConnId) {
        self.connection_cut(conn);
        for row in self
            .rows
            .values_mut()
            .filter(|row| row.target.conn == Some(conn))
        {
            row.target.conn = row.home.filter(|home| *home != conn);
        }
    }

    fn fail(&mut self, fault: TxFault, which: impl Fn(&Row) -> bool) {
        let mut hit: Vec<TxId> = self
            .rows
            .iter()
            .filter(|(_, row)| which(row))
            .map(|(tx, _)| *tx)
            .collect();
        hit.sort_unstable();
        for tx in hit {
            self.events.push_back(TxEvent::Failed { tx, fault });
            self.events.push_back(TxEvent::Ended { tx });
            self.remove(tx);
        }
    }

    fn room(&self, reserve: usize) -> Result<(), SipError> {
        if self.rows.len() + reserve >= MAX_TRANSACTIONS {
            return Err(SipError::Limit("transactions"));
        }
        Ok(())
    }

    fn insert(
        &mut self,
        machine: Machine,
        target: Target,
        key: Key,
        merge: Option<Key>,
        out: Vec<Action>,
    ) -> TxId {
        let tx = TxId(self.next);
        self.next += 1;
        self.served += usize::from(machine.serves());
        self.keys.insert(key.clone(), tx);
        if let Some(merge) = &merge {
            self.keys.insert(merge.clone(), tx);
        }
        self.rows.insert(
            tx,
            Row {
                machine,
                target,
                home: target.conn,
                key,
                merge,
                armed: None,
                waits_for_ack: false,
            },
        );
        self.carry_out(tx, out, None);
        tx
    }

    fn remove(&mut self, tx: TxId) {
        if let Some(row) = self.rows.remove(&tx) {
            self.served -= usize::from(row.machine.serves());
            self.unacknowledged -= usize::from(row.waits_for_ack);
            self.keys.remove(&row.key);
            if let Some(merge) = &row.merge {
                self.keys.remove(merge);
            }
            if let Some(at) = row.armed {
                self.timers.remove(&(at, tx));
            }
        }
    }

    fn carry_out(&mut self, tx: TxId, actions: Vec<Action>, source: Option<Source>) {
        let Some(row) = self.rows.get_mut(&tx) else {
            return;
        };
        let target = row.target;
        let waits = row.machine.waits_for_ack();
        if std::mem::replace(&mut row.waits_for_ack, waits) {
            self.unacknowledged -= 1;
        }
        self.unacknowledged += usize::from(waits);
        let deadline = row.machine.deadline();
        if deadline != row.armed {
            if let Some(at) = row.armed {
                self.timers.remove(&(at, tx));
            }
            if let Some(at) = deadline {
                self.timers.insert((at, tx));
            }
            row.armed = deadline;
        }
        for action in actions {
            match action {
                Action::Send(bytes) => self.transmits.push_back(Transmit { target, bytes }),
                Action::Response(response) => {
                    if let Some(source) = source {
                        self.events.push_back(TxEvent::Response {
                            tx,
                            response,
                            source,
                        });
                    }
                }
                Action::Ack(request) => self.events.push_back(TxEvent::Ack(request)),
                Action::Timeout => {
                    let fault = TxFault::Timeout;
                    self.events.push_back(TxEvent::Failed { tx, fault });
                }
                Action::AckMissing => self.events.push_back(TxEvent::AckMissing { tx }),
                Action::Done => {
                    self.events.push_back(TxEvent::Ended { tx });
                    self.remove(tx);
                }
            }
        }
    }
}
