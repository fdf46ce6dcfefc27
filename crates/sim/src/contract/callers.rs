//! Callers whom nobody we know is behind: found by what an agent has at hand, and given to whoever they are.

use super::imports::file;
use super::scene::*;
use domain::entity::{
    Attempt, AttemptState, CallResult, ContactPoint, Debtor, Direction, ImportState, InboundCall,
    InboundOutcome, LedgerKind, LedgerRow, Suppression, SuppressionKind,
};
use domain::ids::{DebtorId, PersonId, PointId};
use domain::pii::Pii;
use domain::ports::StoreError;
use domain::ports::store::{Closing, FoundCaller, NodeLease};
use domain::rules::reach::{CALLED_US, Reach, UNTRIED};
use domain::time::UtcMs;

/// Runs the group.
pub async fn all(store: Subject) {
    a_debtor_is_found_by_what_the_caller_says(&store).await;
    a_caller_becomes_who_he_is(&store, true).await;
    a_caller_becomes_who_he_is(&store, false).await;
    who_is_called_elsewhere_is_not_taken(&store).await;
    a_call_is_given_to_one(&store).await;
    who_is_half_in_is_not_taken(&store).await;
    a_debtor_goes_before_the_same_caller_unnamed(&store).await;
    what_a_call_proves_moves_the_number(&store).await;
    a_file_of_nobody_is_written_with_his_call(&store).await;
    a_debtor_goes_before_an_unnamed_caller_who_was_dialed(&store).await;
    super::forgotten::all(&store).await;
}

/// A caller from a number of nobody who calls on `lease` at `at`, not stored yet.
fn unnamed(scene: &Scene, lease: &NodeLease, at: UtcMs) -> (Debtor, ContactPoint, Attempt) {
    let ids: (DebtorId, PersonId) = (fresh(), fresh());
    let debtor = Debtor::stranger(ids, &scene.portfolio, "MX".into(), at);
    let like = scene.draft_person();
    let point = ContactPoint {
        id: fresh::<PointId>(),
        debtor_id: debtor.id,
        source: "called_us".into(),
        confidence: CALLED_US,
        added_at: at,
        ..like.point.clone()
    };
    let attempt = Attempt {
        id: fresh(),
        debtor_id: debtor.id,
        person_id: debtor.person_id,
        debt_id: None,
        debts: Vec::new(),
        point_id: point.id,
        phone: point.value.clone(),
        direction: Direction::Inbound,
        state: AttemptState::Answered,
        answered_at: Some(at),
        ..like.draft(lease, None, at).attempt
    };
    (debtor, point, attempt)
}

/// A caller from a number of nobody, talking on `lease` since `at`.
pub(super) async fn called(
    store: &Subject,
    scene: &Scene,
    lease: &NodeLease,
    at: UtcMs,
) -> (Debtor, ContactPoint, Attempt) {
    let (debtor, point, attempt) = unnamed(scene, lease, at);
    let file = (&debtor, &point);
    let opened = store.open_stranger(file, &attempt, &[]).await;
    assert!(opened.expect("works"));
    let row = InboundCall {
        id: attempt.id,
        client_id: Some(scene.client.id),
        campaign_id: None,
        debtor_id: Some(debtor.id),
        trunk_id: attempt.trunk_id,
        node: lease.node.clone(),
        called: "+525555550199".into(),
        caller: Some(point.value.clone()),
        at,
        answered_at: Some(at),
        ended_at: None,
        agent_id: None,
        outcome: InboundOutcome::Answered,
        wait_ms: 0,
        place: Some(1),
    };
    store.put_inbound(&row, &[]).await.expect("works");
    (debtor, point, attempt)
}

async fn stranger(
    store: &Subject,
    scene: &Scene,
    lease: &NodeLease,
) -> (Debtor, ContactPoint, Attempt) {
    called(store, scene, lease, NOW).await
}

pub(super) fn found(
    person: &Person,
    who: &(Debtor, ContactPoint, Attempt),
    keep: bool,
) -> FoundCaller {
    FoundCaller {
        attempt: who.2.id,
        from: who.0.id,
        to: person.debtor.id,
        person: person.debtor.person_id,
        debt: Some(person.debt.id),
        debts: vec![person.debt.id],
        point: ContactPoint {
            debtor_id: person.debtor.id,
            ..who.1.clone()
        },
        keep,
        at: NOW.plus_ms(9),
    }
}

async fn a_debtor_is_found_by_what_the_caller_says(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut person = scene.person(store).await;
    person.debtor.name = Pii(format!("Zulema {}", name("q")));
    store.put_debtor(&person.debtor, &[]).await.expect("works");
    stranger(store, &scene, &lease).await;
    let client = scene.client.id;
    let full = person.debtor.name.reveal().clone();
    let begins: String = full.to_uppercase().chars().take(20).collect();
    for needle in [
        person.debtor.external_ref.as_str(),
        person.debtor.document.reveal(),
        person.point.value.reveal(),
        full.as_str(),
        begins.as_str(),
        "zul",
    ] {
        let rows = store.find_callers(client, needle, 20).await.expect("works");
        assert_eq!(rows, [person.debtor.clone()], "{needle:?}");
        let other = store.find_callers(fresh(), needle, 20).await;
        assert_eq!(other.expect("works"), [], "of another client nobody");
    }
    for needle in ["zu", "lema", "", "sin identificar", "caller:"] {
        let rows = store.find_callers(client, needle, 20).await.expect("works");
        assert_eq!(rows, [], "{needle:?}");
    }
}

