//! Debtor files: segments, search, one file.

use super::SqlStore;
use crate::segment::Filter;
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{Debt, Debtor, Portfolio};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtorId, ImportId, PortfolioId};
use domain::ports::StoreError;
use domain::ports::store::{
    CallableMark, DebtorFile, DebtorRow, ImportReport, PortfolioStore, SegmentCount,
    SegmentEstimate, SegmentSample,
};
use domain::segment::{Expr, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Attempts shown in a debtor's file.
const FILE_ATTEMPTS: u32 = 100;
/// Most rows of a preview or a search.
const ROWS_MAX: u32 = 500;

/// Names shown and tables counted.
const TABLES: &[(&str, &str)] = &[
    ("debtors", "debtors"),
    ("debts", "debts"),
    ("points", "contact_points"),
    ("attempts", "attempts"),
    ("ledger", "ledger"),
    ("verdicts", "verdicts"),
    ("recordings", "recordings"),
    ("promises", "promises"),
    ("payments", "payments"),
    ("events", "events"),
];

/// Currencies that are summed in the same pass; others need a second one.
const CURRENCIES_MAX: usize = 8;

/// Debtors a condition is asked of, and what is added up of those it finds.
struct Asked<'a> {
    /// `debtors d`, or a sample of them under that name.
    from: &'a str,
    condition: &'a str,
    values: Vec<Val>,
}

/// Figures of the debtors a condition over `d` finds: one pass over the debtors alone, as far as the open
/// debts of each are in one of the usual currencies.
async fn count(read: &mut Link, asked: &Asked<'_>) -> Result<SegmentCount, StoreError> {
    let usual = usual_currencies(read).await?;
    let (from, condition) = (asked.from, asked.condition);
    let mut values = asked.values.clone();
    let (mut sums, mut known) = (String::new(), String::from("''"));
    for (n, currency) in usual.iter().enumerate() {
        values.extend(vals![currency.clone()]);
        let place = values.len();
        let _ = write!(
            sums,
            ", CAST(SUM(CASE WHEN d.open_currency=${place} THEN d.balance_minor END) AS BIGINT) AS b{n}"
        );
        let _ = write!(known, ",${place}");
    }
    let sql = format!(
        "SELECT COUNT(*) AS n, CAST(COALESCE(SUM(d.phones),0) AS BIGINT) AS phones, \
            COUNT(CASE WHEN d.open_currency NOT IN ({known}) THEN 1 END) AS others{sums} \
        FROM {from} WHERE {condition}"
    );
    let rows = read.rows_once(sql, values.clone()).await?;
    let Some(row) = rows.first() else {
        return Ok(SegmentCount::default());
    };
    let mut balance: BTreeMap<String, i64> = BTreeMap::new();
    for (n, currency) in usual.iter().enumerate() {
        if let Some(sum) = row.get::<Option<i64>>(&format!("b{n}"))? {
            balance.insert(currency.clone(), sum);
        }
    }
    if row.get::<i64>("others")? > 0 {
        let sql = format!(
            "WITH m AS MATERIALIZED (SELECT d.id FROM {from} WHERE {condition} \
                AND d.open_currency NOT IN ({known})) \
            SELECT x.currency, CAST(SUM(x.principal_minor+x.interest_minor+x.fees_minor) AS BIGINT) AS amount \
            FROM m JOIN debts x ON x.debtor_id=m.id AND x.status='open' GROUP BY x.currency"
        );
        for row in &read.rows_once(sql, values).await? {
            *balance.entry(row.get("currency")?).or_default() += row.get::<i64>("amount")?;
        }
    }
    Ok(SegmentCount {
        debtors: row.get::<i64>("n")?.unsigned_abs(),
        phones: row.get::<i64>("phones")?.unsigned_abs(),
        balance: balance.into_iter().collect(),
    })
}

async fn usual_currencies(read: &mut Link) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT currency FROM portfolios ORDER BY currency LIMIT {CURRENCIES_MAX}"
    );
    let rows = read.rows(sql, vec![]).await?;
    rows.iter().map(|r| r.get("currency")).collect()
}

