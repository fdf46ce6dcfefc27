//! What voice is told at start.

use crate::VoiceError;
use crate::net::Cidr;
pub use crate::policy::{IdentityHeader, ResultTable, TlsFiles, TlsTrust, TollRules, TrunkPolicy};
use domain::ids::TrunkId;
use domain::ports::Clock;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

/// How SIP travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SipTransport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside TLS, certificates checked.
    Tls,
}

impl SipTransport {
    /// `udp`, `tcp` or `tls`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl std::str::FromStr for SipTransport {
    type Err = VoiceError;
    fn from_str(text: &str) -> Result<Self, VoiceError> {
        match text {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::Tcp),
            "tls" => Ok(Self::Tls),
            other => Err(VoiceError::config(
                "transport",
                format!("expected udp, tcp or tls, got '{other}'"),
            )),
        }
    }
}

/// One listening address: `udp://0.0.0.0:5060`, `tcp://[::]:5060`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SipBind {
    /// Transport.
    pub transport: SipTransport,
    /// Address; port 0 takes a free one (told by [`crate::VoiceHandle::sip_addr`]).
    pub addr: SocketAddr,
}

impl std::str::FromStr for SipBind {
    type Err = VoiceError;
    fn from_str(text: &str) -> Result<Self, VoiceError> {
        let (scheme, addr) = text
            .split_once("://")
            .ok_or_else(|| VoiceError::config("sip.bind", "expected udp://ADDRESS:PORT"))?;
        Ok(Self {
            transport: scheme.parse()?,
            addr: addr.parse().map_err(|_| {
                VoiceError::config("sip.bind", format!("'{addr}' is no ADDRESS:PORT"))
            })?,
        })
    }
}

/// A voice codec we offer, G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// µ-law, payload type 0 (RFC 3551 §6).
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

impl std::str::FromStr for Codec {
    type Err = VoiceError;
    fn from_str(text: &str) -> Result<Self, VoiceError> {
        match text.to_ascii_uppercase().as_str() {
            "PCMU" | "G711U" => Ok(Self::Pcmu),
            "PCMA" | "G711A" => Ok(Self::Pcma),
            _ => Err(VoiceError::config(
                "codecs",
                format!("expected PCMU or PCMA, got '{text}'"),
            )),
        }
    }
}

/// A route out.
#[derive(Clone)]
pub struct TrunkConfig {
    /// Identity.
    pub id: TrunkId,
    /// Name for people.
    pub name: String,
    /// Carrier: `sip:host:port`, `host:port` or `host` (port 5060).
    pub uri: String,
    /// How to reach it.
    pub transport: SipTransport,
    /// Digest account, when the carrier asks for one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Whether to register there.
    pub register: bool,
    /// Most calls at once, ringing ones too.
    pub channels: u32,
    /// Most call starts a second.
    pub cps: f64,
    /// Codecs offered, the preferred first.
    pub codecs: Vec<Codec>,
    /// Headers added to each INVITE; `{attempt}` in a value becomes the attempt's id.
    pub headers: Vec<(String, String)>,
    /// Whether media may come from another address than negotiated, once.
    pub behind_nat: bool,
    /// Whether it is asked by OPTIONS now and then; without, only calls tell whether it is there.
    pub ping: bool,
    /// What it is allowed and told besides.
    pub policy: TrunkPolicy,
}

impl std::fmt::Debug for TrunkConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrunkConfig")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("uri", &self.uri)
            .field("transport", &self.transport)
            .field("channels", &self.channels)
            .field("cps", &self.cps)
            .finish_non_exhaustive()
    }
}

