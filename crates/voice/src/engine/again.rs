//! A call that is placed anew: at another address of its trunk, on another trunk, or where a
//! redirection of the same number sends it. Only after an answer or a fault that says for sure that
//! nobody was called: 503 without any ringing, a connection that could not be opened, a 3xx. Silence says
//! nothing of the kind: the call may have reached the debtor. Each INVITE counts among its trunk's calls
//! per second.

use super::calls::hop;
use super::core::Engine;
use super::fault::{Begun, Whose};
use super::legs::{Over, Owner};
use super::shown::e164;
use crate::config::{SipTransport, TrunkConfig};
use crate::limits;
use crate::plane::LegId;
use domain::ids::TrunkId;
use domain::ports::{TrunkError, TrunkReport};
use sip::msg::Uri;
use sip::ua::{FailWhy, Failure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// What was tried for one call.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Addresses that refused it or could not be reached.
    places: Vec<SocketAddr>,
    /// Trunks it was on.
    trunks: Vec<TrunkId>,
    redirects: u8,
    /// It waits for its trunk.
    waits: Option<Box<Waiting>>,
}

/// A call that goes on as soon as its trunk may start one more.
#[derive(Debug)]
struct Waiting {
    next: Next,
    until: Instant,
    /// How it ends when it may not in time.
    over: Over,
}

/// Where a call goes next.
#[derive(Debug)]
struct Next {
    trunk: Arc<TrunkConfig>,
    to: SocketAddr,
    /// Another Request-URI than the number's own.
    target: Option<Uri>,
    /// Its start is counted.
    started: bool,
}

/// The code of a call that we withdrew.
const WITHDRAWN: u16 = 487;

impl Engine {
    /// Places a failed call anew, at once or a moment later; false when it has to end.
    pub(super) fn try_again(&mut self, leg: LegId, failure: &Failure, over: Over) -> bool {
        let row = self.live(leg).filter(|row| row.our_end.is_none());
        let Some(Owner::Debtor(debtor)) = row.map(|row| &row.owner) else {
            return false;
        };
        if debtor.ringing || self.farewell.is_some() || self.too_late(&debtor.order) {
            return false;
        }
        let next = match failure.why {
            FailWhy::Redirected => self.redirected(leg, failure),
            FailWhy::Refused if failure.code == 503 && failure.from_peer => self.elsewhere(leg),
            FailWhy::Transport => self.elsewhere(leg),
            _ => None,
        };
        match next {
            Some(next) if next.started => self.place_again(leg, next),
            Some(next) => {
                let until = self.now + limits::AGAIN_WAIT;
                let waits = Waiting { next, until, over };
                self.tries.entry(leg).or_default().waits = Some(Box::new(waits));
                true
            }
            None => false,
        }
    }

    /// Whether calls of a trunk wait for it that came before any new one.
    pub(super) fn waits_for(&self, trunk: TrunkId) -> bool {
        let mut waiting = self.tries.values().filter_map(|tries| tries.waits.as_ref());
        waiting.any(|waits| waits.next.trunk.id == trunk)
    }

    /// Places the calls that waited for their trunks, the first one first, and ends those that waited too long.
    pub(super) fn place_waiting(&mut self) {
        let until = |(leg, tries): (&LegId, &Tries)| Some((tries.waits.as_ref()?.until, *leg));
        let mut waiting: Vec<_> = self.tries.iter().filter_map(until).collect();
        waiting.sort_by_key(|(until, _)| *until);
        for (_, leg) in waiting {
            self.safely(Whose::Leg(leg), |engine| engine.place_waiter(leg));
        }
    }

    fn place_waiter(&mut self, leg: LegId) {
        let now = self.now;
        let order = self.live(leg).and_then(|row| match &row.owner {
            Owner::Debtor(debtor) => Some(&debtor.order),
            _ => None,
        });
        let late = order.is_none_or(|order| self.too_late(order));
        let waits = self.tries.get_mut(&leg).and_then(|t| t.waits.take());
        let Some(mut waits) = waits else { return };
        let route = self.routes.get_mut(&waits.next.trunk.id);
        if route.is_some_and(|route| !late && route.start_again(now)) {
            waits.next.started = true;
            if !self.place_again(leg, waits.next) {
                self.over(leg, waits.over);
            }
        } else if late || now >= waits.until {
            self.over(leg, waits.over);
        } else if let Some(tries) = self.tries.get_mut(&leg) {
            tries.waits = Some(waits);
        }
    }

