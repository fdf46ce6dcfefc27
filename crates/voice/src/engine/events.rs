//! What the SIP endpoint and the media threads tell.

use super::core::Engine;
use super::fault::Whose;
use super::keys::info_key;
use super::legs::{OurEnd, Over, Owner};
use super::silence::end_of;
use crate::plane::{Counts, Event as MediaEvent, LegId, Order};
use crate::recorder::RecorderEvent;
use bytes::Bytes;
use domain::entity::LegKind;
use domain::ports::{LegRef, SoundVerdict, TrunkReport};
use sip::msg::Uri;
use sip::ua::{CallKey, End, Event};
use std::net::SocketAddr;
use std::time::Instant;

impl Engine {
    pub(super) fn sip_event(&mut self, event: Event) {
        match event {
            Event::Progress {
                call, code, sdp, ..
            } => {
                if let Some(leg) = self.legs.of_call(call) {
                    self.party_progress(leg, code);
                    self.debtor_progress(leg, code, sdp);
                }
            }
            Event::Answered { call, sdp, .. } => self.answered(call, sdp.as_ref()),
            Event::Failed { call, failure } => {
                let Some(leg) = self.legs.of_call(call) else {
                    return;
                };
                match self.live(leg).map(|row| &row.owner) {
                    Some(Owner::Debtor(_)) => self.debtor_failed(leg, &failure),
                    Some(Owner::Agent(_)) => self.agent_failed(leg, &failure),
                    Some(Owner::Party(_)) => self.party_failed(leg, &failure),
                    Some(Owner::Caller { .. }) | None => {}
                }
            }
            Event::Incoming(incoming) => self.incoming(&incoming),
            Event::Confirmed { call, sdp } => self.confirmed(call, sdp.as_ref()),
            Event::Reinvite { call, sdp, .. } => self.changed(call, sdp.as_ref()),
            Event::Info {
                call,
                content_type,
                body,
            } => {
                self.info(call, content_type.as_ref(), &body);
            }
            Event::Ended { call, end } => self.ended(call, &end),
            Event::OrphanEnded { call, code } => self.orphan_ended(call, code),
            Event::Pong { ping, code, .. } => self.pong(ping, code),
            Event::Registered {
                user,
                contact,
                source,
                ..
            } => {
                self.phone(&user, contact, Some(source.remote));
            }
            Event::Unregistered { user, contact, .. } => self.phone(&user, contact, None),
            Event::Registration {
                registration,
                state,
            } => self.registration(registration, &state),
            Event::Refer { call, to, .. } => self.referred(call, &to.uri),
            Event::ReinviteDone { .. }
            | Event::ReferAnswered { .. }
            | Event::ReferProgress { .. } => {}
        }
    }

