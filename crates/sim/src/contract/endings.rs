//! The end of an attempt and what it leaves behind.

use super::attempts::ended;
use super::judges::*;
use super::scene::*;
use domain::entity::{
    AttemptState, CallResult, CampaignStatus, DialMode, Hold, HoldKind, LedgerKind, LedgerRow,
    Promise, Recording, RecordingOutcome, Suppression, SuppressionKind,
};
use domain::ids::{AttemptId, CampaignId, DebtId, LedgerId, RecordingId, SuppressionId};
use domain::ports::StoreError;
use domain::ports::store::{AttemptChange, Closing, OpenOutcome, PromiseTerms};
use domain::time::{HOUR_MS, MINUTE_MS, UtcMs};

/// Runs the group.
pub(super) async fn all(store: &Subject) {
    the_first_end_stays(store).await;
    a_late_disposition_frees_nobody(store).await;
    an_end_leaves_its_traces(store).await;
    what_follows_the_end_is_kept(store).await;
    a_stopped_campaign_dials_nobody(store).await;
    a_promise_stands_or_falls_with_its_disposition(store).await;
    recordings_are_opened(store).await;
    abandonment_is_counted(store).await;
    answers_are_told_by_slot(store).await;
}

async fn the_first_end_stays(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let id = person.open(store, &lease, NOW).await.id;
    let mut first = ended(CallResult::Human);
    first.sip_code = Some(200);
    first.q850 = Some(16);
    assert!(store.close_attempt(id, &first).await.expect("close"));
    let again = ended(CallResult::Busy);
    assert!(
        !store.close_attempt(id, &again).await.expect("close"),
        "a repeat is ignored"
    );
    let disposed = Closing {
        disposition: Some("CD.PP".into()),
        note: Some("pagará el viernes".into()),
        disposed_at: Some(NOW.plus_ms(9)),
        ..Closing::default()
    };
    assert!(store.close_attempt(id, &disposed).await.expect("dispose"));
    let mut second = disposed.clone();
    second.disposition = Some("CD.NP".into());
    assert!(!store.close_attempt(id, &second).await.expect("dispose"));
    let row = store.get_attempt(id).await.expect("get");
    assert_eq!(row.state, AttemptState::Ended);
    assert_eq!(row.result, Some(CallResult::Human));
    assert_eq!((row.sip_code, row.q850), (Some(200), Some(16)));
    assert_eq!(row.disposition.as_deref(), Some("CD.PP"));
    assert_eq!(row.note, Some("pagará el viernes".into()));
    assert_eq!(
        (row.ended_at, row.disposed_at),
        (Some(NOW), Some(NOW.plus_ms(9)))
    );
    let missing = store.close_attempt(fresh::<AttemptId>(), &first).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("attempt"))),
        "{missing:?}"
    );
}

async fn a_late_disposition_frees_nobody(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let (first, second) = (scene.campaign(store).await, scene.campaign(store).await);
    let lease = node(store).await;
    let held = reserve(store, &first, &lease, 1).await;
    let draft = person.draft(&lease, Some(first.id), NOW);
    store.open_attempt(&draft, &Allow).await.expect("open");
    let mut item = held[0].item.clone();
    item.next_at = NOW.plus_ms(HOUR_MS);
    let end = Closing {
        item: Some(item.clone()),
        ..ended(CallResult::Human)
    };
    let id = draft.attempt.id;
    assert!(store.close_attempt(id, &end).await.expect("end"));
    // While the agent writes his disposition the other campaign of the same node takes the debtor.
    let next = reserve(store, &second, &lease, 5).await;
    assert_eq!(next.len(), 1, "he is free since the end");
    let disposed = Closing {
        disposition: Some("CD.NP".into()),
        disposed_at: Some(NOW.plus_ms(9)),
        item: Some(item),
        ..Closing::default()
    };
    assert!(store.close_attempt(id, &disposed).await.expect("disposed"));
    let again = reserve(store, &second, &lease, 5).await;
    assert!(
        again.is_empty(),
        "he waits in a hopper and is given out again"
    );
}

