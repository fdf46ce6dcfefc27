//! The transfer key of an agent's phone. What its REFER asks for is told to the center, which hands the call over as it
//! does for the screen, by the same law and rules; what comes of that is the phone's NOTIFY. Whoever else sends a REFER
//! is declined.

use super::core::Engine;
use super::legs::{LegRow, Owner};
use crate::limits;
use crate::plane::{LegId, Order};
use domain::ids::{AgentId, AttemptId};
use domain::pii::Pii;
use domain::ports::{TrunkError, TrunkReport};
use sip::msg::{Scheme, Uri};
use sip::ua::CallKey;
use std::net::IpAddr;
use std::time::Instant;

/// Declines: where a call goes is decided here, not by the far end.
const DECLINE: u16 = 603;

/// What an agent's phone asked for by its transfer key.
#[derive(Debug, Default)]
pub(super) struct Refers {
    /// When it asked for the one that is not done yet.
    since: Option<Instant>,
    /// Until when the phone may hang up because of the last one.
    over: Option<Instant>,
    /// How many it asked for, from when on.
    counted: Option<(Instant, u32)>,
}

impl Refers {
    /// Counts one more; false where there were too many lately.
    fn count(&mut self, now: Instant) -> bool {
        let (from, many) = self
            .counted
            .filter(|(from, _)| now.saturating_duration_since(*from) < limits::REFERS_WITHIN)
            .unwrap_or((now, 0));
        if many >= limits::REFERS {
            return false;
        }
        self.counted = Some((from, many + 1));
        true
    }

    fn begin(&mut self, now: Instant) {
        (self.since, self.over) = (Some(now), None);
    }

    /// It came to its end, or was refused at once.
    fn end(&mut self, now: Instant, done: bool) {
        let wait = if done {
            limits::REFER_BYE
        } else {
            limits::REFER_REFUSED_BYE
        };
        (self.since, self.over) = (None, Some(now + wait));
    }

    /// Whether the phone hangs up because of a transfer: most do once it is done, some as soon as they asked, and some
    /// (baresip 1.0) when it is refused.
    fn explains_end(&self, now: Instant) -> bool {
        self.since.is_some() || self.over.is_some_and(|until| now < until)
    }

    fn is_late(&self, now: Instant) -> bool {
        let waited = |at| now.saturating_duration_since(at) >= limits::REFER_WAIT;
        self.since.is_some_and(waited)
    }
}

impl Engine {
    /// The far end of a call wants it to go to somebody else.
    pub(super) fn referred(&mut self, call: CallKey, to: &Uri) {
        let now = self.millis();
        let asked = self.asked(call, to);
        let code = asked.as_ref().map_or_else(|code| *code, |_| 202);
        let taken = self.endpoint.answer_refer(now, call, code).is_ok();
        let Ok((attempt, agent, whom)) = asked else {
            self.refused_at_once(call);
            return;
        };
        let Some(to) = whom.filter(|_| taken) else {
            // He has no second call with us that could take this one's place: told as who is called in the place of
            // a call would tell it (RFC 3891 §3). A 481 to the REFER itself would end the leg (RFC 3261 §12.2.1.2).
            let _ = self.endpoint.end_refer(now, call, 481, "no such call");
            self.refer_over(agent, false);
            return;
        };
        let at = self.stamp();
        self.outbox.tell(TrunkReport::TransferAsked {
            attempt,
            agent,
            to: Pii(to),
            at,
        });
    }

    /// Whose call an agent's phone wants to hand to whom: to nobody where the target is to take the place of another
    /// call. `Err` is the code that refuses it.
    fn asked(
        &mut self,
        call: CallKey,
        to: &Uri,
    ) -> Result<(AttemptId, AgentId, Option<String>), u16> {
        let leg = self.legs.of_call(call).ok_or(DECLINE)?;
        let now = self.now;
        let row = self.legs.get_mut(leg).filter(|row| row.end.is_none());
        let Some(Owner::Agent(held)) = row.map(|row| &mut row.owner) else {
            return Err(DECLINE);
        };
        if !held.refers.count(now) {
            return Err(480);
        }
        let (agent, user) = (held.agent, held.user.clone());
        let attempt = self.seated_on(leg).ok_or(DECLINE)?;
        let method = to.params.get("method");
        if method.is_some_and(|method| !method.eq_ignore_ascii_case(b"INVITE")) {
            return Err(DECLINE);
        }
        let whom = match replaces(to) {
            true => None,
            false => Some(self.named(to, &user)?),
        };
        if let Some(Owner::Agent(held)) = self.legs.get_mut(leg).map(|row| &mut row.owner) {
            held.refers.begin(now);
        }
        Ok((attempt, agent, whom))
    }

    /// The call in which a leg has the agent's place.
    fn seated_on(&self, leg: LegId) -> Option<AttemptId> {
        self.legs.iter().find_map(|(_, row)| match &row.owner {
            Owner::Debtor(debtor) if row.end.is_none() && debtor.seat == Some(leg) => {
                Some(debtor.order.attempt_id)
            }
            _ => None,
        })
    }

