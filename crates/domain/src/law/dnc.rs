//! Lists of numbers, documents and persons never to be contacted: the company's own always bind; an
//! external one binds unless every pack that names it says that it is not about collection.

use super::finding::{Effect, Finding};
use super::holds::plain;
use super::pack::{DncEntry, LoadedPack};
use crate::entity::{BlockReason, ContactPoint, RuleHit, Suppression, SuppressionKind};
use crate::ports::store::ContactFacts;
use crate::time::{DAY_MS, UtcMs};

/// Mark of a suppression that stands for a hit on an external list.
const LIST: &str = "list:";

fn entry<'a>(loaded: &&'a LoadedPack, name: &str) -> Option<(&'a LoadedPack, &'a DncEntry)> {
    let lists = &loaded.pack.dnc.as_ref()?.lists;
    let found = lists.iter().find(|l| l.list.eq_ignore_ascii_case(name))?;
    Some((*loaded, found))
}

/// Whether a listing names this debtor or point.
fn hits(s: &Suppression, facts: &ContactFacts, point: &ContactPoint) -> bool {
    let debtor = &facts.debtor;
    match s.kind {
        SuppressionKind::Phone => {
            let digits = |v: &str| v.trim_start_matches('+').to_owned();
            digits(s.value.reveal()) == digits(point.value.reveal())
        }
        SuppressionKind::Email => s
            .value
            .reveal()
            .trim()
            .eq_ignore_ascii_case(point.value.reveal().trim()),
        SuppressionKind::Document => {
            let listed = plain(s.value.reveal());
            !listed.is_empty() && listed == plain(debtor.document.reveal())
        }
        SuppressionKind::Person => s.value.reveal().trim() == debtor.person_id.to_string(),
    }
}

const fn what(kind: SuppressionKind) -> (&'static str, &'static str) {
    match kind {
        SuppressionKind::Phone => ("el número", "the number"),
        SuppressionKind::Email => ("el correo", "the e-mail address"),
        SuppressionKind::Document => ("el documento", "the document"),
        SuppressionKind::Person => ("la persona", "the person"),
    }
}

fn listed(s: &Suppression, rule: String) -> Finding {
    let (es, en) = what(s.kind);
    let (who_es, who_en) = if s.client_id.is_none() {
        ("de la instalación", "the installation's")
    } else {
        ("del acreedor", "the creditor's")
    };
    Finding::new(
        BlockReason::Suppressed,
        Effect::Forbid,
        rule,
        (
            format!("{es} está en la lista de exclusión {who_es} ({})", s.reason),
            format!("{en} is on {who_en} suppression list ({})", s.reason),
        ),
    )
}

/// Tests every listing; gives refusals, and the lists that name him and do not bind.
pub(crate) fn test(
    facts: &ContactFacts,
    point: &ContactPoint,
    packs: &[&LoadedPack],
    now: UtcMs,
) -> (Vec<Finding>, Vec<RuleHit>) {
    let (mut found, mut passed) = (Vec::new(), Vec::new());
    let debtor = &facts.debtor;
    let ours = facts
        .suppressions
        .iter()
        .filter(|s| s.lifted_at.is_none_or(|t| now < t))
        .filter(|s| s.client_id.is_none_or(|c| c == debtor.client_id))
        .filter(|s| s.debtor_id.is_none_or(|d| d == debtor.id))
        .filter(|s| hits(s, facts, point));
    for s in ours {
        let Some(name) = s.reason.strip_prefix(LIST) else {
            found.push(listed(s, format!("suppression/{}", s.kind)));
            continue;
        };
        let said: Vec<(&LoadedPack, &DncEntry)> =
            packs.iter().filter_map(|p| entry(p, name)).collect();
        match said.iter().find(|(_, e)| e.binds_collection) {
            Some((pack, _)) => found.push(listed(s, format!("{}/dnc/{name}", pack.pack.id))),
            None if said.is_empty() => found.push(listed(s, format!("house/dnc/{name}"))),
            None => passed.push(RuleHit {
                rule: format!("dnc/{name}"),
                es: format!("está en {name}, que no impide la cobranza"),
                en: format!("is on {name}, which does not bind collection"),
                refused: false,
            }),
        }
    }
    for loaded in packs {
        found.extend(missing(facts, loaded, now));
    }
    (found, passed)
}

/// Binding lists of a pack that were not loaded, or are too old.
fn missing(facts: &ContactFacts, loaded: &LoadedPack, now: UtcMs) -> Vec<Finding> {
    let Some(section) = &loaded.pack.dnc else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for wanted in section.lists.iter().filter(|l| l.binds_collection) {
        let newest = facts
            .lists
            .iter()
            .filter(|l| l.name.eq_ignore_ascii_case(&wanted.list))
            .filter(|l| l.client_id.is_none_or(|c| c == facts.debtor.client_id))
            .map(|l| l.as_of)
            .max();
        let fresh = newest.is_some_and(|as_of| {
            wanted
                .max_age_days
                .is_none_or(|days| now < as_of.plus_ms(i64::from(days) * DAY_MS))
        });
        if !fresh {
            let name = &wanted.list;
            let label = &loaded.pack.name;
            let (es, en) = if newest.is_some() {
                ("es demasiado vieja", "is too old")
            } else {
                ("no está cargada", "is not loaded")
            };
            found.push(Finding::forbid(
                format!("{}/dnc/{name}/list", loaded.pack.id),
                (
                    format!("{label}: la lista {name} {es}"),
                    format!("{label}: the list {name} {en}"),
                ),
            ));
        }
    }
    found
}
