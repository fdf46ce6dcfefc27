//! WWW-/Proxy-Authenticate and (Proxy-)Authorization for Digest (RFC 8760, RFC 7616).

use bytes::{Bytes, BytesMut};

use super::lex::{is_token, quote, split_outside, trim, unquote};
use super::params::split_pair;
use crate::SipError;

/// A digest algorithm, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5, the only one most trunks know.
    Md5,
    /// SHA-512 cut to 256 bits.
    Sha512_256,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// The algorithm of a token.
    #[must_use]
    pub fn from_token(token: &[u8]) -> Option<Self> {
        if token.eq_ignore_ascii_case(b"MD5") {
            Some(Algorithm::Md5)
        } else if token.eq_ignore_ascii_case(b"SHA-256") {
            Some(Algorithm::Sha256)
        } else if token.eq_ignore_ascii_case(b"SHA-512-256") {
            Some(Algorithm::Sha512_256)
        } else {
            None
        }
    }

    /// The token on the wire.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }
}

/// A server's challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection domain.
    pub realm: Bytes,
    /// The server's nonce.
    pub nonce: Bytes,
    /// Returned as it came.
    pub opaque: Option<Bytes>,
    /// The algorithm; None when unknown to us or a session variant.
    pub algorithm: Option<Algorithm>,
    /// True when the challenge names its algorithm.
    pub names_algorithm: bool,
    /// True when `auth` is among the offered qualities of protection.
    pub qop_auth: bool,
    /// True when any quality of protection is offered.
    pub has_qop: bool,
    /// True when only the nonce was too old.
    pub stale: bool,
}

impl Challenge {
    /// Parses one value. A scheme other than Digest gives None.
    ///
    /// # Errors
    /// [`SipError::Digest`] without realm or nonce.
    pub fn parse(raw: &Bytes) -> Result<Option<Self>, SipError> {
        let Some(fields) = digest_fields(raw)? else {
            return Ok(None);
        };
        let algorithm = fields.get("algorithm");
        let qop = fields.get("qop");
        let qop_auth = qop.as_ref().is_some_and(|list| {
            list.split(|b| *b == b',')
                .any(|q| q.trim_ascii().eq_ignore_ascii_case(b"auth"))
        });
        Ok(Some(Challenge {
            realm: fields
                .get("realm")
                .ok_or(SipError::Digest("challenge without realm"))?,
            nonce: fields
                .get("nonce")
                .ok_or(SipError::Digest("challenge without nonce"))?,
            opaque: fields.get("opaque"),
            algorithm: algorithm
                .as_ref()
                .map_or(Some(Algorithm::Md5), |token| Algorithm::from_token(token)),
            names_algorithm: algorithm.is_some(),
            qop_auth,
            has_qop: qop.is_some_and(|list| !list.is_empty()),
            stale: fields
                .get("stale")
                .is_some_and(|flag| flag.eq_ignore_ascii_case(b"true")),
        }))
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Fields::open();
        out.quoted("realm", &self.realm);
        out.quoted("nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            out.quoted("opaque", opaque);
        }
        if let Some(algorithm) = self.algorithm.filter(|_| self.names_algorithm) {
            out.plain("algorithm", algorithm.token().as_bytes());
        }
        if self.qop_auth {
            out.quoted("qop", b"auth");
        }
        if self.stale {
            out.plain("stale", b"true");
        }
        out.0.freeze()
    }
}

/// A client's answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: Bytes,
    /// The protection domain.
    pub realm: Bytes,
    /// The server's nonce.
    pub nonce: Bytes,
    /// The URI the digest was made over.
    pub uri: Bytes,
    /// The digest in lower case hex.
    pub response: Bytes,
    /// The algorithm; None when unknown to us.
    pub algorithm: Option<Algorithm>,
    /// True when the algorithm is written out.
    pub names_algorithm: bool,
    /// The client's nonce.
    pub cnonce: Option<Bytes>,
    /// Returned as it came.
    pub opaque: Option<Bytes>,
    /// The quality of protection.
    pub qop: Option<Bytes>,
    /// The nonce count, on the wire always eight hex digits.
    pub nc: Option<u32>,
}

