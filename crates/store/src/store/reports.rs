//! Marks of debts, goals, the sums and rows behind figures, what the morning review asks.

use super::SqlStore;
use super::actions;
use super::events::append;
use super::kpi::facts_sql;
use super::marks::HALF;
use super::table::pieces;
use crate::rows::columns;
use crate::sql::{Field, Link, Row, holes, vals};
use async_trait::async_trait;
use domain::entity::{DebtMark, Goal, HOLDS_ON, Portfolio, Promise};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, GoalId, PortfolioId};
use domain::money::Currency;
use domain::ports::StoreError;
use domain::ports::store::{
    BrokenAsk, BrokenSums, DebtorActions, KpiPage, KpiRow, MARK_LOOK, MARK_STEP, MarkAsk, Marked,
    PAGE_LIMIT_MAX, RecoveryAsk, ReportStore, SentCounts,
};
use domain::rules::ageing::AgeingSet;
use domain::rules::kpi::{KpiAsk, KpiFact, KpiRows, KpiSums};
use domain::time::UtcMs;
use std::fmt::Write as _;
use uuid::Uuid;

/// The bucket of an open debt that is due on the day `due`, on the day `today`: as `rules::ageing` has it.
fn bucket_sql(set: &AgeingSet, due: &str, today: &str) -> String {
    let mut sql = format!("CASE WHEN {due} IS NULL OR {due}>={today} THEN 0");
    let mut oldest = 0;
    for bucket in set.buckets() {
        oldest = bucket.code();
        if let Some((1.., to)) = bucket.days().filter(|(_, to)| *to != i64::MAX) {
            // A String takes every write.
            let _ = write!(sql, " WHEN {today}-{due}<={to} THEN {oldest}");
        }
    }
    let _ = write!(sql, " ELSE {oldest} END");
    sql
}

/// That a debt `q` is no debtor's whom a file made that is half in: he counts for nobody yet.
const SEEN: &str = " AND NOT EXISTS (SELECT 1 FROM debtors o WHERE o.id=q.debtor_id AND o.made_by IN \
    (SELECT h.id FROM imports h WHERE h.state IN ('accepting', 'undoing')))";

/// Debts of a portfolio that stand otherwise than their last mark says, of those that `which` names; without
/// those of debtors whom nobody sees yet where a file is `half` in.
fn changed_sql(set: &AgeingSet, which: &str, half: bool) -> String {
    let bucket = bucket_sql(set, "d.due_day", "$2");
    let seen = if half { SEEN } else { "" };
    format!(
        "SELECT q.* FROM (SELECT d.id, d.debtor_id, d.client_id, d.portfolio_id, d.currency, d.due_day, \
                d.principal_minor+d.interest_minor+d.fees_minor AS balance_minor, \
                d.overdue_minor, CAST(CASE WHEN d.status='paid' THEN -1 WHEN d.status<>'open' THEN -2 \
                    ELSE {bucket} END AS BIGINT) AS bucket \
            FROM debts d WHERE d.portfolio_id=$1 AND d.id{which}) q \
        LEFT JOIN debt_marks m ON m.debt_id=q.id AND m.until_day={HOLDS_ON} \
        WHERE (m.debt_id IS NULL OR (m.day<$2 AND (m.bucket<>q.bucket \
            OR m.balance_minor<>q.balance_minor OR m.overdue_minor<>q.overdue_minor \
            OR COALESCE(m.due_day,{HOLDS_ON})<>COALESCE(q.due_day,{HOLDS_ON})))){seen} \
        ORDER BY q.id"
    )
}

/// The debts of the next piece that are to be marked.
struct Piece {
    found: Vec<DebtId>,
    /// Where it ends; none behind the last piece.
    next: Option<DebtId>,
    /// Whether a file is half in.
    half: bool,
}

/// The last debt of the piece of a portfolio behind `after`; none where the portfolio ends within the piece.
pub(super) async fn last_of_piece(
    link: &mut Link,
    portfolio: PortfolioId,
    after: DebtId,
) -> Result<Option<DebtId>, StoreError> {
    let last = format!(
        "SELECT id FROM debts WHERE portfolio_id=$1 AND id>$2 ORDER BY id LIMIT 1 OFFSET {}",
        MARK_LOOK - 1
    );
    let last = link.row(last, vals![portfolio, after]).await?;
    last.map(|row| row.get("id")).transpose()
}

