//! `;name=value` lists of headers and URIs.

use bytes::{Bytes, BytesMut};

use super::lex::{is_token, piece, split_outside, trim, unquote};
use crate::SipError;
use crate::limits::MAX_PARAMS;

/// Parameters in their order; names compare without case, values are raw (quotes included).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(Bytes, Option<Bytes>)>);

impl Params {
    /// Parses `;a=b;c` after a header value.
    ///
    /// # Errors
    /// [`SipError::Header`] with `name` for an empty name, an unclosed quote or too many.
    pub(crate) fn parse(raw: &Bytes, name: &'static str) -> Result<Self, SipError> {
        let mut list = Vec::new();
        let raw = trim(raw);
        if raw.is_empty() {
            return Ok(Params(list));
        }
        if raw[0] != b';' {
            return Err(SipError::header(name, "garbage before the parameters"));
        }
        for part in
            split_outside(&raw.slice(1..), b';').ok_or(SipError::header(name, "unclosed quote"))?
        {
            let (key, value) = split_pair(&part);
            let broken = value.as_ref().is_some_and(|v| v.is_empty() || has_gap(v));
            if !is_token(&key) || broken || list.len() >= MAX_PARAMS {
                return Err(SipError::header(name, "malformed parameter"));
            }
            list.push((key, value));
        }
        Ok(Params(list))
    }

    /// Parses `;a=b;c` inside a URI, where values need not be tokens.
    pub(crate) fn parse_uri(raw: &Bytes) -> Result<Self, SipError> {
        let mut list = Vec::new();
        if raw.is_empty() {
            return Ok(Params(list));
        }
        for part in split_plain(&raw.slice(1..), b';') {
            let (key, value) = split_pair(&part);
            if key.is_empty() || list.len() >= MAX_PARAMS {
                return Err(SipError::Uri("malformed parameter"));
            }
            list.push((key, value));
        }
        Ok(Params(list))
    }

    /// The raw value of a parameter; an empty value when it is only named.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Bytes> {
        self.0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.clone().unwrap_or_default())
    }

    pub(crate) fn get_bytes(&self, name: &[u8]) -> Option<&Bytes> {
        let found = self
            .0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_ref())
    }

    /// The value without quotes as text, invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(|value| String::from_utf8_lossy(&unquote(&value)).into_owned())
    }

    /// A value that is a decimal number.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let value = self.get(name)?;
        let digits = value.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(&value)
            .ok()
            .filter(|_| digits)?
            .parse()
            .ok()
    }

    /// True when the parameter is there, with or without value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True when any name is there twice.
    #[must_use]
    pub fn has_duplicate(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| {
            self.0[..at]
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        })
    }

    /// Sets or replaces a parameter.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(|text| Bytes::copy_from_slice(text.as_bytes()));
        self.set_bytes(name, value);
    }

    /// Sets or replaces a parameter with raw octets.
    pub fn set_bytes(&mut self, name: &str, value: Option<Bytes>) {
        match self
            .0
            .iter_mut()
            .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        {
            Some((_, old)) => *old = value,
            None => self
                .0
                .push((Bytes::copy_from_slice(name.as_bytes()), value)),
        }
    }

    /// Removes a parameter.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// All parameters.
    pub fn iter(&self) -> impl Iterator<Item = &(Bytes, Option<Bytes>)> {
        self.0.iter()
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        for (name, value) in &self.0 {
            out.extend_from_slice(b";");
            out.extend_from_slice(name);
            if let Some(value) = value {
                out.extend_from_slice(b"=");
                out.extend_from_slice(value);
            }
        }
    }
}

/// Splits `name = value` at the first equals sign.
pub(crate) fn split_pair(part: &Bytes) -> (Bytes, Option<Bytes>) {
    match part.iter().position(|b| *b == b'=') {
        Some(at) => (piece(part, ..at), Some(piece(part, at + 1..))),
        None => (trim(part), None),
    }
}

fn split_plain(raw: &Bytes, at: u8) -> Vec<Bytes> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, octet) in raw.iter().enumerate() {
        if *octet == at {
            parts.push(raw.slice(start..index));
            start = index + 1;
        }
    }
    parts.push(raw.slice(start..));
    parts
}

fn has_gap(value: &[u8]) -> bool {
    value[0] != b'"' && value.iter().any(|b| *b == b' ' || *b == b'\t')
}
