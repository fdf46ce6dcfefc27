//! What debtors owe by currency, added up beside what may be expected of it.

use super::recovery::{Part, Shares};
use crate::sql::Row;
use domain::ports::StoreError;
use domain::ports::store::SegmentCount;
use domain::rules::recovery::Expected;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Parts of a balance, and the columns they are read from.
const PARTS: [(Part, &str); 3] = [
    (Part::Amount, "expected"),
    (Part::Unknown, "unknown"),
    (Part::Borrowed, "borrowed"),
];

fn summed(value: &str) -> String {
    match value {
        "0" => "CAST(0 AS BIGINT)".to_owned(),
        value => format!("CAST(COALESCE(SUM({value}),0) AS BIGINT)"),
    }
}

/// Sums over debtors `d` whose open debts are in the currency bound in `place` alone: columns that end in `n`.
pub(super) fn sums_of(shares: &Shares, currency: &str, (place, n): (usize, usize)) -> String {
    let own = |value: &str| match value {
        "0" => "0".to_owned(),
        value => format!("CASE WHEN d.open_currency=${place} THEN {value} END"),
    };
    let balance = "d.balance_minor";
    let mut sql = format!(", CAST(SUM({}) AS BIGINT) AS amount{n}", own(balance));
    for (part, name) in PARTS {
        let value = shares.sql(part, currency, (balance, "d.oldest_due_day"));
        let _ = write!(sql, ", {} AS {name}{n}", summed(&own(&value)));
    }
    sql
}

/// Sums over rows `x`, each with what a debtor owes in a currency in its column `b` and the number: columns that end in
/// `n`.
pub(super) fn sums_of_columns(shares: &Shares, currency: &str, n: usize) -> String {
    let balance = format!("x.b{n}");
    let mut sql = format!(", CAST(SUM({balance}) AS BIGINT) AS amount{n}");
    for (part, name) in PARTS {
        let value = shares.sql(part, currency, (&balance, "x.due"));
        let _ = write!(sql, ", {} AS {name}{n}", summed(&value));
    }
    sql
}

/// Sums over rows with a balance, the day on which the oldest debt was due and a currency, each by its column.
pub(super) fn sums_of_any(shares: &Shares, of: (&str, &str), currency: &str) -> String {
    let mut sql = format!("{} AS amount", summed(of.0));
    for (part, name) in PARTS {
        let value = shares.of_any(part, currency, of);
        let _ = write!(sql, ", {} AS {name}", summed(&value));
    }
    sql
}

/// What each of the debtors `m` under a condition owes in each currency, as `x`.
pub(super) fn of_each(which: &str) -> String {
    format!(
        "(SELECT m.id, m.oldest_due_day AS due, o.currency, \
            CAST(SUM(o.principal_minor+o.interest_minor+o.fees_minor) AS BIGINT) AS balance \
        FROM m JOIN debts o ON o.debtor_id=m.id AND o.status='open' WHERE {which} \
        GROUP BY m.id, m.oldest_due_day, o.currency) x"
    )
}

/// Figures by currency.
#[derive(Default)]
pub(super) struct Owed(BTreeMap<String, Expected>);

impl Owed {
    /// Adds what is owed in a currency.
    pub(super) fn add(&mut self, more: &Expected) {
        let sum = self.0.entry(more.currency.clone());
        sum.or_insert_with(|| Expected::of(&more.currency))
            .add_all(more);
    }

    /// Adds the sums of a row whose columns end in `end`.
    pub(super) fn add_row(
        &mut self,
        currency: &str,
        row: &Row,
        end: &str,
    ) -> Result<(), StoreError> {
        let Some(balance_minor) = row.get::<Option<i64>>(&format!("amount{end}"))? else {
            return Ok(());
        };
        let part = |name: &str| row.get::<i64>(&format!("{name}{end}"));
        self.add(&Expected {
            currency: currency.to_owned(),
            balance_minor,
            amount_minor: part("expected")?,
            unknown_minor: part("unknown")?,
            borrowed_minor: part("borrowed")?,
        });
        Ok(())
    }

    /// With so many debtors and phones.
    pub(super) fn count(self, debtors: i64, phones: i64) -> SegmentCount {
        let (debtors, phones) = (debtors.unsigned_abs(), phones.unsigned_abs());
        SegmentCount::of(debtors, phones, self.0.into_values())
    }
}
