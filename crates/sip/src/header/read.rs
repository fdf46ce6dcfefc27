//! Typed views of a message's header fields.

use bytes::Bytes;

use super::lex::{first_outside, is_token, number, split_outside, trim};
use super::{CSeq, Challenge, ContentType, Credentials, NameAddr, RAck, Reason, Replaces};
use super::{RetryAfter, SessionExpires, Via, Warning};
use crate::SipError;
use crate::limits::MAX_VALUES;
use crate::msg::{HeaderName, Headers, Method};

impl Headers {
    /// The values of a list header over all its fields, split at commas outside quotes.
    ///
    /// # Errors
    /// [`SipError::Header`] for an unclosed quote or an empty element.
    pub fn list(&self, name: &HeaderName, label: &'static str) -> Result<Vec<Bytes>, SipError> {
        let mut values = Vec::new();
        for field in self.all(name) {
            let parts =
                split_outside(field, b',').ok_or(SipError::header(label, "unclosed quote"))?;
            values.extend(parts);
            if values.len() > MAX_VALUES {
                return Err(SipError::header(label, "too many values"));
            }
        }
        Ok(values)
    }

    fn one(&self, name: &HeaderName, label: &'static str) -> Result<&Bytes, SipError> {
        let first = self.get(name).ok_or(SipError::Missing(label))?;
        if self.count(name) > 1 {
            return Err(SipError::header(label, "given twice"));
        }
        Ok(first)
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// When there is none or it is malformed.
    pub fn top_via(&self) -> Result<Via, SipError> {
        let field = self.get(&HeaderName::Via).ok_or(SipError::Missing("Via"))?;
        let first = first_outside(field, b',').ok_or(SipError::header("Via", "unclosed quote"))?;
        Via::parse(&first)
    }

    /// All Via hops, topmost first.
    ///
    /// # Errors
    /// When any is malformed.
    pub fn vias(&self) -> Result<Vec<Via>, SipError> {
        self.list(&HeaderName::Via, "Via")?
            .iter()
            .map(Via::parse)
            .collect()
    }

    /// From.
    ///
    /// # Errors
    /// When missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddr, SipError> {
        NameAddr::parse(self.one(&HeaderName::From, "From")?, "From")
    }

