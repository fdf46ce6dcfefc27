//! RTP ports: a pair per leg, drawn at random from the configured range and closed with the leg.

use crate::limits;
use rand::Rng;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{HashSet, VecDeque};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::time::Instant;

/// Sockets of one leg.
#[derive(Debug)]
pub(crate) struct PortPair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) port: u16,
    /// Far end that the RTP port is tied to.
    pub(crate) tied: Option<SocketAddr>,
    /// Bound to every address of the machine: a tie would choose one of them.
    wide: bool,
}

impl PortPair {
    /// Ties the RTP port to the far end, or to another one: the system drops what others send to it, and
    /// finds the way there once instead of for each packet.
    pub(crate) fn tie(&mut self, to: SocketAddr) {
        let somewhere = !to.ip().is_unspecified() && to.port() != 0;
        if somewhere && !self.wide && self.tied != Some(to) && self.rtp.connect(to).is_ok() {
            self.tied = Some(to);
        }
    }

    /// Sends from the RTP port; `false` when the packet did not leave.
    pub(crate) fn send(&self, packet: &[u8], to: SocketAddr) -> bool {
        if self.tied != Some(to) {
            return self.rtp.send_to(packet, to).is_ok();
        }
        match self.rtp.send(packet) {
            // That nobody listens there was told of an earlier packet, in the place of this one.
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => self.rtp.send(packet).is_ok(),
            sent => sent.is_ok(),
        }
    }

    /// Reads from the RTP port, or from the RTCP port where `control`; who sent it is told by the system
    /// each time, since what came before the port was tied still lies there.
    pub(crate) fn receive(&self, control: bool, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let socket = if control { &self.rtcp } else { &self.rtp };
        // An error is an ICMP answer to something we sent: reading it is enough.
        socket.recv_from(buffer).ok()
    }
}

/// Ports that legs have let go a moment ago. A far end may still send to one of them, and where addresses are learned
/// the next call would take it for its own.
#[derive(Debug, Default)]
pub(crate) struct Resting {
    order: VecDeque<(Instant, u16)>,
    ports: HashSet<u16>,
}

impl Resting {
    /// A leg lets its port go.
    pub(crate) fn rest(&mut self, port: u16, now: Instant) {
        if self.ports.insert(port) {
            self.order.push_back((now, port));
        }
    }

    fn look(&mut self, now: Instant) {
        let over = |at: Instant| now.saturating_duration_since(at) >= limits::PORT_REST;
        while self.order.front().is_some_and(|(at, _)| over(*at)) {
            self.longest();
        }
    }

    /// The port that has rested longest; it rests no more.
    fn longest(&mut self) -> Option<u16> {
        let (_, port) = self.order.pop_front()?;
        self.ports.remove(&port);
        Some(port)
    }
}

/// Draws an even port whose odd neighbour is free too (RFC 3550 §11). Random, so that a stranger
/// cannot guess where the next call's media will arrive; not one that rests, unless all the others are taken.
pub(crate) fn open(
    bind: IpAddr,
    range: &RangeInclusive<u16>,
    rng: &mut impl Rng,
    (resting, now): (&mut Resting, Instant),
) -> Option<PortPair> {
    resting.look(now);
    let first = range.start().checked_add(range.start() % 2)?;
    let pairs = range.end().checked_sub(first)?.div_ceil(2);
    for _ in 0..limits::PORT_TRIES {
        let port = first + 2 * rng.random_range(0..pairs.max(1));
        if resting.ports.contains(&port) {
            continue;
        }
        if let Some(pair) = bind_pair(bind, port) {
            return Some(pair);
        }
    }
    // Many calls a second: nearly all that are free rest.
    for _ in 0..limits::PORT_TRIES {
        let Some(port) = resting.longest() else { break };
        if let Some(pair) = bind_pair(bind, port) {
            return Some(pair);
        }
    }
    // A nearly full range: look at each, so that the last free pair is found.
    (0..pairs).find_map(|i| bind_pair(bind, first + 2 * i))
}

