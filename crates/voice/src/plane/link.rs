//! Who may send us media, and where ours goes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the locked SSRC must be silent before another one from the same address takes over
/// (a carrier that re-routes without a re-INVITE).
const SSRC_HAND_OVER: Duration = Duration::from_secs(2);

/// The far end of a leg's media: negotiated address, learning rule, locked source.
#[derive(Debug)]
pub(crate) struct Link {
    remote: SocketAddr,
    /// One change of address is left, for a far end behind NAT.
    may_learn: bool,
    ssrc: Option<(u32, Instant)>,
    /// Datagrams dropped because they came from elsewhere.
    pub(crate) strangers: u64,
}

impl Link {
    pub(crate) fn new(remote: SocketAddr, behind_nat: bool) -> Self {
        Self {
            remote,
            may_learn: behind_nat,
            ssrc: None,
            strangers: 0,
        }
    }

    /// A new offer or answer moved the far end.
    pub(crate) fn renegotiate(&mut self, remote: SocketAddr) {
        if self.remote != remote {
            self.remote = remote;
            self.ssrc = None;
        }
    }

    /// Where our media goes.
    pub(crate) fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Where our RTCP goes (RFC 3550 §11: the next port).
    pub(crate) fn remote_rtcp(&self) -> SocketAddr {
        SocketAddr::new(self.remote.ip(), self.remote.port().saturating_add(1))
    }

    /// Whether a valid RTP packet from `from` with `ssrc` belongs to this leg.
    pub(crate) fn accept(&mut self, from: SocketAddr, ssrc: u32, now: Instant) -> bool {
        if from != self.remote {
            if !self.may_learn || self.ssrc.is_some() {
                self.strangers += 1;
                return false;
            }
            self.remote = from;
        }
        match &mut self.ssrc {
            Some((locked, last)) if *locked == ssrc => *last = now,
            Some((_, last)) if now.saturating_duration_since(*last) < SSRC_HAND_OVER => {
                self.strangers += 1;
                return false;
            }
            other => *other = Some((ssrc, now)),
        }
        // The first accepted packet settles the address for good.
        self.may_learn = false;
        true
    }

    /// Whether RTCP from `from` may be read: the far end's host.
    pub(crate) fn accept_rtcp(&mut self, from: SocketAddr) -> bool {
        let fine = from.ip() == self.remote.ip();
        self.strangers += u64::from(!fine);
        fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().expect("address")
    }

    #[test]
    fn only_the_negotiated_address() {
        let mut link = Link::new(addr("10.0.0.1:4000"), false);
        let now = Instant::now();
        assert!(!link.accept(addr("10.0.0.1:4002"), 1, now));
        assert!(!link.accept(addr("10.0.0.2:4000"), 1, now));
        assert!(link.accept(addr("10.0.0.1:4000"), 1, now));
        assert_eq!((link.remote(), link.strangers), (addr("10.0.0.1:4000"), 2));
    }

    #[test]
    fn nat_is_learned_once() {
        let mut link = Link::new(addr("192.168.0.9:4000"), true);
        let now = Instant::now();
        assert!(link.accept(addr("81.2.3.4:61000"), 1, now));
        assert_eq!(link.remote(), addr("81.2.3.4:61000"));
        assert!(!link.accept(addr("6.6.6.6:666"), 1, now));
        assert!(!link.accept(addr("192.168.0.9:4000"), 1, now));
        let mut direct = Link::new(addr("10.0.0.1:4000"), true);
        assert!(direct.accept(addr("10.0.0.1:4000"), 1, now));
        assert!(
            !direct.accept(addr("6.6.6.6:666"), 1, now),
            "the negotiated one came: no learning"
        );
    }

    #[test]
    fn ssrc_is_locked_until_it_is_long_silent() {
        let remote = addr("10.0.0.1:4000");
        let mut link = Link::new(remote, false);
        let t0 = Instant::now();
        assert!(link.accept(remote, 7, t0));
        assert!(!link.accept(remote, 8, t0 + Duration::from_millis(20)));
        assert!(link.accept(remote, 7, t0 + Duration::from_millis(40)));
        assert!(link.accept(remote, 8, t0 + Duration::from_millis(2_100)));
        assert!(!link.accept(remote, 7, t0 + Duration::from_millis(2_120)));
    }
}
