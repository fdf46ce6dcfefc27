//! A trunk as the signalling thread keeps it: limits, health, addresses.

mod addresses;
mod line;

use self::addresses::Addresses;
use self::line::Line;
use crate::config::{SipTransport, TrunkConfig};
use crate::limits;
use crate::net::{Expected, Places, Wish, expected};
use domain::ports::TrunkError;
use sip::ua::PingKey;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts allowed in a moving window: never more than `cps` in any second. A token bucket would
/// allow twice as many at its edge.
#[derive(Debug)]
pub(super) struct StartGuard {
    most: usize,
    window: Duration,
    starts: VecDeque<Instant>,
}

impl StartGuard {
    /// `cps` below 1 means one start in `1 / cps` seconds.
    pub(super) fn new(cps: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked positive; a float casts saturating"
        )]
        let most = (cps.floor() as usize).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a count of calls a second")]
        let window = Duration::from_secs_f64((most as f64 / cps).clamp(0.001, 3_600.0));
        Self {
            most,
            window,
            starts: VecDeque::new(),
        }
    }

    /// Counts a start, or refuses it.
    pub(super) fn start(&mut self, now: Instant) -> bool {
        while let Some(first) = self.starts.front() {
            if now.saturating_duration_since(*first) < self.window {
                break;
            }
            self.starts.pop_front();
        }
        let fine = self.starts.len() < self.most;
        if fine {
            self.starts.push_back(now);
        }
        fine
    }
}

/// A ping under way.
pub(super) struct Ping {
    pub(super) key: PingKey,
    pub(super) sent: Instant,
    pub(super) to: SocketAddr,
}

/// A trunk now.
pub(super) struct Route {
    /// Shared with whoever places a call by it: its rules may have thousands of prefixes.
    pub(super) config: Arc<TrunkConfig>,
    /// The one in use first.
    pub(super) addrs: Addresses,
    looked_up: Option<Instant>,
    pub(super) up: bool,
    /// Whether its state was ever told.
    pub(super) told: bool,
    pub(super) in_use: u32,
    guard: StartGuard,
    /// What its certificate must show, where it is reached by TLS.
    pub(super) expected: Option<Expected>,
    /// Whether our registration there stands; None where none is wanted or known.
    pub(super) registered: Option<bool>,
    /// At which address it is tried.
    pub(super) registers_at: Option<SocketAddr>,
    /// When the next empty packet is due.
    next_keep_alive: Instant,
    pings_lost: u32,
    /// Whether it ever answered a ping. Many carriers drop OPTIONS: until one is answered, a lost
    /// ping says nothing and calls alone tell whether the trunk is there.
    ponged: bool,
    /// Calls running without any answer.
    silent_calls: u32,
    /// When calls may try again on a trunk that calls took down.
    retry: Option<Instant>,
    line: Line,
    next_ping: Instant,
    pub(super) pinging: Option<Ping>,
}

impl Route {
    pub(super) fn new(config: TrunkConfig, now: Instant) -> Self {
        let literal = config.host_port().ok().and_then(|(host, port)| {
            host.parse()
                .ok()
                .map(|ip: std::net::IpAddr| SocketAddr::new(ip, port))
        });
        let expected = certificate(&config);
        Self {
            guard: StartGuard::new(config.cps),
            expected,
            registered: None,
            registers_at: None,
            next_keep_alive: now,
            addrs: Addresses::of(literal),
            looked_up: literal.map(|_| now),
            // Until the first ping says otherwise, a call may try.
            up: true,
            told: false,
            in_use: 0,
            pings_lost: 0,
            ponged: false,
            silent_calls: 0,
            retry: None,
            line: Line::default(),
            next_ping: now,
            pinging: None,
            config: Arc::new(config),
        }
    }

