//! Agents' legs: called once, kept up, joined to debtors on the media threads.

use super::core::Engine;
use super::fault::Begun;
use super::legs::{AgentLeg, LegRow, OurEnd, Over, Owner};
use super::refers::Refers;
use crate::config::Codec;
use crate::limits;
use crate::plane::{LegId, Order};
use bytes::Bytes;
use domain::ids::AgentId;
use domain::ports::{TrunkError, TrunkReport};
use sip::header::NameAddr;
use sip::msg::{HeaderName, Headers, Uri};
use sip::ua::{End, FailWhy, Failure, InviteOrder, Side};
use sip::{Source, Target};

/// What the agent's phone shows.
const CALLER: &str = "Marcador";

impl Engine {
    /// Calls the agent's registered phone.
    pub(super) fn open_agent(&mut self, agent: AgentId, user: &str) -> Result<(), TrunkError> {
        if self.farewell.is_some() {
            return Err(TrunkError::TrunkDown);
        }
        if let Some(leg) = self.agents.get(&agent).copied()
            && let Some(row) = self.live(leg)
            && let Owner::Agent(held) = &row.owner
        {
            // A browser that the agent chose is not taken from him by a phone that registers.
            if held.user == user || row.key.is_none() {
                if held.proved {
                    let at = self.stamp();
                    self.outbox.tell(TrunkReport::AgentLegUp { agent, at });
                }
                return Ok(());
            }
            self.end_leg(
                leg,
                OurEnd {
                    q850: 16,
                    why: "another phone",
                },
            );
            self.settle();
        }
        self.call_phone((agent, user), None)
    }

    /// Where the phone of an account is called: its latest registration.
    fn phone_of(&self, user: &str) -> Option<(Uri, Source)> {
        let bindings = self.endpoint.bindings(user).iter();
        let phone = bindings.max_by_key(|b| b.expires_at)?;
        Some((phone.contact.clone(), phone.source))
    }

    /// Calls the phone; with `follows`, in the place of that leg.
    pub(super) fn call_phone(
        &mut self,
        (agent, user): (AgentId, &str),
        follows: Option<LegId>,
    ) -> Result<(), TrunkError> {
        let (contact, source) = self.phone_of(user).ok_or(TrunkError::NoPhone)?;
        // A contact that names another address than it registers from is behind NAT.
        let behind_nat = contact
            .socket_addr()
            .is_none_or(|a| a.ip() != source.remote.ip());
        let (leg, port) = self
            .plane
            .add(behind_nat)
            .ok_or(TrunkError::Limit("ports"))?;
        self.begun.leg = Some(leg);
        let media = self.media(port, &[Codec::Pcma, Codec::Pcmu]);
        let media = media.secured(source.proto == sip::Proto::Tls);
        let us = Uri::sip(Some("marcador"), self.sip_addr);
        let from = NameAddr::new(us.clone()).with_display(CALLER);
        let mut invite = InviteOrder::new(contact, Target::from(source), from, media.offer());
        invite.ring_limit_ms = u64::try_from(limits::AGENT_RING.as_millis()).unwrap_or(u64::MAX);
        invite.headers = answer_at_once(&us);
        let now = self.millis();
        let Ok(key) = self.endpoint.invite(now, invite) else {
            self.begun = Begun::default();
            self.plane.order(Order::Remove(leg, self.now));
            return Err(TrunkError::Limit("sip calls"));
        };
        self.begun.key = Some(key);
        let owner = Owner::Agent(AgentLeg {
            agent,
            user: user.to_owned(),
            answered: None,
            proved: false,
            refers: Refers::default(),
            follows,
        });
        self.agents.insert(agent, leg);
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
        Ok(())
    }

    pub(super) fn close_agent(&mut self, agent: AgentId) -> Result<(), TrunkError> {
        let leg = self.of_agent(agent)?;
        self.end_leg(
            leg,
            OurEnd {
                q850: 16,
                why: "closed",
            },
        );
        Ok(())
    }

    /// A live agent's leg.
    pub(super) fn of_agent(&self, agent: AgentId) -> Result<LegId, TrunkError> {
        let leg = *self.agents.get(&agent).ok_or(TrunkError::Gone)?;
        self.live(leg).map(|_| leg).ok_or(TrunkError::Gone)
    }

    /// Supervisors on a debtor's call.
    pub(super) fn supervisors(&self, debtor: LegId) -> &[AgentId] {
        match self.live(debtor).map(|row| &row.owner) {
            Some(Owner::Debtor(debtor)) => &debtor.supervisors,
            _ => &[],
        }
    }

    pub(super) fn supervisors_mut(&mut self, debtor: LegId) -> Option<&mut Vec<AgentId>> {
        match self.legs.get_mut(debtor).map(|row| &mut row.owner) {
            Some(Owner::Debtor(debtor)) => Some(&mut debtor.supervisors),
            _ => None,
        }
    }

    /// A leg supervises one call at most: it leaves the one it was on.
    pub(super) fn leaves_calls(&mut self, agent: AgentId) {
        for row in self.legs.iter_mut() {
            if let Owner::Debtor(debtor) = &mut row.owner {
                debtor.supervisors.retain(|s| *s != agent);
            }
        }
    }