/// Passwords of agents' phones.
pub trait PhoneSecrets: Send + Sync {
    /// Password of the phone that registers as `sip_user`; `None` when there is no such phone.
    /// Called on the signalling thread: answer from memory.
    fn password(&self, sip_user: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String> + Send + Sync> PhoneSecrets for F {
    fn password(&self, sip_user: &str) -> Option<String> {
        self(sip_user)
    }
}

/// What becomes of calls that come in: a call from a trunk hears the safe-harbour message, so that
/// the number a debtor calls back says who called; any other is refused with 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Language of the message: `es` or `en`.
    pub language: String,
    /// Client whose message is played, as text id; empty = the built-in one.
    pub client: String,
    /// Whether callers that are no trunk hear it too.
    pub from_anyone: bool,
    /// Whether a trunk's callers are handed to the center (`TrunkReport::Incoming`); the message is for those
    /// it does not take in time.
    pub queue: bool,
}

impl Default for Inbound {
    fn default() -> Self {
        Self {
            language: "es".to_owned(),
            client: String::new(),
            from_anyone: false,
            queue: false,
        }
    }
}

/// Everything voice is told at start.
#[derive(Clone)]
pub struct VoiceConfig {
    /// Where SIP is heard; at least one UDP address.
    pub sip_bind: Vec<SipBind>,
    /// Address put in Via, Contact and SDP instead of the bound one.
    pub external_address: Option<IpAddr>,
    /// Realm of the registrar's challenges.
    pub realm: String,
    /// Challenge phones with MD5 before SHA-256. RFC 8760 §2.4 wants the strongest first, but old
    /// phones read the first challenge only and know MD5 alone.
    pub md5_first: bool,
    /// Challenge phones with MD5 alone: some (baresip 1.0) give up at the sight of any other.
    pub md5_only: bool,
    /// Transactions at once; beyond it new requests are answered 503.
    pub sip_transactions: usize,
    /// Address of RTP sockets.
    pub media_bind: IpAddr,
    /// RTP ports: each leg takes an even one and the odd one after it.
    pub media_ports: RangeInclusive<u16>,
    /// The one UDP address of all agents by browser; `None`: agents need a SIP phone. Browsers are
    /// told `external_address`, else the bound one; for an unspecified one the address this machine
    /// sends from, and loopback.
    pub browsers: Option<SocketAddr>,
    /// Media threads; 0 = one less than the cores, at least 1.
    pub media_threads: usize,
    /// Calls at once on this node.
    pub calls: usize,
    /// Routes out.
    pub trunks: Vec<TrunkConfig>,
    /// Passwords of agents' phones.
    pub phones: Arc<dyn PhoneSecrets>,
    /// Folder of recordings; a recording's key is its path inside.
    pub recordings_dir: PathBuf,
    /// Keys that seal recordings; `None` writes plain WAVs (tests).
    pub recording_keys: Option<Arc<vault::KeyRing>>,
    /// Folder with messages that replace the built-in ones: `LANGUAGE.wav` and
    /// `CLIENT_ID.LANGUAGE.wav`, 8 kHz, 16-bit, mono.
    pub prompts_dir: Option<PathBuf>,
    /// File that holds what is needed to end the legs of this node after it was killed; the next
    /// process on it ends them. A file for each node, never shared: `None` keeps nothing.
    pub legs_file: Option<PathBuf>,
    /// What becomes of calls that come in.
    pub inbound: Inbound,
    /// Our certificate; needed where `tls://` is listened on.
    pub tls: Option<TlsFiles>,
    /// Where phones may be; what comes from elsewhere, trunks aside, is dropped unread. `None`:
    /// anywhere; an empty list: nobody but trunks is heard.
    pub allow: Option<Vec<Cidr>>,
    /// Name servers asked where trunks are; none: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// The node's clock; the instants of all reports are on it.
    pub clock: Arc<dyn Clock>,
}

impl VoiceConfig {
    /// A node on one loopback address with free ports and no trunk; a start for tests and demo.
    #[must_use]
    pub fn loopback(
        clock: Arc<dyn Clock>,
        phones: Arc<dyn PhoneSecrets>,
        recordings_dir: PathBuf,
    ) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            sip_bind: vec![
                SipBind {
                    transport: SipTransport::Udp,
                    addr,
                },
                SipBind {
                    transport: SipTransport::Tcp,
                    addr,
                },
            ],
            external_address: None,
            realm: "marcador".to_owned(),
            md5_first: false,
            md5_only: false,
            sip_transactions: 20_000,
            media_bind: addr.ip(),
            media_ports: 20_000..=29_999,
            browsers: None,
            media_threads: 0,
            calls: 1_000,
            trunks: Vec::new(),
            phones,
            recordings_dir,
            recording_keys: None,
            prompts_dir: None,
            legs_file: None,
            inbound: Inbound::default(),
            tls: None,
            allow: None,
            name_servers: Vec::new(),
            clock,
        }
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// Names the value that makes no sense.
    pub fn check(&self) -> Result<(), VoiceError> {
        if !self
            .sip_bind
            .iter()
            .any(|b| b.transport == SipTransport::Udp)
        {
            return Err(VoiceError::config(
                "sip.bind",
                "at least one udp:// address is needed",
            ));
        }
        let secure = self
            .sip_bind
            .iter()
            .any(|b| b.transport == SipTransport::Tls);
        if secure && self.tls.is_none() {
            return Err(VoiceError::config(
                "sip.tls_cert",
                "tls:// needs a certificate and its key",
            ));
        }
        if self
            .media_ports
            .end()
            .saturating_sub(*self.media_ports.start())
            < 3
        {
            return Err(VoiceError::config(
                "media.ports",
                "at least four ports are needed",
            ));
        }
        for trunk in &self.trunks {
            trunk.check()?;
        }
        Ok(())
    }
}

