//! An agent's leg goes on at another phone of his: an INVITE with Replaces (RFC 3891) with the password of his account.

use super::core::Engine;
use super::legs::{AgentLeg, LegRow, Owner};
use super::refers::Refers;
use crate::plane::Order;
use sip::Source;
use sip::ua::{CallKey, Incoming};
use std::collections::HashSet;
use std::net::SocketAddr;

impl Engine {
    /// Who may ask to take the place of a leg although he may not call: a registered phone.
    pub(super) fn replacers(&self) -> impl Fn(&Source) -> bool + Send + Sync + 'static {
        let phones = self.phones.values().flatten().map(|(_, at)| *at);
        let phones: HashSet<SocketAddr> = phones.collect();
        move |source: &Source| phones.contains(&source.remote)
    }

    /// A phone takes the leg of its own account over, from where it is registered; anybody else's is none of its business.
    /// The one before is hung up by the endpoint, and a call that the leg is on goes on once the new one is proved.
    pub(super) fn takes_place(
        &mut self,
        incoming: &Incoming,
        replaced: CallKey,
    ) -> Result<(), u16> {
        let before = self.legs.of_call(replaced).ok_or(403_u16)?;
        let Some(Owner::Agent(held)) = self.live(before).map(|row| &row.owner) else {
            return Err(403);
        };
        let his = incoming.user.as_ref() == Some(&held.user) && held.answered.is_some();
        let mut phones = self.phones.get(&held.user).into_iter().flatten();
        let here = phones.any(|(_, at)| *at == incoming.source.remote);
        if !(his && here) || self.agents.get(&held.agent) != Some(&before) {
            return Err(403);
        }
        if self.farewell.is_some() || self.endpoint.transactions() >= self.config.sip_transactions {
            return Err(503);
        }
        let (agent, user) = (held.agent, held.user.clone());
        // One that was never proved has no place on a call; the one that it follows may.
        let follows = held.follows.filter(|_| !held.proved).or(Some(before));
        let contacts = incoming.headers.contacts().unwrap_or_default();
        let at = contacts.first().and_then(|c| c.uri.socket_addr());
        let behind_nat = at.is_none_or(|at| at.ip() != incoming.source.remote.ip());
        let (leg, media, agreed) = self.picked_up(incoming, behind_nat)?;
        let owner = Owner::Agent(AgentLeg {
            agent,
            user,
            answered: Some(self.now),
            proved: false,
            refers: Refers::default(),
            follows,
        });
        self.agents.insert(agent, leg);
        self.adopt(
            leg,
            LegRow {
                owner,
                key: Some(incoming.call),
                media,
                end: None,
                our_end: None,
            },
        );
        self.leg_up(leg);
        if let Some(agreed) = agreed {
            self.plane.order(Order::Agreed(leg, agreed, true));
        }
        tracing::info!(leg = leg.0, %agent, "an agent's leg goes on at another phone");
        Ok(())
    }
}
