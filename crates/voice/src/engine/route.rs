//! A trunk as the signalling thread keeps it: limits, health, addresses.

mod line;

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

/// A trunk now.
pub(super) struct Route {
    /// Shared with whoever places a call by it: its rules may have thousands of prefixes.
    pub(super) config: Arc<TrunkConfig>,
    pub(super) addrs: Vec<SocketAddr>,
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
    /// When the next empty packet is due.
    next_keep_alive: Instant,
    back_off: Option<Instant>,
    /// 503s running without a Retry-After.
    refusals: u32,
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
    pub(super) pinging: Option<(PingKey, Instant)>,
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
            next_keep_alive: now,
            addrs: literal.into_iter().collect(),
            looked_up: literal.map(|_| now),
            // Until the first ping says otherwise, a call may try.
            up: true,
            told: false,
            in_use: 0,
            back_off: None,
            refusals: 0,
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

    /// Whether it is up and not asked to be left alone.
    pub(super) fn usable(&self, now: Instant) -> bool {
        self.up && self.back_off.is_none_or(|until| now >= until)
    }

    /// Whether a call may start now; counts it.
    pub(super) fn start(&mut self, now: Instant) -> Result<SocketAddr, TrunkError> {
        if !self.usable(now) {
            return Err(TrunkError::TrunkDown);
        }
        let addr = *self.addrs.first().ok_or(TrunkError::TrunkDown)?;
        if self.in_use >= self.config.channels {
            return Err(TrunkError::Limit("channels"));
        }
        if !self.guard.start(now) {
            return Err(TrunkError::Limit("calls per second"));
        }
        self.in_use += 1;
        Ok(addr)
    }

    pub(super) fn release(&mut self) {
        self.in_use = self.in_use.saturating_sub(1);
    }

    /// A 503. One without Retry-After may be about that call only (RFC 3261 §21.5.4): it takes
    /// several running to pause the trunk.
    pub(super) fn congested(&mut self, retry_after: Option<Duration>, now: Instant) {
        self.refusals += 1;
        if retry_after.is_none() && self.refusals < limits::TRUNK_REFUSALS {
            return;
        }
        self.refusals = 0;
        let pause = retry_after
            .unwrap_or(limits::TRUNK_BACK_OFF)
            .min(limits::TRUNK_BACK_OFF_MAX);
        self.back_off = Some(now + pause);
    }

    /// A final answer to a call: somebody is there. The new state when that is news.
    pub(super) fn heard(&mut self, now: Instant) -> Option<bool> {
        self.refusals = 0;
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
    /// answered, several such calls running are the answer; the new state when that is news.
    pub(super) fn doubt(&mut self, now: Instant) -> Option<bool> {
        if self.pinging.is_none() {
            self.next_ping = now;
        }
        self.silent_calls += 1;
        if self.ponged || !self.up || self.silent_calls < limits::TRUNK_SILENT_CALLS {
            return None;
        }
        self.set(false);
        self.retry = Some(now + limits::TRUNK_RETRY);
        self.next_address();
        Some(false)
    }

    /// A connection went away behind a call. It is opened anew at once; where pings are answered they tell
    /// whether anybody is there.
    pub(super) fn cut(&mut self, now: Instant) -> Option<bool> {
        if self.ponged || self.config.transport == SipTransport::Udp {
            return self.doubt(now);
        }
        let rests = self.line.cut(now);
        self.rest(rests)
    }

    /// A call found no connection: the trunk rests until one can be opened, which is tried again soon.
    pub(super) fn unsent(&mut self, now: Instant) -> Option<bool> {
        if self.ponged || self.config.transport == SipTransport::Udp {
            return None;
        }
        let first = !self.line.wanted();
        let rests = self.line.unsent(now, self.addrs.len());
        if first {
            self.next_address();
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
            let rests = self.line.missed(now, self.addrs.len());
            self.next_address();
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

    /// The next address, if the name has more (RFC 3263 §4.3).
    pub(super) fn next_address(&mut self) {
        let step = usize::from(self.addrs.len() > 1);
        self.addrs.rotate_left(step);
    }

    /// Where to ping, when that is due.
    pub(super) fn ping_due(&self, now: Instant) -> Option<SocketAddr> {
        let due = self.config.ping && self.pinging.is_none() && now >= self.next_ping;
        self.addrs.first().copied().filter(|_| due)
    }

    /// The ping that was waited for long enough.
    pub(super) fn ping_lost(&self, now: Instant) -> Option<PingKey> {
        let (key, sent) = self.pinging?;
        (now.saturating_duration_since(sent) >= limits::TRUNK_PING_WAIT).then_some(key)
    }

    /// Outcome of a ping; the new state when it changed or was never told.
    pub(super) fn pinged(&mut self, answered: bool, now: Instant) -> Option<bool> {
        self.pinging = None;
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
        if !up {
            self.next_address();
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
        let current = self.addrs.first().copied();
        self.addrs = addrs;
        self.addrs.truncate(limits::DNS_ADDRESSES);
        if let Some(at) = self.addrs.iter().position(|a| Some(*a) == current) {
            self.addrs.rotate_left(at);
        }
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
