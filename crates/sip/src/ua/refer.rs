//! Transfer: REFER and its reports by NOTIFY (RFC 3515), left out where the peer wants none (RFC 4488), and INVITEs that
//! take the place of a call (RFC 3891). Both only inside or against calls of ours; what may be done is the user's to decide.

use bytes::{Bytes, BytesMut};

use super::call::{Call, State};
use super::core::{Arrived, Core, Use};
use super::{CallKey, Endpoint, Event};
use crate::digest::Answering;
use crate::header::{NameAddr, Reason, Replaces};
use crate::msg::{HeaderName, Headers, Method, Request, Response, phrase};
use crate::transaction::TxId;
use crate::{Millis, SipError};

/// How long the reports of a REFER are promised, seconds.
const REPORTS_S: u32 = 180;

/// A REFER of the peer.
#[derive(Debug)]
pub(super) struct ReferIn {
    tx: TxId,
    request: Request,
    /// Tells its reports from those of others: its sequence number.
    id: u32,
    answered: bool,
    /// The peer wants no reports.
    quiet: bool,
}

impl Endpoint {
    /// Asks the peer of a call to call somebody; with `replacing`, in the place of that call of ours
    /// (attended transfer). [`Event::ReferAnswered`] and [`Event::ReferProgress`] tell the rest.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when a call is not up or another REFER is under
    /// way, [`SipError::Limit`].
    pub fn refer(
        &mut self,
        now: Millis,
        call: CallKey,
        mut to: NameAddr,
        replacing: Option<CallKey>,
    ) -> Result<(), SipError> {
        if let Some(other) = replacing {
            let ids = self.replaces(other);
            to.uri.headers = Some(ids.ok_or(SipError::Unknown("call"))?.to_uri_header());
        }
        self.on_call(now, call, |core, call| call.refer(core, now, &to))
    }

    /// The ids of an answered call as its peer knows them, for a Replaces header.
    #[must_use]
    pub fn replaces(&self, call: CallKey) -> Option<Replaces> {
        let call = self.calls.get(&call).filter(|call| call.is_up())?;
        Some(Replaces {
            call_id: call.dialog.call_id.clone(),
            to_tag: call.dialog.remote_tag.clone(),
            from_tag: call.dialog.local_tag.clone(),
            early_only: false,
        })
    }

    /// Answers [`Event::Refer`]: 202 takes it, and its first report leaves; 300 to 699 refuses it.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when none waits for an answer.
    pub fn answer_refer(&mut self, now: Millis, call: CallKey, code: u16) -> Result<(), SipError> {
        if code != 202 && !(300..700).contains(&code) {
            return Err(SipError::State("not an answer to REFER"));
        }
        self.on_call(now, call, |core, call| call.answer_refer(core, now, code))
    }

    /// Reports what became of the call the peer asked for; `over` with the last report.
    ///
    /// # Errors
    /// [`SipError::Unknown`], [`SipError::State`] when no REFER was taken.
    pub fn notify_refer(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        over: bool,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            call.report_on_refer(core, now, (code, None), over)
        })
    }

    /// The last report, with a word of why beside its status.
    ///
    /// # Errors
    /// As [`Self::notify_refer`].
    pub fn end_refer(
        &mut self,
        now: Millis,
        call: CallKey,
        code: u16,
        why: &str,
    ) -> Result<(), SipError> {
        self.on_call(now, call, |core, call| {
            call.report_on_refer(core, now, (code, Some(why)), true)
        })
    }

    /// The call that an INVITE asks to take the place of; Err is the code that refuses it
    /// (RFC 3891 §3).
    pub(super) fn replaced(&self, headers: &Headers) -> Result<Option<CallKey>, u16> {
        let Some(replaces) = headers.replaces().map_err(|_| 400_u16)? else {
            return Ok(None);
        };
        let leg = (replaces.call_id, replaces.to_tag);
        let key = self.legs.get(&leg).copied().ok_or(481_u16)?;
        let call = self.calls.get(&key).ok_or(481_u16)?;
        if !call.knows_tag(&replaces.from_tag) {
            return Err(481);
        }
        match &call.state {
            State::Up if replaces.early_only => Err(486),
            State::Up | State::Calling(_) => Ok(Some(key)),
            // An early call that the other side started is not ours to give away.
            State::Ringing(_) => Err(481),
            State::Ending | State::Over => Err(603),
        }
    }

    /// Ends the calls whose place others have taken.
    pub(super) fn end_replaced(&mut self, now: Millis) {
        while let Some(key) = self.core.replaced.pop() {
            // It may have ended by itself meanwhile.
            let _ = self.hang_up(now, key, None);
        }
    }
}

