//! `RAck` (RFC 3262 §7.2): which reliable provisional response a PRACK is for.

use bytes::Bytes;

use super::lex::{is_token, number};
use crate::SipError;
use crate::msg::Method;

/// The number of the response, and the `CSeq` of the request it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The response's `RSeq`.
    pub rseq: u32,
    /// The request's sequence number.
    pub cseq: u32,
    /// The request's method.
    pub method: Method,
}

impl RAck {
    /// Parses a value.
    ///
    /// # Errors
    /// [`SipError::Header`].
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let bad = |what| SipError::header("RAck", what);
        let mut words = raw
            .split(|b| b" \t".contains(b))
            .filter(|word| !word.is_empty());
        let mut count = || {
            let value = number(words.next()?, u64::from(u32::MAX))?;
            u32::try_from(value).ok()
        };
        let rseq = count().ok_or(bad("no response number"))?;
        let cseq = count().ok_or(bad("no sequence number"))?;
        let method = words.next().filter(|word| is_token(word));
        let method = method.ok_or(bad("no method"))?;
        if words.next().is_some() {
            return Err(bad("garbage after the method"));
        }
        Ok(RAck {
            rseq,
            cseq,
            method: Method::from_token(Bytes::copy_from_slice(method)),
        })
    }

    /// The value on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = format!("{} {} ", self.rseq, self.cseq).into_bytes();
        out.extend_from_slice(self.method.as_bytes());
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        let rack = RAck::parse(&Bytes::from_static(b"776656 \t1 INVITE")).expect("reads");
        assert_eq!((rack.rseq, rack.cseq), (776_656, 1));
        assert_eq!(rack.method, Method::Invite);
        assert_eq!(rack.to_bytes(), "776656 1 INVITE");
        for bad in [
            "",
            "1 INVITE",
            "1 1",
            "x 1 INVITE",
            "1 1 INVITE 2",
            "4294967296 1 A",
        ] {
            assert!(RAck::parse(&Bytes::from(bad)).is_err(), "{bad}");
        }
    }
}
