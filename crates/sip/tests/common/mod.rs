//! A world of endpoints on virtual time, joined by links that lose, repeat and reorder.
#![expect(dead_code, reason = "each test binary uses its own part of the rig")]

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sip::header::NameAddr;
use sip::msg::Uri;
use sip::ua::{CallKey, Config, Event, InviteOrder, Received};
use sip::{ConnId, Endpoint, Millis, Proto, SeededIds, Source, Target};

/// How a link treats datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    pub(crate) delay_ms: (u64, u64),
}

impl Link {
    pub(crate) const CLEAN: Link = Link {
        loss: 0.0,
        duplicate: 0.0,
        delay_ms: (5, 5),
    };
}

pub(crate) struct Node {
    pub(crate) addr: SocketAddr,
    pub(crate) endpoint: Endpoint,
    pub(crate) events: Vec<(Millis, Event)>,
    seen: usize,
}

pub(crate) struct Packet {
    pub(crate) from: SocketAddr,
    pub(crate) target: Target,
    pub(crate) bytes: Bytes,
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) nodes: Vec<Node>,
    pub(crate) link: Link,
    pub(crate) rng: ChaCha8Rng,
    /// Packets to addresses without a node, and all packets when `record` is on.
    pub(crate) mailbox: Vec<(Millis, Packet)>,
    pub(crate) record: bool,
    pub(crate) wire: Vec<(Millis, Packet)>,
    /// What reached a node, when `record` is on.
    pub(crate) delivered: Vec<(Millis, Packet)>,
    queue: BTreeMap<(Millis, u64), Packet>,
    sequence: u64,
}

pub(crate) fn addr(number: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5_000 + number))
}

pub(crate) fn uri(text: &str) -> Uri {
    text.parse().expect("test uri")
}

pub(crate) fn node_config(number: u16) -> Config {
    let mut config = Config::new(addr(number));
    config.local.tcp = Some(addr(number));
    config
}

impl World {
    pub(crate) fn new(seed: u64, link: Link) -> Self {
        World {
            now: Millis(1_000),
            nodes: Vec::new(),
            link,
            rng: ChaCha8Rng::seed_from_u64(seed),
            mailbox: Vec::new(),
            record: false,
            wire: Vec::new(),
            delivered: Vec::new(),
            queue: BTreeMap::new(),
            sequence: 0,
        }
    }

    pub(crate) fn add(&mut self, config: Config) -> usize {
        let number = self.nodes.len();
        let addr = config.local.udp.expect("udp address");
        let seed = self.rng.random::<u64>();
        let endpoint = Endpoint::new(config, Box::new(SeededIds::from_number(seed)));
        self.nodes.push(Node {
            addr,
            endpoint,
            events: Vec::new(),
            seen: 0,
        });
        number
    }

    /// Two endpoints with default settings.
    pub(crate) fn pair(seed: u64, link: Link) -> Self {
        let mut world = World::new(seed, link);
        world.add(node_config(1));
        world.add(node_config(2));
        world
    }

