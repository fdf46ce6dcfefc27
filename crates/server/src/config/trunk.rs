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
}

impl TrunkConfig {
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
