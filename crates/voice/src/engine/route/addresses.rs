//! The addresses of a trunk, and in which order calls go to them (RFC 3263 §4.3): as the name service
//! put them, but who did not answer comes after the others for a while, and who asked to be left alone
//! comes last. What an address says is about that address, not about the trunk.

use crate::limits;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// An address that did not answer or could not be reached.
#[derive(Debug)]
struct Away {
    addr: SocketAddr,
    /// When it failed last.
    last: Instant,
    /// Until when it comes after the others.
    until: Instant,
    /// Rests before this one, without any sign of life between them.
    rests: u32,
    /// Its rest is over: it has its place again.
    over: bool,
}

/// What an address said of itself with 503; those of redirections are among them.
#[derive(Debug)]
struct Pause {
    addr: SocketAddr,
    /// 503s running without a Retry-After.
    refusals: u32,
    until: Option<Instant>,
}

/// The addresses of one trunk; the first one is where calls go now.
#[derive(Debug, Default)]
pub(in crate::engine) struct Addresses {
    found: Vec<SocketAddr>,
    order: Vec<SocketAddr>,
    away: Vec<Away>,
    pauses: Vec<Pause>,
}

impl std::ops::Deref for Addresses {
    type Target = [SocketAddr];

    fn deref(&self) -> &[SocketAddr] {
        &self.order
    }
}

impl Addresses {
    pub(super) fn of(literal: Option<SocketAddr>) -> Self {
        let mut addresses = Self::default();
        addresses.set(literal.into_iter().collect());
        addresses
    }

    /// Those that there are now, the best first; what is known of an address that stays is kept.
    pub(super) fn set(&mut self, mut found: Vec<SocketAddr>) {
        found.truncate(limits::DNS_ADDRESSES);
        self.away.retain(|away| found.contains(&away.addr));
        self.found = found;
        self.arrange();
    }

    /// Nobody answered there. Whether another address takes its place that nothing is known against.
    pub(super) fn missed(&mut self, addr: SocketAddr, now: Instant) -> bool {
        if self.found.len() < 2 || !self.found.contains(&addr) {
            return false;
        }
        match self.away.iter_mut().find(|away| away.addr == addr) {
            Some(away) if now < away.until => away.last = now,
            Some(away) => {
                away.rests = away.rests.saturating_add(1);
                (away.last, away.until) = (now, now + rest(away.rests));
                away.over = false;
            }
            None => self.away.push(Away {
                addr,
                last: now,
                until: now + rest(0),
                rests: 0,
                over: false,
            }),
        }
        self.arrange();
        self.order.first().is_some_and(|first| self.is_fine(*first))
    }

    /// A sign of life: it has its place again.
    pub(super) fn back(&mut self, addr: SocketAddr) {
        if self.away.iter().any(|away| away.addr == addr) {
            self.away.retain(|away| away.addr != addr);
            self.arrange();
        }
    }

    /// It took a call, or refused one for itself alone.
    pub(super) fn heard(&mut self, addr: SocketAddr) {
        self.back(addr);
        if let Some(pause) = self.pauses.iter_mut().find(|pause| pause.addr == addr) {
            pause.refusals = 0;
        }
    }

    /// A 503. One without Retry-After may be about that call only (RFC 3261 §21.5.4): it takes several
    /// running to pause the address.
    pub(super) fn refused(&mut self, addr: SocketAddr, after: Option<Duration>, now: Instant) {
        let known = self.pauses.iter().position(|pause| pause.addr == addr);
        let at = known.unwrap_or_else(|| {
            if self.pauses.len() >= limits::PAUSED_ADDRESSES {
                self.pauses.remove(0);
            }
            self.pauses.push(Pause {
                addr,
                refusals: 0,
                until: None,
            });
            self.pauses.len() - 1
        });
        let pause = &mut self.pauses[at];
        pause.refusals += 1;
        if after.is_none() && pause.refusals < limits::TRUNK_REFUSALS {
            return;
        }
        pause.refusals = 0;
        let long = after.unwrap_or(limits::TRUNK_BACK_OFF);
        pause.until = Some(now + long.min(limits::TRUNK_BACK_OFF_MAX));
        self.arrange();
    }

    /// Whether it asked to be left alone now.
    pub(super) fn pauses(&self, addr: SocketAddr, now: Instant) -> bool {
        let asked = |pause: &Pause| pause.until.is_some_and(|until| now < until);
        self.pauses.iter().any(|p| p.addr == addr && asked(p))
    }

    /// Forgets what is over. Where pings are answered (`asked`), one that failed comes back by a ping only.
    pub(super) fn turn(&mut self, now: Instant, asked: bool) {
        let mut news = false;
        for pause in &mut self.pauses {
            if pause.until.is_some_and(|until| now >= until) {
                pause.until = None;
                news = true;
            }
        }
        self.pauses.retain(|p| p.until.is_some() || p.refusals > 0);
        for away in &mut self.away {
            if !asked && !away.over && now >= away.until {
                away.over = true;
                news = true;
            }
        }
        if news {
            self.arrange();
        }
    }

