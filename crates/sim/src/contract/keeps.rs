//! Care for recordings: the order of its steps, and what a hold forbids.

use super::scene::*;
use domain::entity::{
    Attempt, Recording, RecordingKeep, RecordingOutcome, RecordingPlace, RetentionClass,
};
use domain::ids::RecordingId;
use domain::ports::StoreError;
use domain::ports::store::{KeepChange, KeepWork};
use domain::time::{DAY_MS, UtcMs};

/// Runs the group.
pub async fn all(store: Subject) {
    sealed_ones_come_into_care(&store).await;
    the_way_to_the_store(&store).await;
    a_hold_forbids_the_end(&store).await;
    the_end_has_two_steps(&store).await;
}

fn recording(scene: &Scene, attempt: &Attempt, outcome: RecordingOutcome) -> Recording {
    let id = fresh::<RecordingId>();
    Recording {
        id,
        attempt_id: attempt.id,
        client_id: scene.client.id,
        key: format!("2026/11/26/{id}.mrec"),
        outcome,
        sha256: None,
        duration_ms: 1_000,
        bytes: 32_044,
        gaps: vec![],
        started_at: NOW,
        sealed_at: Some(NOW),
    }
}

fn keep(scene: &Scene, node: &str) -> RecordingKeep {
    RecordingKeep {
        id: fresh(),
        client_id: scene.client.id,
        attempt_id: fresh(),
        node: node.to_owned(),
        place: RecordingPlace::Local,
        stored_sha256: "ab".repeat(32),
        stored_bytes: 33_000,
        class: None,
        delete_after: None,
        held_at: None,
        held_by: None,
        hold_reason: None,
        tries: 0,
        next_try_at: NOW,
        kept_at: NOW,
        deleted_at: None,
    }
}

async fn kept(store: &Subject) -> RecordingKeep {
    let scene = Scene::new(store).await;
    let row = keep(&scene, &name("node"));
    store.add_keep(&row).await.expect("add");
    row
}

async fn due(store: &Subject, work: KeepWork, row: &RecordingKeep, at: UtcMs) -> bool {
    let rows = store
        .keeps_due(work, &row.node, at, 500)
        .await
        .expect("due");
    rows.iter().any(|k| k.id == row.id)
}

async fn step(store: &Subject, row: &RecordingKeep, change: KeepChange) -> bool {
    let told = event("recording.cared", &format!("recording:{}", row.id));
    let cursor = store.last_cursor().await.expect("cursor");
    let done = store
        .change_keep(row.id, &change, std::slice::from_ref(&told))
        .await
        .expect("step");
    let after = store.events_after(cursor, 500).await.expect("events");
    let said = after.iter().any(|e| e.event.id == told.id);
    assert_eq!(said, done, "{change:?}: its events with it, or nothing");
    done
}

fn planned(delete_after: UtcMs) -> KeepChange {
    KeepChange::Planned {
        class: RetentionClass::Agreement,
        delete_after,
    }
}

async fn sealed_ones_come_into_care(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let node = lease.node.clone();
    let mut rows = Vec::new();
    for outcome in [
        RecordingOutcome::Sealed,
        RecordingOutcome::Repaired,
        RecordingOutcome::Open,
        RecordingOutcome::Failed,
    ] {
        let person = scene.person(store).await;
        let attempt = person.open(store, &lease, NOW).await;
        let row = recording(&scene, &attempt, outcome);
        store.put_recording(&row, &[]).await.expect("put");
        rows.push(row);
    }
    let found = store
        .unkept_recordings(&node, NOW, 10)
        .await
        .expect("unkept");
    assert_eq!(found, rows[..2]);
    let first = store
        .unkept_recordings(&node, NOW, 1)
        .await
        .expect("unkept");
    assert_eq!(first, rows[..1]);
    let other = store.unkept_recordings(&name("node"), NOW, 10).await;
    assert!(other.expect("unkept").is_empty());
    let late = store.unkept_recordings(&node, NOW.plus_ms(1), 10).await;
    assert!(late.expect("unkept").is_empty(), "sealed before");
    let mut care = keep(&scene, &node);
    care.id = rows[0].id;
    assert!(matches!(
        store.get_keep(care.id).await,
        Err(StoreError::NotFound(_))
    ));
    store.add_keep(&care).await.expect("add");
    let mut again = care.clone();
    again.stored_sha256 = "cd".repeat(32);
    store.add_keep(&again).await.expect("again");
    assert_eq!(store.get_keep(care.id).await.expect("get"), care);
    let found = store
        .unkept_recordings(&node, NOW, 10)
        .await
        .expect("unkept");
    assert_eq!(found, rows[1..2]);
    let ids: Vec<RecordingId> = rows.iter().map(|r| r.id).collect();
    assert_eq!(store.keeps_of(&ids).await.expect("of"), [care]);
    assert_eq!(store.keeps_of(&[]).await.expect("of"), []);
}

