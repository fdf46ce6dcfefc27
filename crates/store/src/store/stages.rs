//! Stages of debts and excuses.

use super::SqlStore;
use super::events::append;
use super::items::lock_person_of;
use super::links;
use super::money::locked_debt;
use crate::sql::{Link, Val, vals};
use async_trait::async_trait;
use domain::entity::{Debt, DebtStage, EvidenceHeld, Excuse, ExcuseKind, Hold, Stage};
use domain::event::NewEvent;
use domain::ids::{ClientId, DebtId, DebtorId, HoldId};
use domain::ports::StoreError;
use domain::ports::store::{
    PAGE_LIMIT_MAX, Page, PageRequest, StageCounts, StageFilter, StageStore,
};
use domain::rules::stage::hold_of;
use domain::time::UtcMs;

/// Open debts behind a row `s` of `debt_stages`.
const OPEN: &str =
    "EXISTS (SELECT 1 FROM debts d WHERE d.id=debt_stages.debt_id AND d.status='open')";

/// Those whose statute date is the one that somebody was told is near.
const NEAR: &str = "EXISTS (SELECT 1 FROM debts d WHERE d.id=debt_stages.debt_id \
    AND d.statute_date=debt_stages.statute_told)";

fn terms_of(filter: &StageFilter) -> (Vec<String>, Vec<Val>) {
    let (mut terms, mut values) = (vec![OPEN.to_owned()], vec![]);
    if let Some(client) = filter.client_id {
        values.extend(vals![client]);
        terms.push(format!("client_id=${}", values.len()));
    }
    if let Some(debtor) = filter.debtor_id {
        values.extend(vals![debtor]);
        terms.push(format!("debtor_id=${}", values.len()));
    }
    if let Some(stage) = filter.stage {
        values.extend(vals![stage]);
        terms.push(format!("stage=${}", values.len()));
    }
    if let Some(owner) = filter.owner_id {
        values.extend(vals![owner]);
        let nobody = if filter.or_nobody {
            " OR owner_id IS NULL"
        } else {
            ""
        };
        terms.push(format!("(owner_id=${}{nobody})", values.len()));
    }
    if filter.late {
        terms.push(format!("(late_at IS NOT NULL OR {NEAR})"));
    }
    (terms, values)
}

/// The hold of the stage that a debt leaves ends, that of the one it enters begins.
async fn hold(tx: &mut Link, left: Option<&DebtStage>, row: &DebtStage) -> Result<(), StoreError> {
    if let Some(before) = left.and_then(hold_of) {
        let sql = "UPDATE holds SET lifted_at=$2 WHERE id=$1 AND lifted_at IS NULL";
        tx.run(sql, vals![before.id, row.entered_at]).await?;
    }
    match hold_of(row) {
        Some(hold) => tx.put(&hold).await,
        None => Ok(()),
    }
}

/// Where a debt stands, its person and itself locked: money takes the person before the debt.
async fn stands(
    tx: &mut Link,
    debt: DebtId,
    debtor: DebtorId,
) -> Result<Option<DebtStage>, StoreError> {
    lock_person_of(tx, debtor).await?;
    locked_debt(tx, debt).await?;
    tx.find("WHERE debt_id=$1", vals![debt]).await
}

#[async_trait]
impl StageStore for SqlStore {
    async fn stage_of(&self, debt: DebtId) -> Result<Option<DebtStage>, StoreError> {
        self.read()
            .await?
            .find("WHERE debt_id=$1", vals![debt])
            .await
    }

