//! A balance cut into dated parts.

use super::Conditions;
use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// A plan cut into dated parts that add up to `agreed_minor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Forgiven, minor units.
    pub quita_minor: i64,
    /// To be paid, minor units.
    pub agreed_minor: i64,
    /// Further reduction when paid early, minor units.
    pub early_off_minor: i64,
    /// First day on which it is too late for it.
    pub early_until: Option<Date>,
    /// Due day and amount, first due first; the down payment is the first.
    pub parts: Vec<(Date, i64)>,
}

fn share(minor: i64, pct: i32) -> i64 {
    i64::try_from(i128::from(minor) * i128::from(pct) / 100).unwrap_or(0)
}

/// Cuts a balance by conditions from `today` on; `None` when a part would be nothing or a date is out of
/// the calendar.
#[must_use]
pub fn draw(conditions: &Conditions, balance_minor: i64, today: Date) -> Option<Drawn> {
    conditions.check("").ok()?;
    let quita_minor = share(balance_minor, conditions.quita_pct);
    let agreed_minor = balance_minor.checked_sub(quita_minor).filter(|a| *a > 0)?;
    let first = today
        .checked_add(i64::from(conditions.first_in_days).days())
        .ok()?;
    let down = match conditions.down_pct {
        0 => 0,
        100 => agreed_minor,
        pct => share(agreed_minor, pct).max(1),
    };
    let mut parts = Vec::new();
    if down > 0 {
        parts.push((first, down));
    }
    let count = i64::from(conditions.instalments);
    let rest = agreed_minor - down;
    let shift = i64::from(down > 0);
    for n in 0..count {
        let steps = n + shift;
        let span: Span = match conditions.every_days {
            0 => steps.months(),
            days => (steps * i64::from(days)).days(),
        };
        let due = first.checked_add(span).ok()?;
        let each = rest / count;
        let amount = if n + 1 == count {
            rest - each * (count - 1)
        } else {
            each
        };
        parts.push((due, amount));
    }
    if parts.iter().any(|(_, amount)| *amount <= 0) {
        return None;
    }
    let early_off_minor = share(agreed_minor, conditions.early_off_pct);
    let early_until = match conditions.early_days {
        0 => None,
        days => Some(today.checked_add(i64::from(days).days()).ok()?),
    };
    Some(Drawn {
        quita_minor,
        agreed_minor,
        early_off_minor,
        early_until,
        parts,
    })
}
