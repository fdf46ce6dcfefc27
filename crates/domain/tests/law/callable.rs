//! The stretch in which a debtor may be called, against the verdicts themselves, minute by minute.

use crate::case::{CL, CO, Case, Home, MX, RING_MS, US, at};
use domain::entity::{
    Channel, Consent, HoldKind, HoldScope, LedgerKind, Preference, PreferenceKind,
};
use domain::ids::{ConsentId, DebtorId, PreferenceId};
use domain::law::{Action, Judge as _};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMs};

/// Between two verdicts of the walk, ms.
const STEP_MS: i64 = 7 * MINUTE_MS;
/// Monday.
const START: &str = "2026-11-23T00:10";

fn by_hand(case: &Case, now: UtcMs) -> Action {
    Action {
        point_id: None,
        agent_reserved: true,
        now,
        ..case.action.clone()
    }
}

fn may(case: &Case, now: UtcMs) -> bool {
    let verdict = case.book.judge(&case.facts, &by_hand(case, now));
    verdict.decision.permits(true)
}

/// Walks a week from stretch to stretch; no minute may be told otherwise than the verdict of that minute.
fn agrees(case: &Case, zone: &str) -> i64 {
    let start = at(START, zone);
    let end = start.plus_ms(7 * DAY_MS);
    let (mut now, mut open) = (start, 0);
    while now < end {
        let (from, until) = case.book.callable(&case.facts, &by_hand(case, now));
        assert!(from >= now && until >= from, "{now:?} {from:?} {until:?}");
        let mut minute = now;
        while minute < until.min(end) {
            let told = from <= minute;
            assert_eq!(
                told,
                may(case, minute),
                "{minute:?} of {from:?} to {until:?}"
            );
            open += i64::from(told);
            minute = minute.plus_ms(STEP_MS);
        }
        if from < until {
            assert!(may(case, from) && may(case, until.plus_ms(-1)), "both ends");
        }
        now = until.max(now.plus_ms(1));
    }
    open
}

const HOMES: [Home; 4] = [MX, CO, CL, US];

#[test]
fn the_hours_of_a_week() {
    for home in HOMES {
        let open = agrees(&Case::new(home), home.zone);
        assert!(open > 5 * 8 * 60 / 7, "{}: {open} steps", home.country);
    }
}

#[test]
fn caps_holds_consents_and_wishes_cut_it() {
    for home in HOMES {
        let mut case = Case::new(home);
        let monday = at(START, home.zone);
        let noon = monday.plus_ms(12 * HOUR_MS);
        let whole = agrees(&case, home.zone);
        case.row(LedgerKind::Conversation, noon);
        case.hold(
            HoldKind::Dispute,
            HoldScope::Debtor,
            noon.plus_ms(DAY_MS + HOUR_MS),
        )
        .until = Some(noon.plus_ms(DAY_MS + 3 * HOUR_MS));
        case.facts.preferences.push(Preference {
            id: PreferenceId(crate::case::id(4_000)),
            debtor_id: DebtorId(crate::case::id(1)),
            kind: PreferenceKind::NotBetween,
            channel: Some(Channel::Call),
            point_id: None,
            days: Vec::new(),
            from: Some("13:00".into()),
            to: Some("14:30".into()),
            recorded_at: UtcMs(0),
            until: Some(noon.plus_ms(4 * DAY_MS)),
            revoked_at: None,
            proof: String::new(),
        });
        case.facts.consents.push(Consent {
            id: ConsentId(crate::case::id(5_000)),
            debtor_id: DebtorId(crate::case::id(1)),
            channel: Channel::Call,
            purpose: "contact".into(),
            granted_at: UtcMs(0),
            until: Some(noon.plus_ms(2 * DAY_MS)),
            revoked_at: None,
            proof: String::new(),
            revoke_proof: None,
        });
        let cut = agrees(&case, home.zone);
        assert!(cut < whole, "{}: {cut} of {whole}", home.country);
    }
}

#[test]
fn the_ring_time_ends_it_before_the_hours_do() {
    let case = Case::new(MX);
    let now = at("2026-11-24T12:00", MX.zone);
    let (from, until) = case.book.callable(&case.facts, &by_hand(&case, now));
    assert_eq!(from, now);
    let mut silent = by_hand(&case, now);
    silent.ring_timeout_ms = 0;
    let (_, end) = case.book.callable(&case.facts, &silent);
    assert_eq!(end.since_ms(until), RING_MS);
}

#[test]
fn who_may_never_be_called_is_asked_again_later() {
    let mut case = Case::new(MX);
    case.facts.points.clear();
    let now = at("2026-11-24T12:00", MX.zone);
    let (from, until) = case.book.callable(&case.facts, &by_hand(&case, now));
    assert_eq!(from, until);
    assert!(from > now);
}