async fn to_mark(link: &mut Link, ask: &MarkAsk) -> Result<Piece, StoreError> {
    let limit = ask.limit.clamp(1, MARK_STEP);
    let after = ask.after.unwrap_or(DebtId(Uuid::nil()));
    let half = link.row(HALF, vec![]).await?.is_some();
    let last = last_of_piece(link, ask.portfolio, after).await?;
    let end = last.unwrap_or(DebtId(Uuid::max()));
    let sql = format!(
        "{} LIMIT $5",
        changed_sql(&ask.ageing, ">$3 AND d.id<=$4", half)
    );
    let values = vals![ask.portfolio, ask.day, after, end, limit];
    let rows = link.rows(sql, values).await?;
    let found: Result<Vec<DebtId>, StoreError> = rows.iter().map(|row| row.get("id")).collect();
    let found = found?;
    let next = match found.last() {
        Some(id) if found.len() == limit as usize => Some(*id),
        _ => last,
    };
    Ok(Piece { found, next, half })
}

/// As they are for who holds the writer.
async fn changed_of(tx: &mut Link, ask: &MarkAsk, of: &Piece) -> Result<Vec<Row>, StoreError> {
    let fixed = vals![ask.portfolio, ask.day];
    let mut rows = Vec::new();
    for piece in pieces(&of.found) {
        let which = format!(" IN ({})", holes(fixed.len() + 1, piece.len()));
        let values = fixed.iter().cloned().chain(piece.iter().map(Field::val));
        let sql = changed_sql(&ask.ageing, &which, of.half);
        rows.extend(tx.rows(sql, values.collect()).await?);
    }
    Ok(rows)
}

fn fresh_mark(row: &Row, ask: &MarkAsk) -> Result<DebtMark, StoreError> {
    Ok(DebtMark {
        debt_id: row.get("id")?,
        debtor_id: row.get("debtor_id")?,
        client_id: row.get("client_id")?,
        portfolio_id: row.get("portfolio_id")?,
        day: ask.day,
        until_day: HOLDS_ON,
        first: false,
        at: ask.at,
        bucket: row.get("bucket")?,
        currency: row.get("currency")?,
        balance_minor: row.get("balance_minor")?,
        overdue_minor: row.get("overdue_minor")?,
        due_day: row.get("due_day")?,
    })
}

/// Ends the marks that these debts have; which of them had one.
async fn end_marks(tx: &mut Link, debts: &[DebtId], day: i64) -> Result<Vec<DebtId>, StoreError> {
    let sql = format!("UPDATE debt_marks SET until_day=$1 WHERE until_day={HOLDS_ON} AND debt_id");
    let rows = tx
        .rows_in(&sql, debts, " RETURNING debt_id", &[Field::val(&day)])
        .await?;
    rows.iter().map(|r| r.get("debt_id")).collect()
}

fn goal_row(row: &Row) -> Result<Goal, StoreError> {
    crate::rows::Entity::read(row)
}

