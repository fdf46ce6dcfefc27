//! Retry-After and Warning (RFC 3261 §20.33, §20.43).

use bytes::Bytes;

use super::lex::{number, piece, quoted_end, trim, unquote};
use crate::SipError;

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
}

impl RetryAfter {
    /// Parses the number; the comment and the parameters say nothing we act on.
    ///
    /// # Errors
    /// [`SipError::Header`] without a number of seconds in front.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let raw = trim(raw);
        let end = raw
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(raw.len());
        let clean = raw.get(end).is_none_or(|b| b" \t;(".contains(b));
        number(&raw[..end], u64::from(u32::MAX))
            .and_then(|value| u32::try_from(value).ok())
            .filter(|_| clean)
            .map(|seconds| RetryAfter { seconds })
            .ok_or(SipError::header("Retry-After", "not a number of seconds"))
    }
}

/// A warning of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Three digits.
    pub code: u16,
    /// Who warns.
    pub agent: Bytes,
    /// The text without quotes.
    pub text: Bytes,
}

impl Warning {
    /// Parses one value.
    ///
    /// # Errors
    /// [`SipError::Header`] when it does not follow the grammar.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let bad = || SipError::header("Warning", "malformed");
        let raw = trim(raw);
        let first = raw.iter().position(|b| *b == b' ').ok_or_else(bad)?;
        let code = number(&raw[..first], 999)
            .filter(|_| first == 3)
            .ok_or_else(bad)?;
        let rest = piece(&raw, first..);
        let second = rest.iter().position(|b| *b == b' ').ok_or_else(bad)?;
        let text = piece(&rest, second..);
        if text.first() != Some(&b'"') || quoted_end(&text) != Some(text.len()) {
            return Err(bad());
        }
        Ok(Warning {
            code: u16::try_from(code).map_err(|_| bad())?,
            agent: rest.slice(..second),
            text: unquote(&text),
        })
    }
}
