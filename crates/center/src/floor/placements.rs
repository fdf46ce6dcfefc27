//! Placements whose day of recall has come: what is open of them is the client's again from the first minute
//! of that day in the portfolio's zone.

use crate::feeder::zone_or_utc;
use crate::shared::Shared;
use domain::entity::Placement;
use domain::ports::store::StoreError;
use domain::time::HOUR_MS;
use serde_json::json;

/// Placements looked at in one round.
const EACH: u32 = 100;
/// How far the earliest zone is ahead of UTC, ms.
const AHEAD_MS: i64 = 14 * HOUR_MS;

/// Recalls those that are due.
pub(super) async fn round(shared: &Shared) -> Result<(), StoreError> {
    let store = &shared.out.store;
    // The day it is where it is day first; each placement is held against its own zone.
    let latest = shared.now().plus_ms(AHEAD_MS);
    let latest = latest.in_zone(&jiff::tz::TimeZone::UTC).date().to_string();
    for row in store.placements_due(&latest, EACH).await? {
        let zone = store.get_portfolio(row.portfolio_id).await?.zone;
        let today = shared.now().in_zone(&zone_or_utc(&zone)).date().to_string();
        if row
            .recall_on
            .as_deref()
            .is_some_and(|day| day <= today.as_str())
        {
            recall(shared, row).await?;
        }
    }
    Ok(())
}

async fn recall(shared: &Shared, row: Placement) -> Result<(), StoreError> {
    let (store, now) = (&shared.out.store, shared.now());
    let mut debts = 0;
    loop {
        match store.recall_placement(row.id, now).await? {
            0 => break,
            some => debts += some,
        }
    }
    // Another node, or a person, may have been quicker.
    let row = store.get_placement(row.id).await?;
    if row.recalled_at.is_some() {
        return Ok(());
    }
    let data = json!({
        "placed_on": row.placed_on, "recall_on": row.recall_on, "fee_bp": row.fee_bp,
    });
    let (subject, client) = (format!("placement:{}", row.id), Some(row.client_id));
    let event = shared.event(client, shared.actor(), "placement.recalled", subject, data);
    tracing::info!(placement = %row.id, debts, "recalled: its day has come");
    let done = Placement {
        recalled_at: Some(now),
        ..row
    };
    store.put_placement(&done, &[event]).await
}