    /// Takes a changed configuration; calls and health go on.
    pub(super) fn configure(&mut self, config: TrunkConfig, now: Instant) {
        let in_use = self.in_use;
        let same_place = config.uri == self.config.uri && config.transport == self.config.transport;
        if same_place {
            if config.cps.to_bits() != self.config.cps.to_bits() {
                self.guard = StartGuard::new(config.cps);
            }
            self.expected = certificate(&config);
            self.config = Arc::new(config);
            self.unpinged(now);
        } else {
            *self = Self::new(config, now);
            self.in_use = in_use;
        }
    }

    /// Where pings told and may not be sent any more, calls tell: what took it down is not looked at again.
    fn unpinged(&mut self, now: Instant) {
        if self.config.ping || !self.ponged {
            return;
        }
        (self.ponged, self.pings_lost) = (false, 0);
        if !self.up {
            self.retry = Some(now);
        }
    }

    /// Whether an address asked to be left alone; all of them are where the first one did.
    pub(super) fn pauses(&self, addr: SocketAddr, now: Instant) -> bool {
        self.addrs.pauses(addr, now)
    }

    /// Whether a call may start now; counts it.
    pub(super) fn start(&mut self, now: Instant) -> Result<SocketAddr, TrunkError> {
        let addr = *self.addrs.first().ok_or(TrunkError::TrunkDown)?;
        if !self.up || self.pauses(addr, now) {
            return Err(TrunkError::TrunkDown);
        }
        if self.in_use >= self.config.channels {
            return Err(TrunkError::Limit("channels"));
        }
        if !self.guard.start(now) {
            return Err(TrunkError::Limit("calls per second"));
        }
        self.in_use += 1;
        Ok(addr)
    }

    /// Whether one more INVITE of a call that holds a channel may leave now; counts it.
    pub(super) fn start_again(&mut self, now: Instant) -> bool {
        self.guard.start(now)
    }

    pub(super) fn release(&mut self) {
        self.in_use = self.in_use.saturating_sub(1);
    }

    /// A 503 of an address.
    pub(super) fn congested(&mut self, at: SocketAddr, after: Option<Duration>, now: Instant) {
        self.addrs.refused(at, after, now);
    }

    /// A final answer to a call: somebody is there. The new state when that is news.
    pub(super) fn heard(&mut self, at: SocketAddr, now: Instant) -> Option<bool> {
        self.addrs.heard(at);
        self.pings_lost = 0;
        self.silent_calls = 0;
        self.line.fine();
        if self.up && self.pinging.is_none() {
            self.next_ping = self.next_ping.max(now + limits::TRUNK_PING);
        }
        if self.ponged {
            return None;
        }
        let news = !self.up || !self.told;
        self.set(true);
        news.then_some(true)
    }

    /// A call got no answer at all: ask at once whether anybody is there. Where pings are never
    /// answered, several such calls running are the answer, and calls go to the next address; the new
    /// state when that is news. Where a redirection led says nothing of the trunk, nor does an address
    /// that calls go to no more.
    pub(super) fn doubt(&mut self, at: SocketAddr, now: Instant) -> Option<bool> {
        if self.addrs.first() != Some(&at) {
            return None;
        }
        if self.pinging.is_none() {
            self.next_ping = now;
        }
        self.silent_calls += 1;
        if self.ponged || !self.up || self.silent_calls < limits::TRUNK_SILENT_CALLS {
            return None;
        }
        if self.next_address(now) {
            self.silent_calls = 0;
            return None;
        }
        self.set(false);
        self.retry = Some(now + limits::TRUNK_RETRY);
        Some(false)
    }

    /// A connection went away behind a call. It is opened anew at once; where pings are answered they tell
    /// whether anybody is there.
    pub(super) fn cut(&mut self, at: SocketAddr, now: Instant) -> Option<bool> {
        if self.ponged || self.config.transport == SipTransport::Udp {
            return self.doubt(at, now);
        }
        if !self.addrs.contains(&at) {
            return None;
        }
        let rests = self.line.cut(now);
        self.rest(rests)
    }

