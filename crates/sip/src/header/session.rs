//! Session-Expires (RFC 4028 §4).

use bytes::Bytes;

use super::Params;
use super::lex::{number, piece};
use crate::SipError;

/// Who refreshes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answered it.
    Uas,
}

/// The session interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Interval in seconds.
    pub seconds: u32,
    /// Who refreshes, when agreed.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Parses the value; Min-SE has the same grammar without refresher.
    ///
    /// # Errors
    /// [`SipError::Header`] when the number is malformed.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let semi = raw.iter().position(|b| *b == b';').unwrap_or(raw.len());
        let seconds = number(&piece(raw, ..semi), u64::from(u32::MAX))
            .and_then(|value| u32::try_from(value).ok())
            .ok_or(SipError::header(
                "Session-Expires",
                "not a number of seconds",
            ))?;
        let params = Params::parse(&raw.slice(semi..), "Session-Expires")?;
        let refresher = params.get("refresher").and_then(|side| {
            if side.eq_ignore_ascii_case(b"uac") {
                Some(Refresher::Uac)
            } else if side.eq_ignore_ascii_case(b"uas") {
                Some(Refresher::Uas)
            } else {
                None
            }
        });
        Ok(SessionExpires { seconds, refresher })
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let side = match self.refresher {
            None => "",
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
        };
        Bytes::from(format!("{}{side}", self.seconds))
    }
}
