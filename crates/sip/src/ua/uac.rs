//! Outgoing calls: INVITE, its answers, CANCEL and its races (RFC 3261 §9, §13.2).

use bytes::{Bytes, BytesMut};

use super::acks::send_ack;
use super::call::{Call, Calling, Fork, State};
use super::core::{ALLOW, Core, Use};
use super::dialog::Dialog;
use super::offer::Offer;
use super::session::SessionTimer;
use super::{CallKey, Event, FailWhy, Failure, InviteOrder, body};
use crate::digest::{Answering, DigestClient};
use crate::header::{CSeq, NameAddr, Reason};
use crate::limits::MAX_FORKS;
use crate::msg::{HeaderName, Headers, Method, Request, Response};
use crate::transaction::{TIMEOUT, TxFault, TxId};
use crate::transport::Source;
use crate::{Millis, SipError};

/// How often an INVITE is sent again for a longer session interval (422).
const MAX_INTERVAL_TRIES: u8 = 2;

/// The INVITE that every try of a call repeats, without CSeq and body.
fn template(
    core: &Core,
    dialog: &Dialog,
    session: &SessionTimer,
    extra: &Headers,
    contact: &Bytes,
) -> Request {
    let mut template = dialog.clone().request(Method::Invite);
    let headers = &mut template.headers;
    headers.remove(&HeaderName::CSeq);
    headers.push(HeaderName::Contact, contact.clone());
    headers.push(HeaderName::Allow, ALLOW);
    headers.push(HeaderName::Supported, core.supported(true));
    session.ask(core, headers, None);
    for field in extra.iter() {
        headers.push(field.name.clone(), field.value.clone());
    }
    headers.push(HeaderName::ContentType, "application/sdp");
    template
}

/// Our half of the dialog an order opens.
fn opened(core: &mut Core, order: &InviteOrder) -> Result<Dialog, SipError> {
    let local_tag = core.ids.token(8);
    let host = core.local(order.next_hop.proto)?.ip();
    let mut call_id = BytesMut::from(&core.ids.token(16)[..]);
    call_id.extend_from_slice(format!("@{host}").as_bytes());
    let mut from = order.from.clone();
    from.params.set_bytes("tag", Some(local_tag.clone()));
    let target = order.target.to_bytes();
    let to = order.to.clone();
    let to = to.unwrap_or_else(|| NameAddr::new(order.target.clone()));
    Ok(Dialog {
        call_id: call_id.freeze(),
        local: from.to_bytes(),
        local_tag,
        remote: to.to_bytes(),
        remote_tag: Bytes::new(),
        route: order.route.iter().map(NameAddr::to_bytes).collect(),
        target,
        local_cseq: u32::try_from(core.ids.below(1_000)).unwrap_or(0),
        remote_cseq: None,
    })
}

impl Call {
    /// Sends the INVITE of an order.
    pub(super) fn start(
        core: &mut Core,
        now: Millis,
        key: CallKey,
        order: InviteOrder,
    ) -> Result<Call, SipError> {
        let dialog = opened(core, &order)?;
        let contact = core.contact(order.next_hop.proto, &core.config.contact_user)?;
        let session = SessionTimer::new(core);
        let mut template = template(core, &dialog, &session, &order.headers, &contact);
        template.body = order.sdp.clone();
        let mut call = Call {
            key,
            state: State::Over,
            dialog,
            peer: order.next_hop,
            home: Some(order.next_hop),
            follow: order.follow_contact,
            turned: false,
            contact,
            outgoing: true,
            login: order.login,
            digest: DigestClient::default(),
            local_sdp: order.sdp,
            remote_sdp: None,
            session,
            await_ack: None,
            offer: Offer::Idle,
            peer_takes_update: false,
            bye_after_ack: None,
            refer_in: None,
            refer_out: None,
            refer_to: None,
            armed: None,
        };
        let tx = call.send_invite(core, now, &template)?;
        call.state = State::Calling(Box::new(Calling {
            tx,
            invite_cseq: call.dialog.local_cseq,
            template,
            heard: false,
            cancel: None,
            cancel_reason: None,
            cancel_sent: false,
            ring_limit_at: now + order.ring_limit_ms,
            give_up_at: None,
            forks: Vec::new(),
            interval_tries: 0,
        }));
        Ok(call)
    }