/// What a wrong number leaves: a bad point, a hold, a listed number, a counted row.
fn traces(person: &Person, attempt: AttemptId) -> Closing {
    let draft_row = |kind| domain::entity::LedgerRow {
        id: fresh::<LedgerId>(),
        kind,
        at: NOW.plus_ms(1),
        attempt_id: Some(attempt),
        ..person
            .draft(
                &domain::ports::store::NodeLease {
                    node: String::new(),
                    fence: 0,
                    until: NOW,
                },
                None,
                NOW,
            )
            .ledger
    };
    Closing {
        ledger: vec![draft_row(LedgerKind::Conversation)],
        reached_network: Some(false),
        holds: vec![Hold {
            evidence: format!("attempt:{attempt}"),
            ..person.hold(HoldKind::Cease)
        }],
        suppressions: vec![Suppression {
            id: fresh::<SuppressionId>(),
            client_id: None,
            debtor_id: Some(person.debtor.id),
            kind: SuppressionKind::Phone,
            value: person.point.value.clone(),
            reason: "wrong_number".into(),
            created_at: NOW,
            lifted_at: None,
        }],
        point_bad: true,
        point_rpc_at: Some(NOW),
        events: vec![event("attempt.ended", &format!("attempt:{attempt}"))],
        ..ended(CallResult::Human)
    }
}

async fn an_end_leaves_its_traces(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    let held = reserve(store, &campaign, &lease, 1).await;
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    store.open_attempt(&draft, &Allow).await.expect("open");
    let mut closing = traces(&person, draft.attempt.id);
    let mut item = held[0].item.clone();
    item.attempts = 1;
    item.last_result = Some(CallResult::Human);
    item.next_at = NOW;
    closing.item = Some(item.clone());
    assert!(
        store
            .close_attempt(draft.attempt.id, &closing)
            .await
            .expect("close")
    );
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.holds, closing.holds);
    assert_eq!(facts.suppressions, closing.suppressions);
    assert!(facts.points[0].bad);
    assert_eq!(facts.points[0].last_rpc_at, Some(NOW));
    let mut ledger = facts.ledger;
    ledger.sort_by_key(|r| (r.at, r.id));
    let mut own = draft.ledger;
    own.reached_network = Some(false);
    assert_eq!(
        ledger,
        vec![own, closing.ledger[0].clone()],
        "settled, and only its own row"
    );
    assert_eq!(
        store.items_of(person.debtor.id).await.expect("items"),
        vec![item.clone()]
    );
    let again = reserve(store, &campaign, &lease, 1).await;
    assert_eq!(
        ids(&again),
        vec![person.debtor.id],
        "the lease was given back"
    );
    assert_eq!(again[0].item, item);
    // A later call without contact does not forget the last right-party contact.
    store.release_all(&lease.node, None).await.expect("release");
    let id = person.open(store, &lease, NOW.plus_ms(5)).await.id;
    store
        .close_attempt(id, &ended(CallResult::Busy))
        .await
        .expect("close");
    let point = store.get_point(person.point.id).await.expect("point");
    assert_eq!((point.bad, point.last_rpc_at), (true, Some(NOW)));
}

/// Identity is ticked in the wrap-up: its instant, its conversation and its event are kept.
async fn what_follows_the_end_is_kept(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    let closed = store
        .close_attempt(attempt.id, &ended(CallResult::Human))
        .await;
    assert!(closed.expect("close"));
    let at = NOW.plus_ms(3_000);
    let row = LedgerRow::of_attempt(&attempt, LedgerKind::Conversation, at);
    let told = [event(
        "identity.verified",
        &format!("attempt:{}", attempt.id),
    )];
    let change = AttemptChange {
        state: Some(AttemptState::Answered),
        answered_at: Some(at),
        identity_at: Some(at),
        ledger: vec![row.clone()],
        ..AttemptChange::default()
    };
    for _ in 0..2 {
        let noted = store.note_attempt(attempt.id, &change, &told).await;
        noted.expect("note");
    }
    let stored = store.get_attempt(attempt.id).await.expect("get");
    assert_eq!(stored.identity_at, Some(at));
    assert_eq!(
        (stored.state, stored.answered_at),
        (AttemptState::Ended, None),
        "what the end said stays"
    );
    let facts = store.contact_facts(person.debtor.id, at).await;
    let ledger = facts.expect("facts").ledger;
    assert_eq!(ledger.iter().filter(|r| **r == row).count(), 1, "once");
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 3, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == told[0]));
}