    /// Ends a call that waits for its trunk: nothing of it is under way. False where none does.
    pub(super) fn withdrawn(&mut self, leg: LegId) -> bool {
        let waits = self.tries.get(&leg).is_some_and(|t| t.waits.is_some());
        if waits {
            let over = Over {
                at: self.now,
                code: Some(WITHDRAWN),
                q850: None,
                by_us: true,
                ring_timeout: false,
            };
            self.over(leg, over);
        }
        waits
    }

    /// The next address of the trunk that was not tried, another trunk, or that address a moment later.
    fn elsewhere(&mut self, leg: LegId) -> Option<Next> {
        let (now, trunk, to, number) = self.where_now(leg)?;
        let tries = self.tries.entry(leg).or_default();
        tries.places.push(to);
        if !tries.trunks.contains(&trunk) {
            tries.trunks.push(trunk);
        }
        if tries.places.len() > usize::from(limits::FAILOVERS) {
            return None;
        }
        let (places, trunks) = (tries.places.clone(), tries.trunks.clone());
        let route = self.routes.get_mut(&trunk)?;
        let mut open = route.addrs.iter().filter(|addr| !route.pauses(**addr, now));
        let other = open
            .find(|addr| route.up && !places.contains(addr))
            .copied();
        let here = other.map(|to| Next {
            trunk: Arc::clone(&route.config),
            to,
            target: None,
            started: route.start_again(now),
        });
        if here.as_ref().is_some_and(|next| next.started) {
            return here;
        }
        let names = route.config.policy.failover.clone();
        self.on_another_trunk(leg, (&names, &trunks), &number)
            .or(here)
    }

    /// The first of the trunks named that was not tried and takes the call now; its line is taken, that of the
    /// one before given back.
    fn on_another_trunk(
        &mut self,
        leg: LegId,
        (names, tried): (&[String], &[TrunkId]),
        number: &str,
    ) -> Option<Next> {
        let now = self.now;
        for name in names {
            let found = self.routes.values_mut().find(|r| r.config.name == *name);
            let Some(route) = found.filter(|r| !tried.contains(&r.config.id)) else {
                continue;
            };
            let toll = self.tolls.entry(route.config.id).or_default();
            let allowed = toll.pass(&route.config.policy.toll, number, now);
            if allowed.is_err() {
                continue;
            }
            if let Ok(to) = route.start(now) {
                let trunk = Arc::clone(&route.config);
                self.moved(leg, trunk.id);
                tracing::info!(trunk = %trunk.name, "a call moves to another trunk");
                return Some(Next {
                    trunk,
                    to,
                    target: None,
                    started: true,
                });
            }
        }
        None
    }

    /// A call has a line of another trunk now.
    fn moved(&mut self, leg: LegId, trunk: TrunkId) {
        self.begun.trunk = Some(trunk);
        let at = self.stamp();
        let row = self.legs.get_mut(leg).map(|row| &mut row.owner);
        if let Some(Owner::Debtor(debtor)) = row {
            let before = std::mem::replace(&mut debtor.order.trunk_id, trunk);
            self.begun.trunk = None;
            let attempt = debtor.order.attempt_id;
            self.outbox.tell(TrunkReport::Moved { attempt, trunk, at });
            self.release(before);
        }
    }

    fn where_now(&self, leg: LegId) -> Option<(Instant, TrunkId, SocketAddr, String)> {
        let Some(Owner::Debtor(debtor)) = self.live(leg).map(|row| &row.owner) else {
            return None;
        };
        let trunk = debtor.order.trunk_id;
        let to = self.placed.get(&leg).copied()?;
        Some((self.now, trunk, to, debtor.order.number.clone()))
    }

