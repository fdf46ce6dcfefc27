//! Rules about a channel or a person whatever the hour: visits, messages, marks of vulnerable persons,
//! and wishes about channels and places.

use super::finding::{Effect, Finding};
use super::pack::{ForbiddenPerson, LoadedPack, VisitRule, VulnerableEffect};
use super::text;
use super::wishes;
use crate::entity::{
    BlockReason, Channel, Consent, ContactPoint, PartyRole, Preference, PreferenceKind, RuleHit,
};
use crate::ids::DebtId;
use crate::ports::store::ContactFacts;
use crate::rules::disclosure::{ASKS_OPT_OUT, HIDES};
use crate::time::{DAY_MS, UtcMs};

/// Words in a product that make it microcredit or agricultural.
const VISITED_PRODUCTS: [&str; 3] = ["microcr", "agro", "agríc"];

/// What is being judged.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) facts: &'a ContactFacts,
    pub(crate) point: &'a ContactPoint,
    pub(crate) channel: Channel,
    pub(crate) debts: &'a [DebtId],
    pub(crate) now: UtcMs,
}

impl Asked<'_> {
    fn consent(&self, purpose: &str) -> Option<&Consent> {
        self.facts.consents.iter().find(|c| {
            c.purpose == purpose
                && c.channel == self.channel
                && c.granted_at <= self.now
                && c.until.is_none_or(|t| self.now < t)
                && c.revoked_at.is_none_or(|t| self.now < t)
        })
    }

    /// Preferences in force for this point.
    fn prefs(&self) -> impl Iterator<Item = &Preference> {
        self.facts
            .preferences
            .iter()
            .filter(|p| p.active_at(self.now))
            .filter(|p| p.point_id.is_none_or(|id| id == self.point.id))
    }
}

/// Refusals, and what was tested and passed on conditions.
pub(crate) fn test(asked: &Asked<'_>, packs: &[&LoadedPack]) -> (Vec<Finding>, Vec<RuleHit>) {
    let (mut found, mut passed) = (wished(asked, packs), Vec::new());
    for loaded in packs {
        found.extend(visit(asked, loaded));
        found.extend(checked_number(asked, loaded));
        passed.extend(opt_out(asked, loaded));
    }
    passed.extend(preview(asked.channel, packs));
    found.extend(marks(asked, packs));
    (found, passed)
}

fn visit(asked: &Asked<'_>, loaded: &LoadedPack) -> Option<Finding> {
    let rule = loaded.pack.visits.as_ref()?.rule;
    if asked.channel != Channel::Visit {
        return None;
    }
    let label = &loaded.pack.name;
    let (es, en) = match rule {
        VisitRule::Allowed => return None,
        VisitRule::Forbidden => ("no se permiten visitas", "visits are forbidden"),
        VisitRule::MicrocreditOrAgroWithConsent => {
            let fits = asked
                .facts
                .debts
                .iter()
                .filter(|d| asked.debts.contains(&d.id))
                .all(|d| {
                    let product = d.product.to_lowercase();
                    VISITED_PRODUCTS.iter().any(|w| product.contains(w))
                });
            if fits && !asked.debts.is_empty() && asked.consent("contact").is_some() {
                return None;
            }
            (
                "visitas solo por microcrédito o crédito agropecuario y con su consentimiento",
                "visits only for microcredit or agricultural credit, with his consent",
            )
        }
    };
    Some(Finding::forbid(
        format!("{}/visits", loaded.pack.id),
        (format!("{label}: {es}"), format!("{label}: {en}")),
    ))
}

/// An SMS needs a recent check that the number still is the debtor's: a record `number_check`.
fn checked_number(asked: &Asked<'_>, loaded: &LoadedPack) -> Option<Finding> {
    let days = loaded.pack.messages.as_ref()?.sms_reassigned_check_days?;
    let fresh = asked
        .consent("number_check")
        .is_some_and(|c| asked.now < c.granted_at.plus_ms(i64::from(days) * DAY_MS));
    (asked.channel == Channel::Sms && !fresh).then(|| {
        let label = &loaded.pack.name;
        Finding::forbid(
            format!("{}/messages/number_check", loaded.pack.id),
            (
                format!("{label}: el número no se verificó en los últimos {days} días"),
                format!("{label}: the number was not checked within the last {days} days"),
            ),
        )
    })
}

/// Channels whose texts are seen by whoever holds the phone or the mailbox.
const fn remote(channel: Channel) -> bool {
    matches!(
        channel,
        Channel::Sms | Channel::Whatsapp | Channel::Email | Channel::Push
    )
}

/// What a text hides before it is opened: a condition of the verdict, not a refusal. It is the house's; all
/// packs together may let a channel show it.
fn preview(channel: Channel, packs: &[&LoadedPack]) -> Option<RuleHit> {
    let shows = |p: &&LoadedPack| {
        let messages = p.pack.messages.as_ref();
        messages.is_some_and(|m| m.may_show.contains(&channel))
    };
    if !remote(channel) || (!packs.is_empty() && packs.iter().all(shows)) {
        return None;
    }
    let silent = |p: &&&LoadedPack| {
        let parties = p.pack.parties.as_ref();
        parties.is_some_and(|p| p.third_party.is_some())
    };
    let by = packs.iter().find(silent).map_or("house", |p| &p.pack.id);
    Some(RuleHit {
        rule: format!("{by}{HIDES}"),
        es: "lo que se ve sin abrir no dice monto, acreedor ni deuda".to_owned(),
        en: "what is seen unopened tells no amount, creditor or debt".to_owned(),
        refused: false,
    })
}

