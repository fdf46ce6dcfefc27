//! Replaces (RFC 3891): the call that a new one takes the place of.

use bytes::{Bytes, BytesMut};

use super::Params;
use super::lex::{piece, trim};
use crate::SipError;

/// The ids of a call as its owner knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Call-ID.
    pub call_id: Bytes,
    /// The tag of the side that gets the INVITE.
    pub to_tag: Bytes,
    /// The tag of the other side.
    pub from_tag: Bytes,
    /// Only while that call is not answered.
    pub early_only: bool,
}

impl Replaces {
    /// Parses a value.
    ///
    /// # Errors
    /// [`SipError::Header`].
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let bad = |what| SipError::header("Replaces", what);
        let raw = trim(raw);
        let semi = raw.iter().position(|b| *b == b';').ok_or(bad("no tags"))?;
        let call_id = piece(&raw, ..semi);
        if call_id.is_empty() || call_id.iter().any(u8::is_ascii_whitespace) {
            return Err(bad("call id is not one word"));
        }
        let params = Params::parse(&raw.slice(semi..), "Replaces")?;
        if params.has_duplicate() {
            return Err(bad("a parameter is given twice"));
        }
        let tag = |name| params.get(name).filter(|tag| !tag.is_empty());
        Ok(Replaces {
            call_id,
            to_tag: tag("to-tag").ok_or(bad("no to-tag"))?,
            from_tag: tag("from-tag").ok_or(bad("no from-tag"))?,
            early_only: params.has("early-only"),
        })
    }

    /// The value on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::from(&self.call_id[..]);
        out.extend_from_slice(b";to-tag=");
        out.extend_from_slice(&self.to_tag);
        out.extend_from_slice(b";from-tag=");
        out.extend_from_slice(&self.from_tag);
        if self.early_only {
            out.extend_from_slice(b";early-only");
        }
        out.freeze()
    }

    /// The value as it stands behind the `?` of a Refer-To URI (RFC 3261 §19.1.2).
    #[must_use]
    pub fn to_uri_header(&self) -> Bytes {
        let mut out = BytesMut::from(&b"Replaces="[..]);
        for octet in self.to_bytes() {
            if octet.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&octet) {
                out.extend_from_slice(&[octet]);
            } else {
                out.extend_from_slice(format!("%{octet:02X}").as_bytes());
            }
        }
        out.freeze()
    }

    /// The Replaces among the headers of a Refer-To URI; None when there is none or it is broken.
    #[must_use]
    pub fn of_uri_headers(headers: &Bytes) -> Option<Self> {
        headers.split(|b| *b == b'&').take(16).find_map(|pair| {
            let at = pair.iter().position(|b| *b == b'=')?;
            let named = pair[..at].eq_ignore_ascii_case(b"Replaces");
            let value = named.then(|| unescape(&pair[at + 1..]))??;
            Replaces::parse(&value).ok()
        })
    }
}

/// Takes `%HH` apart; control characters would become header injection.
fn unescape(raw: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, tail)) = rest.split_first() {
        let (octet, next) = match first {
            b'%' => {
                let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
                (u8::from_str_radix(hex, 16).ok()?, &tail[2..])
            }
            other => (*other, tail),
        };
        if octet.is_ascii_control() {
            return None;
        }
        out.extend_from_slice(&[octet]);
        rest = next;
    }
    Some(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        let text = "425928@bobster.example;to-tag=7743;from-tag=6472;early-only";
        let replaces = Replaces::parse(&Bytes::from(text)).expect("reads");
        assert!(replaces.early_only);
        assert_eq!(replaces.to_bytes(), text);
        let uri = replaces.to_uri_header();
        assert!(!uri.contains(&b';') && !uri.contains(&b'@'));
        assert_eq!(Replaces::of_uri_headers(&uri), Some(replaces));
        for bad in [
            "",
            "a@b",
            "a@b;to-tag=1",
            "a@b;from-tag=1",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;to-tag=2;from-tag=3",
        ] {
            assert!(Replaces::parse(&Bytes::from(bad)).is_err(), "{bad}");
        }
        for bad in [
            "Replaces=a%0D%0AVia%3Bto-tag%3D1%3Bfrom-tag%3D2",
            "Replaces=%4",
            "x=1",
        ] {
            assert_eq!(Replaces::of_uri_headers(&Bytes::from(bad)), None, "{bad}");
        }
    }
}
