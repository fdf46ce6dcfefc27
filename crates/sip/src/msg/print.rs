//! Messages into bytes. Line ends inside a value become spaces, so that nobody can smuggle a
//! header in through a name or a reason.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

use super::{HeaderName, Headers, Message, Request, Response};

/// Octets between a header's name and its value and behind that.
const SEPARATORS: usize = 4;
/// Octets of a message that are neither header nor body: version, spaces, ends of lines, Content-Length.
const FRAME: usize = 64;

impl Request {
    /// The octets on the wire; Content-Length is written from the body.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let line = self.method.as_bytes().len() + self.uri.len();
        let mut out = room(line, &self.headers, &self.body);
        put_clean(&mut out, self.method.as_bytes());
        out.extend_from_slice(b" ");
        put_clean(&mut out, &self.uri);
        out.extend_from_slice(b" SIP/2.0\r\n");
        put_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }
}

impl Response {
    /// The octets on the wire; Content-Length is written from the body.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = room(self.phrase.len(), &self.headers, &self.body);
        // Memory takes every write.
        let _ = write!(out, "SIP/2.0 {} ", self.code);
        put_clean(&mut out, &self.phrase);
        out.extend_from_slice(b"\r\n");
        put_rest(&mut out, &self.headers, &self.body);
        out.freeze()
    }
}

impl Message {
    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

/// Memory for the whole message, asked for once: what of its first line differs has `line` octets.
fn room(line: usize, headers: &Headers, body: &[u8]) -> BytesMut {
    let fields = headers.iter();
    let fields: usize = fields
        .map(|field| field.name.as_bytes().len() + field.value.len() + SEPARATORS)
        .sum();
    BytesMut::with_capacity(line + FRAME + fields + body.len())
}

fn put_rest(out: &mut BytesMut, headers: &Headers, body: &[u8]) {
    for header in headers
        .iter()
        .filter(|header| header.name != HeaderName::ContentLength)
    {
        put_clean(out, header.name.as_bytes());
        out.extend_from_slice(b": ");
        put_clean(out, &header.value);
        out.extend_from_slice(b"\r\n");
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(body);
}

fn put_clean(out: &mut BytesMut, octets: &[u8]) {
    let start = out.len();
    out.extend_from_slice(octets);
    for octet in &mut out[start..] {
        if *octet == b'\r' || *octet == b'\n' {
            *octet = b' ';
        }
    }
}
