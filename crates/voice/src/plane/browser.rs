//! Browsers' legs on a media thread: the one port, and what comes through it.
//!
//! The first media thread reads the port and finds the leg; a leg that lives on another thread gets
//! its datagrams as orders.

use super::order::{Agreed, Event, LegId, Order};
use super::thread::{State, ThreadLine};
use super::wire::Wire;
use crate::config::Codec;
use crate::limits;
use crate::webrtc::{Hub, News, Peer, Plain};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

/// What the thread that reads the port is told.
pub(crate) enum HubOrder {
    /// A leg has a (new) connection; with the way to its thread, unless it is this one.
    Put {
        leg: LegId,
        ufrag: String,
        pass: String,
        home: Option<ThreadLine>,
    },
    /// The leg moved.
    Home(LegId, Option<ThreadLine>),
    /// The leg is gone.
    Forget(LegId),
}

/// A datagram on its way to its leg's thread.
pub(crate) struct Parcel {
    from: SocketAddr,
    at: Instant,
    length: usize,
    bytes: [u8; limits::DTLS_BYTES],
}

/// Where an emptied parcel goes back to.
pub(crate) type Returns = Sender<Box<Parcel>>;

/// The port with the homes of its legs.
pub(super) struct Port {
    pub(super) hub: Hub,
    homes: HashMap<LegId, ThreadLine>,
    /// Parcels that came back, to be filled again.
    empty: Receiver<Box<Parcel>>,
    returns: Returns,
}

impl Port {
    pub(super) fn new(hub: Hub) -> Self {
        let (returns, empty) = bounded(limits::BROWSER_PARCELS);
        Self {
            hub,
            homes: HashMap::new(),
            empty,
            returns,
        }
    }

    pub(super) fn obey(&mut self, order: HubOrder) {
        match order {
            HubOrder::Put {
                leg,
                ufrag,
                pass,
                home,
            } => {
                self.hub.put(leg, &ufrag, &pass);
                self.moved(leg, home);
            }
            HubOrder::Home(leg, home) => self.moved(leg, home),
            HubOrder::Forget(leg) => {
                self.hub.forget(leg);
                self.homes.remove(&leg);
            }
        }
    }

    /// The order that brings a datagram to the leg on another thread.
    fn parcel(&self, leg: LegId, datagram: &[u8], from: SocketAddr, at: Instant) -> Option<Order> {
        let mut parcel = self.empty.try_recv().unwrap_or_else(|_| {
            Box::new(Parcel {
                from,
                at,
                length: 0,
                bytes: [0; limits::DTLS_BYTES],
            })
        });
        parcel
            .bytes
            .get_mut(..datagram.len())?
            .copy_from_slice(datagram);
        (parcel.from, parcel.at, parcel.length) = (from, at, datagram.len());
        Some(Order::Datagram(leg, parcel, self.returns.clone()))
    }

    fn moved(&mut self, leg: LegId, home: Option<ThreadLine>) {
        match home {
            Some(line) => drop(self.homes.insert(leg, line)),
            None => drop(self.homes.remove(&leg)),
        }
    }
}

impl State {
    /// Reads the browsers' port; what it still holds is told again.
    pub(super) fn read_browsers(&mut self) {
        let Some(port) = &self.browsers else {
            return;
        };
        let socket = port.hub.front().socket();
        let mut buffer = [0_u8; limits::DTLS_BYTES];
        for _ in 0..limits::BROWSER_BURST {
            match socket.recv_from(&mut buffer) {
                Ok((n, from)) => self.browser_datagram(&buffer[..n], from, Instant::now()),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return,
                // An ICMP answer to something we sent: read on.
                Err(_) => {}
            }
        }
    }

    fn browser_datagram(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        let Some(port) = &mut self.browsers else {
            return;
        };
        let Some(leg) = port.hub.route(datagram, from, now) else {
            return;
        };
        let Some(line) = port.homes.get(&leg) else {
            return self.safely(Some(leg), |plane| {
                plane.browser_packet(leg, datagram, from, now);
            });
        };
        if let Some(order) = port.parcel(leg, datagram, from, now) {
            // A busy thread loses a packet, as its socket would.
            drop(line.give(order));
        }
    }

    /// A datagram that another thread read.
    pub(super) fn browser_parcel(&mut self, id: LegId, parcel: Box<Parcel>, returns: &Returns) {
        let bytes = parcel.bytes.get(..parcel.length).unwrap_or_default();
        self.browser_packet(id, bytes, parcel.from, parcel.at);
        // Where enough are back already, this one is let go.
        let _ = returns.try_send(parcel);
    }

    /// A datagram of the leg's browser.
    pub(super) fn browser_packet(
        &mut self,
        id: LegId,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) {
        let mut heard = std::mem::take(&mut self.heard);
        if let Some(peer) = self.leg(id).and_then(|leg| leg.wire.browser()) {
            peer.receive(datagram, from, now, &mut heard);
            self.browser_news(id, now);
            if let Some(leg) = self.leg(id) {
                leg.alive(now);
            }
            self.browser_heard(id, &heard, now);
        }
        heard.clear();
        self.heard = heard;
    }

    /// Lets the connection of the leg in `slot` work.
    pub(super) fn browser_turn(&mut self, slot: usize, now: Instant) {
        let mut heard = std::mem::take(&mut self.heard);
        if let Some(leg) = self.legs[slot].as_deref_mut() {
            let id = leg.id;
            if let Some(peer) = leg.wire.browser() {
                peer.tick(now, &mut heard);
                self.browser_news(id, now);
                self.browser_heard(id, &heard, now);
            }
        }
        heard.clear();
        self.heard = heard;
    }

    fn browser_heard(&mut self, id: LegId, heard: &[Plain], now: Instant) {
        for packet in heard {
            let Some(slot) = self.slots.get(&id).copied() else {
                return;
            };
            let from = self.leg(id).map_or_else(nowhere, |leg| leg.remote());
            self.packet(slot, packet.bytes(), from, now);
        }
    }

    fn browser_news(&mut self, id: LegId, now: Instant) {
        let Some(leg) = self.leg(id) else { return };
        let Some(peer) = leg.wire.browser() else {
            return;
        };
        match peer.news() {
            Some(News::Up) => {
                let codec = if peer.sends_pcma() {
                    Codec::Pcma
                } else {
                    Codec::Pcmu
                };
                let dtmf = peer.dtmf();
                // Another connection is another stream: its address here is only a name.
                let name = SocketAddr::from((Ipv4Addr::UNSPECIFIED, leg.remote().port() ^ 1));
                let agreed = Agreed {
                    remote: name,
                    codec,
                    dtmf,
                    send: true,
                    receive: true,
                    secured: None,
                };
                leg.agree(agreed, true, now);
                self.tell(Event::Browser { leg: id, up: true });
            }
            Some(News::Down) => {
                leg.wire = Wire::Browser(None);
                self.tell(Event::Browser { leg: id, up: false });
            }
            None => {}
        }
    }

    /// A new connection takes the place of the leg's old one.
    pub(super) fn browser_again(&mut self, id: LegId, peer: Box<Peer>, now: Instant) {
        let Some(leg) = self.leg(id) else { return };
        if let Some(old) = leg.wire.browser() {
            old.say_bye(now);
        }
        leg.wire = Wire::Browser(Some(peer));
    }
}

fn nowhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
}
