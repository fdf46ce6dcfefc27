//! Configuration: the documented default file ← files ← environment; an unknown key is an error
//! that names the nearest right one.

mod messages;
mod payments;
mod tls;
mod trunk;
mod unknown;

pub(crate) use payments::Payments;
pub(crate) use tls::Tls;
#[cfg(test)]
pub(crate) use tls::TlsFiles;
pub(crate) use trunk::{TrunkConfig, TrunkTransport};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
use store::LiteSync;

/// The commented default file.
pub(crate) const DEFAULT: &str = include_str!("../../../../config/default.toml");

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Screens, API, websockets.
    pub http: Http,
    /// Facts at rest.
    pub database: Database,
    /// Events between nodes.
    pub bus: Url,
    /// Recordings.
    pub recordings: Recordings,
    /// This node.
    pub node: Node,
    /// Signalling.
    pub sip: Sip,
    /// Audio.
    pub media: Media,
    /// Routes out.
    #[serde(default)]
    pub trunks: Vec<TrunkConfig>,
    /// Rule packs.
    pub law: Law,
    /// Sign-in.
    pub auth: Auth,
    /// Payment pages.
    pub payments: Payments,
    /// What carries messages.
    pub messages: messages::Messages,
    /// Limits.
    pub limits: Limits,
}

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    /// Listening address.
    pub bind: String,
    /// Extra origins.
    pub origins: Vec<String>,
    /// Whether browsers reach it by HTTPS through a proxy.
    pub behind_tls: bool,
    /// Addresses of the proxies in front, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// Our own HTTPS.
    pub tls: Tls,
}

impl Http {
    /// Without its proxy's address every visitor would be the proxy: one who guesses passwords would
    /// shut all others out, and tickets would be bound to nobody.
    fn check_proxies(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.behind_tls || !self.proxies.is_empty(),
            "[http] proxies: behind_tls = true needs the addresses of the proxies in front, as [\"10.0.0.5\"]"
        );
        Ok(())
    }
}

/// `[database]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// The address.
    pub url: String,
    /// When SQLite brings a commit to the disk.
    pub sync: LiteSync,
}

/// A section that is one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Url {
    /// The address.
    pub url: String,
}

/// `[recordings]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recordings {
    /// `file://FOLDER` or `s3://BUCKET/PREFIX?region=R&endpoint=URL`.
    pub url: String,
    /// Folder where recordings are made when `url` is an object store.
    pub spool: String,
    /// Keys that seal recordings.
    pub key_file: String,
    /// Login of the object store.
    pub access_key_id: String,
    /// File with its secret.
    pub secret_key_file: String,
    /// Free MiB below which an alarm is raised.
    pub free_warn_mb: u64,
    /// Free MiB below which nothing is dialed.
    pub free_stop_mb: u64,
    /// Longest pause.
    pub pause_max_s: u32,
    /// Days a recording of any other call stays.
    pub keep_call_days: u32,
    /// Days a recording of an agreement stays.
    pub keep_agreement_days: u32,
    /// Days a recording of a dispute stays.
    pub keep_dispute_days: u32,
    /// Days the number of a caller stays who stayed unknown.
    pub keep_unknown_days: u32,
}

/// `[node]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Name.
    pub name: String,
    /// `dial`, `web`.
    pub roles: Vec<String>,
}

/// `[sip]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sip {
    /// `udp://addr:port`, `tcp://addr:port`, `tls://addr:port`.
    pub bind: Vec<String>,
    /// Address shown outside.
    pub external_address: String,
    /// Challenge phones with MD5 before SHA-256.
    pub md5_first: bool,
    /// Challenge phones with MD5 alone.
    pub md5_only: bool,
    /// Whether callers that are no trunk hear the safe-harbour message too.
    pub inbound_from_anyone: bool,
    /// Our certificate chain for `tls://`, PEM; empty: none.
    pub tls_cert: String,
    /// Its private key, PEM.
    pub tls_key: String,
    /// Where phones may be; empty: anywhere, [`TRUNKS_ONLY`] alone: nowhere.
    pub allow: Vec<String>,
    /// Name servers asked where trunks are, `address:port`; empty: the system's.
    pub name_servers: Vec<std::net::SocketAddr>,
}

