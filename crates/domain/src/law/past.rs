//! How things stood at an instant past, as far as rows of today tell: debts by when they were paid or given back,
//! points by the decisions that judged them.

use super::parties::BAD_POINT;
use crate::entity::{Debt, DebtStatus, Hold, HoldKind, HoldScope, Verdict};
use crate::ports::store::ContactFacts;
use crate::time::UtcMs;

/// Whether a debt was there and open. `holds` are its debtor's, lifted ones too: the hold of a payment in full says
/// from when until when it was paid; of a debt that was given back or closed, its last change does.
#[must_use]
pub fn open_then(debt: &Debt, holds: &[Hold], at: UtcMs) -> bool {
    let paid = holds.iter().any(|h| {
        h.kind == HoldKind::Paid
            && h.scope == HoldScope::Debt
            && h.debt_id == Some(debt.id)
            && h.active_at(at)
    });
    let closed = debt.status != DebtStatus::Open && debt.updated_at <= at;
    debt.created_at <= at && !paid && !closed
}

/// Points that were spoilt since are good again, as the next decision about each of them from `at` on found it.
pub fn points_then(facts: &mut ContactFacts, decisions: &[Verdict], at: UtcMs) {
    for point in &mut facts.points {
        let about = decisions
            .iter()
            .filter(|v| v.point_id == Some(point.id) && v.at >= at);
        let Some(next) = about.min_by_key(|v| (v.at, v.id)) else {
            continue;
        };
        let bad = next.rules.iter().any(|r| r.refused && r.rule == BAD_POINT);
        // That it was bad later does not say that it was before.
        point.bad = bad && (point.bad || next.at == at);
    }
}