/// A client of no more debtors is counted while he types.
const EXACT_MAX: u64 = 25_000;
/// Places in the random order from which a sample is taken, so that a campaign which calls in that order
/// does not bend it.
const SAMPLE_PLACES: i64 = 32;
/// Debtors taken from each place.
const SAMPLE_EACH: i64 = 320;
/// The lots of a version 7 id: from the least number upwards, as many as the two bits of its variant leave.
const LOTS: i64 = 1 << 62;

/// A sample of a client's debtors, spread evenly over their lots, named `d`; `$1` is the client.
fn sample_of() -> String {
    let step = LOTS / SAMPLE_PLACES;
    let places: Vec<String> = (0..SAMPLE_PLACES)
        .map(|n| {
            // The least number cannot be written as one literal: PostgreSQL would read a decimal.
            let from = format!("(-9223372036854775807-1+{})", n * step);
            let to = format!("(-9223372036854775807-1+{})", (n + 1) * step);
            format!(
                "SELECT * FROM (SELECT * FROM debtors WHERE client_id=$1 AND lot>={from} AND lot<{to} \
                    ORDER BY lot LIMIT {SAMPLE_EACH}) p{n}"
            )
        })
        .collect();
    format!("({}) d", places.join(" UNION ALL "))
}

/// Scales what a sample shows up to all; the margin is that of a share in 95 of 100 cases.
fn scaled(found: SegmentCount, asked: u64, of: u64) -> (SegmentCount, u64) {
    let up = |n: i64| {
        let all = i128::from(n) * i128::from(of) / i128::from(asked.max(1));
        i64::try_from(all).unwrap_or(i64::MAX)
    };
    let count = |n: u64| up(i64::try_from(n).unwrap_or(i64::MAX)).unsigned_abs();
    let share = f64_of(found.debtors) / f64_of(asked.max(1));
    let deviation = (share * (1.0 - share) / f64_of(asked.max(1))).sqrt();
    // Nobody in the sample: at most three in as many as were asked (the rule of three).
    let least = 3.0 / f64_of(asked.max(1));
    let margin = (1.96 * deviation).max(least) * f64_of(of);
    let count = SegmentCount {
        debtors: count(found.debtors),
        phones: count(found.phones),
        balance: found.balance.into_iter().map(|(c, n)| (c, up(n))).collect(),
    };
    (count, u64_of(margin.ceil()))
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

/// Rows of a preview; the main debt is the open one with the greatest balance, and the figure is what is
/// open in its currency.
async fn samples(
    read: &mut Link,
    asked: &Asked<'_>,
    now: UtcMs,
    limit: u32,
) -> Result<Vec<SegmentSample>, StoreError> {
    let mut values = asked.values.clone();
    values.extend(vals![limit.min(ROWS_MAX)]);
    let sql = format!(
        "SELECT d.id, d.external_ref, d.country, d.oldest_due_day FROM {} WHERE {} \
        ORDER BY d.balance_minor DESC, d.id LIMIT ${}",
        asked.from,
        asked.condition,
        values.len()
    );
    let rows = read.rows_once(sql, values).await?;
    let mut ids: Vec<DebtorId> = Vec::with_capacity(rows.len());
    for row in &rows {
        ids.push(row.get("id")?);
    }
    let mut debts: BTreeMap<DebtorId, Vec<Debt>> = BTreeMap::new();
    let open: Vec<Debt> = read
        .all_in("debtor_id", &ids, " AND status='open'", &[])
        .await?;
    for debt in open {
        debts.entry(debt.debtor_id).or_default().push(debt);
    }
    let mut found = Vec::with_capacity(rows.len());
    for (row, id) in rows.iter().zip(ids) {
        let debts = debts.remove(&id).unwrap_or_default();
        let main = debts
            .iter()
            .max_by_key(|d| (d.balance_minor(), d.id))
            .map(|d| d.currency);
        let due: Option<i64> = row.get("oldest_due_day")?;
        found.push(SegmentSample {
            debtor_id: id,
            external_ref: row.get("external_ref")?,
            country: row.get("country")?,
            days_past_due: due.map_or(0, |day| utc_day(now) - day),
            balance_minor: debts
                .iter()
                .filter(|d| Some(d.currency) == main)
                .map(Debt::balance_minor)
                .sum(),
            currency: main.map(|c| c.to_string()).unwrap_or_default(),
        });
    }
    Ok(found)
}

/// Most debtors looked at for their marks in one go.
const LOOK_MAX: u32 = 10_000;
/// Marks of one statement.
const MARKS_EACH: usize = 256;

fn all_of(filter: &Filter) -> Asked<'_> {
    Asked {
        from: "debtors d",
        condition: &filter.sql,
        values: filter.values.clone(),
    }
}