    fn answered(&mut self, call: CallKey, sdp: Option<&Bytes>) {
        let Some(leg) = self.legs.of_call(call) else {
            return;
        };
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Debtor(_)) => self.debtor_answered(leg, sdp),
            Some(Owner::Agent(_)) => self.agent_answered(leg, sdp),
            Some(Owner::Party(_)) => self.party_answered(leg, sdp),
            Some(Owner::Caller { .. }) | None => {}
        }
    }

    fn ended(&mut self, call: CallKey, end: &End) {
        let Some(leg) = self.legs.of_call(call) else {
            return;
        };
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Agent(_)) => self.agent_ended(leg, end),
            Some(Owner::Party(_)) => self.party_ended(leg, end),
            Some(Owner::Debtor(_) | Owner::Caller { .. }) => self.call_ended(leg, end),
            None => {}
        }
    }

    /// The far end wants to change the session, or to refresh it.
    fn changed(&mut self, call: CallKey, offer: Option<&Bytes>) {
        let now = self.millis();
        let leg = self.legs.of_call(call);
        let row = leg
            .and_then(|leg| self.legs.get_mut(leg))
            .filter(|row| row.end.is_none());
        let mut agreed = None;
        let body = row.and_then(|row| match offer {
            None => Some(row.media.offer_again()),
            Some(offer) => row.media.answer(offer).ok().map(|(body, settled)| {
                agreed = Some(settled);
                body
            }),
        });
        let _ = self.endpoint.answer_reinvite(now, call, body);
        if let (Some(leg), Some(agreed)) = (leg, agreed) {
            self.plane.order(Order::Agreed(leg, agreed, true));
        }
    }

    fn info(&mut self, call: CallKey, content_type: Option<&Bytes>, body: &Bytes) {
        let Some(leg) = self.legs.of_call(call) else {
            return;
        };
        if let Some(digit) = content_type.and_then(|kind| info_key(kind, body)) {
            self.key_pressed(leg, digit, self.now);
        }
    }

    fn phone(&mut self, user: &str, contact: Uri, from: Option<SocketAddr>) {
        let contacts = self.phones.entry(user.to_owned()).or_default();
        let same = |(known, at): &(Uri, SocketAddr)| known.same_as(&contact) && Some(*at) == from;
        let known = contacts.iter().any(same);
        contacts.retain(|(known, _)| !known.same_as(&contact));
        contacts.extend(from.map(|from| (contact, from)));
        if contacts.is_empty() {
            self.phones.remove(user);
        }
        // Most say that they are still there, each minute: nobody new is to be heard then.
        if !known {
            self.befriend();
        }
    }

    pub(super) fn media_event(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Bridged { debtor, agent, at } => {
                let attempt = self.leg_ref(debtor);
                let agent = self.leg_ref(agent);
                if let (Some(LegRef::Debtor(attempt)), Some(LegRef::Agent(agent))) =
                    (attempt, agent)
                {
                    let at = self.wall.at(at);
                    self.outbox
                        .tell(TrunkReport::Bridged { attempt, agent, at });
                }
            }
            MediaEvent::Played { leg, at } => self.played(leg, at),
            MediaEvent::Dtmf { leg, digit, at } => self.key_pressed(leg, digit, at),
            MediaEvent::Silent {
                leg,
                of,
                silent_ms,
                lifeless_ms,
                at,
            } => {
                self.silent((leg, of), silent_ms, lifeless_ms, at);
            }
            MediaEvent::Proved { leg, at } => {
                self.at(at);
                self.agent_proved(leg);
            }
            MediaEvent::Left {
                debtor,
                leg,
                from,
                until,
                counts,
            } => self.leg_left((debtor, leg), (from, until), counts),
            MediaEvent::Classified {
                leg,
                verdict,
                early,
                at,
            } => self.judged(leg, verdict, early, at),
            MediaEvent::Printed { leg, print, at } => {
                if let Some(LegRef::Debtor(attempt)) = self.leg_ref(leg) {
                    let at = self.wall.at(at);
                    self.outbox.tell(TrunkReport::Printed {
                        attempt,
                        at,
                        print: print.to_bytes().to_vec(),
                    });
                }
            }
            MediaEvent::Removed { leg, counts } => self.removed(leg, counts),
            MediaEvent::Broken { leg } => self.broken(leg),
            MediaEvent::Browser { leg, up } => self.browser_news(leg, up),
            MediaEvent::Recorder(event) => self.recorded(event),
        }
    }

    /// What a debtor's leg sounds like, before its answer or after it.
    fn judged(&mut self, leg: LegId, verdict: SoundVerdict, early: bool, at: Instant) {
        let Some(LegRef::Debtor(attempt)) = self.leg_ref(leg) else {
            return;
        };
        let at = self.wall.at(at);
        self.outbox.tell(if early {
            TrunkReport::Early {
                attempt,
                at,
                verdict,
            }
        } else {
            TrunkReport::Classified {
                attempt,
                at,
                verdict,
            }
        });
    }

    fn leg_ref(&self, leg: LegId) -> Option<LegRef> {
        match &self.live(leg)?.owner {
            Owner::Debtor(debtor) => Some(LegRef::Debtor(debtor.order.attempt_id)),
            Owner::Agent(held) => Some(LegRef::Agent(held.agent)),
            Owner::Party(_) | Owner::Caller { .. } => None,
        }
    }

    fn played(&mut self, leg: LegId, at: Instant) {
        let caller = matches!(self.live(leg).map(|r| &r.owner), Some(Owner::Caller { .. }));
        if caller || self.untaken(leg) {
            self.at(at);
            self.end_leg(
                leg,
                OurEnd {
                    q850: 16,
                    why: "message over",
                },
            );
        } else if let Some(of) = self.leg_ref(leg) {
            self.outbox.tell(TrunkReport::Played {
                leg: of,
                at: self.wall.at(at),
            });
        }
    }

    fn key_pressed(&mut self, leg: LegId, digit: char, at: Instant) {
        if let Some(of) = self.leg_ref(leg) {
            self.outbox.tell(TrunkReport::Dtmf {
                leg: of,
                digit,
                at: self.wall.at(at),
            });
        }
    }

    /// Nothing comes from a leg: an alarm on its call, whichever side is silent.
    fn silent(&mut self, leg: (LegId, Option<LegId>), silent_ms: i64, lifeless: i64, at: Instant) {
        self.at(at);
        let (leg, of) = leg;
        if matches!(self.live(leg).map(|row| &row.owner), Some(Owner::Party(_)))
            && let Some(end) = end_of(LegKind::Party, lifeless)
        {
            return self.end_leg(leg, end);
        }
        let Some(side) = self.leg_ref(leg) else {
            return;
        };
        let call = of.and_then(|of| self.leg_ref(of)).unwrap_or(side);
        if let LegRef::Debtor(attempt) = call {
            let at = self.wall.at(at);
            self.outbox.tell(TrunkReport::OneWayAudio {
                attempt,
                silent_ms,
                at,
            });
        }
        let kind = match side {
            LegRef::Debtor(_) => LegKind::Debtor,
            LegRef::Agent(_) => LegKind::Agent,
        };
        if let Some(end) = end_of(kind, lifeless) {
            self.end_leg(leg, end);
        }
    }

    /// The call of a leg is over: its names are free again.
    pub(super) fn leg_over(&mut self, leg: LegId, over: &Over) {
        let Some(row) = self.legs.get(leg) else {
            return;
        };
        match &row.owner {
            Owner::Debtor(debtor) => {
                let (attempt, trunk) = (debtor.order.attempt_id, debtor.order.trunk_id);
                let parties = debtor.parties.iter().map(|p| p.leg).chain(debtor.seat);
                let parties: Vec<LegId> = parties.collect();
                let ours = debtor.came.is_none();
                self.attempts.remove(&attempt);
                if ours {
                    self.release(trunk);
                }
                self.part_parties(parties);
            }
            Owner::Agent(held) => {
                let agent = held.agent;
                if self.agents.get(&agent) == Some(&leg) {
                    self.agents.remove(&agent);
                    self.leaves_calls(agent);
                }
                self.agent_parts(leg);
            }
            Owner::Party(party) => {
                let trunk = party.trunk;
                self.release(trunk);
            }
            Owner::Caller { .. } => {}
        }
        tracing::debug!(
            leg = leg.0,
            code = over.code,
            by_us = over.by_us,
            "call over"
        );
    }

    /// A media thread let a leg go.
    pub(super) fn removed(&mut self, leg: LegId, counts: Counts) {
        self.plane.removed(leg);
        let Some(row) = self.legs.get(leg) else {
            return;
        };
        let (mut end, mut answered) = (None, None);
        if let (Owner::Debtor(debtor), Some(over)) = (&row.owner, &row.end) {
            let (attempt, trunk) = (debtor.order.attempt_id, debtor.order.trunk_id);
            let over = *over;
            answered = debtor.answered_at;
            let mut result = None;
            if answered.is_none() {
                self.safely(Whose::Nobody, |engine| {
                    result = engine.result_of(trunk, &over);
                });
            }
            end = Some(self.end_report(attempt, &over, counts, result));
        }
        self.safely(Whose::Nobody, |engine| {
            engine.trail_end(leg, answered, counts);
        });
        // The row goes once its end is ready to be told: a fault before that leaves it to be told yet.
        self.legs.remove(leg);
        if let Some(end) = end {
            self.outbox.tell(end);
        }
    }

    fn recorded(&mut self, event: RecorderEvent) {
        let at = self.wall.now();
        self.outbox.tell(match event {
            RecorderEvent::Sealed {
                recording,
                attempt,
                sha256,
                duration_ms,
                bytes,
                gaps,
            } => TrunkReport::RecordingSealed {
                recording,
                attempt,
                sha256,
                duration_ms,
                bytes,
                gaps,
                at,
            },
            RecorderEvent::Failed {
                recording,
                attempt,
                reason,
            } => TrunkReport::RecordingFailed {
                recording,
                attempt,
                reason,
                at,
            },
        });
    }
}