/// Another node stopped it: nothing is reserved, and what was reserved is not dialed.
async fn a_stopped_campaign_dials_nobody(store: &Subject) {
    let scene = Scene::new(store).await;
    let (first, second) = (scene.person(store).await, scene.person(store).await);
    let mut campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 1).await.len(), 1);
    let running = campaign.clone();
    campaign.status = CampaignStatus::Paused;
    store.put_campaign(&campaign, &[]).await.expect("paused");
    assert!(reserve(store, &running, &lease, 1).await.is_empty());
    let draft = first.draft(&lease, Some(campaign.id), NOW);
    let opened = store.open_attempt(&draft, &Allow).await.expect("open");
    assert!(matches!(opened, OpenOutcome::Busy), "{opened:?}");
    // A person may still dial by hand.
    let mut by_hand = second.draft(&lease, Some(campaign.id), NOW);
    by_hand.attempt.mode = DialMode::Manual;
    by_hand.attempt.agent_reserved = true;
    let opened = store.open_attempt(&by_hand, &Allow).await.expect("open");
    assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
}

async fn a_promise_stands_or_falls_with_its_disposition(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let id = person.open(store, &lease, NOW).await.id;
    let closed = store.close_attempt(id, &ended(CallResult::Human)).await;
    assert!(closed.expect("close"));
    let terms = PromiseTerms {
        min_minor: 10_000,
        max_minor: 100_000,
    };
    let disposed = |promise: Promise| Closing {
        disposition: Some("CD.PP".into()),
        disposed_at: Some(NOW),
        promise: Some((promise, terms)),
        ..Closing::default()
    };
    let active = || store.active_promises(person.debtor.id);
    let closing = disposed(person.promise(9_999));
    let small = store.close_attempt(id, &closing).await;
    assert!(matches!(small, Err(StoreError::Conflict(_))), "{small:?}");
    let row = store.get_attempt(id).await.expect("get");
    assert_eq!(row.disposition, None, "nothing half-stored");
    assert!(active().await.expect("active").is_empty());
    let made = person.promise(20_000);
    let done = store.close_attempt(id, &disposed(made.clone())).await;
    assert!(done.expect("disposed"));
    assert_eq!(active().await.expect("active"), vec![made.clone()]);
    // The disposition is there: a second one brings no second promise.
    let mut elsewhere = person.promise(30_000);
    elsewhere.debt_id = fresh::<DebtId>();
    let again = store.close_attempt(id, &disposed(elsewhere)).await;
    assert!(!again.expect("a repeat"));
    assert_eq!(active().await.expect("active"), vec![made]);
}

async fn recordings_are_opened(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    let recording = Recording {
        id: fresh::<RecordingId>(),
        attempt_id: attempt.id,
        client_id: scene.client.id,
        key: "2026/11/23/b.wav".into(),
        outcome: RecordingOutcome::Open,
        sha256: None,
        duration_ms: 0,
        bytes: 0,
        gaps: vec![],
        started_at: NOW,
        sealed_at: None,
    };
    let told = [event(
        "recording.opened",
        &format!("recording:{}", recording.id),
    )];
    store.open_recording(&recording, &told).await.expect("open");
    assert_eq!(
        store.get_recording(recording.id).await.expect("get"),
        recording
    );
    let row = store.get_attempt(attempt.id).await.expect("attempt");
    assert_eq!(row.recording_id, Some(recording.id));
}