    /// Whom an address names: nobody is ever called at the host that a phone writes, so it has to be ours.
    fn named(&self, to: &Uri, user: &str) -> Result<String, u16> {
        match to.scheme {
            Scheme::Tel => {}
            Scheme::Sip | Scheme::Sips if self.is_ours(to, user) => {}
            Scheme::Sip | Scheme::Sips => return Err(404),
            Scheme::Other(_) => return Err(416),
        }
        let named = to.user_text().unwrap_or_default();
        // Parameters of a number stand in the user part of a SIP address (RFC 3261 §19.1.6).
        let named = named.split(';').next().unwrap_or_default().trim();
        match named.len() {
            0 => Err(404),
            1..=limits::REFER_TO_BYTES => Ok(named.to_owned()),
            _ => Err(400),
        }
    }

    /// Whether a host is this node, or what the phone knows it by.
    fn is_ours(&self, uri: &Uri, user: &str) -> bool {
        let host = &uri.host;
        let known_by = self.endpoint.bindings(user).iter().map(|b| &b.domain);
        let mut known_by = known_by.filter(|domain| !domain.is_empty());
        if known_by.any(|domain| domain.eq_ignore_ascii_case(host))
            || host.eq_ignore_ascii_case(self.config.realm.as_bytes())
        {
            return true;
        }
        let Ok(ip) = uri.host_text().parse::<IpAddr>() else {
            return false;
        };
        let bound = self.net.addrs().iter().map(|(_, addr)| addr.ip());
        bound.chain([self.sip_addr.ip()]).any(|ours| ours == ip)
    }

    /// What came of the transfer that an agent's phone asked for.
    pub(super) fn answer_transfer(
        &mut self,
        agent: AgentId,
        code: u16,
        why: &str,
    ) -> Result<(), TrunkError> {
        let leg = self.of_agent(agent)?;
        let key = self.live(leg).and_then(|row| row.key);
        self.refer_over(agent, code < 300);
        let now = self.millis();
        let told = key.map(|key| self.endpoint.end_refer(now, key, code, why));
        told.and_then(Result::ok).ok_or(TrunkError::Gone)
    }

    fn refused_at_once(&mut self, call: CallKey) {
        let now = self.now;
        let row = self
            .legs
            .of_call(call)
            .and_then(|leg| self.legs.get_mut(leg));
        if let Some(Owner::Agent(held)) = row.map(|row| &mut row.owner) {
            held.refers.end(now, false);
        }
    }

    fn refer_over(&mut self, agent: AgentId, done: bool) {
        let now = self.now;
        let leg = self.agents.get(&agent).copied();
        let row = leg.and_then(|leg| self.legs.get_mut(leg));
        if let Some(Owner::Agent(held)) = row.map(|row| &mut row.owner)
            && held.refers.since.is_some()
        {
            held.refers.end(now, done);
        }
    }

    /// Transfers of which nothing came in time.
    pub(super) fn check_refers(&mut self) {
        let now = self.now;
        let late = |row: &LegRow| match &row.owner {
            Owner::Agent(held) if row.end.is_none() && held.refers.is_late(now) => Some(held.agent),
            _ => None,
        };
        let late: Vec<AgentId> = self.legs.iter().filter_map(|(_, row)| late(row)).collect();
        for agent in late {
            // Its leg is live: at worst the phone has gone meanwhile.
            let _ = self.answer_transfer(agent, 408, "no answer in time");
        }
    }

    /// A phone that hung up because of its transfer is called again: an agent's leg stays up, and nobody is told of one
    /// that was gone for a moment. Where it cannot be called, its leg is down as any other.
    pub(super) fn called_again(&mut self, leg: LegId) {
        let Some(Owner::Agent(held)) = self.live(leg).map(|row| &row.owner) else {
            return;
        };
        let (agent, user) = (held.agent, held.user.clone());
        let meant = held.refers.explains_end(self.now) && self.farewell.is_none();
        if meant && self.agents.get(&agent) == Some(&leg) {
            let again = self.call_phone((agent, &user), Some(leg));
            tracing::debug!(
                leg = leg.0,
                ok = again.is_ok(),
                "called again behind a transfer"
            );
        }
    }

    /// A debtor is to be joined with an agent whose leg is being called again: he is as soon as it is up.
    pub(super) fn will_sit(&mut self, debtor: LegId, agent: AgentId) -> Result<(), TrunkError> {
        let leg = self.of_agent(agent)?;
        let before = match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Agent(held)) => held.follows,
            _ => None,
        };
        let before = before.ok_or(TrunkError::Gone)?;
        self.leaves_calls(agent);
        self.seat(debtor, Some(before));
        Ok(())
    }

    /// A leg is up in the place of one that had the agent's place in a call, and still has where nobody took it.
    pub(super) fn sits_again(&mut self, before: LegId, leg: LegId) {
        let attempt = self.seated_on(before);
        let debtor = attempt.and_then(|attempt| self.attempts.get(&attempt).copied());
        let Some(debtor) = debtor else { return };
        let Some(row) = self.debtor_row_mut(debtor) else {
            return;
        };
        let (held, muted) = (row.held, row.muted);
        self.seat(debtor, Some(leg));
        if let Some(row) = self.debtor_row_mut(debtor) {
            (row.held, row.muted) = (held, muted);
        }
        self.plane.order(Order::Bridge {
            debtor,
            agent: leg,
            beep: !held,
        });
        if held {
            self.plane.order(Order::Hold(debtor, true));
        }
        if muted {
            self.plane.order(Order::Mute(debtor, true));
        }
    }
}

/// Whether the target is to take the place of another call (RFC 3891), however that is written.
fn replaces(to: &Uri) -> bool {
    let headers = to.headers.as_deref().unwrap_or_default();
    headers.split(|b| *b == b'&').any(|pair| {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"Replaces")
    })
}
