//! A segment while somebody types: of a large client a few thousand debtors are asked, all at once.

use super::SqlStore;
use super::owed::{Owed, of_each, sums_of_any};
use super::portfolio::{Shown, shown};
use super::recovery::Shares;
use crate::segment::Filter;
use crate::sql::{Dialect, vals};
use domain::ids::{ClientId, LOT_GROUP_BITS};
use domain::ports::StoreError;
use domain::ports::store::{SegmentCount, SegmentEstimate};
use domain::rules::recovery::Expected;
use domain::segment::Expr;
use domain::time::UtcMs;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A client of no more debtors is counted while he types.
pub(super) const EXACT_MAX: u64 = 25_000;
/// Places in the random order from which a sample is taken, so that a campaign which calls in that order
/// does not bend it.
const SAMPLE_PLACES: i64 = 32;
/// Debtors asked at each place, as near as whole groups come.
const SAMPLE_EACH: i64 = 320;
/// Most debtors asked at a place: a client may have grown since he was counted.
const SAMPLE_MOST: i64 = 2 * SAMPLE_EACH;
/// The lots of a version 7 id: from the least number upwards, as many as the two bits of its variant leave.
const LOTS: i64 = 1 << 62;
/// Groups of them. Who is in which is chance; within one they may stand in the order of a file.
const GROUPS: i64 = 1 << LOT_GROUP_BITS;
/// Lots are divided by this prime before one in so many of them is asked: some are multiples of powers of two.
const THIN: i64 = 8_191;

/// 97.5 of 100 of the normal distribution, and of Student's for 31 degrees of freedom.
const NORMAL: f64 = 1.96;
const STUDENT: f64 = 2.04;

/// How long the number of a large client's debtors is taken from memory.
const SIZE_KEPT: Duration = Duration::from_secs(30);
/// Most rows of a preview.
const ROWS_MAX: u32 = 500;

/// How a client's debtors are asked: whole groups, for the first ones of a group are those whom a file named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    /// Groups at each place.
    groups: i64,
    /// One in so many of each group, where a group alone has too many.
    one_in: i64,
}

impl Sample {
    /// That of a client of so many debtors.
    fn of(debtors: u64) -> Self {
        let of = i64::try_from(debtors).unwrap_or(i64::MAX).max(1);
        let all = SAMPLE_EACH * GROUPS;
        Self {
            groups: ((all + of / 2) / of).clamp(1, GROUPS / SAMPLE_PLACES),
            one_in: (of.saturating_add(all / 2) / all).max(1),
        }
    }

    /// The condition of the place `n`.
    fn place(self, n: i64) -> String {
        let from = n * (LOTS / SAMPLE_PLACES);
        let to = from + self.groups * (LOTS / GROUPS);
        let thin = match self.one_in {
            1 => String::new(),
            some => format!(" AND ABS(lot%{THIN})%{some}=0"),
        };
        // The least number cannot be written as one literal: PostgreSQL would read a decimal.
        format!("lot>=(-9223372036854775807-1+{from}) AND lot<(-9223372036854775807-1+{to}){thin}")
    }
}

/// A sample of a client's debtors, spread evenly over their lots, named `d`, and a condition that belongs to
/// it; `$1` is the client. SQLite finds the sample in the index and reads of each debtor what is asked.
fn sample_of(dialect: Dialect, sample: Sample) -> (String, String) {
    let what = match dialect {
        Dialect::Lite => "rowid",
        Dialect::Pg => "*",
    };
    let places: Vec<String> = (0..SAMPLE_PLACES)
        .map(|n| {
            let place = sample.place(n);
            format!(
                "SELECT * FROM (SELECT {what} FROM debtors WHERE client_id=$1 AND {place} \
                    ORDER BY lot LIMIT {SAMPLE_MOST}) p{n}"
            )
        })
        .collect();
    let all = places.join(" UNION ALL ");
    match dialect {
        Dialect::Lite => ("debtors d".into(), format!("d.rowid IN ({all})")),
        Dialect::Pg => (format!("({all}) d"), "TRUE".into()),
    }
}

