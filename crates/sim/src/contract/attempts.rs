//! The write-ahead attempt.

use super::judges::*;
use super::scene::*;
use domain::entity::{AttemptState, CallResult};
use domain::ids::{AgentId, AttemptId, CampaignId};
use domain::ports::StoreError;
use domain::ports::store::{AttemptChange, AttemptFilter, Closing, OpenOutcome, PageRequest};
use domain::time::{DAY_MS, MINUTE_MS};

/// Runs the group.
pub async fn all(store: Subject) {
    an_opened_attempt_is_whole(&store).await;
    a_refused_attempt_leaves_its_verdict(&store).await;
    the_lease_decides_who_dials(&store).await;
    a_live_attempt_keeps_others_out(&store).await;
    a_fenced_node_opens_nothing(&store).await;
    super::behind::all(&store).await;
    steps_never_go_back(&store).await;
    super::endings::all(&store).await;
    caps_hold_across_campaigns_and_clients(&store).await;
    lists_are_narrowed(&store).await;
    super::past::all(&store).await;
    short_calls_of_a_day_are_counted(&store).await;
}

/// From `NOW` back to a day that no other part of the suite dials on.
const SHORT_BACK_MS: i64 = 500 * DAY_MS;

async fn short_calls_of_a_day_are_counted(store: &Subject) {
    use CallResult as R;
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let begin = NOW.plus_ms(-SHORT_BACK_MS);
    let count = async |until: i64, now: i64| {
        let (until, now) = (begin.plus_ms(until), begin.plus_ms(now));
        let counted = store.short_calls(begin, until, now, 6_000).await;
        let counted = counted.expect("counts");
        (counted.calls, counted.short)
    };
    assert_eq!(count(100, 100_000).await, (0, 0), "a day of its own");
    // Left, answered after a second and over so long after that, as what, with which code.
    for (at, left, lasted, result, code) in [
        (1, true, None, R::NoAnswer, None),
        (2, true, Some(6_000), R::HangupEarly, None),
        (3, true, Some(6_001), R::Human, Some("CD.NP")),
        (4, true, Some(30_000), R::MachineBeep, Some("NC.BZ")),
        (5, true, Some(30_000), R::Human, Some("NC.BZ.DEJADO")),
        (6, true, Some(30_000), R::Abandoned, Some("NC.AD")),
        (7, false, None, R::Cancelled, None),
        (90, true, None, R::Busy, None),
    ] {
        let at = begin.plus_ms(at);
        let attempt = scene.person(store).await.open(store, &lease, at).await;
        let change = AttemptChange {
            invite_at: left.then_some(at),
            answered_at: lasted.map(|_| at.plus_ms(1_000)),
            ..AttemptChange::default()
        };
        let noted = store.note_attempt(attempt.id, &change, &[]).await;
        noted.expect("works");
        let over = at.plus_ms(1_000 + lasted.unwrap_or(0));
        let closing = Closing {
            ended_at: Some(over),
            result: Some(result),
            disposition: code.map(str::to_owned),
            disposed_at: code.map(|_| over),
            ..Closing::default()
        };
        let closed = store.close_attempt(attempt.id, &closing).await;
        assert!(closed.expect("works"));
    }
    assert_eq!(count(50, 100_000).await, (6, 4));
    assert_eq!(count(91, 100_000).await, (7, 5));
    // What is up is short until it has lasted.
    let up = scene.person(store).await;
    let up = up.open(store, &lease, begin.plus_ms(8)).await;
    let change = AttemptChange {
        invite_at: Some(begin.plus_ms(8)),
        answered_at: Some(begin.plus_ms(1_000)),
        ..AttemptChange::default()
    };
    let noted = store.note_attempt(up.id, &change, &[]).await;
    noted.expect("works");
    assert_eq!(count(50, 7_000).await, (7, 5));
    assert_eq!(count(50, 7_001).await, (7, 4));
}

/// An end at `NOW` with a result.
#[must_use]
pub fn ended(result: CallResult) -> Closing {
    Closing {
        ended_at: Some(NOW),
        result: Some(result),
        ..Closing::default()
    }
}

async fn an_opened_attempt_is_whole(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let lease = node(store).await;
    assert_eq!(reserve(store, &campaign, &lease, 1).await.len(), 1);
    let draft = person.draft(&lease, Some(campaign.id), NOW);
    let opened = store.open_attempt(&draft, &Allow).await.expect("open");
    let OpenOutcome::Opened(attempt, verdict) = opened else {
        panic!("expected Opened, got {opened:?}");
    };
    assert_eq!(verdict.id, draft.action.verdict_id);
    let mut want = draft.attempt.clone();
    want.verdict_id = verdict.id;
    want.pack = "suite".into();
    want.pack_version = "1".into();
    assert_eq!(*attempt, want, "the verdict's marks are filled in");
    assert_eq!(store.get_attempt(want.id).await.expect("get"), want);
    assert_eq!(
        store.get_verdict(verdict.id).await.expect("verdict"),
        *verdict
    );
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert_eq!(facts.ledger, vec![draft.ledger.clone()]);
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(events.iter().any(|e| e.event == draft.events[0]));
    let file = store.debtor_file(person.debtor.id).await.expect("file");
    assert_eq!(file.attempts, vec![want]);
    let missing = store.get_attempt(fresh::<AttemptId>()).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("attempt"))),
        "{missing:?}"
    );
}

