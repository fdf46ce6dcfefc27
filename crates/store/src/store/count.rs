//! How many debtors are in a segment and what they owe, exactly.

use super::SqlStore;
use super::count_parts::Parts;
use super::estimate::EXACT_MAX;
use super::owed::{Owed, of_each, sums_of, sums_of_any};
use super::recovery::Shares;
use crate::segment::Filter;
use crate::sql::{Dialect, Link, Val, vals};
use domain::ids::{ClientId, ImportId};
use domain::ports::StoreError;
use domain::ports::store::SegmentCount;
use domain::segment::Expr;
use domain::time::UtcMs;
use std::fmt::Write as _;
use tokio::runtime::Handle;

/// Currencies that are summed in the same pass; others need a second one.
const CURRENCIES_MAX: usize = 8;
/// Debtors looked at for their currencies.
const CURRENCIES_OF: usize = 200;

/// Debtors a condition is asked of, and what is added up of those it finds.
pub(super) struct Asked<'a> {
    /// `debtors d`, or a sample of them under that name.
    pub(super) from: &'a str,
    pub(super) condition: &'a str,
    pub(super) values: Vec<Val>,
}

/// Figures of the debtors a condition over `d` finds: one pass over the debtors alone, as far as the open
/// debts of each are in one of the usual currencies.
pub(super) async fn count(
    read: &mut Link,
    asked: &Asked<'_>,
    client: ClientId,
    shares: &Shares,
) -> Result<SegmentCount, StoreError> {
    let usual = usual_currencies(read, client).await?;
    count_in(read, asked, &usual, shares).await
}

/// The same, with the usual currencies at hand.
pub(super) async fn count_in(
    read: &mut Link,
    asked: &Asked<'_>,
    usual: &[String],
    shares: &Shares,
) -> Result<SegmentCount, StoreError> {
    let (from, condition) = (asked.from, asked.condition);
    let mut values = asked.values.clone();
    let (mut sums, mut known) = (String::new(), String::from("''"));
    for (n, currency) in usual.iter().enumerate() {
        values.extend(vals![currency.clone()]);
        let place = values.len();
        sums.push_str(&sums_of(shares, currency, (place, n)));
        let _ = write!(known, ",${place}");
    }
    let sql = format!(
        "SELECT COUNT(*) AS n, CAST(COALESCE(SUM(d.phones),0) AS BIGINT) AS phones, \
            COUNT(CASE WHEN d.open_currency NOT IN ({known}) THEN 1 END) AS others, \
            COUNT(CASE WHEN d.open_currency='*' THEN 1 END) AS mixed{sums} \
        FROM {from} WHERE {condition}"
    );
    let rows = read.rows_once(sql, values.clone()).await?;
    let Some(row) = rows.first() else {
        return Ok(SegmentCount::default());
    };
    let mut owed = Owed::of_row(usual, row)?;
    let others: i64 = row.get("others")?;
    if others > 0 {
        // Most often those with several currencies alone: they have an index of their own.
        let (which, values) = match others == row.get::<i64>("mixed")? {
            true => ("d.open_currency='*'".to_owned(), asked.values.clone()),
            false => (format!("d.open_currency NOT IN ({known})"), values),
        };
        let sql = format!(
            "WITH m AS MATERIALIZED (SELECT d.id, d.oldest_due_day FROM {from} WHERE {which} AND {condition}) \
            SELECT x.currency, {} FROM {} GROUP BY x.currency",
            sums_of_any(shares, ("x.balance", "x.due"), "x.currency"),
            of_each("1=1")
        );
        owed.add_rows(&read.rows_once(sql, values).await?)?;
    }
    Ok(owed.count(row.get("n")?, row.get("phones")?))
}

/// Currencies of the client's portfolios and of some of his debtors.
pub(super) async fn usual_currencies(
    read: &mut Link,
    client: ClientId,
) -> Result<Vec<String>, StoreError> {
    // An index that SQLite has not counted yet would be taken for a shorter way, and leads past all his debtors.
    let debtors = match read.dialect() {
        Dialect::Lite => "debtors INDEXED BY debtors_lot",
        Dialect::Pg => "debtors",
    };
    let sql = format!(
        "SELECT currency FROM portfolios WHERE client_id=$1 UNION \
            SELECT open_currency FROM (SELECT open_currency FROM {debtors} WHERE client_id=$1 \
                AND open_currency NOT IN ('','*') ORDER BY lot LIMIT {CURRENCIES_OF}) x \
            ORDER BY 1 LIMIT {CURRENCIES_MAX}"
    );
    let rows = read.rows(sql, vals![client]).await?;
    rows.iter().map(|r| r.get("currency")).collect()
}

