//! Node leases, fencing, recovery.

use super::attempts::ended;
use super::judges::*;
use super::scene::*;
use domain::entity::{
    Attempt, AttemptState, CallResult, Campaign, LedgerKind, LedgerRow, Recording, RecordingOutcome,
};
use domain::event::{Event, NewEvent};
use domain::ids::{CampaignId, DebtorId, RecordingId};
use domain::ports::StoreError;
use domain::ports::store::{
    AttemptChange, CALLBACK_PRIORITY, CallbackRow, Closing, ItemState, NodeLease, PlaceKept,
    RECOVERED,
};
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use std::collections::BTreeSet;

/// Runs the group.
pub async fn all(store: Subject) {
    fences_grow(&store).await;
    a_restart_recovers_its_own(&store).await;
    a_dead_node_is_recovered_by_another(&store).await;
    what_the_lost_came_to_is_counted(&store).await;
    places_of_a_dead_node_are_due(&store).await;
    places_outlive_a_restart(&store).await;
    super::places::all(&store).await;
    nodes_know_their_place(&store).await;
    settings_are_kept(&store).await;
}

pub(super) fn told(attempt: &Attempt) -> NewEvent {
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

/// Who left a queue and kept his place is called by whoever is left, in the order in which they waited; not
/// while the node lives, nor where something else was agreed since.
async fn places_of_a_dead_node_are_due(store: &Subject) {
    let scene = Scene::new(store).await;
    let campaign = scene.campaign(store).await;
    let dead = node(store).await;
    let until = NOW.plus_ms(30 * MINUTE_MS);
    let mut people = Vec::new();
    for n in 0..4 {
        let person = scene.person(store).await;
        let item = ItemState {
            next_at: until,
            priority: CALLBACK_PRIORITY,
            note: CallbackRow::note_of(None),
            ..fresh_item(campaign.id, person.debtor.id)
        };
        let place = PlaceKept {
            campaign: campaign.id,
            debtor: person.debtor.id,
            node: dead.node.clone(),
            fence: dead.fence,
            since: NOW.plus_ms(-n),
            until,
        };
        store.keep_place(&place, &item).await.expect("kept");
        people.push((place, item));
    }
    let moved = ItemState {
        next_at: until.plus_ms(1),
        ..people[2].1.clone()
    };
    store.put_item(&moved, &[]).await.expect("works");
    let of = async |fence| {
        let rows = store.places_of(&dead.node, fence).await.expect("works");
        rows.iter().map(|p| p.debtor).collect::<Vec<_>>()
    };
    let kept: Vec<DebtorId> = people.iter().rev().map(|(p, _)| p.debtor).collect();
    assert_eq!(of(dead.fence).await, kept, "first first");
    assert!(of(dead.fence - 1).await.is_empty());
    let served = &people[3].0;
    store.drop_place(served).await.expect("his turn came");
    late_words_of_places(store, &people[0], &people[3]).await;
    let other = name("node");
    let keeper = store.register_node(&other, NOW, 10 * MINUTE_MS).await;
    let keeper = keeper.expect("node");
    let next_of = async |id| {
        let items = store.items_of(id).await.expect("works");
        items.first().map(|i| i.next_at)
    };
    store.recover(&keeper, NOW, &told).await.expect("recover");
    let first = people[0].0.debtor;
    assert_eq!(next_of(first).await, Some(until), "its node lives");
    let end = NOW.plus_ms(MINUTE_MS);
    for _ in 0..2 {
        store.recover(&keeper, end, &told).await.expect("recover");
        let want = [NOW, NOW.plus_ms(-1), until.plus_ms(1), until];
        for ((place, _), want) in people.iter().zip(want) {
            assert_eq!(next_of(place.debtor).await, Some(want));
        }
    }
}

/// A node that is started anew keeps the places it kept, in their order; a process of before takes none of them, and
/// they are due once the node dies for good.
async fn places_outlive_a_restart(store: &Subject) {
    let scene = Scene::new(store).await;
    let campaign = scene.campaign(store).await;
    let before = node(store).await;
    let until = NOW.plus_ms(30 * MINUTE_MS);
    let mut people = Vec::new();
    for n in 0..2 {
        let debtor = scene.person(store).await.debtor.id;
        let item = ItemState {
            next_at: until,
            priority: CALLBACK_PRIORITY,
            note: CallbackRow::note_of(None),
            ..fresh_item(campaign.id, debtor)
        };
        let place = PlaceKept {
            campaign: campaign.id,
            debtor,
            node: before.node.clone(),
            fence: before.fence,
            since: NOW.plus_ms(-n),
            until,
        };
        store.keep_place(&place, &item).await.expect("kept");
        people.push(debtor);
    }
    let again = store.register_node(&before.node, NOW, MINUTE_MS).await;
    let again = again.expect("started anew");
    // Before it has recovered anything somebody else looks for what dead nodes left.
    let keeper = node(store).await;
    store.recover(&keeper, NOW, &told).await.expect("recover");
    // The process of before may not know yet that it was replaced.
    let stale = store.recover(&before, NOW, &told);
    let of = async |fence| {
        let rows = store.places_of(&again.node, fence).await.expect("works");
        rows.iter().map(|p| p.debtor).collect::<Vec<_>>()
    };
    let next_of = async |id| {
        let items = store.items_of(id).await.expect("works");
        items.first().map(|i| i.next_at)
    };
    store.recover(&again, NOW, &told).await.expect("recover");
    let kept: Vec<DebtorId> = people.iter().rev().copied().collect();
    assert_eq!(of(again.fence).await, kept, "first first");
    assert!(of(before.fence).await.is_empty());
    stale.await.expect("recover");
    assert_eq!(of(again.fence).await, kept, "they are not its own any more");
    for debtor in &people {
        assert_eq!(next_of(*debtor).await, Some(until), "their place is kept");
    }
    let end = NOW.plus_ms(MINUTE_MS);
    store.recover(&keeper, end, &told).await.expect("recover");
    assert_eq!(next_of(people[0]).await, Some(NOW), "nobody keeps it now");
}

/// A node that is slow takes neither the place of a later call nor its call-back; a later call of his takes that of
/// the one before.
async fn late_words_of_places(
    store: &Subject,
    (kept, agreed): &(PlaceKept, ItemState),
    (served, item): &(PlaceKept, ItemState),
) {
    let before = |place: &PlaceKept| PlaceKept {
        since: place.since.plus_ms(-MINUTE_MS),
        ..place.clone()
    };
    let late = ItemState {
        next_at: agreed.next_at.plus_ms(7),
        ..agreed.clone()
    };
    let kept_late = store.keep_place(&before(kept), &late).await;
    kept_late.expect("works");
    let elsewhere = PlaceKept {
        node: name("node"),
        ..kept.clone()
    };
    let older = PlaceKept {
        fence: kept.fence - 1,
        ..kept.clone()
    };
    for stale in [before(kept), elsewhere, older] {
        store.drop_place(&stale).await.expect("works");
    }
    for place in [&before(served), served] {
        store.keep_place(place, item).await.expect("kept");
    }
    store.drop_place(served).await.expect("his turn came");
}

pub(super) fn fresh_item(campaign: CampaignId, debtor: DebtorId) -> ItemState {
    ItemState {
        campaign_id: campaign,
        debtor_id: debtor,
        next_at: NOW,
        priority: 0,
        attempts: 0,
        last_result: None,
        next_point: None,
        done: false,
        note: String::new(),
    }
}

/// A conversation and an abandonment that nobody ended are in the ledger, and neither debtor is due again
/// from the moment in which he is free.
async fn what_the_lost_came_to_is_counted(store: &Subject) {
    let scene = Scene::new(store).await;
    let people = [
        scene.person(store).await,
        scene.person(store).await,
        scene.person(store).await,
    ];
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 10).await.len(), 3);
    let steps = [
        (Some(NOW), Some(NOW.plus_ms(900)), LedgerKind::Conversation),
        (Some(NOW), None, LedgerKind::Abandoned),
        (None, None, LedgerKind::Attempt),
    ];
    let mut open = Vec::new();
    for (person, (answered_at, bridged_at, _)) in people.iter().zip(&steps) {
        let draft = person.draft(&lease, Some(campaign.id), NOW);
        store.open_attempt(&draft, &Allow).await.expect("open");
        let change = AttemptChange {
            answered_at: *answered_at,
            bridged_at: *bridged_at,
            ..AttemptChange::default()
        };
        let id = draft.attempt.id;
        store.note_attempt(id, &change, &[]).await.expect("note");
        open.push(id);
    }
    let restarted = store.register_node(&lease.node, NOW, MINUTE_MS).await;
    let new = restarted.expect("restart");
    store.recover(&new, NOW, &told).await.expect("recover");
    assert!(
        reserve(store, &campaign, &new, 10).await.is_empty(),
        "nobody is due at once"
    );
    for (n, (person, (.., kind))) in people.iter().zip(&steps).enumerate() {
        // The old process wakes up and tells what it knows: it is counted once.
        let woken = Closing {
            ledger: LedgerRow::of_lost(&store.get_attempt(open[n]).await.expect("attempt"))
                .into_iter()
                .collect(),
            ..ended(CallResult::Human)
        };
        let late = store.close_attempt(open[n], &woken).await;
        assert!(!late.expect("close"), "its fate stays unknown");
        let facts = store.contact_facts(person.debtor.id, NOW).await;
        let facts = facts.expect("facts");
        let counted = facts.ledger.iter().filter(|r| r.kind == *kind).count();
        assert_eq!(counted, 1, "{kind}");
        let rows = if *kind == LedgerKind::Attempt { 1 } else { 2 };
        assert_eq!(facts.ledger.len(), rows, "{kind}");
        let items = store.items_of(person.debtor.id).await.expect("items");
        let item = &items[0];
        assert_eq!((item.attempts, item.note.as_str()), (1, RECOVERED));
        assert_eq!(item.last_result, Some(CallResult::Unknown));
        assert!(item.next_at >= NOW.plus_ms(24 * HOUR_MS), "{item:?}");
    }
}