async fn a_refused_attempt_leaves_its_verdict(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let lease = node(store).await;
    let draft = person.draft(&lease, None, NOW);
    let refused = store.open_attempt(&draft, &Refuse).await.expect("open");
    let OpenOutcome::Refused(verdict) = refused else {
        panic!("expected Refused, got {refused:?}");
    };
    assert_eq!(
        store.get_verdict(verdict.id).await.expect("verdict"),
        *verdict
    );
    assert!(
        store.get_attempt(draft.attempt.id).await.is_err(),
        "no attempt"
    );
    let facts = store
        .contact_facts(person.debtor.id, NOW)
        .await
        .expect("facts");
    assert!(facts.ledger.is_empty(), "nothing counted");
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 1, 10).await.expect("events");
    assert!(
        events.iter().all(|e| e.event != draft.events[0]),
        "nothing told"
    );
}

async fn the_lease_decides_who_dials(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let campaign = scene.campaign(store).await;
    let (one, two) = (node(store).await, node(store).await);
    let busy = |outcome: OpenOutcome| assert!(matches!(outcome, OpenOutcome::Busy), "{outcome:?}");
    let draft = person.draft(&one, Some(campaign.id), NOW);
    busy(store.open_attempt(&draft, &Allow).await.expect("open"));
    assert_eq!(reserve(store, &campaign, &one, 1).await.len(), 1);
    let other = person.draft(&two, Some(campaign.id), NOW);
    busy(store.open_attempt(&other, &Allow).await.expect("open"));
    let by_hand = person.draft(&two, None, NOW);
    busy(store.open_attempt(&by_hand, &Allow).await.expect("open"));
    let mut elsewhere = person.draft(&one, Some(campaign.id), NOW);
    elsewhere.attempt.point_id = scene.person(store).await.point.id;
    elsewhere.action.point_id = Some(elsewhere.attempt.point_id);
    busy(store.open_attempt(&elsewhere, &Allow).await.expect("open"));
    let opened = store.open_attempt(&draft, &Allow).await.expect("open");
    assert!(matches!(opened, OpenOutcome::Opened(..)), "{opened:?}");
    store
        .get_attempt(other.attempt.id)
        .await
        .expect_err("nothing of a busy one is kept");
}

async fn a_live_attempt_keeps_others_out(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let person = ours.person(store).await;
    let mut same = theirs.draft_person();
    same.debtor.person_id = person.debtor.person_id;
    same.store(store).await;
    let mut neighbour = theirs.draft_person();
    neighbour.point.value = person.point.value.clone();
    neighbour.store(store).await;
    let lease = node(store).await;
    let attempt = person.open(store, &lease, NOW).await;
    for other in [&person, &same, &neighbour] {
        let draft = other.draft(&lease, None, NOW);
        let outcome = store.open_attempt(&draft, &Allow).await.expect("open");
        assert!(matches!(outcome, OpenOutcome::Busy), "{outcome:?}");
    }
    assert!(
        store
            .close_attempt(attempt.id, &ended(CallResult::Busy))
            .await
            .expect("close")
    );
    for other in [&person, &same, &neighbour] {
        let attempt = other.open(store, &lease, NOW).await;
        store
            .close_attempt(attempt.id, &ended(CallResult::Busy))
            .await
            .expect("close");
    }
}

async fn a_fenced_node_opens_nothing(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let old = node(store).await;
    store
        .register_node(&old.node, NOW, MINUTE_MS)
        .await
        .expect("restart");
    let result = store
        .open_attempt(&person.draft(&old, None, NOW), &Allow)
        .await;
    assert!(matches!(result, Err(StoreError::Fenced)), "{result:?}");
}

