//! Calls that come in: a debtor who calls back hears the safe-harbour message; anybody who is no
//! trunk is refused.

use super::calls::{hop, proto};
use super::core::Engine;
use super::fault::Begun;
use super::legs::{LegRow, Media, OurEnd, Owner};
use crate::config::Codec;
use crate::limits;
use crate::plane::{Agreed, LegId, Order, Sound};
use bytes::Bytes;
use sip::ua::{CallKey, Incoming};
use sip::{Source, Target};
use std::collections::HashSet;
use std::net::SocketAddr;

impl Engine {
    pub(super) fn incoming(&mut self, incoming: &Incoming) {
        let welcome = self.welcome(incoming);
        self.begun = Begun::default();
        if let Err(code) = welcome {
            self.tell_turned_away(incoming, code);
            let now = self.millis();
            let _ = match code {
                503 => self.endpoint.turn_away(now, incoming.call),
                _ => self.endpoint.reject(now, incoming.call, code, None),
            };
        }
    }

    /// Answers and plays, or says with which code to refuse.
    fn welcome(&mut self, incoming: &Incoming) -> Result<(), u16> {
        // Who may call was asked by the endpoint, before it kept anything; nobody out there may take the
        // place of a call of ours.
        if let Some(replaced) = incoming.replaces {
            return self.takes_place(incoming, replaced);
        }
        let busy = self.legs.callers() >= limits::INBOUND_CALLS
            || self.taken_calls() >= limits::INBOUND_TAKEN
            || self.endpoint.transactions() >= self.config.sip_transactions
            || self.farewell.is_some();
        if busy {
            return Err(503);
        }
        let behind_nat = self.nat_of(incoming.source.remote);
        let (leg, media, agreed) = self.picked_up(incoming, behind_nat)?;
        if self.follows(incoming.source.remote) {
            let _ = self.endpoint.follow_contact(incoming.call);
        }
        if let Some(home) = self.home_of(&incoming.source) {
            let _ = self.endpoint.home(incoming.call, home);
        }
        if let Some(trunk) = self.taker(incoming.source.remote) {
            self.hand_over(incoming, trunk, (leg, media), agreed);
            return Ok(());
        }
        let owner = Owner::Caller {
            since: self.now,
            greeted: false,
        };
        let key = incoming.call;
        self.adopt(
            leg,
            LegRow {
                owner,
                key: Some(key),
                media,
                end: None,
                our_end: None,
            },
        );
        self.leg_up(leg);
        if let Some(agreed) = agreed {
            self.play_to_caller(leg, agreed);
        }
        Ok(())
    }

    /// Answers a call: its leg, our side of its session, and what was agreed where it came with an offer.
    pub(super) fn picked_up(
        &mut self,
        incoming: &Incoming,
        behind_nat: bool,
    ) -> Result<(LegId, Media, Option<Agreed>), u16> {
        let (leg, port) = self.plane.add(behind_nat).ok_or(503_u16)?;
        self.begun.leg = Some(leg);
        let media = self.media(port, &[Codec::Pcma, Codec::Pcmu]);
        let mut media = media.secured(incoming.source.proto == sip::Proto::Tls);
        let answer = match &incoming.sdp {
            Some(offer) => media
                .answer(offer)
                .map(|(body, agreed)| (body, Some(agreed))),
            None => Ok((media.offer(), None)),
        };
        let Ok((body, agreed)) = answer else {
            self.plane.order(Order::Remove(leg, self.now));
            return Err(488);
        };
        let now = self.millis();
        if self.endpoint.answer(now, incoming.call, body).is_err() {
            self.plane.order(Order::Remove(leg, self.now));
            return Err(500);
        }
        Ok((leg, media, agreed))
    }

