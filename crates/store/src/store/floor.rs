//! What the floor asks: call-backs, the health of caller ids, who works whom, the morning list.

use super::SqlStore;
use super::events::append;
use super::file_tasks;
use super::half::WHOLE;
use super::items::{LIVE, lock_person_of, write_item};
use crate::rows::Entity as _;
use crate::sql::{Field, Link, Val, holes, vals};
use async_trait::async_trait;
use domain::entity::{Assignment, Campaign, CampaignVersion};
use domain::event::NewEvent;
use domain::ids::{AgentId, CallerIdId, ClientId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{
    CallbackAsk, CallbackRow, CallerHealth, CallerRest, FileTaskAsk, FileTaskCounts, FileTaskRow,
    FloorStore, ItemState, MorningAsk, MorningRow, PAGE_LIMIT_MAX,
};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Values of a statement and the terms of its condition.
#[derive(Default)]
pub(super) struct Terms {
    terms: Vec<String>,
    pub(super) values: Vec<Val>,
}

impl Terms {
    /// Adds values; gives the number of the first.
    pub(super) fn bind(&mut self, values: Vec<Val>) -> usize {
        let first = self.values.len() + 1;
        self.values.extend(values);
        first
    }

    pub(super) fn add(&mut self, term: String) {
        self.terms.push(term);
    }

    pub(super) fn sql(&self) -> String {
        self.terms.join(" AND ")
    }
}

fn callback_terms(ask: &CallbackAsk) -> Terms {
    let mut t = Terms::default();
    t.bind(vals![ask.from, ask.to]);
    // The words of the index campaign_items_callbacks.
    t.add("NOT i.done AND i.priority>=20 AND i.note LIKE 'callback%'".to_owned());
    t.add("i.next_at>=$1 AND i.next_at<$2".to_owned());
    if let Some(client) = ask.client {
        let n = t.bind(vals![client]);
        t.add(format!("c.client_id=${n}"));
    }
    if let Some(campaign) = ask.campaign {
        let n = t.bind(vals![campaign]);
        t.add(format!("i.campaign_id=${n}"));
    }
    if let Some(agents) = &ask.agents {
        let mut notes: Vec<String> = agents
            .iter()
            .map(|id| CallbackRow::note_of(Some(*id)))
            .collect();
        if ask.anyone || notes.is_empty() {
            notes.push(if ask.anyone {
                CallbackRow::note_of(None)
            } else {
                // A team without agents has none.
                "-".to_owned()
            });
        }
        let n = t.bind(notes.iter().map(Field::val).collect());
        let whose = format!("substr(i.note, 1, {})", CallbackRow::NOTE_LEN);
        t.add(format!("{whose} IN ({})", holes(n, notes.len())));
    }
    if let Some((at, campaign, debtor)) = ask.after {
        let n = t.bind(vals![at, campaign, debtor]);
        t.add(format!(
            "(i.next_at, i.campaign_id, i.debtor_id)>(${n}, ${}, ${})",
            n + 1,
            n + 2
        ));
    }
    t
}

/// Whether the item stands as it was read and is with nobody.
async fn stands(tx: &mut Link, was: &ItemState, now: UtcMs) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 AS n FROM campaign_items i JOIN persons p ON p.id=i.person_id \
        WHERE i.campaign_id=$1 AND i.debtor_id=$2 AND i.next_at=$3 AND i.note=$4 AND NOT i.done \
            AND (p.lease_node IS NULL OR p.lease_until<=$5) \
            AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.person_id=i.person_id AND a.{LIVE})"
    );
    let values = vals![was.campaign_id, was.debtor_id, was.next_at, was.note, now];
    Ok(tx.row(sql, values).await?.is_some())
}

fn morning_terms(ask: &MorningAsk, attention: bool) -> Terms {
    let mut t = Terms::default();
    t.bind(vals![ask.client, ask.threshold_minor, ask.today]);
    t.add("d.client_id=$1 AND d.overdue_minor>0 AND d.oldest_due_day<$3".to_owned());
    let side = if attention { ">" } else { "<=" };
    t.add(format!("d.overdue_minor{side}$2"));
    if let Some(agent) = ask.agent {
        let n = t.bind(vals![agent]);
        t.add(format!("a.agent_id=${n}"));
    }
    if let Some((team, agents)) = &ask.team {
        let n = t.bind(vals![*team]);
        let mut who = format!("a.team_id=${n}");
        if !agents.is_empty() {
            let from = t.bind(agents.iter().map(Field::val).collect());
            who = format!("{who} OR a.agent_id IN ({})", holes(from, agents.len()));
        }
        t.add(format!("({who})"));
    }
    if let Some((part, day, debtor)) = ask.after
        && part == attention
    {
        let n = t.bind(vals![day, debtor]);
        t.add(format!("(d.oldest_due_day, d.id)>(${n}, ${})", n + 1));
    }
    t
}

