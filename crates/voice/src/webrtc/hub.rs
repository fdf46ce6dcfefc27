//! Whose packet is it? Everything that arrives at the browsers' port comes through here.
//!
//! A STUN request is looked up by our user fragment and its integrity checked with our password;
//! only then its source may bring anything else. All else is dropped without an answer: DTLS, RTP
//! and RTCP of an address without a completed check never reach a connection (CVE-2023-49786).

use super::front::Front;
use crate::limits;
use crate::plane::LegId;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::ice::StunMessage;

/// Length of a count of strangers.
const SECOND: Duration = Duration::from_secs(1);

/// A connection as the port knows it.
struct Entry {
    ufrag: String,
    pass: String,
    /// Addresses that proved themselves, the newest last.
    sources: Vec<SocketAddr>,
}

/// The table of the port.
pub(crate) struct Hub {
    front: Arc<Front>,
    entries: HashMap<LegId, Entry>,
    by_ufrag: HashMap<String, LegId>,
    by_source: HashMap<SocketAddr, LegId>,
    strangers: HashMap<IpAddr, u32>,
    second: Instant,
    /// Datagrams dropped.
    pub(crate) dropped: u64,
}

impl Hub {
    pub(crate) fn new(front: Arc<Front>, now: Instant) -> Self {
        Self {
            front,
            entries: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_source: HashMap::new(),
            strangers: HashMap::new(),
            second: now,
            dropped: 0,
        }
    }

    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// A leg has a connection with these credentials; the one before is forgotten.
    pub(crate) fn put(&mut self, leg: LegId, ufrag: &str, pass: &str) {
        self.forget(leg);
        self.by_ufrag.insert(ufrag.to_owned(), leg);
        let entry = Entry {
            ufrag: ufrag.to_owned(),
            pass: pass.to_owned(),
            sources: Vec::new(),
        };
        self.entries.insert(leg, entry);
    }

    /// The leg's connection is over.
    pub(crate) fn forget(&mut self, leg: LegId) {
        if let Some(entry) = self.entries.remove(&leg) {
            self.by_ufrag.remove(&entry.ufrag);
            for source in entry.sources {
                self.by_source.remove(&source);
            }
        }
    }

    /// The leg that a datagram is for; `None` = dropped, nothing is answered.
    pub(crate) fn route(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> Option<LegId> {
        let leg = match datagram.first() {
            // RFC 7983: 0–3 STUN, 20–63 DTLS, 128–191 RTP and RTCP.
            Some(0..=3) => self.check(datagram, from, now),
            Some(20..=63 | 128..=191) => self.by_source.get(&from).copied(),
            _ => None,
        };
        self.dropped += u64::from(leg.is_none());
        leg
    }

    fn check(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> Option<LegId> {
        let known = self.by_source.contains_key(&from);
        if (!known && !self.stranger_may(from.ip(), now)) || datagram.len() > limits::STUN_BYTES {
            return None;
        }
        let message = StunMessage::parse(datagram).ok()?;
        if !message.is_binding_request() {
            // We make no checks, so nobody owes us an answer.
            return None;
        }
        let (ours, _) = message.split_username()?;
        let leg = *self.by_ufrag.get(ours)?;
        let front = Arc::clone(&self.front);
        let entry = self.entries.get_mut(&leg)?;
        let proves = message.verify(entry.pass.as_bytes(), |key, parts| front.hmac(key, parts));
        if !proves {
            return None;
        }
        if !entry.sources.contains(&from) {
            if entry.sources.len() >= limits::BROWSER_SOURCES {
                let oldest = entry.sources.remove(0);
                self.by_source.remove(&oldest);
            }
            entry.sources.push(from);
            self.by_source.insert(from, leg);
        }
        Some(leg)
    }

    /// Whether an address that has not proved itself may be read once more this second.
    fn stranger_may(&mut self, ip: IpAddr, now: Instant) -> bool {
        if now.saturating_duration_since(self.second) >= SECOND {
            self.second = now;
            self.strangers.clear();
        }
        if self.strangers.len() >= limits::SOURCES && !self.strangers.contains_key(&ip) {
            return false;
        }
        let count = self.strangers.entry(ip).or_insert(0);
        *count += 1;
        *count <= limits::STUN_PER_SECOND
    }
}