async fn a_caller_becomes_who_he_is(store: &Subject, keep: bool) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    let who = stranger(store, &scene, &lease).await;
    let number = who.1.value.reveal().clone();
    let known = store.known_caller(scene.client.id, &number).await;
    let known = known.expect("works").expect("the file kept for him");
    assert_eq!(known.debtor_id, who.0.id);
    let told = [event("caller.found", &format!("attempt:{}", who.2.id))];
    let taken = store
        .attach_caller(&found(&person, &who, keep), &told)
        .await;
    assert!(taken.expect("works"));

    let attempt = store.get_attempt(who.2.id).await.expect("is there");
    assert_eq!(
        (
            attempt.debtor_id,
            attempt.person_id,
            attempt.debt_id,
            attempt.debts
        ),
        (
            person.debtor.id,
            person.debtor.person_id,
            Some(person.debt.id),
            vec![person.debt.id]
        )
    );
    let row = store.get_inbound(who.2.id).await.expect("is there");
    assert_eq!(row.debtor_id, Some(person.debtor.id));
    let left = store.get_point(who.1.id).await.map(|p| p.debtor_id).ok();
    assert_eq!(left, keep.then_some(person.debtor.id), "kept or gone");
    let known = store.known_caller(scene.client.id, &number).await;
    let known = known.expect("works").map(|k| (k.debtor_id, k.point_id));
    assert_eq!(
        known,
        keep.then_some((person.debtor.id, who.1.id)),
        "keep: {keep}"
    );
    // What is counted of the call is counted for him.
    let kind = LedgerKind::Conversation;
    let talked = LedgerRow::of_attempt(
        &store.get_attempt(who.2.id).await.expect("is there"),
        kind,
        NOW,
    );
    let over = Closing {
        ended_at: Some(NOW.plus_ms(20)),
        result: Some(CallResult::Human),
        ledger: vec![talked.clone()],
        ..Closing::default()
    };
    assert!(store.close_attempt(who.2.id, &over).await.expect("works"));
    let facts = store.contact_facts(person.debtor.id, NOW.plus_ms(20)).await;
    assert_eq!(facts.expect("works").ledger, [talked]);
    let tail = store.last_cursor().await.expect("works");
    let events = store.events_after(tail - 3, 10).await.expect("works");
    assert!(events.iter().any(|e| e.event == told[0]));
}

async fn who_is_called_elsewhere_is_not_taken(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let person = scene.person(store).await;
    let live = person.open(store, &lease, NOW).await;
    let who = stranger(store, &scene, &lease).await;
    let caller = found(&person, &who, true);
    assert!(!store.attach_caller(&caller, &[]).await.expect("works"));
    let attempt = store.get_attempt(who.2.id).await.expect("is there");
    assert_eq!(attempt.debtor_id, who.0.id, "nothing moved");
    let over = Closing {
        ended_at: Some(NOW.plus_ms(2)),
        result: Some(CallResult::NoAnswer),
        ..Closing::default()
    };
    store.close_attempt(live.id, &over).await.expect("works");
    assert!(store.attach_caller(&caller, &[]).await.expect("works"));
}

async fn a_call_is_given_to_one(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let (a, b) = (scene.person(store).await, scene.person(store).await);
    let who = stranger(store, &scene, &lease).await;
    let (for_a, for_b) = (found(&a, &who, true), found(&b, &who, true));
    let (one, other) = tokio::join!(
        store.attach_caller(&for_a, &[]),
        store.attach_caller(&for_b, &[])
    );
    let (his, again, late, lost) = match one {
        Ok(true) => (&a, &for_a, &for_b, other),
        _ => (&b, &for_b, &for_a, one),
    };
    assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
    let late = store.attach_caller(late, &[]).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    // Whose answer was lost asks again; it is told once.
    let told = [event("caller.found", &format!("attempt:{}", who.2.id))];
    assert!(store.attach_caller(again, &told).await.expect("works"));
    let tail = store.last_cursor().await.expect("works");
    let events = store.events_after(tail - 3, 10).await.expect("works");
    assert!(events.iter().all(|e| e.event != told[0]));
    let attempt = store.get_attempt(who.2.id).await.expect("is there");
    assert_eq!(
        (attempt.debtor_id, attempt.person_id, attempt.debt_id),
        (his.debtor.id, his.debtor.person_id, Some(his.debt.id))
    );
    assert_eq!(attempt.debts, [his.debt.id]);
}

