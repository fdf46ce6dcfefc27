//! SIP, SIPS and TEL addresses (RFC 3261 §19.1, RFC 3966).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use bytes::{Bytes, BytesMut};

use crate::SipError;
use crate::header::Params;
use crate::header::lex::{is_token_byte, piece};
use crate::transport::Proto;

/// The scheme of a URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Any other; [`Uri::user`] holds all that follows the colon.
    Other(Bytes),
}

/// An address. Escapes (`%41`) stay as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part; the number of a `tel:` URI.
    pub user: Option<Bytes>,
    /// The password, which nobody should send.
    pub password: Option<Bytes>,
    /// Host name, IPv4 address or bracketed IPv6 address; empty for `tel:`.
    pub host: Bytes,
    /// The port when written.
    pub port: Option<u16>,
    /// Parameters after semicolons.
    pub params: Params,
    /// What follows the question mark.
    pub headers: Option<Bytes>,
}

impl Uri {
    /// `sip:user@host:port`
    #[must_use]
    pub fn sip(user: Option<&str>, address: SocketAddr) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let mut uri = Uri::bare(Scheme::Sip);
        uri.user = user.map(escape_user);
        uri.host = Bytes::from(host);
        uri.port = Some(address.port());
        uri
    }

    /// `sip:user@host` with a host name.
    #[must_use]
    pub fn sip_host(user: Option<&str>, host: &str) -> Self {
        let mut uri = Uri::bare(Scheme::Sip);
        uri.user = user.map(escape_user);
        uri.host = Bytes::copy_from_slice(host.as_bytes());
        uri
    }

    fn bare(scheme: Scheme) -> Self {
        Uri {
            scheme,
            user: None,
            password: None,
            host: Bytes::new(),
            port: None,
            params: Params::default(),
            headers: None,
        }
    }

    /// Adds `;transport=` for protocols other than UDP.
    #[must_use]
    pub fn with_transport(mut self, proto: Proto) -> Self {
        if proto != Proto::Udp {
            self.params.set("transport", Some(proto.uri_name()));
        }
        self
    }

    /// Parses a whole URI.
    ///
    /// # Errors
    /// [`SipError::Uri`] says which part is wrong.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let colon = raw
            .iter()
            .position(|b| *b == b':')
            .ok_or(SipError::Uri("no scheme"))?;
        let scheme = raw.slice(..colon);
        let rest = raw.slice(colon + 1..);
        if raw
            .iter()
            .any(|b| b.is_ascii_whitespace() || b.is_ascii_control() || b"<>\"".contains(b))
        {
            return Err(SipError::Uri("forbidden character"));
        }
        if scheme.eq_ignore_ascii_case(b"sip") {
            parse_sip(Scheme::Sip, &rest)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            parse_sip(Scheme::Sips, &rest)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            parse_tel(&rest)
        } else if scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
        {
            let mut uri = Uri::bare(Scheme::Other(scheme));
            uri.user = Some(rest);
            Ok(uri)
        } else {
            Err(SipError::Uri("scheme is malformed"))
        }
    }

    /// True for `sip:` and `sips:`.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part as text, escapes resolved, invalid UTF-8 replaced.
    #[must_use]
    pub fn user_text(&self) -> Option<String> {
        self.user
            .as_ref()
            .map(|user| String::from_utf8_lossy(&unescape(user)).into_owned())
    }

    /// The host as text, without brackets.
    #[must_use]
    pub fn host_text(&self) -> String {
        String::from_utf8_lossy(&self.host)
            .trim_matches(['[', ']'])
            .to_owned()
    }

    /// The socket address when the host is an IP address; the port defaults by scheme.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host_text().parse().ok()?;
        let fallback = if self.scheme == Scheme::Sips {
            5061
        } else {
            5060
        };
        Some(SocketAddr::new(ip, self.port.unwrap_or(fallback)))
    }

    /// True when both name the same resource (RFC 3261 §19.1.4, without the comparison of header
    /// parts: URIs with any are equal only to themselves).
    #[must_use]
    pub fn same_as(&self, other: &Uri) -> bool {
        let user = |uri: &Uri| uri.user.as_ref().map(|user| unescape(user));
        let strict = ["user", "ttl", "method", "maddr", "transport"];
        self.scheme == other.scheme
            && user(self) == user(other)
            && self.password == other.password
            && self.host.eq_ignore_ascii_case(&other.host)
            && self.port == other.port
            && self.headers == other.headers
            && strict.iter().all(
                |name| match (self.params.get(name), other.params.get(name)) {
                    (None, None) => true,
                    (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
                    _ => false,
                },
            )
            && self.params.iter().all(|(name, value)| {
                let Some(mine) = value else { return true };
                other
                    .params
                    .get_bytes(name)
                    .is_none_or(|theirs| theirs.eq_ignore_ascii_case(mine))
            })
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(64);
        self.put(&mut out);
        out.freeze()
    }

    pub(crate) fn put(&self, out: &mut BytesMut) {
        match &self.scheme {
            Scheme::Sip => out.extend_from_slice(b"sip:"),
            Scheme::Sips => out.extend_from_slice(b"sips:"),
            Scheme::Tel => out.extend_from_slice(b"tel:"),
            Scheme::Other(name) => {
                out.extend_from_slice(name);
                out.extend_from_slice(b":");
            }
        }
        if let Some(user) = &self.user {
            out.extend_from_slice(user);
            if let Some(password) = &self.password {
                out.extend_from_slice(b":");
                out.extend_from_slice(password);
            }
            if self.is_sip() {
                out.extend_from_slice(b"@");
            }
        }
        out.extend_from_slice(&self.host);
        if let Some(port) = self.port {
            out.extend_from_slice(format!(":{port}").as_bytes());
        }
        self.params.put(out);
        if let Some(headers) = &self.headers {
            out.extend_from_slice(b"?");
            out.extend_from_slice(headers);
        }
    }
}

