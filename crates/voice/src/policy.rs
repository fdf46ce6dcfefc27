//! What a trunk is allowed and told beyond how to reach it.

use crate::VoiceError;
use crate::limits;
use crate::net::Cidr;
use domain::entity::CallResult;
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
    /// Our certificate for it, where it asks for one.
    pub own: Option<TlsFiles>,
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

/// Shortest number called, digits: below are emergency and service numbers.
pub const SHORTEST_NUMBER: usize = 8;

/// What a trunk may be used for (`faults.md` promise 14). Prefixes are E.164 with `+`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TollRules {
    /// Only numbers that begin so; empty: any but those refused.
    pub allowed: Vec<String>,
    /// Refused besides those that nobody calls.
    pub denied: Vec<String>,
    /// Most calls an hour to numbers that begin so; every prefix that fits counts.
    pub hourly: BTreeMap<String, u32>,
    /// Cost class of numbers that begin so; the longest prefix that fits decides.
    pub classes: BTreeMap<String, u8>,
    /// Highest class called; a number without class counts as the highest there is.
    pub max_class: Option<u8>,
    /// Most talk of the last 24 hours, minutes; calls that are up count, those who call us do not.
    pub daily_minutes: Option<u32>,
    /// Most that the talk of the last 24 hours may cost, millionths of the currency of `prices`.
    pub daily_micro: Option<u64>,
    /// Price of a minute of talk with numbers that begin so, millionths; the longest prefix that fits decides, and
    /// a number without one costs as much as the dearest.
    pub prices: BTreeMap<String, u64>,
}

impl TollRules {
    /// Whether talk is counted at all.
    #[must_use]
    pub const fn is_metered(&self) -> bool {
        self.daily_minutes.is_some() || self.daily_micro.is_some()
    }

    /// Price of a minute, millionths.
    #[must_use]
    pub fn price(&self, number: &str) -> u64 {
        let fits = self
            .prices
            .iter()
            .filter(|(p, _)| number.starts_with(p.as_str()));
        let own = fits.max_by_key(|(prefix, _)| prefix.len());
        let dearest = || self.prices.values().max();
        own.map(|(_, price)| price)
            .or_else(dearest)
            .copied()
            .unwrap_or(0)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// Names the prefix that is none.
    pub fn check(&self) -> Result<(), String> {
        let all = self.allowed.iter().chain(&self.denied);
        let all = all.chain(self.hourly.keys()).chain(self.classes.keys());
        let all = all.chain(self.prices.keys());
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
        if self.daily_micro.is_some() && self.prices.is_empty() {
            return Err("money a day needs prices: without them no call costs anything".to_owned());
        }
        Ok(())
    }
}

/// What a trunk's refusals mean, where that is another thing than the standard table says. The raw
/// pair is stored all the same. A key is a SIP status (`"480"`), a status with the Q.850 cause that came
/// with it (`"480/20"`), or a cause alone (`"/34"`); the closest key decides: pair, status, cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultTable(BTreeMap<(Option<u16>, Option<u16>), CallResult>);

impl ResultTable {
    /// Reads keys and results (`busy`, `no_answer`, `rejected`, `unreachable`, `invalid_number`,
    /// `congestion`, `trunk_fault`, `unknown`).
    ///
    /// # Errors
    /// The key or the result that makes no sense.
    pub fn read(rows: &BTreeMap<String, String>) -> Result<Self, String> {
        if rows.len() > limits::TRUNK_RESULTS {
            return Err(format!("more than {} rows", limits::TRUNK_RESULTS));
        }
        let mut table = BTreeMap::new();
        for (key, value) in rows {
            let result: CallResult = value
                .parse()
                .map_err(|_| format!("'{value}' is no result"))?;
            if !OF_REFUSALS.contains(&result) {
                return Err(format!("'{value}' is no result of a call without answer"));
            }
            let (status, cause) = key.split_once('/').unwrap_or((key, ""));
            let number = |text: &str, from: u16, to: u16| match text {
                "" => Ok(None),
                text => match text.parse::<u16>() {
                    Ok(n) if (from..=to).contains(&n) => Ok(Some(n)),
                    _ => Err(format!(
                        "'{key}': expected a status, status/cause or /cause"
                    )),
                },
            };
            let pair = (number(status, 300, 699)?, number(cause, 1, 127)?);
            if pair == (None, None) {
                return Err("an empty key".to_owned());
            }
            table.insert(pair, result);
        }
        Ok(Self(table))
    }

    /// What it says of a pair.
    #[must_use]
    pub fn of(&self, status: Option<u16>, cause: Option<u16>) -> Option<CallResult> {
        let known = [(status, cause), (status, None), (None, cause)];
        let said = known.iter().find_map(|pair| self.0.get(pair));
        said.copied()
    }
}

/// Results that a trunk may give to a call without answer.
const OF_REFUSALS: [CallResult; 8] = [
    CallResult::Busy,
    CallResult::NoAnswer,
    CallResult::Rejected,
    CallResult::Unreachable,
    CallResult::InvalidNumber,
    CallResult::Congestion,
    CallResult::TrunkFault,
    CallResult::Unknown,
];

/// What a trunk is allowed and told beyond how to reach it. The default is careful: premium and
/// satellite numbers refused, redirections not followed, nothing told of us but From.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrunkPolicy {
    /// Which numbers, how many.
    pub toll: TollRules,
    /// Country (ISO 3166 alpha-2) whose national numbers it shows on calls that come in; None: international
    /// numbers alone are read.
    pub country: Option<String>,
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
    /// What its answers mean, where it uses them in a way of its own.
    pub results: ResultTable,
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
        let country = self.country.as_deref();
        if country.is_some_and(|code| !domain::phone::known_country(code)) {
            let why = "expected a country as two capitals (ISO 3166), as MX";
            return Err(("country", why.to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str)]) -> Result<ResultTable, String> {
        let rows = rows.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ResultTable::read(&rows.collect())
    }

    #[test]
    fn the_closest_row_of_a_trunk_decides() {
        let rows = [
            ("480", "unreachable"),
            ("480/19", "no_answer"),
            ("/34", "busy"),
        ];
        let table = table(&rows).expect("reads");
        for (status, cause, said) in [
            (Some(480), Some(19), Some(CallResult::NoAnswer)),
            (Some(480), Some(34), Some(CallResult::Unreachable)),
            (Some(480), None, Some(CallResult::Unreachable)),
            (Some(503), Some(34), Some(CallResult::Busy)),
            (Some(486), Some(17), None),
            (None, None, None),
        ] {
            assert_eq!(table.of(status, cause), said, "{status:?} {cause:?}");
        }
        assert_eq!(ResultTable::default().of(Some(480), None), None);
    }

    #[test]
    fn a_row_that_makes_no_sense_is_named() {
        for (key, value, part) in [
            ("200", "busy", "'200'"),
            ("480/200", "busy", "'480/200'"),
            ("x", "busy", "'x'"),
            ("/", "busy", "empty key"),
            ("486", "human", "without answer"),
            ("486", "engaged", "'engaged'"),
        ] {
            let error = table(&[(key, value)]).expect_err(key);
            assert!(error.contains(part), "{error}");
        }
    }
}