async fn the_way_to_the_store(store: &Subject) {
    let row = kept(store).await;
    assert!(due(store, KeepWork::Upload, &row, NOW).await);
    assert!(!due(store, KeepWork::Upload, &row, NOW.plus_ms(-1)).await);
    let next_at = NOW.plus_ms(60_000);
    assert!(step(store, &row, KeepChange::UploadFailed { next_at }).await);
    assert!(!due(store, KeepWork::Upload, &row, NOW).await);
    assert!(due(store, KeepWork::Upload, &row, next_at).await);
    assert_eq!(store.get_keep(row.id).await.expect("get").tries, 1);
    assert!(step(store, &row, KeepChange::Uploaded).await);
    assert!(!step(store, &row, KeepChange::Uploaded).await, "once");
    assert!(!step(store, &row, KeepChange::UploadFailed { next_at }).await);
    assert!(!due(store, KeepWork::Upload, &row, next_at).await);
    let now = store.get_keep(row.id).await.expect("get");
    assert_eq!(now.place, RecordingPlace::Store);
}

async fn a_hold_forbids_the_end(store: &Subject) {
    let row = kept(store).await;
    let over = NOW.plus_ms(DAY_MS);
    assert!(due(store, KeepWork::Plan, &row, NOW).await);
    assert!(!due(store, KeepWork::Plan, &row, NOW.plus_ms(-1)).await);
    assert!(step(store, &row, planned(over)).await);
    assert!(!due(store, KeepWork::Plan, &row, NOW).await);
    let hold = |reason: &str| KeepChange::Hold {
        at: NOW,
        by: "user:1".into(),
        reason: reason.into(),
    };
    assert!(!step(store, &row, KeepChange::Release).await, "not held");
    assert!(step(store, &row, hold("court")).await);
    assert!(step(store, &row, hold("court 2")).await, "another reason");
    let held = store.get_keep(row.id).await.expect("get");
    assert_eq!(
        (held.held_at, held.hold_reason.as_deref()),
        (Some(NOW), Some("court 2"))
    );
    assert!(!due(store, KeepWork::Delete, &row, over).await);
    assert!(!step(store, &row, KeepChange::Deleting { at: over }).await);
    assert!(step(store, &row, KeepChange::Release).await);
    let free = store.get_keep(row.id).await.expect("get");
    assert_eq!(
        (free.held_at, free.held_by, free.hold_reason),
        (None, None, None)
    );
    assert!(due(store, KeepWork::Delete, &row, over).await);
    assert!(!due(store, KeepWork::Delete, &row, over.plus_ms(-1)).await);
}

async fn the_end_has_two_steps(store: &Subject) {
    let row = kept(store).await;
    let over = NOW.plus_ms(DAY_MS);
    let deleting = KeepChange::Deleting { at: over };
    assert!(!step(store, &row, deleting.clone()).await, "not planned");
    assert!(step(store, &row, planned(over)).await);
    let early = KeepChange::Deleting {
        at: over.plus_ms(-1),
    };
    assert!(!step(store, &row, early).await, "too early");
    let deleted = KeepChange::Deleted { at: over };
    assert!(!step(store, &row, deleted.clone()).await, "not begun");
    assert!(step(store, &row, deleting).await);
    let hold = KeepChange::Hold {
        at: over,
        by: "user:1".into(),
        reason: "late".into(),
    };
    assert!(!step(store, &row, hold.clone()).await, "its end has begun");
    assert!(
        due(store, KeepWork::Delete, &row, over).await,
        "to be ended"
    );
    assert!(step(store, &row, deleted.clone()).await);
    assert!(!step(store, &row, deleted).await);
    assert!(!step(store, &row, hold).await, "gone");
    assert!(!due(store, KeepWork::Delete, &row, over).await);
    let gone = store.get_keep(row.id).await.expect("get");
    assert_eq!(
        (gone.place, gone.deleted_at),
        (RecordingPlace::Deleted, Some(over))
    );
    // What is in the object store may be ended by any node.
    let row = kept(store).await;
    assert!(step(store, &row, planned(over)).await);
    assert!(step(store, &row, KeepChange::Uploaded).await);
    let other = name("node");
    let rows = store.keeps_due(KeepWork::Delete, &other, over, 500).await;
    assert!(rows.expect("due").iter().any(|k| k.id == row.id));
}
