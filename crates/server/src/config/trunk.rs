//! `[[trunks]]`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Transport towards a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TrunkTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS, its certificate checked.
    Tls,
    /// What the name's NAPTR records say, among those listened on.
    Auto,
}

fn udp() -> TrunkTransport {
    TrunkTransport::Udp
}
fn ping() -> bool {
    true
}
fn channels() -> u32 {
    30
}
fn cps() -> u32 {
    5
}
fn codecs() -> Vec<String> {
    vec!["pcma".into(), "pcmu".into()]
}
fn none() -> String {
    "none".into()
}

/// One route out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrunkConfig {
    /// Name, unique.
    pub name: String,
    /// `sip:host[:port]`.
    pub uri: String,
    /// Transport.
    #[serde(default = "udp")]
    pub transport: TrunkTransport,
    /// Digest user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Digest password; prefer `password_file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// File with the digest password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Whether to register there.
    #[serde(default)]
    pub register: bool,
    /// Most calls at once.
    #[serde(default = "channels")]
    pub channels: u32,
    /// Most call starts a second.
    #[serde(default = "cps")]
    pub cps: u32,
    /// Codecs by preference.
    #[serde(default = "codecs")]
    pub codecs: Vec<String>,
    /// Extra headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether media may come once from another address than negotiated.
    #[serde(default)]
    pub behind_nat: bool,
    /// Whether to ask it by OPTIONS now and then whether it is there.
    #[serde(default = "ping")]
    pub ping: bool,
    /// Country whose national numbers its calls show, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Addresses or ranges its calls may come from besides.
    #[serde(default)]
    pub acl: Vec<String>,
    /// Addresses a redirection (3xx) may send a call to.
    #[serde(default)]
    pub redirect_hosts: Vec<String>,
    /// Names of trunks that take the calls it refuses with 503 or cannot be reached for.
    #[serde(default)]
    pub failover: Vec<String>,
    /// Header for our number beside From: `none`, `asserted` or `preferred`.
    #[serde(default = "none")]
    pub identity: String,
    /// Whether it is asked to hide our number.
    #[serde(default)]
    pub private: bool,
    /// Number in Diversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diversion: Option<String>,
    /// Domain of our number in From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_domain: Option<String>,
    /// Whether a NAT before it is kept open.
    #[serde(default)]
    pub keep_alive: bool,
    /// Certificate authorities in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ca_file: Option<PathBuf>,
    /// Name its certificate must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_name: Option<String>,
    /// Our certificate for it (PEM), where it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of that certificate (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// Only numbers that begin so.
    #[serde(default)]
    pub allowed_prefixes: Vec<String>,
    /// Refused besides premium and satellite ones.
    #[serde(default)]
    pub denied_prefixes: Vec<String>,
    /// Most calls an hour, by prefix.
    #[serde(default)]
    pub calls_per_hour: BTreeMap<String, u32>,
    /// Cost class, by prefix.
    #[serde(default)]
    pub cost_classes: BTreeMap<String, u8>,
    /// Highest class called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_class: Option<u8>,
    /// Most talk of 24 hours, minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_per_day: Option<u32>,
    /// Most that 24 hours may cost, millionths of the currency of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_per_day: Option<u64>,
    /// Price of a minute in millionths, by prefix.
    #[serde(default)]
    pub price_micro_per_minute: BTreeMap<String, u64>,
    /// What its refusals mean, where that is its own: result by `"480"`, `"480/20"` or `"/34"`.
    #[serde(default)]
    pub results: BTreeMap<String, String>,
}

impl Default for TrunkConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            uri: String::new(),
            transport: udp(),
            username: None,
            password: None,
            password_file: None,
            register: false,
            channels: channels(),
            cps: cps(),
            codecs: codecs(),
            headers: BTreeMap::new(),
            behind_nat: false,
            ping: ping(),
            country: None,
            acl: Vec::new(),
            redirect_hosts: Vec::new(),
            failover: Vec::new(),
            identity: none(),
            private: false,
            diversion: None,
            from_domain: None,
            keep_alive: false,
            tls_ca_file: None,
            tls_name: None,
            tls_cert_file: None,
            tls_key_file: None,
            allowed_prefixes: Vec::new(),
            denied_prefixes: Vec::new(),
            calls_per_hour: BTreeMap::new(),
            cost_classes: BTreeMap::new(),
            max_cost_class: None,
            minutes_per_day: None,
            cost_micro_per_day: None,
            price_micro_per_minute: BTreeMap::new(),
            results: BTreeMap::new(),
        }
    }
}