    /// A better address than the one in use that has rested: whether it answers again is to be asked.
    pub(super) fn to_ask(&self, now: Instant) -> Option<SocketAddr> {
        if self.away.is_empty() {
            return None;
        }
        let used = self.order.first()?;
        let better = self.found.iter().take_while(|addr| *addr != used);
        let rested = |addr: &&SocketAddr| {
            let mut away = self.away.iter().filter(|away| away.addr == **addr);
            away.any(|away| !away.over && now >= away.until)
        };
        better.copied().find(|addr| rested(&addr))
    }

    fn is_fine(&self, addr: SocketAddr) -> bool {
        let away = self.away.iter().any(|a| a.addr == addr && !a.over);
        !away && !self.is_paused(addr)
    }

    fn is_paused(&self, addr: SocketAddr) -> bool {
        let mut pauses = self.pauses.iter();
        pauses.any(|pause| pause.addr == addr && pause.until.is_some())
    }

    /// Among those that failed the one first that failed longest ago; among those that rest the one
    /// that may be asked soonest.
    fn arrange(&mut self) {
        let place = |addr: &SocketAddr| {
            let paused = self.pauses.iter().find(|pause| pause.addr == *addr);
            if let Some(until) = paused.and_then(|pause| pause.until) {
                return (2, Some(until));
            }
            let away = self.away.iter().find(|a| a.addr == *addr && !a.over);
            away.map_or((0, None), |away| (1, Some(away.last)))
        };
        let mut order = self.found.clone();
        order.sort_by_key(place);
        self.order = order;
    }
}

/// How long an address that failed comes after the others, after so many rests.
fn rest(before: u32) -> Duration {
    let doubled = limits::ADDRESS_REST.saturating_mul(1 << before.min(16));
    doubled.min(limits::ADDRESS_REST_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 5_060))
    }

    fn three() -> Addresses {
        let mut addresses = Addresses::default();
        addresses.set(vec![place(1), place(2), place(3)]);
        addresses
    }

    #[test]
    fn who_failed_comes_last_for_a_while_and_longer_each_time() {
        let mut all = three();
        let t0 = Instant::now();
        assert!(all.missed(place(1), t0), "the second takes its place");
        assert_eq!(*all, [place(2), place(3), place(1)]);
        assert!(all.missed(place(2), t0 + Duration::from_secs(1)));
        assert!(!all.missed(place(3), t0 + Duration::from_secs(2)), "all");
        assert_eq!(*all, [place(1), place(2), place(3)], "in turn");
        let over = t0 + limits::ADDRESS_REST;
        all.turn(over - Duration::from_millis(1), false);
        all.back(place(2));
        assert_eq!(all[0], place(2));
        all.turn(over, false);
        assert_eq!(*all, [place(1), place(2), place(3)], "its place again");
        assert!(all.missed(place(1), over));
        all.turn(over + limits::ADDRESS_REST, false);
        assert_eq!(all[0], place(2), "twice as long");
        all.turn(over + 2 * limits::ADDRESS_REST, false);
        assert_eq!(all[0], place(1));
        for n in 0..40 {
            assert!(rest(n) <= limits::ADDRESS_REST_MOST, "{n}");
        }
    }

    #[test]
    fn where_pings_are_answered_one_brings_it_back() {
        let mut all = three();
        let t0 = Instant::now();
        assert!(all.missed(place(1), t0));
        let over = t0 + limits::ADDRESS_REST;
        assert_eq!(all.to_ask(t0), None, "not yet");
        all.turn(over, true);
        assert_eq!((all[0], all.to_ask(over)), (place(2), Some(place(1))));
        assert!(all.missed(place(1), over), "no answer");
        assert_eq!(all.to_ask(over), None);
        assert!(all.missed(place(2), over));
        let later = over + 2 * limits::ADDRESS_REST;
        assert_eq!((all[0], all.to_ask(later)), (place(3), Some(place(1))));
        all.back(place(1));
        assert_eq!((all[0], all.to_ask(later)), (place(1), None));
    }

    #[test]
    fn a_back_off_is_that_of_the_address_that_asked() {
        let mut all = three();
        let t0 = Instant::now();
        let five = Some(Duration::from_secs(5));
        all.refused(place(1), five, t0);
        assert_eq!(*all, [place(2), place(3), place(1)]);
        assert!(all.pauses(place(1), t0) && !all.pauses(place(2), t0));
        // An answer to an older call does not cut it short.
        all.heard(place(1));
        all.missed(place(2), t0);
        assert_eq!(*all, [place(3), place(2), place(1)]);
        all.turn(t0 + Duration::from_secs(5), false);
        assert_eq!(*all, [place(1), place(3), place(2)]);
        // Where a redirection led; however many there are, few are kept.
        for n in 10..200 {
            all.refused(place(n), five, t0);
        }
        assert!(all.pauses(place(199), t0) && !all.pauses(place(10), t0));
        assert_eq!(all.pauses.len(), limits::PAUSED_ADDRESSES);
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn what_is_found_anew_keeps_what_is_known() {
        let mut all = three();
        let t0 = Instant::now();
        all.missed(place(1), t0);
        all.set(vec![place(1), place(4)]);
        assert_eq!(*all, [place(4), place(1)]);
        all.set(vec![place(4)]);
        all.set(vec![place(1), place(4)]);
        assert_eq!(all[0], place(1), "it was gone meanwhile");
        assert!(!Addresses::of(Some(place(1))).missed(place(1), t0));
    }
}
