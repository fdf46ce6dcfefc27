//! Where the debtor may be: zones of the number's prefix, of his address, and told by him
//! (law.md §2.3). The action must be legal in every one of them.

use crate::ValueError;
use crate::entity::{CampaignZones, Channel, ContactPoint, ZoneEvidence};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Most prefixes of a table; libphonenumber's has 3,240.
pub const PREFIXES_MAX: usize = 100_000;
/// Longest prefix in digits; E.164 numbers have at most 15.
const PREFIX_DIGITS_MAX: usize = 15;

/// A zone with its name.
#[derive(Debug, Clone)]
pub(crate) struct NamedZone {
    pub(crate) name: Arc<str>,
    pub(crate) tz: TimeZone,
}

/// Number prefixes and their zones; the longest prefix wins.
#[derive(Debug, Clone, Default)]
pub struct PrefixZones {
    zones: Vec<NamedZone>,
    prefixes: HashMap<String, Vec<usize>>,
    longest: usize,
}

impl PrefixZones {
    /// Reads a table of lines `prefix|zone&zone`; lines with `#` are remarks.
    ///
    /// # Errors
    /// Names the line and what would be right; a zone that the bundled zone database does not know
    /// is an error.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let bad = |line: usize, reason: &str| {
            ValueError::malformed("prefix table", format!("line {line}: {reason}"))
        };
        let mut table = Self::default();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (n, line) in text.lines().enumerate() {
            let number = n + 1;
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if number > PREFIXES_MAX {
                return Err(bad(number, &format!("more than {PREFIXES_MAX} prefixes")));
            }
            let (prefix, zones) = line
                .split_once('|')
                .ok_or_else(|| bad(number, "expected prefix|zone&zone"))?;
            if prefix.is_empty()
                || prefix.len() > PREFIX_DIGITS_MAX
                || !prefix.bytes().all(|b| b.is_ascii_digit())
            {
                return Err(bad(number, "expected a prefix of 1 to 15 digits"));
            }
            let mut ids = Vec::new();
            for name in zones.split('&') {
                let id = match known.get(name) {
                    Some(id) => *id,
                    None => {
                        let tz = crate::time::zone(name)
                            .map_err(|_| bad(number, &format!("unknown zone '{name}'")))?;
                        table.zones.push(NamedZone {
                            name: name.into(),
                            tz,
                        });
                        known.insert(name.to_owned(), table.zones.len() - 1);
                        table.zones.len() - 1
                    }
                };
                ids.push(id);
            }
            table.longest = table.longest.max(prefix.len());
            table.prefixes.insert(prefix.to_owned(), ids);
        }
        Ok(table)
    }

    /// Zones of a number in E.164 (with or without `+`); empty when no prefix fits.
    pub(crate) fn of_number(&self, number: &str) -> Vec<&NamedZone> {
        let digits = number.strip_prefix('+').unwrap_or(number);
        if !digits.is_ascii() {
            return Vec::new();
        }
        (1..=self.longest.min(digits.len()))
            .rev()
            .find_map(|len| self.prefixes.get(&digits[..len]))
            .map(|ids| ids.iter().filter_map(|id| self.zones.get(*id)).collect())
            .unwrap_or_default()
    }

    /// Names of the zones of a number, for tests and screens.
    #[must_use]
    pub fn names_of(&self, number: &str) -> Vec<String> {
        self.of_number(number)
            .iter()
            .map(|z| z.name.to_string())
            .collect()
    }
}

/// A candidate zone and what speaks for it.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) zone: NamedZone,
    pub(crate) evidence: &'static str,
}

impl Candidate {
    pub(crate) fn to_evidence(&self, now: UtcMs) -> ZoneEvidence {
        ZoneEvidence {
            zone: self.zone.name.to_string(),
            evidence: self.evidence.to_owned(),
            local: now
                .in_zone(&self.zone.tz)
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string(),
        }
    }
}

/// The zones the debtor may be in. A told zone with its recording date replaces the others; without
/// that date it only adds, and so it does where the campaign lets every evidence count. The prefixes of all his phones
/// count then too, and for a point that is no phone.
///
/// # Errors
/// The name of an address or told zone that the zone database does not know.
pub(crate) fn candidates(
    table: &PrefixZones,
    facts: &ContactFacts,
    point: &ContactPoint,
    policy: CampaignZones,
) -> Result<Vec<Candidate>, String> {
    let (debtor, points) = (&facts.debtor, &facts.points);
    let named = |name: &str| {
        crate::time::zone(name)
            .map(|tz| NamedZone {
                name: name.into(),
                tz,
            })
            .map_err(|_| name.to_owned())
    };
    let told = debtor.told_zone.as_deref().map(named).transpose()?;
    let all = !policy.is_pack();
    if let (Some(zone), Some(_), false) = (&told, debtor.told_zone_at, all) {
        return Ok(vec![Candidate {
            zone: zone.clone(),
            evidence: "told",
        }]);
    }
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |zone: NamedZone, evidence| {
        if !found.iter().any(|c| c.zone.name == zone.name) {
            found.push(Candidate { zone, evidence });
        }
    };
    let is_phone =
        |p: &ContactPoint| matches!(p.channel, Channel::Call | Channel::Sms | Channel::Whatsapp);
    if is_phone(point) && !all {
        for zone in table.of_number(point.value.reveal()) {
            add(zone.clone(), "prefix");
        }
    } else {
        for phone in points.iter().filter(|p| is_phone(p)) {
            for zone in table.of_number(phone.value.reveal()) {
                add(zone.clone(), "prefix");
            }
        }
    }
    for name in debtor.address_zone.iter().chain(&facts.address_zones) {
        add(named(name)?, "address");
    }
    if let Some(zone) = told {
        add(zone, "told");
    }
    Ok(found)
}

/// Whether a campaign that asks for a known place may contact who has such evidence: more than a number's prefix.
pub(crate) fn place_known(policy: CampaignZones, facts: &ContactFacts) -> bool {
    policy != CampaignZones::KnownPlace
        || facts.debtor.told_zone.is_some()
        || facts.debtor.address_zone.is_some()
        || !facts.address_zones.is_empty()
}
