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
    sums(
        shares,
        currency,
        ("d.balance_minor", "d.oldest_due_day"),
        (&own, n),
    )
}

/// Sums over rows `x`, each with what a debtor owes in a currency in its column `b` and the number: columns that end in
/// `n`.
pub(super) fn sums_of_columns(shares: &Shares, currency: &str, n: usize) -> String {
    let own = |value: &str| value.to_owned();
    sums(shares, currency, (&format!("x.b{n}"), "x.due"), (&own, n))
}

/// Columns that end in `n`: the sum of a balance, and of its parts by the day on which the oldest debt was due; of each
/// what `own` leaves of it.
fn sums(
    shares: &Shares,
    currency: &str,
    of: (&str, &str),
    (own, n): (&dyn Fn(&str) -> String, usize),
) -> String {
    let mut sql = format!(", CAST(SUM({}) AS BIGINT) AS amount{n}", own(of.0));
    for (part, name) in PARTS {
        let value = shares.sql(part, currency, of);
        let _ = write!(sql, ", {} AS {name}{n}", summed(&own(&value)));
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

    /// The sums of a row with columns for each of the usual currencies, which end in their numbers.
    pub(super) fn of_row(usual: &[String], row: &Row) -> Result<Self, StoreError> {
        let mut owed = Self::default();
        for (n, currency) in usual.iter().enumerate() {
            owed.add_row(currency, row, &n.to_string())?;
        }
        Ok(owed)
    }

    /// Adds the sums of rows each of which names its currency.
    pub(super) fn add_rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            self.add_row(&row.get::<String>("currency")?, row, "")?;
        }
        Ok(())
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
