//! What is not kept for ever beside recordings: numbers of callers who stayed unknown, sounds before an answer.

use crate::shared::Shared;
use crate::tasks::pause;
use domain::time::DAY_MS;
use std::sync::Arc;

/// Most callers forgotten in one go.
const BATCH: u32 = 200;
/// Most sounds before an answer that are kept of one trunk: a week of a trunk that starts a call every other second.
const EARLY_MOST: u32 = 300_000;

/// Of so many looks for recordings one is for these: what is kept for months need not go within a minute.
const EVERY: u64 = 60;

/// Runs until the center stops.
pub(super) async fn forget(shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let every = u64::try_from(shared.config.retention.look_ms)
        .unwrap_or(1)
        .max(1)
        .saturating_mul(EVERY);
    while pause(&mut stop, every).await {
        while strangers(&shared).await >= u64::from(BATCH) && !shared.stopping() {}
        let days = i64::from(shared.config.retention.early_days);
        let before = shared.now().plus_ms(-days * DAY_MS);
        if let Err(error) = shared.out.store.forget_early(before, EARLY_MOST).await {
            shared.mind(&error).await;
        }
    }
}

async fn strangers(shared: &Shared) -> u64 {
    let days = i64::from(shared.config.retention.stranger_days);
    let before = shared.now().plus_ms(-days * DAY_MS);
    match shared.out.store.forget_strangers(before, BATCH).await {
        Ok(gone) => {
            if gone > 0 {
                tracing::info!(
                    gone,
                    "numbers of callers that are not to be kept are forgotten"
                );
            }
            gone
        }
        Err(error) => {
            shared.mind(&error).await;
            0
        }
    }
}