impl Credentials {
    /// Parses one value. A scheme other than Digest gives None.
    ///
    /// # Errors
    /// [`SipError::Digest`] when a mandatory field is missing or the count is not eight hex digits.
    pub fn parse(raw: &Bytes) -> Result<Option<Self>, SipError> {
        let Some(fields) = digest_fields(raw)? else {
            return Ok(None);
        };
        let must = |name| {
            fields
                .get(name)
                .ok_or(SipError::Digest("credentials lack a field"))
        };
        let algorithm = fields.get("algorithm");
        let nc = fields.get("nc").map(|text| {
            let text = std::str::from_utf8(&text)
                .ok()
                .filter(|text| text.len() == 8);
            text.and_then(|text| u32::from_str_radix(text, 16).ok())
                .ok_or(SipError::Digest("nonce count is not eight hex digits"))
        });
        Ok(Some(Credentials {
            username: must("username")?,
            realm: must("realm")?,
            nonce: must("nonce")?,
            uri: must("uri")?,
            response: must("response")?,
            algorithm: algorithm
                .as_ref()
                .map_or(Some(Algorithm::Md5), |token| Algorithm::from_token(token)),
            names_algorithm: algorithm.is_some(),
            cnonce: fields.get("cnonce"),
            opaque: fields.get("opaque"),
            qop: fields.get("qop"),
            nc: nc.transpose()?,
        }))
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Fields::open();
        out.quoted("username", &self.username);
        out.quoted("realm", &self.realm);
        out.quoted("nonce", &self.nonce);
        out.quoted("uri", &self.uri);
        out.quoted("response", &self.response);
        if let Some(algorithm) = self.algorithm.filter(|_| self.names_algorithm) {
            out.plain("algorithm", algorithm.token().as_bytes());
        }
        if let Some(cnonce) = &self.cnonce {
            out.quoted("cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            out.quoted("opaque", opaque);
        }
        if let Some(qop) = &self.qop {
            out.plain("qop", qop);
        }
        if let Some(nc) = self.nc {
            out.plain("nc", format!("{nc:08x}").as_bytes());
        }
        out.0.freeze()
    }
}

struct Parsed(Vec<(Bytes, Bytes)>);

impl Parsed {
    fn get(&self, name: &str) -> Option<Bytes> {
        let found = self
            .0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| unquote(value))
    }
}

fn digest_fields(raw: &Bytes) -> Result<Option<Parsed>, SipError> {
    let raw = trim(raw);
    let gap = raw
        .iter()
        .position(|b| b" \t".contains(b))
        .unwrap_or(raw.len());
    if !is_token(&raw[..gap]) {
        return Err(SipError::Digest("no scheme"));
    }
    if !raw[..gap].eq_ignore_ascii_case(b"Digest") {
        return Ok(None);
    }
    let parts = split_outside(&raw.slice(gap..), b',').ok_or(SipError::Digest("unclosed quote"))?;
    let mut fields = Vec::with_capacity(parts.len());
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let (key, value) = split_pair(part);
        let value = value.ok_or(SipError::Digest("field without value"))?;
        if !is_token(&key) {
            return Err(SipError::Digest("field name is not a token"));
        }
        fields.push((key, value));
    }
    Ok(Some(Parsed(fields)))
}

struct Fields(BytesMut, bool);

impl Fields {
    fn open() -> Self {
        Fields(BytesMut::from(&b"Digest "[..]), true)
    }

    fn plain(&mut self, name: &str, value: &[u8]) {
        if !std::mem::replace(&mut self.1, false) {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"=");
        self.0.extend_from_slice(value);
    }

    fn quoted(&mut self, name: &str, value: &[u8]) {
        self.plain(name, &quote(value));
    }
}