#[async_trait]
impl PortfolioStore for SqlStore {
    async fn import_batch(
        &self,
        import: ImportId,
        rows: &[DebtorRow],
        dry_run: bool,
        events: &[NewEvent],
    ) -> Result<ImportReport, StoreError> {
        self.import_rows(import, rows, dry_run, events).await
    }

    async fn debtor_file(&self, id: DebtorId) -> Result<DebtorFile, StoreError> {
        let mut read = self.snapshot().await?;
        let (of, newest) = (
            "WHERE debtor_id=$1 ORDER BY id",
            "WHERE debtor_id=$1 ORDER BY id DESC",
        );
        let key = || vals![id];
        let attempts = "WHERE debtor_id=$1 ORDER BY id DESC LIMIT $2";
        let sql = "SELECT score, callable_from, callable_until FROM debtors WHERE id=$1";
        let marks = read.row(sql, key()).await?;
        let marks = marks.ok_or(StoreError::NotFound("debtor"))?;
        let from: Option<UtcMs> = marks.get("callable_from")?;
        let until: Option<UtcMs> = marks.get("callable_until")?;
        Ok(DebtorFile {
            debtor: read.get(id).await?,
            debts: read.all(of, key()).await?,
            parties: read.all(of, key()).await?,
            points: read.all(of, key()).await?,
            consents: read.all(of, key()).await?,
            holds: read.all(of, key()).await?,
            promises: read.all(newest, key()).await?,
            payments: read.all(newest, key()).await?,
            attempts: read.all(attempts, vals![id, FILE_ATTEMPTS]).await?,
            score: marks.get("score")?,
            callable: from.zip(until),
        })
    }