async fn morning_part(
    read: &mut Link,
    ask: &MorningAsk,
    attention: bool,
    limit: u32,
) -> Result<Vec<MorningRow>, StoreError> {
    let mut t = morning_terms(ask, attention);
    let n = t.bind(vals![limit]);
    let sql = format!(
        "SELECT d.id, d.external_ref, d.name, d.overdue_minor, d.open_currency, d.oldest_due_day, \
            a.agent_id, a.team_id FROM debtors d LEFT JOIN assignments a ON a.debtor_id=d.id \
        WHERE {} AND {WHOLE} ORDER BY d.oldest_due_day, d.id LIMIT ${n}",
        t.sql()
    );
    let rows = read.rows(sql, t.values).await?;
    rows.iter()
        .map(|row| {
            Ok(MorningRow {
                debtor_id: row.get("id")?,
                external_ref: row.get("external_ref")?,
                name: row.get("name")?,
                overdue_minor: row.get("overdue_minor")?,
                currency: row.get("open_currency")?,
                due_day: row.get("oldest_due_day")?,
                attention,
                agent_id: row.get("agent_id")?,
                team_id: row.get("team_id")?,
            })
        })
        .collect()
}

#[async_trait]
impl FloorStore for SqlStore {
    async fn settle_campaign(
        &self,
        row: &Campaign,
        version: Option<&CampaignVersion>,
        was: i32,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql =
            "UPDATE campaigns SET version=version WHERE id=$1 AND version=$2 RETURNING version";
        if tx.row(sql, vals![row.id, was]).await?.is_none() {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.put(row).await?;
        if let Some(version) = version {
            tx.put(version).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn callbacks(&self, ask: &CallbackAsk) -> Result<Vec<CallbackRow>, StoreError> {
        let mut t = callback_terms(ask);
        let n = t.bind(vals![ask.limit.clamp(1, PAGE_LIMIT_MAX + 1)]);
        let cols: Vec<String> = ItemState::COLUMNS
            .iter()
            .map(|c| format!("i.{c}"))
            .collect();
        let sql = format!(
            "SELECT {}, c.client_id FROM campaign_items i JOIN campaigns c ON c.id=i.campaign_id \
            WHERE {} ORDER BY i.next_at, i.campaign_id, i.debtor_id LIMIT ${n}",
            cols.join(","),
            t.sql()
        );
        let rows = self.read().await?.rows(sql, t.values).await?;
        rows.iter()
            .map(|row| {
                let item = ItemState::read(row)?;
                Ok(CallbackRow {
                    agent_id: CallbackRow::agent_of(&item.note),
                    client_id: row.get("client_id")?,
                    item,
                })
            })
            .collect()
    }

    async fn move_item(
        &self,
        was: &ItemState,
        to: &ItemState,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock_person_of(&mut tx, was.debtor_id).await?;
        if !stands(&mut tx, was, now).await? {
            return Ok(false);
        }
        write_item(&mut tx, to).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn caller_health(
        &self,
        client: ClientId,
        since: UtcMs,
    ) -> Result<Vec<CallerHealth>, StoreError> {
        let mut read = self.snapshot().await?;
        let counted = "SELECT caller_id, COUNT(*) AS calls, COUNT(CASE WHEN result IN \
                ('human','abandoned','hangup_early','one_way_audio') THEN 1 END) AS answered \
            FROM attempts WHERE opened_at>=$2 AND client_id=$1 AND caller_id IS NOT NULL \
            AND invite_at IS NOT NULL GROUP BY caller_id";
        let mut counts: BTreeMap<CallerIdId, (i64, i64)> = BTreeMap::new();
        for row in &read.rows(counted, vals![client, since]).await? {
            let pair = (row.get("calls")?, row.get("answered")?);
            counts.insert(row.get("caller_id")?, pair);
        }
        let rests: Vec<CallerRest> = read
            .all(
                "WHERE caller_id IN (SELECT id FROM caller_ids WHERE client_id=$1)",
                vals![client],
            )
            .await?;
        let mut rests: BTreeMap<CallerIdId, CallerRest> =
            rests.into_iter().map(|r| (r.caller_id, r)).collect();
        let ids = "SELECT id, callback_at FROM caller_ids WHERE client_id=$1 ORDER BY id";
        let rows = read.rows(ids, vals![client]).await?;
        rows.iter()
            .map(|row| {
                let caller_id: CallerIdId = row.get("id")?;
                let (calls, answered) = counts.remove(&caller_id).unwrap_or_default();
                Ok(CallerHealth {
                    caller_id,
                    calls: calls.unsigned_abs(),
                    answered: answered.unsigned_abs(),
                    rest: rests.remove(&caller_id),
                    callback_at: row.get("callback_at")?,
                })
            })
            .collect()
    }

    async fn rest_caller_id(
        &self,
        rest: &CallerRest,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // Of two nodes that see the same, one writes it.
        let lock = format!(
            "SELECT id FROM caller_ids WHERE id=$1{}",
            tx.pg_only(" FOR UPDATE")
        );
        tx.row(lock, vals![rest.caller_id])
            .await?
            .ok_or(StoreError::NotFound("caller id"))?;
        let now: Option<CallerRest> = tx.find("WHERE caller_id=$1", vals![rest.caller_id]).await?;
        if now.is_some_and(|r| r.until > rest.since) {
            return Ok(false);
        }
        tx.put(rest).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn wake_caller_id(
        &self,
        id: CallerIdId,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE caller_rests SET until=$2 WHERE caller_id=$1 AND until>$2";
        tx.run(sql, vals![id, now]).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn caller_id_reached(&self, id: CallerIdId, at: UtcMs) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE caller_ids SET callback_at=$2 \
            WHERE id=$1 AND (callback_at IS NULL OR callback_at<$2)";
        tx.run(sql, vals![id, at]).await?;
        tx.commit().await
    }

    async fn assign(&self, rows: &[Assignment], events: &[NewEvent]) -> Result<(), StoreError> {
        let (kept, gone): (Vec<&Assignment>, Vec<&Assignment>) = rows
            .iter()
            .partition(|r| r.campaign_id.is_some() || r.team_id.is_some() || r.agent_id.is_some());
        let kept: Vec<Assignment> = kept.into_iter().cloned().collect();
        let gone: Vec<DebtorId> = gone.into_iter().map(|r| r.debtor_id).collect();
        let mut tx = self.write().await?;
        tx.put_all(&kept).await?;
        let sql = "DELETE FROM assignments WHERE debtor_id";
        tx.run_in(sql, &gone, "", &[]).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn assignments_of(&self, debtors: &[DebtorId]) -> Result<Vec<Assignment>, StoreError> {
        let mut read = self.read().await?;
        let mut rows: Vec<Assignment> = read.all_in("debtor_id", debtors, "", &[]).await?;
        rows.sort_by_key(|r| r.debtor_id);
        rows.dedup_by_key(|r| r.debtor_id);
        Ok(rows)
    }

    async fn ruled_debtors(
        &self,
        client: ClientId,
        after: Option<DebtorId>,
        limit: u32,
    ) -> Result<Vec<DebtorId>, StoreError> {
        let sql = "SELECT debtor_id FROM assignments WHERE client_id=$1 AND rule_id IS NOT NULL \
            AND debtor_id>$2 ORDER BY debtor_id LIMIT $3";
        let after = after.unwrap_or(DebtorId(uuid::Uuid::nil()));
        let rows = self
            .read()
            .await?
            .rows(sql, vals![client, after, limit])
            .await?;
        rows.iter().map(|row| row.get("debtor_id")).collect()
    }

    async fn agent_loads(&self, client: ClientId) -> Result<Vec<(AgentId, u64)>, StoreError> {
        let sql = "SELECT agent_id, COUNT(*) AS n FROM assignments WHERE client_id=$1 \
            AND agent_id IS NOT NULL GROUP BY agent_id ORDER BY agent_id";
        let rows = self.read().await?.rows(sql, vals![client]).await?;
        rows.iter()
            .map(|row| Ok((row.get("agent_id")?, row.get::<i64>("n")?.unsigned_abs())))
            .collect()
    }

    async fn morning_list(&self, ask: &MorningAsk) -> Result<Vec<MorningRow>, StoreError> {
        let mut read = self.snapshot().await?;
        let limit = ask.limit.clamp(1, PAGE_LIMIT_MAX + 1);
        let mut rows = Vec::new();
        if ask.after.is_none_or(|(attention, ..)| attention) {
            rows = morning_part(&mut read, ask, true, limit).await?;
        }
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
        if left > 0 {
            rows.extend(morning_part(&mut read, ask, false, left).await?);
        }
        Ok(rows)
    }

    async fn file_tasks(&self, ask: &FileTaskAsk) -> Result<Vec<FileTaskRow>, StoreError> {
        file_tasks::page(&mut self.read().await?, ask).await
    }

    async fn file_task_counts(&self, ask: &FileTaskAsk) -> Result<FileTaskCounts, StoreError> {
        file_tasks::counts(&mut self.snapshot().await?, ask).await
    }
}