async fn nodes_know_their_place(store: &Subject) {
    let end = NOW.plus_ms(400 * DAY_MS);
    // Beyond the leases of all that other groups started.
    let (mut names, mut leases) = (
        vec![name("place"), name("place"), name("place")],
        Vec::new(),
    );
    names.sort();
    for node in &names {
        let lease = store.register_node(node, end, MINUTE_MS).await;
        leases.push(lease.expect("node"));
    }
    for (n, node) in names.iter().enumerate() {
        let place = store.node_place(node, end).await.expect("place");
        assert_eq!(place, (u32::try_from(n).expect("small"), 3));
    }
    for lease in &leases[1..] {
        let over = store.renew_node(lease, end, 0).await;
        over.expect("ended");
    }
    assert_eq!(
        store.node_place(&names[0], end).await.expect("place"),
        (0, 1)
    );
    store.renew_node(&leases[0], end, 0).await.expect("ended");
}

async fn settings_are_kept(store: &Subject) {
    let key = name("setting");
    let under = format!("{key}:");
    let rows = ["b", "a_", "año", "a%"].map(|n| (format!("{under}{n}"), n.to_owned()));
    for (key, value) in &rows {
        store.put_setting(key, value).await.expect("put");
    }
    let found = store.settings_under(&under).await.expect("works");
    let found: BTreeSet<(String, String)> = found.into_iter().collect();
    assert_eq!(found, BTreeSet::from(rows));
    let like = store.settings_under(&under.replace('-', "_")).await;
    assert_eq!(like.expect("works"), [], "a sign is that sign alone");
    assert_eq!(store.get_setting(&key).await.expect("get"), None);
    for value in ["1", "", "ñ"] {
        store.put_setting(&key, value).await.expect("put");
        assert_eq!(
            store.get_setting(&key).await.expect("get").as_deref(),
            Some(value)
        );
    }
}
