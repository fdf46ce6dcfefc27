//! The hopper's source: campaign items, reservations, verdicts.

use super::SqlStore;
use super::events::append;
use super::facts::facts_of;
use super::items::{FREE, release, write_item, write_verdict};
use super::members;
use super::sums::{order_code, order_values, reorder_campaign};
use super::wake;
use crate::segment::Filter;
use crate::sql::{Cell as _, Dialect, Link, Row, vals};
use async_trait::async_trait;
use domain::entity::{Campaign, CampaignStatus, Consent, Verdict};
use domain::event::NewEvent;
use domain::ids::{CampaignId, ClientId, DebtorId, VerdictId};
use domain::ports::StoreError;
use domain::ports::store::{
    Candidate, ContactFacts, ContactStore, ItemCounts, ItemState, PortfolioStore as _,
    RefillReport, ReserveRequest,
};
use domain::segment::Expr;
use domain::time::UtcMs;

/// Debtors taken into a campaign in one transaction.
const REFILL_PIECE: usize = 2_048;

/// From so many new items on PostgreSQL counts the table again at once, and not once it finds the time: until then it
/// takes the campaign for a small one, and sorts all of it for each reservation.
const COUNTED_AGAIN: u64 = 10_000;

/// Whether the campaign is stored and not running: another node may have stopped it a moment ago.
pub(crate) async fn is_stopped(
    tx: &mut Link,
    campaign: Option<CampaignId>,
) -> Result<bool, StoreError> {
    let Some(id) = campaign else {
        return Ok(false);
    };
    let sql = "SELECT 1 AS n FROM campaigns WHERE id=$1 AND status<>$2";
    let values = vals![id, CampaignStatus::Running];
    Ok(tx.row(sql, values).await?.is_some())
}

fn verdict_of(row: &Row) -> Result<Verdict, StoreError> {
    Verdict::from_raw(row.get("body")?)
}

/// Debtors of the segment; those of them who are not in the campaign yet; and, of a mix, those who wait
/// in another part.
async fn matching(
    store: &SqlStore,
    campaign: &Campaign,
    filter: Filter,
    moved: Option<u32>,
) -> Result<(u64, Vec<DebtorId>, Vec<DebtorId>), StoreError> {
    let mut read = store.wide().await?;
    let mut values = filter.values;
    let sql = format!("SELECT COUNT(*) AS n FROM debtors d WHERE {}", filter.sql);
    let matched = match read.rows_once(sql, values.clone()).await?.first() {
        Some(row) => row.get::<i64>("n")?.unsigned_abs(),
        None => 0,
    };
    values.extend(vals![campaign.id]);
    let sql = format!(
        "SELECT d.id FROM debtors d WHERE {} AND NOT EXISTS (SELECT 1 FROM campaign_items i \
            WHERE i.campaign_id=${} AND i.debtor_id=d.id) ORDER BY d.id",
        filter.sql,
        values.len()
    );
    let rows = read.rows_once(sql, values.clone()).await?;
    let missing: Result<_, _> = rows.iter().map(|r| r.get("id")).collect();
    let Some(part) = moved else {
        return Ok((matched, missing?, Vec::new()));
    };
    values.extend(vals![part]);
    let sql = format!(
        "SELECT i.debtor_id FROM campaign_items i JOIN debtors d ON d.id=i.debtor_id \
        WHERE {} AND i.campaign_id=${} AND i.part<>${} AND NOT i.done ORDER BY i.debtor_id",
        filter.sql,
        values.len() - 1,
        values.len()
    );
    let rows = read.rows_once(sql, values).await?;
    let elsewhere: Result<_, _> = rows.iter().map(|r| r.get("debtor_id")).collect();
    Ok((matched, missing?, elsewhere?))
}

/// Debtors of part `at` of a mix: those of its segment who are in none before it.
fn only_here(parts: &[Expr], at: usize) -> Expr {
    let mut all = vec![parts[at].clone()];
    all.extend(parts[..at].iter().map(|e| Expr::Not(Box::new(e.clone()))));
    match all.pop() {
        Some(one) if all.is_empty() => one,
        Some(last) => {
            all.push(last);
            Expr::And(all)
        }
        None => Expr::All,
    }
}

