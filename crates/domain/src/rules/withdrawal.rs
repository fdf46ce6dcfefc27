//! What money takes back that was written or planned before it came, and what of it may be planned again.
//!
//! Money withdraws every contact of its debtor, about whichever debt (law.md, "cancel queued, scheduled and ringing
//! actions of every channel"): nobody who has just paid is dunned with words of before. What is made once it is
//! there, a receipt for it among them, was made with it known and stands.

use crate::entity::{PlannedStep, StepAction};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;
use uuid::Uuid;

/// Reason of what was withdrawn because its debtor paid, and still owes.
pub const PAID_PART: &str = "paid_part";

/// Stands behind the plan key of what was withdrawn, so that the key itself may be planned anew.
const FREED: &str = "#paid";

/// Reasons for which money, or what follows from it, withdraws: money that is taken back may undo each of them.
const OF_MONEY: &[&str] = &[
    PAID_PART,
    "debt_closed",
    "promise_over",
    "instalment_over",
    "date_changed",
];

/// Why a message that was made at an instant goes no more, where its debtor's last money came at `paid_at`.
#[must_use]
pub fn paid_since(made_at: UtcMs, paid_at: Option<UtcMs>) -> Option<&'static str> {
    paid_at.is_some_and(|at| made_at <= at).then_some(PAID_PART)
}

/// The same for a step that is no message. One that only asks a person to look at the case is no contact: it waits
/// on while something of its debt is overdue, for it is not planned anew once its day is over.
#[must_use]
pub fn step_paid(
    facts: &ContactFacts,
    step: &PlannedStep,
    paid_at: Option<UtcMs>,
) -> Option<&'static str> {
    let looks = matches!(step.action, StepAction::Review | StepAction::HandOver);
    let overdue = || {
        let mut its = facts
            .debts
            .iter()
            .filter(|d| step.debt_id.is_none_or(|id| id == d.id));
        its.any(|d| d.overdue_minor > 0)
    };
    paid_since(step.created_at, paid_at).filter(|_| !looks || !overdue())
}

/// Whether what was cancelled for that reason may be planned again.
#[must_use]
pub fn frees(reason: &str) -> bool {
    OF_MONEY.contains(&reason)
}

/// Under which key the first row that was withdrawn from a plan key is kept.
#[must_use]
pub fn freed(plan_key: &str) -> String {
    format!("{plan_key}{FREED}")
}

/// What is put behind the plan key of a withdrawn row: of the first one of its key, and of each further one, which
/// has to have its own.
#[must_use]
pub fn endings(id: Uuid) -> (String, String) {
    (FREED.to_owned(), format!("{FREED}:{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::messaging::{promise_of, source_over};
    use std::collections::BTreeSet;

    #[test]
    fn money_withdraws_what_was_made_before_it() {
        let at = |made| paid_since(UtcMs(made), Some(UtcMs(100)));
        assert_eq!((at(99), at(100)), (Some(PAID_PART), Some(PAID_PART)));
        assert_eq!(at(101), None, "it was made with the money known");
        assert_eq!(paid_since(UtcMs(1), None), None, "he never paid");
    }

    #[test]
    fn what_money_withdrew_may_come_again_and_what_a_person_did_may_not() {
        assert!(OF_MONEY.iter().all(|why| frees(why)));
        assert!(!frees("by_hand") && !frees("held"));
    }

    #[test]
    fn a_freed_key_still_says_what_it_was_planned_from() {
        let (source, row) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let key = format!("promise:{source}:2026-12-01:s:d-1");
        let (first, further) = endings(row);
        assert_eq!(freed(&key), format!("{key}{first}"));
        for ending in [first, further] {
            let kept = format!("{key}{ending}");
            assert_eq!(promise_of(Some(&kept)).map(|p| p.0), Some(source));
            let over = source_over(Some(&kept), &BTreeSet::new());
            assert_eq!(over, Some("promise_over"));
            assert_ne!(kept, key);
        }
    }
}
