//! Everything that reaches a debtor in one count: calls by the carrier's log, messages by the gateway's log,
//! letters as they were printed. Invariants 02, 03 and 13 over all channels.

use super::{Breach, breach};
use crate::post::Posted;
use crate::store::Tables;
use crate::trunk::Invite;
use domain::entity::{Channel, HoldKind, HoldScope, LedgerKind, LedgerRow, Message};
use domain::ids::{DebtorId, PersonId};
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A hold must have been in force this long before a message is a breach (law.md §6: under 1 s).
const HOLD_GRACE_MS: i64 = 1_000;
/// Day number of a Monday: 5 January 1970.
const A_MONDAY: i64 = 4;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Call,
    Message,
    Letter,
    Conversation,
}

/// One act on a person.
#[derive(Debug, Clone, Copy)]
struct Act {
    debtor: DebtorId,
    what: What,
    /// Local day.
    day: i64,
}

const fn week_of(day: i64) -> i64 {
    (day - A_MONDAY).div_euclid(7)
}

/// Days over which a cap counts.
#[derive(Debug, Clone, Copy)]
enum Span {
    Day,
    Rolling(i64),
    Week,
}

/// A cap as law.md §3 prints it.
struct Cap {
    name: &'static str,
    counts: &'static [What],
    limit: usize,
    span: Span,
    gap_days: i64,
}

const fn cap(name: &'static str, counts: &'static [What], limit: usize, span: Span) -> Cap {
    Cap {
        name,
        counts,
        limit,
        span,
        gap_days: 1,
    }
}

/// Caps by country; other countries have none here.
fn caps_of(country: &str) -> Vec<Cap> {
    use What::{Call, Conversation, Letter, Message};
    match country {
        "MX" => vec![
            cap("calls of a day", &[Call], 3, Span::Day),
            cap("calls of seven days", &[Call], 7, Span::Rolling(7)),
            cap("messages of seven days", &[Message], 3, Span::Rolling(7)),
        ],
        "EC" => vec![cap("actions of a day", &[Call, Message], 1, Span::Day)],
        "CL" => vec![
            cap("calls of a day", &[Call], 1, Span::Day),
            cap("calls of a week", &[Call], 5, Span::Week),
            cap("conversations of a week", &[Conversation], 1, Span::Week),
            Cap {
                gap_days: 2,
                ..cap(
                    "remote messages of a week",
                    &[Message, Letter],
                    2,
                    Span::Week,
                )
            },
        ],
        _ => Vec::new(),
    }
}

/// The most acts of one span, and whether two of one span lie closer than the gap.
fn most(days: &[i64], cap: &Cap) -> (usize, bool) {
    let mut most = 0;
    let mut close = false;
    for (n, day) in days.iter().enumerate() {
        let inside = |other: &i64| match cap.span {
            Span::Day => *other == *day,
            Span::Rolling(span) => (0..span).contains(&(*other - *day)),
            Span::Week => week_of(*other) == week_of(*day),
        };
        most = most.max(days[n..].iter().filter(|d| inside(d)).count());
        let next = days.get(n + 1);
        close |= cap.gap_days > 1 && next.is_some_and(|d| d - day < cap.gap_days && inside(d));
    }
    (most, close)
}

fn all_acts(
    tables: &Tables,
    invites: &[Invite],
    posted: &[Posted],
    offset_h: i64,
) -> BTreeMap<PersonId, Vec<Act>> {
    let day = |at: UtcMs| (at.0 + offset_h * HOUR_MS).div_euclid(DAY_MS);
    let mut acts: BTreeMap<PersonId, Vec<Act>> = BTreeMap::new();
    let mut add = |debtor: DebtorId, what, at| {
        if let Some(row) = tables.debtors.get(&debtor) {
            let day = day(at);
            let act = Act { debtor, what, day };
            acts.entry(row.person_id).or_default().push(act);
        }
    };
    for invite in invites {
        if let Some(row) = tables.attempts.get(&invite.attempt) {
            add(row.debtor_id, What::Call, invite.at);
        }
    }
    for sent in posted {
        if let Some(row) = tables.messages.get(&sent.message) {
            add(row.debtor_id, What::Message, sent.at);
        }
    }
    for letter in tables.letters.values() {
        add(letter.debtor_id, What::Letter, letter.made_at);
    }
    // Whom an agent spoke to is in the ledger alone.
    let ours = |r: &&LedgerRow| {
        let made = r
            .attempt_id
            .is_some_and(|a| tables.attempts.contains_key(&a));
        r.kind == LedgerKind::Conversation && made
    };
    for row in tables.ledger.iter().filter(ours) {
        add(row.debtor_id, What::Conversation, row.at);
    }
    for list in acts.values_mut() {
        list.sort_by_key(|a| a.day);
    }
    acts
}

