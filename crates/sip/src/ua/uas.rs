//! Incoming calls: the peer's INVITE until its final response (RFC 3261 §13.3).

use bytes::Bytes;

use super::call::{Call, Ringing, State};
use super::core::{ALLOW, Arrived, Core, Use};
use super::dialog::Dialog;
use super::offer::Offer;
use super::prack::Reliability;
use super::session::SessionTimer;
use super::{CallKey, End, Event, Side};
use crate::digest::DigestClient;
use crate::header::Reason;
use crate::limits::MAX_UNANSWERED_MS;
use crate::msg::{HeaderName, Method, Request, Response};
use crate::{Millis, SipError};

impl Call {
    /// Takes an INVITE that passed all checks; sends 100.
    pub(super) fn take(
        core: &mut Core,
        now: Millis,
        key: CallKey,
        arrived: &Arrived,
        sdp: Option<Bytes>,
    ) -> Result<Call, SipError> {
        let local_tag = core.ids.token(8);
        let first_cseq = u32::try_from(core.ids.below(1_000)).unwrap_or(0);
        let dialog = Dialog::of_request(&arrived.request, &local_tag, first_cseq)
            .ok_or(SipError::Missing("Contact"))?;
        let proto = arrived.source.proto;
        let contact = core.contact(proto, &core.config.contact_user)?;
        let tx = core
            .layer
            .accept(now, &arrived.request, &arrived.via, arrived.reply_to)?;
        core.uses.insert(tx, Use::Serve(key));
        let trying = core.response(&arrived.request, 100, None);
        core.layer.respond(now, tx, &trying);
        let takes_update = arrived.request.headers.allows(&Method::Update);
        let mut invite = arrived.request.clone();
        invite.body = Bytes::new();
        Ok(Call {
            key,
            state: State::Ringing(Box::new(Ringing {
                tx,
                invite,
                limit_at: now + MAX_UNANSWERED_MS,
                reliable: Reliability::default(),
                replaces: None,
            })),
            dialog,
            peer: arrived.source.into(),
            home: None,
            follow: false,
            turned: false,
            contact,
            outgoing: false,
            login: None,
            digest: DigestClient::default(),
            local_sdp: Bytes::new(),
            remote_sdp: sdp,
            session: SessionTimer::new(core),
            await_ack: None,
            offer: Offer::Idle,
            peer_takes_update: takes_update == Some(true),
            bye_after_ack: None,
            refer_in: None,
            refer_out: None,
            refer_to: None,
            armed: None,
        })
    }

    /// A response that opens or confirms the dialog: Record-Route, Contact, Allow, body.
    pub(super) fn dialog_response(
        &self,
        core: &Core,
        request: &Request,
        code: u16,
        sdp: Option<&Bytes>,
    ) -> Response {
        let mut response = core.response(request, code, Some(&self.dialog.local_tag));
        for value in request.headers.all(&HeaderName::RecordRoute) {
            response
                .headers
                .push(HeaderName::RecordRoute, value.clone());
        }
        response
            .headers
            .push(HeaderName::Contact, self.contact.clone());
        response.headers.push(HeaderName::Allow, ALLOW);
        let supported = core.supported(false);
        response.headers.push(HeaderName::Supported, supported);
        if let Some(sdp) = sdp {
            response
                .headers
                .push(HeaderName::ContentType, "application/sdp");
            response.body = sdp.clone();
        }
        response
    }

    pub(super) fn provisional(
        &mut self,
        core: &mut Core,
        now: Millis,
        code: u16,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        // An offer of ours in a provisional response would want its answer in the PRACK.
        let sdp = sdp.filter(|_| self.remote_sdp.is_some());
        let State::Ringing(ringing) = &mut self.state else {
            return Err(SipError::State("the call does not ring here"));
        };
        if !(101..200).contains(&code) {
            return Err(SipError::State("not a provisional code"));
        }
        if ringing
            .reliable
            .is_wanted(core, &ringing.invite, sdp.is_some())
        {
            return self.provisional_reliably(core, now, code, sdp);
        }
        let State::Ringing(ringing) = &self.state else {
            return Ok(());
        };
        let response = self.dialog_response(core, &ringing.invite, code, sdp.as_ref());
        core.layer.respond(now, ringing.tx, &response);
        if let Some(sdp) = sdp {
            self.local_sdp = sdp;
        }
        Ok(())
    }

    pub(super) fn accept(
        &mut self,
        core: &mut Core,
        now: Millis,
        sdp: Bytes,
    ) -> Result<(), SipError> {
        let State::Ringing(ringing) = &mut self.state else {
            return Err(SipError::State("the call does not ring here"));
        };
        if ringing.reliable.holds_back(&sdp)? {
            // The answer leaves when the PRACK has come (RFC 3262 §3).
            return Ok(());
        }
        let settled = ringing.reliable.is_settled() && sdp == self.local_sdp;
        let replaces = ringing.replaces;
        let State::Ringing(ringing) = &self.state else {
            return Ok(());
        };
        let granted = SessionTimer::judge(core, &ringing.invite).unwrap_or(None);
        // An offer answered reliably is not answered again.
        let body = Some(&sdp).filter(|_| !settled);
        let mut response = self.dialog_response(core, &ringing.invite, 200, body);
        let (tx, cseq) = (ringing.tx, ringing.invite.headers.cseq()?.number);
        self.session.grant(now, granted, &mut response.headers);
        self.local_sdp = sdp;
        self.state = State::Up;
        core.replaced.extend(replaces);
        self.send_ok(core, now, tx, cseq, response, true);
        Ok(())
    }

    /// Sets the call whose place this one takes.
    pub(super) fn replaces(&mut self, replaced: Option<CallKey>) {
        if let State::Ringing(ringing) = &mut self.state {
            ringing.replaces = replaced;
        }
    }

    /// Sends a final refusal and reports the end; false when the call does not ring here.
    pub(super) fn refuse_invite(
        &mut self,
        core: &mut Core,
        now: Millis,
        code: u16,
        reason: Option<&Reason>,
        by: Side,
    ) -> bool {
        let fields = reason.map(|reason| (HeaderName::Reason, reason.to_bytes()));
        self.refuse_with(core, now, code, fields, by, (None, None))
    }

    pub(super) fn refuse_with(
        &mut self,
        core: &mut Core,
        now: Millis,
        code: u16,
        fields: impl IntoIterator<Item = (HeaderName, Bytes)>,
        by: Side,
        causes: (Option<u16>, Option<u16>),
    ) -> bool {
        let State::Ringing(ringing) = &self.state else {
            return false;
        };
        let mut response = core.response(&ringing.invite, code, Some(&self.dialog.local_tag));
        for (name, value) in fields {
            response.headers.push(name, value);
        }
        core.layer.respond(now, ringing.tx, &response);
        self.drop_pending_offer(core, now);
        let end = End {
            by,
            code: Some(code),
            q850: causes.0,
            sip_cause: causes.1,
        };
        core.report(Event::Ended {
            call: self.key,
            end,
        });
        self.state = State::Over;
        true
    }

    /// The peer withdraws its INVITE or re-INVITE (RFC 3261 §9.2).
    pub(super) fn on_cancel(&mut self, core: &mut Core, now: Millis, cancel: &Request) {
        let sip_cause = cancel
            .headers
            .reasons()
            .iter()
            .find(|reason| reason.protocol.eq_ignore_ascii_case(b"SIP"))
            .and_then(Reason::cause);
        let causes = (cancel.headers.q850(), sip_cause);
        if !self.refuse_with(core, now, 487, None, Side::Remote, causes) {
            self.refuse_pending_offer(core, now);
        }
    }
}
