//! Ending calls of a process that is gone: a BYE written while its call was up, sent by the next
//! process.

use bytes::Bytes;

use super::call::State;
use super::core::Use;
use super::{CallKey, Endpoint};
use crate::header::{CSeq, Reason};
use crate::msg::{HeaderName, Message, Method, Request, parse_datagram};
use crate::transport::Target;
use crate::{Millis, SipError};

/// Added to the call's sequence number, so that no request it sends later comes close: at a session
/// refresh each 45 s that is two months.
const AHEAD: u32 = 100_000;

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

    /// Sends a BYE that [`Endpoint::bye_in_advance`] gave to a process that is gone. What becomes of it is told by
    /// [`super::Event::OrphanEnded`] with the key that this gives.
    ///
    /// # Errors
    /// [`SipError::State`] when it is no BYE, [`SipError::Limit`], [`SipError::NoLocalAddress`].
    pub fn end_orphan(
        &mut self,
        now: Millis,
        target: Target,
        bye: &Bytes,
        reason: Option<&Reason>,
    ) -> Result<CallKey, SipError> {
        let mut request = orphan(bye).ok_or(SipError::State("not a BYE"))?;
        if let Some(reason) = reason {
            request.headers.push(HeaderName::Reason, reason.to_bytes());
        }
        // A key that no call has.
        let key = CallKey(self.fresh_key());
        self.core.send(now, request, target, Use::Orphan(key))?;
        Ok(key)
    }
}

/// The BYE to send after this one was refused, for [`Endpoint::end_orphan`]: the next in its dialog, since a far end may
/// refuse a number that it has seen (RFC 3261 §12.2.2). None when it is no BYE.
#[must_use]
pub fn bye_again(bye: &Bytes) -> Option<Bytes> {
    let mut request = orphan(bye)?;
    let CSeq { number, method } = request.headers.cseq().ok()?;
    let number = number.checked_add(1)?;
    let next = CSeq { number, method };
    request.headers.set(HeaderName::CSeq, next.to_bytes());
    Some(request.to_bytes())
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
    fn another_bye_has_the_next_number() {
        let bye = |number: &str| {
            Bytes::from(format!(
                "BYE sip:gw@192.0.2.1 SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@192.0.2.2>;tag=1\r\n\
                To: <sip:b@192.0.2.1>;tag=2\r\nCall-ID: c\r\nCSeq: {number} BYE\r\nContent-Length: 0\r\n\r\n"
            ))
        };
        assert_eq!(bye_again(&bye("100001")), Some(bye("100002")));
        assert_eq!(bye_again(&Bytes::from_static(b"no BYE")), None);
    }
}
