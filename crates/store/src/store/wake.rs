//! Items whose time has come. The order index of a campaign holds those that are awake alone, so that a
//! reservation is as quick with a million who wait as with none; each is woken once, when he is due.

use super::SqlStore;
use crate::sql::{Batch, Link, vals};
use domain::entity::CampaignStatus;
use domain::ids::CampaignId;
use domain::ports::StoreError;
use domain::ports::store::ReserveRequest;
use domain::time::UtcMs;

/// Woken by a reservation at least, those due longest first. Many who become due at once (a morning) have
/// been woken before by [`ahead`].
pub(super) const FEW: u32 = 256;
/// Woken in one transaction otherwise.
const PIECE: u32 = 2_048;
/// How long before their time items are woken, ms: longer than from one refill to the next.
const AHEAD_MS: i64 = 90_000;

/// Wakes items of a campaign due at `until`, at most `most`.
pub(super) async fn due(
    tx: &mut Link,
    campaign: CampaignId,
    until: UtcMs,
    most: u32,
) -> Result<u64, StoreError> {
    let sql = wake_sql("", tx.pg_only(LOCK));
    tx.run(sql, vals![campaign, until, most]).await
}

/// Nobody waits for a row that another node writes.
const LOCK: &str = " FOR UPDATE SKIP LOCKED";

/// Of campaign `$1` who is due at `$2`, at most `$3`, if the term in front of which `if_so` has an AND holds.
fn wake_sql(if_so: &str, lock: &str) -> String {
    format!(
        "UPDATE campaign_items SET awake=TRUE WHERE campaign_id=$1 AND debtor_id IN \
            (SELECT debtor_id FROM campaign_items WHERE campaign_id=$1 AND NOT done AND NOT awake \
                AND next_at<=$2{if_so} ORDER BY next_at LIMIT $3{lock})"
    )
}

/// Wakes who is due for a reservation; `false` where its campaign is stopped. For PostgreSQL, in one way to the server:
/// the node's row is held first, and who is fenced off or stopped looks at no item.
pub(super) async fn reserving(
    tx: &mut Link,
    request: &ReserveRequest,
    most: u32,
) -> Result<bool, StoreError> {
    let mut batch = Batch::default();
    let node = "SELECT fence FROM nodes WHERE name=$1 FOR SHARE";
    batch.add("n", node, vals![request.node]);
    let may = "SELECT 1 AS n FROM n WHERE n.fence=$1 \
        AND NOT EXISTS (SELECT 1 FROM campaigns WHERE id=$2 AND status<>$3)";
    let campaign = request.campaign.id;
    batch.add(
        "may",
        may,
        vals![request.fence, campaign, CampaignStatus::Running],
    );
    let due = wake_sql(" AND (SELECT COUNT(*) FROM may)>0", LOCK);
    batch.add("woken", &due, vals![campaign, request.now, most]);
    let what = "(SELECT n.fence FROM n) AS fence, EXISTS (SELECT 1 FROM may) AS may";
    let row = tx.write_all(batch, what).await?.ok_or(StoreError::Fenced)?;
    if row.get::<Option<i64>>("fence")? != Some(request.fence) {
        return Err(StoreError::Fenced);
    }
    row.get("may")
}

/// Wakes all who are due now or soon, piece by piece, so that nobody waits long for the writer.
pub(super) async fn ahead(
    store: &SqlStore,
    campaign: CampaignId,
    now: UtcMs,
) -> Result<(), StoreError> {
    loop {
        let mut tx = store.write().await?;
        let woken = due(&mut tx, campaign, now.plus_ms(AHEAD_MS), PIECE).await?;
        tx.commit().await?;
        if woken < u64::from(PIECE) {
            return Ok(());
        }
    }
}