    fn send_invite(
        &mut self,
        core: &mut Core,
        now: Millis,
        template: &Request,
    ) -> Result<TxId, SipError> {
        self.dialog.local_cseq += 1;
        let mut invite = template.clone();
        let cseq = CSeq {
            number: self.dialog.local_cseq,
            method: Method::Invite,
        };
        invite.headers.push(HeaderName::CSeq, cseq.to_bytes());
        self.digest
            .apply(&mut invite, self.login.as_ref(), core.ids.as_mut());
        core.send(now, invite, self.peer, Use::Invite(self.key))
    }

    /// A response to the INVITE of a call that is not answered yet.
    pub(super) fn on_calling_response(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        response: &Response,
        source: Source,
    ) {
        let State::Calling(calling) = &mut self.state else {
            return;
        };
        if calling.tx != tx {
            return;
        }
        match response.code {
            ..200 => {
                self.heard_from(source);
                self.on_provisional(core, now, response);
            }
            200..=299 => {
                self.heard_from(source);
                self.on_answer(core, now, tx, response);
            }
            _ => self.on_refusal(core, now, response),
        }
    }

    fn on_provisional(&mut self, core: &mut Core, now: Millis, response: &Response) {
        let State::Calling(calling) = &mut self.state else {
            return;
        };
        calling.heard = true;
        let remote_tag = response.headers.to().ok().and_then(|to| to.tag());
        if let Some(tag) = &remote_tag
            && calling.forks.len() < MAX_FORKS
            && !calling.forks.iter().any(|fork| fork.tag == *tag)
        {
            calling.forks.push(Fork {
                tag: tag.clone(),
                remote_cseq: None,
                rseq: None,
                settled: false,
            });
        }
        if calling.cancel.is_some() {
            self.send_cancel(core, now);
            return;
        }
        let sdp = body::sdp(&response.headers, &response.body);
        if let Some(tag) = &remote_tag
            && !self.confirm_provisional(core, now, response, tag, sdp.is_some())
        {
            return;
        }
        if let Some(sdp) = &sdp {
            self.remote_sdp = Some(sdp.clone());
        }
        core.report(Event::Progress {
            call: self.key,
            code: response.code,
            sdp,
            remote_tag,
        });
    }

    fn on_answer(&mut self, core: &mut Core, now: Millis, tx: TxId, response: &Response) {
        let State::Calling(calling) = &self.state else {
            return;
        };
        let (cancelled, invite_cseq) = (calling.cancel, calling.invite_cseq);
        let tag = response
            .headers
            .to()
            .ok()
            .and_then(|to| to.tag())
            .unwrap_or_default();
        let fork = calling.forks.iter().find(|fork| fork.tag == tag);
        self.dialog.remote_cseq = fork.and_then(|fork| fork.remote_cseq);
        self.dialog.confirm(response);
        self.digest.accepted();
        let target = self.next_hop(core);
        send_ack(core, now, &self.dialog, invite_cseq, target, Some(tx));
        self.state = State::Up;
        if let Some(why) = cancelled {
            // The answer crossed our CANCEL: end what nobody wants (RFC 3261 §9.1).
            core.report(Event::Failed {
                call: self.key,
                failure: failure(why, response, true),
            });
            self.state = State::Ending;
            self.send_bye(core, now, None);
            return;
        }
        self.session.settle_as_client(now, &response.headers);
        self.note_allow(response);
        let sdp = body::sdp(&response.headers, &response.body);
        if let Some(sdp) = &sdp {
            self.remote_sdp = Some(sdp.clone());
        }
        core.report(Event::Answered {
            call: self.key,
            code: response.code,
            sdp,
            remote_tag: self.dialog.remote_tag.clone(),
            headers: response.headers.clone(),
        });
    }

    pub(super) fn note_allow(&mut self, response: &Response) {
        if let Some(takes) = response.headers.allows(&Method::Update) {
            self.peer_takes_update = takes;
        }
    }

    fn on_refusal(&mut self, core: &mut Core, now: Millis, response: &Response) {
        let State::Calling(calling) = &mut self.state else {
            return;
        };
        let why = match (response.code, calling.cancel) {
            (487, Some(why)) => why,
            (401 | 407, Some(why)) => why,
            (401 | 407, None) => {
                if self.digest.absorb(response, self.login.as_ref()) == Answering::Again {
                    self.invite_again(core, now);
                    return;
                }
                FailWhy::Unauthorized
            }
            (422, None)
                if calling.interval_tries < MAX_INTERVAL_TRIES && self.session.grow(response) =>
            {
                calling.interval_tries += 1;
                self.session.ask(core, &mut calling.template.headers, None);
                self.invite_again(core, now);
                return;
            }
            (300..=399, _) => FailWhy::Redirected,
            _ => FailWhy::Refused,
        };
        self.fail(core, now, failure(why, response, true));
    }

