//! Which call, registration or rule a message is for.

use bytes::Bytes;

use super::acks::{AckKey, end_stray};
use super::body::{self, Body};
use super::call::Call;
use super::core::{ALLOW, Arrived, Use, no_room_until};
use super::session::SessionTimer;
use super::{CallKey, Endpoint, Event, Incoming, checks};
use crate::Millis;
use crate::limits::{MAX_CALLS, MAX_EVENTS, MAX_UNACKNOWLEDGED};
use crate::msg::{HeaderName, Message, Method, Request, Response};
use crate::transaction::{Matched, TxEvent, TxFault, TxId};
use crate::transport::Source;

impl Endpoint {
    pub(super) fn take_message(&mut self, now: Millis, source: Source, message: Message) {
        self.core.counters.received += 1;
        match message {
            Message::Request(request) => self.take_request(now, source, request),
            Message::Response(response) => {
                let readable = response.flaw.is_none() && response.headers.to().is_ok();
                if !readable {
                    self.core.counters.malformed += 1;
                } else if !self.core.layer.receive_response(now, response, source) {
                    self.core.counters.stray_responses += 1;
                }
            }
        }
        self.drain_layer(now);
    }

    fn take_request(&mut self, now: Millis, source: Source, request: Request) {
        if checks::is_scanner(&self.core, &request) {
            self.core.counters.scanners += 1;
            return;
        }
        let Some(arrived) = checks::arrive(request, source) else {
            self.core.counters.malformed += 1;
            return;
        };
        let is_ack = arrived.request.method == Method::Ack;
        if let Some(code) = checks::form(&arrived.request) {
            self.core.counters.malformed += 1;
            if !is_ack {
                self.core.refuse(&arrived, code);
            }
            return;
        }
        match self
            .core
            .layer
            .receive_request(now, &arrived.request, &arrived.via)
        {
            Matched::Absorbed => {}
            Matched::Merged if !is_ack => self.core.refuse(&arrived, 482),
            _ => self.route(now, &arrived),
        }
    }

    fn route(&mut self, now: Millis, arrived: &Arrived) {
        if arrived.request.method == Method::Cancel {
            self.take_cancel(now, arrived);
            return;
        }
        let unknown = checks::unknown_options(&self.core, &arrived.request);
        if !unknown.is_empty() {
            let fields = [(HeaderName::Unsupported, checks::join(&unknown))];
            self.core.refuse_with(arrived, 420, fields);
            return;
        }
        let tag = arrived.request.headers.to().ok().and_then(|to| to.tag());
        match tag {
            Some(tag) => self.take_in_dialog(now, arrived, &tag),
            None if arrived.request.method == Method::Ack => {}
            None => self.take_outside(now, arrived),
        }
    }

    fn take_cancel(&mut self, now: Millis, arrived: &Arrived) {
        let invite = self.core.layer.cancelled_by(&arrived.request, &arrived.via);
        let Some(tx) = invite else {
            self.core.refuse(arrived, 481);
            return;
        };
        let key = match self.core.uses.get(&tx) {
            Some(Use::Serve(key)) => Some(*key),
            _ => None,
        };
        let local_tag = key.and_then(|key| self.calls.get(&key));
        let local_tag = local_tag.map(|call| call.dialog.local_tag.clone());
        let response = self
            .core
            .response(&arrived.request, 200, local_tag.as_ref());
        self.core
            .layer
            .transmit(arrived.reply_to, response.to_bytes());
        if self.core.layer.is_proceeding(tx)
            && let Some(key) = key
        {
            self.with_call(key, |core, call| {
                call.on_cancel(core, now, &arrived.request)
            });
        }
    }

    fn take_in_dialog(&mut self, now: Millis, arrived: &Arrived, local_tag: &Bytes) {
        let headers = &arrived.request.headers;
        let key = headers
            .call_id()
            .ok()
            .and_then(|call_id| self.legs.get(&(call_id, local_tag.clone())).copied());
        let remote_tag = headers
            .from()
            .ok()
            .and_then(|from| from.tag())
            .unwrap_or_default();
        let known = key.filter(|key| {
            self.calls
                .get(key)
                .is_some_and(|call| call.knows_tag(&remote_tag))
        });
        match known {
            Some(key) => {
                self.with_call(key, |core, call| call.on_request(core, now, arrived));
            }
            None if arrived.request.method == Method::Ack => {}
            None => self.core.refuse(arrived, 481),
        }
    }