/// What the text has to hold: a condition of the verdict, not a refusal.
fn opt_out(asked: &Asked<'_>, loaded: &LoadedPack) -> Option<RuleHit> {
    (remote(asked.channel) && loaded.pack.messages.as_ref()?.optout_in_each).then(|| RuleHit {
        rule: format!("{}{ASKS_OPT_OUT}", loaded.pack.id),
        es: format!("{}: el texto dice cómo darse de baja", loaded.pack.name),
        en: format!("{}: the text says how to opt out", loaded.pack.name),
        refused: false,
    })
}

/// Channels and places that the debtor asked for or asked to be left out.
fn wished(asked: &Asked<'_>, packs: &[&LoadedPack]) -> Vec<Finding> {
    let rule = wishes::rule(packs);
    let (es, en) = text::by_channel(asked.channel);
    let mut found = Vec::new();
    let only: Vec<Channel> = asked
        .prefs()
        .filter(|p| p.kind == PreferenceKind::OnlyChannel)
        .filter_map(|p| p.channel)
        .collect();
    let refused = asked
        .prefs()
        .any(|p| p.kind == PreferenceKind::NotChannel && p.channel == Some(asked.channel));
    if refused || (!only.is_empty() && !only.contains(&asked.channel)) {
        found.push(Finding::forbid(
            format!("{rule}/channel"),
            (
                format!("pidió no ser contactado {es}"),
                format!("asked not to be contacted {en}"),
            ),
        ));
    }
    let not_here = asked
        .prefs()
        .any(|p| p.kind == PreferenceKind::NotPoint && p.point_id == Some(asked.point.id));
    if not_here {
        found.push(Finding::forbid(
            format!("{rule}/point"),
            (
                "pidió no ser contactado en este punto".into(),
                "asked not to be contacted at this point".into(),
            ),
        ));
    }
    found
}

const fn named(kind: PreferenceKind) -> Option<(&'static str, &'static str)> {
    match kind {
        PreferenceKind::Minor => Some(("menor de edad", "a minor")),
        PreferenceKind::Elderly => Some(("persona mayor", "an elderly person")),
        PreferenceKind::Health => Some(("persona con salud delicada", "a person in poor health")),
        _ => None,
    }
}

/// Marks of vulnerable persons. The house floor: a minor is never contacted, for the others an agent is
/// reserved first.
fn marks(asked: &Asked<'_>, packs: &[&LoadedPack]) -> Vec<Finding> {
    let mut found = Vec::new();
    for mark in asked.prefs() {
        let Some((who_es, who_en)) = named(mark.kind) else {
            continue;
        };
        let floor = if mark.kind == PreferenceKind::Minor {
            VulnerableEffect::NoContact
        } else {
            VulnerableEffect::AgentOnly
        };
        found.push(vulnerable(
            asked.channel,
            floor,
            format!("house/vulnerable/{}", mark.kind),
            ("regla de la casa", "house rule"),
            (who_es, who_en),
        ));
        for loaded in packs {
            let label = (loaded.pack.name.as_str(), loaded.pack.name.as_str());
            if let Some(section) = &loaded.pack.vulnerable
                && section.marks.contains(&mark.kind)
            {
                let rule = format!("{}/vulnerable/{}", loaded.pack.id, mark.kind);
                let effect = section.effect;
                found.push(vulnerable(
                    asked.channel,
                    effect,
                    rule,
                    label,
                    (who_es, who_en),
                ));
            }
            let forbidden = loaded
                .pack
                .parties
                .as_ref()
                .is_some_and(|p| p.forbidden.contains(&ForbiddenPerson::ElderlyUnlessDebtor));
            let third = asked.point.role != PartyRole::Titular;
            if forbidden && third && mark.kind == PreferenceKind::Elderly {
                let rule = format!("{}/parties.forbidden/elderly", loaded.pack.id);
                let no = VulnerableEffect::NoContact;
                found.push(vulnerable(asked.channel, no, rule, label, (who_es, who_en)));
            }
        }
    }
    let none = |f: &Finding| f.rule.is_empty();
    found.retain(|f| !none(f));
    found
}

/// One mark's finding; a letter passes `writing_only`, and then says nothing (an empty rule).
fn vulnerable(
    channel: Channel,
    effect: VulnerableEffect,
    rule: String,
    label: (&str, &str),
    who: (&str, &str),
) -> Finding {
    let texts = |es: &str, en: &str| {
        (
            format!("{}: {}; {es}", label.0, who.0),
            format!("{}: {}; {en}", label.1, who.1),
        )
    };
    match effect {
        VulnerableEffect::NoContact => {
            Finding::forbid(rule, texts("no se contacta", "is not contacted"))
        }
        VulnerableEffect::WritingOnly if channel == Channel::Letter => {
            Finding::forbid(String::new(), (String::new(), String::new()))
        }
        VulnerableEffect::WritingOnly => {
            Finding::forbid(rule, texts("solo por escrito", "in writing only"))
        }
        VulnerableEffect::AgentOnly => Finding::new(
            BlockReason::Rule,
            Effect::AgentOnly,
            rule,
            texts(
                "solo con agente reservado",
                "only with an agent reserved first",
            ),
        ),
    }
}