/// All debtors, in one pass.
pub(super) fn all_of(filter: &Filter) -> Asked<'_> {
    Asked {
        from: "debtors d",
        condition: &filter.sql,
        values: filter.values.clone(),
    }
}

/// A client with no fewer than one in so many of all debtors is counted by going through the table.
const SHARE: i64 = 4;

/// Figures of all debtors of a segment that no file which is half in has made. Those of a large client are gone through
/// in two halves at once, where the engine does not do so itself: both read what was committed at the same instant.
pub(super) async fn count_all(
    store: &SqlStore,
    (expr, half): (&Expr, &[ImportId]),
    client: ClientId,
    now: UtcMs,
) -> Result<SegmentCount, StoreError> {
    let today = store.today_of(client, now).await?;
    let shares = Shares::read(&mut store.read().await?, client, today.first).await?;
    if store.dialect() == Dialect::Pg {
        let parts = Parts::of(client, (expr, half), &today);
        return parts.count(&mut store.wide().await?, client, &shares).await;
    }
    let filter = &Filter::of_client(store.dialect(), client, expr, &today).without(half);
    let of = store.debtors_of(client).await?;
    let halves = match of > EXACT_MAX {
        true => store.halves().await?,
        false => None,
    };
    let Some([mut low, high]) = halves else {
        let mut read = store.wide().await?;
        return count(&mut read, &all_of(filter), client, &shares).await;
    };
    let (first, last) = ends(&mut low).await?;
    let most = i64::try_from(of).unwrap_or(i64::MAX).saturating_mul(SHARE);
    if last.saturating_sub(first) >= most {
        let asked = (filter.sql.clone(), filter.values.clone());
        return on_thread(low, asked, client, shares).await;
    }
    let middle = first + (last - first) / 2;
    in_halves([low, high], middle, filter, (client, &shares)).await
}

/// Counts on both sides of a row at once.
pub(super) async fn in_halves(
    [low, high]: [Link; 2],
    middle: i64,
    filter: &Filter,
    (client, shares): (ClientId, &Shares),
) -> Result<SegmentCount, StoreError> {
    let half = |link: Link, side: &str| {
        let mut values = filter.values.clone();
        values.extend(vals![middle]);
        // The filter begins with the client. Behind a sign SQLite finds no index of his debtors: it would read
        // the table in the order of that index, page after page anew.
        let condition = format!("+{} AND d.rowid{side}${}", filter.sql, values.len());
        on_thread(link, (condition, values), client, shares.clone())
    };
    let (low, high) = tokio::join!(half(low, "<="), half(high, ">"));
    Ok(together(low?, high?))
}

/// The first and the last row of the debtors.
pub(super) async fn ends(read: &mut Link) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT (SELECT MIN(rowid) FROM debtors) AS a, (SELECT MAX(rowid) FROM debtors) AS z";
    let Some(row) = read.row(sql, vec![]).await? else {
        return Ok((0, 0));
    };
    let (first, last): (Option<i64>, Option<i64>) = (row.get("a")?, row.get("z")?);
    Ok((first.unwrap_or(0), last.unwrap_or(0)))
}

/// Counts on a thread that may wait.
async fn on_thread(
    mut link: Link,
    (condition, values): (String, Vec<Val>),
    client: ClientId,
    shares: Shares,
) -> Result<SegmentCount, StoreError> {
    let here = Handle::current();
    let counted = tokio::task::spawn_blocking(move || {
        let asked = Asked {
            from: "debtors d",
            condition: &condition,
            values,
        };
        here.block_on(count(&mut link, &asked, client, &shares))
    });
    counted
        .await
        .unwrap_or_else(|e| Err(StoreError::Unavailable(format!("thread that counts: {e}"))))
}

pub(super) fn together(one: SegmentCount, other: SegmentCount) -> SegmentCount {
    let mut owed = Owed::default();
    for part in one.expected.iter().chain(&other.expected) {
        owed.add(part);
    }
    let sum = |one: u64, other: u64| i64::try_from(one + other).unwrap_or(i64::MAX);
    owed.count(
        sum(one.debtors, other.debtors),
        sum(one.phones, other.phones),
    )
}
