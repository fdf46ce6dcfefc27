//! RTP ports: a pair per leg, drawn at random from the configured range and closed with the leg.

use crate::limits;
use rand::Rng;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// Sockets of one leg.
#[derive(Debug)]
pub(crate) struct PortPair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) port: u16,
}

/// Draws an even port whose odd neighbour is free too (RFC 3550 §11). Random, so that a stranger
/// cannot guess where the next call's media will arrive.
pub(crate) fn open(
    bind: IpAddr,
    range: &RangeInclusive<u16>,
    rng: &mut impl Rng,
) -> Option<PortPair> {
    let first = range.start().checked_add(range.start() % 2)?;
    let pairs = range.end().checked_sub(first)?.div_ceil(2);
    for _ in 0..limits::PORT_TRIES {
        let port = first + 2 * rng.random_range(0..pairs.max(1));
        if let Some(pair) = bind_pair(bind, port) {
            return Some(pair);
        }
    }
    // A nearly full range: look at each, so that the last free pair is found.
    (0..pairs).find_map(|i| bind_pair(bind, first + 2 * i))
}

fn bind_pair(bind: IpAddr, port: u16) -> Option<PortPair> {
    let rtp = UdpSocket::bind(SocketAddr::new(bind, port)).ok()?;
    let rtcp = UdpSocket::bind(SocketAddr::new(bind, port.checked_add(1)?)).ok()?;
    rtp.set_nonblocking(true).ok()?;
    rtcp.set_nonblocking(true).ok()?;
    Some(PortPair { rtp, rtcp, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_even_and_the_range_ends() {
        let here = IpAddr::from([127, 0, 0, 1]);
        let range = 41_001..=41_008;
        let mut rng = rand::rng();
        let mut held = Vec::new();
        while let Some(pair) = open(here, &range, &mut rng) {
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
            open(here, &range, &mut rng).is_some(),
            "a closed pair can be had again"
        );
    }
}