fn bind_pair(bind: IpAddr, port: u16) -> Option<PortPair> {
    let rtp = socket(SocketAddr::new(bind, port)).ok()?;
    let rtcp = socket(SocketAddr::new(bind, port.checked_add(1)?)).ok()?;
    let tied = None;
    Some(PortPair {
        rtp,
        rtcp,
        port,
        tied,
        wide: bind.is_unspecified(),
    })
}

/// A bound socket that does not block, in two system calls.
fn socket(at: SocketAddr) -> std::io::Result<UdpSocket> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    let made = Socket::new_raw(Domain::for_address(at), kind, Some(Protocol::UDP))?;
    made.bind(&at.into())?;
    Ok(made.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(range: &RangeInclusive<u16>, resting: &mut Resting) -> Option<PortPair> {
        let here = IpAddr::from([127, 0, 0, 1]);
        open(here, range, &mut rand::rng(), (resting, Instant::now()))
    }

    #[test]
    fn a_tied_port_hears_its_far_end_alone_and_goes_on_when_that_is_away() {
        let here = IpAddr::from([127, 0, 0, 1]);
        let mut pair = drawn(&(41_101..=41_199), &mut Resting::default()).expect("ports");
        let far = UdpSocket::bind((here, 0)).expect("binds");
        let other = UdpSocket::bind((here, 0)).expect("binds");
        let at = far.local_addr().expect("bound");
        pair.tie(SocketAddr::from(([0, 0, 0, 0], 9)));
        assert_eq!(pair.tied, None, "nowhere is no far end");
        pair.tie(at);
        let to = (here, pair.port);
        other.send_to(b"stranger", to).expect("sends");
        far.send_to(b"far", to).expect("sends");
        let mut buffer = [0; 16];
        let heard = (0..2_000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            pair.receive(false, &mut buffer)
        });
        assert_eq!(heard, Some((3, at)));
        assert_eq!(pair.receive(false, &mut buffer), None);
        drop(far);
        // The system says that nobody is there; the next packet leaves all the same.
        for _ in 0..3 {
            assert!(pair.send(b"x", at));
        }
        let next = other.local_addr().expect("bound");
        pair.tie(next);
        assert!(pair.send(b"moved", next));
        let (length, from) = other.recv_from(&mut buffer).expect("reads");
        assert_eq!((&buffer[..length], from.port()), (&b"moved"[..], pair.port));
    }

    #[test]
    fn pairs_are_even_and_the_range_ends() {
        let range = 41_001..=41_008;
        let mut resting = Resting::default();
        let mut held = Vec::new();
        while let Some(pair) = drawn(&range, &mut resting) {
            assert!(
                pair.port % 2 == 0
                    && range.contains(&pair.port)
                    && range.contains(&(pair.port + 1))
            );
            held.push(pair);
            assert!(held.len() <= 3, "more pairs than ports");
        }
        assert!(!held.is_empty());
        held.pop();
        assert!(
            drawn(&range, &mut resting).is_some(),
            "a closed pair can be had again"
        );
    }

    #[test]
    fn a_port_rests_while_others_are_free() {
        let range = 9_202..=9_207;
        let mut resting = Resting::default();
        let let_go = |resting: &mut Resting| {
            let pair = drawn(&range, resting).expect("a pair");
            resting.rest(pair.port, Instant::now());
            pair.port
        };
        let rested = [(); 3].map(|()| let_go(&mut resting));
        let each: HashSet<u16> = rested.into();
        assert_eq!(each, HashSet::from([9_202, 9_204, 9_206]), "{rested:?}");
        // All rest: whoever rested longest is had.
        assert_eq!(let_go(&mut resting), rested[0]);
        assert_eq!(let_go(&mut resting), rested[1]);
        let later = Instant::now() + limits::PORT_REST;
        resting.look(later);
        assert!(resting.order.is_empty() && resting.ports.is_empty());
    }
}
