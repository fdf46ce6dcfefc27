//! CSeq (RFC 3261 §20.16).

use bytes::Bytes;

use super::lex::{is_token, number, piece, trim};
use crate::SipError;
use crate::msg::Method;

/// Sequence number and method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The number, below 2^31.
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// Parses the value.
    ///
    /// # Errors
    /// [`SipError::Header`] when the number is out of range or the method missing.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let raw = trim(raw);
        let gap = raw
            .iter()
            .position(|b| b" \t".contains(b))
            .ok_or(SipError::header("CSeq", "no method"))?;
        let value = number(&raw[..gap], 0x7fff_ffff)
            .and_then(|value| u32::try_from(value).ok())
            .ok_or(SipError::header("CSeq", "number out of range"))?;
        let method = piece(&raw, gap..);
        if !is_token(&method) {
            return Err(SipError::header("CSeq", "method is not a token"));
        }
        Ok(CSeq {
            number: value,
            method: Method::from_token(method),
        })
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = format!("{} ", self.number).into_bytes();
        out.extend_from_slice(self.method.as_bytes());
        Bytes::from(out)
    }
}
