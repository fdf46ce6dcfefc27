//! Reliable provisional responses, both ways (RFC 3262): numbered, repeated until their PRACK.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Side;
use super::body;
use super::call::{Call, State};
use super::core::{Arrived, Core};
use crate::header::RAck;
use crate::limits::MAX_WAITING_PROVISIONALS;
use crate::msg::{HeaderName, Method, Request, Response};
use crate::transaction::{T1, TIMEOUT};
use crate::{Millis, SipError};

/// The reliable responses to an INVITE of the peer.
#[derive(Debug, Default)]
pub(super) struct Reliability {
    /// The number of the last one.
    number: u32,
    sent: Option<Sent>,
    /// Those that wait for the PRACK of the one sent.
    waiting: VecDeque<(u16, Option<Bytes>)>,
    /// The answer that waits for the PRACK.
    answer: Option<Bytes>,
    /// A reliable response that was acknowledged answered the peer's offer.
    settled: bool,
}

#[derive(Debug)]
struct Sent {
    response: Response,
    has_sdp: bool,
    gap: u64,
    next_at: Millis,
    give_up_at: Millis,
}

impl Reliability {
    pub(super) fn deadline(&self) -> Option<Millis> {
        self.sent
            .as_ref()
            .map(|sent| sent.next_at.min(sent.give_up_at))
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether a provisional response must be, or is better, sent reliably.
    pub(super) fn is_wanted(&self, core: &Core, invite: &Request, has_sdp: bool) -> bool {
        let headers = &invite.headers;
        let required = headers.has_token(&HeaderName::Require, "100rel");
        let known = headers.has_token(&HeaderName::Supported, "100rel");
        core.config.prack && (required || (known && has_sdp))
    }

    /// Keeps an answer that may not leave yet; false when it may.
    pub(super) fn holds_back(&mut self, sdp: &Bytes) -> Result<bool, SipError> {
        if self.answer.is_some() {
            return Err(SipError::State("the call is answered already"));
        }
        if self.sent.is_none() {
            return Ok(false);
        }
        self.waiting.clear();
        self.answer = Some(sdp.clone());
        Ok(true)
    }
}

impl Call {
    /// Sends a numbered response now, or after the PRACK of the one before.
    pub(super) fn provisional_reliably(
        &mut self,
        core: &mut Core,
        now: Millis,
        code: u16,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        let State::Ringing(ringing) = &mut self.state else {
            return Err(SipError::State("the call does not ring here"));
        };
        let reliable = &mut ringing.reliable;
        if reliable.answer.is_some() {
            return Err(SipError::State("the call is answered already"));
        }
        if reliable.sent.is_some() {
            if reliable.waiting.len() >= MAX_WAITING_PROVISIONALS {
                return Err(SipError::Limit("provisional responses"));
            }
            reliable.waiting.push_back((code, sdp));
            return Ok(());
        }
        let first = u32::try_from(core.ids.below(1_000_000)).unwrap_or(0);
        reliable.number = match reliable.number {
            0 => first + 1,
            last => last + 1,
        };
        let number = Bytes::from(reliable.number.to_string());
        let State::Ringing(ringing) = &self.state else {
            return Ok(());
        };
        let mut response = self.dialog_response(core, &ringing.invite, code, sdp.as_ref());
        response.headers.push(HeaderName::Require, "100rel");
        response.headers.push(HeaderName::RSeq, number);
        core.layer.respond(now, ringing.tx, &response);
        let has_sdp = sdp.is_some();
        if let Some(sdp) = sdp {
            self.local_sdp = sdp;
        }
        if let State::Ringing(ringing) = &mut self.state {
            ringing.reliable.sent = Some(Sent {
                response,
                has_sdp,
                gap: T1,
                next_at: now + T1,
                give_up_at: now + TIMEOUT,
            });
        }
        Ok(())
    }

    /// Repeats the response that has no PRACK yet, or gives the call up (RFC 3262 §3).
    pub(super) fn reliable_timer(&mut self, core: &mut Core, now: Millis) {
        let State::Ringing(ringing) = &mut self.state else {
            return;
        };
        let Some(sent) = &mut ringing.reliable.sent else {
            return;
        };
        if sent.give_up_at <= now {
            self.refuse_invite(core, now, 504, None, Side::Network);
        } else if sent.next_at <= now {
            sent.gap *= 2;
            sent.next_at = now + sent.gap;
            core.layer.respond(now, ringing.tx, &sent.response);
        }
    }

