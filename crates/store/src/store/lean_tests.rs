//! What the steps of a call write. A table of its own, as SQLite makes one for a list, for rows that a statement returns
//! or for a query within it, comes with a cache of twenty pages: it costs more than the rest of such a statement.

use super::fresh_tests;
use crate::SqlStore;
use crate::sql::{HEARD, Val};
use domain::entity::{AttemptState, CallResult};
use domain::ports::Store;
use domain::ports::store::{AttemptChange, Closing};
use sim::contract::scene::{NOW, Scene, event, node};
use std::cell::RefCell;
use std::sync::Arc;

/// What is done for a statement, by the names of SQLite's own steps.
async fn steps_of(store: &SqlStore, (sql, values): (String, Vec<Val>)) -> Vec<String> {
    let mut read = store.snapshot().await.unwrap();
    let rows = read.rows_once(format!("EXPLAIN {sql}"), values).await;
    let step = |row: &crate::sql::Row| row.get::<String>("opcode").unwrap();
    rows.unwrap().iter().map(step).collect()
}

#[tokio::test]
async fn steps_of_a_call_make_no_table_of_their_own() {
    let fresh = fresh_tests::sqlite().await;
    let store: Arc<dyn Store> = Arc::new(fresh.store.clone());
    let scene = Scene::new(&store).await;
    let (person, lease) = (scene.person(&store).await, node(&store).await);
    let heard = HEARD.scope(RefCell::default(), async {
        let attempt = person.open(&store, &lease, NOW).await;
        let change = AttemptChange {
            state: Some(AttemptState::Answered),
            answered_at: Some(NOW),
            ..AttemptChange::default()
        };
        let told = [event("attempt.answered", "attempt:1")];
        let noted = store.note_attempt(attempt.id, &change, &told).await;
        noted.unwrap();
        let closing = Closing {
            ended_at: Some(NOW),
            result: Some(CallResult::Human),
            events: vec![event("attempt.ended", "attempt:1")],
            ..Closing::default()
        };
        assert!(store.close_attempt(attempt.id, &closing).await.unwrap());
        HEARD.with(RefCell::take)
    });
    let mut written = Vec::new();
    for one in heard.await {
        if one.0.starts_with("SELECT") {
            continue;
        }
        let steps = steps_of(&fresh.store, one.clone()).await;
        // The index of what was done (migration 0043) asks for one of three kinds.
        let asks = one.0.starts_with("INSERT INTO ledger");
        let made = !asks && steps.iter().any(|step| step == "OpenEphemeral");
        assert!(!made, "{}", one.0);
        written.push(one.0);
    }
    // Verdict, attempt, figures, ledger; a step; an end and its figures; an event with its place for each of the three.
    assert_eq!(written.len(), 13, "{written:#?}");
}