impl Call {
    fn refer(&mut self, core: &mut Core, now: Millis, to: &NameAddr) -> Result<(), SipError> {
        if !self.is_up() {
            return Err(SipError::State("the call is not answered"));
        }
        if self.refer_out.is_some() {
            return Err(SipError::State("another REFER is under way"));
        }
        let mut request = self.dialog.request(Method::Refer);
        let headers = &mut request.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        headers.push(HeaderName::ReferTo, to.to_bytes());
        let us = NameAddr::parse(&self.dialog.local, "From").map(|us| NameAddr::new(us.uri));
        if let Ok(us) = us {
            headers.push(HeaderName::ReferredBy, us.to_bytes());
        }
        let number = self.dialog.local_cseq;
        self.send_in_dialog(core, now, request, Use::Refer(self.key))
            .ok_or(SipError::Limit("transactions"))?;
        self.refer_out = Some(number);
        self.refer_to = Some(Box::new(to.clone()));
        Ok(())
    }

    pub(super) fn on_refer_response(&mut self, core: &mut Core, now: Millis, response: &Response) {
        let code = response.code;
        let to = match code {
            ..200 => return,
            _ => self.refer_to.take(),
        };
        if matches!(code, 401 | 407)
            && let Some(to) = to
            && self.digest.absorb(response, self.login.as_ref()) == Answering::Again
        {
            self.refer_out = None;
            if self.refer(core, now, &to).is_ok() {
                return;
            }
        }
        self.refer_answered(core, now, code);
    }

    pub(super) fn on_refer_fault(&mut self, core: &mut Core, now: Millis, code: u16) {
        if self.is_up()
            && let Some(to) = self.refer_to.take()
            && self.turns_back(core)
        {
            self.refer_out = None;
            if self.refer(core, now, &to).is_ok() {
                return;
            }
        }
        self.refer_answered(core, now, code);
    }

    fn refer_answered(&mut self, core: &mut Core, now: Millis, code: u16) {
        if !self.is_up() {
            return;
        }
        if code >= 300 {
            self.refer_out = None;
        }
        core.report(Event::ReferAnswered {
            call: self.key,
            code,
        });
        if matches!(code, 408 | 481) {
            self.lost(core, now, code);
        }
    }

    /// The peer's REFER.
    pub(super) fn on_refer(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        let Ok(to) = request.headers.refer_to() else {
            return core.serve_code(now, arrived, 400);
        };
        if self.refer_in.is_some() {
            return core.serve_code(now, arrived, 491);
        }
        let accepted = core
            .layer
            .accept(now, request, &arrived.via, arrived.reply_to);
        let Ok(tx) = accepted else {
            return core.refuse(arrived, 503);
        };
        core.uses.insert(tx, Use::Serve(self.key));
        let mut kept = request.clone();
        kept.body = Bytes::new();
        self.refer_in = Some(Box::new(ReferIn {
            tx,
            id: request.headers.cseq().map_or(0, |cseq| cseq.number),
            request: kept,
            answered: false,
            quiet: wants_no_reports(&request.headers),
        }));
        let escaped = to.uri.headers.as_ref();
        core.report(Event::Refer {
            call: self.key,
            replaces: escaped.and_then(Replaces::of_uri_headers).map(Box::new),
            to: Box::new(to),
            referred_by: request.headers.get(&HeaderName::ReferredBy).cloned(),
        });
    }

    fn answer_refer(&mut self, core: &mut Core, now: Millis, code: u16) -> Result<(), SipError> {
        let waiting = self.refer_in.as_mut().filter(|refer| !refer.answered);
        let refer = waiting.ok_or(SipError::State("no REFER waits for an answer"))?;
        refer.answered = true;
        let (tx, id) = (refer.tx, refer.id);
        let Some(refer) = &self.refer_in else {
            return Ok(());
        };
        let quiet = refer.quiet;
        let mut response = self.dialog_response(core, &refer.request, code, None);
        if quiet && code == 202 {
            response.headers.push(HeaderName::ReferSub, "false");
        }
        core.layer.respond(now, tx, &response);
        if code != 202 {
            self.refer_in = None;
        } else if !quiet {
            self.notify(core, now, id, (100, None), false);
        }
        Ok(())
    }

