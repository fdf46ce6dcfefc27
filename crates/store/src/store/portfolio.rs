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
    DebtorFile, DebtorRow, ImportReport, PortfolioStore, SegmentCount, SegmentSample,
};
use domain::segment::{Expr, utc_day};
use domain::time::UtcMs;
use std::collections::BTreeMap;

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

/// Figures of the debtors a condition over `d` finds; the condition is asked once per debtor.
async fn count(
    read: &mut Link,
    condition: &str,
    values: Vec<Val>,
) -> Result<SegmentCount, StoreError> {
    let sql = format!(
        "WITH m AS MATERIALIZED (SELECT d.id, d.phones FROM debtors d WHERE {condition}) \
        SELECT '' AS currency, COUNT(*) AS n, CAST(COALESCE(SUM(phones),0) AS BIGINT) AS amount FROM m \
        UNION ALL SELECT x.currency, 0, \
            CAST(SUM(x.principal_minor+x.interest_minor+x.fees_minor) AS BIGINT) \
        FROM m JOIN debts x ON x.debtor_id=m.id AND x.status='open' GROUP BY x.currency ORDER BY 1"
    );
    let mut found = SegmentCount::default();
    for row in &read.rows_once(sql, values).await? {
        let (currency, amount): (String, i64) = (row.get("currency")?, row.get("amount")?);
        if currency.is_empty() {
            found.debtors = row.get::<i64>("n")?.unsigned_abs();
            found.phones = amount.unsigned_abs();
        } else {
            found.balance.push((currency, amount));
        }
    }
    Ok(found)
}

/// Rows of a preview; the main debt is the open one with the greatest balance, and the figure is what is
/// open in its currency.
async fn samples(
    read: &mut Link,
    filter: Filter,
    now: UtcMs,
    limit: u32,
) -> Result<Vec<SegmentSample>, StoreError> {
    let mut values = filter.values;
    values.extend(vals![limit.min(ROWS_MAX)]);
    let sql = format!(
        "SELECT d.id, d.external_ref, d.country, d.oldest_due_day FROM debtors d WHERE {} \
        ORDER BY d.balance_minor DESC, d.id LIMIT ${}",
        filter.sql,
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
        })
    }

    async fn segment_count(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<SegmentCount, StoreError> {
        let filter = Filter::of_client(client, expr, now);
        count(&mut self.snapshot().await?, &filter.sql, filter.values).await
    }

    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError> {
        let filter = Filter::of_client(client, expr, now);
        samples(&mut self.snapshot().await?, filter, now, limit).await
    }

    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let filter = Filter::of_client(client, expr, now);
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
        count(&mut read, "d.portfolio_id=$1", vals![portfolio]).await
    }
}