/// The word in `[sip] allow` for trunks, which are heard wherever they are.
const TRUNKS_ONLY: &str = "trunks";

impl Sip {
    /// Ranges from which phones are heard; `None`: from anywhere.
    ///
    /// # Errors
    /// A range is no address with its bits.
    pub(crate) fn heard_from(&self) -> anyhow::Result<Option<Vec<voice::Cidr>>> {
        if self.allow.is_empty() {
            return Ok(None);
        }
        let ranges = self.allow.iter().filter(|word| *word != TRUNKS_ONLY);
        let ranges: Result<Vec<_>, _> = ranges.map(|net| net.parse()).collect();
        let wanted = "[sip] allow: expected ranges as \"10.0.0.0/8\", or \"trunks\"";
        Ok(Some(ranges.map_err(|e| anyhow::anyhow!("{wanted}: {e}"))?))
    }
}

/// `[media]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Media {
    /// Address of RTP sockets.
    pub bind: String,
    /// `first-last`.
    pub ports: String,
    /// The one UDP address of all browsers; empty: agents need SIP phones.
    pub webrtc: String,
    /// Media threads, 0 = automatic.
    pub threads: usize,
    /// Folder of prompts.
    pub prompts: String,
}

/// `[law]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Law {
    /// Folder of packs.
    pub packs: String,
    /// Pack of last resort.
    pub default: String,
    /// File of changes to the holidays.
    pub holidays: String,
    /// Seconds between two rounds of asking whom it lets be called now; 0: never.
    pub callable_every_s: u32,
    /// Classes of number shown, by pack.
    pub number_class: String,
}

/// `[auth]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Auth {
    /// File of the pepper and token key.
    pub secret_file: String,
    /// Second factor for supervisors, managers, admins.
    pub second_factor: bool,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// SIP transactions at once.
    pub sip_transactions: usize,
    /// Calls at once.
    pub calls: usize,
    /// Longest graceful stop.
    pub drain_s: u64,
}

