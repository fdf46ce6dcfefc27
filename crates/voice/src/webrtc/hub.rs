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
                // Another leg may have come from the same address since.
                if self.by_source.get(&source) == Some(&leg) {
                    self.by_source.remove(&source);
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::ice::TransId;

    const A: LegId = LegId(1);
    const B: LegId = LegId(2);

    fn hub() -> Hub {
        let here = IpAddr::from([127, 0, 0, 1]);
        let front = Front::open(SocketAddr::new(here, 0), &[here]).expect("opens");
        Hub::new(Arc::new(front), Instant::now())
    }

    fn from(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], port))
    }

    /// A check of the browser for `name`, made with `pass`.
    fn check(hub: &Hub, name: &str, pass: &str) -> Vec<u8> {
        let username = format!("{name}:theirs");
        let message = StunMessage::binding_request(&username, TransId::new(), true, 7, 1, true);
        let mut buffer = [0; 512];
        let hmac = |key: &[u8], parts: &[&[u8]]| hub.front.hmac(key, parts);
        let n = message
            .to_bytes(Some(pass.as_bytes()), &mut buffer, hmac)
            .expect("fits");
        buffer[..n].to_vec()
    }

    const HELLO: [u8; 64] = [22; 64];

    #[test]
    fn only_who_proved_himself_is_let_through() {
        let (mut hub, now) = (hub(), Instant::now());
        hub.put(A, "ours", "secret");
        let (browser, thief) = (from(1, 5_000), from(2, 5_000));
        assert_eq!(hub.route(&HELLO, browser, now), None, "no check yet");
        let good = check(&hub, "ours", "secret");
        for bad in [
            check(&hub, "ours", "guess"),
            check(&hub, "other", "secret"),
            good[..good.len() - 1].to_vec(),
            good[..24].to_vec(),
        ] {
            assert_eq!(hub.route(&bad, thief, now), None);
        }
        for at in 0..good.len() - 8 {
            let mut changed = good.clone();
            changed[at] ^= 0x55;
            assert_eq!(hub.route(&changed, thief, now), None, "octet {at}");
        }
        assert_eq!(hub.route(&good, browser, now), Some(A));
        assert_eq!(hub.route(&HELLO, browser, now), Some(A));
        assert_eq!(hub.route(&[0x80; 172], browser, now), Some(A));
        for odd in [&[][..], &[4; 30], &[70; 30], &[255; 1_400]] {
            assert_eq!(hub.route(odd, browser, now), None);
        }
        assert_eq!(hub.route(&HELLO, thief, now), None);
        hub.forget(A);
        assert_eq!(hub.route(&HELLO, browser, now), None, "over is over");
        assert_eq!(hub.route(&good, browser, now), None);
    }

    #[test]
    fn a_new_connection_forgets_the_old_and_addresses_are_few() {
        let (mut hub, now) = (hub(), Instant::now());
        hub.put(A, "first", "secret");
        let first = check(&hub, "first", "secret");
        for port in 0..10 {
            assert_eq!(hub.route(&first, from(1, port), now), Some(A));
        }
        let known = (0..10).filter(|p| hub.route(&HELLO, from(1, *p), now).is_some());
        assert_eq!(known.count(), limits::BROWSER_SOURCES);
        hub.put(B, "next", "other");
        let next = check(&hub, "next", "other");
        assert_eq!(hub.route(&next, from(1, 9), now), Some(B));
        hub.put(A, "again", "third");
        assert_eq!(hub.route(&first, from(1, 8), now), None);
        assert_eq!(hub.route(&HELLO, from(1, 8), now), None);
        assert_eq!(hub.route(&HELLO, from(1, 9), now), Some(B), "B's stays");
    }

    #[test]
    fn a_stranger_is_read_so_often_a_second_and_no_more() {
        let (mut hub, now) = (hub(), Instant::now());
        hub.put(A, "ours", "secret");
        let good = check(&hub, "ours", "secret");
        let bad = check(&hub, "ours", "guess");
        let friend = from(1, 1);
        assert_eq!(hub.route(&good, friend, now), Some(A));
        for _ in 1..limits::STUN_PER_SECOND {
            assert_eq!(hub.route(&bad, from(9, 1), now), None);
        }
        assert_eq!(hub.route(&good, from(9, 2), now), Some(A), "the last one");
        assert_eq!(hub.route(&good, from(9, 3), now), None, "one too many");
        assert_eq!(
            hub.route(&good, friend, now),
            Some(A),
            "who is known is not counted"
        );
        let later = now + SECOND;
        assert_eq!(hub.route(&good, from(9, 3), later), Some(A));
    }
}
