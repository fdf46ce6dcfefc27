//! Interest by a portfolio's rule: simple, on the principal, for each day past due that bears any, computed
//! to a day and never written by the day. Interest stops while a plan that froze it runs, and while the law
//! lets the debtor breathe.

use crate::entity::{Accrual, Debt, DebtStatus, Hold, HoldKind, HoldScope, InterestRule, Plan};
use crate::ids::{DebtId, PortfolioId};
use crate::rules::ageing::day_of;
use crate::segment::day_of_date;
use crate::time::UtcMs;
use std::collections::BTreeMap;

/// A day of 360 and one of 365 in whole parts: their least common multiple.
const YEAR_PARTS: i64 = 26_280;
/// Parts of a minor unit in which what is left is kept: basis points of a year.
pub const PARTS: i64 = 10_000 * YEAR_PARTS;

/// Holds during which no interest runs: a moratorium freezes interest and fees (breathing space), an
/// insolvency ends it at its opening.
pub const STOPPING: [HoldKind; 2] = [HoldKind::Moratorium, HoldKind::Insolvency];

/// Days that bear no interest: those after `.0` up to and with `.1`.
pub type Pause = (i64, i64);

/// What a debt has earned by its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earned {
    /// Interest not in the debt's figures yet, minor units.
    pub minor: i64,
    /// How far it is once that is in them.
    pub accrual: Accrual,
}

/// The rule that holds on a day; `rules` by `from_day`.
fn on(rules: &[InterestRule], day: i64) -> Option<&InterestRule> {
    rules.iter().rev().find(|r| r.from_day <= day)
}

/// Parts that one debt earns on the days after `from` up to and with `to`.
fn parts(
    principal_minor: i64,
    due_day: i64,
    (rules, pauses): (&[InterestRule], &[Pause]),
    (from, to): (i64, i64),
) -> i128 {
    let mut edges = vec![from, to];
    for rule in rules {
        edges.push(rule.from_day.saturating_sub(1));
        edges.push(due_day.saturating_add(i64::from(rule.grace_days)));
    }
    edges.extend(pauses.iter().flat_map(|(a, b)| [*a, *b]));
    edges.retain(|day| (from..=to).contains(day));
    edges.sort_unstable();
    edges.dedup();
    let mut sum = 0;
    for span in edges.windows(2) {
        let (before, last) = (span[0], span[1]);
        let first = before + 1;
        let Some(rule) = on(rules, first) else {
            continue;
        };
        let graced = first <= due_day.saturating_add(i64::from(rule.grace_days));
        let paused = pauses.iter().any(|(a, b)| *a < first && first <= *b);
        if !graced && !paused {
            let year = i128::from(YEAR_PARTS) / i128::from(rule.year_days.max(1));
            let days = i128::from(last - before) * year;
            sum += i128::from(principal_minor) * i128::from(rule.rate_bp) * days;
        }
    }
    sum
}

/// What a debt has earned by `to_day`; `None` without a rule, or without a day to count from.
#[must_use]
pub fn earned(
    debt: &Debt,
    before: Option<&Accrual>,
    rules: &[InterestRule],
    pauses: &[Pause],
    to_day: i64,
) -> Option<Earned> {
    rules.last()?;
    let due_day: i64 = day_of_date(&debt.due_date)?;
    // Days before it was due bear none; but it may fall due earlier again, when its oldest item is owed again.
    let none = Accrual {
        debt_id: debt.id,
        upto_day: due_day.min(to_day),
        rest: 0,
        booked_minor: 0,
    };
    let was = before.copied().unwrap_or(none);
    if to_day <= was.upto_day {
        return Some(Earned {
            minor: 0,
            accrual: was,
        });
    }
    let mut now = Accrual {
        upto_day: to_day,
        ..was
    };
    if debt.status != DebtStatus::Open || debt.principal_minor <= 0 {
        return Some(Earned {
            minor: 0,
            accrual: now,
        });
    }
    let by = (rules, pauses);
    let span = (was.upto_day, to_day);
    let sum = i128::from(was.rest) + parts(debt.principal_minor, due_day, by, span);
    let fits = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
    let mut minor = fits(sum / i128::from(PARTS));
    now.rest = fits(sum % i128::from(PARTS));
    // A rule that is written before it begins caps nothing yet, and lifts no cap.
    if let Some(cap_bp) = on(rules, to_day).and_then(|rule| rule.cap_bp) {
        let cap = fits(i128::from(debt.principal_minor) * i128::from(cap_bp) / 10_000);
        let room = cap.saturating_sub(was.booked_minor).max(0);
        if minor >= room {
            (minor, now.rest) = (room, 0);
        }
    }
    now.booked_minor = now.booked_minor.saturating_add(minor);
    Some(Earned {
        minor,
        accrual: now,
    })
}

