//! Debtor files: segments, search, one file.

use super::SqlStore;
use super::count::{Asked, all_of, count, count_all};
use super::count_parts::Parts;
use super::due_items;
use super::estimate::EXACT_MAX;
use super::recovery::Shares;
use super::steps::step_of;
use crate::rows::{Entity as _, columns};
use crate::segment::{Filter, Today};
use crate::sql::{Dialect, Field as _, Link, Row, vals};
use async_trait::async_trait;
use domain::entity::dnc::listed_form;
use domain::entity::{ContactPoint, Debt, Debtor, Portfolio, Segment, SuppressionKind};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, ImportId, PortfolioId, SegmentId};
use domain::ports::StoreError;
use domain::ports::store::{
    CallableMark, DebtorFile, DebtorRow, ImportReport, ListFilter, MarkClaim, Page, PageRequest,
    PortfolioStore, SegmentCount, SegmentEstimate, SegmentSample,
};
use domain::segment::{Expr, asks_the_law};
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

/// Rows of a preview; the main debt is the open one with the greatest balance, and the figure is what is
/// open in its currency.
async fn samples(
    read: &mut Link,
    asked: &Asked<'_>,
    today: &Today,
    limit: u32,
) -> Result<Vec<SegmentSample>, StoreError> {
    let mut values = asked.values.clone();
    values.extend(vals![limit.min(ROWS_MAX)]);
    let (steps, most) = match read.dialect() {
        Dialect::Lite => {
            let step = step_of("d.balance_minor");
            // All are: it tells SQLite that the index is worth more than its order.
            (format!(" AND {step}>=0"), format!("{step} DESC, "))
        }
        Dialect::Pg => (String::new(), String::new()),
    };
    let sql = format!(
        "SELECT d.id, d.external_ref, d.country, d.oldest_due_day, d.portfolio_id FROM {} WHERE {}{steps} \
        ORDER BY {most}d.balance_minor DESC, d.id LIMIT ${}",
        asked.from,
        asked.condition,
        values.len()
    );
    let rows = read.rows_once(sql, values).await?;
    let found: Result<Vec<Shown>, _> = rows.iter().map(Shown::read).collect();
    shown(read, found?, today).await
}

/// A debtor who is shown.
pub(super) struct Shown {
    pub(super) id: DebtorId,
    external_ref: String,
    country: String,
    oldest_due_day: Option<i64>,
    portfolio: PortfolioId,
}

impl Shown {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            external_ref: row.get("external_ref")?,
            country: row.get("country")?,
            oldest_due_day: row.get("oldest_due_day")?,
            portfolio: row.get("portfolio_id")?,
        })
    }
}

