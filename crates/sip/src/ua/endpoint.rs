//! The endpoint: octets and time in, octets, reports and a deadline out.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::call::Call;
use super::core::Core;
use super::orphan::Orphan;
use super::register::Registration;
use super::{CallKey, Config, Counters, Event, Received, RegKey};
use crate::Millis;
use crate::digest::DigestServer;
use crate::ids::Ids;
use crate::limits::MAX_CONNECTIONS;
use crate::msg::{Frame, StreamFramer, parse_datagram};
use crate::registrar::{Binding, Guesses, Registrar};
use crate::transport::{ConnId, Proto, Source, Target, Transmit};

/// The ids by which a request of the peer finds its call: Call-ID and our tag.
pub(super) type LegId = (Bytes, Bytes);

/// Whose timer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimerKey {
    Call(CallKey),
    Registration(RegKey),
}

/// Whose calls are taken.
type Admits = Box<dyn Fn(&Source) -> bool + Send + Sync>;

/// All calls of one process.
pub struct Endpoint {
    pub(super) core: Core,
    pub(super) calls: HashMap<CallKey, Box<Call>>,
    pub(super) legs: HashMap<LegId, CallKey>,
    pub(super) registrations: HashMap<RegKey, Registration>,
    /// BYEs under way to calls of processes that are gone.
    pub(super) orphans: HashMap<CallKey, Orphan>,
    pub(super) registrar: Option<Registrar>,
    pub(super) digest: Option<DigestServer>,
    pub(super) guesses: Guesses,
    pub(super) timers: BTreeSet<(Millis, TimerKey)>,
    pub(super) next_key: u64,
    framers: HashMap<ConnId, StreamFramer>,
    pub(super) admits: Option<Admits>,
    pub(super) replacers: Option<Admits>,
}

impl Endpoint {
    /// An endpoint without calls.
    #[must_use]
    pub fn new(config: Config, ids: Box<dyn Ids>) -> Self {
        Endpoint {
            registrar: config.registrar.map(Registrar::new),
            digest: config.auth.clone().map(DigestServer::new),
            core: Core::new(config, ids),
            calls: HashMap::new(),
            legs: HashMap::new(),
            registrations: HashMap::new(),
            orphans: HashMap::new(),
            guesses: Guesses::default(),
            timers: BTreeSet::new(),
            next_key: 1,
            framers: HashMap::new(),
            admits: None,
            replacers: None,
        }
    }

    /// Takes INVITEs outside calls only of sources for which `admits` is true; the others get 403 and
    /// nothing of them is kept. Replaces the rule given before; without one all are taken.
    pub fn admit(&mut self, admits: impl Fn(&Source) -> bool + Send + Sync + 'static) {
        self.admits = Some(Box::new(admits));
    }

    /// Takes INVITEs that are to take the place of a call (RFC 3891) of further sources, with the password of an account
    /// only. Replaces the rule given before; without one only those who are admitted may send them.
    pub fn admit_replacing(&mut self, admits: impl Fn(&Source) -> bool + Send + Sync + 'static) {
        self.replacers = Some(Box::new(admits));
    }

    /// Lets calls follow what their dialogs say only to addresses for which `hears` is true: what others answer is
    /// read by nobody. Replaces the rule given before; without one all are heard.
    pub fn hear(&mut self, hears: impl Fn(IpAddr) -> bool + Send + Sync + 'static) {
        self.core.hears = Some(Box::new(hears));
    }

    /// How many whole messages have come on a connection; keep-alives are none.
    #[must_use]
    pub fn messages_on(&self, conn: ConnId) -> u64 {
        self.framers.get(&conn).map_or(0, StreamFramer::messages)
    }

    /// Takes a datagram, or the next octets of a stream (`source.conn` must be set then).
    pub fn receive(&mut self, now: Millis, source: Source, octets: &Bytes) -> Received {
        let Some(conn) = source.conn.filter(|_| source.proto.reliable()) else {
            match parse_datagram(octets) {
                Ok(message) => self.take_message(now, source, message),
                // A keep-alive of line ends alone is no message (RFC 5626 §4.4.1).
                Err(_) if octets.iter().all(|b| b"\r\n\0 ".contains(b)) => {}
                Err(_) => self.core.counters.malformed += 1,
            }
            return Received::Keep;
        };
        if self.framers.len() >= MAX_CONNECTIONS && !self.framers.contains_key(&conn) {
            self.core.counters.over_limit += 1;
            return Received::Close;
        }
        let mut pinged = false;
        for frame in self.framers.entry(conn).or_default().push(octets) {
            match frame {
                Ok(Frame::Message(message)) => self.take_message(now, source, message),
                // One answer for all that came at once: line ends alone cost next to nothing to send.
                Ok(Frame::Ping) if pinged => {}
                Ok(Frame::Ping) => {
                    pinged = true;
                    let pong = Bytes::from_static(b"\r\n");
                    self.core.layer.transmit(Target::from(source), pong);
                }
                Err(_) => {
                    self.core.counters.malformed += 1;
                    self.framers.remove(&conn);
                    return Received::Close;
                }
            }
        }
        Received::Keep
    }