async fn who_is_half_in_is_not_taken(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let who = stranger(store, &scene, &lease).await;
    let mut row = file(&scene, ImportState::Accepting);
    store.put_import(&row, &[]).await.expect("file");
    let person = scene.draft_person();
    let rows = [person.row(2)];
    let written = store.import_batch(row.id, &rows, false, &[]);
    assert_eq!(written.await.expect("written").debtors_new, 1);
    let caller = found(&person, &who, true);
    let early = store.attach_caller(&caller, &[]).await;
    assert!(matches!(early, Err(StoreError::NotFound(_))), "{early:?}");
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    assert!(store.attach_caller(&caller, &[]).await.expect("works"));
}

async fn a_debtor_goes_before_the_same_caller_unnamed(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let who = stranger(store, &scene, &lease).await;
    let mut person = scene.draft_person();
    person.point.value = who.1.value.clone();
    person.store(store).await;
    let number = who.1.value.reveal();
    let known = store.known_caller(scene.client.id, number).await;
    let known = known.expect("works").map(|k| (k.debtor_id, k.point_id));
    assert_eq!(known, Some((person.debtor.id, person.point.id)));
}

async fn what_a_call_proves_moves_the_number(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let mut person = scene.draft_person();
    person.point.confidence = UNTRIED;
    person.store(store).await;
    let mut want = UNTRIED;
    for (n, reach) in (0..).zip([
        Reach::Recording,
        Reach::RightPerson,
        Reach::KnownThere,
        Reach::WrongNumber,
    ]) {
        let id = person.open(store, &lease, NOW.plus_ms(n * 10)).await.id;
        let over = Closing {
            ended_at: Some(NOW.plus_ms(n * 10 + 5)),
            result: Some(CallResult::Human),
            reach: Some(reach),
            ..Closing::default()
        };
        assert!(store.close_attempt(id, &over).await.expect("works"));
        // A second telling of the same end proves nothing twice.
        assert!(!store.close_attempt(id, &over).await.expect("works"));
        want = reach.after(want);
        let point = store.get_point(person.point.id).await.expect("works");
        assert_eq!(point.confidence, want, "{reach}");
    }
}

/// Nothing is kept of him where his call is not opened, and the law is asked without that.
async fn a_file_of_nobody_is_written_with_his_call(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let (debtor, point, attempt) = unnamed(&scene, &lease, NOW);
    let row = Suppression {
        id: fresh(),
        client_id: Some(scene.client.id),
        debtor_id: None,
        kind: SuppressionKind::Phone,
        value: point.value.clone(),
        reason: "optout".into(),
        created_at: NOW,
        lifted_at: None,
    };
    store.put_suppression(&row, &[]).await.expect("works");
    let facts = store.stranger_facts(&debtor, &point, NOW).await;
    let facts = facts.expect("works");
    assert_eq!(facts.points, std::slice::from_ref(&point));
    assert_eq!(facts.suppressions, [row], "his number is listed");
    assert_eq!(facts.portfolio, scene.portfolio);
    let stays_out = async || {
        let file = store.get_debtor(debtor.id).await;
        assert!(matches!(file, Err(StoreError::NotFound(_))), "{file:?}");
        let left = store.get_point(point.id).await;
        assert!(matches!(left, Err(StoreError::NotFound(_))), "{left:?}");
    };
    stays_out().await;
    // His number is on another call.
    let mut person = scene.draft_person();
    person.point.value = point.value.clone();
    person.store(store).await;
    let live = person.open(store, &lease, NOW).await;
    let file = (&debtor, &point);
    assert!(
        !store
            .open_stranger(file, &attempt, &[])
            .await
            .expect("works")
    );
    stays_out().await;
    let over = Closing {
        ended_at: Some(NOW.plus_ms(2)),
        result: Some(CallResult::NoAnswer),
        ..Closing::default()
    };
    store.close_attempt(live.id, &over).await.expect("works");
    assert!(
        store
            .open_stranger(file, &attempt, &[])
            .await
            .expect("works")
    );
    assert_eq!(store.get_debtor(debtor.id).await.expect("is there"), debtor);
    assert_eq!(
        store.get_attempt(attempt.id).await.expect("opened"),
        attempt
    );
}

async fn a_debtor_goes_before_an_unnamed_caller_who_was_dialed(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let who = stranger(store, &scene, &lease).await;
    let tried = LedgerRow::of_attempt(&who.2, LedgerKind::Attempt, NOW);
    let over = Closing {
        ended_at: Some(NOW.plus_ms(2)),
        result: Some(CallResult::NoAnswer),
        ledger: vec![tried],
        ..Closing::default()
    };
    store.close_attempt(who.2.id, &over).await.expect("works");
    let number = who.1.value.reveal();
    let known = async || {
        let known = store.known_caller(scene.client.id, number).await;
        known.expect("works").map(|k| k.debtor_id)
    };
    assert_eq!(known().await, Some(who.0.id), "nobody else has it");
    let mut person = scene.draft_person();
    person.point.value = who.1.value.clone();
    person.store(store).await;
    assert_eq!(known().await, Some(person.debtor.id));
}
