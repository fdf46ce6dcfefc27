//! That a rehearsal leaves nothing, and that what calls ask was asked before.

use super::super::fresh_tests;
use crate::sql::{HEARD, vals};
use domain::entity::CallResult;
use domain::ports::Store;
use domain::ports::store::{AttemptStore as _, Closing, ContactStore as _, OpenOutcome};
use domain::time::MINUTE_MS;
use sim::contract::judges::Allow;
use sim::contract::scene::{NOW, Scene, event, node, request};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

async fn heard<T>(what: impl Future<Output = T>) -> (T, BTreeSet<String>) {
    let listening = HEARD.scope(RefCell::default(), async {
        let told = what.await;
        (told, HEARD.with(RefCell::take))
    });
    let (told, heard) = listening.await;
    (told, heard.into_iter().map(|(sql, _)| sql).collect())
}

#[tokio::test]
async fn what_a_call_asks_was_asked_before_and_nothing_is_left() {
    let Some(fresh) = fresh_tests::postgres().await else {
        return;
    };
    let own = fresh.store.clone();
    let (ready, rehearsed) = heard(own.rehearse()).await;
    assert_eq!(ready.unwrap(), 8);
    let tables = [
        "clients",
        "portfolios",
        "debtors",
        "persons",
        "campaigns",
        "campaign_items",
        "nodes",
        "attempts",
        "verdicts",
        "ledger",
        "events",
        "outbox",
    ];
    let mut read = own.read().await.unwrap();
    for table in tables {
        let row = read
            .row(format!("SELECT COUNT(*) AS n FROM {table}"), vals![])
            .await;
        assert_eq!(row.unwrap().unwrap().get::<i64>("n").unwrap(), 0, "{table}");
    }
    drop(read);
    let store: Arc<dyn Store> = Arc::new(own.clone());
    let scene = Scene::new(&store).await;
    let person = scene.person(&store).await;
    let campaign = scene.campaign(&store).await;
    let lease = node(&store).await;
    let (held, asked) = heard(own.reserve_contacts(&request(&campaign, &lease, 100))).await;
    let held = held.unwrap();
    // Nobody was read ahead: of whom nothing is known is asked by other connections.
    let (known, unknown): (Vec<_>, Vec<_>) = asked.iter().partition(|sql| rehearsed.contains(*sql));
    assert!(known.len() >= 2, "{unknown:#?}");
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    let (opened, asked) = heard(own.open_attempt(&draft, &Allow)).await;
    assert!(matches!(opened, Ok(OpenOutcome::Opened(..))), "{opened:?}");
    let unknown: Vec<_> = asked.difference(&rehearsed).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let closing = Closing {
        ended_at: Some(NOW.plus_ms(MINUTE_MS)),
        result: Some(CallResult::NoAnswer),
        reached_network: Some(true),
        item: Some(held[0].item.clone()),
        events: vec![event("attempt.ended", "attempt:1")],
        ..Closing::default()
    };
    let (closed, asked) = heard(own.close_attempt(draft.attempt.id, &closing)).await;
    assert!(closed.unwrap());
    let unknown: Vec<_> = asked.difference(&rehearsed).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    own.close().await;
}
