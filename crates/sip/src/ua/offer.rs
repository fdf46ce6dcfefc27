//! Changes of an answered call: re-INVITE and UPDATE both ways, glare, session refresh
//! (RFC 3261 §14, RFC 3311, RFC 4028).

use bytes::Bytes;

use super::acks::send_ack;
use super::call::Call;
use super::core::{Arrived, Core, Use};
use super::session::SessionTimer;
use super::{Event, body};
use crate::digest::Answering;
use crate::header::Refresher;
use crate::limits::{MAX_GLARE_TRIES, MAX_OFFER_WAIT_MS};
use crate::msg::{HeaderName, Method, Request, Response};
use crate::transaction::TxId;
use crate::{Millis, SipError};

/// Wait before a refused session refresh is tried again, ms.
const REFRESH_AGAIN_MS: u64 = 5_000;

/// Wait of a change of ours after the peer's was dealt with, ms; its ACK comes meanwhile.
const RESUME_MS: u64 = 500;

/// The one change that may be under way.
#[derive(Debug)]
pub(super) enum Offer {
    Idle,
    /// Ours waits for its answer.
    Sent {
        tx: TxId,
        change: Change,
    },
    /// Ours met the peer's and waits for its next try.
    Glare {
        at: Millis,
        change: Change,
    },
    /// The peer's waits for the user's answer.
    Received {
        tx: TxId,
        request: Box<Request>,
        limit_at: Millis,
        /// Ours that met glare before and still waits for its next try.
        resume: Option<Change>,
    },
}

/// A change of ours.
#[derive(Clone, Debug)]
pub(super) struct Change {
    method: Method,
    /// None refreshes by UPDATE without body.
    sdp: Option<Bytes>,
    cseq: u32,
    tries: u8,
    /// Not asked for by the user, so not reported.
    refresh: bool,
}

impl Offer {
    pub(super) fn deadline(&self) -> Option<Millis> {
        match self {
            Offer::Glare { at, .. } => Some(*at),
            Offer::Received { limit_at, .. } => Some(*limit_at),
            Offer::Idle | Offer::Sent { .. } => None,
        }
    }
}

impl Call {
    /// Starts a change of the session.
    pub(super) fn offer_change(
        &mut self,
        core: &mut Core,
        now: Millis,
        sdp: Bytes,
    ) -> Result<(), SipError> {
        if !self.is_up() {
            return Err(SipError::State("the call is not answered"));
        }
        if !matches!(self.offer, Offer::Idle) || self.await_ack.is_some() {
            return Err(SipError::State("another change is under way"));
        }
        let change = Change {
            method: Method::Invite,
            sdp: Some(sdp),
            cseq: 0,
            tries: 0,
            refresh: false,
        };
        if self.send_change(core, now, change) {
            Ok(())
        } else {
            Err(SipError::Limit("transactions"))
        }
    }

    fn send_change(&mut self, core: &mut Core, now: Millis, mut change: Change) -> bool {
        let mut request = self.dialog.request(change.method.clone());
        request
            .headers
            .push(HeaderName::Contact, self.contact.clone());
        request.headers.push(HeaderName::Allow, super::core::ALLOW);
        let supported = core.supported(false);
        request.headers.push(HeaderName::Supported, supported);
        let refresher = self.session.expire_at.map(|_| {
            if self.session.refresh_at.is_some() || change.refresh {
                Refresher::Uac
            } else {
                Refresher::Uas
            }
        });
        self.session.ask(core, &mut request.headers, refresher);
        if let Some(sdp) = &change.sdp {
            request
                .headers
                .push(HeaderName::ContentType, "application/sdp");
            request.body = sdp.clone();
        }
        change.cseq = self.dialog.local_cseq;
        change.tries += 1;
        match self.send_in_dialog(core, now, request, Use::Offer(self.key)) {
            Some(tx) => {
                self.offer = Offer::Sent { tx, change };
                true
            }
            None => {
                self.offer = Offer::Idle;
                false
            }
        }
    }

    /// The answer to a change of ours.
    pub(super) fn on_change_response(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        response: &Response,
    ) {
        if response.code < 200 {
            return;
        }
        let ours = matches!(&self.offer, Offer::Sent { tx: sent, .. } if *sent == tx);
        if !ours {
            return;
        }
        let Offer::Sent { change, .. } = std::mem::replace(&mut self.offer, Offer::Idle) else {
            return;
        };
        match response.code {
            200..=299 => self.change_accepted(core, now, tx, response, change),
            401 | 407 if self.digest.absorb(response, self.login.as_ref()) == Answering::Again => {
                self.send_change(core, now, change);
            }
            422 if change.tries < MAX_GLARE_TRIES && self.session.grow(response) => {
                self.send_change(core, now, change);
            }
            491 if change.tries < MAX_GLARE_TRIES => {
                // RFC 3261 §14.1: the owner of the Call-ID waits longer.
                let wait = if self.outgoing {
                    2_100 + core.ids.below(190) * 10
                } else {
                    core.ids.below(200) * 10
                };
                self.offer = Offer::Glare {
                    at: now + wait,
                    change,
                };
            }
            code => self.change_refused(core, now, &change, code),
        }
    }

