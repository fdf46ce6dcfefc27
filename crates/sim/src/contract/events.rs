//! The event log and its outbox.

use super::scene::*;
use domain::event::NewEvent;
use std::collections::BTreeSet;

/// Runs the group.
pub async fn all(store: Subject) {
    the_log_is_ordered(&store).await;
    an_event_is_appended_once(&store).await;
    the_outbox_empties(&store).await;
    a_reader_misses_nothing(&store).await;
}

async fn the_log_is_ordered(store: &Subject) {
    let before = store.last_cursor().await.expect("cursor");
    let told: Vec<NewEvent> = (0..5)
        .map(|n| event("suite.told", &format!("n:{n}")))
        .collect();
    store.append_events(&told).await.expect("append");
    let all = store.events_after(before, 100).await.expect("events");
    let ours: Vec<_> = all.iter().filter(|e| told.contains(&e.event)).collect();
    assert_eq!(
        ours.iter().map(|e| e.event.clone()).collect::<Vec<_>>(),
        told,
        "in the order given"
    );
    assert!(
        ours.windows(2).all(|w| w[0].cursor < w[1].cursor),
        "cursors grow"
    );
    assert!(ours[0].cursor > before);
    let last = store.last_cursor().await.expect("cursor");
    assert!(last >= ours[4].cursor);
    let two = store.events_after(ours[1].cursor, 2).await.expect("events");
    assert_eq!(
        two.first().map(|e| &e.event),
        Some(&told[2]),
        "after is exclusive"
    );
    assert_eq!(two.len(), 2, "the limit holds");
    assert!(
        store
            .events_after(last, 10)
            .await
            .expect("events")
            .iter()
            .all(|e| e.cursor > last)
    );
}

async fn an_event_is_appended_once(store: &Subject) {
    let before = store.last_cursor().await.expect("cursor");
    let told = event("suite.once", "once");
    for _ in 0..2 {
        store
            .append_events(std::slice::from_ref(&told))
            .await
            .expect("append");
    }
    let all = store.events_after(before, 100).await.expect("events");
    assert_eq!(all.iter().filter(|e| e.event.id == told.id).count(), 1);
}

async fn the_outbox_empties(store: &Subject) {
    let told: Vec<NewEvent> = (0..3)
        .map(|n| event("suite.out", &format!("n:{n}")))
        .collect();
    store.append_events(&told).await.expect("append");
    let mut handed = Vec::new();
    for _ in 0..10_000 {
        let pending = store.outbox_pending(2).await.expect("pending");
        if pending.is_empty() {
            break;
        }
        assert!(pending.len() <= 2);
        let cursors: Vec<i64> = pending.iter().map(|e| e.cursor).collect();
        handed.extend(pending.into_iter().map(|e| e.event));
        store.outbox_done(&cursors, NOW).await.expect("done");
    }
    let ours: Vec<_> = handed.into_iter().filter(|e| told.contains(e)).collect();
    assert_eq!(ours, told, "each once, oldest first");
    store
        .outbox_done(&[], NOW)
        .await
        .expect("nothing to mark is no fault");
}

/// Writers race while a reader follows by cursor: it must see each event exactly once.
async fn a_reader_misses_nothing(store: &Subject) {
    const WRITERS: usize = 6;
    const EACH: usize = 15;
    let mut cursor = store.last_cursor().await.expect("cursor");
    let subject = name("race");
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let (store, subject) = (store.clone(), subject.clone());
        writers.push(tokio::spawn(async move {
            for _ in 0..EACH {
                let told = [event("suite.race", &subject)];
                store.append_events(&told).await.expect("append");
                tokio::task::yield_now().await;
            }
        }));
    }
    let mut seen = BTreeSet::new();
    let mut quiet = false;
    loop {
        let running = writers.iter().any(|w| !w.is_finished());
        let batch = store.events_after(cursor, 7).await.expect("events");
        for e in &batch {
            assert!(e.cursor > cursor, "oldest first");
            cursor = e.cursor;
            if e.event.subject == subject {
                assert!(seen.insert(e.event.id), "twice: {}", e.cursor);
            }
        }
        if batch.is_empty() && !running {
            if quiet {
                break;
            }
            quiet = true;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.expect("writer");
    }
    assert_eq!(seen.len(), WRITERS * EACH);
}
