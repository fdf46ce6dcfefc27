//! `"Name" <uri>;params`: From, To, Contact, Route, Record-Route, P-Asserted-Identity.

use bytes::{Bytes, BytesMut};

use super::Params;
use super::lex::{is_token_byte, piece, quote, quoted_end, trim, unquote};
use crate::SipError;
use crate::msg::Uri;

/// An address with a display name and header parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name's octets without quotes; Latin-1 and UTF-8 both survive.
    pub display: Option<Bytes>,
    /// The URI.
    pub uri: Uri,
    /// Parameters behind the address, `tag` among them.
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        NameAddr {
            display: None,
            uri,
            params: Params::default(),
        }
    }

    /// With a display name.
    #[must_use]
    pub fn with_display(mut self, name: &str) -> Self {
        self.display = Some(Bytes::copy_from_slice(name.as_bytes()));
        self
    }

    /// The display name as text: UTF-8, or Latin-1 when it is not UTF-8.
    #[must_use]
    pub fn display_text(&self) -> Option<String> {
        let raw = self.display.as_ref()?;
        Some(match std::str::from_utf8(raw) {
            Ok(text) => text.to_owned(),
            Err(_) => raw.iter().map(|b| char::from(*b)).collect(),
        })
    }

    /// The `tag` parameter.
    #[must_use]
    pub fn tag(&self) -> Option<Bytes> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Parses one address; `name` is the header for the error.
    ///
    /// # Errors
    /// [`SipError::Header`] or [`SipError::Uri`].
    pub fn parse(raw: &Bytes, name: &'static str) -> Result<Self, SipError> {
        let raw = trim(raw);
        let (display, rest) = split_display(&raw, name)?;
        if rest.first() == Some(&b'<') {
            let close = rest
                .iter()
                .position(|b| *b == b'>')
                .ok_or(SipError::header(name, "unclosed angle bracket"))?;
            let uri = Uri::parse(&piece(&rest, 1..close))?;
            let params = Params::parse(&rest.slice(close + 1..), name)?;
            return Ok(NameAddr {
                display,
                uri,
                params,
            });
        }
        if display.is_some() {
            return Err(SipError::header(
                name,
                "display name without angle brackets",
            ));
        }
        // Without brackets all parameters belong to the header, and ? or , may not occur (§20).
        let cut = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
        let bare = piece(&rest, ..cut);
        if bare.iter().any(|b| b"?,".contains(b)) {
            return Err(SipError::header(name, "uri needs angle brackets"));
        }
        let params = Params::parse(&rest.slice(cut..), name)?;
        Ok(NameAddr {
            display: None,
            uri: Uri::parse(&bare)?,
            params,
        })
    }

    /// The octets on the wire, always with angle brackets.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(96);
        if let Some(display) = &self.display {
            out.extend_from_slice(&quote(display));
            out.extend_from_slice(b" ");
        }
        out.extend_from_slice(b"<");
        self.uri.put(&mut out);
        out.extend_from_slice(b">");
        self.params.put(&mut out);
        out.freeze()
    }
}

fn split_display(raw: &Bytes, name: &'static str) -> Result<(Option<Bytes>, Bytes), SipError> {
    if raw.first() == Some(&b'"') {
        let end = quoted_end(raw).ok_or(SipError::header(name, "unclosed quote"))?;
        return Ok((Some(unquote(&raw.slice(..end))), piece(raw, end..)));
    }
    match raw.iter().position(|b| *b == b'<') {
        Some(0) => Ok((None, raw.clone())),
        Some(open) => {
            let display = piece(raw, ..open);
            // Non-ASCII tokens break the grammar but are sent by many carriers (§2 of the room's
            // contract: Latin-1 names survive).
            let legal = |b: &u8| is_token_byte(*b) || b" \t".contains(b) || !b.is_ascii();
            if !display.iter().all(legal) {
                return Err(SipError::header(name, "display name needs quotes"));
            }
            Ok((Some(display), raw.slice(open..)))
        }
        None => Ok((None, raw.clone())),
    }
}