async fn steps_never_go_back(store: &Subject) {
    let person = Scene::new(store).await.person(store).await;
    let lease = node(store).await;
    let mut want = person.open(store, &lease, NOW).await;
    let agent = fresh::<AgentId>();
    let change = AttemptChange {
        state: Some(AttemptState::Answered),
        invite_at: Some(NOW),
        ringing_at: Some(NOW.plus_ms(1)),
        answered_at: Some(NOW.plus_ms(2)),
        agent_id: Some(agent),
        ..AttemptChange::default()
    };
    let told = event("attempt.answered", &format!("attempt:{}", want.id));
    store
        .note_attempt(want.id, &change, std::slice::from_ref(&told))
        .await
        .expect("note");
    let late = AttemptChange {
        state: Some(AttemptState::Sent),
        popped_at: Some(NOW.plus_ms(3)),
        acked_at: Some(NOW.plus_ms(4)),
        bridged_at: Some(NOW.plus_ms(5)),
        identity_at: Some(NOW.plus_ms(6)),
        ..AttemptChange::default()
    };
    store.note_attempt(want.id, &late, &[]).await.expect("note");
    want.state = AttemptState::Answered;
    want.invite_at = Some(NOW);
    want.ringing_at = Some(NOW.plus_ms(1));
    want.answered_at = Some(NOW.plus_ms(2));
    want.popped_at = Some(NOW.plus_ms(3));
    want.acked_at = Some(NOW.plus_ms(4));
    want.bridged_at = Some(NOW.plus_ms(5));
    want.identity_at = Some(NOW.plus_ms(6));
    want.agent_id = Some(agent);
    assert_eq!(store.get_attempt(want.id).await.expect("get"), want);
    store
        .close_attempt(want.id, &ended(CallResult::Human))
        .await
        .expect("close");
    let closed = store.get_attempt(want.id).await.expect("get");
    let word = event("attempt.late", &format!("attempt:{}", want.id));
    store
        .note_attempt(want.id, &change, std::slice::from_ref(&word))
        .await
        .expect("note");
    assert_eq!(
        store.get_attempt(want.id).await.expect("get"),
        closed,
        "a closed attempt stays"
    );
    let tail = store.last_cursor().await.expect("cursor");
    let events = store.events_after(tail - 3, 10).await.expect("events");
    assert!(
        events.iter().any(|e| e.event == word),
        "what is told of it after its end is kept"
    );
    let missing = store.note_attempt(fresh::<AttemptId>(), &change, &[]).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound("attempt"))),
        "{missing:?}"
    );
}

async fn caps_hold_across_campaigns_and_clients(store: &Subject) {
    let (ours, theirs) = (Scene::new(store).await, Scene::new(store).await);
    let here = ours.person(store).await;
    let mut there = theirs.draft_person();
    there.debtor.person_id = here.debtor.person_id;
    there.store(store).await;
    let mut shared = theirs.draft_person();
    shared.point.value = here.point.value.clone();
    shared.store(store).await;
    let lease = node(store).await;
    let second = node(store).await;
    let mut made = 0;
    // Whoever dials, by person or by number: two, not one more.
    for (n, (person, lease)) in [
        (&here, &lease),
        (&there, &second),
        (&here, &second),
        (&there, &lease),
        (&here, &lease),
    ]
    .into_iter()
    .enumerate()
    {
        let at = NOW.plus_ms(i64::try_from(n).expect("small"));
        let draft = person.draft(lease, None, at);
        match store.open_attempt(&draft, &Cap(2)).await.expect("open") {
            OpenOutcome::Opened(attempt, _) => {
                made += 1;
                store
                    .close_attempt(attempt.id, &ended(CallResult::NoAnswer))
                    .await
                    .expect("close");
            }
            OpenOutcome::Refused(verdict) => assert!(verdict.blocked.is_some()),
            OpenOutcome::Busy => panic!("nobody is on the line"),
        }
    }
    assert_eq!(made, 2);
    let draft = shared.draft(&lease, None, NOW.plus_ms(9));
    let outcome = store.open_attempt(&draft, &Cap(1)).await.expect("open");
    assert!(
        matches!(outcome, OpenOutcome::Refused(_)),
        "the number was called: {outcome:?}"
    );
}

async fn lists_are_narrowed(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.person(store).await;
    let lease = node(store).await;
    let mut made = Vec::new();
    for n in 0..3 {
        let attempt = person.open(store, &lease, NOW.plus_ms(n)).await;
        store
            .close_attempt(attempt.id, &ended(CallResult::Busy))
            .await
            .expect("close");
        made.push(attempt.id);
    }
    let of = |since| AttemptFilter {
        client_id: Some(scene.client.id),
        debtor_id: Some(person.debtor.id),
        since,
        ..AttemptFilter::default()
    };
    let mut request = PageRequest {
        limit: 2,
        cursor: None,
    };
    let first = store
        .list_attempts(&of(None), &request)
        .await
        .expect("page");
    request.cursor = first.next_cursor.clone();
    assert!(request.cursor.is_some());
    let second = store
        .list_attempts(&of(None), &request)
        .await
        .expect("page");
    let seen: Vec<AttemptId> = first
        .items
        .iter()
        .chain(&second.items)
        .map(|a| a.id)
        .collect();
    assert_eq!(seen, made);
    assert_eq!(second.next_cursor, None);
    request.cursor = None;
    let late = store
        .list_attempts(&of(Some(NOW.plus_ms(2))), &request)
        .await
        .expect("page");
    assert_eq!(
        late.items.iter().map(|a| a.id).collect::<Vec<_>>(),
        made[2..]
    );
    let other = AttemptFilter {
        campaign_id: Some(fresh::<CampaignId>()),
        ..of(None)
    };
    assert!(
        store
            .list_attempts(&other, &request)
            .await
            .expect("page")
            .items
            .is_empty()
    );
}