#[async_trait]
impl ReportStore for SqlStore {
    async fn mark_debts(
        &self,
        ask: &MarkAsk,
        told: &(dyn for<'a> Fn(&'a DebtMark) -> NewEvent + Send + Sync),
    ) -> Result<Marked, StoreError> {
        let mut look = self.snapshot().await?;
        look.get::<Portfolio>(ask.portfolio).await?;
        // Beside the writer: on most mornings few of a million are to be written.
        let piece = to_mark(&mut look, ask).await?;
        drop(look);
        let next = piece.next;
        if piece.found.is_empty() {
            return Ok(Marked { debts: 0, next });
        }
        let mut tx = self.write().await?;
        // Of two nodes that mark at once the second sees what the first did.
        let lock = format!(
            "SELECT id FROM portfolios WHERE id=$1{}",
            tx.pg_only(" FOR NO KEY UPDATE")
        );
        tx.row(lock, vals![ask.portfolio])
            .await?
            .ok_or(StoreError::NotFound("portfolio"))?;
        let rows = changed_of(&mut tx, ask, &piece).await?;
        let mut marks = Vec::with_capacity(rows.len());
        for row in &rows {
            marks.push(fresh_mark(row, ask)?);
        }
        let debts: Vec<DebtId> = marks.iter().map(|m| m.debt_id).collect();
        let had = end_marks(&mut tx, &debts, ask.day).await?;
        let had: std::collections::BTreeSet<DebtId> = had.into_iter().collect();
        for mark in &mut marks {
            mark.first = !had.contains(&mark.debt_id);
        }
        tx.insert(&marks, "").await?;
        let events: Vec<NewEvent> = marks.iter().map(told).collect();
        append(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(Marked {
            debts: u32::try_from(marks.len()).unwrap_or(u32::MAX),
            next,
        })
    }

    async fn measure_recovery(&self, ask: &RecoveryAsk) -> Result<(), StoreError> {
        self.measure(ask).await
    }

    async fn kpi_sums(&self, rows: KpiRows, ask: &KpiAsk) -> Result<KpiSums, StoreError> {
        let (facts, values) = facts_sql(rows, ask);
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COUNT(DISTINCT q.debtor_id) AS BIGINT) AS debtors, \
                CAST(COALESCE(SUM(q.amount),0) AS BIGINT) AS amount, \
                CAST(COALESCE(SUM(q.weight),0) AS BIGINT) AS weight FROM ({facts}) q"
        );
        let found = self.read().await?.row(sql, values).await?;
        let Some(row) = found else {
            return Ok(KpiSums::default());
        };
        Ok(KpiSums {
            rows: row.get("n")?,
            debtors: row.get("debtors")?,
            amount: row.get("amount")?,
            weight: row.get("weight")?,
        })
    }

    async fn kpi_rows(
        &self,
        rows: KpiRows,
        ask: &KpiAsk,
        page: &KpiPage,
    ) -> Result<Vec<KpiRow>, StoreError> {
        let (facts, mut values) = facts_sql(rows, ask);
        let mut terms = vec!["1=1".to_owned()];
        if page.weighted {
            terms.push("q.weight<>0".to_owned());
        }
        if let Some((at, id)) = page.after {
            let n = values.len() + 1;
            values.extend(vals![at, id]);
            terms.push(format!("(q.at, q.id)>(${n}, ${})", n + 1));
        }
        values.extend(vals![page.limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let whose = match rows.noun() {
            "spell" => {
                "COALESCE(x.name,'') AS external_ref FROM ({}) q LEFT JOIN agents x ON x.id=q.debtor_id"
            }
            _ => "x.external_ref FROM ({}) q JOIN debtors x ON x.id=q.debtor_id",
        };
        let whose = whose.replace("{}", &facts);
        let sql = format!(
            "SELECT q.at, q.id, q.debtor_id, q.amount, q.weight, {whose} \
            WHERE {} ORDER BY q.at, q.id LIMIT ${}",
            terms.join(" AND "),
            values.len()
        );
        let found = self.read().await?.rows(sql, values).await?;
        found
            .iter()
            .map(|row| {
                Ok(KpiRow {
                    fact: KpiFact {
                        at: row.get("at")?,
                        id: row.get("id")?,
                        debtor_id: row.get("debtor_id")?,
                        amount: row.get("amount")?,
                        weight: row.get("weight")?,
                    },
                    external_ref: row.get("external_ref")?,
                })
            })
            .collect()
    }

    async fn get_goal(&self, id: GoalId) -> Result<Goal, StoreError> {
        self.read().await?.get(id).await
    }

    async fn goals(
        &self,
        client: ClientId,
        on: Option<&str>,
        after: Option<GoalId>,
        limit: u32,
    ) -> Result<Vec<Goal>, StoreError> {
        let mut terms = vec!["client_id=$1 AND ended_at IS NULL".to_owned()];
        let mut values = vals![client];
        if let Some(day) = on {
            values.extend(vals![day.to_owned()]);
            terms.push(format!("from_day<=${0} AND to_day>=${0}", values.len()));
        }
        if let Some(after) = after {
            values.extend(vals![after]);
            terms.push(format!("id>${}", values.len()));
        }
        values.extend(vals![limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let sql = format!(
            "SELECT {} FROM goals WHERE {} ORDER BY id LIMIT ${}",
            columns::<Goal>(),
            terms.join(" AND "),
            values.len()
        );
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter().map(goal_row).collect()
    }

    async fn put_goal(&self, goal: &Goal, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(goal).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn broken_promises(&self, ask: &BrokenAsk) -> Result<Vec<Promise>, StoreError> {
        let mut values = vals![ask.client, ask.from, ask.to];
        let mut rest =
            "WHERE client_id=$1 AND state='broken' AND closed_at>=$2 AND closed_at<$3".to_owned();
        if let Some((at, id)) = ask.after {
            values.extend(vals![at, id]);
            rest.push_str(" AND (closed_at, id)>($4, $5)");
        }
        values.extend(vals![ask.limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let _ = write!(rest, " ORDER BY closed_at, id LIMIT ${}", values.len());
        self.read().await?.all(&rest, values).await
    }

    async fn broken_sums(
        &self,
        ask: &BrokenAsk,
        currency: Option<Currency>,
    ) -> Result<BrokenSums, StoreError> {
        actions::broken(self, ask, currency).await
    }

    async fn sent_counts(
        &self,
        client: ClientId,
        from: UtcMs,
        to: UtcMs,
    ) -> Result<SentCounts, StoreError> {
        actions::sent(self, client, (from, to)).await
    }

    async fn actions_of(
        &self,
        debtors: &[DebtorId],
        since: UtcMs,
    ) -> Result<Vec<DebtorActions>, StoreError> {
        actions::of(self, debtors, since).await
    }
}
