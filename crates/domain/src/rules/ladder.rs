//! Which number of a debtor next (terms.md §10 `point_ladder`): a campaign's keys over what the ledger
//! says of each number.

use super::retry::part_of_day;
use crate::entity::{Channel, ContactPoint, LadderKey, LedgerKind, PartyRole, PointClass};
use crate::ids::PointId;
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use jiff::tz::TimeZone;
use std::cmp::Reverse;

/// What the ledger says of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    tries: u32,
    tries_in_part: u32,
    talks_in_part: u32,
}

fn seen(facts: &ContactFacts, point: PointId, now: UtcMs, zone: &TimeZone) -> Seen {
    let part = part_of_day(now, zone);
    let mut all = Seen::default();
    let ours = facts
        .ledger
        .iter()
        .filter(|r| r.channel == Channel::Call && r.point_id == Some(point));
    for row in ours {
        let here = part_of_day(row.at, zone) == part;
        match row.kind {
            LedgerKind::Attempt if row.reached_network != Some(false) => {
                all.tries += 1;
                all.tries_in_part += u32::from(here);
            }
            LedgerKind::Conversation => all.talks_in_part += u32::from(here),
            _ => {}
        }
    }
    all
}

/// Sorts the numbers by the keys, best first, those of the main debtor before those of who owes with him; equal ones
/// by identity, so that the order never wavers.
pub fn order_points(
    points: &mut [&ContactPoint],
    keys: &[LadderKey],
    facts: &ContactFacts,
    now: UtcMs,
    zone: &TimeZone,
) {
    let looks = keys
        .iter()
        .any(|k| matches!(k, LadderKey::DayPart | LadderKey::LeastTried));
    points.sort_by_cached_key(|point| {
        let seen = if looks {
            seen(facts, point.id, now, zone)
        } else {
            Seen::default()
        };
        let value = |key: &LadderKey| -> i64 {
            let is = |class| i64::from(point.class == class);
            match key {
                LadderKey::Answered => point.last_rpc_at.map_or(i64::MIN, |at| at.0),
                LadderKey::Confidence => i64::from(point.confidence),
                LadderKey::Position => -i64::from(point.position),
                LadderKey::DayPart if seen.talks_in_part > 0 => 1,
                LadderKey::DayPart => -i64::from(seen.tries_in_part),
                LadderKey::LeastTried => -i64::from(seen.tries),
                LadderKey::Mobile => is(PointClass::Mobile),
                LadderKey::Home => is(PointClass::Home),
                LadderKey::Work => is(PointClass::Work),
            }
        };
        let values: Vec<i64> = keys.iter().map(value).collect();
        let other = point.role != PartyRole::Titular;
        (other, Reverse(values), point.id)
    });
}