    /// Follows a 3xx of the same number to hosts the trunk's policy names. Any other number was never judged:
    /// neither by the law nor by the list of those never called.
    fn redirected(&mut self, leg: LegId, failure: &Failure) -> Option<Next> {
        let (now, trunk, from, number) = self.where_now(leg)?;
        let route = self.routes.get_mut(&trunk)?;
        let trunk = Arc::clone(&route.config);
        let tries = self.tries.entry(leg).or_default();
        tries.places.push(from);
        tries.redirects += 1;
        if tries.redirects > limits::REDIRECTS {
            return None;
        }
        let policy = &trunk.policy;
        let allowed = |uri: &Uri| {
            let to = uri.socket_addr()?;
            let fine = uri.is_sip()
                && policy.redirect_hosts.contains(&to.ip())
                && !route.pauses(to, now)
                && same_number(uri, &number, policy.country.as_deref());
            fine.then_some(to)
        };
        // The highest q first; without one it is 1 (RFC 3261 §20.10).
        let q = |contact: &sip::header::NameAddr| {
            let text = contact.params.text("q");
            text.and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0)
        };
        let mut contacts: Vec<_> = failure.contacts.iter().collect();
        contacts.sort_by(|a, b| q(b).total_cmp(&q(a)));
        let found = contacts
            .into_iter()
            .find_map(|contact| Some((allowed(&contact.uri)?, contact.uri.clone())));
        let Some((to, mut target)) = found else {
            tracing::warn!(trunk = %trunk.name, "a redirection to another number or a host that is not allowed");
            return None;
        };
        target.headers = None;
        let started = route.start_again(now);
        Some(Next {
            trunk,
            to,
            target: Some(target),
            started,
        })
    }

    fn place_again(&mut self, leg: LegId, next: Next) -> bool {
        let row = self.legs.get_mut(leg).filter(|row| row.end.is_none());
        let Some(row) = row else {
            return false;
        };
        let Owner::Debtor(debtor) = &row.owner else {
            return false;
        };
        // Keys that one trunk has seen are nothing for another.
        let tls = next.trunk.transport == SipTransport::Tls;
        row.media.secure(tls);
        let offer = row.media.offer();
        let order = debtor.order.clone();
        let mut invite = self.debtor_invite(&order, &next.trunk, next.to, offer);
        if let Some(target) = next.target {
            invite.target = target;
            invite.next_hop = hop(&next.trunk, next.to);
        }
        let now = self.millis();
        let Ok(key) = self.endpoint.invite(now, invite) else {
            return false;
        };
        self.begun.key = Some(key);
        self.placed.insert(leg, next.to);
        self.legs.rekey(leg, key);
        self.begun = Begun::default();
        self.trail_again(leg, key);
        self.settle();
        true
    }

    /// The call of a leg is over: nothing of its tries is kept.
    pub(super) fn forget_tries(&mut self, leg: LegId) {
        self.tries.remove(&leg);
        self.placed.remove(&leg);
    }

    /// The last wall before an INVITE: the trunk's toll rules.
    pub(super) fn toll(&mut self, trunk: TrunkId, number: &str) -> Result<(), TrunkError> {
        let now = self.now;
        let route = self.routes.get(&trunk).ok_or(TrunkError::TrunkDown)?;
        let toll = self.tolls.entry(trunk).or_default();
        let verdict = toll.pass(&route.config.policy.toll, number, now);
        if let Err(error) = &verdict {
            // The trunk and the rule; the number is nobody's business here.
            tracing::warn!(trunk = %route.config.name, %error, "a call was not placed");
        }
        verdict
    }
}

/// Whether a redirection names the number that was called, however it writes it.
fn same_number(uri: &Uri, number: &str, country: Option<&str>) -> bool {
    let user = uri.user_text().unwrap_or_default();
    let user = user.split([';', '@']).next().unwrap_or_default();
    let whole = user.strip_prefix('+').or_else(|| user.strip_prefix("00"));
    match whole {
        Some(digits) => number.strip_prefix('+') == Some(digits),
        None => user == number || e164(user, country).as_deref() == Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_that_was_called_is_the_same() {
        let called = "+525512345678";
        for (country, user, same) in [
            (None, "+525512345678", true),
            (None, "525512345678", true),
            (None, "00525512345678", true),
            (None, "+525512345678;npdi", true),
            (None, "+525512345679", false),
            (None, "+5255123456780", false),
            (None, "5512345678", false),
            (Some("MX"), "5512345678", true),
            (Some("MX"), "+5512345678", false),
            (Some("CO"), "5512345678", false),
            (Some("MX"), "8112345678", false),
            (None, "anonymous", false),
            (None, "", false),
        ] {
            let uri = Uri::sip_host(Some(user), "10.0.0.1");
            let read = same_number(&uri, called, country);
            assert_eq!(read, same, "{country:?} {user}");
        }
        let nobody = Uri::sip_host(None, "10.0.0.1");
        assert!(!same_number(&nobody, called, None));
        // What is no number of any plan is the same where it is written the same.
        let short = Uri::sip_host(Some("1234567"), "10.0.0.1");
        assert!(same_number(&short, "1234567", None));
    }
}
