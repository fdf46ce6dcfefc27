//! A campaign follows its segments while it runs.

use crate::world::{House, campaign_id, client_id, debt_id, debtor_id, id, page};
use domain::entity::Segment;
use domain::ids::{DebtorId, SegmentId};
use domain::ports::Clock as _;
use domain::ports::store::{
    AttemptFilter, AttemptStore as _, CatalogStore as _, ContactStore as _, LEFT_SEGMENT,
};
use std::collections::BTreeSet;

/// Debtors with a large debt, of all: of a hopper of twenty they are the first.
const LARGE: u128 = 10;
const DEBTORS: u128 = 40;

#[tokio::test(start_paused = true)]
async fn another_segment_lets_the_others_go() {
    let house = House::unanswered(DEBTORS).await;
    for n in 0..LARGE {
        let mut debt = house.store.get_debt(debt_id(n)).await.expect("debt");
        debt.principal_minor += 10_000_000;
        house.store.put_debt(&debt, &[]).await.expect("debt");
    }
    house.start().await;
    let hopper = house.center.hopper(campaign_id()).await.expect("hopper");
    let large: BTreeSet<DebtorId> = (0..LARGE).map(debtor_id).collect();
    let small = hopper
        .items
        .iter()
        .filter(|i| !large.contains(&i.debtor_id));
    assert_eq!(small.count(), 10, "they wait in the hopper too");
    let now = house.clock.now();
    let segment = Segment {
        id: SegmentId(id(30)),
        client_id: client_id(),
        name: "Grandes".into(),
        expression: "balance >= 50000.00".into(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    house
        .store
        .put_segment(&segment, &[])
        .await
        .expect("segment");
    let row = house.store.get_campaign(campaign_id()).await;
    let mut row = row.expect("campaign");
    row.segment_id = segment.id;
    row.version += 1;
    house.store.put_campaign(&row, &[]).await.expect("campaign");
    let changed = house.center.campaign_changed(campaign_id()).await;
    changed.expect("in force");
    let _agent = house.agent(1).await;
    house.secs(30 * 60).await;
    let filter = AttemptFilter {
        campaign_id: Some(campaign_id()),
        ..AttemptFilter::default()
    };
    let called = house.store.list_attempts(&filter, &page()).await;
    let called = called.expect("attempts").items;
    let called: BTreeSet<DebtorId> = called.iter().map(|a| a.debtor_id).collect();
    assert_eq!(called, large);
    for n in LARGE..DEBTORS {
        let item = house.item(debtor_id(n)).await;
        assert!(item.done && item.note == LEFT_SEGMENT, "{item:?}");
    }
    let counts = house.store.item_counts(campaign_id(), house.clock.now());
    assert_eq!(counts.await.expect("counts").done, 30);
    let why = house.center.why_not(debtor_id(LARGE), Some(campaign_id()));
    let why = why.await.expect("explained");
    let told = |all: &[String], text: &str| all.iter().any(|r| r.contains(text));
    assert!(
        told(&why.reasons_es, "ya no está en el segmento"),
        "{why:?}"
    );
    assert!(told(&why.reasons_en, "in the campaign's segment no more"));
    let counted = house.center.campaign_why(campaign_id()).await;
    let counted = counted.expect("counted");
    let left = counted
        .reasons
        .iter()
        .find(|r| r.key == "left.left_segment");
    assert_eq!(left.map(|r| r.debtors), Some(30));
    assert_eq!(counted.unexplained, 0);
}