    fn report_on_refer(
        &mut self,
        core: &mut Core,
        now: Millis,
        status: (u16, Option<&str>),
        over: bool,
    ) -> Result<(), SipError> {
        let taken = self.refer_in.as_ref().filter(|refer| refer.answered);
        let taken = taken.ok_or(SipError::State("no REFER was taken"))?;
        let (id, quiet) = (taken.id, taken.quiet);
        if !quiet {
            self.notify(core, now, id, status, over);
        }
        if over {
            self.refer_in = None;
        }
        Ok(())
    }

    /// The call is over: a REFER that waits is refused.
    pub(super) fn refuse_pending_refer(&mut self, core: &mut Core, now: Millis) {
        if self.refer_in.as_ref().is_some_and(|refer| !refer.answered) {
            // It waits, so the answer is taken.
            let _ = self.answer_refer(core, now, 481);
        }
        self.refer_in = None;
        self.refer_out = None;
    }

    fn notify(
        &mut self,
        core: &mut Core,
        now: Millis,
        id: u32,
        status: (u16, Option<&str>),
        over: bool,
    ) {
        let mut request = self.dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        headers.push(HeaderName::Event, Bytes::from(format!("refer;id={id}")));
        let state = if over {
            "terminated;reason=noresource".to_owned()
        } else {
            format!("active;expires={REPORTS_S}")
        };
        headers.push(HeaderName::SubscriptionState, state);
        headers.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
        request.body = fragment(status);
        let target = self.next_hop(core);
        self.send_quietly(core, now, request, target);
    }

    /// A report of the peer on our REFER.
    pub(super) fn on_notify(&mut self, core: &mut Core, now: Millis, arrived: &Arrived) {
        let headers = &arrived.request.headers;
        let event = headers.get(&HeaderName::Event).cloned().unwrap_or_default();
        let mut parts = event.split(|b| *b == b';');
        let package = parts.next().unwrap_or_default().trim_ascii();
        if !package.eq_ignore_ascii_case(b"refer") {
            return core.serve_code(now, arrived, 489);
        }
        let Some(ours) = self.refer_out else {
            return core.serve_code(now, arrived, 481);
        };
        let id = parts.find_map(|part| part.trim_ascii().strip_prefix(b"id="));
        if id.is_some_and(|id| id != ours.to_string().as_bytes()) {
            return core.serve_code(now, arrived, 481);
        }
        core.serve_code(now, arrived, 200);
        let state = headers.get(&HeaderName::SubscriptionState);
        let over = state.is_some_and(|state| state.to_ascii_lowercase().starts_with(b"terminated"));
        if over {
            self.refer_out = None;
        }
        core.report(Event::ReferProgress {
            call: self.key,
            code: fragment_code(&arrived.request.body),
            over,
        });
    }
}

/// Whether a REFER asks that nothing be reported on it (RFC 4488 §4).
fn wants_no_reports(headers: &Headers) -> bool {
    let value = headers.get(&HeaderName::ReferSub);
    value.is_some_and(|value| {
        let value = value.split(|b| *b == b';').next().unwrap_or_default();
        value.trim_ascii().eq_ignore_ascii_case(b"false")
    })
}

/// A `message/sipfrag` body: the status, and why in a Reason (RFC 3420 §2, RFC 3326).
fn fragment((code, why): (u16, Option<&str>)) -> Bytes {
    let mut body = BytesMut::from(format!("SIP/2.0 {code} {}\r\n", phrase(code)).as_bytes());
    if let Some(why) = why {
        body.extend_from_slice(b"Reason: ");
        body.extend_from_slice(&Reason::sip(code, why).to_bytes());
        body.extend_from_slice(b"\r\n");
    }
    body.freeze()
}

/// The status in a `message/sipfrag` body.
fn fragment_code(body: &[u8]) -> Option<u16> {
    let digits = body.strip_prefix(b"SIP/2.0 ")?.get(..3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..700).contains(&code).then_some(code)
}
