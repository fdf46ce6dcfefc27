//! A place that is kept anew while the one of a dead node is freed.

use super::super::nodes::{fresh_item, told};
use super::super::scene::*;
use domain::entity::Campaign;
use domain::ids::DebtorId;
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, ItemState, NodeLease, PlaceKept};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Callers whose node died and who call another one at that very moment.
const CALLERS: usize = 24;

fn kept(scene: (&Campaign, DebtorId), lease: &NodeLease, since: UtcMs) -> (PlaceKept, ItemState) {
    let (campaign, debtor) = scene;
    let until = since.plus_ms(30 * MINUTE_MS);
    let place = PlaceKept {
        campaign: campaign.id,
        debtor,
        node: lease.node.clone(),
        fence: lease.fence,
        since,
        until,
    };
    let item = ItemState {
        next_at: until,
        priority: CALLBACK_PRIORITY,
        note: CallbackRow::note_of(None),
        ..fresh_item(campaign.id, debtor)
    };
    (place, item)
}

/// Whoever frees the places of a dead node leaves those that another node keeps by then: should that one die too,
/// they are due.
pub(super) async fn a_place_kept_anew_outlives_the_one_of_a_dead_node(store: &Subject) {
    let scene = Scene::new(store).await;
    let campaign = scene.campaign(store).await;
    let (dead, alive) = (node(store).await, node(store).await);
    let keeper = name("node");
    let keeper = store.register_node(&keeper, NOW, HOUR_MS).await;
    let keeper = keeper.expect("node");
    let mut people = Vec::new();
    for _ in 0..CALLERS {
        let person = scene.person(store).await;
        let (place, item) = kept((&campaign, person.debtor.id), &dead, NOW);
        store.keep_place(&place, &item).await.expect("kept");
        people.push(person.debtor.id);
    }
    // The lease of the one ends, the other's goes on.
    let goes_on = store.renew_node(&alive, NOW, HOUR_MS).await;
    goes_on.expect("it lives");
    let end = NOW.plus_ms(MINUTE_MS);
    let start = Arc::new(Barrier::new(CALLERS + 1));
    let mut tasks = JoinSet::new();
    let again = NOW.plus_ms(MINUTE_MS / 2);
    for debtor in people.clone() {
        let (place, item) = kept((&campaign, debtor), &alive, again);
        let (store, start) = (store.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            store.keep_place(&place, &item).await.expect("kept");
        });
    }
    let (frees, lease) = (store.clone(), keeper.clone());
    tasks.spawn(async move {
        start.wait().await;
        frees.recover(&lease, end, &told).await.expect("recover");
    });
    tasks.join_all().await;
    let end = NOW.plus_ms(HOUR_MS);
    store.recover(&keeper, end, &told).await.expect("recover");
    for debtor in people {
        let items = store.items_of(debtor).await.expect("works");
        assert_eq!(items.first().map(|i| i.next_at), Some(again));
    }
}
