//! The INVITE that opens a call of ours, as its trunk wants it, and what its failure says of the trunk: debtors' calls
//! and numbers called into a call are the same to a carrier.

use super::calls::{ATTEMPT, hop, login, proto, target_uri};
use super::core::Engine;
use crate::config::{IdentityHeader, TrunkConfig};
use crate::plane::LegId;
use bytes::Bytes;
use domain::ids::TrunkId;
use sip::header::NameAddr;
use sip::msg::{HeaderName, Headers, Uri};
use sip::ua::{FailWhy, Failure, Identity, InviteOrder};
use std::net::SocketAddr;
use std::time::Duration;
use uuid::Uuid;

/// A number to call.
pub(super) struct Callee<'a> {
    pub(super) number: &'a str,
    /// Our number.
    pub(super) caller: &'a str,
    pub(super) ring_timeout_ms: i64,
    /// By which the carrier tells this call from every other.
    pub(super) id: Uuid,
}

impl Engine {
    /// The INVITE to a number, with our own told in the headers that the trunk's policy names and in no other.
    pub(super) fn opening(
        &self,
        trunk: &TrunkConfig,
        to: SocketAddr,
        callee: &Callee<'_>,
        offer: Bytes,
    ) -> InviteOrder {
        let target = target_uri(trunk, callee.number, to).with_transport(proto(trunk.transport));
        let policy = &trunk.policy;
        let us = |number: &str| match &policy.from_domain {
            Some(domain) => NameAddr::new(Uri::sip_host(Some(number), domain)),
            None => NameAddr::new(Uri::sip(Some(number), self.sip_addr)),
        };
        let from = us(callee.caller);
        let mut invite = InviteOrder::new(target, hop(trunk, to), from.clone(), offer);
        invite.ring_limit_ms = u64::try_from(callee.ring_timeout_ms).unwrap_or(0);
        invite.login = login(trunk);
        invite.follow_contact = !trunk.behind_nat;
        invite.headers = headers(trunk, callee.id);
        let told = |header| (policy.identity == header).then(|| from.clone());
        let diversion = policy.diversion.as_deref();
        invite.identify(&Identity {
            asserted: told(IdentityHeader::Asserted),
            preferred: told(IdentityHeader::Preferred),
            private: policy.private,
            diversion: diversion.map(|n| (us(n), "unconditional".to_owned())),
        });
        invite
    }

    /// What a call that was not answered says of its trunk, and of the address that it went to.
    pub(super) fn not_opened(&mut self, (leg, trunk): (LegId, TrunkId), failure: &Failure) {
        let at = self.now;
        let placed = self.placed.get(&leg).copied();
        let (Some(route), Some(to)) = (self.routes.get_mut(&trunk), placed) else {
            return;
        };
        let pause = failure
            .retry_after_s
            .map(|s| Duration::from_secs(u64::from(s)));
        let news = match failure.code {
            503 if failure.from_peer => {
                route.congested(to, pause, at);
                None
            }
            _ if failure.from_peer => route.heard(to, at),
            // A ring limit that the peer did not confirm is a call without any answer too.
            _ if matches!(failure.why, FailWhy::Timeout | FailWhy::RingLimit) => {
                route.doubt(to, at)
            }
            _ if failure.why == FailWhy::Cut => route.cut(to, at),
            _ if failure.why == FailWhy::Transport => route.unsent(to, at),
            _ => None,
        };
        self.tell_health(trunk, news);
        self.reconnect(trunk);
    }

    /// A call was answered: the trunk is there.
    pub(super) fn opened_by(&mut self, (leg, trunk): (LegId, TrunkId)) {
        let now = self.now;
        let placed = self.placed.get(&leg).copied();
        if let (Some(route), Some(to)) = (self.routes.get_mut(&trunk), placed) {
            let news = route.heard(to, now);
            self.tell_health(trunk, news);
        }
    }
}

fn headers(trunk: &TrunkConfig, id: Uuid) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in &trunk.headers {
        let value = value.replace(ATTEMPT, &id.to_string());
        headers.push(
            HeaderName::from_token(Bytes::copy_from_slice(name.as_bytes())),
            value,
        );
    }
    headers
}
