//! Reason (RFC 3326).

use bytes::{Bytes, BytesMut};

use super::Params;
use super::lex::{is_token, piece, quote};
use crate::SipError;

/// Why a call ended: a protocol, its cause and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `Q.850`, `SIP` or another.
    pub protocol: Bytes,
    /// `cause` and `text`.
    pub params: Params,
}

impl Reason {
    /// A Q.850 cause.
    #[must_use]
    pub fn q850(cause: u8, text: &str) -> Self {
        Reason::new("Q.850", u16::from(cause), text)
    }

    /// A SIP status code.
    #[must_use]
    pub fn sip(code: u16, text: &str) -> Self {
        Reason::new("SIP", code, text)
    }

    fn new(protocol: &'static str, cause: u16, text: &str) -> Self {
        let mut params = Params::default();
        params.set("cause", Some(&cause.to_string()));
        if !text.is_empty() {
            params.set_bytes("text", Some(quote(text.as_bytes())));
        }
        Reason {
            protocol: Bytes::from_static(protocol.as_bytes()),
            params,
        }
    }

    /// Parses one value.
    ///
    /// # Errors
    /// [`SipError::Header`] when it does not follow the grammar.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let semi = raw.iter().position(|b| *b == b';').unwrap_or(raw.len());
        let protocol = piece(raw, ..semi);
        if !is_token(&protocol) {
            return Err(SipError::header("Reason", "protocol is not a token"));
        }
        Ok(Reason {
            protocol,
            params: Params::parse(&raw.slice(semi..), "Reason")?,
        })
    }

    /// The cause number.
    #[must_use]
    pub fn cause(&self) -> Option<u16> {
        self.params.number("cause")
    }

    /// The cause when the protocol is Q.850.
    #[must_use]
    pub fn q850_cause(&self) -> Option<u16> {
        self.cause()
            .filter(|_| self.protocol.eq_ignore_ascii_case(b"Q.850"))
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::from(&self.protocol[..]);
        self.params.put(&mut out);
        out.freeze()
    }
}