async fn add_items(
    tx: &mut Link,
    campaign: &Campaign,
    debtors: &[DebtorId],
    part: u32,
    now: UtcMs,
) -> Result<u64, StoreError> {
    let order = &campaign.params.order;
    let insert = format!(
        "INSERT INTO campaign_items (campaign_id, debtor_id, person_id, next_at, order_code, part, \
            rank1, rank2, rank3, rank4) \
        SELECT $1, d.id, d.person_id, $2, $3, $4, {} FROM debtors d WHERE d.id",
        order_values(order).join(", ")
    );
    let fixed = vals![campaign.id, now, order_code(order), part];
    let once = "ON CONFLICT (campaign_id, debtor_id) DO NOTHING";
    tx.run_in(&insert, debtors, once, &fixed).await
}

/// Items that wait go over to a part.
async fn move_items(
    tx: &mut Link,
    campaign: CampaignId,
    debtors: &[DebtorId],
    part: u32,
) -> Result<(), StoreError> {
    let sql = "UPDATE campaign_items SET part=$2 WHERE campaign_id=$1 AND NOT done AND debtor_id";
    let fixed = vals![campaign, part];
    tx.run_in(sql, debtors, "", &fixed).await.map(drop)
}

#[async_trait]
impl ContactStore for SqlStore {
    async fn refill_parts(
        &self,
        campaign: &Campaign,
        parts: &[Expr],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<RefillReport, StoreError> {
        let mut whole = Vec::with_capacity(parts.len());
        for expr in parts {
            whole.push(self.whole_segment(campaign.client_id, expr, None).await?);
        }
        let parts = whole.as_slice();
        let mut report = RefillReport {
            left: members::end_left(self, campaign, parts, now).await?,
            ..RefillReport::default()
        };
        let today = self.today_of(campaign.client_id, now).await?;
        for (part, at) in (0_u32..).zip(0..parts.len()) {
            let expr = only_here(parts, at);
            let filter = Filter::of_client(self.dialect(), campaign.client_id, &expr, &today);
            let filter = self.whole(filter).await?;
            let moved = (parts.len() > 1).then_some(part);
            let place = (part, now);
            report.returned +=
                members::bring_back(self, campaign.id, filter.clone(), place).await?;
            let (matched, missing, elsewhere) = matching(self, campaign, filter, moved).await?;
            report.matched += matched;
            // Piece by piece, so that nobody waits long for the writer; a refill cut short is made whole
            // by the next one.
            for piece in missing.chunks(REFILL_PIECE) {
                let mut tx = self.write().await?;
                report.added += add_items(&mut tx, campaign, piece, part, now).await?;
                tx.commit().await?;
            }
            for piece in elsewhere.chunks(REFILL_PIECE) {
                let mut tx = self.write().await?;
                move_items(&mut tx, campaign.id, piece, part).await?;
                tx.commit().await?;
            }
        }
        wake::ahead(self, campaign.id, now).await?;
        let mut tx = self.write().await?;
        if report.added >= COUNTED_AGAIN && self.dialect() == Dialect::Pg {
            tx.run("ANALYZE campaign_items", vec![]).await?;
            tx.commit().await?;
            tx = self.write().await?;
        }
        // Of a part that is no more.
        let last = u32::try_from(parts.len().saturating_sub(1)).unwrap_or(0);
        let gone = "UPDATE campaign_items SET part=$2 WHERE campaign_id=$1 AND part>0 AND part>$2 AND NOT done";
        tx.run(gone, vals![campaign.id, last]).await?;
        reorder_campaign(&mut tx, campaign).await?;
        append(&mut tx, events).await?;
        if let Some(changes) = self.changes() {
            changes.watch();
        }
        tx.commit().await?;
        self.read_head(campaign, parts.len(), now).await;
        Ok(report)
    }

    async fn wake_items(&self, campaign: CampaignId, now: UtcMs) -> Result<(), StoreError> {
        wake::ahead(self, campaign, now).await
    }

    async fn reserve_contacts(
        &self,
        request: &ReserveRequest,
    ) -> Result<Vec<Candidate>, StoreError> {
        self.reserve(request).await
    }

    async fn release_contact(
        &self,
        item: &ItemState,
        verdict: Option<&Verdict>,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        release(&mut tx, item).await?;
        if let Some(verdict) = verdict {
            write_verdict(&mut tx, verdict, None).await?;
        }
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn release_all(
        &self,
        node: &str,
        campaign: Option<CampaignId>,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let sql = format!("{FREE} WHERE lease_node=$1 AND ($2 IS NULL OR lease_campaign=$2)");
        let freed = tx.run(sql, vals![node.to_owned(), campaign]).await?;
        tx.commit().await?;
        Ok(freed)
    }

    async fn contact_facts(
        &self,
        debtor: DebtorId,
        now: UtcMs,
    ) -> Result<ContactFacts, StoreError> {
        facts_of(&mut self.look().await?, debtor, now).await
    }

    async fn owing(&self, debtors: &[DebtorId]) -> Result<Vec<DebtorId>, StoreError> {
        let sql = "SELECT DISTINCT debtor_id FROM debts WHERE status='open' AND debtor_id";
        let rows = self
            .read()
            .await?
            .rows_in(sql, debtors, "ORDER BY debtor_id", &[])
            .await?;
        rows.iter().map(|row| row.get("debtor_id")).collect()
    }

    async fn consents_of(&self, debtors: &[DebtorId]) -> Result<Vec<Consent>, StoreError> {
        let mut link = self.read().await?;
        link.all_in("debtor_id", debtors, "", &[]).await
    }

    async fn items_of(&self, debtor: DebtorId) -> Result<Vec<ItemState>, StoreError> {
        let rest = "WHERE debtor_id=$1 ORDER BY campaign_id";
        self.read().await?.all(rest, vals![debtor]).await
    }

    async fn put_item(&self, item: &ItemState, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        write_item(&mut tx, item).await?;
        append(&mut tx, events).await?;
        tx.commit().await
    }

    async fn item_counts(
        &self,
        campaign: CampaignId,
        now: UtcMs,
    ) -> Result<ItemCounts, StoreError> {
        let mut read = self.snapshot().await?;
        let mut counts = ItemCounts::default();
        let all = "SELECT done, next_at<=$2 AS due, COUNT(*) AS n FROM campaign_items \
            WHERE campaign_id=$1 GROUP BY 1, 2";
        let leased = "SELECT i.next_at<=$2 AS due, COUNT(*) AS n FROM persons p JOIN campaign_items i \
            ON i.campaign_id=p.lease_campaign AND i.debtor_id=p.lease_debtor \
            WHERE p.lease_campaign=$1 AND p.lease_until>$2 AND p.lease_node IS NOT NULL AND NOT i.done \
            GROUP BY 1";
        for row in &read.rows(all, vals![campaign, now]).await? {
            let n = row.get::<i64>("n")?.unsigned_abs();
            match (row.get::<bool>("done")?, row.get::<bool>("due")?) {
                (true, _) => counts.done += n,
                (_, true) => counts.due += n,
                _ => counts.later += n,
            }
        }
        for row in &read.rows(leased, vals![campaign, now]).await? {
            let n = row.get::<i64>("n")?.unsigned_abs();
            counts.leased += n;
            if row.get::<bool>("due")? {
                counts.due = counts.due.saturating_sub(n);
            } else {
                counts.later = counts.later.saturating_sub(n);
            }
        }
        Ok(counts)
    }

    async fn record_verdict(&self, verdict: &Verdict, client: ClientId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        write_verdict(&mut tx, verdict, Some(client)).await?;
        tx.commit().await
    }

    async fn get_verdict(&self, id: VerdictId) -> Result<Verdict, StoreError> {
        let sql = "SELECT body FROM verdicts WHERE id=$1";
        let row = self.read().await?.row(sql, vals![id]).await?;
        verdict_of(&row.ok_or(StoreError::NotFound("verdict"))?)
    }

    async fn verdicts_of(&self, debtor: DebtorId, limit: u32) -> Result<Vec<Verdict>, StoreError> {
        let sql = "SELECT body FROM verdicts WHERE debtor_id=$1 ORDER BY at DESC, id DESC LIMIT $2";
        let rows = self.read().await?.rows(sql, vals![debtor, limit]).await?;
        rows.iter().map(verdict_of).collect()
    }

    async fn blocked_counts(
        &self,
        campaign: Option<CampaignId>,
        since: UtcMs,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "SELECT blocked, COUNT(*) AS n FROM verdicts WHERE blocked IS NOT NULL AND at>=$1 \
            AND ($2 IS NULL OR campaign_id=$2) GROUP BY blocked ORDER BY blocked";
        let rows = self.read().await?.rows(sql, vals![since, campaign]).await?;
        let count = |row: &Row| Ok((row.get("blocked")?, row.get::<i64>("n")?.unsigned_abs()));
        rows.iter().map(count).collect()
    }
}
