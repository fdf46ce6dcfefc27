//! A fault of ours ends the call it happened with, counted and alarmed; the room goes on. Where faults follow each
//! other too quickly the thread ends all the same, and who reads the reports finds them closed.

use super::browsers::OK;
use super::core::Engine;
use super::legs::{LegRow, OurEnd, Over, Owner};
use super::order::{Command, Order};
use crate::net::Input;
use crate::plane::{Counts, Event as MediaEvent, LegId, Order as MediaOrder};
use domain::ids::{AgentId, AttemptId, TrunkId};
use domain::ports::{LegRef, TrunkReport};
use sip::header::Reason;
use sip::ua::{CallKey, Event};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

/// Temporary failure (Q.850 41).
const FAULT: OurEnd = OurEnd {
    q850: 41,
    why: "fault",
};

/// What a piece of work is done for.
pub(super) enum Whose {
    /// Nobody that is known.
    Nobody,
    /// A leg.
    Leg(LegId),
    /// The call that the SIP endpoint knows by this key.
    Call(CallKey),
    /// A debtor's call.
    Attempt(AttemptId),
    /// An agent's leg.
    Agent(AgentId),
    /// The call of a message.
    Message(bytes::Bytes),
}

impl Whose {
    pub(super) fn input(input: &Input) -> Self {
        match input {
            Input::Bytes(bytes) => Self::Message(bytes.clone()),
            _ => Self::Nobody,
        }
    }

    pub(super) fn order(order: &Order) -> Self {
        let Order::Call(command, _) = order else {
            return Self::Nobody;
        };
        match command {
            Command::Dial(order) => Self::Attempt(order.attempt_id),
            Command::Take(order) => Self::Attempt(order.attempt_id),
            Command::InviteParty(order) => Self::Attempt(order.attempt),
            Command::Cancel(attempt)
            | Command::Bridge(attempt, _)
            | Command::Unbridge(attempt)
            | Command::Hold(attempt, _)
            | Command::Mute(attempt, _)
            | Command::Record(attempt, _)
            | Command::Dtmf(attempt, _)
            | Command::Monitor(attempt, ..)
            | Command::SeatParty(attempt, _)
            | Command::DropParty(attempt, _)
            | Command::HangUp(attempt, _) => Self::Attempt(*attempt),
            Command::Play(leg, _) | Command::Say(leg, _) => match leg {
                LegRef::Debtor(attempt) => Self::Attempt(*attempt),
                LegRef::Agent(agent) => Self::Agent(*agent),
            },
            Command::AnswerTransfer(agent, ..)
            | Command::OpenAgent(agent, _)
            | Command::CloseAgent(agent)
            | Command::OpenBrowser(agent, _) => Self::Agent(*agent),
            Command::Know(..) => Self::Nobody,
        }
    }

    pub(super) fn media(event: &MediaEvent) -> Self {
        match event {
            MediaEvent::Bridged { debtor: leg, .. }
            | MediaEvent::Played { leg, .. }
            | MediaEvent::Dtmf { leg, .. }
            | MediaEvent::Classified { leg, .. }
            | MediaEvent::Printed { leg, .. }
            | MediaEvent::Silent { leg, .. }
            | MediaEvent::Proved { leg, .. }
            | MediaEvent::Left { leg, .. }
            | MediaEvent::Removed { leg, .. }
            | MediaEvent::Browser { leg, .. } => Self::Leg(*leg),
            MediaEvent::Broken { leg } => leg.map_or(Self::Nobody, Self::Leg),
            MediaEvent::Recorder(_) => Self::Nobody,
        }
    }

    pub(super) fn event(event: &Event) -> Self {
        match event {
            Event::Progress { call, .. }
            | Event::Answered { call, .. }
            | Event::Failed { call, .. }
            | Event::Confirmed { call, .. }
            | Event::Reinvite { call, .. }
            | Event::ReinviteDone { call, .. }
            | Event::Info { call, .. }
            | Event::Refer { call, .. }
            | Event::ReferAnswered { call, .. }
            | Event::ReferProgress { call, .. }
            | Event::Ended { call, .. } => Self::Call(*call),
            Event::Incoming(incoming) => Self::Call(incoming.call),
            Event::OrphanEnded { .. }
            | Event::Registration { .. }
            | Event::Pong { .. }
            | Event::Registered { .. }
            | Event::Unregistered { .. } => Self::Nobody,
        }
    }
}

/// What was begun and has no row yet: a fault before it has one would leave it without an owner.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Its media.
    pub(super) leg: Option<LegId>,
    /// Its INVITE.
    pub(super) key: Option<CallKey>,
    /// The trunk that it has a line of.
    pub(super) trunk: Option<TrunkId>,
}

