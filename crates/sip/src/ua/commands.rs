//! The commands of the endpoint's user.

use bytes::Bytes;

use super::call::{Call, State};
use super::core::{Core, Use, no_room_until};
use super::register::Registration;
use super::{
    CallKey, Endpoint, FailWhy, InviteOrder, PingKey, PingOrder, RegKey, RegisterOrder, Side,
};
use crate::header::{CSeq, Reason};
use crate::limits::{MAX_CALLS, MAX_REGISTRATIONS};
use crate::msg::{HeaderName, Headers, Method, Request};
use crate::{Millis, SipError};

impl Endpoint {
    /// Starts a call.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn invite(&mut self, now: Millis, order: InviteOrder) -> Result<CallKey, SipError> {
        if self.calls.len() >= MAX_CALLS {
            return Err(SipError::Limit("calls"));
        }
        let key = CallKey(self.fresh_key());
        let call = Call::start(&mut self.core, now, key, order)?;
        self.keep_call(call);
        Ok(key)
    }

    /// Sends 180 for an incoming call.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn ring(&mut self, now: Millis, call: CallKey) -> Result<(), SipError> {
        self.progress(now, call, 180, None)
    }

    /// Sends a provisional response (101 to 199) for an incoming call, with early media or none.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn progress(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            call.provisional(core, now, code, sdp)
        })
    }

    /// Sends 200 for an incoming call and repeats it until the ACK.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn answer(&mut self, now: Millis, call: CallKey, sdp: Bytes) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| call.accept(core, now, sdp))
    }

    /// Tells where the requests of a call go once the connection that the peer uses is gone: without it they
    /// would go to the port that connection came from, where nobody listens.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn home(&mut self, call: CallKey, home: crate::transport::Target) -> Result<(), SipError> {
        let call = self.calls.get_mut(&call);
        call.ok_or(SipError::Unknown("call"))?.home = Some(home);
        Ok(())
    }

    /// Lets the requests of a call that came in go where its dialog says, as
    /// [`super::InviteOrder::follow_contact`] does for calls of ours.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn follow_contact(&mut self, call: CallKey) -> Result<(), SipError> {
        let call = self.calls.get_mut(&call);
        call.ok_or(SipError::Unknown("call"))?.follow = true;
        Ok(())
    }

    /// Refuses an incoming call with 300 to 699 and an optional Reason.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn reject(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        if !(300..700).contains(&code) {
            return Err(SipError::State("not a refusing code"));
        }
        self.on_call(now, call, |core, call| {
            match call.refuse_invite(core, now, code, reason.as_ref(), Side::Local) {
                true => Ok(()),
                false => Err(SipError::State("the call does not ring here")),
            }
        })
    }

    /// Refuses an incoming call for which there is no room, with 503, and says when there may be.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn turn_away(&mut self, now: Millis, call: CallKey) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            let until = [no_room_until()];
            match call.refuse_with(core, now, 503, until, Side::Local, (None, None)) {
                true => Ok(()),
                false => Err(SipError::State("the call does not ring here")),
            }
        })
    }

    /// Refuses an incoming call with 401; the peer's next INVITE carries credentials and, when
    /// they are right, comes with [`super::Incoming::user`] set.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`], also without [`super::Config::auth`].
    pub fn challenge(&mut self, now: Millis, call: CallKey) -> Result<(), SipError> {
        let digest = self
            .digest
            .as_ref()
            .ok_or(SipError::State("no accounts are configured"))?;
        let mut headers = Headers::default();
        digest.challenge(now, false, self.core.ids.as_mut(), &mut headers);
        let fields: Vec<_> = headers
            .iter()
            .map(|field| (field.name.clone(), field.value.clone()))
            .collect();
        self.on_call(now, call, |core, call| {
            match call.refuse_with(core, now, 401, fields, Side::Local, (None, None)) {
                true => Ok(()),
                false => Err(SipError::State("the call does not ring here")),
            }
        })
    }

    /// Withdraws an unanswered outgoing call; CANCEL leaves once a 1xx has come.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when it is answered already.
    pub fn cancel(
        &mut self,
        now: Millis,
        call: CallKey,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            match call.withdraw(core, now, FailWhy::Cancelled, reason) {
                true => Ok(()),
                false => Err(SipError::State("no INVITE of ours is unanswered")),
            }
        })
    }

    /// Ends a call in whatever state: BYE, CANCEL, or 480 for an unanswered incoming one.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn hang_up(
        &mut self,
        now: Millis,
        call: CallKey,
        reason: Option<Reason>,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            match &call.state {
                State::Calling(_) => {
                    call.withdraw(core, now, FailWhy::Cancelled, reason);
                }
                State::Ringing(_) => {
                    call.refuse_invite(core, now, 480, reason.as_ref(), Side::Local);
                }
                State::Up => call.end(core, now, Side::Local, None, reason),
                State::Ending | State::Over => return Err(SipError::Unknown("call")),
            }
            Ok(())
        })
    }

    /// Offers a changed session (hold for example) by re-INVITE.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] while another change is under way.
    pub fn reinvite(&mut self, now: Millis, call: CallKey, sdp: Bytes) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| call.offer_change(core, now, sdp))
    }

    /// Answers [`super::Event::Reinvite`]: 200 with this body, or 488 with None.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when nothing waits for an answer.
    pub fn answer_reinvite(
        &mut self,
        now: Millis,
        call: CallKey,
        sdp: Option<Bytes>,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| call.answer_change(core, now, sdp))
    }

    /// Sends INFO in an answered call; its answer is not reported.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`].
    pub fn send_info(
        &mut self,
        now: Millis,
        call: CallKey,
        content_type: &str,
        body: Bytes,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            if !call.is_up() {
                return Err(SipError::State("the call is not answered"));
            }
            let mut info = call.dialog.request(Method::Info);
            info.headers
                .push(HeaderName::ContentType, content_type.to_owned());
            info.body = body;
            let purpose = Use::Minor(call.key);
            call.send_in_dialog(core, now, info, purpose)
                .ok_or(SipError::Limit("transactions"))?;
            Ok(())
        })
    }

    pub(super) fn on_call(
        &mut self,
        now: Millis,
        key: CallKey,
        work: impl FnOnce(&mut Core, &mut Call) -> Result<(), SipError>,
    ) -> Result<(), SipError> {
        let result = self.with_call(key, work);
        self.drain_layer(now);
        result.unwrap_or(Err(SipError::Unknown("call")))
    }

    /// Registers us somewhere and keeps it registered.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn register(&mut self, now: Millis, order: RegisterOrder) -> Result<RegKey, SipError> {
        if self.registrations.len() >= MAX_REGISTRATIONS {
            return Err(SipError::Limit("registrations"));
        }
        let key = RegKey(self.fresh_key());
        let registration = Registration::start(&mut self.core, now, key, order)?;
        self.registrations.insert(key, registration);
        self.settle_registration(key);
        Ok(key)
    }

    /// Sends the REGISTER of a registration now instead of when it is due: after the registrar was
    /// restarted, or sooner than the wait after a failure. One that is under way is left alone.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn register_again(&mut self, now: Millis, registration: RegKey) -> Result<(), SipError> {
        let row = self.registrations.get_mut(&registration);
        row.ok_or(SipError::Unknown("registration"))?
            .again(&mut self.core, now);
        self.settle_registration(registration);
        Ok(())
    }

    /// Sends the next REGISTER of a registration to another address of its registrar.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn move_registration(
        &mut self,
        registration: RegKey,
        next_hop: crate::transport::Target,
    ) -> Result<(), SipError> {
        let row = self.registrations.get_mut(&registration);
        row.ok_or(SipError::Unknown("registration"))?
            .move_to(next_hop);
        Ok(())
    }

    /// Removes a registration of ours.
    ///
    /// # Errors
    /// [`SipError::Unknown`].
    pub fn unregister(&mut self, now: Millis, registration: RegKey) -> Result<(), SipError> {
        let row = self.registrations.get_mut(&registration);
        row.ok_or(SipError::Unknown("registration"))?
            .leave(&mut self.core, now);
        self.settle_registration(registration);
        Ok(())
    }

    /// Sends OPTIONS outside any call; [`super::Event::Pong`] tells its fate.
    ///
    /// # Errors
    /// [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn options_ping(&mut self, now: Millis, order: PingOrder) -> Result<PingKey, SipError> {
        let key = PingKey(self.fresh_key());
        let core = &mut self.core;
        let contact = core.contact(order.next_hop.proto, &core.config.contact_user)?;
        let mut from = order.from;
        from.params.set_bytes("tag", Some(core.ids.token(8)));
        let to = crate::header::NameAddr::new(order.target.clone());
        let mut request = Request::new(Method::Options, order.target.to_bytes());
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        headers.push(HeaderName::From, from.to_bytes());
        headers.push(HeaderName::To, to.to_bytes());
        headers.push(HeaderName::CallId, core.ids.token(16));
        let cseq = CSeq {
            number: 1,
            method: Method::Options,
        };
        headers.push(HeaderName::CSeq, cseq.to_bytes());
        headers.push(HeaderName::Contact, contact);
        headers.push(HeaderName::Accept, "application/sdp");
        core.send(now, request, order.next_hop, Use::Ping(key, now))?;
        Ok(key)
    }
}