    fn take_outside(&mut self, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        // An OPTIONS with no hops left is answered here: it may ask for this very hop (§11).
        let spent = request.headers.max_forwards() == Ok(Some(0));
        if spent && request.method != Method::Options {
            self.core.refuse(arrived, 483);
            return;
        }
        match &request.method {
            Method::Invite => self.take_invite(now, arrived),
            Method::Options => {
                let fields = [
                    (HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes())),
                    (HeaderName::Accept, Bytes::from_static(b"application/sdp")),
                    (HeaderName::Supported, self.core.supported(true)),
                ];
                self.core.refuse_with(arrived, 200, fields);
            }
            Method::Register if self.registrar.is_some() => self.take_register(now, arrived),
            Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify => {
                self.core.refuse(arrived, 481);
            }
            // Nobody may have us call somebody from outside a call (toll fraud).
            Method::Refer => self.core.refuse(arrived, 403),
            method => {
                let code = if matches!(method, Method::Other(_)) {
                    501
                } else {
                    405
                };
                let allow = (HeaderName::Allow, Bytes::from_static(ALLOW.as_bytes()));
                self.core.refuse_with(arrived, code, [allow]);
            }
        }
    }

    fn take_invite(&mut self, now: Millis, arrived: &Arrived) {
        let request = &arrived.request;
        let admitted = {
            let rule = self.admits.as_ref();
            rule.is_none_or(|admits| admits(&arrived.source))
        };
        // Asked before anything is kept: a stranger's refusal that nobody acknowledges would else take
        // the room of our own calls for 64·T1.
        if !self.core.config.accept_calls || !(admitted || self.replacer(arrived)) {
            self.core.refuse(arrived, 403);
            return;
        }
        if self.calls.len() >= MAX_CALLS
            || self.core.events.len() >= MAX_EVENTS
            || self.core.layer.unacknowledged() >= MAX_UNACKNOWLEDGED
        {
            self.core.counters.over_limit += 1;
            self.core.refuse_with(arrived, 503, [no_room_until()]);
            return;
        }
        let sdp = match body::read(&request.headers, &request.body) {
            Body::Empty => None,
            Body::Sdp(sdp) => Some(sdp),
            Body::Foreign => {
                let accept = (HeaderName::Accept, Bytes::from_static(b"application/sdp"));
                self.core.refuse_with(arrived, 415, [accept]);
                return;
            }
        };
        if checks::refuses_sdp(request) {
            self.core.refuse(arrived, 406);
            return;
        }
        if let Err(least) = SessionTimer::judge(&self.core, request) {
            let floor = (HeaderName::MinSe, Bytes::from(least.to_string()));
            self.core.refuse_with(arrived, 422, [floor]);
            return;
        }
        let Ok(user) = self.check_user(now, arrived, admitted) else {
            return;
        };
        let replaces = match self.replaced(&request.headers) {
            Ok(replaces) => replaces,
            Err(code) => return self.core.refuse(arrived, code),
        };
        let key = CallKey(self.fresh_key());
        let mut call = match Call::take(&mut self.core, now, key, arrived, sdp.clone()) {
            Ok(call) => call,
            Err(crate::SipError::Limit(_)) => {
                self.core.counters.over_limit += 1;
                self.core.refuse_with(arrived, 503, [no_room_until()]);
                return;
            }
            Err(_) => {
                self.core.refuse(arrived, 400);
                return;
            }
        };
        call.replaces(replaces);
        self.keep_call(call);
        self.report_incoming(key, arrived, user, sdp, replaces);
    }

    /// Whether somebody who may not call may take the place of a call, once he has proved who he is.
    fn replacer(&self, arrived: &Arrived) -> bool {
        let asks = arrived.request.headers.get(&HeaderName::Replaces).is_some();
        let rule = self.replacers.as_ref().filter(|_| asks);
        rule.is_some_and(|admits| admits(&arrived.source))
    }

    fn report_incoming(
        &mut self,
        key: CallKey,
        arrived: &Arrived,
        user: Option<String>,
        sdp: Option<Bytes>,
        replaces: Option<CallKey>,
    ) {
        let request = &arrived.request;
        let headers = &request.headers;
        let parsed = (headers.from(), headers.to(), request.target());
        if let (Ok(from), Ok(to), Ok(request_uri)) = parsed {
            let asserted = headers.addresses(&HeaderName::PAssertedIdentity, "P-Asserted-Identity");
            self.core.report(Event::Incoming(Box::new(Incoming {
                call: key,
                from,
                to,
                request_uri,
                asserted: asserted.unwrap_or_default(),
                user,
                sdp,
                replaces,
                source: arrived.source,
                headers: headers.clone(),
            })));
        }
    }

    /// Carries out what the transactions report.
    pub(super) fn drain_layer(&mut self, now: Millis) {
        while let Some(event) = self.core.layer.poll_event() {
            match event {
                TxEvent::Response {
                    tx,
                    response,
                    source,
                } => {
                    self.take_response(now, tx, &response, source);
                }
                TxEvent::Failed { tx, fault } => self.take_fault(now, tx, fault),
                TxEvent::Ack(ack) => {
                    let tag = ack
                        .headers
                        .to()
                        .ok()
                        .and_then(|to| to.tag())
                        .unwrap_or_default();
                    let call_id = ack.headers.call_id().unwrap_or_default();
                    if let Some(key) = self.legs.get(&(call_id, tag)).copied() {
                        self.with_call(key, |core, call| call.on_ack(core, now, &ack));
                    }
                }
                // The refusal was reported when it was sent; nothing hangs on its ACK.
                TxEvent::AckMissing { .. } => {}
                TxEvent::Ended { tx } => {
                    self.core.uses.remove(&tx);
                }
            }
        }
        self.end_replaced(now);
    }

    fn take_response(&mut self, now: Millis, tx: TxId, response: &Response, source: Source) {
        let Some(purpose) = self.core.uses.get(&tx).copied() else {
            return;
        };
        match purpose {
            Use::Invite(key) => self.take_invite_response(now, key, tx, response, source),
            Use::Offer(key) => {
                if (200..300).contains(&response.code) && self.repeat_ack(response, source) {
                    return;
                }
                self.with_call(key, |core, call| {
                    call.on_change_response(core, now, tx, response);
                });
            }
            Use::Bye(key) => {
                self.with_call(key, |core, call| call.on_bye_response(core, now, response));
            }
            Use::Orphan(call) => self.on_orphan_response(now, call, response),
            Use::Minor(key) => {
                let lost = matches!(response.code, 408 | 481);
                let cancel = response
                    .headers
                    .cseq()
                    .is_ok_and(|cseq| cseq.method == Method::Cancel);
                if lost && !cancel {
                    self.with_call(key, |core, call| call.lost(core, now, response.code));
                }
            }
            Use::Refer(key) => {
                self.with_call(key, |core, call| {
                    call.on_refer_response(core, now, response)
                });
            }
            Use::Register(key) => {
                if let Some(registration) = self.registrations.get_mut(&key) {
                    registration.on_response(&mut self.core, now, tx, response);
                }
                self.settle_registration(key);
            }
            Use::Ping(ping, sent) if response.code >= 200 => {
                let took_ms = now.since(sent);
                self.core.report(Event::Pong {
                    ping,
                    code: Some(response.code),
                    took_ms,
                });
            }
            Use::Ping(..) | Use::Serve(_) => {}
        }
    }

    /// 2xx may come often and from several forks (RFC 3261 §13.2.2.4).
    fn take_invite_response(
        &mut self,
        now: Millis,
        key: CallKey,
        tx: TxId,
        response: &Response,
        source: Source,
    ) {
        let answer = (200..300).contains(&response.code);
        if answer && self.repeat_ack(response, source) {
            return;
        }
        let calling = self.calls.get(&key).is_some_and(|call| call.is_calling(tx));
        if calling {
            self.with_call(key, |core, call| {
                call.on_calling_response(core, now, tx, response, source);
            });
        } else if answer {
            let used = self.calls.get(&key);
            let used = used.map_or((0, false), |call| (call.dialog.local_cseq, call.follow));
            end_stray(&mut self.core, now, tx, response, used);
        }
    }

    /// Sends the ACK of a repeated 2xx again; false when that 2xx is new.
    fn repeat_ack(&mut self, response: &Response, source: Source) -> bool {
        let headers = &response.headers;
        let (Ok(from), Ok(to), Ok(call_id), Ok(cseq)) = (
            headers.from(),
            headers.to(),
            headers.call_id(),
            headers.cseq(),
        ) else {
            return false;
        };
        let key = AckKey {
            call_id,
            local_tag: from.tag().unwrap_or_default(),
            remote_tag: to.tag().unwrap_or_default(),
            cseq: cseq.number,
        };
        let Some((mut target, ack)) = self.core.acks.get(&key).cloned() else {
            return false;
        };
        if source.proto == target.proto && source.conn.is_some() {
            target.conn = source.conn;
        }
        self.core.layer.transmit(target, ack);
        true
    }

    fn take_fault(&mut self, now: Millis, tx: TxId, fault: TxFault) {
        let code = match fault {
            TxFault::Timeout => 408,
            TxFault::Transport | TxFault::Cut => 503,
        };
        match self.core.uses.get(&tx).copied() {
            Some(Use::Invite(key)) => {
                self.with_call(key, |core, call| call.on_invite_fault(core, now, tx, fault));
            }
            Some(Use::Offer(key)) => {
                self.with_call(key, |core, call| call.on_change_fault(core, now, tx, code));
            }
            Some(Use::Bye(key)) => {
                self.with_call(key, |core, call| call.on_bye_fault(core, now));
            }
            Some(Use::Orphan(call)) => self.orphan_over(call, None),
            Some(Use::Minor(key)) => {
                self.with_call(key, |core, call| call.on_minor_fault(core, now, code));
            }
            Some(Use::Refer(key)) => {
                self.with_call(key, |core, call| call.on_refer_fault(core, now, code));
            }
            Some(Use::Register(key)) => {
                if let Some(registration) = self.registrations.get_mut(&key) {
                    registration.on_fault(&mut self.core, now, tx, code);
                }
                self.settle_registration(key);
            }
            Some(Use::Ping(ping, sent)) => {
                let took_ms = now.since(sent);
                self.core.report(Event::Pong {
                    ping,
                    code: None,
                    took_ms,
                });
            }
            Some(Use::Serve(_)) | None => {}
        }
    }
}
