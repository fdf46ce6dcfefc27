//! What is done differently for many than for few comes to the same: on a portfolio as the load figures use it.

use super::SqlStore;
use super::count::{all_of, count, ends, in_halves};
use crate::fill::{FillPlan, Filled};
use crate::segment::Filter;
use domain::entity::{Campaign, CampaignParams, CampaignStatus};
use domain::ids::{CampaignId, DebtorId, SegmentId};
use domain::ports::store::{CatalogStore as _, ContactStore as _, NodeStore as _, ReserveRequest};
use domain::segment::{Expr, examples::EXAMPLES, parse};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use std::collections::BTreeSet;

/// Enough for every expression of the written set but those that name one debtor.
const DEBTORS: u64 = 600;

async fn filled() -> (tempfile::TempDir, SqlStore, Filled) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("a.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    let plan = FillPlan {
        debtors: DEBTORS,
        attempts: DEBTORS * 2,
        now: UtcMs(1_790_000_000_000),
    };
    let filled = store.fill_for_bench(&plan, &mut |_| {}).await.unwrap();
    (dir, store, filled)
}

#[tokio::test]
async fn two_halves_are_the_whole() {
    let (_dir, store, filled) = filled().await;
    let mut some = 0;
    for text in EXAMPLES {
        let expr = parse(text).unwrap();
        let filter = Filter::of_client(store.dialect(), filled.client, &expr, filled.now);
        let mut read = store.snapshot().await.unwrap();
        let whole = count(&mut read, &all_of(&filter), filled.client)
            .await
            .unwrap();
        let [mut low, high] = store.halves().await.unwrap().unwrap();
        let (first, last) = ends(&mut low).await.unwrap();
        // Anywhere: the halves need not be as large as each other.
        let middle = first + (last - first) / 3;
        let halves = in_halves([low, high], middle, &filter, filled.client)
            .await
            .unwrap();
        assert_eq!(halves, whole, "{text}");
        some += u32::from(whole.debtors > 0);
    }
    assert!(some > 35, "{some} expressions found somebody");
    store.close().await;
}

fn campaign(filled: &Filled) -> Campaign {
    Campaign {
        id: CampaignId(filled.portfolio.0),
        client_id: filled.client,
        name: "a".into(),
        segment_id: SegmentId(filled.portfolio.0),
        script_id: None,
        status: CampaignStatus::Running,
        params: CampaignParams::default(),
        version: 1,
        created_at: filled.now,
        updated_at: filled.now,
    }
}

#[tokio::test]
async fn who_is_given_back_comes_again_and_nobody_else_does() {
    let (_dir, store, filled) = filled().await;
    let campaign = campaign(&filled);
    store.put_campaign(&campaign, &[]).await.unwrap();
    let now = filled.now;
    store
        .refill_campaign(&campaign, &Expr::All, now, &[])
        .await
        .unwrap();
    let lease = store.register_node("n", now, HOUR_MS).await.unwrap();
    let request = |limit| ReserveRequest {
        campaign: campaign.clone(),
        node: lease.node.clone(),
        fence: lease.fence,
        limit,
        parts: Vec::new(),
        now,
        until: now.plus_ms(5 * MINUTE_MS),
    };
    let held = store.reserve_contacts(&request(10)).await.unwrap();
    let held: Vec<DebtorId> = held.iter().map(|c| c.item.debtor_id).collect();
    assert_eq!(held.len(), 10);
    let (back, kept) = held.split_at(4);
    // Of another reservation: the same node's lease with another end stands.
    let other = ReserveRequest {
        until: now.plus_ms(6 * MINUTE_MS),
        ..request(10)
    };
    store.give_back(&other, kept).await.unwrap();
    store.give_back(&request(10), back).await.unwrap();
    let again = store.reserve_contacts(&request(1_000)).await.unwrap();
    let again: BTreeSet<DebtorId> = again.iter().map(|c| c.item.debtor_id).collect();
    assert!(back.iter().all(|id| again.contains(id)));
    assert!(kept.iter().all(|id| !again.contains(id)));
    store.close().await;
}