/// The same with what each owes.
pub(super) async fn shown(
    read: &mut Link,
    rows: Vec<Shown>,
    today: &Today,
) -> Result<Vec<SegmentSample>, StoreError> {
    let ids: Vec<DebtorId> = rows.iter().map(|row| row.id).collect();
    let mut debts: BTreeMap<DebtorId, Vec<Debt>> = BTreeMap::new();
    let open: Vec<Debt> = read
        .all_in("debtor_id", &ids, " AND status='open'", &[])
        .await?;
    for debt in open {
        debts.entry(debt.debtor_id).or_default().push(debt);
    }
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let debts = debts.remove(&row.id).unwrap_or_default();
        let main = debts
            .iter()
            .max_by_key(|d| (d.balance_minor(), d.id))
            .map(|d| d.currency);
        let today = today.of_portfolio(row.portfolio);
        found.push(SegmentSample {
            debtor_id: row.id,
            external_ref: row.external_ref,
            country: row.country,
            days_past_due: row.oldest_due_day.map_or(0, |day| today - day),
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

impl SqlStore {
    async fn pending_of(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<u64, StoreError> {
        if asks_the_law(expr) {
            self.unasked(client, now).await
        } else {
            Ok(0)
        }
    }

    /// Figures by the marks as they are.
    async fn estimated(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        rows: u32,
    ) -> Result<SegmentEstimate, StoreError> {
        let of = self.debtors_of(client).await?;
        if of > EXACT_MAX {
            return self.estimate(client, expr, (now, of), rows).await;
        }
        let today = self.today_of(client, now).await?;
        let half = self.half_in().await?;
        let filter = Filter::of_client(self.dialect(), client, expr, &today).without(&half);
        let mut read = self.wide().await?;
        let shares = Shares::read(&mut read, client, today.first).await?;
        let count = match self.dialect() {
            Dialect::Lite => count(&mut read, &all_of(&filter), client, &shares).await?,
            Dialect::Pg => {
                let parts = Parts::of(client, (expr, &half), &today);
                parts.count(&mut read, client, &shares).await?
            }
        };
        Ok(SegmentEstimate {
            count,
            exact: true,
            asked: of,
            of,
            margin: 0,
            pending: 0,
            sample: samples(&mut read, &all_of(&filter), &today, rows).await?,
        })
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
        let debts: Vec<Debt> = read.all(of, key()).await?;
        let own: Vec<DebtId> = debts.iter().map(|d| d.id).collect();
        Ok(DebtorFile {
            debtor: read.get(id).await?,
            debts,
            items: due_items::of_debts(&mut read, &own).await?,
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
        let expr = &self.whole_segment(client, expr, None).await?;
        let half = self.half_in().await?;
        count_all(self, (expr, &half), client, now).await
    }

    async fn segment_sample(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        limit: u32,
    ) -> Result<Vec<SegmentSample>, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        let today = self.today_of(client, now).await?;
        let filter = Filter::of_client(self.dialect(), client, expr, &today);
        let filter = self.whole(filter).await?;
        samples(&mut self.wide().await?, &all_of(&filter), &today, limit).await
    }

    async fn segment_estimate(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
        rows: u32,
    ) -> Result<SegmentEstimate, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        // Before and after: a mark that is taken away meanwhile is seen.
        let before = self.pending_of(client, expr, now).await?;
        let mut found = self.estimated(client, expr, now, rows).await?;
        let after = self.pending_of(client, expr, now).await?;
        found.pending = before.max(after);
        found.exact &= found.pending == 0;
        found.margin = found.margin.saturating_add(found.pending);
        Ok(found)
    }

    async fn marks_pending(&self, client: ClientId, now: UtcMs) -> Result<u64, StoreError> {
        self.unasked(client, now).await
    }

    async fn claim_marks(&self, now: UtcMs, limit: u32) -> Result<MarkClaim, StoreError> {
        self.claim(now, limit).await
    }

    async fn mark_callable(&self, claim: i64, marks: &[CallableMark]) -> Result<u64, StoreError> {
        self.mark(claim, marks).await
    }

    async fn forget_marks(&self, limit: u32) -> Result<u64, StoreError> {
        self.forget(limit).await
    }

    async fn segment_text(
        &self,
        client: ClientId,
        name: &str,
        version: Option<i32>,
    ) -> Result<Option<String>, StoreError> {
        let sql = match version {
            None => {
                "SELECT expression FROM segments WHERE client_id=$1 AND name=$2 ORDER BY id LIMIT 1"
            }
            Some(_) => {
                "SELECT v.expression FROM segments s JOIN segment_versions v ON v.segment_id=s.id \
                    WHERE s.client_id=$1 AND s.name=$2 AND v.version=$3 ORDER BY s.id LIMIT 1"
            }
        };
        let mut values = vals![client, name.to_owned()];
        values.extend(version.map(|v| v.val()));
        let row = self.read().await?.row(sql, values).await?;
        row.map(|r| r.get("expression")).transpose()
    }

    async fn segment_versions(&self, id: SegmentId) -> Result<Vec<Segment>, StoreError> {
        let sql = "SELECT segment_id AS id, client_id, name, expression, version, saved_at AS created_at, \
            saved_at AS updated_at FROM segment_versions WHERE segment_id=$1 ORDER BY version DESC LIMIT $2";
        let rows = self.read().await?.rows(sql, vals![id, ROWS_MAX]).await?;
        rows.iter().map(Segment::read).collect()
    }

    async fn segment_ids(
        &self,
        client: ClientId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        let today = self.today_of(client, now).await?;
        let filter = Filter::of_client(self.dialect(), client, expr, &today);
        let filter = self.whole(filter).await?;
        let sql = format!(
            "SELECT d.id FROM debtors d WHERE {} ORDER BY d.id",
            filter.sql
        );
        let rows = self.wide().await?.rows_once(sql, filter.values).await?;
        rows.iter().map(|r| r.get("id")).collect()
    }

    async fn in_segment(
        &self,
        client: ClientId,
        debtor: DebtorId,
        expr: &Expr,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let expr = &self.whole_segment(client, expr, None).await?;
        let today = self.today_of(client, now).await?;
        let filter = Filter::of_few(self.dialect(), client, expr, &today);
        let mut filter = self.whole(filter).await?;
        filter.values.extend(vals![debtor]);
        let sql = format!(
            "SELECT 1 AS n FROM debtors d WHERE {} AND d.id=${}",
            filter.sql,
            filter.values.len()
        );
        let rows = self.read().await?.rows_once(sql, filter.values).await?;
        Ok(!rows.is_empty())
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
        // A union, so that each way has its index: a reference is looked for in each portfolio.
        let rest = "WHERE id IN (SELECT COALESCE(merged_into,id) FROM debtors WHERE external_ref=$1 \
                    AND portfolio_id IN (SELECT p.id FROM portfolios p WHERE $2 IS NULL OR p.client_id=$2) \
                UNION SELECT COALESCE(merged_into,id) FROM debtors WHERE listed_form=$4 AND document=$1 \
                UNION SELECT debtor_id FROM contact_points WHERE value=$1) \
            AND ($2 IS NULL OR client_id=$2) AND (made_by IS NULL OR made_by NOT IN \
                (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing'))) \
            ORDER BY id LIMIT $3";
        let document = listed_form(SuppressionKind::Document, needle);
        let values = vals![needle.to_owned(), client, limit.min(ROWS_MAX), document];
        self.read().await?.all(rest, values).await
    }

    async fn debtor_page(
        &self,
        filter: &ListFilter,
        page: &PageRequest,
    ) -> Result<Page<Debtor>, StoreError> {
        self.whole_page(filter, page).await
    }

    async fn points_of(&self, debtors: &[DebtorId]) -> Result<Vec<ContactPoint>, StoreError> {
        let before = format!(
            "SELECT {} FROM contact_points WHERE debtor_id",
            columns::<ContactPoint>()
        );
        let rows = self
            .read()
            .await?
            .rows_in(&before, debtors, "", &[])
            .await?;
        let read = rows.iter().map(crate::rows::Entity::read);
        let mut points = read.collect::<Result<Vec<ContactPoint>, _>>()?;
        points.sort_by_key(|p| (p.debtor_id, p.position, p.id));
        Ok(points)
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
        let of: Portfolio = read.get(portfolio).await?;
        let condition = format!("d.portfolio_id=$1 AND {}", super::half::WHOLE);
        let asked = Asked {
            from: "debtors d",
            condition: &condition,
            values: vals![portfolio],
        };
        let found = count(&mut read, &asked, of.client_id, &Shares::none()).await?;
        Ok(SegmentCount {
            expected: Vec::new(),
            ..found
        })
    }
}