/// Everything a preview shows, asked of each debtor of the sample once: figures by currency (0), what those
/// with several owe (1), how many were asked and found at each place (2), those who owe most (3).
fn question(
    (dialect, sample): (Dialect, Sample),
    condition: &str,
    rows: u32,
    shares: &Shares,
) -> String {
    let (from, within) = sample_of(dialect, sample);
    let step = LOTS / SAMPLE_PLACES;
    let (id, none) = match dialect {
        Dialect::Lite => ("id", "NULL"),
        Dialect::Pg => ("id", "CAST(NULL AS UUID)"),
    };
    let alone = sums_of_any(shares, ("balance_minor", "oldest_due_day"), "open_currency");
    let mixed = sums_of_any(shares, ("x.balance", "x.due"), "x.currency");
    let several = of_each("m.hit AND m.open_currency='*'");
    format!(
        "WITH m AS MATERIALIZED (SELECT d.id, d.external_ref, d.country, d.oldest_due_day, d.balance_minor, \
            d.portfolio_id, d.phones, d.open_currency, (d.lot+9223372036854775807+1)/{step} AS place, \
            ({condition}) AS hit FROM {from} WHERE {within}) \
        SELECT CAST(0 AS BIGINT) AS kind, open_currency AS word, COUNT(*) AS n, \
            CAST(COALESCE(SUM(phones),0) AS BIGINT) AS phones, {alone}, \
            {none} AS id, '' AS external_ref, '' AS country, CAST(NULL AS BIGINT) AS oldest_due_day, \
            {none} AS portfolio_id FROM m WHERE hit GROUP BY open_currency \
        UNION ALL SELECT 1, x.currency, 0, 0, {mixed}, {none}, '', '', CAST(NULL AS BIGINT), {none} \
            FROM {several} GROUP BY x.currency \
        UNION ALL SELECT 2, '', COUNT(*), COUNT(CASE WHEN hit THEN 1 END), 0, 0, 0, 0, {none}, '', '', \
            CAST(NULL AS BIGINT), {none} FROM m GROUP BY place \
        UNION ALL SELECT * FROM (SELECT CAST(3 AS BIGINT) AS kind, '' AS word, CAST(0 AS BIGINT) AS n, \
            CAST(phones AS BIGINT) AS phones, balance_minor AS amount, CAST(0 AS BIGINT) AS expected, \
            CAST(0 AS BIGINT) AS unknown, CAST(0 AS BIGINT) AS borrowed, {id}, external_ref, country, \
            oldest_due_day, portfolio_id FROM m WHERE hit ORDER BY balance_minor DESC, id LIMIT {rows}) best"
    )
}

impl SqlStore {
    /// How many debtors a client has; of a large one as it was a moment ago.
    pub(super) async fn debtors_of(&self, client: ClientId) -> Result<u64, StoreError> {
        let known = {
            let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
            sizes.get(&client).copied()
        };
        if let Some((_, of)) = known.filter(|(at, _)| at.elapsed() < SIZE_KEPT) {
            return Ok(of);
        }
        let sql = "SELECT COUNT(*) AS n FROM debtors WHERE client_id=$1";
        let row = self.read().await?.row(sql, vals![client]).await?;
        let of = row.map_or(Ok(0), |r| r.get::<i64>("n"))?.unsigned_abs();
        if of > 2 * EXACT_MAX {
            let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
            sizes.insert(client, (Instant::now(), of));
        }
        Ok(of)
    }