    /// Whose calls are answered: a trunk's, or anyone's when so configured. On loopback all peers share
    /// an address, so the port counts there too. To be asked again when trunks or phones change.
    pub(super) fn callers(&self) -> impl Fn(&Source) -> bool + Send + Sync + 'static {
        let phones = self.phones.values().flatten().map(|(_, at)| *at);
        let phones: HashSet<SocketAddr> = phones.collect();
        let routes = self.routes.values();
        let nets = routes.clone().flat_map(|r| r.config.policy.acl.iter());
        let nets: Vec<_> = nets.copied().collect();
        let trunks: Vec<SocketAddr> = routes.flat_map(|r| r.addrs.iter().copied()).collect();
        let anyone = self.config.inbound.from_anyone;
        move |source: &Source| {
            let from = source.remote;
            let trunk = |addr: &SocketAddr| {
                addr.ip() == from.ip() && (!addr.ip().is_loopback() || addr.port() == from.port())
            };
            let admitted =
                anyone || nets.iter().any(|net| net.holds(from.ip())) || trunks.iter().any(trunk);
            admitted && !phones.contains(&from)
        }
    }

    /// Where requests of a caller's call go once the connection it came by is gone: to the trunk that is at
    /// its address, by that trunk's own way.
    fn home_of(&self, source: &Source) -> Option<Target> {
        let routes = self.routes.values().filter(|route| {
            source.proto.reliable() && proto(route.config.transport) == source.proto
        });
        routes
            .flat_map(|route| route.addrs.iter().map(move |addr| (route, *addr)))
            .find(|(_, addr)| addr.ip() == source.remote.ip())
            .map(|(route, addr)| hop(&route.config, addr))
    }

    /// The trunk at an address.
    fn route_at(&self, from: SocketAddr) -> Option<&super::route::Route> {
        let of_it = |r: &&super::route::Route| r.addrs.iter().any(|a| a.ip() == from.ip());
        self.routes.values().find(of_it)
    }

    /// Whether the trunk that a caller comes by is behind NAT, be it that it calls from a range of its own.
    fn nat_of(&self, from: SocketAddr) -> bool {
        let trunk = self.trunk_of(from);
        let route = trunk.and_then(|trunk| self.routes.get(&trunk));
        route.is_some_and(|route| route.config.behind_nat)
    }

    /// Whether what a caller writes of where he is to be found is believed: a carrier's calls may be elsewhere than
    /// its proxy. A stranger could have us send to anybody.
    fn follows(&self, from: SocketAddr) -> bool {
        // On loopback all peers share an address.
        let is_it = |a: &SocketAddr| !a.ip().is_loopback() || a.port() == from.port();
        let route = self.route_at(from);
        route.is_some_and(|r| !r.config.behind_nat && r.addrs.iter().any(is_it))
    }

    /// The far end's answer to an offer of ours, in the ACK: of the caller whom the message waits for, or
    /// of any leg that asked for an offer in the middle of its call.
    pub(super) fn confirmed(&mut self, call: CallKey, sdp: Option<&Bytes>) {
        let Some(leg) = self.legs.of_call(call) else {
            return;
        };
        let Some(sdp) = sdp else { return };
        let Some(row) = self.live(leg) else { return };
        let greets = matches!(row.owner, Owner::Caller { greeted: false, .. });
        match row.media.answered(Some(sdp)) {
            Ok(agreed) if greets => self.play_to_caller(leg, agreed),
            Ok(agreed) => self.plane.order(Order::Agreed(leg, agreed, true)),
            // What was agreed before still stands.
            Err(error) if !greets => {
                tracing::warn!(leg = leg.0, %error, "a change without usable audio");
            }
            Err(_) => self.end_leg(
                leg,
                OurEnd {
                    q850: 88,
                    why: "no common codec",
                },
            ),
        }
    }

    fn play_to_caller(&mut self, leg: LegId, agreed: Agreed) {
        if let Some(row) = self.legs.get_mut(leg)
            && let Owner::Caller { greeted, .. } = &mut row.owner
        {
            *greeted = true;
        }
        self.plane.order(Order::Agreed(leg, agreed, true));
        let inbound = &self.config.inbound;
        match self
            .prompts
            .safe_harbour(&inbound.client, &inbound.language)
        {
            Some(samples) => self
                .plane
                .order(Order::Play(leg, Some(Sound::message(samples)))),
            None => self.end_leg(
                leg,
                OurEnd {
                    q850: 16,
                    why: "no message",
                },
            ),
        }
    }

    /// Callers whose message should be over by now (a far end that takes no audio).
    pub(super) fn check_callers(&mut self) {
        let now = self.now;
        let late = |row: &LegRow| {
            matches!(row.owner, Owner::Caller { since, .. }
                if now.saturating_duration_since(since) >= limits::INBOUND_LONGEST)
        };
        let ended: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, row)| late(row))
            .map(|(leg, _)| leg)
            .collect();
        for leg in ended {
            self.end_leg(
                leg,
                OurEnd {
                    q850: 16,
                    why: "message over",
                },
            );
        }
    }
}