    fn change_accepted(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        response: &Response,
        change: Change,
    ) {
        self.digest.accepted();
        self.dialog.refresh_target(&response.headers);
        if change.method == Method::Invite {
            let target = self.next_hop(core);
            send_ack(core, now, &self.dialog, change.cseq, target, Some(tx));
        }
        if !self.is_up() {
            return;
        }
        self.session.settle_as_client(now, &response.headers);
        let sdp = body::sdp(&response.headers, &response.body);
        if let Some(sdp) = &sdp {
            self.remote_sdp = Some(sdp.clone());
        }
        if let Some(sent) = change.sdp {
            self.local_sdp = sent;
        }
        if !change.refresh {
            let code = response.code;
            core.report(Event::ReinviteDone {
                call: self.key,
                code,
                sdp,
            });
        }
    }

    fn change_refused(&mut self, core: &mut Core, now: Millis, change: &Change, code: u16) {
        if !self.is_up() {
            return;
        }
        if change.refresh {
            // Until the session runs out there is time to try again, without UPDATE if need be.
            self.peer_takes_update &= !matches!(code, 405 | 501);
            self.session.refresh_at = Some(now + REFRESH_AGAIN_MS);
        } else {
            core.report(Event::ReinviteDone {
                call: self.key,
                code,
                sdp: None,
            });
        }
        if matches!(code, 408 | 481) {
            self.lost(core, now, code);
        }
    }

    /// A change of ours got no answer at all.
    pub(super) fn on_change_fault(&mut self, core: &mut Core, now: Millis, tx: TxId, code: u16) {
        let ours = matches!(&self.offer, Offer::Sent { tx: sent, .. } if *sent == tx);
        if !ours {
            return;
        }
        if let Offer::Sent { change, .. } = std::mem::replace(&mut self.offer, Offer::Idle) {
            if self.change_again(core, now, &change) {
                return;
            }
            self.change_refused(core, now, &change, code);
            self.lost(core, now, code);
        }
    }

    /// Sends a change that nobody answers where the dialog says to the peer instead, once a call.
    fn change_again(&mut self, core: &mut Core, now: Millis, change: &Change) -> bool {
        self.is_up() && self.turns_back(core) && self.send_change(core, now, change.clone())
    }

    /// A re-INVITE or an UPDATE of the peer.
    pub(super) fn on_offer(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        let update = request.method == Method::Update;
        let sdp = match body::read(&request.headers, &request.body) {
            body::Body::Empty => None,
            body::Body::Sdp(sdp) => Some(sdp),
            body::Body::Foreign => {
                let mut response = core.response(request, 415, None);
                response.headers.push(HeaderName::Accept, "application/sdp");
                core.serve(now, arrived, &response);
                return;
            }
        };
        if let Some(response) = self.refuses_offer(core, request, update, sdp.is_some()) {
            core.serve(now, arrived, &response);
            return;
        }
        let Ok(tx) = core
            .layer
            .accept(now, request, &arrived.via, arrived.reply_to)
        else {
            core.refuse(arrived, 503);
            return;
        };
        core.uses.insert(tx, Use::Serve(self.key));
        self.dialog.refresh_target(&request.headers);
        // A refresh repeats the description word for word: nobody needs to be asked.
        let same = sdp.is_some() && sdp == self.remote_sdp && !self.local_sdp.is_empty();
        if (update && sdp.is_none()) || same {
            let body = self.local_sdp.clone();
            let body = sdp.is_some().then_some(body);
            self.answer_offer(core, now, tx, request, body);
            return;
        }
        let mut kept = request.clone();
        kept.body = Bytes::new();
        if !update {
            let trying = core.response(request, 100, None);
            core.layer.respond(now, tx, &trying);
        }
        let resume = match std::mem::replace(&mut self.offer, Offer::Idle) {
            Offer::Glare { change, .. } => Some(change),
            _ => None,
        };
        self.offer = Offer::Received {
            tx,
            request: Box::new(kept),
            limit_at: now + MAX_OFFER_WAIT_MS,
            resume,
        };
        if let Some(sdp) = &sdp {
            self.remote_sdp = Some(sdp.clone());
        }
        core.report(Event::Reinvite {
            call: self.key,
            sdp,
            update,
        });
    }

    /// The response to a change that comes too often or meets another.
    fn refuses_offer(
        &self,
        core: &mut Core,
        request: &Request,
        update: bool,
        has_sdp: bool,
    ) -> Option<Response> {
        if let Err(least) = SessionTimer::judge(core, request) {
            let mut response = core.response(request, 422, None);
            let least = Bytes::from(least.to_string());
            response.headers.push(HeaderName::MinSe, least);
            return Some(response);
        }
        let code = self.glare(update, has_sdp)?;
        let mut response = core.response(request, code, None);
        if code == 500 {
            let wait = Bytes::from(core.ids.below(11).to_string());
            response.headers.push(HeaderName::RetryAfter, wait);
        }
        Some(response)
    }

