//! Strategies and what they plan beside messages.

use super::SqlStore;
use super::events::append;
use super::floor::Terms;
use super::items::{lock_person_of, write_item};
use super::judged::SINCE;
use super::messages::{insert_new, keep_version, of_client, versions};
use super::messages_ends::{cancel_step, paid_at};
use crate::sql::{Field as _, Val, vals};
use async_trait::async_trait;
use domain::entity::{PlannedState, PlannedStep, Strategy, StrategyTrigger};
use domain::event::NewEvent;
use domain::ids::{ClientId, PlannedStepId, StrategyId};
use domain::ports::StoreError;
use domain::ports::store::{
    ItemState, PAGE_LIMIT_MAX, Page, PageRequest, PlanAsk, PlanSource, StepAsk, StepCalled,
    StrategyFigures, StrategyStore,
};
use domain::rules::strategy::{called, date_of_day, ended_call};
use domain::rules::withdrawal::paid_since;
use domain::time::UtcMs;

const VERSIONS: (&str, &str) = ("strategy_versions", "strategy_id");

/// When the first step of a strategy `$1` came due for each of its debtors `m`: whatever became of it then, and
/// whatever kind it is, so that the arms of a champion are measured alike.
const FIRST: &str = "(SELECT x.debtor_id, MIN(x.due_at) AS since FROM (\
    SELECT debtor_id, due_at FROM messages WHERE strategy_id=$1 AND state<>'queued' \
        AND (state<>'cancelled' OR ended_at>=due_at) \
    UNION ALL SELECT debtor_id, due_at FROM planned_steps WHERE strategy_id=$1 AND state<>'planned' \
        AND (state<>'cancelled' OR ended_at>=due_at)) x GROUP BY x.debtor_id) m";

/// Where the dates of a kind are, with those of a client between two of them. A due date makes no steps once money
/// has come since that paid all that was overdue of its debt; with due items the date itself moves on. What is
/// overdue before any money is the creditor's figure of the day of his file, and may have come to be since.
const fn from_of(trigger: StrategyTrigger) -> &'static str {
    match trigger {
        StrategyTrigger::DueDate => {
            "SELECT x.id, x.debtor_id, x.id AS debt_id, x.due_date FROM debts x \
                WHERE x.status='open' AND x.client_id=$1 AND x.due_day>=$2 AND x.due_day<=$3 \
                AND (x.overdue_minor>0 OR NOT EXISTS (SELECT 1 FROM payments p \
                        JOIN payment_parts r ON r.payment_id=p.id WHERE p.debt_id=x.id \
                            AND r.overdue_minor>0 AND p.posted_at>=x.due_day*86400000) \
                    OR EXISTS (SELECT 1 FROM debt_items i WHERE i.debt_id=x.id))"
        }
        StrategyTrigger::Promise => {
            "SELECT x.id, x.debtor_id, x.debt_id, x.due_date FROM promises x \
                JOIN debts d ON d.id=x.debt_id WHERE x.state='active' AND d.status='open' \
                AND x.client_id=$1 AND x.due_day>=$2 AND x.due_day<=$3"
        }
        // Dates as texts are in the order of their days.
        StrategyTrigger::Instalment => {
            "SELECT x.id, p.debtor_id, p.debt_id, x.due_date FROM instalments x \
                JOIN plans p ON p.id=x.plan_id JOIN debts d ON d.id=p.debt_id \
                WHERE x.state='due' AND p.state IN ('signed','active') AND d.status='open' \
                AND p.client_id=$1 AND x.due_date>=$2 AND x.due_date<=$3"
        }
    }
}

