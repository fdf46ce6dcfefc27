//! Who is called: invariants 01, 02, 03, 13.

use super::{Breach, Limits, breach, spans};
use crate::store::Tables;
use crate::trunk::Invite;
use domain::entity::{Channel, HoldKind, HoldScope};
use domain::ids::PersonId;
use domain::time::{DAY_MS, HOUR_MS, UtcMs};
use std::collections::{BTreeMap, BTreeSet};

/// A verdict must have been given at most this long before its INVITE.
const FRESH_MS: i64 = 5_000;
/// A hold must have been in force this long before an INVITE is a breach (law.md §6: under 1 s).
const HOLD_GRACE_MS: i64 = 1_000;

/// 01: one live attempt a debtor (and his person).
pub(super) fn one_live_attempt(tables: &Tables, out: &mut Vec<Breach>) {
    let mut by_person: BTreeMap<PersonId, Vec<(UtcMs, UtcMs)>> = BTreeMap::new();
    for (attempt, from, to) in spans(tables) {
        by_person
            .entry(attempt.person_id)
            .or_default()
            .push((from, to));
    }
    for (person, mut list) in by_person {
        list.sort();
        if list.windows(2).any(|w| w[1].0 < w[0].1) {
            breach(
                out,
                1,
                format!("person {person} has two live attempts at once"),
            );
        }
    }
}

/// 02: no INVITE without a durable attempt and a fresh allowed verdict; never two for one attempt.
pub(super) fn invites_are_durable_and_allowed(
    tables: &Tables,
    invites: &[Invite],
    out: &mut Vec<Breach>,
) {
    let mut seen = BTreeSet::new();
    for invite in invites {
        if !seen.insert(invite.attempt) {
            breach(
                out,
                2,
                format!("attempt {} was dialed twice", invite.attempt),
            );
        }
        let Some(attempt) = tables.attempts.get(&invite.attempt) else {
            breach(
                out,
                2,
                format!("INVITE without an attempt: {}", invite.attempt),
            );
            continue;
        };
        if attempt.phone.reveal() != &invite.number || attempt.opened_at > invite.at {
            breach(
                out,
                2,
                format!("attempt {} does not fit its INVITE", attempt.id),
            );
        }
        match tables.verdicts.get(&attempt.verdict_id) {
            Some(verdict)
                if verdict.decision.permits(attempt.agent_reserved)
                    && invite.at.since_ms(verdict.at) <= FRESH_MS
                    && verdict.point_id == Some(attempt.point_id) => {}
            _ => breach(
                out,
                2,
                format!("attempt {} has no fresh allowed verdict", attempt.id),
            ),
        }
    }
}

/// 03: caps per person over numbers, campaigns and restarts, counted from the carrier's log.
pub(super) fn caps_hold(
    tables: &Tables,
    invites: &[Invite],
    limits: &Limits,
    out: &mut Vec<Breach>,
) {
    let mut days: BTreeMap<PersonId, Vec<i64>> = BTreeMap::new();
    for invite in invites {
        if let Some(attempt) = tables.attempts.get(&invite.attempt) {
            let local = invite.at.0 + limits.zone_offset_h * HOUR_MS;
            days.entry(attempt.person_id)
                .or_default()
                .push(local.div_euclid(DAY_MS));
        }
    }
    for (person, list) in days {
        for day in &list {
            let today = list.iter().filter(|d| *d == day).count();
            let week = list
                .iter()
                .filter(|d| (*d - day).rem_euclid(i64::MAX) < 7 && *d >= day)
                .count();
            if today > limits.attempts_per_day {
                breach(
                    out,
                    3,
                    format!("person {person}: {today} attempts in a day"),
                );
                break;
            }
            if week > limits.attempts_per_week {
                breach(
                    out,
                    3,
                    format!("person {person}: {week} attempts in seven days"),
                );
                break;
            }
        }
    }
}

/// 13: a paid or held debtor is not contacted.
pub(super) fn paid_and_held_are_left_alone(
    tables: &Tables,
    invites: &[Invite],
    out: &mut Vec<Breach>,
) {
    for invite in invites {
        let Some(attempt) = tables.attempts.get(&invite.attempt) else {
            continue;
        };
        let held = tables.holds.values().find(|h| {
            // Who opted out of messages alone may be called.
            let stops = h.kind != HoldKind::ChannelOptout
                || h.channel.is_none_or(|channel| channel == Channel::Call);
            h.debtor_id == attempt.debtor_id
                && stops
                && h.active_at(invite.at)
                && invite.at.since_ms(h.from) > HOLD_GRACE_MS
                && match h.scope {
                    HoldScope::Debtor => true,
                    HoldScope::Debt => attempt.debts.iter().all(|d| h.debt_id == Some(*d)),
                    HoldScope::Point => h.point_id == Some(attempt.point_id),
                }
        });
        if let Some(hold) = held {
            breach(
                out,
                13,
                format!(
                    "attempt {} was sent at {} under hold {} of {} from {} until {:?}, lifted {:?}",
                    attempt.id,
                    invite.at,
                    hold.kind,
                    hold.evidence,
                    hold.from,
                    hold.until,
                    hold.lifted_at
                ),
            );
        }
    }
}
