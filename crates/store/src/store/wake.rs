//! Items whose time has come. The order index of a campaign holds those that are awake alone, so that a
//! reservation is as quick with a million who wait as with none; each is woken once, when he is due.

use super::SqlStore;
use crate::sql::{Link, vals};
use domain::ids::CampaignId;
use domain::ports::StoreError;
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
    let sql = format!(
        "UPDATE campaign_items SET awake=TRUE WHERE campaign_id=$1 AND debtor_id IN \
            (SELECT debtor_id FROM campaign_items WHERE campaign_id=$1 AND NOT done AND NOT awake \
                AND next_at<=$2 ORDER BY next_at LIMIT $3{})",
        tx.pg_only(" FOR UPDATE SKIP LOCKED")
    );
    tx.run(sql, vals![campaign, until, most]).await
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
