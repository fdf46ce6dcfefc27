//! What a trunk is allowed and told beyond how to reach it.

use crate::VoiceError;
use crate::limits;
use crate::net::Cidr;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Our certificate, for those who reach us by TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM, ours first.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// How a trunk's certificate is checked; it always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsTrust {
    /// Certificate authorities, PEM, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The name its certificate must show; None: the host of its uri.
    pub name: Option<String>,
}

/// In which header our number is told beside From (RFC 3325).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdentityHeader {
    /// In none.
    #[default]
    None,
    /// P-Asserted-Identity: the trunk trusts us.
    Asserted,
    /// P-Preferred-Identity: the trunk checks it.
    Preferred,
}

impl std::str::FromStr for IdentityHeader {
    type Err = VoiceError;
    fn from_str(text: &str) -> Result<Self, VoiceError> {
        match text {
            "none" => Ok(Self::None),
            "asserted" => Ok(Self::Asserted),
            "preferred" => Ok(Self::Preferred),
            other => Err(VoiceError::config(
                "identity",
                format!("expected none, asserted or preferred, got '{other}'"),
            )),
        }
    }
}

/// Numbers no campaign ever calls, by their first digits: satellite and shared networks, premium
/// rates, as their national plans publish them. Short numbers (emergency) fall by their length.
pub const NEVER: [&str; 30] = [
    "+870", "+878", "+881", "+882", "+883", "+888", "+979",
    "+808", // satellite, global premium
    "+1900", "+1976",  // North America
    "+52900", // Mexico
    "+54600", // Argentina
    "+55900", // Brazil
    "+57901", // Colombia
    "+34803", "+34806", "+34807", "+34905", "+34907", // Spain
    "+449", "+44870", "+44871", "+44872", "+44873", // United Kingdom
    "+3389", "+39899", "+49900", "+41900", "+43900", "+351760",
];

/// Shortest number called, digits: below are emergency and service numbers.
pub const SHORTEST_NUMBER: usize = 8;

/// What a trunk may be used for (`faults.md` promise 14). Prefixes are E.164 with `+`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TollRules {
    /// Only numbers that begin so; empty: any but those refused.
    pub allowed: Vec<String>,
    /// Refused besides [`NEVER`].
    pub denied: Vec<String>,
    /// Most calls an hour to numbers that begin so; every prefix that fits counts.
    pub hourly: BTreeMap<String, u32>,
    /// Cost class of numbers that begin so; the longest prefix that fits decides.
    pub classes: BTreeMap<String, u8>,
    /// Highest class called; a number without class counts as the highest there is.
    pub max_class: Option<u8>,
}

impl TollRules {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// Names the prefix that is none.
    pub fn check(&self) -> Result<(), String> {
        let all = self.allowed.iter().chain(&self.denied);
        let all = all.chain(self.hourly.keys()).chain(self.classes.keys());
        let mut count = 0;
        for prefix in all {
            count += 1;
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("'{prefix}' is no prefix: expected + and digits"));
            }
        }
        if count > limits::TOLL_PREFIXES {
            return Err(format!("more than {} prefixes", limits::TOLL_PREFIXES));
        }
        Ok(())
    }
}

/// What a trunk is allowed and told beyond how to reach it. The default is careful: premium and
/// satellite numbers refused, redirections not followed, nothing told of us but From.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrunkPolicy {
    /// Which numbers, how many.
    pub toll: TollRules,
    /// Addresses its calls may come from, besides those it is called at.
    pub acl: Vec<Cidr>,
    /// Hosts to which a 3xx may send a call, addresses only; empty: a redirection ends the call.
    pub redirect_hosts: Vec<std::net::IpAddr>,
    /// Names of trunks that take a call this one refuses with 503 or cannot be reached for.
    pub failover: Vec<String>,
    /// In which header our number is told too.
    pub identity: IdentityHeader,
    /// Ask the trunk to hide our number.
    pub private: bool,
    /// Number that was called at first (Diversion), for trunks that bill by it.
    pub diversion: Option<String>,
    /// Domain of our number in From and the identity header; None: our address.
    pub from_domain: Option<String>,
    /// Empty packets now and then, so that a NAT on the way stays open.
    pub keep_alive: bool,
    /// Let NAPTR records choose the transport among those listened on (RFC 3263 §4.1).
    pub any_transport: bool,
    /// How its certificate is checked.
    pub tls: TlsTrust,
}

impl TrunkPolicy {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// Which value, and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        self.toll.check().map_err(|why| ("prefixes", why))?;
        let number = |n: &String| {
            let digits = n.strip_prefix('+').unwrap_or(n);
            (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        if self.diversion.as_ref().is_some_and(|n| !number(n)) {
            return Err(("diversion", "expected a number".to_owned()));
        }
        let host = |h: &String| {
            !h.is_empty()
                && h.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
        };
        if self.from_domain.as_ref().is_some_and(|h| !host(h)) {
            return Err(("from_domain", "expected a host name".to_owned()));
        }
        Ok(())
    }
}
