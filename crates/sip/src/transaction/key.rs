//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2).

use bytes::{Bytes, BytesMut};

use crate::header::Via;
use crate::msg::{Headers, Method, Request, Response};

/// The name of a transaction in the layer's table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Bytes);

impl Key {
    pub(super) fn of_client(via: &Via, method: &Method) -> Option<Self> {
        Some(Key::join(b'c', &[&via.branch()?, method.as_bytes()]))
    }

    pub(super) fn of_response(response: &Response) -> Option<Self> {
        let via = response.headers.top_via().ok()?;
        Key::of_client(&via, &response.headers.cseq().ok()?.method)
    }

    /// The key of a request; ACK shares its INVITE's. Branches without the cookie come from
    /// RFC 2543 peers, whose transactions are told apart by their ids and the whole Via.
    pub(super) fn of_request(request: &Request, via: &Via) -> Option<Self> {
        let method = match &request.method {
            Method::Ack => Method::Invite,
            other => other.clone(),
        };
        Key::of_server(&request.headers, via, &method)
    }

    /// The key of the INVITE a CANCEL means.
    pub(super) fn of_cancelled(request: &Request, via: &Via) -> Option<Self> {
        Key::of_server(&request.headers, via, &Method::Invite)
    }

    fn of_server(headers: &Headers, via: &Via, method: &Method) -> Option<Self> {
        let host = via.host.to_ascii_lowercase();
        let port = via.port.unwrap_or(5060).to_string();
        if let Some(branch) = via.unique_branch() {
            let parts = [&branch[..], &host, port.as_bytes(), method.as_bytes()];
            return Some(Key::join(b's', &parts));
        }
        let tag = headers.from().ok()?.tag().unwrap_or_default();
        let number = headers.cseq().ok()?.number.to_string();
        let branch = via.branch().unwrap_or_default();
        let parts = [
            &headers.call_id().ok()?[..],
            &tag,
            number.as_bytes(),
            &branch,
            &host,
            port.as_bytes(),
            method.as_bytes(),
        ];
        Some(Key::join(b'o', &parts))
    }

    /// The key under which two copies of one request meet that came over different paths; None
    /// inside a dialog.
    pub(super) fn of_merge(request: &Request) -> Option<Self> {
        if request.headers.to().ok()?.tag().is_some() {
            return None;
        }
        let cseq = request.headers.cseq().ok()?;
        let tag = request.headers.from().ok()?.tag()?;
        let number = cseq.number.to_string();
        let id = request.headers.call_id().ok()?;
        Some(Key::join(
            b'm',
            &[&id, &tag, number.as_bytes(), request.method.as_bytes()],
        ))
    }

    fn join(kind: u8, parts: &[&[u8]]) -> Self {
        let mut out = BytesMut::with_capacity(64);
        out.extend_from_slice(&[kind]);
        for part in parts {
            out.extend_from_slice(part);
            // No token, host or Call-ID holds NUL, so parts cannot run into each other.
            out.extend_from_slice(&[0]);
        }
        Key(out.freeze())
    }
}
