//! A call that is placed anew: at another address of its trunk, on another trunk, or where a
//! redirection sends it. Only after an answer or a fault that says for sure that nobody was called:
//! 503 without any ringing, a connection that could not be opened, a 3xx. Silence says nothing of the
//! kind: the call may have reached the debtor.

use super::calls::hop;
use super::core::Engine;
use super::fault::Begun;
use super::legs::Owner;
use super::toll;
use crate::config::{SipTransport, TrunkConfig};
use crate::limits;
use crate::plane::LegId;
use domain::ids::TrunkId;
use domain::ports::{TrunkError, TrunkReport};
use sip::msg::Uri;
use sip::ua::{FailWhy, Failure};
use std::net::SocketAddr;
use std::sync::Arc;

/// What was tried for one call.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Addresses that refused it or could not be reached.
    places: Vec<SocketAddr>,
    /// Trunks it was on.
    trunks: Vec<TrunkId>,
    redirects: u8,
}

/// Where a call goes next.
struct Next {
    trunk: Arc<TrunkConfig>,
    to: SocketAddr,
    /// Another Request-URI than the number's own.
    target: Option<Uri>,
}

impl Engine {
    /// Places a failed call anew; false when it has to end.
    pub(super) fn try_again(&mut self, leg: LegId, failure: &Failure) -> bool {
        let Some(Owner::Debtor(debtor)) = self.live(leg).map(|row| &row.owner) else {
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
        next.is_some_and(|next| self.place_again(leg, next))
    }

    /// The next address of the trunk that was not tried, or another trunk.
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
        let route = self.routes.get(&trunk)?;
        let other = route.addrs.iter().find(|addr| !places.contains(addr));
        if let Some(addr) = other.copied()
            && route.usable(now)
        {
            let trunk = Arc::clone(&route.config);
            return Some(Next {
                trunk,
                to: addr,
                target: None,
            });
        }
        let names = route.config.policy.failover.clone();
        for name in names {
            let found = self.routes.values_mut().find(|r| r.config.name == name);
            let Some(route) = found.filter(|r| !trunks.contains(&r.config.id)) else {
                continue;
            };
            let toll = self.tolls.entry(route.config.id).or_default();
            let allowed = toll.pass(&route.config.policy.toll, &number, now);
            if allowed.is_err() {
                continue;
            }
            if let Ok(addr) = route.start(now) {
                let next = Arc::clone(&route.config);
                self.begun.trunk = Some(next.id);
                let at = self.stamp();
                if let Some(Owner::Debtor(debtor)) = self.legs.get_mut(leg).map(|r| &mut r.owner) {
                    debtor.order.trunk_id = next.id;
                    self.begun.trunk = None;
                    let attempt = debtor.order.attempt_id;
                    let trunk = next.id;
                    self.outbox.tell(TrunkReport::Moved { attempt, trunk, at });
                }
                self.release(trunk);
                tracing::info!(trunk = %next.name, "a call moves to another trunk");
                return Some(Next {
                    trunk: next,
                    to: addr,
                    target: None,
                });
            }
        }
        None
    }

    fn where_now(&self, leg: LegId) -> Option<(std::time::Instant, TrunkId, SocketAddr, String)> {
        let Some(Owner::Debtor(debtor)) = self.live(leg).map(|row| &row.owner) else {
            return None;
        };
        let trunk = debtor.order.trunk_id;
        let to = self.placed.get(&leg).copied()?;
        Some((self.now, trunk, to, debtor.order.number.clone()))
    }

    /// Follows a 3xx to hosts the trunk's policy names, and nowhere else.
    fn redirected(&mut self, leg: LegId, failure: &Failure) -> Option<Next> {
        let (_, trunk, ..) = self.where_now(leg)?;
        let trunk = Arc::clone(&self.routes.get(&trunk)?.config);
        let tries = self.tries.entry(leg).or_default();
        tries.redirects += 1;
        if tries.redirects > limits::REDIRECTS {
            return None;
        }
        let policy = &trunk.policy;
        let allowed = |uri: &Uri| {
            let to = uri.socket_addr()?;
            let number = uri.user_text().unwrap_or_default();
            let fine = uri.is_sip()
                && policy.redirect_hosts.contains(&to.ip())
                && toll::judge(&policy.toll, &number).is_ok();
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
            tracing::warn!(trunk = %trunk.name, "a redirection to a host that is not allowed");
            return None;
        };
        target.headers = None;
        Some(Next {
            trunk,
            to,
            target: Some(target),
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
