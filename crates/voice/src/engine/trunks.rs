//! Trunks: their addresses, health, registrations; and who is known to us.

use super::calls::{hop, login, proto};
use super::core::Engine;
use super::legs::LegRow;
use super::route::{Ping, Route};
use crate::config::{SipTransport, TrunkConfig};
use crate::limits;
use crate::net::{Peers, Places, find, line};
use crate::plane::LegId;
use crate::voice::{Spent, TrunkStatus};
use bytes::Bytes;
use domain::ids::TrunkId;
use domain::ports::TrunkReport;
use sip::Transmit;
use sip::header::NameAddr;
use sip::msg::Uri;
use sip::ua::{PingKey, PingOrder, RegKey, RegisterOrder, RegistrationState};
use std::net::SocketAddr;

/// Addresses of a trunk's name.
pub(super) struct Found {
    trunk: TrunkId,
    places: Option<Places>,
}

impl Engine {
    /// What is due now and then.
    pub(super) fn housekeeping(&mut self) {
        self.at(std::time::Instant::now());
        let trunks: Vec<TrunkId> = self.routes.keys().copied().collect();
        for trunk in trunks {
            self.look_up(trunk);
            self.ping(trunk);
            self.register(trunk);
            self.keep_alive(trunk);
            self.reconnect(trunk);
            self.tell_limit(trunk);
        }
        self.look_after_media();
        self.check_agents();
        self.check_refers();
        self.check_callers();
        self.check_untaken();
        self.tell_trails(false);
        self.place_waiting();
        self.retry_orphans();
        self.plane.retry();
        self.outbox.post();
        if self.outbox.deaf() && self.farewell.is_none() {
            // Nobody reads the reports: calls would go on without an owner.
            self.say_farewell(None);
        }
    }

    fn look_up(&mut self, trunk: TrunkId) {
        let now = self.now;
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        let mut ours: Vec<SipTransport> = self.net.addrs().iter().map(|(t, _)| *t).collect();
        ours.dedup();
        let Some(wish) = route.look_up(now, &ours) else {
            return;
        };
        let (answer, names) = (self.looking_up.clone(), self.names.clone());
        tokio::spawn(async move {
            let draw = |below: u32| rand::random_range(0..below.max(1));
            let found = find(&wish, &names, draw);
            let places = tokio::time::timeout(limits::DNS_IN_ALL, found).await;
            let places = places.ok().flatten();
            if places.is_none() {
                tracing::warn!(host = wish.host, "trunk name not found");
            }
            let _ = answer.send(Found { trunk, places }).await;
        });
    }

    pub(super) fn found(&mut self, found: Found) {
        // Where no socket of ours could send from, the carrier is not to be reached.
        let bound = self.net.addrs();
        let usable = |proto: SipTransport, addr: &SocketAddr| {
            proto != SipTransport::Udp
                || bound
                    .iter()
                    .any(|(t, a)| *t == proto && a.is_ipv4() == addr.is_ipv4())
        };
        if let (Some(route), Some(mut places)) = (self.routes.get_mut(&found.trunk), found.places) {
            let transport = places.transport;
            places.addrs.retain(|addr| usable(transport, addr));
            route.found_at(places);
        }
        self.befriend();
    }

    fn ping(&mut self, trunk: TrunkId) {
        let (now, millis) = (self.now, self.millis());
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        route.turn(now);
        if let Some(up) = route.second_chance(now) {
            self.tell_health(trunk, Some(up));
            return;
        }
        if let Some(key) = route.ping_lost(now) {
            self.pings.remove(&key);
            self.health(trunk, false);
            return;
        }
        let Some(dest) = route.ping_due(now) else {
            return;
        };
        let proto = proto(route.config.transport);
        let order = PingOrder {
            target: Uri::sip(None, dest).with_transport(proto),
            next_hop: hop(&route.config, dest),
            from: NameAddr::new(Uri::sip(Some("marcador"), self.sip_addr)),
        };
        if let Ok(key) = self.endpoint.options_ping(millis, order) {
            route.pinging = Some(Ping {
                key,
                sent: now,
                to: dest,
            });
            self.pings.insert(key, trunk);
        }
    }

    /// The fate of a ping. Any answer but "no service" shows that somebody is there.
    pub(super) fn pong(&mut self, ping: PingKey, code: Option<u16>) {
        if let Some(trunk) = self.pings.remove(&ping) {
            self.health(trunk, code.is_some_and(|code| code != 503));
        }
    }