/// Reads the configuration: defaults, then each file, then the environment.
///
/// # Errors
/// A missing file, a line that is not TOML, an unknown key (with the nearest right one), a value of
/// the wrong type: each names the file or variable.
pub(crate) fn load(files: &[PathBuf]) -> anyhow::Result<Config> {
    let mut figment = Figment::from(Toml::string(DEFAULT));
    for file in files {
        if !file.is_file() {
            anyhow::bail!("no configuration file at {}", file.display());
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    figment = figment.merge(Env::prefixed("MARCADOR__").split("__"));
    let config: Config = figment.extract().map_err(unknown::explain)?;
    config.check()?;
    Ok(config)
}

/// The default configuration.
///
/// # Errors
/// Never with the compiled-in file; a test reads it.
#[cfg(test)]
pub(crate) fn default_config() -> anyhow::Result<Config> {
    Figment::from(Toml::string(DEFAULT))
        .extract()
        .map_err(unknown::explain)
}

impl Config {
    /// Checks what types cannot: addresses, ranges, names. Tells all that is wrong, a line each.
    fn check(&self) -> anyhow::Result<()> {
        let parts = [
            self.check_addresses(),
            self.media_ports().map(drop),
            self.browsers().map(drop),
            self.sip.heard_from().map(drop),
            self.http.tls.check(),
            self.http.check_proxies(),
            self.check_node(),
            trunk::check(&self.trunks),
        ];
        let faults: Vec<String> = parts
            .into_iter()
            .filter_map(Result::err)
            .map(|fault| fault.to_string())
            .collect();
        anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }

    fn check_addresses(&self) -> anyhow::Result<()> {
        let mut faults = Vec::new();
        let url = &self.database.url;
        if !["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            faults.push("[database] url: expected sqlite://… or postgres://…");
        }
        if self.bus.url != "local" && !self.bus.url.starts_with("redis://") {
            faults.push("[bus] url: expected \"local\" or redis://…");
        }
        let recordings = &self.recordings;
        if !["file://", "s3://"]
            .iter()
            .any(|scheme| recordings.url.starts_with(scheme))
        {
            faults.push("[recordings] url: expected file://FOLDER or s3://BUCKET/PREFIX");
        }
        self.payments.faults(&mut faults);
        self.messages.faults(&mut faults);
        if recordings.free_stop_mb > recordings.free_warn_mb {
            faults.push("[recordings] free_stop_mb: expected no more than free_warn_mb");
        }
        if recordings.keep_unknown_days == 0 {
            faults.push("[recordings] keep_unknown_days: expected at least 1");
        }
        if !(1..=3_600).contains(&recordings.pause_max_s) {
            faults.push("[recordings] pause_max_s: expected 1 to 3600");
        }
        if recordings.access_key_id.is_empty() != recordings.secret_key_file.is_empty() {
            faults.push("[recordings] access_key_id: expected with secret_key_file, or neither");
        }
        anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }

    fn check_node(&self) -> anyhow::Result<()> {
        if self.node.name.trim().is_empty() {
            anyhow::bail!("[node] name: expected a name");
        }
        let unknown = |role: &&String| !["dial", "web"].contains(&role.as_str());
        match self.node.roles.iter().find(unknown) {
            Some(role) => {
                anyhow::bail!("[node] roles: unknown role '{role}', expected dial or web")
            }
            None => Ok(()),
        }
    }

    /// The RTP port range.
    ///
    /// # Errors
    /// When it is not `first-last` with at least ten ports above 1023.
    pub(crate) fn media_ports(&self) -> anyhow::Result<std::ops::RangeInclusive<u16>> {
        let fault = || anyhow::anyhow!("[media] ports: expected first-last, as 20000-29999");
        let (first, last) = self.media.ports.split_once('-').ok_or_else(fault)?;
        let (first, last): (u16, u16) = (
            first.trim().parse().map_err(|_| fault())?,
            last.trim().parse().map_err(|_| fault())?,
        );
        if first < 1024 || last < first.saturating_add(9) {
            anyhow::bail!("[media] ports: expected at least ten ports above 1023");
        }
        Ok(first..=last)
    }

    /// The address of all agents by browser.
    ///
    /// # Errors
    /// When it is no address.
    pub(crate) fn browsers(&self) -> anyhow::Result<Option<std::net::SocketAddr>> {
        match self.media.webrtc.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                anyhow::anyhow!("[media] webrtc: expected ADDRESS:PORT or \"\", got '{text}'")
            }),
        }
    }

    /// The folder where recordings are made.
    #[must_use]
    pub(crate) fn recordings_dir(&self) -> PathBuf {
        let folder = self.recordings.url.strip_prefix("file://");
        PathBuf::from(folder.unwrap_or(&self.recordings.spool))
    }

    /// The same configuration as TOML with secrets hidden.
    ///
    /// # Errors
    /// When it cannot be printed as TOML (never for a loaded one).
    pub(crate) fn redacted(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        shown.database.url = hide_password(&shown.database.url);
        shown.bus.url = hide_password(&shown.bus.url);
        for trunk in &mut shown.trunks {
            trunk.redact();
        }
        Ok(toml::to_string(&shown)?)
    }
}

/// `postgres://user:***@host/name`.
fn hide_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((login, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = login.split(':').next().unwrap_or_default();
    if login.contains(':') {
        format!("{scheme}://{user}:***@{host}")
    } else {
        url.to_owned()
    }
}

#[cfg(test)]
mod tests;
