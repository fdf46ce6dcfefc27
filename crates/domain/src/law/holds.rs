//! Holds and suppressions. Holds beat everything (law.md §2.9): every kind of the vocabulary stops
//! contact whether or not a pack lists it; a pack that does is named in the reason.

use super::book::{RuleBook, today};
use super::finding::{Effect, Finding};
use super::pack::LoadedPack;
use super::text;
use crate::entity::{BlockReason, Channel, ContactPoint, DebtStatus, Hold, HoldKind, HoldScope};
use crate::ids::{DebtId, HoldId};
use crate::ports::store::ContactFacts;
use crate::time::{DAY_MS, UtcMs};

/// What the holds leave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// Refusals.
    pub(crate) findings: Vec<Finding>,
    /// Open debts that no hold silences: what a contact would be about.
    pub(crate) debts: Vec<DebtId>,
    /// Every hold in force, of this channel or not.
    pub(crate) active: Vec<HoldId>,
}

impl RuleBook {
    /// When a hold of the debtor ends by itself: as it was asked for, or later where the law of the day on which it
    /// begins fixes its length. `None` = when it is lifted.
    #[must_use]
    pub fn hold_end(&self, facts: &ContactFacts, hold: &Hold) -> Option<UtcMs> {
        let packs = self.stack_of(facts, &[today(hold.from)]);
        packs.map_or(hold.until, |packs| lawful(hold, &packs).until)
    }
}

/// The hold as the packs let it end: where the law fixes its length, no end that was written down comes before that.
/// Who lifts it ends it all the same.
fn lawful(hold: &Hold, packs: &[&LoadedPack]) -> Hold {
    let listed = packs.iter().filter_map(|p| p.pack.holds.as_ref());
    let entries = listed.flat_map(|section| &section.list);
    let least = entries
        .filter(|entry| entry.hold == hold.kind)
        .filter_map(|entry| entry.days)
        .max();
    let end = least.map(|days| hold.from.plus_ms(i64::from(days) * DAY_MS));
    Hold {
        until: hold
            .until
            .map(|until| end.map_or(until, |end| until.max(end))),
        ..hold.clone()
    }
}

/// Whether a hold of this kind stops this channel.
fn stops(hold: &Hold, channel: Channel) -> bool {
    match hold.kind {
        HoldKind::WritingOnly => channel != Channel::Letter,
        HoldKind::ChannelOptout => hold.channel.is_none_or(|c| c == channel),
        // A promise silences the dialer; its reminders are messages (terms.md §6).
        HoldKind::Promise => matches!(channel, Channel::Call | Channel::Visit),
        _ => true,
    }
}

fn finding(hold: &Hold, packs: &[&LoadedPack], about: (&str, &str)) -> Finding {
    let listed = packs.iter().find(|p| {
        p.pack
            .holds
            .as_ref()
            .is_some_and(|h| h.list.iter().any(|e| e.hold == hold.kind))
    });
    let rule = listed.map_or_else(
        || format!("house/hold/{}", hold.kind),
        |p| format!("{}/hold/{}", p.pack.id, hold.kind),
    );
    let (es, en) = text::hold(hold.kind);
    Finding::new(
        BlockReason::Hold,
        hold.until.map_or(Effect::Forbid, Effect::HoldUntil),
        rule,
        (
            format!("bloqueo: {es}{}", about.0),
            format!("hold: {en}{}", about.1),
        ),
    )
}

/// Tests every hold in force.
pub(crate) fn test(
    facts: &ContactFacts,
    point: &ContactPoint,
    channel: Channel,
    packs: &[&LoadedPack],
    now: UtcMs,
) -> Held {
    let mut active: Vec<Hold> = facts.holds.iter().map(|h| lawful(h, packs)).collect();
    active.retain(|h| h.active_at(now));
    let mut held = Held {
        active: active.iter().map(|h| h.id).collect(),
        ..Held::default()
    };
    active.retain(|h| stops(h, channel));
    for hold in &active {
        match hold.scope {
            HoldScope::Debtor => held.findings.push(finding(hold, packs, ("", ""))),
            // A hold that does not say which point or debt is read as all of them.
            HoldScope::Point if hold.point_id.is_none_or(|id| id == point.id) => {
                held.findings
                    .push(finding(hold, packs, (" (este punto)", " (this point)")));
            }
            HoldScope::Debt if hold.debt_id.is_none() => {
                held.findings.push(finding(hold, packs, ("", "")));
            }
            HoldScope::Point | HoldScope::Debt => {}
        }
    }
    let mut silenced: Vec<Finding> = Vec::new();
    for debt in &facts.debts {
        if debt.status != DebtStatus::Open {
            silenced.push(closed_debt(debt.status));
            continue;
        }
        let on_debt: Vec<&Hold> = active
            .iter()
            .filter(|h| h.scope == HoldScope::Debt && h.debt_id == Some(debt.id))
            .collect();
        if on_debt.is_empty() {
            held.debts.push(debt.id);
        }
        silenced.extend(
            on_debt
                .iter()
                .map(|h| finding(h, packs, (" (la deuda)", " (the debt)"))),
        );
    }
    if held.debts.is_empty() {
        if silenced.is_empty() {
            silenced.push(Finding::forbid(
                "house/no_open_debt",
                (
                    "no tiene ninguna deuda abierta".into(),
                    "there is no open debt".into(),
                ),
            ));
        }
        held.findings.append(&mut silenced);
    }
    held
}

fn closed_debt(status: DebtStatus) -> Finding {
    let (name, es, en) = match status {
        DebtStatus::Paid => ("paid", "la deuda está pagada", "the debt is paid"),
        DebtStatus::Recalled => (
            "recalled",
            "el acreedor retiró la deuda",
            "the creditor recalled the debt",
        ),
        DebtStatus::Open | DebtStatus::Closed => {
            ("closed", "la deuda está cerrada", "the debt is closed")
        }
    };
    Finding::new(
        BlockReason::Hold,
        Effect::Forbid,
        format!("house/debt/{name}"),
        (es.to_owned(), en.to_owned()),
    )
}

/// Letters and digits of a document, capitals: how lists and files are compared.
pub(crate) fn plain(document: &str) -> String {
    document
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}
