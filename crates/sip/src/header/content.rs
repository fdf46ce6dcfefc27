//! Content-Type (RFC 3261 §20.15).

use bytes::Bytes;

use super::Params;
use super::lex::{is_token, piece};
use crate::SipError;

/// A media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// `application` of `application/sdp`.
    pub kind: Bytes,
    /// `sdp` of `application/sdp`.
    pub subtype: Bytes,
    /// Parameters, `boundary` for example.
    pub params: Params,
}

impl ContentType {
    /// Parses the value.
    ///
    /// # Errors
    /// [`SipError::Header`] when it does not follow the grammar.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let bad = || SipError::header("Content-Type", "not a media type");
        let semi = raw.iter().position(|b| *b == b';').unwrap_or(raw.len());
        let slash = raw[..semi]
            .iter()
            .position(|b| *b == b'/')
            .ok_or_else(bad)?;
        let (kind, subtype) = (piece(raw, ..slash), piece(raw, slash + 1..semi));
        if !is_token(&kind) || !is_token(&subtype) {
            return Err(bad());
        }
        Ok(ContentType {
            kind,
            subtype,
            params: Params::parse(&raw.slice(semi..), "Content-Type")?,
        })
    }

    /// True for `application/sdp`.
    #[must_use]
    pub fn is_sdp(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"application") && self.subtype.eq_ignore_ascii_case(b"sdp")
    }

    /// True for `multipart/…`.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"multipart")
    }
}