    /// The code that refuses a change which meets another (RFC 3261 §14.2, RFC 3311 §5.2).
    fn glare(&self, update: bool, has_sdp: bool) -> Option<u16> {
        if update && !has_sdp {
            return None;
        }
        match &self.offer {
            Offer::Sent { .. } => Some(491),
            Offer::Received { .. } => Some(500),
            // Our 2xx to the first INVITE is not acknowledged: its ACK may be late or lost.
            _ if self.await_ack.is_some() => Some(491),
            _ => None,
        }
    }

    fn answer_offer(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        request: &Request,
        sdp: Option<Bytes>,
    ) {
        let granted = SessionTimer::judge(core, request).unwrap_or(None);
        let mut response = self.dialog_response(core, request, 200, sdp.as_ref());
        self.session.grant(now, granted, &mut response.headers);
        if let Some(sdp) = sdp {
            self.local_sdp = sdp;
        }
        match request.headers.cseq() {
            Ok(cseq) if request.method == Method::Invite => {
                self.send_ok(core, now, tx, cseq.number, response, false);
            }
            _ => core.layer.respond(now, tx, &response),
        }
    }

    /// The user's answer to [`Event::Reinvite`].
    pub(super) fn answer_change(
        &mut self,
        core: &mut Core,
        now: Millis,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        if !matches!(self.offer, Offer::Received { .. }) {
            return Err(SipError::State("no change waits for an answer"));
        }
        let Offer::Received {
            tx,
            request,
            resume,
            ..
        } = std::mem::replace(&mut self.offer, Offer::Idle)
        else {
            return Ok(());
        };
        self.resume(now, resume);
        match sdp {
            Some(sdp) => self.answer_offer(core, now, tx, &request, Some(sdp)),
            None => {
                let response = core.response(&request, 488, None);
                core.layer.respond(now, tx, &response);
            }
        }
        Ok(())
    }

    /// The call is over: what still waits for an answer of ours gets one.
    pub(super) fn drop_pending_offer(&mut self, core: &mut Core, now: Millis) {
        self.refuse_pending_offer(core, now);
        self.refuse_pending_refer(core, now);
    }

    /// Answers a change that waits with 487: the call is over, or the peer withdrew it.
    pub(super) fn refuse_pending_offer(&mut self, core: &mut Core, now: Millis) {
        if !matches!(self.offer, Offer::Received { .. }) {
            return;
        }
        if let Offer::Received {
            tx,
            request,
            resume,
            ..
        } = std::mem::replace(&mut self.offer, Offer::Idle)
        {
            let response = core.response(&request, 487, None);
            core.layer.respond(now, tx, &response);
            self.resume(now, resume);
        }
    }

    fn resume(&mut self, now: Millis, change: Option<Change>) {
        if let Some(change) = change {
            self.offer = Offer::Glare {
                at: now + RESUME_MS,
                change,
            };
        }
    }

    pub(super) fn offer_timer(&mut self, core: &mut Core, now: Millis) {
        if self.offer.deadline().is_none_or(|at| at > now) {
            return;
        }
        match std::mem::replace(&mut self.offer, Offer::Idle) {
            Offer::Glare { change, .. } if self.await_ack.is_some() => {
                self.resume(now, Some(change));
            }
            Offer::Glare { change, .. } => {
                self.send_change(core, now, change);
            }
            Offer::Received {
                tx,
                request,
                resume,
                ..
            } => {
                self.resume(now, resume);
                let response = core.response(&request, 500, None);
                core.layer.respond(now, tx, &response);
            }
            other => self.offer = other,
        }
    }

    /// Refreshes the session, or ends it when the peer did not.
    pub(super) fn session_timer(&mut self, core: &mut Core, now: Millis) {
        if self.session.expire_at.is_some_and(|at| at <= now) {
            if let Offer::Sent { change, .. } = &self.offer {
                let change = change.clone();
                if self.change_again(core, now, &change) {
                    self.session.use_reserve(now);
                    return;
                }
            }
            self.session.stop();
            self.lost(core, now, 408);
            return;
        }
        if self.session.refresh_at.is_none_or(|at| at > now) {
            return;
        }
        if !matches!(self.offer, Offer::Idle) || self.await_ack.is_some() {
            self.session.refresh_at = Some(now + 1_000);
            return;
        }
        self.session.refresh_at = None;
        let update = self.peer_takes_update;
        let change = Change {
            method: if update {
                Method::Update
            } else {
                Method::Invite
            },
            sdp: (!update).then(|| self.local_sdp.clone()),
            cseq: 0,
            tries: 0,
            refresh: true,
        };
        self.send_change(core, now, change);
    }
}