impl FromStr for Uri {
    type Err = SipError;

    fn from_str(text: &str) -> Result<Self, SipError> {
        Uri::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

fn parse_sip(scheme: Scheme, rest: &Bytes) -> Result<Uri, SipError> {
    let mut uri = Uri::bare(scheme);
    // The user part may hold ; and ? unescaped, so the @ is looked for first.
    let host_part = match rest.iter().position(|b| *b == b'@') {
        Some(at) => {
            let info = rest.slice(..at);
            match info.iter().position(|b| *b == b':') {
                Some(colon) => {
                    uri.user = Some(info.slice(..colon));
                    uri.password = Some(info.slice(colon + 1..));
                }
                None => uri.user = Some(info),
            }
            if uri.user.as_ref().is_some_and(Bytes::is_empty) {
                return Err(SipError::Uri("empty user"));
            }
            rest.slice(at + 1..)
        }
        None => rest.clone(),
    };
    let (host_part, headers) = match host_part.iter().position(|b| *b == b'?') {
        Some(mark) => (host_part.slice(..mark), Some(host_part.slice(mark + 1..))),
        None => (host_part, None),
    };
    uri.headers = headers;
    let (host_port, params) = match host_part.iter().position(|b| *b == b';') {
        Some(semi) => (
            host_part.slice(..semi),
            Params::parse_uri(&host_part.slice(semi..))?,
        ),
        None => (host_part, Params::default()),
    };
    uri.params = params;
    (uri.host, uri.port) = uri_host_port(&host_port)?;
    Ok(uri)
}

/// Splits `host[:port]`, IPv6 in brackets.
pub(crate) fn uri_host_port(raw: &Bytes) -> Result<(Bytes, Option<u16>), SipError> {
    let host_end = if raw.first() == Some(&b'[') {
        let close = raw
            .iter()
            .position(|b| *b == b']')
            .ok_or(SipError::Uri("open bracket"))?;
        let inner = std::str::from_utf8(&raw[1..close]).unwrap_or("");
        if let Some(colons) = inner.find(":::") {
            // RFC 3261's grammar allowed a third colon by mistake (RFC 5118 §4.10).
            let mut mended = raw.to_vec();
            mended.remove(1 + colons);
            let again = Bytes::from(mended);
            return match inner.matches(":::").count() {
                1 if !inner.contains("::::") => uri_host_port(&again),
                _ => Err(SipError::Uri("not an IPv6 address")),
            };
        }
        inner
            .parse::<Ipv6Addr>()
            .map_err(|_| SipError::Uri("not an IPv6 address"))?;
        close + 1
    } else {
        raw.iter().position(|b| *b == b':').unwrap_or(raw.len())
    };
    let host = piece(raw, ..host_end);
    if host.is_empty() {
        return Err(SipError::Uri("no host"));
    }
    let plain = host
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(b));
    if host[0] != b'[' && !plain {
        return Err(SipError::Uri("host has a forbidden character"));
    }
    let rest = piece(raw, host_end..);
    if rest.is_empty() {
        return Ok((host, None));
    }
    if rest[0] != b':' {
        return Err(SipError::Uri("garbage after the host"));
    }
    let digits = piece(&rest, 1..);
    let text = std::str::from_utf8(&digits).unwrap_or("");
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SipError::Uri("port is not a number"));
    }
    let port = text
        .parse()
        .map_err(|_| SipError::Uri("port out of range"))?;
    Ok((host, Some(port)))
}

fn parse_tel(rest: &Bytes) -> Result<Uri, SipError> {
    let mut uri = Uri::bare(Scheme::Tel);
    let cut = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
    let number = rest.slice(..cut);
    let legal = |b: &u8| b.is_ascii_hexdigit() || b"+-.()*#".contains(b);
    if number.is_empty() || !number.iter().all(legal) {
        return Err(SipError::Uri("not a telephone number"));
    }
    uri.user = Some(number);
    uri.params = Params::parse_uri(&rest.slice(cut..))?;
    Ok(uri)
}

fn escape_user(user: &str) -> Bytes {
    let mut out = Vec::with_capacity(user.len());
    for octet in user.bytes() {
        if is_token_byte(octet) && octet != b'%' && octet != b'`' || b"&=$,;?/()".contains(&octet) {
            out.push(octet);
        } else {
            out.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
    Bytes::from(out)
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let code = raw
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let octet = code.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match octet {
            Some(octet) if raw[at] == b'%' => {
                out.push(octet);
                at += 3;
            }
            _ => {
                out.push(raw[at]);
                at += 1;
            }
        }
    }
    out
}
