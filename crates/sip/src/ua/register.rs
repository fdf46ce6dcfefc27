//! Registrations of ours at somebody's registrar (RFC 3261 §10.2).

use bytes::Bytes;

use super::core::{Core, Use};
use super::{Event, RegKey, RegisterOrder, RegistrationState};
use crate::digest::{Answering, DigestClient};
use crate::header::{CSeq, NameAddr};
use crate::msg::{HeaderName, Method, Request, Response, Uri};
use crate::transaction::TxId;
use crate::{Millis, SipError};

/// First wait after a failure, ms; it doubles.
const RETRY_MS: u64 = 30_000;
/// Longest wait after failures, ms.
const MAX_RETRY_MS: u64 = 900_000;
/// Longest binding life we follow, seconds.
const MAX_LIFE_S: u32 = 7 * 86_400;

pub(super) struct Registration {
    key: RegKey,
    order: RegisterOrder,
    contact: Uri,
    call_id: Bytes,
    from: Bytes,
    cseq: u32,
    digest: DigestClient,
    tx: Option<TxId>,
    wish_s: u32,
    failures: u32,
    leaving: bool,
    pub(super) over: bool,
    pub(super) next_at: Option<Millis>,
    pub(super) armed: Option<Millis>,
}

impl Registration {
    pub(super) fn start(
        core: &mut Core,
        now: Millis,
        key: RegKey,
        order: RegisterOrder,
    ) -> Result<Self, SipError> {
        let proto = order.next_hop.proto;
        let local = core.local(proto)?;
        let contact = Uri::sip(Some(&order.contact_user), local).with_transport(proto);
        let mut from = order.account.clone();
        from.params.set_bytes("tag", Some(core.ids.token(8)));
        let mut registration = Registration {
            key,
            wish_s: order.expires_s,
            order,
            contact,
            call_id: core.ids.token(16),
            from: from.to_bytes(),
            cseq: 0,
            digest: DigestClient::default(),
            tx: None,
            failures: 0,
            leaving: false,
            over: false,
            next_at: None,
            armed: None,
        };
        registration.send(core, now)?;
        Ok(registration)
    }

    fn send(&mut self, core: &mut Core, now: Millis) -> Result<(), SipError> {
        self.cseq += 1;
        self.next_at = None;
        let mut request = Request::new(Method::Register, self.order.registrar.to_bytes());
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, "70");
        headers.push(HeaderName::From, self.from.clone());
        headers.push(HeaderName::To, self.order.account.to_bytes());
        headers.push(HeaderName::CallId, self.call_id.clone());
        let cseq = CSeq {
            number: self.cseq,
            method: Method::Register,
        };
        headers.push(HeaderName::CSeq, cseq.to_bytes());
        headers.push(
            HeaderName::Contact,
            NameAddr::new(self.contact.clone()).to_bytes(),
        );
        let life = if self.leaving { 0 } else { self.wish_s };
        headers.push(HeaderName::Expires, Bytes::from(life.to_string()));
        self.digest
            .apply(&mut request, self.order.login.as_ref(), core.ids.as_mut());
        let tx = core.send(now, request, self.order.next_hop, Use::Register(self.key))?;
        self.tx = Some(tx);
        Ok(())
    }

    fn send_or_wait(&mut self, core: &mut Core, now: Millis) {
        if self.send(core, now).is_err() {
            self.failed(core, now, 503, None);
        }
    }

    pub(super) fn again(&mut self, core: &mut Core, now: Millis) {
        if self.tx.is_none() && !self.leaving {
            self.send_or_wait(core, now);
        }
    }

    /// The next REGISTER goes there.
    pub(super) fn move_to(&mut self, next_hop: crate::transport::Target) {
        self.order.next_hop = next_hop;
    }

    pub(super) fn leave(&mut self, core: &mut Core, now: Millis) {
        self.leaving = true;
        self.send_or_wait(core, now);
    }

    pub(super) fn on_timer(&mut self, core: &mut Core, now: Millis) {
        if self.next_at.is_some_and(|at| at <= now) {
            self.send_or_wait(core, now);
        }
    }

    pub(super) fn on_response(
        &mut self,
        core: &mut Core,
        now: Millis,
        tx: TxId,
        response: &Response,
    ) {
        if self.tx != Some(tx) || response.code < 200 {
            return;
        }
        self.tx = None;
        match response.code {
            200..=299 => self.accepted(core, now, response),
            401 | 407 => {
                let login = self.order.login.as_ref();
                if self.digest.absorb(response, login) == Answering::Again {
                    self.send_or_wait(core, now);
                } else {
                    // Start over with a clean slate: the password may be changed at the server.
                    self.digest = DigestClient::default();
                    self.failed(core, now, response.code, None);
                }
            }
            423 => {
                let least = response.headers.seconds(&HeaderName::MinExpires);
                match least.filter(|least| *least > self.wish_s && *least <= MAX_LIFE_S) {
                    Some(least) => {
                        self.wish_s = least;
                        self.send_or_wait(core, now);
                    }
                    None => self.failed(core, now, 423, None),
                }
            }
            code => {
                let after = response.headers.retry_after().map(|after| after.seconds);
                self.failed(core, now, code, after);
            }
        }
    }

    fn accepted(&mut self, core: &mut Core, now: Millis, response: &Response) {
        self.digest.accepted();
        self.failures = 0;
        if self.leaving {
            self.finish(core);
            return;
        }
        let expires_s = self.granted(response).clamp(1, MAX_LIFE_S);
        // Refresh well before the end: after 5/6 of short lives, a minute before of long ones.
        let life = u64::from(expires_s) * 1_000;
        self.next_at = Some(now + (life - (life / 6).min(60_000)));
        let state = RegistrationState::Registered { expires_s };
        core.report(Event::Registration {
            registration: self.key,
            state,
        });
    }

    /// The life of our own binding among those listed.
    fn granted(&self, response: &Response) -> u32 {
        let listed = response.headers.contacts().unwrap_or_default();
        let mine = listed
            .iter()
            .find(|contact| contact.uri.same_as(&self.contact));
        mine.and_then(|contact| contact.params.number("expires"))
            .or_else(|| response.headers.seconds(&HeaderName::Expires))
            .unwrap_or(self.wish_s)
    }

    /// No answer, or a broken transport.
    pub(super) fn on_fault(&mut self, core: &mut Core, now: Millis, tx: TxId, code: u16) {
        if self.tx == Some(tx) {
            self.tx = None;
            self.failed(core, now, code, None);
        }
    }

    fn failed(&mut self, core: &mut Core, now: Millis, code: u16, after_s: Option<u32>) {
        if self.leaving {
            self.finish(core);
            return;
        }
        let grown = RETRY_MS << self.failures.min(5);
        let asked = after_s.map_or(0, |seconds| u64::from(seconds) * 1_000);
        let retry_in_ms = grown
            .max(asked)
            .min(MAX_RETRY_MS.max(asked.min(MAX_RETRY_MS * 4)));
        self.failures += 1;
        self.next_at = Some(now + retry_in_ms);
        let state = RegistrationState::Failed { code, retry_in_ms };
        core.report(Event::Registration {
            registration: self.key,
            state,
        });
    }

    fn finish(&mut self, core: &mut Core) {
        self.over = true;
        self.next_at = None;
        let state = RegistrationState::Unregistered;
        core.report(Event::Registration {
            registration: self.key,
            state,
        });
    }
}
