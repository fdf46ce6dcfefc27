//! Departures from the written policy, by SQL.

use super::SqlStore;
use crate::sql::{Field as _, Val, vals};
use async_trait::async_trait;
use domain::ports::StoreError;
use domain::ports::store::{
    Departure, DepartureAsk, DepartureCount, DepartureRow, DepartureStore, PAGE_LIMIT_MAX,
    STEP_LATE_MS,
};
use domain::time::UtcMs;
use uuid::Uuid;

/// Rows of a kind: `at, id, debtor_id, reason, state, departed`; `$1` client, `$2` from, `$3` to, `$4` now.
fn rows_sql(kind: Departure) -> String {
    match kind {
        Departure::BeyondAuthority => "SELECT p.made_at AS at, p.id AS id, p.debtor_id AS debtor_id, \
                COALESCE(p.ask_reason,'') AS reason, p.state AS state, \
                (p.needs_role IS NOT NULL) AS departed \
            FROM plans p WHERE p.client_id=$1 AND p.made_at>=$2 AND p.made_at<$3 AND p.made_at<=$4"
            .to_owned(),
        Departure::StageLate => "SELECT s.deadline AS at, s.debt_id AS id, s.debtor_id AS debtor_id, \
                s.stage AS reason, CASE WHEN s.late_at IS NULL THEN 'untold' ELSE 'told' END AS state, \
                (s.deadline<=$4) AS departed \
            FROM debt_stages s JOIN debts d ON d.id=s.debt_id \
            WHERE s.client_id=$1 AND s.deadline>=$2 AND s.deadline<$3 AND d.status='open'"
            .to_owned(),
        Departure::StepNotRun => format!(
            "SELECT t.due_at AS at, t.id AS id, t.debtor_id AS debtor_id, t.reason AS reason, \
                t.state AS state, \
                (t.state='refused' OR (t.state='planned' AND t.due_at<=$4-{STEP_LATE_MS})) AS departed \
            FROM planned_steps t WHERE t.client_id=$1 AND t.due_at>=$2 AND t.due_at<$3 \
                AND t.due_at<=$4 AND t.state<>'cancelled'"
        ),
        Departure::MessageNotSent => "SELECT m.due_at AS at, m.id AS id, m.debtor_id AS debtor_id, \
                m.reason AS reason, m.state AS state, \
                (m.state IN ('refused','failed','bounced')) AS departed \
            FROM messages m WHERE m.client_id=$1 AND m.due_at>=$2 AND m.due_at<$3 AND m.due_at<=$4 \
                AND m.strategy_id IS NOT NULL AND m.state<>'cancelled'"
            .to_owned(),
    }
}

fn values(ask: &DepartureAsk) -> Vec<Val> {
    vals![ask.client, ask.from, ask.to, ask.now]
}

#[async_trait]
impl DepartureStore for SqlStore {
    async fn departure_count(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
    ) -> Result<DepartureCount, StoreError> {
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) AS n, \
                CAST(COUNT(CASE WHEN q.departed THEN 1 END) AS BIGINT) AS departed FROM ({}) q",
            rows_sql(kind)
        );
        let row = self.read().await?.row(sql, values(ask)).await?;
        let Some(row) = row else {
            return Ok(DepartureCount::default());
        };
        Ok(DepartureCount {
            departed: row.get("departed")?,
            of: row.get("n")?,
        })
    }

    async fn departures(
        &self,
        kind: Departure,
        ask: &DepartureAsk,
        after: Option<(UtcMs, Uuid)>,
        limit: u32,
    ) -> Result<Vec<DepartureRow>, StoreError> {
        let mut values = values(ask);
        let mut behind = "";
        if let Some((at, id)) = after {
            values.extend([at.val(), id.val()]);
            behind = " AND (q.at, q.id)>($5, $6)";
        }
        values.extend(vals![limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let sql = format!(
            "SELECT q.at, q.id, q.debtor_id, q.reason, q.state, x.external_ref FROM ({}) q \
            JOIN debtors x ON x.id=q.debtor_id WHERE q.departed{behind} ORDER BY q.at, q.id LIMIT ${}",
            rows_sql(kind),
            values.len()
        );
        let found = self.read().await?.rows(sql, values).await?;
        found
            .iter()
            .map(|row| {
                Ok(DepartureRow {
                    at: row.get("at")?,
                    id: row.get("id")?,
                    debtor_id: row.get("debtor_id")?,
                    external_ref: row.get("external_ref")?,
                    reason: row.get("reason")?,
                    state: row.get("state")?,
                })
            })
            .collect()
    }
}