    fn health(&mut self, trunk: TrunkId, answered: bool) {
        let now = self.now;
        if let Some(route) = self.routes.get_mut(&trunk) {
            let news = route.pinged(answered, now);
            self.tell_health(trunk, news);
        }
    }

    /// Tells the new state of a trunk, when there is one.
    pub(super) fn tell_health(&mut self, trunk: TrunkId, news: Option<bool>) {
        let (Some(up), Some(route)) = (news, self.routes.get(&trunk)) else {
            return;
        };
        tracing::info!(trunk = %route.config.name, up, "trunk health");
        let at = self.stamp();
        self.outbox.tell(TrunkReport::TrunkHealth { trunk, up, at });
    }

    /// Tells whether the trunk's calls have come to a limit of the day or the hour, when that is news. Of a trunk that is no
    /// route any more none is left.
    fn tell_limit(&mut self, trunk: TrunkId) {
        let now = self.now;
        let Some(toll) = self.tolls.get_mut(&trunk) else {
            return;
        };
        let route = self.routes.get(&trunk);
        let limit = route.and_then(|route| toll.limit(&route.config.policy.toll, now));
        if std::mem::replace(&mut toll.told, limit) == limit {
            return;
        }
        tracing::warn!(%trunk, limit, "limit of a trunk's calls");
        let at = self.stamp();
        self.outbox
            .tell(TrunkReport::TollLimit { trunk, limit, at });
    }

    /// What a leg of ours talks counts from now on.
    pub(super) fn metered(&mut self, leg: LegId) {
        let billed = self.live(leg).and_then(LegRow::billed);
        let Some((trunk, number)) = billed.map(|(trunk, number)| (trunk, number.to_owned())) else {
            return;
        };
        let now = self.now;
        if let Some(route) = self.routes.get(&trunk) {
            let rules = &route.config.policy.toll;
            let toll = self.tolls.entry(trunk).or_default();
            toll.meter.answered(leg, rules, &number, now);
        }
    }

    /// What was talked on a trunk before our start and by other nodes.
    pub(super) fn spent(&mut self, trunk: TrunkId, spent: &[Spent]) {
        if let Some(route) = self.routes.get(&trunk) {
            let toll = self.tolls.entry(trunk).or_default();
            toll.meter
                .others(&route.config.policy.toll, spent, self.now);
            self.tell_limit(trunk);
        }
    }

    /// Follows the routes: a trunk that is left out and put back has not got its day again by that.
    fn set_tolls(&mut self) {
        let now = self.now;
        let all: Vec<TrunkId> = self.tolls.keys().copied().collect();
        for trunk in all {
            self.tell_limit(trunk);
            if let (Some(route), Some(toll)) = (self.routes.get(&trunk), self.tolls.get_mut(&trunk))
            {
                toll.configure(&route.config.policy.toll);
            }
        }
        let routes = &self.routes;
        self.tolls
            .retain(|trunk, toll| routes.contains_key(trunk) || !toll.is_empty(now));
        let gone = self.tolls.keys().filter(|t| !routes.contains_key(*t));
        let gone: Vec<TrunkId> = gone.copied().collect();
        let over = gone.len().saturating_sub(limits::TOLLS_KEPT);
        for trunk in gone.iter().take(over) {
            self.tolls.remove(trunk);
        }
    }

    fn register(&mut self, trunk: TrunkId) {
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        if !route.config.register || self.registrations.contains_key(&trunk) {
            return;
        }
        let dest = route.addrs.first().copied();
        let (Some(dest), Ok((host, _))) = (dest, route.config.host_port()) else {
            return;
        };
        route.registers_at = Some(dest);
        let user = route
            .config
            .username
            .clone()
            .unwrap_or_else(|| "marcador".to_owned());
        let order = RegisterOrder {
            registrar: Uri::sip_host(None, &host),
            next_hop: hop(&route.config, dest),
            account: NameAddr::new(Uri::sip_host(Some(&user), &host)),
            contact_user: user,
            expires_s: limits::TRUNK_REGISTRATION_S,
            login: login(&route.config),
        };
        let now = self.millis();
        match self.endpoint.register(now, order) {
            Ok(key) => drop(self.registrations.insert(trunk, key)),
            Err(error) => tracing::warn!(%error, "cannot register at a trunk"),
        }
    }

