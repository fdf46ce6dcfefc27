//! Stored ranks follow when the meaning of an order key changes.

use super::super::SqlStore;
use crate::fill::FillPlan;
use crate::sql::vals;
use domain::entity::{Campaign, CampaignParams, CampaignStatus};
use domain::ids::{CampaignId, ClientId, SegmentId};
use domain::ports::store::{CatalogStore as _, ContactStore as _};
use domain::segment::Expr;
use domain::time::UtcMs;

/// A campaign of all debtors in an order, its items ranked.
async fn ranked(store: &SqlStore, n: u128, key: &str, like: (ClientId, UtcMs)) -> Campaign {
    let campaign = Campaign {
        id: CampaignId(uuid::Uuid::from_u128(n)),
        client_id: like.0,
        name: key.to_owned(),
        segment_id: SegmentId(uuid::Uuid::from_u128(1)),
        script_id: None,
        status: CampaignStatus::Running,
        params: CampaignParams {
            order: vec![key.to_owned()],
            ..CampaignParams::default()
        },
        version: 1,
        created_at: like.1,
        updated_at: like.1,
    };
    store.put_campaign(&campaign, &[]).await.unwrap();
    let refilled = store.refill_campaign(&campaign, &Expr::All, like.1, &[]);
    refilled.await.unwrap();
    campaign
}

/// First rank of each of its items, by debtor.
async fn ranks(store: &SqlStore, campaign: &Campaign) -> Vec<i64> {
    let sql = "SELECT rank1 FROM campaign_items WHERE campaign_id=$1 ORDER BY debtor_id";
    let mut tx = store.read().await.unwrap();
    let rows = tx.rows(sql, vals![campaign.id]).await.unwrap();
    rows.iter().map(|row| row.get("rank1").unwrap()).collect()
}

#[tokio::test]
async fn ranks_by_minor_units_are_set_anew() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("a.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let plan = FillPlan {
        debtors: 30,
        attempts: 30,
        now: UtcMs(1_790_000_000_000),
    };
    let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
    let like = (filled.client, filled.now);
    let want = ranks(&store, &ranked(&store, 1, "expected_value", like).await).await;
    let campaign = ranked(&store, 2, "best_time", like).await;
    assert_eq!(ranks(&store, &campaign).await, want);
    assert!(want.len() == 30 && want.iter().any(|rank| *rank > 0));
    // As they were stored when the key sorted by minor units.
    let sql = "UPDATE campaign_items SET order_code=26, rank1=7 WHERE campaign_id=$1";
    let mut tx = store.write().await.unwrap();
    tx.run(sql, vals![campaign.id]).await.unwrap();
    tx.commit().await.unwrap();
    let refilled = store.refill_campaign(&campaign, &Expr::All, filled.now, &[]);
    refilled.await.unwrap();
    assert_eq!(ranks(&store, &campaign).await, want);
}
