//! The suites against the parts in memory.

use crate::bus::{BusFaults, SimBus};
use crate::store::MemoryStore;
use domain::ports::Store;
use std::sync::Arc;

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

macro_rules! groups {
    ($($group:ident),+) => { $(
        #[tokio::test]
        async fn $group() {
            super::$group::all(memory()).await;
        }
    )+ };
}
groups!(
    addresses, attempts, callers, catalog, claims, contacts, departures, detector, due_items,
    events, facts, floor, imports, inbound, interest, keeps, law, marks, merges, messages, money,
    nodes, people, plans, portfolio, races, receipts, reports, stages, strategies, trail, visits
);

#[tokio::test]
async fn bus() {
    let bus = Arc::new(SimBus::new(1, BusFaults::default()));
    super::bus::all(bus.clone(), bus).await;
}

#[tokio::test]
async fn blob() {
    let fresh = crate::blob::MemoryBlob::default;
    super::blob::all(&fresh(), &fresh()).await;
}
