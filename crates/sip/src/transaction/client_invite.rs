//! The client side of INVITE (RFC 3261 §17.1.1, RFC 6026 §7.2).

use bytes::Bytes;

use super::Action;
use super::timers::{Repeat, TIMEOUT, TIMER_D, together};
use crate::Millis;
use crate::header::lex::first_outside;
use crate::msg::{HeaderName, Method, Request, Response};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    /// Got 300 to 699: answers repeats with ACK until timer D.
    Completed,
    /// Got 2xx: hands repeats and forks up until timer M.
    Accepted,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct ClientInvite {
    state: State,
    octets: Bytes,
    request: Request,
    ack: Option<Bytes>,
    reliable: bool,
    /// Timer A.
    repeat: Option<Repeat>,
    /// Timers B, D and M.
    end: Option<Millis>,
}

impl ClientInvite {
    pub(crate) fn start(
        now: Millis,
        request: Request,
        reliable: bool,
        out: &mut Vec<Action>,
    ) -> Self {
        let octets = request.to_bytes();
        out.push(Action::Send(octets.clone()));
        ClientInvite {
            state: State::Calling,
            octets,
            request,
            ack: None,
            reliable,
            repeat: (!reliable).then(|| Repeat::new(now, u64::MAX / 4)),
            end: Some(now + TIMEOUT),
        }
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn unheard(&self) -> bool {
        self.state == State::Calling
    }

    pub(crate) fn unanswered(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        let repeat = self.repeat.map(|repeat| repeat.at);
        repeat.into_iter().chain(self.end).min()
    }

    pub(crate) fn on_response(&mut self, now: Millis, response: Response, out: &mut Vec<Action>) {
        match (self.state, response.code) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                self.repeat = None;
                self.end = None;
                out.push(Action::Response(Box::new(response)));
            }
            (State::Calling | State::Proceeding | State::Accepted, 200..=299) => {
                if self.state != State::Accepted {
                    self.state = State::Accepted;
                    self.settle();
                    self.end = Some(together(now + TIMEOUT));
                }
                out.push(Action::Response(Box::new(response)));
            }
            (State::Calling | State::Proceeding, 300..) => {
                let ack = ack_for(&self.request, &response).to_bytes();
                out.push(Action::Send(ack.clone()));
                self.ack = Some(ack);
                self.state = State::Completed;
                self.settle();
                self.end = Some(if self.reliable {
                    now
                } else {
                    together(now + TIMER_D)
                });
                out.push(Action::Response(Box::new(response)));
            }
            (State::Completed, 300..) => out.extend(self.ack.clone().map(Action::Send)),
            _ => {}
        }
    }

    /// A final response is here: the body and the octets are not needed again.
    fn settle(&mut self) {
        self.repeat = None;
        self.octets = Bytes::new();
        self.request.body = Bytes::new();
    }

    pub(crate) fn on_timer(&mut self, now: Millis, out: &mut Vec<Action>) {
        if self.end.is_some_and(|end| end <= now) {
            if self.state == State::Calling {
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

/// The ACK for a final response other than 2xx (RFC 3261 §17.1.1.3).
fn ack_for(invite: &Request, response: &Response) -> Request {
    let mut ack = Request::new(Method::Ack, invite.uri.clone());
    if let Some(via) = invite.headers.get(&HeaderName::Via) {
        let top = first_outside(via, b',');
        ack.headers
            .push(HeaderName::Via, top.unwrap_or_else(|| via.clone()));
    }
    ack.headers.push(HeaderName::MaxForwards, "70");
    let copied = |name: HeaderName, ack: &mut Request, from: &crate::msg::Headers| {
        for value in from.all(&name) {
            ack.headers.push(name.clone(), value.clone());
        }
    };
    copied(HeaderName::Route, &mut ack, &invite.headers);
    copied(HeaderName::From, &mut ack, &invite.headers);
    copied(HeaderName::To, &mut ack, &response.headers);
    copied(HeaderName::CallId, &mut ack, &invite.headers);
    if let Ok(mut cseq) = invite.headers.cseq() {
        cseq.method = Method::Ack;
        ack.headers.push(HeaderName::CSeq, cseq.to_bytes());
    }
    ack
}
