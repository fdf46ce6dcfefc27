//! The number that a call shows (law.md §1 `caller_id`, §6): never hidden, and of the kind that each pack of the
//! debtor demands.

use super::book::RuleBook;
use super::finding::Finding;
use super::local::date_of;
use super::pack::{LoadedPack, Pack};
use super::zones;
use crate::ValueError;
use crate::entity::{CallerSeen, CampaignZones, RuleHit};
use crate::phone::{self, NumberClass};
use crate::ports::store::ContactFacts;
use crate::time::{DAY_MS, UtcMs};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Rule id under which a number that may be shown is written of.
pub(crate) const PASSED: &str = "caller_id";
/// Word of a pack whose class of number the installation chooses.
pub(super) const CONFIGURABLE: &str = "configurable";
/// Word of a pack that lets no mobile number be shown. Whether the ban on commercial calls binds those of collection
/// is not settled: the strict reading (law.md §3, Spain).
pub(super) const NO_MOBILE: &str = "forbidden_for_commercial";
/// Days for which a call that came in shows that the way back works [H].
const TESTED_DAYS: i64 = 90;

/// Classes of number that an installation demands, by pack.
pub(crate) type Classes = BTreeMap<String, NumberClass>;

/// Reads `es=fixed, gb=fixed`.
pub(crate) fn classes(text: &str, known: &[&str]) -> Result<Classes, ValueError> {
    let mut found = Classes::new();
    for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let (pack, class) = part.split_once('=').ok_or_else(|| {
            ValueError::malformed("number class", "expected PACK=CLASS, as es=fixed")
        })?;
        let (pack, class) = (pack.trim(), class.trim());
        if !known.contains(&pack) {
            return Err(ValueError::unknown_name("number class: pack", pack, known));
        }
        found.insert(pack.to_owned(), class.parse()?);
    }
    Ok(found)
}

/// What is asked of a number.
struct Shown<'a> {
    caller: &'a CallerSeen,
    today: Date,
    now: UtcMs,
    classes: &'a Classes,
}

/// A refusal of one pack: what of its section, and in words.
type Fault = (&'static str, String, String);

impl Shown<'_> {
    fn faults(&self, pack: &Pack) -> Vec<Fault> {
        let mut found = Vec::new();
        if let Some(rule) = &pack.caller_id {
            let since = rule.since.as_deref().and_then(|d| d.parse::<Date>().ok());
            if let Some(prefix) = rule.prefix.as_deref()
                && since.is_none_or(|since| since <= self.today)
            {
                found.extend(self.prefix(pack, prefix));
            }
            if let Some(list) = rule
                .registered_list
                .as_deref()
                .filter(|_| !self.caller.registered)
            {
                found.push((
                    "registered_list",
                    format!("el número que se muestra no está en {list}"),
                    format!("the number shown is not on {list}"),
                ));
            }
            if rule.must_accept_callback == Some(true) {
                found.extend(self.way_back());
            }
            found.extend(self.class(pack));
        }
        found.extend(self.signature(pack));
        found
    }

    fn prefix(&self, pack: &Pack, prefix: &str) -> Option<Fault> {
        let of_here = pack
            .jurisdiction
            .iter()
            .any(|j| j.get(..2) == Some(self.caller.country.as_str()));
        let national = phone::national(&self.caller.number).unwrap_or_default();
        (!of_here || !national.starts_with(prefix)).then(|| {
            (
                "prefix",
                format!("el número que se muestra tiene que empezar por {prefix}"),
                format!("the number shown has to begin with {prefix}"),
            )
        })
    }

    fn way_back(&self) -> Option<Fault> {
        let fresh = |at: UtcMs| self.now < at.plus_ms(TESTED_DAYS * DAY_MS);
        (!self.caller.callback_at.is_some_and(fresh)).then(|| {
            (
                "must_accept_callback",
                format!(
                    "nadie probó en {TESTED_DAYS} días que al llamar al número que se muestra se llega a nosotros"
                ),
                format!("nobody tested within {TESTED_DAYS} days that calling the number shown reaches us"),
            )
        })
    }

    fn class(&self, pack: &Pack) -> Option<Fault> {
        let rule = pack.caller_id.as_ref()?;
        let class = phone::class(&self.caller.number);
        if rule.mobile_origin.as_deref() == Some(NO_MOBILE) && class == NumberClass::Mobile {
            return Some((
                "mobile_origin",
                "no se puede mostrar un número móvil".to_owned(),
                "a mobile number may not be shown".to_owned(),
            ));
        }
        let wanted = match rule.number_class.as_deref()? {
            CONFIGURABLE => *self.classes.get(&pack.id)?,
            named => named.parse().ok()?,
        };
        (class != wanted).then(|| {
            (
                "number_class",
                format!("el número que se muestra es {class} y tiene que ser {wanted}"),
                format!("the number shown is {class} and has to be {wanted}"),
            )
        })
    }

    /// Above so many calls of the company in the month each has to be signed.
    fn signature(&self, pack: &Pack) -> Option<Fault> {
        let telco = pack.telco.as_ref()?;
        let over = u64::from(telco.authentication_over_calls_month?);
        let date = |text: &Option<String>| text.as_deref().and_then(|d| d.parse::<Date>().ok());
        let begun = date(&telco.authentication_from).is_none_or(|from| from <= self.today);
        let lasts = date(&telco.authentication_to).is_none_or(|to| self.today <= to);
        let calls = self.caller.month_calls?;
        (begun && lasts && calls >= over && !self.caller.signed).then(|| {
            (
                "signature",
                format!(
                    "van {calls} llamadas este mes y desde {over} el número tiene que ir firmado"
                ),
                format!("{calls} calls this month, and from {over} on the number has to be signed"),
            )
        })
    }
}

