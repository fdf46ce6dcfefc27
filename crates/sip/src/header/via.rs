//! Via (RFC 3261 §20.42, RFC 3581).

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};

use super::Params;
use super::lex::{is_token, piece, trim};
use crate::SipError;
use crate::msg::uri_host_port;
use crate::transport::Proto;

/// The start of every RFC 3261 branch.
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One hop of a Via list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// Protocol version, `2.0`; another is kept so that the request can be refused with 505.
    pub version: Bytes,
    /// Transport name as written, `UDP` for example.
    pub transport: Bytes,
    /// Host of the sent-by part.
    pub host: Bytes,
    /// Port of the sent-by part when written.
    pub port: Option<u16>,
    /// Parameters: `branch`, `received`, `rport`.
    pub params: Params,
}

impl Via {
    /// A Via of our own, asking for `rport`.
    #[must_use]
    pub fn new(proto: Proto, sent_by: SocketAddr, branch: &Bytes) -> Self {
        let host = match sent_by.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let mut params = Params::default();
        params.set("rport", None);
        params.set_bytes("branch", Some(branch.clone()));
        Via {
            version: Bytes::from_static(b"2.0"),
            transport: Bytes::from_static(proto.via_name().as_bytes()),
            host: Bytes::from(host),
            port: Some(sent_by.port()),
            params,
        }
    }

    /// Parses one hop.
    ///
    /// # Errors
    /// [`SipError::Header`] when it does not follow the grammar.
    pub fn parse(raw: &Bytes) -> Result<Self, SipError> {
        let bad = |what| SipError::header("Via", what);
        let raw = trim(raw);
        let slash = raw
            .iter()
            .position(|b| *b == b'/')
            .ok_or(bad("no protocol"))?;
        let second = raw[slash + 1..]
            .iter()
            .position(|b| *b == b'/')
            .ok_or(bad("no version"))?;
        let second = slash + 1 + second;
        let name = piece(&raw, ..slash);
        let version = piece(&raw, slash + 1..second);
        if !name.eq_ignore_ascii_case(b"SIP") || !is_token(&version) {
            return Err(bad("not the SIP protocol"));
        }
        let rest = piece(&raw, second + 1..);
        let gap = rest
            .iter()
            .position(|b| b" \t".contains(b))
            .ok_or(bad("no sent-by"))?;
        let transport = rest.slice(..gap);
        if !is_token(&transport) {
            return Err(bad("transport is not a token"));
        }
        let rest = piece(&rest, gap..);
        let semi = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
        let (host, port) =
            uri_host_port(&piece(&rest, ..semi)).map_err(|_| bad("sent-by is malformed"))?;
        let params = Params::parse(&rest.slice(semi..), "Via")?;
        Ok(Via {
            version,
            transport,
            host,
            port,
            params,
        })
    }

    /// The `branch` parameter.
    #[must_use]
    pub fn branch(&self) -> Option<Bytes> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// The branch when it is globally unique by RFC 3261.
    #[must_use]
    pub fn unique_branch(&self) -> Option<Bytes> {
        self.branch().filter(|branch| {
            branch.len() > MAGIC_COOKIE.len()
                && branch[..MAGIC_COOKIE.len()].eq_ignore_ascii_case(MAGIC_COOKIE)
        })
    }

    /// Notes where the request really came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn stamp(&mut self, source: SocketAddr) {
        let written = String::from_utf8_lossy(&self.host)
            .trim_matches(['[', ']'])
            .to_owned();
        let wants_port = self.params.has("rport");
        if wants_port {
            self.params.set("rport", Some(&source.port().to_string()));
        }
        if wants_port || written.parse() != Ok(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        }
    }

    /// Where a response over UDP goes: never to a name or address the peer only wrote, always to
    /// the address the request came from; the port is `rport` when asked for, else the written.
    #[must_use]
    pub fn response_dest(&self, source: SocketAddr) -> SocketAddr {
        if self.params.has("rport") {
            return source;
        }
        SocketAddr::new(source.ip(), self.port.unwrap_or(5060))
    }

    /// The octets on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(96);
        out.extend_from_slice(b"SIP/");
        out.extend_from_slice(&self.version);
        out.extend_from_slice(b"/");
        out.extend_from_slice(&self.transport);
        out.extend_from_slice(b" ");
        out.extend_from_slice(&self.host);
        if let Some(port) = self.port {
            out.extend_from_slice(format!(":{port}").as_bytes());
        }
        self.params.put(&mut out);
        out.freeze()
    }
}