    pub(crate) fn order(&self, from: usize, to: usize) -> InviteOrder {
        let dest = self.nodes[to].addr;
        let own = self.nodes[from].addr;
        InviteOrder::new(
            Uri::sip(Some("callee"), dest),
            Target::udp(dest),
            NameAddr::new(Uri::sip(Some("caller"), own)),
            Bytes::from_static(b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"),
        )
    }

    pub(crate) fn call(&mut self, from: usize, to: usize) -> CallKey {
        let order = self.order(from, to);
        let now = self.now;
        self.nodes[from]
            .endpoint
            .invite(now, order)
            .expect("invite")
    }

    /// Sends raw octets from an address that is no node.
    pub(crate) fn inject(&mut self, from: SocketAddr, to: usize, octets: &[u8]) {
        let target = Target::udp(self.nodes[to].addr);
        let bytes = Bytes::copy_from_slice(octets);
        self.post(
            Packet {
                from,
                target,
                bytes,
            },
            self.now + 1,
        );
        self.flush();
        let end = self.now + 2;
        self.run_until(end);
    }

    fn post(&mut self, packet: Packet, at: Millis) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), packet);
    }

    /// Takes what endpoints want sent, and their reports.
    pub(crate) fn flush(&mut self) {
        for index in 0..self.nodes.len() {
            while let Some(event) = self.nodes[index].endpoint.poll_event() {
                let now = self.now;
                self.nodes[index].events.push((now, event));
            }
            while let Some(out) = self.nodes[index].endpoint.poll_transmit() {
                let from = self.nodes[index].addr;
                self.transmit(Packet {
                    from,
                    target: out.target,
                    bytes: out.bytes,
                });
            }
        }
    }

    fn transmit(&mut self, packet: Packet) {
        let copy = |p: &Packet| Packet {
            from: p.from,
            target: p.target,
            bytes: p.bytes.clone(),
        };
        if self.record {
            self.wire.push((self.now, copy(&packet)));
        }
        if packet.target.proto == Proto::Udp && self.rng.random_bool(self.link.loss) {
            return;
        }
        let (low, high) = self.link.delay_ms;
        if packet.target.proto == Proto::Udp && self.rng.random_bool(self.link.duplicate) {
            let at = self.now + self.rng.random_range(low..=high);
            self.post(copy(&packet), at);
        }
        // Streams keep their order.
        let wait = if packet.target.proto == Proto::Udp {
            self.rng.random_range(low..=high)
        } else {
            low
        };
        let at = self.now + wait;
        self.post(packet, at);
    }

    fn deliver(&mut self, packet: Packet) {
        let to = self
            .nodes
            .iter()
            .position(|node| node.addr == packet.target.dest);
        let now = self.now;
        let Some(to) = to else {
            self.mailbox.push((now, packet));
            return;
        };
        let source = match packet.target.proto {
            Proto::Udp => Source::udp(packet.from),
            // One connection between each pair of nodes, numbered by the ports.
            proto => {
                let (a, b) = (packet.from.port(), packet.target.dest.port());
                let conn = ConnId(u64::from(a.min(b)) * 100_000 + u64::from(a.max(b)));
                Source {
                    proto,
                    remote: packet.from,
                    conn: Some(conn),
                }
            }
        };
        let received = self.nodes[to].endpoint.receive(now, source, &packet.bytes);
        assert_eq!(received, Received::Keep);
        if self.record {
            self.delivered.push((now, packet));
        }
    }

    /// When something happens next.
    pub(crate) fn next(&mut self) -> Option<Millis> {
        self.flush();
        let packet = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timers = self
            .nodes
            .iter()
            .filter_map(|node| node.endpoint.next_deadline());
        packet.into_iter().chain(timers).min()
    }

    /// One instant: packets due, then timers due.
    fn step(&mut self, at: Millis) {
        self.now = self.now.max(at);
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let packet = entry.remove();
            self.deliver(packet);
            self.flush();
        }
        for index in 0..self.nodes.len() {
            let now = self.now;
            let due = self.nodes[index].endpoint.next_deadline();
            if due.is_some_and(|at| at <= now) {
                self.nodes[index].endpoint.on_timer(now);
                let after = self.nodes[index].endpoint.next_deadline();
                assert!(
                    after.is_none_or(|at| at > now),
                    "a timer that is due stays due"
                );
            }
        }
        self.flush();
    }

    pub(crate) fn run_until(&mut self, end: Millis) {
        let mut steps = 0;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.step(at);
            steps += 1;
            assert!(steps < 200_000, "the world does not come to rest");
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        self.run_until(end);
    }

    /// Runs until nothing is under way; false when something still is after `limit_ms`.
    pub(crate) fn settle(&mut self, limit_ms: u64) -> bool {
        let end = self.now + limit_ms;
        self.run_until(end);
        self.next().is_none()
    }

    /// Reports of a node that were not looked at yet.
    pub(crate) fn fresh(&mut self, node: usize) -> Vec<Event> {
        self.flush();
        let node = &mut self.nodes[node];
        let fresh = node.events[node.seen..]
            .iter()
            .map(|(_, event)| event.clone())
            .collect();
        node.seen = node.events.len();
        fresh
    }

    pub(crate) fn incoming(&mut self, node: usize) -> CallKey {
        let found = self.fresh(node).into_iter().find_map(|event| match event {
            Event::Incoming(incoming) => Some(incoming.call),
            _ => None,
        });
        found.expect("an incoming call")
    }

    /// A call from node 0 to node 1 that is answered.
    pub(crate) fn answered(&mut self) -> (CallKey, CallKey) {
        let out = self.call(0, 1);
        self.run_for(50);
        let inc = self.incoming(1);
        let now = self.now;
        let endpoint = &mut self.nodes[1].endpoint;
        endpoint.ring(now, inc).expect("ring");
        endpoint
            .answer(now, inc, Bytes::from_static(b"v=0\r\nanswer\r\n"))
            .expect("answer");
        self.run_for(50);
        assert!(
            self.fresh(0)
                .iter()
                .any(|event| matches!(event, Event::Answered { .. }))
        );
        assert!(
            self.fresh(1)
                .iter()
                .any(|event| matches!(event, Event::Confirmed { .. }))
        );
        (out, inc)
    }

    /// The first lines of all recorded packets.
    pub(crate) fn ladder(&self) -> Vec<String> {
        self.wire
            .iter()
            .map(|(_, packet)| first_line(&packet.bytes))
            .collect()
    }

    pub(crate) fn assert_empty(&self) {
        for node in &self.nodes {
            assert_eq!(node.endpoint.calls(), 0, "calls are left");
            assert_eq!(node.endpoint.transactions(), 0, "transactions are left");
        }
    }
}

pub(crate) fn first_line(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|b| *b == b'\r')
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// How often each call of a node ended, by key.
pub(crate) fn ends(events: &[(Millis, Event)]) -> HashMap<CallKey, usize> {
    let mut count = HashMap::new();
    for (_, event) in events {
        if let Event::Ended { call, .. } | Event::Failed { call, .. } = event {
            *count.entry(*call).or_insert(0) += 1;
        }
    }
    count
}
