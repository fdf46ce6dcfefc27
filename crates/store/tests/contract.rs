//! The contract suite of the `Store` port on SQLite and PostgreSQL.

mod common;
#[path = "contract/grace.rs"]
mod grace;

use sim::contract;
use std::sync::Arc;

macro_rules! groups {
    ($($group:ident),+ $(,)?) => { $(
        mod $group {
            use super::{Arc, common, contract};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (store, _, _folder) = common::sqlite().await;
                contract::$group::all(Arc::new(store)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some((store, ..)) = common::postgres().await {
                    contract::$group::all(Arc::new(store)).await;
                }
            }
        }
    )+ };
}
groups!(
    addresses, attempts, callers, catalog, claims, contacts, departures, detector, due_items,
    events, facts, floor, imports, inbound, interest, keeps, law, marks, merges, messages, money,
    nodes, people, plans, portfolio, races, receipts, reports, stages, strategies, trail, visits
);
