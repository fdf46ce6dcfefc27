//! The client side of all methods but INVITE (RFC 3261 §17.1.2).

use bytes::Bytes;

use super::Action;
use super::timers::{Repeat, T2, T4, TIMEOUT, together};
use crate::Millis;
use crate::msg::{Request, Response};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    /// Swallows repeats until timer K.
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct ClientOther {
    state: State,
    octets: Bytes,
    reliable: bool,
    /// Timer E.
    repeat: Option<Repeat>,
    /// Timers F and K.
    end: Option<Millis>,
}

impl ClientOther {
    pub(crate) fn start(
        now: Millis,
        request: &Request,
        reliable: bool,
        out: &mut Vec<Action>,
    ) -> Self {
        let octets = request.to_bytes();
        out.push(Action::Send(octets.clone()));
        ClientOther {
            state: State::Trying,
            octets,
            reliable,
            repeat: (!reliable).then(|| Repeat::new(now, T2)),
            end: Some(now + TIMEOUT),
        }
    }

    pub(crate) fn unheard(&self) -> bool {
        self.state == State::Trying
    }

    pub(crate) fn unanswered(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        let repeat = self.repeat.map(|repeat| repeat.at);
        repeat.into_iter().chain(self.end).min()
    }

    pub(crate) fn on_response(&mut self, now: Millis, response: Response, out: &mut Vec<Action>) {
        if !self.unanswered() {
            return;
        }
        if response.code < 200 {
            self.state = State::Proceeding;
            if let Some(repeat) = &mut self.repeat {
                repeat.slow_down();
            }
        } else {
            self.state = State::Completed;
            self.repeat = None;
            self.octets = Bytes::new();
            self.end = Some(if self.reliable {
                now
            } else {
                together(now + T4)
            });
        }
        out.push(Action::Response(Box::new(response)));
    }

    pub(crate) fn on_timer(&mut self, now: Millis, out: &mut Vec<Action>) {
        if self.end.is_some_and(|end| end <= now) {
            if self.unanswered() {
                out.push(Action::Timeout);
            }
            self.state = State::Terminated;
            self.end = None;
            self.repeat = None;
            out.push(Action::Done);
            return;
        }
        if self.repeat.as_mut().is_some_and(|repeat| repeat.fire(now)) {
            out.push(Action::Send(self.octets.clone()));
        }
    }
}