/// 03: the caps of the debtors' countries hold over calls, messages and letters together; for a run that
/// begins with an empty ledger, or with rows of calls alone.
pub(crate) fn caps_hold_over_channels(
    tables: &Tables,
    invites: &[Invite],
    posted: &[Posted],
    offset_h: i64,
    out: &mut Vec<Breach>,
) {
    for (person, acts) in all_acts(tables, invites, posted, offset_h) {
        let first = acts.first().and_then(|a| tables.debtors.get(&a.debtor));
        let country = first.map_or("", |d| d.country.as_str());
        for cap in caps_of(country) {
            let counted = acts.iter().filter(|a| cap.counts.contains(&a.what));
            let days: Vec<i64> = counted.map(|a| a.day).collect();
            let (count, close) = most(&days, &cap);
            if count > cap.limit || close {
                let what = format!("person {person} ({country}): {count} {}", cap.name);
                breach(out, 3, what);
            }
        }
    }
}

/// 02, 03: what left by the telephone, the gateway or the post is counted once in the one ledger.
pub(crate) fn everything_is_counted_once(
    tables: &Tables,
    invites: &[Invite],
    posted: &[Posted],
    out: &mut Vec<Breach>,
) {
    let mut counted: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut letters: BTreeMap<DebtorId, usize> = BTreeMap::new();
    for row in &tables.ledger {
        let of = match (row.kind, row.attempt_id) {
            // A call that reached nobody was a call; a message that never left is kept and not counted.
            (LedgerKind::Attempt, Some(attempt)) => attempt.0,
            _ if row.reached_network == Some(false) => continue,
            _ => row.id.0,
        };
        *counted.entry(of).or_default() += 1;
        if row.channel == Channel::Letter && row.kind == LedgerKind::Message {
            *letters.entry(row.debtor_id).or_default() += 1;
        }
    }
    let calls = invites
        .iter()
        .map(|i| (i.attempt.0, format!("attempt {}", i.attempt)));
    let messages = posted.iter().map(|p| {
        let row = LedgerRow::id_of_message(p.message);
        (row.0, format!("message {}", p.message))
    });
    for (id, name) in calls.chain(messages) {
        let times = counted.get(&id).copied().unwrap_or(0);
        if times != 1 {
            breach(out, 3, format!("{name} left and is counted {times} times"));
        }
    }
    let mut printed: BTreeMap<DebtorId, usize> = BTreeMap::new();
    for letter in tables.letters.values() {
        *printed.entry(letter.debtor_id).or_default() += 1;
    }
    for debtor in printed.keys().chain(letters.keys()) {
        let both = (printed.get(debtor), letters.get(debtor));
        if both.0 != both.1 {
            breach(
                out,
                3,
                format!("debtor {debtor}: letters printed and counted {both:?}"),
            );
            return;
        }
    }
}

/// What a hold says of a message about a debt by a channel.
fn forbids(hold: &domain::entity::Hold, row: &Message, at: UtcMs) -> bool {
    let since = at.since_ms(hold.from) > HOLD_GRACE_MS && hold.active_at(at);
    let silent = match hold.kind {
        HoldKind::Promise | HoldKind::WritingOnly => false,
        HoldKind::ChannelOptout => hold.channel == Some(row.channel),
        _ => true,
    };
    let about = match hold.scope {
        HoldScope::Debtor => true,
        HoldScope::Debt => row.debt_id.is_some() && hold.debt_id == row.debt_id,
        HoldScope::Point => hold.point_id == row.point_id,
    };
    since && silent && about
}

/// 02, 13: no message left without its row, twice, to who is held or has paid, or asked for no more.
pub(crate) fn messages_are_allowed(tables: &Tables, posted: &[Posted], out: &mut Vec<Breach>) {
    let mut holds: BTreeMap<DebtorId, Vec<&domain::entity::Hold>> = BTreeMap::new();
    for hold in tables.holds.values() {
        holds.entry(hold.debtor_id).or_default().push(hold);
    }
    let mut seen = std::collections::BTreeSet::new();
    for sent in posted {
        if !seen.insert(sent.message) {
            breach(out, 2, format!("message {} left twice", sent.message));
        }
        let Some(row) = tables.messages.get(&sent.message) else {
            breach(
                out,
                2,
                format!("a message left without its row: {}", sent.message),
            );
            continue;
        };
        let verdict = row.verdict_id.and_then(|id| tables.verdicts.get(&id));
        if verdict.is_none_or(|v| !v.decision.permits(true) || v.channel != sent.channel) {
            breach(out, 2, format!("message {} has no allowed verdict", row.id));
        }
        let of = holds.get(&row.debtor_id).map_or(&[][..], Vec::as_slice);
        if let Some(hold) = of.iter().find(|h| forbids(h, row, sent.at)) {
            breach(
                out,
                13,
                format!("message {} left under hold {}", row.id, hold.kind),
            );
        }
    }
}