    /// Whether a leg has the agent's place on some call.
    pub(super) fn seated(&self, leg: LegId) -> bool {
        self.legs.iter().any(|(_, row)| {
            matches!(&row.owner, Owner::Debtor(debtor) if row.end.is_none() && debtor.seat == Some(leg))
        })
    }

    /// A live agent's leg that can be joined: its audio path is proved.
    pub(super) fn proved_agent(&self, agent: AgentId) -> Result<LegId, TrunkError> {
        let leg = self.of_agent(agent)?;
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Agent(held)) if held.proved => Ok(leg),
            _ => Err(TrunkError::Gone),
        }
    }

    pub(super) fn agent_answered(&mut self, leg: LegId, sdp: Option<&Bytes>) {
        let now = self.now;
        self.leg_up(leg);
        let Some(row) = self.legs.get_mut(leg) else {
            return;
        };
        if let Owner::Agent(held) = &mut row.owner {
            held.answered = Some(now);
        }
        match row.media.answered(sdp) {
            Ok(agreed) => self.plane.order(Order::Agreed(leg, agreed, true)),
            Err(_) => self.end_leg(
                leg,
                OurEnd {
                    q850: 88,
                    why: "no common codec",
                },
            ),
        }
    }

    /// Audio has passed both ways.
    pub(super) fn agent_proved(&mut self, leg: LegId) {
        let at = self.stamp();
        let Some(row) = self.legs.get_mut(leg).filter(|row| row.end.is_none()) else {
            return;
        };
        if let Owner::Agent(held) = &mut row.owner {
            held.proved = true;
            let (agent, follows) = (held.agent, held.follows.take());
            self.outbox.tell(TrunkReport::AgentLegUp { agent, at });
            if let Some(before) = follows {
                self.sits_again(before, leg);
            }
        }
    }

    pub(super) fn agent_failed(&mut self, leg: LegId, failure: &Failure) {
        let why = match failure.why {
            FailWhy::RingLimit => "no answer".to_owned(),
            FailWhy::Timeout => "the phone does not respond".to_owned(),
            FailWhy::Transport | FailWhy::Cut => "the phone cannot be reached".to_owned(),
            FailWhy::Cancelled => "closed".to_owned(),
            FailWhy::Refused | FailWhy::Redirected | FailWhy::Unauthorized => {
                format!("the phone refused: {}", failure.code)
            }
        };
        let by_us = failure.why == FailWhy::Cancelled;
        self.agent_down(leg, why, failure.code, by_us);
    }

    pub(super) fn agent_ended(&mut self, leg: LegId, end: &End) {
        if end.by == Side::Remote {
            self.called_again(leg);
        }
        let ours = self.live(leg).and_then(|row| row.our_end);
        let why = match end.by {
            Side::Local => ours.map_or("closed", |o| o.why),
            Side::Remote => "the phone hung up",
            Side::Network => "the phone was lost",
        };
        self.agent_down(leg, why.to_owned(), 200, end.by == Side::Local);
    }

    pub(super) fn agent_down(&mut self, leg: LegId, reason: String, code: u16, by_us: bool) {
        let Some(Owner::Agent(held)) = self.live(leg).map(|row| &row.owner) else {
            return;
        };
        let agent = held.agent;
        let at = self.stamp();
        // The end of a leg that another one has replaced is nobody's business.
        if self.agents.get(&agent) == Some(&leg) {
            self.outbox
                .tell(TrunkReport::AgentLegDown { agent, at, reason });
        }
        let code = Some(code);
        self.over(
            leg,
            Over {
                at: self.now,
                code,
                q850: None,
                by_us,
                ring_timeout: false,
            },
        );
    }

    /// Legs that were answered but carry no audio are given up.
    pub(super) fn check_agents(&mut self) {
        let now = self.now;
        let mute = |row: &LegRow| match &row.owner {
            Owner::Agent(held) if !held.proved => held
                .answered
                .is_some_and(|at| now.saturating_duration_since(at) >= limits::AGENT_AUDIO_PROOF),
            _ => false,
        };
        let given_up: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, row)| mute(row))
            .map(|(leg, _)| leg)
            .collect();
        for leg in given_up {
            self.end_leg(
                leg,
                OurEnd {
                    q850: 41,
                    why: "no audio from the phone",
                },
            );
        }
    }
}

/// Asks the phone to pick up by itself, in the words of the common makes.
fn answer_at_once(us: &Uri) -> Headers {
    let mut headers = Headers::default();
    let info = format!(
        "<{}>;answer-after=0",
        String::from_utf8_lossy(&us.to_bytes())
    );
    headers.push(
        HeaderName::from_token(Bytes::from_static(b"Call-Info")),
        info,
    );
    let alert = "<http://127.0.0.1>;info=alert-autoanswer";
    headers.push(
        HeaderName::from_token(Bytes::from_static(b"Alert-Info")),
        alert,
    );
    headers
}
