//! Messages into bytes. Line ends inside a value become spaces, so that nobody can smuggle a
//! header in through a name or a reason.

use bytes::{Bytes, BytesMut};

use super::{HeaderName, Headers, Message, Request, Response};

impl Request {
    /// The octets on the wire; Content-Length is written from the body.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(512 + self.body.len());
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
        let mut out = BytesMut::with_capacity(512 + self.body.len());
        out.extend_from_slice(format!("SIP/2.0 {} ", self.code).as_bytes());
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
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
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