    /// News of a registration of ours. One that nobody answers is tried at the trunk's next address, and
    /// goes back with the calls.
    pub(super) fn registration(&mut self, key: RegKey, state: &RegistrationState) {
        let of_it = self.registrations.iter().find(|(_, k)| **k == key);
        let Some(trunk) = of_it.map(|(trunk, _)| *trunk) else {
            return;
        };
        let now = self.now;
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        let name = &route.config.name;
        let mut moved = None;
        match state {
            RegistrationState::Registered { expires_s } => {
                if route.registered != Some(true) {
                    tracing::info!(trunk = %name, expires_s, "registered at a trunk");
                }
                route.registered = Some(true);
                moved = route.registers_back().map(|dest| (dest, false));
            }
            RegistrationState::Failed { code, retry_in_ms } => {
                tracing::warn!(trunk = %name, code, retry_in_ms, "a trunk refused our registration");
                route.registered = Some(false);
                if matches!(code, 408 | 503) {
                    moved = route.registers_elsewhere(now);
                }
            }
            RegistrationState::Unregistered => route.registered = None,
        }
        if let Some((dest, at_once)) = moved {
            let hop = hop(&route.config, dest);
            let _ = self.endpoint.move_registration(key, hop);
            if at_once {
                let now = self.millis();
                let _ = self.endpoint.register_again(now, key);
            }
        }
    }

    /// Keeps the NAT before a trunk open (RFC 5626 §4.4).
    fn keep_alive(&mut self, trunk: TrunkId) {
        let now = self.now;
        let Some(route) = self.routes.get_mut(&trunk) else {
            return;
        };
        if let Some(dest) = route.keep_alive(now) {
            let target = hop(&route.config, dest);
            let bytes = Bytes::from_static(b"\r\n\r\n");
            self.net.send(Transmit { target, bytes });
        }
    }

    /// Replaces the routes. Calls on a route that is gone go on.
    pub(super) fn set_trunks(&mut self, trunks: Vec<TrunkConfig>) {
        let (now, millis) = (self.now, self.millis());
        let mut before = std::mem::take(&mut self.routes);
        for config in trunks {
            let id = config.id;
            let route = match before.remove(&id) {
                Some(mut route) => {
                    route.configure(config, now);
                    route
                }
                None => Route::new(config, now),
            };
            self.routes.insert(id, route);
        }
        let gone = |trunk: &TrunkId| !self.routes.get(trunk).is_some_and(|r| r.config.register);
        let left: Vec<TrunkId> = self
            .registrations
            .keys()
            .filter(|t| gone(t))
            .copied()
            .collect();
        for key in left
            .iter()
            .filter_map(|trunk| self.registrations.remove(trunk))
        {
            let _ = self.endpoint.unregister(millis, key);
        }
        self.set_tolls();
        self.befriend();
        self.housekeeping();
    }

    pub(super) fn trunk_status(&self) -> Vec<TrunkStatus> {
        let status = |route: &Route| TrunkStatus {
            id: route.config.id,
            name: route.config.name.clone(),
            up: route.up && !route.addrs.is_empty(),
            channels: route.config.channels,
            in_use: route.in_use,
            cps: route.config.cps,
            registered: route.registered,
        };
        self.routes.values().map(status).collect()
    }

    /// Whose datagrams are never dropped as a stranger's: trunks and registered phones.
    pub(super) fn befriend(&mut self) {
        let trunks = self
            .routes
            .values()
            .flat_map(|r| r.addrs.iter().map(SocketAddr::ip));
        let phones = self.phones.values().flatten().map(|(_, from)| from.ip());
        let nets = self.routes.values().flat_map(|r| &r.config.policy.acl);
        let nets = nets.copied().collect();
        self.net.befriend(trunks.chain(phones).collect(), nets);
        self.endpoint.admit(self.callers());
        self.endpoint.admit_replacing(self.replacers());
        let mut peers = Peers::default();
        for (trunk, route) in &self.routes {
            if let Some(expected) = &route.expected {
                for addr in route.addrs.iter() {
                    // Which of two certificates of ours an address wants to see can only a line tell.
                    let shared = self.routes.values().any(|other| {
                        other.addrs.contains(addr)
                            && other.expected.is_some()
                            && other.config.policy.tls != route.config.policy.tls
                    });
                    if !shared {
                        peers.addrs.insert(*addr, expected.clone());
                    }
                    peers.lines.insert(line(*trunk, *addr), expected.clone());
                }
            }
        }
        self.net.expect(peers);
        self.end_orphans();
    }
}