    async fn segment_count(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<SegmentCount, StoreError> {
        let filter = Filter::of_client(self.dialect(), client, expr, now);
        count(&mut self.snapshot().await?, &all_of(&filter)).await
    }

    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError> {
        let filter = Filter::of_client(self.dialect(), client, expr, now);
        samples(&mut self.snapshot().await?, &all_of(&filter), now, limit).await
    }

    async fn segment_estimate(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        rows: u32,
    ) -> Result<SegmentEstimate, StoreError> {
        let mut read = self.snapshot().await?;
        let sql = "SELECT COUNT(*) AS n FROM debtors WHERE client_id=$1";
        let of = read.row(sql, vals![client]).await?;
        let of = of.map_or(Ok(0), |r| r.get::<i64>("n"))?.unsigned_abs();
        if of <= EXACT_MAX {
            let filter = Filter::of_client(self.dialect(), client, expr, now);
            return Ok(SegmentEstimate {
                count: count(&mut read, &all_of(&filter)).await?,
                exact: true,
                asked: of,
                of,
                margin: 0,
                sample: samples(&mut read, &all_of(&filter), now, rows).await?,
            });
        }
        let from = sample_of();
        let sql = format!("SELECT COUNT(*) AS n FROM {from}");
        let taken = read.row(sql, vals![client]).await?;
        let taken = taken.map_or(Ok(0), |r| r.get::<i64>("n"))?.unsigned_abs();
        let filter = Filter::of_few(self.dialect(), client, expr, now);
        let asked = Asked {
            from: &from,
            condition: &filter.sql,
            values: filter.values,
        };
        let (figures, margin) = scaled(count(&mut read, &asked).await?, taken, of);
        Ok(SegmentEstimate {
            count: figures,
            exact: false,
            asked: taken,
            of,
            margin,
            sample: samples(&mut read, &asked, now, rows).await?,
        })
    }

    async fn unmarked_debtors(
        &self,
        after: Option<DebtorId>,
        now: UtcMs,
        limit: u32,
    ) -> Result<(Vec<DebtorId>, Option<DebtorId>), StoreError> {
        let after = after.unwrap_or(DebtorId(uuid::Uuid::nil()));
        let sql = "SELECT id, (open_debts>0 AND (callable_until IS NULL OR callable_until<=$2)) AS stale \
            FROM debtors WHERE id>$1 ORDER BY id LIMIT $3";
        let values = vals![after, now, limit.min(LOOK_MAX)];
        let rows = self.read().await?.rows(sql, values).await?;
        let (mut stale, mut last) = (Vec::new(), None);
        for row in &rows {
            let id: DebtorId = row.get("id")?;
            last = Some(id);
            if row.get::<bool>("stale")? {
                stale.push(id);
            }
        }
        Ok((stale, last))
    }

    async fn mark_callable(&self, marks: &[CallableMark]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for piece in marks.chunks(MARKS_EACH) {
            let (mut rows, mut values) = (Vec::new(), Vec::new());
            for mark in piece {
                let n = values.len();
                rows.push(format!("(${},${},${})", n + 1, n + 2, n + 3));
                values.extend(vals![mark.debtor, mark.from, mark.until]);
            }
            let sql = format!(
                "UPDATE debtors SET callable_from=v.column2, callable_until=v.column3 \
                FROM (VALUES {}) AS v WHERE debtors.id=v.column1",
                rows.join(",")
            );
            tx.run(sql, values).await?;
        }
        tx.commit().await
    }

    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let filter = Filter::of_client(self.dialect(), client, expr, now);
        let sql = format!(
            "SELECT d.id FROM debtors d WHERE {} ORDER BY d.id",
            filter.sql
        );
        let rows = self.read().await?.rows_once(sql, filter.values).await?;
        rows.iter().map(|r| r.get("id")).collect()
    }

    async fn portfolio_by_name(
        &self,
        client: ClientId,
        name: &str,
    ) -> Result<Option<Portfolio>, StoreError> {
        let values = vals![client, name.to_owned()];
        let rest = "WHERE client_id=$1 AND name=$2";
        self.read().await?.find(rest, values).await
    }

    async fn find_debtors(
        &self,
        client: Option<ClientId>,
        needle: &str,
        limit: u32,
    ) -> Result<Vec<Debtor>, StoreError> {
        // A union, so that each way has its index.
        let rest = "WHERE id IN (SELECT id FROM debtors WHERE external_ref=$1 \
                UNION SELECT id FROM debtors WHERE document=$1 \
                UNION SELECT debtor_id FROM contact_points WHERE value=$1) \
            AND ($2 IS NULL OR client_id=$2) ORDER BY id LIMIT $3";
        let values = vals![needle.to_owned(), client, limit.min(ROWS_MAX)];
        self.read().await?.all(rest, values).await
    }

    async fn table_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut read = self.snapshot().await?;
        let mut counts = Vec::with_capacity(TABLES.len());
        for (name, table) in TABLES {
            let sql = format!("SELECT COUNT(*) AS n FROM {table}");
            let row = read.row(sql, vec![]).await?;
            counts.push(((*name).to_owned(), row.map_or(Ok(0), |r| r.get("n"))?));
        }
        Ok(counts)
    }

    async fn portfolio_totals(&self, portfolio: PortfolioId) -> Result<SegmentCount, StoreError> {
        let mut read = self.snapshot().await?;
        let asked = Asked {
            from: "debtors d",
            condition: "d.portfolio_id=$1",
            values: vals![portfolio],
        };
        count(&mut read, &asked).await
    }
}
