//! Node leases, fencing, recovery.

use super::attempts::ended;
use super::judges::*;
use super::scene::*;
use domain::entity::{Attempt, AttemptState, CallResult, Campaign, Recording, RecordingOutcome};
use domain::event::{Event, NewEvent};
use domain::ids::RecordingId;
use domain::ports::StoreError;
use domain::ports::store::NodeLease;
use domain::time::MINUTE_MS;

/// Runs the group.
pub async fn all(store: Subject) {
    fences_grow(&store).await;
    a_restart_recovers_its_own(&store).await;
    a_dead_node_is_recovered_by_another(&store).await;
    settings_are_kept(&store).await;
}

fn told(attempt: &Attempt) -> NewEvent {
    event("attempt.ended", &format!("attempt:{}", attempt.id))
}

async fn fences_grow(store: &Subject) {
    let (a, b) = (node(store).await, node(store).await);
    assert!(b.fence > a.fence, "over all names");
    assert_eq!(a.until, NOW.plus_ms(MINUTE_MS));
    let renewed = store
        .renew_node(&a, NOW.plus_ms(9), MINUTE_MS)
        .await
        .expect("renew");
    assert_eq!(renewed.fence, a.fence);
    assert_eq!(renewed.until, NOW.plus_ms(9 + MINUTE_MS));
    let again = store
        .register_node(&a.node, NOW, MINUTE_MS)
        .await
        .expect("restart");
    assert!(again.fence > b.fence);
    let fenced = store.renew_node(&renewed, NOW, MINUTE_MS).await;
    assert!(matches!(fenced, Err(StoreError::Fenced)), "{fenced:?}");
    let mut unknown = again;
    unknown.node = name("node");
    let fenced = store.renew_node(&unknown, NOW, MINUTE_MS).await;
    assert!(matches!(fenced, Err(StoreError::Fenced)), "{fenced:?}");
    store.ping().await.expect("ping");
}

fn recording(scene: &Scene, attempt: &Attempt) -> Recording {
    Recording {
        id: fresh::<RecordingId>(),
        attempt_id: attempt.id,
        client_id: scene.client.id,
        key: "2026/11/23/c.wav".into(),
        outcome: RecordingOutcome::Open,
        sha256: None,
        duration_ms: 0,
        bytes: 0,
        gaps: vec![],
        started_at: NOW,
        sealed_at: None,
    }
}

/// A node with a live call, a call that is over and a reservation, and another node with a call.
struct Crash {
    people: [Person; 3],
    campaign: Campaign,
    old: NodeLease,
    live: Attempt,
    over: Attempt,
    theirs: Attempt,
    open: Recording,
}

async fn crash(store: &Subject) -> Crash {
    let scene = Scene::new(store).await;
    let people = [
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    ];
    let campaign = scene.campaign(store).await;
    let (old, other) = (node(store).await, node(store).await);
    let live = people[0].open(store, &old, NOW).await;
    let over = people[1].open(store, &old, NOW).await;
    let theirs = people[2].open(store, &other, NOW).await;
    let open = recording(&scene, &live);
    for row in [&open, &recording(&scene, &theirs)] {
        store.open_recording(row, &[]).await.expect("recording");
    }
    let closed = store.close_attempt(over.id, &ended(CallResult::Busy)).await;
    assert!(closed.expect("close"));
    let held = reserve(store, &campaign, &old, 10).await;
    assert_eq!(ids(&held), vec![people[1].debtor.id]);
    Crash {
        people,
        campaign,
        old,
        live,
        over,
        theirs,
        open,
    }
}

async fn a_restart_recovers_its_own(store: &Subject) {
    let crash = crash(store).await;
    let name = &crash.old.node;
    let new = store.register_node(name, NOW.plus_ms(5), MINUTE_MS).await;
    let new = new.expect("restart");
    let found = store.recover(&new, NOW.plus_ms(6), &told).await;
    let found = found.expect("recover");
    let mut ours = found.orphans.iter().filter(|a| a.node == *name);
    let orphan = ours.next().expect("the live call");
    assert!(ours.next().is_none());
    let row = store.get_attempt(crash.live.id).await.expect("attempt");
    assert_eq!(row, *orphan);
    assert_eq!(row.state, AttemptState::Unknown);
    assert_eq!(row.result, Some(CallResult::Unknown));
    assert_eq!(row.ended_at, Some(NOW.plus_ms(6)));
    let over = store.get_attempt(crash.over.id).await.expect("attempt");
    assert_eq!(over.result, Some(CallResult::Busy));
    let alive = store.get_attempt(crash.theirs.id).await.expect("attempt");
    assert_eq!(
        alive.state,
        AttemptState::Committed,
        "another node's call goes on"
    );
    let recordings = &found.open_recordings;
    assert!(recordings.iter().any(|r| r.id == crash.open.id));
    assert!(recordings.iter().all(|r| r.attempt_id != crash.theirs.id));
    assert!(found.released >= 1);
    an_orphan_counts_as_made(store, &crash).await;
    let again = store
        .recover(&new, NOW.plus_ms(7), &told)
        .await
        .expect("recover");
    assert!(again.orphans.iter().all(|a| a.id != crash.live.id), "once");
    let free = reserve(store, &crash.campaign, &new, 10).await;
    assert_eq!(free.len(), 2, "both are free again");
}

/// Its ledger row stands, its fate stays unknown, and its end is told.
async fn an_orphan_counts_as_made(store: &Subject, crash: &Crash) {
    let debtor = crash.people[0].debtor.id;
    let facts = store.contact_facts(debtor, NOW).await.expect("facts");
    assert_eq!(facts.ledger.len(), 1);
    assert_eq!(facts.ledger[0].reached_network, None);
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    let subject = format!("attempt:{}", crash.live.id);
    let ended = |e: &Event| e.event.subject == subject && e.event.kind == "attempt.ended";
    assert!(events.iter().any(ended));
}

async fn a_dead_node_is_recovered_by_another(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let held = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let dead = node(store).await;
    let live = person.open(store, &dead, NOW).await;
    assert_eq!(
        ids(&reserve(store, &campaign, &dead, 10).await),
        vec![held.debtor.id]
    );
    let end = NOW.plus_ms(MINUTE_MS);
    let keeper = store
        .register_node(&name("node"), NOW, 10 * MINUTE_MS)
        .await
        .expect("node");
    let found = store
        .recover(&keeper, end.plus_ms(-1), &told)
        .await
        .expect("recover");
    assert!(
        found.orphans.iter().all(|a| a.id != live.id),
        "its lease still runs"
    );
    let found = store.recover(&keeper, end, &told).await.expect("recover");
    assert!(found.orphans.iter().any(|a| a.id == live.id));
    // Should the frozen node wake up, it may write nothing.
    let fenced = store.renew_node(&dead, end, MINUTE_MS).await;
    assert!(matches!(fenced, Err(StoreError::Fenced)), "{fenced:?}");
    let draft = held.draft(&dead, Some(campaign.id), end);
    let fenced = store.open_attempt(&draft, &Allow).await;
    assert!(matches!(fenced, Err(StoreError::Fenced)), "{fenced:?}");
    assert_eq!(reserve(store, &campaign, &keeper, 10).await.len(), 2);
}

async fn settings_are_kept(store: &Subject) {
    let key = name("setting");
    assert_eq!(store.get_setting(&key).await.expect("get"), None);
    for value in ["1", "", "ñ"] {
        store.put_setting(&key, value).await.expect("put");
        assert_eq!(
            store.get_setting(&key).await.expect("get").as_deref(),
            Some(value)
        );
    }
}