/// What stands against the number that a call would show, and what is written of it where nothing does.
pub(crate) fn test(
    caller: &CallerSeen,
    packs: &[&LoadedPack],
    (today, now): (Date, UtcMs),
    classes: &Classes,
) -> (Vec<Finding>, Vec<RuleHit>) {
    if caller.number.is_empty() {
        let texts = (
            "no hay ningún número que mostrar y ocultarlo está prohibido".to_owned(),
            "there is no number to show, and hiding it is forbidden".to_owned(),
        );
        return (vec![Finding::forbid("house/caller_id", texts)], Vec::new());
    }
    let shown = Shown {
        caller,
        today,
        now,
        classes,
    };
    let mut found = Vec::new();
    for loaded in packs {
        let label = &loaded.pack.name;
        for (part, es, en) in shown.faults(&loaded.pack) {
            let rule = format!("{}/caller_id.{part}", loaded.pack.id);
            found.push(Finding::forbid(
                rule,
                (format!("{label}: {es}"), format!("{label}: {en}")),
            ));
        }
    }
    let passed = RuleHit {
        rule: PASSED.to_owned(),
        es: "el número que se muestra es el que la ley pide".to_owned(),
        en: "the number shown is what the law asks for".to_owned(),
        refused: false,
    };
    let passed = if found.is_empty() {
        vec![passed]
    } else {
        Vec::new()
    };
    (found, passed)
}

impl RuleBook {
    /// Which of several numbers a call to the debtor may show.
    #[must_use]
    pub fn callers_fit(
        &self,
        facts: &ContactFacts,
        callers: &[CallerSeen],
        now: UtcMs,
    ) -> Vec<bool> {
        let dates: Vec<Date> = facts
            .points
            .iter()
            .filter_map(|p| zones::candidates(&self.prefixes, facts, p, CampaignZones::Pack).ok())
            .flatten()
            .map(|z| date_of(now, &z.zone.tz))
            .collect();
        let today = super::book::today(now);
        let dates = if dates.is_empty() { vec![today] } else { dates };
        let packs = self.stack_of(facts, &dates).unwrap_or_default();
        let latest = dates.iter().copied().max().unwrap_or(today);
        callers
            .iter()
            .map(|caller| {
                test(caller, &packs, (latest, now), &self.classes)
                    .0
                    .is_empty()
            })
            .collect()
    }
}
