//! Further parties of a call: an agent to consult, a number outside, a conference of them.

use super::core::Engine;
use super::fault::Begun;
use super::legs::{Debtor, LegRow, OurEnd, Over, Owner, Party, PartyLeg};
use super::opening::Callee;
use crate::limits;
use crate::plane::{LegId, Order, Sound};
use bytes::Bytes;
use domain::entity::LegKind;
use domain::ids::{AttemptId, TransferId};
use domain::ports::{PartyOrder, PartyWho, TrunkError, TrunkReport};
use sip::ua::{End, FailWhy, Failure, Side};
use std::sync::Arc;

/// A number that may stand in a request: E.164 has 15 digits at most.
fn digits(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

impl Engine {
    /// Brings a further party into a call.
    pub(super) fn invite_party(&mut self, order: PartyOrder) -> Result<(), TrunkError> {
        let debtor = self.of_attempt(order.attempt, true)?;
        let listed = self.debtor_row(debtor).map_or(&[][..], |d| &d.parties);
        if listed.iter().any(|p| p.id == order.id) {
            return Ok(());
        }
        if listed.len() >= limits::PARTIES_PER_CALL {
            return Err(TrunkError::Limit("parties of one call"));
        }
        let (attempt, party) = (order.attempt, order.id);
        match order.who {
            PartyWho::Agent(agent) => {
                let leg = self.proved_agent(agent)?;
                self.leaves_calls(agent);
                self.list_party(debtor, Party { id: party, leg });
                self.plane.order(Order::Party {
                    debtor,
                    party: leg,
                    on: true,
                });
                let at = self.stamp();
                self.outbox
                    .tell(TrunkReport::PartyUp { attempt, party, at });
                Ok(())
            }
            PartyWho::Number {
                trunk_id,
                ref number,
                ..
            } => {
                if self.farewell.is_some() || self.outbox.full() {
                    return Err(TrunkError::TrunkDown);
                }
                self.toll(trunk_id, number)?;
                let route = self.routes.get_mut(&trunk_id);
                let to = route.ok_or(TrunkError::TrunkDown)?.start(self.now)?;
                self.begun.trunk = Some(trunk_id);
                let placed = self.dial_party(debtor, &order, to);
                self.begun = Begun::default();
                if placed.is_err() {
                    self.release(trunk_id);
                }
                placed
            }
        }
    }

    fn dial_party(
        &mut self,
        debtor: LegId,
        order: &PartyOrder,
        to: std::net::SocketAddr,
    ) -> Result<(), TrunkError> {
        let PartyWho::Number {
            trunk_id,
            number,
            caller_number,
            ring_timeout_ms,
        } = &order.who
        else {
            return Err(TrunkError::Gone);
        };
        if !digits(number) || !digits(caller_number) {
            return Err(TrunkError::Limit("digits of a number"));
        }
        let route = self.routes.get(trunk_id).ok_or(TrunkError::TrunkDown)?;
        let trunk = Arc::clone(&route.config);
        let (leg, port) = self
            .plane
            .add(trunk.behind_nat)
            .ok_or(TrunkError::Limit("ports"))?;
        self.begun.leg = Some(leg);
        let tls = trunk.transport == crate::config::SipTransport::Tls;
        let media = self.media(port, &trunk.codecs).secured(tls);
        // The carrier must be able to tell this call from the debtor's.
        let callee = Callee {
            number,
            caller: caller_number,
            ring_timeout_ms: *ring_timeout_ms,
            id: order.id.0,
        };
        let invite = self.opening(&trunk, to, &callee, media.offer());
        let now = self.millis();
        let Ok(key) = self.endpoint.invite(now, invite) else {
            self.plane.order(Order::Remove(leg, self.now));
            return Err(TrunkError::Limit("sip calls"));
        };
        self.begun.key = Some(key);
        let owner = Owner::Party(Box::new(PartyLeg {
            id: order.id,
            attempt: order.attempt,
            debtor,
            trunk: trunk.id,
            number: number.clone(),
            ringing: false,
            answered: false,
            seated: false,
        }));
        self.adopt(
            leg,
            LegRow {
                owner,
                key: Some(key),
                media,
                end: None,
                our_end: None,
            },
        );
        self.placed.insert(leg, to);
        self.list_party(debtor, Party { id: order.id, leg });
        self.trail_open(leg, key, LegKind::Party, debtor);
        self.settle();
        Ok(())
    }

    fn debtor_row(&self, leg: LegId) -> Option<&Debtor> {
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Debtor(debtor)) => Some(debtor),
            _ => None,
        }
    }

    pub(super) fn debtor_row_mut(&mut self, leg: LegId) -> Option<&mut Debtor> {
        match self.legs.get_mut(leg).map(|row| &mut row.owner) {
            Some(Owner::Debtor(debtor)) => Some(debtor),
            _ => None,
        }
    }

    fn list_party(&mut self, debtor: LegId, party: Party) {
        if let Some(debtor) = self.debtor_row_mut(debtor) {
            debtor.parties.push(party);
        }
    }

    /// The listed party of a call, taken off the list when `take`.
    fn party(
        &mut self,
        attempt: AttemptId,
        id: TransferId,
        take: bool,
    ) -> Result<(LegId, Party), TrunkError> {
        let leg = self.of_attempt(attempt, true)?;
        let debtor = self.debtor_row_mut(leg).ok_or(TrunkError::Gone)?;
        let at = debtor.parties.iter().position(|p| p.id == id);
        let at = at.ok_or(TrunkError::Gone)?;
        let found = if take {
            debtor.parties.remove(at)
        } else {
            debtor.parties[at]
        };
        Ok((leg, found))
    }

    /// Whoever sits in the agent's place of a call.
    pub(super) fn seat(&mut self, debtor: LegId, seated: Option<LegId>) {
        if let Some(debtor) = self.debtor_row_mut(debtor) {
            debtor.seat = seated;
            // Who takes the place begins with both ways open.
            (debtor.held, debtor.muted) = (false, false);
            if let Some(leg) = seated {
                debtor.parties.retain(|p| p.leg != leg);
            }
        }
    }

    /// Gives a party the agent's place.
    pub(super) fn seat_party(
        &mut self,
        attempt: AttemptId,
        id: TransferId,
    ) -> Result<(), TrunkError> {
        let (debtor, party) = self.party(attempt, id, false)?;
        if let Some(Owner::Party(held)) = self.legs.get_mut(party.leg).map(|r| &mut r.owner) {
            if !held.answered {
                return Err(TrunkError::Gone);
            }
            held.seated = true;
        }
        self.seat(debtor, Some(party.leg));
        self.plane.order(Order::Bridge {
            debtor,
            agent: party.leg,
            beep: false,
        });
        Ok(())
    }

    /// Takes a party off the call, or withdraws its ringing.
    pub(super) fn drop_party(
        &mut self,
        attempt: AttemptId,
        id: TransferId,
    ) -> Result<(), TrunkError> {
        let (debtor, party) = self.party(attempt, id, false)?;
        if matches!(
            self.live(party.leg).map(|row| &row.owner),
            Some(Owner::Party(_))
        ) {
            let why = OurEnd {
                q850: 16,
                why: "normal clearing",
            };
            self.end_leg(party.leg, why);
            return Ok(());
        }
        self.party(attempt, id, true)?;
        self.plane.order(Order::Party {
            debtor,
            party: party.leg,
            on: false,
        });
        self.tell_party_down(attempt, id, Some(200), None, true);
        Ok(())
    }

    fn tell_party_down(
        &mut self,
        attempt: AttemptId,
        party: TransferId,
        sip_code: Option<u16>,
        q850: Option<u16>,
        by_us: bool,
    ) {
        let at = self.stamp();
        self.outbox.tell(TrunkReport::PartyDown {
            attempt,
            party,
            at,
            sip_code,
            q850,
            by_us,
        });
    }

    fn party_row(&mut self, leg: LegId) -> Option<&mut PartyLeg> {
        match self.legs.get_mut(leg).filter(|r| r.end.is_none()) {
            Some(row) => match &mut row.owner {
                Owner::Party(party) => Some(party),
                _ => None,
            },
            None => None,
        }
    }

    /// 180 or 183 of a party: the agent hears it ring.
    pub(super) fn party_progress(&mut self, leg: LegId, code: u16) {
        let at = self.stamp();
        let Some(held) = self.party_row(leg) else {
            return;
        };
        if !matches!(code, 180 | 183) || std::mem::replace(&mut held.ringing, true) {
            return;
        }
        let (attempt, party, debtor) = (held.attempt, held.id, held.debtor);
        self.agent_hears_ringing(debtor, true);
        let report = TrunkReport::PartyRinging { attempt, party, at };
        self.outbox.tell(report);
    }

    fn agent_hears_ringing(&mut self, debtor: LegId, on: bool) {
        let sound = on.then(|| Sound::repeated(self.tones.ring_back.clone()));
        if let Some(agent) = self.debtor_row(debtor).and_then(|d| d.seat) {
            self.plane.order(Order::Play(agent, sound));
        }
    }

    pub(super) fn party_answered(&mut self, leg: LegId, sdp: Option<&Bytes>) {
        self.leg_up(leg);
        self.metered(leg);
        let at = self.stamp();
        let Some(held) = self.party_row(leg) else {
            return;
        };
        held.answered = true;
        let (attempt, party, debtor) = (held.attempt, held.id, held.debtor);
        let trunk = held.trunk;
        self.opened_by((leg, trunk));
        self.agent_hears_ringing(debtor, false);
        let agreed = self.live(leg).map(|row| row.media.answered(sdp));
        match agreed {
            Some(Ok(agreed)) => {
                self.plane.order(Order::Agreed(leg, agreed, true));
                self.plane.order(Order::Party {
                    debtor,
                    party: leg,
                    on: true,
                });
                self.outbox
                    .tell(TrunkReport::PartyUp { attempt, party, at });
            }
            _ => self.end_leg(
                leg,
                OurEnd {
                    q850: 88,
                    why: "no common codec",
                },
            ),
        }
    }

    pub(super) fn party_failed(&mut self, leg: LegId, failure: &Failure) {
        let ours = matches!(failure.why, FailWhy::Cancelled | FailWhy::RingLimit);
        if let Some(trunk) = self.party_row(leg).map(|held| held.trunk) {
            self.not_opened((leg, trunk), failure);
        }
        self.party_over(
            leg,
            Over {
                at: self.now,
                code: Some(failure.code),
                q850: failure.q850,
                by_us: ours,
                ring_timeout: failure.why == FailWhy::RingLimit,
            },
        );
    }

    pub(super) fn party_ended(&mut self, leg: LegId, end: &End) {
        let by_us = end.by == Side::Local;
        self.party_over(
            leg,
            Over {
                at: self.now,
                code: Some(200),
                q850: end.q850,
                by_us,
                ring_timeout: false,
            },
        );
    }

    pub(super) fn party_over(&mut self, leg: LegId, over: Over) {
        let Some(held) = self.party_row(leg) else {
            return;
        };
        let (attempt, party, debtor) = (held.attempt, held.id, held.debtor);
        let seated = held.seated;
        self.agent_hears_ringing(debtor, false);
        if let Some(debtor) = self.debtor_row_mut(debtor) {
            debtor.parties.retain(|p| p.leg != leg);
        }
        // A ring limit is told as what it is: nobody answered.
        let code = if over.ring_timeout {
            Some(408)
        } else {
            over.code
        };
        self.tell_party_down(attempt, party, code, over.q850, over.by_us);
        self.over(leg, over);
        if seated {
            // Nobody is left to talk with the debtor.
            let why = OurEnd {
                q850: 16,
                why: "the party left",
            };
            self.end_leg(debtor, why);
        }
    }

    /// A debtor's call is over: the numbers called into it are let go.
    pub(super) fn part_parties(&mut self, legs: Vec<LegId>) {
        let why = OurEnd {
            q850: 16,
            why: "normal clearing",
        };
        for leg in legs {
            if self.party_row(leg).is_some() {
                self.end_leg(leg, why);
            }
        }
    }

    /// An agent's leg is gone: it is a party no more.
    pub(super) fn agent_parts(&mut self, leg: LegId) {
        let mut gone = Vec::new();
        for row in self.legs.iter_mut() {
            if let Owner::Debtor(debtor) = &mut row.owner {
                let attempt = debtor.order.attempt_id;
                let of_it = debtor.parties.iter().filter(|p| p.leg == leg);
                gone.extend(of_it.map(|p| (attempt, p.id)));
                debtor.parties.retain(|p| p.leg != leg);
            }
        }
        for (attempt, party) in gone {
            self.tell_party_down(attempt, party, Some(200), None, false);
        }
    }
}