impl TrunkConfig {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// Names the value that makes no sense.
    pub fn check(&self) -> Result<(), VoiceError> {
        let bad = |what: &str, reason: &str| {
            VoiceError::config(format!("trunk '{}' {what}", self.name), reason)
        };
        self.host_port().map_err(|r| bad("uri", r))?;
        if self.codecs.is_empty() {
            return Err(bad("codecs", "at least one is needed"));
        }
        if !self.cps.is_finite() || self.cps <= 0.0 {
            return Err(bad("cps", "must be more than 0"));
        }
        self.policy.check().map_err(|(what, why)| bad(what, &why))?;
        let clean = |s: &str| !s.chars().any(char::is_control);
        let token = |s: &str| {
            !s.is_empty()
                && s.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
        };
        if !self.headers.iter().all(|(n, v)| token(n) && clean(v)) {
            return Err(bad(
                "headers",
                "a name or value has characters SIP does not allow",
            ));
        }
        Ok(())
    }

    /// Host and port of the carrier; without one written, that of the transport.
    ///
    /// # Errors
    /// Says what is wrong with the uri.
    pub fn host_port(&self) -> Result<(String, u16), &'static str> {
        let (host, port) = self.place()?;
        let usual = match self.transport {
            SipTransport::Tls => crate::limits::SIPS_PORT,
            SipTransport::Udp | SipTransport::Tcp => crate::limits::SIP_PORT,
        };
        Ok((host, port.unwrap_or(usual)))
    }

    /// Host, and the port where one is written.
    ///
    /// # Errors
    /// Says what is wrong with the uri.
    pub fn place(&self) -> Result<(String, Option<u16>), &'static str> {
        let rest = self.uri.strip_prefix("sip:").unwrap_or(&self.uri);
        let rest = rest.split([';', '?']).next().unwrap_or(rest);
        let rest = rest.rsplit('@').next().unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix('[') {
            let (host, tail) = inner.split_once(']').ok_or("an IPv6 address has no ']'")?;
            let port = tail.strip_prefix(':').map(str::parse).transpose();
            return Ok((host.to_owned(), port.map_err(|_| "the port is no number")?));
        }
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| "the port is no number")?;
                (host, Some(port))
            }
            None => (rest, None),
        };
        let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        if host.is_empty() || !host.bytes().all(fine) {
            return Err("expected sip:HOST:PORT");
        }
        Ok((host.to_owned(), port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_parse() {
        let b: SipBind = "udp://0.0.0.0:5060".parse().expect("parses");
        assert_eq!((b.transport, b.addr.port()), (SipTransport::Udp, 5060));
        for bad in [
            "0.0.0.0:5060",
            "ws://0.0.0.0:5061",
            "udp://localhost",
            "udp://1.2.3.4",
        ] {
            assert!(bad.parse::<SipBind>().is_err(), "{bad}");
        }
    }

    #[test]
    fn trunk_uris() {
        let trunk = |uri: &str| TrunkConfig {
            id: TrunkId(uuid::Uuid::nil()),
            name: "t".into(),
            uri: uri.into(),
            transport: SipTransport::Udp,
            username: None,
            password: None,
            register: false,
            channels: 1,
            cps: 1.0,
            codecs: vec![Codec::Pcmu],
            headers: vec![],
            behind_nat: false,
            ping: true,
            policy: TrunkPolicy::default(),
        };
        for (uri, host, port) in [
            ("sip:carrier.example:5080", "carrier.example", 5080),
            ("127.0.0.1", "127.0.0.1", 5060),
            ("sip:acc@10.0.0.1:5061;transport=udp", "10.0.0.1", 5061),
            ("sip:[::1]:5070", "::1", 5070),
        ] {
            assert_eq!(trunk(uri).host_port(), Ok((host.to_owned(), port)), "{uri}");
        }
        for bad in ["", "sip:", "sip:a b:1", "host:99999", "[::1:5"] {
            assert!(trunk(bad).host_port().is_err(), "{bad}");
        }
        let mut t = trunk("h");
        t.headers = vec![("X-A".into(), "b\r\nVia: x".into())];
        assert!(t.check().is_err());
    }
}