impl TrunkConfig {
    /// What voice is told beyond how to reach it.
    ///
    /// # Errors
    /// Names the key that makes no sense.
    pub(crate) fn policy(&self) -> anyhow::Result<voice::TrunkPolicy> {
        let bad = |key: &str, why: String| anyhow::anyhow!("trunk '{}': {key}: {why}", self.name);
        let acl: Result<_, _> = self.acl.iter().map(|net| net.parse()).collect();
        let hosts: Result<_, _> = self
            .redirect_hosts
            .iter()
            .map(|host| host.parse())
            .collect();
        let policy = voice::TrunkPolicy {
            toll: voice::TollRules {
                allowed: self.allowed_prefixes.clone(),
                denied: self.denied_prefixes.clone(),
                hourly: self.calls_per_hour.clone(),
                classes: self.cost_classes.clone(),
                max_class: self.max_cost_class,
                daily_minutes: self.minutes_per_day,
                daily_micro: self.cost_micro_per_day,
                prices: self.price_micro_per_minute.clone(),
            },
            country: self.country.clone(),
            acl: acl.map_err(|e: voice::VoiceError| bad("acl", e.to_string()))?,
            redirect_hosts: hosts.map_err(|e: std::net::AddrParseError| {
                bad("redirect_hosts", format!("{e}, expected addresses"))
            })?,
            failover: self.failover.clone(),
            identity: self
                .identity
                .parse()
                .map_err(|e: voice::VoiceError| bad("identity", e.to_string()))?,
            private: self.private,
            diversion: self.diversion.clone(),
            from_domain: self.from_domain.clone(),
            keep_alive: self.keep_alive,
            any_transport: self.transport == TrunkTransport::Auto,
            tls: voice::TlsTrust {
                ca_file: self.tls_ca_file.clone(),
                name: self.tls_name.clone(),
                own: self.own_certificate()?,
            },
            results: voice::ResultTable::read(&self.results).map_err(|e| bad("results", e))?,
        };
        policy.check().map_err(|(key, why)| bad(key, why))?;
        Ok(policy)
    }

    fn own_certificate(&self) -> anyhow::Result<Option<voice::TlsFiles>> {
        match (&self.tls_cert_file, &self.tls_key_file) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some(voice::TlsFiles {
                cert: cert.clone(),
                key: key.clone(),
            })),
            _ => anyhow::bail!(
                "trunk '{}': tls_cert_file, tls_key_file: expected both or neither",
                self.name
            ),
        }
    }

    /// Hides the password.
    pub(super) fn redact(&mut self) {
        if self.password.is_some() {
            self.password = Some("***".into());
        }
    }

    /// The digest password, from the file when one is named.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn secret(&self) -> anyhow::Result<Option<String>> {
        match (&self.password_file, &self.password) {
            (Some(file), _) => match std::fs::read_to_string(file) {
                Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(e) => anyhow::bail!(
                    "trunk '{}': password_file {}: {e}",
                    self.name,
                    file.display()
                ),
            },
            (None, password) => Ok(password.clone()),
        }
    }
}

/// Names unique, addresses and limits sane.
pub(super) fn check(trunks: &[TrunkConfig]) -> anyhow::Result<()> {
    for (at, trunk) in trunks.iter().enumerate() {
        let name = &trunk.name;
        if name.trim().is_empty() || trunks[..at].iter().any(|t| t.name == *name) {
            anyhow::bail!("[[trunks]] name: expected a unique name, found '{name}'");
        }
        if !trunk.uri.starts_with("sip:") {
            anyhow::bail!("trunk '{name}': uri: expected sip:host:port");
        }
        trunk.policy()?;
        if let Some(other) = trunk
            .failover
            .iter()
            .find(|other| *other == name || !trunks.iter().any(|t| t.name == **other))
        {
            anyhow::bail!("trunk '{name}': failover: '{other}' is no other trunk");
        }
        if trunk.channels == 0 || trunk.cps == 0 {
            anyhow::bail!("trunk '{name}': channels and cps must be at least 1");
        }
        if let Some(codec) = trunk
            .codecs
            .iter()
            .find(|c| !["pcma", "pcmu"].contains(&c.as_str()))
        {
            anyhow::bail!("trunk '{name}': unknown codec '{codec}', expected pcma or pcmu");
        }
        let unsafe_header = |(k, v): &(&String, &String)| {
            k.is_empty()
                || !k.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                || v.contains(['\r', '\n'])
        };
        if let Some((key, _)) = trunk.headers.iter().find(unsafe_header) {
            anyhow::bail!("trunk '{name}': header '{key}' is no SIP header");
        }
    }
    Ok(())
}
