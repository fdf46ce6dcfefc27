//! Who leaves a campaign with its segments, and who comes back into it.

use super::SqlStore;
use super::items::{LIVE, lock_persons_of};
use super::sums::reorder;
use crate::segment::Filter;
use crate::sql::{Field as _, Link, vals};
use domain::entity::Campaign;
use domain::ids::{CampaignId, DebtorId};
use domain::ports::StoreError;
use domain::ports::store::{
    AWAITING_DISPOSITION, CALLBACK_PRIORITY, LEFT_SEGMENT, MAY_PASS, RETURNED,
};
use domain::segment::{Expr, at_any_hour};
use domain::time::UtcMs;
use std::sync::LazyLock;

/// Debtors whose items are written in one transaction: their persons are held as long.
const PIECE: usize = 1_024;

/// What `ItemState::ends_with_segment` says, of the items `$of`.
const ENDS: &str = "NOT $of.done AND NOT ($of.priority>=$callback AND $of.note LIKE 'callback%') \
    AND $of.note<>'$awaiting'";

fn ends(of: &str) -> String {
    ENDS.replace("$of", of)
        .replace("$callback", &CALLBACK_PRIORITY.to_string())
        .replace("$awaiting", AWAITING_DISPOSITION)
}

/// What `ItemState::may_return` says.
static MAY_RETURN: LazyLock<String> =
    LazyLock::new(|| format!("done=TRUE AND note IN ('{}')", MAY_PASS.join("','")));

/// Whether another node has stored later settings, whose segments may be others.
async fn is_outdated(store: &SqlStore, campaign: &Campaign) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n FROM campaigns WHERE id=$1 AND version>$2";
    let values = vals![campaign.id, campaign.version];
    let row = store.read().await?.row(sql, values).await?;
    Ok(row.is_some())
}

/// Debtors with an item that follows the segments and whom `filter` does not hold.
async fn outside(
    store: &SqlStore,
    campaign: CampaignId,
    filter: Filter,
) -> Result<Vec<DebtorId>, StoreError> {
    let mut values = filter.values;
    values.extend(vals![campaign]);
    let sql = format!(
        "SELECT i.debtor_id FROM campaign_items i JOIN debtors d ON d.id=i.debtor_id \
        WHERE i.campaign_id=${} AND {} AND NOT ({}) ORDER BY i.debtor_id",
        values.len(),
        ends("i"),
        filter.sql
    );
    let rows = store.wide().await?.rows_once(sql, values).await?;
    rows.iter().map(|row| row.get("debtor_id")).collect()
}

/// Ends the items of a piece, but for those whose person is on the phone.
async fn end(tx: &mut Link, campaign: CampaignId, debtors: &[DebtorId]) -> Result<u64, StoreError> {
    lock_persons_of(tx, debtors).await?;
    let sql = format!(
        "UPDATE campaign_items SET done=TRUE, awake=FALSE, note='{LEFT_SEGMENT}' \
        WHERE campaign_id=$1 AND {} AND NOT EXISTS (SELECT 1 FROM attempts a \
            WHERE a.person_id=campaign_items.person_id AND a.{LIVE}) AND debtor_id",
        ends("campaign_items")
    );
    tx.run_in(&sql, debtors, "", &[campaign.val()]).await
}

/// Ends the items of those who are in none of the segments any more; says how many. Piece by piece: one that is cut
/// short is made whole by the next refill.
pub(super) async fn end_left(
    store: &SqlStore,
    campaign: &Campaign,
    parts: &[Expr],
    now: UtcMs,
) -> Result<u64, StoreError> {
    let any: Vec<Expr> = parts.iter().map(at_any_hour).collect();
    if any.is_empty() || any.contains(&Expr::All) || is_outdated(store, campaign).await? {
        return Ok(0);
    }
    let any = Expr::Or(any);
    let today = store.today_of(campaign.client_id, now).await?;
    let filter = Filter::of_client(store.dialect(), campaign.client_id, &any, &today);
    let filter = store.whole(filter).await?;
    let mut ended = 0;
    for piece in outside(store, campaign.id, filter).await?.chunks(PIECE) {
        let mut tx = store.write().await?;
        ended += end(&mut tx, campaign.id, piece).await?;
        tx.commit().await?;
    }
    Ok(ended)
}

/// Debtors of `filter` who left the campaign for what has passed, and owe.
async fn gone(
    store: &SqlStore,
    campaign: CampaignId,
    filter: Filter,
) -> Result<Vec<DebtorId>, StoreError> {
    let mut values = filter.values;
    values.extend(vals![campaign]);
    let sql = format!(
        "SELECT d.id FROM debtors d WHERE {} AND d.open_debts>0 AND d.id IN \
            (SELECT debtor_id FROM campaign_items WHERE campaign_id=${} AND {}) ORDER BY d.id",
        filter.sql,
        values.len(),
        *MAY_RETURN
    );
    let rows = store.wide().await?.rows_once(sql, values).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// What `ItemState::come_back` does, to a piece.
async fn wake(
    tx: &mut Link,
    campaign: CampaignId,
    debtors: &[DebtorId],
    (part, now): (u32, UtcMs),
) -> Result<u64, StoreError> {
    lock_persons_of(tx, debtors).await?;
    let sql = format!(
        "UPDATE campaign_items SET done=FALSE, awake=FALSE, note='{RETURNED}', part=$2, \
            next_at=CASE WHEN next_at>$3 THEN next_at ELSE $3 END, \
            priority=CASE WHEN priority>=$4 THEN 0 ELSE priority END \
        WHERE campaign_id=$1 AND {} AND debtor_id",
        *MAY_RETURN
    );
    let fixed = vals![campaign, part, now, CALLBACK_PRIORITY];
    let woken = tx.run_in(&sql, debtors, "", &fixed).await?;
    // Nobody kept their order while they were gone.
    reorder(tx, debtors).await?;
    Ok(woken)
}

/// Brings those of a part's segment back who left for what has passed; says how many.
pub(super) async fn bring_back(
    store: &SqlStore,
    campaign: CampaignId,
    filter: Filter,
    place: (u32, UtcMs),
) -> Result<u64, StoreError> {
    let mut back = 0;
    for piece in gone(store, campaign, filter).await?.chunks(PIECE) {
        let mut tx = store.write().await?;
        back += wake(&mut tx, campaign, piece, place).await?;
        tx.commit().await?;
    }
    Ok(back)
}
