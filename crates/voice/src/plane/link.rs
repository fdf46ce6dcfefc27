//! Who may send us media, and where ours goes.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long the locked SSRC must be silent before another one from the same address takes over
/// (a carrier that re-routes without a re-INVITE).
const SSRC_HAND_OVER: Duration = Duration::from_secs(2);

/// The far end of a leg's media: negotiated address, learning rule, locked source.
#[derive(Debug)]
pub(crate) struct Link {
    /// What the description says.
    negotiated: SocketAddr,
    /// Where packets come from and go to: the same, or what was learned in its place.
    remote: SocketAddr,
    behind_nat: bool,
    /// One change of address is left, for a far end behind NAT.
    may_learn: bool,
    /// The one host it may be learned at, where that is known.
    learn_at: Option<IpAddr>,
    ssrc: Option<(u32, Instant)>,
    /// The lock before the last change, and when it changed: packets that were under way are no new
    /// place.
    former: Option<Former>,
    /// Datagrams dropped because they came from elsewhere.
    pub(crate) strangers: u64,
}

#[derive(Debug, Clone, Copy)]
struct Former {
    remote: SocketAddr,
    ssrc: u32,
    /// From the first packet after the change on.
    until: Option<Instant>,
}

impl Link {
    pub(crate) fn new(remote: SocketAddr, behind_nat: bool) -> Self {
        Self {
            negotiated: remote,
            remote,
            behind_nat,
            may_learn: behind_nat,
            learn_at: None,
            ssrc: None,
            former: None,
            strangers: 0,
        }
    }

    /// A new offer or answer. One that names the same address changes nothing: what was learned for it
    /// stays locked. Another address may be learned anew, once; another port of the same host behind the
    /// same NAT only.
    pub(crate) fn renegotiate(&mut self, remote: SocketAddr) {
        if self.negotiated == remote {
            return;
        }
        let learned = self.remote != self.negotiated;
        self.former = self.ssrc.filter(|_| learned).map(|(ssrc, _)| Former {
            remote: self.remote,
            ssrc,
            until: None,
        });
        let same_host = learned && self.negotiated.ip() == remote.ip();
        self.learn_at = same_host.then_some(self.remote.ip());
        self.negotiated = remote;
        self.remote = remote;
        self.may_learn = self.behind_nat;
        self.ssrc = None;
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
        if self.is_former(from, ssrc, now) {
            return true;
        }
        if from != self.remote {
            let elsewhere = self.learn_at.is_some_and(|ip| ip != from.ip());
            let learns = self.may_learn && (from == self.negotiated || !elsewhere);
            if !learns || self.ssrc.is_some() {
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
        self.former = None;
        true
    }

    /// Whether it is the stream from before the change. It is heard for a while and talked to, but settles
    /// nothing: the far end may still move to where its new description leads.
    fn is_former(&mut self, from: SocketAddr, ssrc: u32, now: Instant) -> bool {
        let Some(former) = &mut self.former else {
            return false;
        };
        if (former.remote, former.ssrc) != (from, ssrc) {
            return false;
        }
        if now >= *former.until.get_or_insert(now + SSRC_HAND_OVER) {
            self.former = None;
            return false;
        }
        self.remote = from;
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
    fn a_refresh_keeps_what_was_learned() {
        let (private, public) = (addr("192.168.0.9:4000"), addr("81.2.3.4:61000"));
        let mut link = Link::new(private, true);
        let now = Instant::now();
        assert!(link.accept(public, 1, now));
        link.renegotiate(private);
        assert_eq!(link.remote(), public, "our audio goes on");
        assert!(link.accept(public, 1, now), "theirs too");
        assert!(
            !link.accept(addr("6.6.6.6:666"), 2, now),
            "nothing is learned"
        );
        let mut direct = Link::new(public, false);
        assert!(direct.accept(public, 1, now));
        direct.renegotiate(public);
        assert!(!direct.accept(addr("6.6.6.6:666"), 1, now));
    }

    #[test]
    fn a_new_place_behind_nat_is_learned_once_more() {
        let (old, new) = (addr("81.2.3.4:61000"), addr("81.2.3.4:62000"));
        let mut link = Link::new(addr("192.168.0.9:4000"), true);
        let t0 = Instant::now();
        let at = |ms| t0 + Duration::from_millis(ms);
        assert!(link.accept(old, 1, at(0)));
        link.renegotiate(addr("192.168.0.9:5000"));
        assert!(!link.accept(addr("6.6.6.6:666"), 9, at(5)), "another host");
        // Packets that were under way, then the stream from the new place.
        assert!(link.accept(old, 1, at(10)));
        assert_eq!(link.remote(), old);
        assert!(link.accept(new, 9, at(60)));
        assert_eq!(link.remote(), new);
        assert!(!link.accept(old, 1, at(80)));
        assert!(!link.accept(addr("6.6.6.6:666"), 9, at(80)));
        assert!(link.accept(new, 9, at(100)));
        // Not so where nothing is to be learned.
        let mut strict = Link::new(old, false);
        assert!(strict.accept(old, 1, at(0)));
        strict.renegotiate(new);
        assert!(!strict.accept(old, 1, at(10)) && !strict.accept(addr("6.6.6.6:666"), 1, at(10)));
        assert!(strict.accept(new, 1, at(20)));
    }

    #[test]
    fn a_change_in_name_only_is_settled_after_a_while() {
        let public = addr("81.2.3.4:61000");
        let mut link = Link::new(addr("192.168.0.9:4000"), true);
        let t0 = Instant::now();
        let at = |ms| t0 + Duration::from_millis(ms);
        assert!(link.accept(public, 1, at(0)));
        link.renegotiate(addr("192.168.0.9:5000"));
        for ms in (20..2_200).step_by(20) {
            assert!(link.accept(public, 1, at(ms)), "{ms}");
        }
        assert!(!link.accept(addr("6.6.6.6:666"), 1, at(2_200)), "settled");
        assert!(link.accept(public, 1, at(2_220)));
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