    /// The next octets to send. Poll after each call until None.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.core.layer.poll_transmit()?;
        self.core.counters.sent += 1;
        Some(transmit)
    }

    /// The next report. Poll after each call until None.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.core.events.pop_front()
    }

    /// When [`Endpoint::on_timer`] is to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        let own = self.timers.first().map(|(at, _)| *at);
        let registrar = self.registrar.as_ref().and_then(Registrar::next_deadline);
        let layer = self.core.layer.next_deadline();
        let acks = self.core.acks.next_deadline();
        own.into_iter()
            .chain(registrar)
            .chain(layer)
            .chain(acks)
            .min()
    }

    /// Does what is due.
    pub fn on_timer(&mut self, now: Millis) {
        self.core.layer.on_timer(now);
        self.drain_layer(now);
        self.core.acks.on_timer(now);
        while let Some((at, key)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.timers.remove(&(at, key));
            match key {
                TimerKey::Call(key) => {
                    if let Some(call) = self.calls.get_mut(&key) {
                        call.armed = None;
                    }
                    self.with_call(key, |core, call| call.on_timer(core, now));
                }
                TimerKey::Registration(key) => {
                    if let Some(registration) = self.registrations.get_mut(&key) {
                        registration.armed = None;
                        registration.on_timer(&mut self.core, now);
                    }
                    self.settle_registration(key);
                }
            }
            self.drain_layer(now);
        }
        self.expire_bindings(now);
    }

    fn expire_bindings(&mut self, now: Millis) {
        let Some(registrar) = &mut self.registrar else {
            return;
        };
        for (user, contact) in registrar.on_timer(now) {
            self.core.report(Event::Unregistered {
                user,
                contact,
                expired: true,
            });
        }
    }

    /// Tells that nothing can be sent to an address: its unanswered requests fail at once.
    pub fn transport_failed(&mut self, now: Millis, proto: Proto, dest: SocketAddr) {
        self.core.layer.transport_failed(proto, dest);
        self.drain_layer(now);
    }

    /// Tells that the stream connection to an address is gone, which requests take that name none.
    pub fn stream_closed(&mut self, now: Millis, proto: Proto, dest: SocketAddr) {
        self.core.layer.stream_closed(proto, dest);
        self.drain_layer(now);
    }

    /// Tells that a stream connection is gone whose number the next one to the same place will have:
    /// what prefers it still does.
    pub fn connection_cut(&mut self, now: Millis, conn: ConnId) {
        self.framers.remove(&conn);
        self.core.layer.connection_cut(conn);
        self.drain_layer(now);
    }

    /// Tells that no connection of such a number can be opened: its unanswered requests fail at once.
    pub fn connection_failed(&mut self, now: Millis, conn: ConnId) {
        self.framers.remove(&conn);
        self.core.layer.connection_failed(conn);
        self.drain_layer(now);
    }

    /// Tells that a stream connection is gone. Its calls go on: requests in them leave for where the call's
    /// first one went, or for the [`Endpoint::home`] of one that came in.
    pub fn connection_closed(&mut self, now: Millis, conn: ConnId) {
        self.framers.remove(&conn);
        self.core.layer.connection_closed(conn);
        for call in self
            .calls
            .values_mut()
            .filter(|call| call.peer.conn == Some(conn))
        {
            call.lost_connection();
        }
        self.drain_layer(now);
    }

    /// The contacts an account of our registrar is bound to.
    #[must_use]
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.registrar
            .as_ref()
            .map_or(&[], |registrar| registrar.bindings(user))
    }

    /// Figures for metrics.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.core.counters
    }

    /// How many calls are alive, those among them that only wait for the answer to BYE.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// How many transactions are alive.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.core.layer.len()
    }

    /// How many of them are of requests of ours; those of peers cannot take their place.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.core.layer.len() - self.core.layer.served()
    }

    /// Runs something on a call, then forgets the call if it is over, or arms its timer.
    pub(super) fn with_call<R>(
        &mut self,
        key: CallKey,
        work: impl FnOnce(&mut Core, &mut Call) -> R,
    ) -> Option<R> {
        let call = self.calls.get_mut(&key)?;
        let result = work(&mut self.core, call);
        let wanted = if call.is_over() {
            None
        } else {
            call.deadline()
        };
        if wanted != call.armed {
            if let Some(at) = call.armed {
                self.timers.remove(&(at, TimerKey::Call(key)));
            }
            if let Some(at) = wanted {
                self.timers.insert((at, TimerKey::Call(key)));
            }
            call.armed = wanted;
        }
        if call.is_over()
            && let Some(call) = self.calls.remove(&key)
        {
            self.legs
                .remove(&(call.dialog.call_id, call.dialog.local_tag));
        }
        Some(result)
    }

    /// Takes a new call into the tables.
    pub(super) fn keep_call(&mut self, call: Call) {
        let key = call.key;
        let leg = (call.dialog.call_id.clone(), call.dialog.local_tag.clone());
        self.legs.insert(leg, key);
        self.calls.insert(key, Box::new(call));
        self.with_call(key, |_, _| ());
    }

    pub(super) fn settle_registration(&mut self, key: RegKey) {
        let Some(registration) = self.registrations.get_mut(&key) else {
            return;
        };
        if let Some(at) = registration.armed.take() {
            self.timers.remove(&(at, TimerKey::Registration(key)));
        }
        if registration.over {
            self.registrations.remove(&key);
            return;
        }
        registration.armed = registration.next_at;
        if let Some(at) = registration.next_at {
            self.timers.insert((at, TimerKey::Registration(key)));
        }
    }

    pub(super) fn fresh_key(&mut self) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        key
    }
}
