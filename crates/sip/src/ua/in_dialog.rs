//! Requests of the peer inside a call (RFC 3261 §12.2.2).

use bytes::Bytes;

use super::call::{Call, State};
use super::core::{ALLOW, Arrived, Core};
use super::{Event, body};
use crate::Millis;
use crate::msg::{HeaderName, Method};

impl Call {
    /// True when the peer's tag belongs to this call; early forks of ours count.
    pub(super) fn knows_tag(&self, tag: &Bytes) -> bool {
        match &self.state {
            State::Calling(calling) => calling.forks.iter().any(|fork| fork.tag == *tag),
            _ => self.dialog.remote_tag == *tag,
        }
    }

    /// Takes the sequence number; false when it is older than one seen (answer 500).
    fn take_cseq(&mut self, tag: &Bytes, number: u32) -> bool {
        let seen = match &mut self.state {
            State::Calling(calling) => {
                let fork = calling.forks.iter_mut().find(|fork| fork.tag == *tag);
                match fork {
                    Some(fork) => &mut fork.remote_cseq,
                    None => return false,
                }
            }
            _ => &mut self.dialog.remote_cseq,
        };
        if seen.is_some_and(|seen| number < seen) {
            return false;
        }
        *seen = Some(number);
        true
    }

    /// Acts on a request whose tags are those of this call.
    pub(super) fn on_request(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        let tag = request
            .headers
            .from()
            .ok()
            .and_then(|from| from.tag())
            .unwrap_or_default();
        let number = request.headers.cseq().map_or(0, |cseq| cseq.number);
        if request.method == Method::Ack {
            self.on_ack(core, now, request);
            return;
        }
        self.heard_from(arrived.source);
        if !self.take_cseq(&tag, number) {
            core.serve_code(now, arrived, 500);
            return;
        }
        match request.method {
            Method::Bye => self.take_bye(core, now, arrived),
            Method::Invite | Method::Update if self.is_up() => self.on_offer(core, now, arrived),
            Method::Invite if self.is_early() => self.second_invite(core, now, arrived),
            Method::Update if self.is_early() => self.early_update(core, now, arrived),
            Method::Prack if matches!(self.state, State::Ringing(_)) => {
                self.on_prack(core, now, arrived);
            }
            Method::Refer if self.is_up() => self.on_refer(core, now, arrived),
            Method::Notify if self.is_up() => self.on_notify(core, now, arrived),
            Method::Info if self.is_up() || self.is_early() => {
                core.serve_code(now, arrived, 200);
                core.report(Event::Info {
                    call: self.key,
                    content_type: request.headers.get(&HeaderName::ContentType).cloned(),
                    body: request.body.clone(),
                });
            }
            Method::Options => {
                let response = self.dialog_response(core, request, 200, None);
                core.serve(now, arrived, &response);
            }
            Method::Invite
            | Method::Update
            | Method::Info
            | Method::Prack
            | Method::Refer
            | Method::Notify => {
                core.serve_code(now, arrived, 481);
            }
            _ => {
                let code = if matches!(request.method, Method::Other(_)) {
                    501
                } else {
                    405
                };
                let mut response = core.response(request, code, None);
                response.headers.push(HeaderName::Allow, ALLOW);
                core.serve(now, arrived, &response);
            }
        }
    }

    /// A second INVITE before our final response to the first (§14.2), or one that meets ours.
    fn second_invite(&self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let code = if self.outgoing { 491 } else { 500 };
        let mut response = core.response(&arrived.request, code, None);
        if code == 500 {
            let wait = Bytes::from(core.ids.below(11).to_string());
            response.headers.push(HeaderName::RetryAfter, wait);
        }
        core.serve(now, arrived, &response);
    }

    fn take_bye(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        // Only the caller may end an early dialog by BYE (§15).
        if matches!(self.state, State::Calling(_)) {
            core.serve_code(now, arrived, 481);
            return;
        }
        core.serve_code(now, arrived, 200);
        self.on_bye(core, now, &arrived.request);
    }

    /// UPDATE before the answer: without offer it only refreshes; an offer meets the one of the
    /// INVITE, unless a reliable response has answered that (RFC 3311 §5.1, §5.2).
    fn early_update(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        if body::sdp(&request.headers, &request.body).is_some() {
            if self.is_settled(request) {
                self.on_offer(core, now, arrived);
                return;
            }
            let code = if self.outgoing { 491 } else { 500 };
            core.serve_code(now, arrived, code);
            return;
        }
        self.dialog.refresh_target(&request.headers);
        let response = self.dialog_response(core, request, 200, None);
        core.serve(now, arrived, &response);
    }
}
