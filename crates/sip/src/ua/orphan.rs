//! Ending calls of a process that is gone: a BYE written while its call was up, sent by the next
//! process.

use bytes::Bytes;

use super::call::State;
use super::core::Use;
use super::{CallKey, Endpoint, Event, Login};
use crate::digest::{Answering, DigestClient};
use crate::header::{CSeq, Reason};
use crate::limits::MAX_AUTH_TRIES;
use crate::msg::{HeaderName, Message, Method, Request, Response, parse_datagram};
use crate::transport::Target;
use crate::{Millis, SipError};

/// Added to the call's sequence number, so that no request it sends later comes close: at a session
/// refresh each 45 s that is two months.
const AHEAD: u32 = 100_000;

/// Sequence numbers that one [`Endpoint::end_orphan`] uses at most: its first BYE, and one for each challenge.
const TRIES: u32 = MAX_AUTH_TRIES as u32 + 1;

/// A BYE under way to a call of a process that is gone.
pub(super) struct Orphan {
    request: Request,
    target: Target,
    login: Option<Login>,
    digest: DigestClient,
}

impl Endpoint {
    /// The Call-ID of a call that is known; it tells which messages on the wire are the call's.
    #[must_use]
    pub fn call_id(&self, call: CallKey) -> Option<Bytes> {
        Some(self.calls.get(&call)?.dialog.call_id.clone())
    }

    /// The BYE that would end an answered call, without Via, and where it would go: on the connection that the
    /// call's first request named, on none else. Keep it; after
    /// this process has died give it to [`Endpoint::end_orphan`]. None while the call is not up.
    #[must_use]
    pub fn bye_in_advance(&self, call: CallKey) -> Option<(Target, Bytes)> {
        let call = self
            .calls
            .get(&call)
            .filter(|call| matches!(call.state, State::Up))?;
        let mut dialog = call.dialog.clone();
        dialog.local_cseq = dialog.local_cseq.saturating_add(AHEAD);
        let now = crate::transport::Target {
            conn: None,
            ..call.peer
        };
        let target = call.hop_from(&self.core, &dialog, call.home.unwrap_or(now));
        Some((target, dialog.request(Method::Bye).to_bytes()))
    }

    /// Sends a BYE that [`Endpoint::bye_in_advance`] gave to a process that is gone; a challenge is answered with
    /// `login`. What becomes of it is told by [`super::Event::OrphanEnded`] with the key that this gives. What is sent
    /// after that is of [`bye_again`].
    ///
    /// # Errors
    /// [`SipError::State`] when it is no BYE, [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn end_orphan(
        &mut self,
        now: Millis,
        target: Target,
        bye: &Bytes,
        (reason, login): (Option<&Reason>, Option<Login>),
    ) -> Result<CallKey, SipError> {
        let mut request = orphan(bye).ok_or(SipError::State("not a BYE"))?;
        if let Some(reason) = reason {
            request.headers.push(HeaderName::Reason, reason.to_bytes());
        }
        // A key that no call has.
        let key = CallKey(self.fresh_key());
        let sent = request.clone();
        self.core.send(now, sent, target, Use::Orphan(key))?;
        let orphan = Orphan {
            request,
            target,
            login,
            digest: DigestClient::default(),
        };
        self.orphans.insert(key, orphan);
        Ok(key)
    }

    /// The answer to such a BYE.
    pub(super) fn on_orphan_response(&mut self, now: Millis, call: CallKey, response: &Response) {
        if response.code < 200 {
            return;
        }
        let challenged = matches!(response.code, 401 | 407);
        if !challenged || !self.answer_for_orphan(now, call, response) {
            self.orphan_over(call, Some(response.code));
        }
    }

    /// Such a BYE is answered, or will not be.
    pub(super) fn orphan_over(&mut self, call: CallKey, code: Option<u16>) {
        self.orphans.remove(&call);
        self.core.report(Event::OrphanEnded { call, code });
    }

    /// Sends it with credentials; false where there are none that fit.
    fn answer_for_orphan(&mut self, now: Millis, call: CallKey, response: &Response) -> bool {
        let Some(orphan) = self.orphans.get_mut(&call) else {
            return false;
        };
        let login = orphan.login.as_ref();
        if orphan.digest.absorb(response, login) != Answering::Again
            || !raise(&mut orphan.request, 1)
        {
            return false;
        }
        let mut again = orphan.request.clone();
        let ids = self.core.ids.as_mut();
        orphan.digest.apply(&mut again, login, ids);
        let sent = self.core.send(now, again, orphan.target, Use::Orphan(call));
        sent.is_ok()
    }
}

/// The BYE for the next [`Endpoint::end_orphan`] of a call: its number is above each that the last one used, since a far
/// end refuses what it has seen (RFC 3261 §12.2.1.1, §12.2.2). Keep it before the last one is sent. None when it is no
/// BYE.
#[must_use]
pub fn bye_again(bye: &Bytes) -> Option<Bytes> {
    let mut request = orphan(bye)?;
    raise(&mut request, TRIES).then(|| request.to_bytes())
}

/// Counts a request's sequence number on.
fn raise(request: &mut Request, by: u32) -> bool {
    let Ok(CSeq { number, method }) = request.headers.cseq() else {
        return false;
    };
    let Some(number) = number.checked_add(by) else {
        return false;
    };
    let next = CSeq { number, method };
    request.headers.set(HeaderName::CSeq, next.to_bytes());
    true
}

fn orphan(bye: &Bytes) -> Option<Request> {
    match parse_datagram(bye).ok()? {
        Message::Request(request) if request.method == Method::Bye => Some(request),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_bye_has_a_number_that_was_not_used() {
        let bye = |number: &str| {
            Bytes::from(format!(
                "BYE sip:gw@192.0.2.1 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@192.0.2.2>;tag=1\r\n\
                To: <sip:b@192.0.2.1>;tag=2\r\nCall-ID: c\r\nCSeq: {number} BYE\r\nContent-Length: 0\r\n\r\n"
            ))
        };
        assert_eq!(bye_again(&bye("100001")), Some(bye("100006")));
        assert_eq!(bye_again(&Bytes::from_static(b"no BYE")), None);
    }
}