    /// To.
    ///
    /// # Errors
    /// When missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddr, SipError> {
        NameAddr::parse(self.one(&HeaderName::To, "To")?, "To")
    }

    /// Call-ID.
    ///
    /// # Errors
    /// When missing, repeated or empty.
    pub fn call_id(&self) -> Result<Bytes, SipError> {
        let value = self.one(&HeaderName::CallId, "Call-ID")?;
        if value.is_empty() || value.iter().any(u8::is_ascii_whitespace) {
            return Err(SipError::header("Call-ID", "not one word"));
        }
        Ok(value.clone())
    }

    /// CSeq.
    ///
    /// # Errors
    /// When missing, repeated or malformed.
    pub fn cseq(&self) -> Result<CSeq, SipError> {
        CSeq::parse(self.one(&HeaderName::CSeq, "CSeq")?)
    }

    /// Max-Forwards, None when absent.
    ///
    /// # Errors
    /// When it is not a number up to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, SipError> {
        if self.get(&HeaderName::MaxForwards).is_none() {
            return Ok(None);
        }
        let value = number(self.one(&HeaderName::MaxForwards, "Max-Forwards")?, 255);
        let value = value.and_then(|value| u8::try_from(value).ok());
        value
            .map(Some)
            .ok_or(SipError::header("Max-Forwards", "not a number up to 255"))
    }

    /// A header of seconds such as Expires or Min-Expires; None when absent or malformed, since
    /// a malformed Expires counts as absent (RFC 3261 §10.3).
    #[must_use]
    pub fn seconds(&self, name: &HeaderName) -> Option<u32> {
        let value = number(self.get(name)?, u64::from(u32::MAX))?;
        u32::try_from(value).ok()
    }

    /// A list of addresses: Contact, Route, Record-Route, P-Asserted-Identity. A Contact of `*`
    /// is an error here; see [`Headers::contact_is_star`].
    ///
    /// # Errors
    /// When any is malformed.
    pub fn addresses(
        &self,
        name: &HeaderName,
        label: &'static str,
    ) -> Result<Vec<NameAddr>, SipError> {
        self.list(name, label)?
            .iter()
            .map(|value| NameAddr::parse(value, label))
            .collect()
    }

    /// All contacts.
    ///
    /// # Errors
    /// When any is malformed.
    pub fn contacts(&self) -> Result<Vec<NameAddr>, SipError> {
        self.addresses(&HeaderName::Contact, "Contact")
    }

    /// True when the only Contact is `*`.
    #[must_use]
    pub fn contact_is_star(&self) -> bool {
        self.get(&HeaderName::Contact)
            .is_some_and(|value| trim(value) == b"*".as_slice())
            && self.count(&HeaderName::Contact) == 1
    }

    /// A list of tokens: Supported, Require, Unsupported and the like; empty elements skipped.
    #[must_use]
    pub fn tokens(&self, name: &HeaderName) -> Vec<Bytes> {
        let parts = self.list(name, "token list").unwrap_or_default();
        parts.into_iter().filter(|token| is_token(token)).collect()
    }

    /// True when the list holds the option tag.
    #[must_use]
    pub fn has_token(&self, name: &HeaderName, tag: &str) -> bool {
        self.tokens(name)
            .iter()
            .any(|token| token.eq_ignore_ascii_case(tag.as_bytes()))
    }

    /// Whether Allow names a method; None when the header is absent.
    #[must_use]
    pub fn allows(&self, method: &Method) -> Option<bool> {
        self.get(&HeaderName::Allow)?;
        let names = self.all(&HeaderName::Allow);
        let mut names = names.flat_map(|field| field.split(|octet| *octet == b','));
        Some(names.any(|name| name.trim_ascii() == method.as_bytes()))
    }

    /// Digest challenges of a 401 and a 407; the flag is true for the proxy's. Values of other
    /// schemes and malformed ones are left out.
    #[must_use]
    pub fn challenges(&self) -> Vec<(bool, Challenge)> {
        let sides = [
            (false, HeaderName::WwwAuthenticate),
            (true, HeaderName::ProxyAuthenticate),
        ];
        let mut found = Vec::new();
        for (proxy, name) in sides {
            for value in self.all(&name).take(MAX_VALUES) {
                if let Ok(Some(challenge)) = Challenge::parse(value) {
                    found.push((proxy, challenge));
                }
            }
        }
        found
    }

    /// Digest credentials for a server (`proxy` false) or a proxy.
    ///
    /// # Errors
    /// [`SipError::Digest`] when a Digest value is malformed.
    pub fn credentials(&self, proxy: bool) -> Result<Vec<Credentials>, SipError> {
        let name = if proxy {
            HeaderName::ProxyAuthorization
        } else {
            HeaderName::Authorization
        };
        let parsed = self.all(&name).take(MAX_VALUES).map(Credentials::parse);
        parsed.filter_map(Result::transpose).collect()
    }

    /// Content-Type, None when absent.
    ///
    /// # Errors
    /// When malformed.
    pub fn content_type(&self) -> Result<Option<ContentType>, SipError> {
        if self.get(&HeaderName::ContentType).is_none() {
            return Ok(None);
        }
        let value = self.one(&HeaderName::ContentType, "Content-Type")?;
        ContentType::parse(value).map(Some)
    }

    /// All well-formed Reason values.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        let values = self.list(&HeaderName::Reason, "Reason").unwrap_or_default();
        values
            .iter()
            .filter_map(|value| Reason::parse(value).ok())
            .collect()
    }

    /// The first Q.850 cause among the reasons.
    #[must_use]
    pub fn q850(&self) -> Option<u16> {
        self.reasons().iter().find_map(Reason::q850_cause)
    }

    /// Retry-After when well formed.
    #[must_use]
    pub fn retry_after(&self) -> Option<RetryAfter> {
        RetryAfter::parse(self.get(&HeaderName::RetryAfter)?).ok()
    }

    /// All well-formed warnings.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let values = self
            .list(&HeaderName::Warning, "Warning")
            .unwrap_or_default();
        values
            .iter()
            .filter_map(|value| Warning::parse(value).ok())
            .collect()
    }

    /// `RAck`.
    ///
    /// # Errors
    /// When missing, repeated or malformed.
    pub fn rack(&self) -> Result<RAck, SipError> {
        RAck::parse(self.one(&HeaderName::RAck, "RAck")?)
    }

    /// Replaces, None when absent.
    ///
    /// # Errors
    /// When repeated or malformed.
    pub fn replaces(&self) -> Result<Option<Replaces>, SipError> {
        if self.get(&HeaderName::Replaces).is_none() {
            return Ok(None);
        }
        Replaces::parse(self.one(&HeaderName::Replaces, "Replaces")?).map(Some)
    }

    /// Refer-To.
    ///
    /// # Errors
    /// When missing, repeated or malformed.
    pub fn refer_to(&self) -> Result<NameAddr, SipError> {
        NameAddr::parse(self.one(&HeaderName::ReferTo, "Refer-To")?, "Refer-To")
    }

    /// Session-Expires when well formed.
    #[must_use]
    pub fn session_expires(&self) -> Option<SessionExpires> {
        SessionExpires::parse(self.get(&HeaderName::SessionExpires)?).ok()
    }

    /// Min-SE in seconds when well formed.
    #[must_use]
    pub fn min_se(&self) -> Option<u32> {
        SessionExpires::parse(self.get(&HeaderName::MinSe)?)
            .ok()
            .map(|value| value.seconds)
    }
}