/// Puts what was earned into a debt's figures: it is owed, and overdue.
pub const fn put_on(debt: &mut Debt, minor: i64) {
    debt.interest_minor = debt.interest_minor.saturating_add(minor);
    debt.overdue_minor = debt.overdue_minor.saturating_add(minor);
}

/// The rules of portfolios and what stands beside them of some debts.
#[derive(Debug, Clone, Default)]
pub struct InterestBook {
    /// Rules by `from_day`, and the zone, of the portfolios that have any.
    pub rules: BTreeMap<PortfolioId, (String, Vec<InterestRule>)>,
    /// How far each debt is.
    pub accruals: BTreeMap<DebtId, Accrual>,
    /// Plans that the debtor accepted and that freeze interest.
    pub plans: Vec<Plan>,
    /// Holds of the kinds in [`STOPPING`].
    pub holds: Vec<Hold>,
}

impl InterestBook {
    /// Whether interest of a portfolio is accrued by its own rule.
    #[must_use]
    pub fn has(&self, portfolio: PortfolioId) -> bool {
        self.rules.contains_key(&portfolio)
    }

    fn pauses(&self, debt: &Debt, day: &dyn Fn(UtcMs) -> i64) -> Vec<Pause> {
        let end = |at: Option<UtcMs>| at.map_or(i64::MAX, day);
        let mut found: Vec<Pause> = vec![];
        for plan in self.plans.iter().filter(|p| p.debt_id == debt.id) {
            if plan.freeze_interest && plan.signed_at.is_some() {
                // What was agreed on is the figure of the day on which it was drawn.
                found.push((day(plan.made_at), end(plan.closed_at)));
            }
        }
        let stops = |h: &&Hold| {
            let reaches = match h.scope {
                HoldScope::Debtor => true,
                HoldScope::Debt => h.debt_id == Some(debt.id),
                HoldScope::Point => false,
            };
            h.debtor_id == debt.debtor_id && reaches && STOPPING.contains(&h.kind)
        };
        for hold in self.holds.iter().filter(stops) {
            let until = match (hold.until, hold.lifted_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            found.push((day(hold.from), end(until)));
        }
        found
    }

    /// What a debt has earned by the local day of an instant.
    #[must_use]
    pub fn earned(&self, debt: &Debt, at: UtcMs) -> Option<Earned> {
        let (zone, rules) = self.rules.get(&debt.portfolio_id)?;
        let zone = crate::time::zone(zone).ok()?;
        let day = |at: UtcMs| day_of(at.in_zone(&zone).date());
        let pauses = self.pauses(debt, &day);
        earned(debt, self.accruals.get(&debt.id), rules, &pauses, day(at))
    }

    /// A file brings new figures of a debt whose interest is the rule's: what the rule put on it stays, and
    /// what it has earned so far is put there too before its principal or day becomes another; then the
    /// second value says how far it is.
    pub fn keep(&self, stored: &Debt, fresh: &mut Debt, at: UtcMs) -> Option<Accrual> {
        if !self.has(stored.portfolio_id) || fresh.balance_minor() == 0 {
            return None;
        }
        let same =
            fresh.principal_minor == stored.principal_minor && fresh.due_date == stored.due_date;
        let earned = if same { None } else { self.earned(stored, at) };
        let more = earned.map_or(0, |e| e.minor);
        put_on(fresh, stored.interest_minor.saturating_add(more));
        earned.map(|e| e.accrual)
    }

    /// Somebody writes a debt anew whose interest is the rule's: what the rule put on it stays, with what it
    /// has earned on the principal, by the day and in the status it had; then the value says how far it is.
    pub fn carry(&self, stored: &Debt, fresh: &mut Debt, at: UtcMs) -> Option<Accrual> {
        if !self.has(stored.portfolio_id) {
            return None;
        }
        let bears = |d: &Debt| (d.principal_minor, d.due_date.clone(), d.status);
        let same = bears(stored) == bears(fresh);
        let earned = if same { None } else { self.earned(stored, at) };
        let more = earned.map_or(0, |e| e.minor);
        // Who says that nothing is owed says so of the interest too.
        if fresh.balance_minor() > 0 {
            let stands = stored.interest_minor.saturating_add(more);
            put_on(fresh, stands.saturating_sub(fresh.interest_minor));
            fresh.overdue_minor = fresh.overdue_minor.clamp(0, fresh.balance_minor().max(0));
        }
        earned.map(|e| e.accrual)
    }

    /// A debt with the interest of its rule up to an instant.
    #[must_use]
    pub fn owed(&self, debt: &Debt, at: UtcMs) -> Debt {
        let mut debt = debt.clone();
        if let Some(earned) = self.earned(&debt, at) {
            put_on(&mut debt, earned.minor);
        }
        debt
    }
}

#[cfg(test)]
mod tests;
