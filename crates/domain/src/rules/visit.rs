//! What becomes of a visit and of its place in the ledger.

use super::messaging::{silenced, stopped};
use crate::entity::{
    Channel, DebtStatus, HoldKind, HoldScope, LedgerKind, LedgerRow, VISIT_AHEAD_DAYS,
    VISIT_SLACK_MS, Visit, VisitOutcome, VisitState,
};
use crate::ids::DebtId;
use crate::pii::Pii;
use crate::ports::store::{ContactFacts, VisitEnd};
use crate::time::{DAY_MS, UtcMs};

/// How far ahead of an instant rows of visits planned by then may stand, ms.
pub const ROWS_AHEAD_MS: i64 = VISIT_AHEAD_DAYS * DAY_MS + VISIT_SLACK_MS;

/// Why a planned visit must not be made any more: its debtor's debts are closed, or every one of them is held
/// against visits.
#[must_use]
pub fn withdrawn(facts: &ContactFacts, now: UtcMs) -> Option<&'static str> {
    let held = |debt: DebtId| {
        silenced(facts, debt, now)
            || facts.holds.iter().any(|h| {
                let stops = match h.kind {
                    HoldKind::Promise | HoldKind::WritingOnly => true,
                    HoldKind::ChannelOptout => h.channel == Some(Channel::Visit),
                    _ => false,
                };
                let about = match h.scope {
                    HoldScope::Debtor => true,
                    HoldScope::Debt => h.debt_id.is_none_or(|id| id == debt),
                    HoldScope::Point => false,
                };
                stops && about && h.active_at(now)
            })
    };
    stopped(facts, None, now).or_else(|| {
        let mut open = facts.debts.iter().filter(|d| d.status == DebtStatus::Open);
        open.all(|d| held(d.id)).then_some("held")
    })
}

/// The end of a visit to which nobody went.
#[must_use]
pub fn given_back(why: &str, by: &str, at: UtcMs) -> VisitEnd {
    VisitEnd {
        outcome: None,
        visited_at: None,
        result: None,
        note: Pii(String::new()),
        reason: why.to_owned(),
        by: by.to_owned(),
        at,
    }
}

/// A visit after its end.
#[must_use]
pub fn ended(visit: &Visit, end: &VisitEnd) -> Visit {
    Visit {
        state: match end.outcome {
            Some(_) => VisitState::Made,
            None => VisitState::Cancelled,
        },
        visited_at: end.visited_at,
        outcome: end.outcome,
        result: end.result.clone(),
        note: end.note.clone(),
        reason: end.reason.clone(),
        ended_by: end.by.clone(),
        ended_at: Some(end.at),
        ..visit.clone()
    }
}

/// Its ledger row after its end: a contact when it met who owes, an action when it did not, nothing when nobody went.
#[must_use]
pub fn settled(row: &LedgerRow, end: &VisitEnd) -> LedgerRow {
    let met = end.outcome == Some(VisitOutcome::Met);
    LedgerRow {
        kind: match end.outcome {
            Some(_) => LedgerKind::Visit,
            None => LedgerKind::Withdrawn,
        },
        at: end.visited_at.unwrap_or(row.at),
        reached_network: Some(met),
        ..row.clone()
    }
}

/// Leaves of a ledger what stood in it at an instant. A visit stands in it from when it was planned, at the instant
/// that it was planned for, and until it ended as one of which nobody knows what came.
pub fn ledger_then(rows: &mut Vec<LedgerRow>, visits: &[Visit], at: UtcMs) {
    rows.retain_mut(|row| {
        let mut his = visits.iter();
        let Some(visit) = his.find(|v| LedgerRow::id_of_visit(v.id) == row.id) else {
            return row.at < at;
        };
        if visit.ended_at.is_none_or(|ended| ended >= at) {
            row.kind = LedgerKind::Visit;
            row.at = visit.planned_at;
            row.reached_network = None;
        }
        visit.made_at < at
    });
    rows.sort_by_key(|row| (row.at, row.id));
}