impl Engine {
    /// Does a piece of work. Where it panics, the call it was done for ends.
    pub(super) fn safely(&mut self, whose: Whose, work: impl FnOnce(&mut Self)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            self.fault(&whose, panic);
        }
    }

    #[cold]
    fn fault(&mut self, whose: &Whose, panic: Box<dyn Any + Send>) {
        // A room that ends goes on ending, which takes its time and no more.
        if self.faults.beyond(Instant::now()) && self.farewell.is_none() {
            resume_unwind(panic);
        }
        let begun = std::mem::take(&mut self.begun);
        self.attempted(|engine| engine.undo(&begun));
        let leg = self.attempted(|engine| engine.leg_of(whose)).flatten();
        if let (Whose::Call(key), None) = (whose, leg) {
            self.attempted(|engine| engine.hang_up_unowned(*key));
        }
        self.attempted(|engine| engine.tell_fault(leg));
        let Some(leg) = leg else { return };
        if self.attempted(|engine| engine.end_broken(leg)).is_none() {
            self.attempted(|engine| engine.over_by_fault(leg));
        }
    }

    /// Puts a part of what broke right; it may break again.
    fn attempted<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| work(self))).ok()
    }

    /// A leg with its first row.
    pub(super) fn adopt(&mut self, leg: LegId, row: LegRow) {
        self.legs.add(leg, row);
        self.begun = Begun::default();
    }

    /// Takes back what never had a row.
    fn undo(&mut self, begun: &Begun) {
        if let Some(trunk) = begun.trunk {
            self.release(trunk);
        }
        if let Some(key) = begun.key {
            self.attempted(|engine| engine.hang_up_unowned(key));
        }
        if let Some(leg) = begun.leg {
            self.attempts.retain(|_, of| *of != leg);
            self.agents.retain(|_, of| *of != leg);
            self.placed.remove(&leg);
            self.plane.order(MediaOrder::Remove(leg, self.now));
        }
    }

    /// A call of the endpoint's that is nobody's here.
    fn hang_up_unowned(&mut self, key: CallKey) {
        let (now, reason) = (self.millis(), Reason::q850(41, FAULT.why));
        // An error means that there is no such call any more.
        let _ = self.endpoint.hang_up(now, key, Some(reason));
    }

    fn leg_of(&self, whose: &Whose) -> Option<LegId> {
        match whose {
            Whose::Nobody => None,
            Whose::Leg(leg) => Some(*leg),
            Whose::Call(key) => self.legs.of_call(*key),
            Whose::Attempt(attempt) => self.attempts.get(attempt).copied(),
            Whose::Agent(agent) => self.agents.get(agent).copied(),
            Whose::Message(bytes) => self.trails.whose(bytes),
        }
    }

    /// A leg broke on its media thread: it is told and ended. What is over already only waits for its end there.
    pub(super) fn broken(&mut self, leg: Option<LegId>) {
        let leg = leg.filter(|leg| self.live(*leg).is_some());
        self.tell_fault(leg);
        if let Some(leg) = leg {
            self.end_broken(leg);
        }
    }

    fn tell_fault(&mut self, leg: Option<LegId>) {
        let attempt = leg.and_then(|leg| match &self.live(leg)?.owner {
            Owner::Debtor(debtor) => Some(debtor.order.attempt_id),
            Owner::Party(party) => Some(party.attempt),
            Owner::Agent(_) | Owner::Caller { .. } => None,
        });
        let at = self.wall.now();
        self.outbox.tell(TrunkReport::Fault { attempt, at });
    }

    fn end_broken(&mut self, leg: LegId) {
        let now = self.millis();
        let Some(row) = self.legs.get_mut(leg) else {
            return;
        };
        if row.end.is_some() {
            // Whether its media thread was told of the end is not known: what is known now is told.
            return self.removed(leg, Counts::default());
        }
        row.our_end.get_or_insert(FAULT);
        let hung_up = row.key.is_some_and(|key| {
            let reason = Reason::q850(41, FAULT.why);
            let endpoint = &mut self.endpoint;
            let said = AssertUnwindSafe(|| endpoint.hang_up(now, key, Some(reason)).is_ok());
            catch_unwind(said).unwrap_or(false)
        });
        if !hung_up {
            // The far end cannot be told any more.
            self.over_by_fault(leg);
        }
    }

    /// The leg is over for us, whatever its far end still says.
    fn over_by_fault(&mut self, leg: LegId) {
        let answered = match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Debtor(debtor)) => debtor.answered,
            _ => false,
        };
        let over = Over {
            at: self.now,
            code: answered.then_some(OK),
            q850: Some(FAULT.q850),
            by_us: true,
            ring_timeout: false,
        };
        match self.live(leg).map(|row| &row.owner) {
            Some(Owner::Agent(_)) => self.agent_down(leg, FAULT.why.to_owned(), OK, true),
            Some(Owner::Party(_)) => self.party_over(leg, over),
            Some(Owner::Debtor(_) | Owner::Caller { .. }) => self.over(leg, over),
            None => {}
        }
    }

    /// The media thread of a leg is gone: its end is never told by that.
    fn bereaved(&mut self, leg: LegId) {
        if self.live(leg).is_some() {
            self.broken(Some(leg));
            self.over_by_fault(leg);
        }
        self.removed(leg, Counts::default());
    }

    /// Looks after the other threads: what was on a media thread that is gone is over.
    pub(super) fn look_after_media(&mut self) {
        for leg in self.plane.gone() {
            self.safely(Whose::Leg(leg), |engine| engine.bereaved(leg));
        }
        let unrecorded = self
            .writer
            .as_ref()
            .is_some_and(|(writer, _)| writer.gone());
        if (self.plane.lost() || unrecorded) && self.farewell.is_none() {
            // No call can have sound, or none can be recorded: the end is told by the reports that close.
            self.say_farewell(None);
        }
    }
}

#[cfg(test)]
mod tests;