    /// Figures of a client of `of` debtors from a sample.
    pub(super) async fn estimate(
        &self,
        client: ClientId,
        expr: &Expr,
        (now, of): (UtcMs, u64),
        rows: u32,
    ) -> Result<SegmentEstimate, StoreError> {
        let today = self.today_of(client, now).await?;
        let filter = Filter::of_few(self.dialect(), client, expr, &today);
        let filter = self.whole(filter).await?;
        let how = (self.dialect(), Sample::of(of));
        let mut read = self.snapshot().await?;
        let shares = Shares::read(&mut read, client, today.first).await?;
        let sql = question(how, &filter.sql, rows.min(ROWS_MAX), &shares);
        let (mut debtors, mut phones) = (0, 0);
        let (mut owed, mut places, mut best) = (Owed::default(), Vec::new(), Vec::new());
        for row in &read.rows_once(sql, filter.values).await? {
            let kind: i64 = row.get("kind")?;
            match kind {
                0 => {
                    debtors += row.get::<i64>("n")?;
                    phones += row.get::<i64>("phones")?;
                }
                2 => places.push(Place {
                    asked: row.get::<i64>("n")?.unsigned_abs(),
                    found: row.get::<i64>("phones")?.unsigned_abs(),
                }),
                3 => best.push((row.get::<i64>("amount")?, Shown::read(row)?)),
                _ => {}
            }
            let word: String = row.get("word")?;
            if !matches!(word.as_str(), "" | "*") {
                owed.add_row(&word, row, "")?;
            }
        }
        best.sort_by_key(|(amount, row)| (std::cmp::Reverse(*amount), row.id));
        let asked = places.iter().map(|p| p.asked).sum();
        let count = scaled(owed.count(debtors, phones), asked, of);
        let best = best.into_iter().map(|(_, row)| row).collect();
        Ok(SegmentEstimate {
            count,
            exact: false,
            asked,
            of,
            margin: margin(&places, of),
            pending: 0,
            sample: shown(&mut read, best, &today).await?,
        })
    }
}

/// Scales what a sample shows up to all.
fn scaled(found: SegmentCount, asked: u64, of: u64) -> SegmentCount {
    let up = |n: i64| {
        let all = i128::from(n) * i128::from(of) / i128::from(asked.max(1));
        i64::try_from(all).unwrap_or(i64::MAX)
    };
    let count = |n: u64| up(i64::try_from(n).unwrap_or(i64::MAX)).unsigned_abs();
    let owed = found.expected.into_iter().map(|owed| Expected {
        balance_minor: up(owed.balance_minor),
        amount_minor: up(owed.amount_minor),
        unknown_minor: up(owed.unknown_minor),
        borrowed_minor: up(owed.borrowed_minor),
        currency: owed.currency,
    });
    SegmentCount::of(count(found.debtors), count(found.phones), owed)
}

/// How many were asked at a place of the sample, and how many of them belong to the segment.
#[derive(Debug, Clone, Copy)]
struct Place {
    asked: u64,
    found: u64,
}

/// Half width of the interval that holds the number of all in 95 of 100 cases: that of a share (Wilson, who knows
/// rare things too), or, where neighbours in the order are more alike than chance makes them, what the places differ
/// by, of which there are few (Student).
fn margin(places: &[Place], of: u64) -> u64 {
    let asked = f64_of(places.iter().map(|p| p.asked).sum::<u64>().max(1));
    let share = f64_of(places.iter().map(|p| p.found).sum()) / asked;
    // What is not asked about is all that can be wrong.
    let left = (1.0 - asked / f64_of(of.max(1))).max(0.0).sqrt();
    let spread = (share * (1.0 - share) / asked + NORMAL * NORMAL / (4.0 * asked * asked)).sqrt();
    let shift = NORMAL * NORMAL * (0.5 - share).abs() / asked;
    let single = (shift + NORMAL * spread) / (1.0 + NORMAL * NORMAL / asked);
    let off = |p: &Place| (f64_of(p.found) - share * f64_of(p.asked)).powi(2);
    let off: f64 = places.iter().map(off).sum();
    let count = f64_of(places.len() as u64);
    let between = STUDENT * (off * count / (count - 1.0).max(1.0)).sqrt() / asked;
    let width = single.max(between) * left * f64_of(of);
    u64_of(width.ceil())
}

/// Counts of debtors are far below the 2^53 that a float holds exactly.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of debtors are far below 2^53"
)]
const fn f64_of(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a margin is between 0 and the number of debtors"
)]
const fn u64_of(n: f64) -> u64 {
    n as u64
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