    /// The peer's PRACK.
    pub(super) fn on_prack(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        let State::Ringing(ringing) = &mut self.state else {
            return;
        };
        let Ok(rack) = request.headers.rack() else {
            core.serve_code(now, arrived, 400);
            return;
        };
        let invite = ringing.invite.headers.cseq().map_or(0, |cseq| cseq.number);
        let reliable = &mut ringing.reliable;
        let fits =
            (rack.rseq, rack.cseq, &rack.method) == (reliable.number, invite, &Method::Invite);
        let Some(sent) = reliable.sent.take_if(|_| fits) else {
            core.serve_code(now, arrived, 481);
            return;
        };
        reliable.settled |= sent.has_sdp;
        let next = reliable.waiting.pop_front();
        let answer = reliable.answer.take();
        // A new offer in the PRACK is not taken: the session stays as it was agreed.
        let offers = body::sdp(&request.headers, &request.body).is_some();
        let response = core.response(
            request,
            if offers { 488 } else { 200 },
            Some(&self.dialog.local_tag),
        );
        core.serve(now, arrived, &response);
        // The call rings here, so neither is refused.
        if let Some((code, sdp)) = next {
            let _ = self.provisional_reliably(core, now, code, sdp);
        } else if let Some(sdp) = answer {
            let _ = self.accept(core, now, sdp);
        }
    }

    /// A provisional response to our INVITE: acknowledges a reliable one. False when it repeats one
    /// or comes before its turn, so that it is not to be acted on.
    pub(super) fn confirm_provisional(
        &mut self,
        core: &mut Core,
        now: Millis,
        response: &Response,
        tag: &Bytes,
        has_sdp: bool,
    ) -> bool {
        let required = response.headers.has_token(&HeaderName::Require, "100rel");
        let number = response.headers.seconds(&HeaderName::RSeq);
        let (true, Some(rseq), State::Calling(calling)) =
            (required && core.config.prack, number, &mut self.state)
        else {
            return true;
        };
        let invite = calling.invite_cseq;
        let fork = calling.forks.iter_mut().find(|fork| fork.tag == *tag);
        let Some(fork) = fork else { return true };
        if fork
            .rseq
            .is_some_and(|last| last.checked_add(1) != Some(rseq))
        {
            return false;
        }
        fork.rseq = Some(rseq);
        fork.settled |= has_sdp;
        let mut early = self.dialog.clone();
        early.confirm(response);
        let mut prack = early.request(Method::Prack);
        self.dialog.local_cseq = early.local_cseq;
        let rack = RAck {
            rseq,
            cseq: invite,
            method: Method::Invite,
        };
        prack.headers.push(HeaderName::RAck, rack.to_bytes());
        let target = self.hop_from(core, &early, self.peer);
        self.send_quietly(core, now, prack, target);
        true
    }

    /// Sends a request whose answer changes nothing.
    pub(super) fn send_quietly(
        &mut self,
        core: &mut Core,
        now: Millis,
        mut request: Request,
        target: crate::transport::Target,
    ) {
        self.digest
            .apply(&mut request, self.login.as_ref(), core.ids.as_mut());
        if core.push_via(&mut request, target).is_ok() {
            core.sign(&mut request.headers, HeaderName::UserAgent);
            // Without room for it the peer repeats what this would have acknowledged.
            let _ = core.layer.send(now, request, target);
        }
    }

    /// Whether the INVITE's offer was answered although the call is not.
    pub(super) fn is_settled(&self, request: &Request) -> bool {
        let from = request.headers.from().ok();
        let tag = from.and_then(|from| from.tag()).unwrap_or_default();
        match &self.state {
            State::Calling(calling) => {
                let mut forks = calling.forks.iter();
                forks.any(|fork| fork.settled && fork.tag == tag)
            }
            State::Ringing(ringing) => ringing.reliable.settled,
            _ => false,
        }
    }
}