    /// A call found no connection: the trunk rests until one can be opened, which is tried again soon.
    pub(super) fn unsent(&mut self, at: SocketAddr, now: Instant) -> Option<bool> {
        let elsewhere = !self.addrs.contains(&at);
        if elsewhere || self.ponged || self.config.transport == SipTransport::Udp {
            return None;
        }
        let first = !self.line.wanted();
        let rests = self.line.unsent(now, self.addrs.len());
        if first {
            self.addrs.missed(at, now);
        }
        self.rest(rests)
    }

    fn rest(&mut self, rests: bool) -> Option<bool> {
        let news = rests && self.up;
        if news {
            self.set(false);
        }
        news.then_some(false)
    }

    /// Where a connection is to be opened now.
    pub(super) fn connect(&mut self, now: Instant) -> Option<SocketAddr> {
        let to = self.addrs.first().copied()?;
        self.line.start(to, now).then_some(to)
    }

    /// Where opening one is under way.
    pub(super) fn connecting(&self) -> Option<SocketAddr> {
        self.line.tried()
    }

    /// Whether nothing will come of that any more.
    pub(super) fn connecting_in_vain(&self, now: Instant) -> bool {
        self.line.forgotten(now)
    }

    /// What became of it; the new state when that is news.
    pub(super) fn connected(&mut self, stands: bool, now: Instant) -> Option<bool> {
        if !stands {
            let tried = self.line.tried();
            let rests = self.line.missed(now, self.addrs.len());
            if let Some(at) = tried {
                self.addrs.missed(at, now);
            }
            return self.rest(rests);
        }
        self.line.opened();
        // One that was silent rests for its time: a connection is no answer.
        let news = !self.up && !self.ponged && self.retry.is_none();
        if news {
            self.set(true);
        }
        news.then_some(true)
    }

    /// A trunk that calls took down gets another chance when its time has come.
    pub(super) fn second_chance(&mut self, now: Instant) -> Option<bool> {
        if self.retry.is_none_or(|at| now < at) {
            return None;
        }
        self.silent_calls = 0;
        self.set(true);
        Some(true)
    }

    fn set(&mut self, up: bool) {
        self.up = up;
        self.told = true;
        self.retry = None;
    }

    /// The next address, if the name has more (RFC 3263 §4.3); whether nothing is known against it.
    fn next_address(&mut self, now: Instant) -> bool {
        let first = self.addrs.first().copied();
        first.is_some_and(|addr| self.addrs.missed(addr, now))
    }

    /// Where our registration goes on after nobody took it at an address, and whether at once: nothing is
    /// known against that one.
    pub(super) fn registers_elsewhere(&mut self, now: Instant) -> Option<(SocketAddr, bool)> {
        let at = self.registers_at?;
        let fine = self.addrs.missed(at, now);
        let other = self.addrs.iter().copied().find(|addr| *addr != at);
        self.registers_at = other.or(self.registers_at);
        other.map(|addr| (addr, fine))
    }

    /// Where it goes next although it stands: back to the address that calls go to.
    pub(super) fn registers_back(&mut self) -> Option<SocketAddr> {
        let first = self.addrs.first().copied();
        let other = first.filter(|addr| self.registers_at.is_some_and(|at| at != *addr));
        self.registers_at = other.or(self.registers_at);
        other
    }

    /// What time has changed: whoever rested may be asked again.
    pub(super) fn turn(&mut self, now: Instant) {
        self.addrs.turn(now, self.ponged && self.config.ping);
    }

    /// Where to ping, when that is due: first an address that calls would go back to, however many
    /// of them the one in use answers.
    pub(super) fn ping_due(&self, now: Instant) -> Option<SocketAddr> {
        if !self.config.ping || self.pinging.is_some() {
            return None;
        }
        let back = self.addrs.to_ask(now).filter(|_| self.ponged);
        let used = || self.addrs.first().copied();
        back.or_else(|| used().filter(|_| now >= self.next_ping))
    }