#[async_trait]
impl StrategyStore for SqlStore {
    async fn put_strategy(&self, row: &Strategy, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.put(row).await?;
        keep_version(&mut tx, VERSIONS, (row.id.0, row.version), row).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn get_strategy(&self, id: StrategyId) -> Result<Strategy, StoreError> {
        self.read().await?.get(id).await
    }

    async fn strategies(
        &self,
        client: Option<ClientId>,
        page: &PageRequest,
    ) -> Result<Page<Strategy>, StoreError> {
        let terms = of_client(client);
        self.list_rows::<Strategy, StrategyId>(terms, page, |r| r.id.to_string())
            .await
    }

    async fn strategy_versions(&self, id: StrategyId) -> Result<Vec<Strategy>, StoreError> {
        versions(&mut self.read().await?, VERSIONS, id.0).await
    }

    async fn active_strategies(&self) -> Result<Vec<Strategy>, StoreError> {
        let rest = "WHERE status='active' ORDER BY id";
        self.read().await?.all(rest, vec![]).await
    }

    async fn plan_sources(&self, ask: &PlanAsk) -> Result<Vec<PlanSource>, StoreError> {
        let mut sql = from_of(ask.trigger).to_owned();
        let mut values = match ask.trigger {
            StrategyTrigger::Instalment => {
                vals![
                    ask.client,
                    date_of_day(ask.from_day),
                    date_of_day(ask.to_day)
                ]
            }
            _ => vals![ask.client, ask.from_day, ask.to_day],
        };
        if let Some(portfolio) = ask.portfolio {
            values.extend(vals![portfolio]);
            let of = match ask.trigger {
                StrategyTrigger::DueDate => "x",
                _ => "d",
            };
            sql.push_str(&format!(" AND {of}.portfolio_id=${}", values.len()));
        }
        if let Some(after) = ask.after {
            values.extend(vals![after]);
            sql.push_str(&format!(" AND x.id>${}", values.len()));
        }
        values.extend(vals![ask.limit.clamp(1, PAGE_LIMIT_MAX)]);
        sql.push_str(&format!(" ORDER BY x.id LIMIT ${}", values.len()));
        let rows = self.read().await?.rows(sql, values).await?;
        rows.iter()
            .map(|row| {
                let id: uuid::Uuid = row.get("id")?;
                Ok(PlanSource {
                    id,
                    debtor_id: row.get("debtor_id")?,
                    debt_id: row.get("debt_id")?,
                    promise_id: (ask.trigger == StrategyTrigger::Promise).then_some(id.into()),
                    date: row.get("due_date")?,
                })
            })
            .collect()
    }

    async fn plan_steps(
        &self,
        rows: &[PlannedStep],
        events: &[NewEvent],
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let new = insert_new(&mut tx, rows).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(new)
    }

    async fn get_step(&self, id: PlannedStepId) -> Result<PlannedStep, StoreError> {
        self.read().await?.get(id).await
    }

    async fn steps_page(&self, ask: &StepAsk) -> Result<Vec<PlannedStep>, StoreError> {
        let mut t = Terms::default();
        let mut equal = |name: &str, value: Option<Val>| {
            if let Some(value) = value {
                let n = t.bind(vec![value]);
                t.add(format!("{name}${n}"));
            }
        };
        equal("client_id=", ask.client.map(|v| v.val()));
        equal("debtor_id=", ask.debtor.map(|v| v.val()));
        equal("action=", ask.action.map(|v| v.val()));
        equal("due_at<=", ask.until.map(|v| v.val()));
        match ask.state {
            // The words of the index planned_steps_due.
            Some(PlannedState::Planned) => t.add("state='planned'".to_owned()),
            Some(state) => {
                let n = t.bind(vals![state]);
                t.add(format!("state=${n}"));
            }
            None => t.add("due_at IS NOT NULL".to_owned()),
        }
        if let Some((due, id)) = ask.after {
            let n = t.bind(vals![due, id]);
            t.add(format!("(due_at, id)>(${n}, ${})", n + 1));
        }
        let n = t.bind(vals![ask.limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let rest = format!("WHERE {} ORDER BY due_at, id LIMIT ${n}", t.sql());
        self.read().await?.all(&rest, t.values).await
    }

    async fn end_step(
        &self,
        id: PlannedStepId,
        state: PlannedState,
        reason: &str,
        by: &str,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE planned_steps SET state=$2, reason=$3, ended_by=$4, ended_at=$5 \
            WHERE id=$1 AND state='planned'";
        let values = vals![id, state, reason.to_owned(), by.to_owned(), now];
        if tx.run(sql, values).await? == 0 {
            tx.get::<PlannedStep>(id).await?;
            return Ok(false);
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn call_step(
        &self,
        id: PlannedStepId,
        now: UtcMs,
        told: &[NewEvent],
    ) -> Result<StepCalled, StoreError> {
        let mut tx = self.write().await?;
        let step: PlannedStep = tx.get(id).await?;
        // In the order of everybody who decides about him: the person first, then his rows.
        lock_person_of(&mut tx, step.debtor_id).await?;
        let lock = tx.pg_only(" FOR UPDATE");
        let step: Option<PlannedStep> = tx
            .find(&format!("WHERE id=$1 AND state='planned'{lock}"), vals![id])
            .await?;
        let Some(step) = step else {
            return Ok(StepCalled::Gone);
        };
        if let Some(why) = paid_since(step.created_at, paid_at(&mut tx, step.debtor_id).await?) {
            cancel_step(&mut tx, id, why, now).await?;
            tx.commit().await?;
            return Ok(StepCalled::Gone);
        }
        let rest = format!("WHERE debtor_id=$1 AND campaign_id=$2{lock}");
        let found: Option<ItemState> = tx
            .find(&rest, vals![step.debtor_id, step.campaign_id])
            .await?;
        let outcome = match called(found, &step, now) {
            Ok(item) => {
                write_item(&mut tx, &item).await?;
                append(&mut tx, told).await?;
                StepCalled::Called
            }
            Err(why) => StepCalled::Refused(why),
        };
        let refused = match outcome {
            StepCalled::Refused(why) => Some(why),
            _ => None,
        };
        tx.put(&ended_call(&step, refused, now)).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    async fn strategy_figures(&self, id: StrategyId) -> Result<StrategyFigures, StoreError> {
        let mut read = self.snapshot().await?;
        let mut found = StrategyFigures::default();
        let sql = "SELECT state, COUNT(*) AS n FROM messages WHERE strategy_id=$1 \
            GROUP BY state ORDER BY state";
        for row in &read.rows(sql, vals![id]).await? {
            let n: i64 = row.get("n")?;
            found.messages.push((row.get("state")?, n.unsigned_abs()));
        }
        let sql = "SELECT currency, CAST(SUM(cost_micro) AS BIGINT) AS n FROM messages \
            WHERE strategy_id=$1 AND currency IS NOT NULL GROUP BY currency ORDER BY currency";
        for row in &read.rows(sql, vals![id]).await? {
            found.cost.push((row.get("currency")?, row.get("n")?));
        }
        let since = SINCE.replace("$2", "m.since");
        let theirs = format!(
            "payments p LEFT JOIN payments o ON o.id=p.reverses WHERE p.debtor_id=m.debtor_id AND {since} \
            GROUP BY p.currency"
        );
        let sql = format!(
            "SELECT COUNT(*) AS n, COUNT(CASE WHEN EXISTS (SELECT 1 FROM {theirs} \
                HAVING SUM(p.amount_minor)>0) THEN 1 END) AS paid FROM {FIRST}"
        );
        if let Some(row) = read.row(sql, vals![id]).await? {
            found.debtors = row.get::<i64>("n")?.unsigned_abs();
            found.payers = row.get::<i64>("paid")?.unsigned_abs();
        }
        let sql = format!(
            "SELECT p.currency, CAST(SUM(p.amount_minor) AS BIGINT) AS n FROM {FIRST} \
                JOIN payments p ON p.debtor_id=m.debtor_id LEFT JOIN payments o ON o.id=p.reverses \
                WHERE {since} GROUP BY p.currency ORDER BY p.currency"
        );
        for row in &read.rows(sql, vals![id]).await? {
            found.paid.push((row.get("currency")?, row.get("n")?));
        }
        let sql = "SELECT d.currency, COUNT(*) AS n FROM planned_steps s JOIN debts d ON d.id=s.debt_id \
            WHERE s.strategy_id=$1 AND s.action='call' AND s.state='done' \
            GROUP BY d.currency ORDER BY d.currency";
        for row in &read.rows(sql, vals![id]).await? {
            let n: i64 = row.get("n")?;
            found.calls.push((row.get("currency")?, n.unsigned_abs()));
        }
        Ok(found)
    }
}