async fn abandonment_is_counted(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let campaign = fresh::<CampaignId>();
    for (n, (result, answered, bridged)) in [
        (CallResult::Abandoned, true, false),
        (CallResult::Human, true, true),
        (CallResult::Human, true, true),
        (CallResult::Busy, false, false),
        (CallResult::DeadAir, true, false),
    ]
    .into_iter()
    .enumerate()
    {
        let person = scene.person(store).await;
        let at = NOW.plus_ms(i64::try_from(n).expect("small"));
        let mut draft = person.draft(&lease, Some(campaign), at);
        draft.attempt.agent_reserved = true;
        store.open_attempt(&draft, &Allow).await.expect("open");
        let change = AttemptChange {
            answered_at: answered.then_some(at),
            bridged_at: bridged.then_some(at),
            ..AttemptChange::default()
        };
        store
            .note_attempt(draft.attempt.id, &change, &[])
            .await
            .expect("note");
        store
            .close_attempt(draft.attempt.id, &ended(result))
            .await
            .expect("close");
    }
    let client = Some(scene.client.id);
    for (campaign, client, since, want) in [
        (Some(campaign), None, NOW, (1, 2)),
        (None, client, NOW, (1, 2)),
        (Some(campaign), client, NOW.plus_ms(1), (0, 2)),
        (Some(campaign), None, NOW.plus_ms(3), (0, 0)),
        (Some(fresh::<CampaignId>()), None, NOW, (0, 0)),
    ] {
        let got = store
            .abandonment(campaign, client, since)
            .await
            .expect("counts");
        assert_eq!(got, want, "since {since}");
    }
}

/// What the guard folds: by minute where it matters, by hour before, machines and lost fates apart.
async fn answers_are_told_by_slot(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let campaign = fresh::<CampaignId>();
    let hour = UtcMs(NOW.0.div_euclid(HOUR_MS) * HOUR_MS);
    let (fine, coarse) = (hour.plus_ms(5 * MINUTE_MS), hour.plus_ms(-HOUR_MS));
    for (result, at, bridged, code) in [
        (CallResult::Abandoned, fine, false, None),
        (CallResult::Human, fine.plus_ms(30_000), true, Some("CD.PP")),
        (CallResult::Human, fine.plus_ms(59_999), true, Some("NC.BZ")),
        (CallResult::Human, fine.plus_ms(MINUTE_MS), true, None),
        (CallResult::Unknown, coarse.plus_ms(1), false, None),
        (CallResult::Unknown, coarse.plus_ms(2), true, None),
        (CallResult::HangupEarly, coarse.plus_ms(3), false, None),
        (
            CallResult::Abandoned,
            coarse.plus_ms(-2 * HOUR_MS),
            false,
            None,
        ),
    ] {
        let person = scene.person(store).await;
        let mut draft = person.draft(&lease, Some(campaign), NOW);
        // Calls by hand need no lease on the debtor.
        draft.attempt.agent_reserved = true;
        store.open_attempt(&draft, &Allow).await.expect("open");
        let change = AttemptChange {
            answered_at: Some(at),
            bridged_at: bridged.then_some(at),
            ..AttemptChange::default()
        };
        let id = draft.attempt.id;
        store.note_attempt(id, &change, &[]).await.expect("note");
        let mut closing = ended(result);
        closing.disposition = code.map(str::to_owned);
        store.close_attempt(id, &closing).await.expect("close");
    }
    let told = store
        .answers(coarse.plus_ms(-HOUR_MS), hour.plus_ms(7))
        .await
        .expect("answers");
    let ours: Vec<_> = told
        .iter()
        .filter(|slot| slot.campaign_id == Some(campaign))
        .map(|s| (s.from, s.width_ms, s.abandoned, s.handled, s.machines))
        .collect();
    assert_eq!(
        ours,
        [
            (coarse, HOUR_MS, 1, 1, 0),
            (fine, MINUTE_MS, 1, 1, 1),
            (fine.plus_ms(MINUTE_MS), MINUTE_MS, 0, 1, 0),
        ]
    );
}
