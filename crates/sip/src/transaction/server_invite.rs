//! The server side of INVITE (RFC 3261 §17.2.1, RFC 6026 §7.1).

use bytes::Bytes;

use super::Action;
use super::timers::{Repeat, T2, T4, TIMEOUT, together};
use crate::Millis;
use crate::msg::{Method, Request, Response};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    /// Sent 300 to 699: repeats it until the ACK.
    Completed,
    /// Got the ACK: swallows repeats until timer I.
    Confirmed,
    /// Sent 2xx, whose repeats are the user's: swallows INVITEs until timer L.
    Accepted,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct ServerInvite {
    state: State,
    last: Option<Bytes>,
    reliable: bool,
    /// Timer G.
    repeat: Option<Repeat>,
    /// Timers H, I and L.
    end: Option<Millis>,
}

impl ServerInvite {
    pub(crate) fn start(reliable: bool) -> Self {
        ServerInvite {
            state: State::Proceeding,
            last: None,
            reliable,
            repeat: None,
            end: None,
        }
    }

    pub(crate) fn proceeding(&self) -> bool {
        self.state == State::Proceeding
    }

    /// True from a refusal until its ACK.
    pub(crate) fn waits_for_ack(&self) -> bool {
        self.state == State::Completed
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        let repeat = self.repeat.map(|repeat| repeat.at);
        repeat.into_iter().chain(self.end).min()
    }

    pub(crate) fn on_request(&mut self, now: Millis, request: &Request, out: &mut Vec<Action>) {
        if request.method != Method::Ack {
            if matches!(self.state, State::Proceeding | State::Completed) {
                out.extend(self.last.clone().map(Action::Send));
            }
            return;
        }
        match self.state {
            State::Completed => {
                self.state = State::Confirmed;
                self.repeat = None;
                self.last = None;
                self.end = Some(if self.reliable {
                    now
                } else {
                    together(now + T4)
                });
            }
            State::Accepted => out.push(Action::Ack(Box::new(request.clone()))),
            _ => {}
        }
    }

    pub(crate) fn respond(&mut self, now: Millis, response: &Response, out: &mut Vec<Action>) {
        let octets = response.to_bytes();
        match (self.state, response.code) {
            (State::Proceeding, 100..=199) => {
                self.last = Some(octets.clone());
            }
            (State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                self.last = None;
                self.end = Some(together(now + TIMEOUT));
            }
            (State::Accepted, 200..=299) => {}
            (State::Proceeding, _) => {
                self.state = State::Completed;
                self.last = Some(octets.clone());
                self.repeat = (!self.reliable).then(|| Repeat::new(now, T2));
                self.end = Some(now + TIMEOUT);
            }
            _ => return,
        }
        out.push(Action::Send(octets));
    }

    pub(crate) fn on_timer(&mut self, now: Millis, out: &mut Vec<Action>) {
        if self.end.is_some_and(|end| end <= now) {
            if self.state == State::Completed {
                out.push(Action::AckMissing);
            }
            self.state = State::Terminated;
            self.end = None;
            self.repeat = None;
            out.push(Action::Done);
            return;
        }
        if self.repeat.as_mut().is_some_and(|repeat| repeat.fire(now)) {
            out.extend(self.last.clone().map(Action::Send));
        }
    }
}
