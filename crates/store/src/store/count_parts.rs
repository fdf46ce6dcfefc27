//! Exact figures on PostgreSQL, in two parts: who owes in one currency is counted by his own row, on several cores, since
//! nothing in the condition asks other rows for each debtor; who owes in several has an index, and his debts are joined.

use super::count::{Asked, all_of, count_in, together, usual_currencies};
use super::owed::{Owed, sums_of_any, sums_of_columns};
use super::recovery::Shares;
use crate::segment::{Filter, Owing, Today};
use crate::sql::{Dialect, Link, vals};
use domain::ids::{ClientId, ImportId};
use domain::ports::StoreError;
use domain::ports::store::SegmentCount;
use domain::segment::Expr;
use std::fmt::Write as _;

/// What is read of those with debts in several currencies is read again and again, and in memory soon: with 4,
/// PostgreSQL's own default, it goes past 1,500,000 numbers to find those of 1,200 debtors (1.1 s, 0.1 with this; a
/// million debtors, 55,000 of them so).
const NEAR: &str = "SET LOCAL random_page_cost=1.1";

/// What a debt stands at.
const BALANCE: &str = "o.principal_minor+o.interest_minor+o.fees_minor";

/// A segment, as each part is asked for it.
pub(super) struct Parts {
    one: Filter,
    several: Filter,
}

impl Parts {
    /// Without debtors whom the files `half` made.
    pub(super) fn of(client: ClientId, (expr, half): (&Expr, &[ImportId]), today: &Today) -> Self {
        let part =
            |owing| Filter::of_owing((Dialect::Pg, owing), client, expr, today).without(half);
        Self {
            one: part(Owing::One),
            several: part(Owing::Several),
        }
    }

    /// Both together; what `read`, which is of [`super::SqlStore::wide`], is asked behind them is planned as the second.
    pub(super) async fn count(
        &self,
        read: &mut Link,
        client: ClientId,
        shares: &Shares,
    ) -> Result<SegmentCount, StoreError> {
        let usual = usual_currencies(read, client).await?;
        let one = count_in(read, &all_of(&self.one), &usual, shares).await?;
        read.script(NEAR).await?;
        let several = several(read, &all_of(&self.several), &usual, shares).await?;
        Ok(together(one, several))
    }
}

/// Figures of debtors with open debts in several currencies: each of them a row with what he owes in each of the usual
/// ones. Before 28 November 2026 his row said so where he had no open debt at all: he is counted too.
async fn several(
    read: &mut Link,
    asked: &Asked<'_>,
    usual: &[String],
    shares: &Shares,
) -> Result<SegmentCount, StoreError> {
    let (from, condition) = (asked.from, asked.condition);
    let mut values = asked.values.clone();
    let (mut each, mut sums, mut known) = (String::new(), String::new(), String::from("''"));
    for (n, currency) in usual.iter().enumerate() {
        values.extend(vals![currency.clone()]);
        let place = values.len();
        let _ = write!(
            each,
            ", CAST(SUM(CASE WHEN o.currency=${place} THEN {BALANCE} END) AS BIGINT) AS b{n}"
        );
        sums.push_str(&sums_of_columns(shares, currency, n));
        let _ = write!(known, ",${place}");
    }
    let rows = |what: &str, join: &str, by: &str| {
        format!(
            "(SELECT d.id, d.phones, d.oldest_due_day AS due{what} FROM {from} \
                {join} JOIN debts o ON o.debtor_id=d.id AND o.status='open' WHERE {condition} GROUP BY d.id{by}) x"
        )
    };
    let others =
        format!(", COUNT(CASE WHEN o.currency NOT IN ({known}) THEN 1 END) AS others{each}");
    let sql = format!(
        "SELECT COUNT(*) AS n, CAST(COALESCE(SUM(x.phones),0) AS BIGINT) AS phones, \
            CAST(COALESCE(SUM(x.others),0) AS BIGINT) AS others{sums} FROM {}",
        rows(&others, "LEFT", "")
    );
    let found = read.rows_once(sql, values.clone()).await?;
    let Some(row) = found.first() else {
        return Ok(SegmentCount::default());
    };
    let mut owed = Owed::of_row(usual, row)?;
    if row.get::<i64>("others")? > 0 {
        let each = format!(", o.currency, CAST(SUM({BALANCE}) AS BIGINT) AS balance");
        let sql = format!(
            "SELECT x.currency, {} FROM {} WHERE x.currency NOT IN ({known}) GROUP BY x.currency",
            sums_of_any(shares, ("x.balance", "x.due"), "x.currency"),
            rows(&each, "", ", o.currency")
        );
        owed.add_rows(&read.rows_once(sql, values).await?)?;
    }
    Ok(owed.count(row.get("n")?, row.get("phones")?))
}

#[cfg(test)]
#[path = "count_parts_tests.rs"]
mod tests;