    async fn move_stage(
        &self,
        row: &DebtStage,
        from: Option<Stage>,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let now = stands(&mut tx, row.debt_id, row.debtor_id).await?;
        if now.as_ref().map(|s| s.stage) != from {
            return Ok(false);
        }
        tx.put(row).await?;
        hold(&mut tx, now.as_ref(), row).await?;
        append(&mut tx, events).await?;
        if row.stage == Stage::Sold {
            let withdrawn = links::withdraw(&mut tx, row).await?;
            append(&mut tx, &withdrawn).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn unheld_stages(
        &self,
        after: Option<DebtId>,
        limit: u32,
    ) -> Result<(Vec<DebtStage>, Option<DebtId>), StoreError> {
        let holding: Vec<String> = Stage::ALL
            .iter()
            .filter(|s| s.hold().is_some())
            .map(|s| format!("'{s}'"))
            .collect();
        let rest = format!(
            "WHERE debt_id>$1 AND stage IN ({}) ORDER BY debt_id LIMIT $2",
            holding.join(",")
        );
        let after = after.unwrap_or(DebtId(uuid::Uuid::nil()));
        let mut read = self.snapshot().await?;
        let rows: Vec<DebtStage> = read.all(&rest, vals![after, limit]).await?;
        let last = rows.last().map(|s| s.debt_id);
        let ids: Vec<HoldId> = rows.iter().filter_map(hold_of).map(|h| h.id).collect();
        let there: Vec<Hold> = read.all_in("id", &ids, "", &[]).await?;
        let bare = |row: &DebtStage| {
            let own = hold_of(row);
            own.is_some_and(|own| there.iter().all(|h| h.id != own.id))
        };
        Ok((rows.into_iter().filter(bare).collect(), last))
    }

    async fn place_stage_hold(
        &self,
        row: &DebtStage,
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let there = stands(&mut tx, row.debt_id, row.debtor_id).await?;
        let Some(hold) = there.as_ref().filter(|s| *s == row).and_then(hold_of) else {
            return Ok(false);
        };
        let placed: Option<Hold> = tx.find("WHERE id=$1", vals![hold.id]).await?;
        if placed.is_some() {
            return Ok(false);
        }
        tx.put(&Hold { from: now, ..hold }).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn stages_page(
        &self,
        filter: &StageFilter,
        page: &PageRequest,
    ) -> Result<Page<DebtStage>, StoreError> {
        let (mut terms, mut values) = terms_of(filter);
        if let Some(text) = &page.cursor {
            let after: DebtId = text.parse().map_err(|_| StoreError::NotFound("cursor"))?;
            values.extend(vals![after]);
            terms.push(format!("debt_id>${}", values.len()));
        }
        let limit = page.limit.clamp(1, PAGE_LIMIT_MAX);
        values.extend(vals![limit + 1]);
        let rest = format!(
            "WHERE {} ORDER BY debt_id LIMIT ${}",
            terms.join(" AND "),
            values.len()
        );
        let mut items: Vec<DebtStage> = self.read().await?.all(&rest, values).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|s| s.debt_id.to_string());
        Ok(Page { items, next_cursor })
    }

    async fn unstaged(&self, after: Option<DebtId>, limit: u32) -> Result<Vec<Debt>, StoreError> {
        let after = after.unwrap_or(DebtId(uuid::Uuid::nil()));
        let rest = "WHERE id>$1 AND status='open' AND NOT EXISTS \
            (SELECT 1 FROM debt_stages s WHERE s.debt_id=debts.id) ORDER BY id LIMIT $2";
        self.read().await?.all(rest, vals![after, limit]).await
    }

    async fn begin_stages(&self, rows: &[DebtStage]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.insert(rows, " ON CONFLICT (debt_id) DO NOTHING").await?;
        tx.commit().await
    }

    async fn late_stages(&self, now: UtcMs, limit: u32) -> Result<Vec<DebtStage>, StoreError> {
        let rest = format!(
            "WHERE deadline<=$1 AND late_at IS NULL AND {OPEN} ORDER BY deadline, debt_id LIMIT $2"
        );
        self.read().await?.all(&rest, vals![now, limit]).await
    }

    async fn note_late(
        &self,
        row: &DebtStage,
        at: UtcMs,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql =
            "UPDATE debt_stages SET late_at=$2 WHERE debt_id=$1 AND stage=$3 AND late_at IS NULL";
        if tx.run(sql, vals![row.debt_id, at, row.stage]).await? == 0 {
            return Ok(false);
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn near_statute(
        &self,
        client: ClientId,
        now: UtcMs,
        ahead: &[(Stage, i64)],
        limit: u32,
    ) -> Result<Vec<(DebtStage, String)>, StoreError> {
        let Some(most) = ahead.iter().map(|(_, days)| *days).max() else {
            return Ok(Vec::new());
        };
        let today = self.today_of(client, now).await?;
        let last = today.last() + most;
        let mut values = vals![client, today.first, last, limit];
        let day = today.of_debt(&mut values);
        let mut each = Vec::with_capacity(ahead.len());
        for (stage, days) in ahead {
            let n = values.len();
            values.extend(vals![*stage, *days]);
            each.push(format!(
                "s.stage=${} AND d.statute_day<={day}+${}",
                n + 1,
                n + 2
            ));
        }
        let sql = format!(
            "SELECT d.id AS id, d.statute_date AS statute_date FROM debts d \
            JOIN debt_stages s ON s.debt_id=d.id \
            WHERE d.client_id=$1 AND d.status='open' AND d.statute_day IS NOT NULL \
            AND d.statute_day>=$2 AND d.statute_day<=$3 AND d.statute_day>={day} \
            AND (s.statute_told IS NULL OR s.statute_told<>d.statute_date) AND ({}) \
            ORDER BY d.statute_day, d.id LIMIT $4",
            each.join(" OR ")
        );
        let mut read = self.snapshot().await?;
        let mut dates: Vec<(DebtId, String)> = Vec::new();
        for row in &read.rows(sql, values).await? {
            dates.push((row.get("id")?, row.get("statute_date")?));
        }
        let ids: Vec<DebtId> = dates.iter().map(|(id, _)| *id).collect();
        let stages: Vec<DebtStage> = read.all_in("debt_id", &ids, "", &[]).await?;
        let stage = |id: DebtId| stages.iter().find(|s| s.debt_id == id).cloned();
        let found = dates
            .into_iter()
            .filter_map(|(id, date)| Some((stage(id)?, date)));
        Ok(found.collect())
    }

    async fn note_statute(
        &self,
        row: &DebtStage,
        statute_date: &str,
        events: &[NewEvent],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql = "UPDATE debt_stages SET statute_told=$2 WHERE debt_id=$1 AND stage=$3 \
            AND (statute_told IS NULL OR statute_told<>$2)";
        let values = vals![row.debt_id, statute_date.to_owned(), row.stage];
        if tx.run(sql, values).await? == 0 {
            return Ok(false);
        }
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn late_counts(&self, now: UtcMs) -> Result<Vec<(ClientId, u64)>, StoreError> {
        let sql = format!(
            "SELECT client_id, COUNT(*) AS n FROM debt_stages \
            WHERE (deadline<=$1 OR statute_told IS NOT NULL) AND (deadline<=$1 OR {NEAR}) AND {OPEN} \
            GROUP BY client_id ORDER BY client_id"
        );
        let rows = self.read().await?.rows(sql, vals![now]).await?;
        rows.iter()
            .map(|row| Ok((row.get("client_id")?, row.get::<i64>("n")?.unsigned_abs())))
            .collect()
    }

    async fn stage_counts(&self, debt: &Debt, now: UtcMs) -> Result<StageCounts, StoreError> {
        let sql = "SELECT \
            (SELECT COUNT(*) FROM attempts a WHERE a.debtor_id=$1 AND a.invite_at IS NOT NULL) AS attempts, \
            (SELECT COUNT(*) FROM ledger l WHERE l.debtor_id=$1 AND l.kind='conversation') AS conversations, \
            (SELECT COUNT(DISTINCT l.channel) FROM ledger l WHERE l.debtor_id=$1 AND l.at<=$3 \
                AND l.kind<>'withdrawn') AS channels, \
            (SELECT COUNT(*) FROM promises p WHERE p.debt_id=$2 AND p.state='broken') AS broken, \
            (SELECT COUNT(*) FROM promises p WHERE p.debt_id=$2 AND p.state='active') AS promises, \
            (SELECT COUNT(*) FROM plans p WHERE p.debt_id=$2 AND p.state IN ('signed','active')) AS plans, \
            (SELECT COUNT(*) FROM holds h WHERE h.debtor_id=$1 AND h.lifted_at IS NULL AND h.from_at<=$3 \
                AND (h.until IS NULL OR h.until>$3) AND (h.debt_id IS NULL OR h.debt_id=$2) AND h.kind IN \
                ('dispute','represented','insolvency','deceased','moratorium','minor')) AS held, \
            (SELECT COUNT(*) FROM debtors x WHERE x.id=$1 AND x.document<>'') AS identity, \
            (SELECT COUNT(*) FROM addresses x WHERE x.debtor_id=$1 AND NOT x.bad) AS addresses, \
            (SELECT COUNT(*) FROM contact_points x WHERE x.debtor_id=$1 AND NOT x.bad \
                AND x.last_rpc_at IS NOT NULL) AS contacts, \
            (SELECT COUNT(*) FROM debt_items i WHERE i.debt_id=$2) AS items, \
            (SELECT COUNT(*) FROM letters l WHERE l.debtor_id=$1 AND l.debt_id=$2 AND l.level IN ('L3','L4')) \
                AS demands, \
            (SELECT COUNT(*) FROM plans p WHERE p.debt_id=$2 AND p.accepted_channel IS NOT NULL) AS accepted";
        let values = vals![debt.debtor_id, debt.id, now];
        let row = self.read().await?.row(sql, values).await?;
        let row = row.ok_or(StoreError::NotFound("debt"))?;
        let agreed = row.get::<i64>("promises")? + row.get::<i64>("plans")?;
        Ok(StageCounts {
            attempts: row.get("attempts")?,
            conversations: row.get("conversations")?,
            channels: row.get("channels")?,
            broken_promises: row.get("broken")?,
            agreed: agreed > 0,
            held: row.get::<i64>("held")? > 0,
            evidence: EvidenceHeld {
                identity: row.get::<i64>("identity")? > 0,
                address: row.get::<i64>("addresses")? > 0,
                contact: row.get::<i64>("contacts")? > 0,
                items: row.get::<i64>("items")? > 0,
                demand: row.get::<i64>("demands")? > 0,
                agreement: row.get::<i64>("accepted")? > 0,
            },
        })
    }

    async fn add_excuse(&self, row: &Excuse, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.insert(std::slice::from_ref(row), "").await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn excuses_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Excuse>, StoreError> {
        let rest = "WHERE debtor_id=$1 ORDER BY at DESC, id DESC LIMIT $2";
        self.read().await?.all(rest, vals![debtor, limit]).await
    }

    async fn excuse_counts(
        &self,
        client: ClientId,
        since: UtcMs,
        until: UtcMs,
    ) -> Result<Vec<(ExcuseKind, u64)>, StoreError> {
        let sql = "SELECT kind, COUNT(*) AS n FROM excuses WHERE client_id=$1 AND at>=$2 AND at<$3 \
            GROUP BY kind ORDER BY kind";
        let rows = self
            .read()
            .await?
            .rows(sql, vals![client, since, until])
            .await?;
        rows.iter()
            .map(|row| Ok((row.get("kind")?, row.get::<i64>("n")?.unsigned_abs())))
            .collect()
    }
}