    /// The ping that was waited for long enough.
    pub(super) fn ping_lost(&self, now: Instant) -> Option<PingKey> {
        let ping = self.pinging.as_ref()?;
        let waited = now.saturating_duration_since(ping.sent);
        (waited >= limits::TRUNK_PING_WAIT).then_some(ping.key)
    }

    /// Outcome of a ping; the new state when it changed or was never told.
    pub(super) fn pinged(&mut self, answered: bool, now: Instant) -> Option<bool> {
        let used = self.addrs.first().copied();
        let at = self.pinging.take().map(|ping| ping.to).or(used);
        // While down, look more often: a trunk that is back should be used soon.
        let pause = if answered {
            limits::TRUNK_PING
        } else {
            limits::TRUNK_PING / 5
        };
        self.next_ping = now + pause;
        if answered {
            // One that was under way when they were switched off is the last.
            (self.pings_lost, self.silent_calls, self.ponged) = (0, 0, self.config.ping);
            self.line.fine();
            if let Some(at) = at {
                self.addrs.back(at);
            }
        } else if at != used {
            if let Some(at) = at {
                self.addrs.missed(at, now);
            }
            return None;
        } else if self.ponged {
            self.pings_lost += 1;
        } else {
            return None;
        }
        let up = answered || (self.up && self.pings_lost < limits::TRUNK_PINGS_LOST);
        let news = up != self.up || (!self.told && answered);
        if news {
            self.set(up);
        }
        if !up && self.next_address(now) {
            // Who knows: it may be up all the time.
            self.next_ping = now;
        }
        news.then_some(up)
    }

    /// Whom to look up, when that is due; `ours` are the transports we listen on.
    pub(super) fn look_up(&mut self, now: Instant, ours: &[SipTransport]) -> Option<Wish> {
        let (host, port) = self.config.place().ok()?;
        if host.parse::<std::net::IpAddr>().is_ok() {
            return None;
        }
        let due = self
            .looked_up
            .is_none_or(|at| now.saturating_duration_since(at) >= limits::DNS_TTL);
        if !due {
            return None;
        }
        self.looked_up = Some(now);
        let mut transports = vec![self.config.transport];
        if self.config.policy.any_transport && port.is_none() {
            let fit = |t: &&SipTransport| **t != self.config.transport;
            transports.extend(ours.iter().filter(fit));
        }
        Some(Wish {
            host,
            port,
            transports,
        })
    }

    /// Takes what the name service found.
    pub(super) fn found_at(&mut self, places: Places) {
        if self.config.policy.any_transport {
            if self.config.transport != places.transport {
                Arc::make_mut(&mut self.config).transport = places.transport;
            }
            if self.expected.is_none() {
                self.expected = certificate(&self.config);
            }
        }
        self.found(places.addrs);
    }

    /// Whether an empty packet is due, to keep a NAT open.
    pub(super) fn keep_alive(&mut self, now: Instant) -> Option<SocketAddr> {
        let wanted = self.config.policy.keep_alive && now >= self.next_keep_alive;
        let addr = self.addrs.first().copied().filter(|_| wanted)?;
        self.next_keep_alive = now + limits::KEEP_ALIVE;
        Some(addr)
    }

    /// Answer of the look-up; an empty one keeps what is known.
    pub(super) fn found(&mut self, addrs: Vec<SocketAddr>) {
        if addrs.is_empty() {
            return;
        }
        self.addrs.set(addrs);
    }
}

/// What the certificate of a trunk must show; None where none is needed or nothing can be trusted,
/// and then no connection is made.
fn certificate(config: &TrunkConfig) -> Option<Expected> {
    if config.transport != SipTransport::Tls {
        return None;
    }
    let (host, _) = config.host_port().ok()?;
    match expected(&host, &config.policy.tls) {
        Ok(expected) => Some(expected),
        Err(error) => {
            tracing::error!(trunk = %config.name, %error, "a trunk by TLS cannot be used");
            None
        }
    }
}

#[cfg(test)]
mod tests;
