//! The server side of all methods but INVITE (RFC 3261 §17.2.2).

use bytes::Bytes;

use super::Action;
use super::timers::{TIMEOUT, together};
use crate::Millis;
use crate::msg::Response;

/// How long a request may stay without answer before its place is given up, ms. The RFC names no
/// such timer; the client gives up after 64·T1 anyway.
const UNANSWERED: u64 = 2 * TIMEOUT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    /// Repeats the final response until timer J.
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct ServerOther {
    state: State,
    last: Option<Bytes>,
    reliable: bool,
    /// Timer J.
    end: Option<Millis>,
}

impl ServerOther {
    pub(crate) fn start(now: Millis, reliable: bool) -> Self {
        ServerOther {
            state: State::Trying,
            last: None,
            reliable,
            end: Some(now + UNANSWERED),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.end
    }

    pub(crate) fn on_request(&self, out: &mut Vec<Action>) {
        if matches!(self.state, State::Proceeding | State::Completed) {
            out.extend(self.last.clone().map(Action::Send));
        }
    }

    pub(crate) fn respond(&mut self, now: Millis, response: &Response, out: &mut Vec<Action>) {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return;
        }
        let octets = response.to_bytes();
        self.last = Some(octets.clone());
        if response.code < 200 {
            self.state = State::Proceeding;
        } else {
            self.state = State::Completed;
            self.end = Some(if self.reliable {
                now
            } else {
                together(now + TIMEOUT)
            });
        }
        out.push(Action::Send(octets));
    }

    pub(crate) fn on_timer(&mut self, now: Millis, out: &mut Vec<Action>) {
        if self.end.is_some_and(|end| end <= now) {
            self.state = State::Terminated;
            self.end = None;
            out.push(Action::Done);
        }
    }
}