    /// Sends the INVITE anew, with the next CSeq and a fresh branch.
    fn invite_again(&mut self, core: &mut Core, now: Millis) {
        let State::Calling(calling) = &self.state else {
            return;
        };
        let template = calling.template.clone();
        match self.send_invite(core, now, &template) {
            Ok(tx) => {
                let cseq = self.dialog.local_cseq;
                if let State::Calling(calling) = &mut self.state {
                    calling.tx = tx;
                    calling.invite_cseq = cseq;
                    calling.heard = false;
                    calling.forks.clear();
                }
            }
            Err(_) => self.fail(
                core,
                now,
                failure(FailWhy::Transport, &Response::new(503), false),
            ),
        }
    }

    fn fail(&mut self, core: &mut Core, now: Millis, failure: Failure) {
        self.drop_pending_offer(core, now);
        core.report(Event::Failed {
            call: self.key,
            failure,
        });
        self.state = State::Over;
    }

    /// No response came, or the transport broke.
    pub(super) fn on_invite_fault(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        fault: TxFault,
    ) {
        let State::Calling(calling) = &self.state else {
            return;
        };
        if calling.tx != tx {
            return;
        }
        let (why, code) = match (calling.cancel, fault) {
            (Some(why), _) => (why, 408),
            (None, TxFault::Timeout) => (FailWhy::Timeout, 408),
            (None, TxFault::Transport) => (FailWhy::Transport, 503),
            (None, TxFault::Cut) => (FailWhy::Cut, 503),
        };
        self.fail(core, now, failure(why, &Response::new(code), false));
    }

    /// Withdraws the INVITE; false when the call is not in that state.
    pub(super) fn withdraw(
        &mut self,
        core: &mut Core,
        now: Millis,
        why: FailWhy,
        reason: Option<Reason>,
    ) -> bool {
        let State::Calling(calling) = &mut self.state else {
            return false;
        };
        if calling.cancel.is_none() {
            calling.cancel = Some(why);
            calling.cancel_reason = reason;
            if calling.heard {
                self.send_cancel(core, now);
            }
        }
        true
    }

    /// CANCEL has the INVITE's Request-URI, ids, route and topmost Via (RFC 3261 §9.1).
    fn send_cancel(&mut self, core: &mut Core, now: Millis) {
        let State::Calling(calling) = &mut self.state else {
            return;
        };
        if calling.cancel_sent {
            return;
        }
        calling.cancel_sent = true;
        calling.give_up_at = Some(now + TIMEOUT);
        let Some((invite, target)) = core.layer.invite(calling.tx) else {
            return;
        };
        let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
        let kept = [
            HeaderName::Via,
            HeaderName::MaxForwards,
            HeaderName::Route,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
        ];
        for field in invite
            .headers
            .iter()
            .filter(|field| kept.contains(&field.name))
        {
            cancel.headers.push(field.name.clone(), field.value.clone());
        }
        let cseq = CSeq {
            number: calling.invite_cseq,
            method: Method::Cancel,
        };
        cancel.headers.push(HeaderName::CSeq, cseq.to_bytes());
        if let Some(reason) = &calling.cancel_reason {
            cancel.headers.push(HeaderName::Reason, reason.to_bytes());
        }
        if let Ok(tx) = core.layer.send(now, cancel, target) {
            core.uses.insert(tx, Use::Minor(self.key));
        }
    }

    pub(super) fn calling_timer(&mut self, core: &mut Core, now: Millis) {
        let State::Calling(calling) = &self.state else {
            return;
        };
        if calling.give_up_at.is_some_and(|at| at <= now) {
            let why = calling.cancel.unwrap_or(FailWhy::Timeout);
            // §9.1: the INVITE counts as cancelled; its transaction is destroyed.
            core.uses.remove(&calling.tx);
            core.layer.drop_transaction(calling.tx);
            self.fail(core, now, failure(why, &Response::new(408), false));
        } else if calling.cancel.is_none() && calling.ring_limit_at <= now {
            self.withdraw(core, now, FailWhy::RingLimit, None);
        }
    }
}

fn failure(why: FailWhy, response: &Response, from_peer: bool) -> Failure {
    let headers = &response.headers;
    let redirected = why == FailWhy::Redirected;
    Failure {
        why,
        code: response.code,
        from_peer,
        phrase: response.phrase.clone(),
        q850: headers.q850(),
        retry_after_s: headers.retry_after().map(|after| after.seconds),
        contacts: if redirected {
            headers.contacts().unwrap_or_default()
        } else {
            Vec::new()
        },
    }
}
