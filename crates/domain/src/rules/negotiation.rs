//! What a negotiation is after, and what came of it.

use super::offers::{ClientTerms, draw};
use crate::entity::{Debt, Role};
use crate::money::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A whole, hundredths of a percent.
const WHOLE_BP: i64 = 10_000;

/// How a negotiation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What it was after.
    pub goal: Money,
    /// What was promised, agreed or paid, in the same currency; nothing where it ended without.
    pub reached: Money,
    /// Part of the goal, hundredths of a percent; 10,000 = reached.
    pub pct_bp: i64,
}

/// What a negotiation about a debt is after: what the best offer that an agent may make alone brings in, else what
/// is overdue, else what is owed. `None` where nothing is owed.
#[must_use]
pub fn goal(terms: &ClientTerms, debt: &Debt, days_past_due: i64, today: Date) -> Option<Money> {
    let balance = debt.balance_minor();
    let offers = terms.offers_for(days_past_due, balance, Role::Agent);
    let offered = offers
        .first()
        .and_then(|o| draw(&o.conditions, balance, today))
        .map(|d| d.agreed_minor);
    let owed = if debt.overdue_minor > 0 {
        debt.overdue_minor
    } else {
        balance
    };
    let minor = offered.unwrap_or(owed);
    (minor > 0).then(|| Money::new(minor, debt.currency))
}

/// What came of it: of what was promised, agreed and paid the largest, for each is about the same money. What is in
/// another currency than the goal does not count.
#[must_use]
pub fn outcome(goal: Money, found: &[Option<Money>]) -> Outcome {
    let same = |m: &&Money| m.currency == goal.currency;
    let found = found.iter().flatten().filter(same);
    let minor = found.map(|m| m.amount_minor).max().unwrap_or(0).max(0);
    let part = i128::from(minor) * i128::from(WHOLE_BP) / i128::from(goal.amount_minor.max(1));
    Outcome {
        goal,
        reached: Money::new(minor, goal.currency),
        pct_bp: i64::try_from(part).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, currency.parse().unwrap())
    }

    #[test]
    fn a_result_is_measured_against_its_goal_row_22() {
        let goal = money(100_000, "MXN");
        let told = |promised, agreed| {
            let o = outcome(goal, &[promised, agreed]);
            (o.reached.amount_minor, o.pct_bp)
        };
        assert_eq!(told(None, None), (0, 0));
        assert_eq!(told(Some(money(50_000, "MXN")), None), (50_000, 5_000));
        assert_eq!(told(None, Some(money(100_000, "MXN"))), (100_000, 10_000));
        let both = told(Some(money(30_000, "MXN")), Some(money(90_000, "MXN")));
        assert_eq!(both, (90_000, 9_000));
        assert_eq!(told(Some(money(50_000, "USD")), None), (0, 0));
        assert_eq!(told(Some(money(150_000, "MXN")), None), (150_000, 15_000));
    }
}
