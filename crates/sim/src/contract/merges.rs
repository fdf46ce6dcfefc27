//! Debtor files made one and two again: what restricts contact goes along in both directions, agreed
//! call-backs are kept.

use super::scene::*;
use domain::entity::{
    Hold, HoldKind, HoldScope, InboundCall, InboundOutcome, Merge, Preference, PreferenceKind,
    Suppression, SuppressionKind,
};
use domain::ids::{ImportId, MergeId, PreferenceId, SuppressionId};
use domain::ports::StoreError;
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, DebtorRow, ItemState};
use domain::time::UtcMs;

/// Runs the group.
pub async fn all(store: Subject) {
    duplicates_become_one_and_two_again(&store).await;
    calls_that_came_in_go_with_the_file(&store).await;
    wishes_about_a_shared_number_name_the_one_that_stays(&store).await;
    what_was_asked_meanwhile_binds_both(&store).await;
    an_agreed_call_back_is_made_with_the_file_that_stays(&store).await;
}

const MERGED: UtcMs = NOW.plus_ms(100);
const AFTER: UtcMs = NOW.plus_ms(5_000);
const APART: UtcMs = NOW.plus_ms(9_000);

async fn take(store: &Subject, rows: &[DebtorRow]) -> ImportId {
    let id = fresh::<ImportId>();
    let report = store.import_batch(id, rows, false, &[]).await;
    report.expect("import");
    id
}

/// Two files of one person with one number, and one number that only the second has.
async fn twins(store: &Subject, scene: &Scene) -> (Person, Person) {
    let (a, mut b) = (scene.draft_person(), scene.draft_person());
    b.debtor.person_id = a.debtor.person_id;
    b.debtor.document = a.debtor.document.clone();
    b.point.value = a.point.value.clone();
    take(store, &[a.row(2), b.row(3)]).await;
    (a, b)
}

pub(super) fn merge_row(kept: &Person, gone: &Person) -> Merge {
    Merge {
        id: fresh::<MergeId>(),
        client_id: kept.debtor.client_id,
        kept_id: kept.debtor.id,
        gone_id: gone.debtor.id,
        at: MERGED,
        actor: "system".into(),
        undone_at: None,
        undone_by: None,
        moved: std::collections::BTreeMap::new(),
    }
}

async fn merge(store: &Subject, kept: &Person, gone: &Person) -> Merge {
    let row = merge_row(kept, gone);
    store.merge_debtors(&row, &[]).await.expect("merged")
}

async fn apart(store: &Subject, merge: &Merge) {
    let done = store.undo_merge(merge.id, "user:x", APART, &[]).await;
    done.expect("taken apart");
}

fn hold_on(of: &Person, point: Option<&Person>, from: UtcMs) -> Hold {
    Hold {
        scope: match point {
            Some(_) => HoldScope::Point,
            None => HoldScope::Debtor,
        },
        point_id: point.map(|p| p.point.id),
        from,
        ..of.hold(HoldKind::Dispute)
    }
}

fn not_there(of: &Person, at: UtcMs) -> Preference {
    Preference {
        id: fresh::<PreferenceId>(),
        debtor_id: of.debtor.id,
        kind: PreferenceKind::NotPoint,
        channel: None,
        point_id: Some(of.point.id),
        days: Vec::new(),
        from: None,
        to: None,
        recorded_at: at,
        until: None,
        revoked_at: None,
        proof: "call".into(),
    }
}

async fn wishes_about_a_shared_number_name_the_one_that_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, mut b) = twins(store, &scene).await;
    b.point = store.debtor_file(b.debtor.id).await.expect("file").points[0].clone();
    let (hold, wish) = (hold_on(&b, Some(&b), NOW), not_there(&b, NOW));
    store.put_hold(&hold, &[]).await.expect("hold");
    store.put_preference(&wish, &[]).await.expect("wish");
    b.point.bad = true;
    store.put_point(&b.point, &[]).await.expect("wrong number");
    let merge = merge(store, &a, &b).await;
    let file = store.debtor_file(a.debtor.id).await.expect("file");
    assert_eq!(file.points.len(), 1, "one number, one point");
    assert!(file.points[0].bad, "it is wrong in the one file too");
    let point = Some(file.points[0].id);
    assert_eq!(store.get_hold(hold.id).await.expect("hold").point_id, point);
    let kept = store.get_preference(wish.id).await.expect("wish");
    assert_eq!((kept.debtor_id, kept.point_id), (a.debtor.id, point));
    let facts = store
        .contact_facts(a.debtor.id, AFTER)
        .await
        .expect("facts");
    assert!(facts.holds.iter().any(|h| h.point_id == point));
    // And back.
    apart(store, &merge).await;
    let back = store.get_hold(hold.id).await.expect("hold");
    assert_eq!(
        (back.debtor_id, back.point_id),
        (b.debtor.id, Some(b.point.id))
    );
    let back = store.get_preference(wish.id).await.expect("wish");
    assert_eq!(back.point_id, Some(b.point.id));
}

async fn what_was_asked_meanwhile_binds_both(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = twins(store, &scene).await;
    let older = hold_on(&a, None, NOW);
    store
        .put_hold(&older, &[])
        .await
        .expect("hold of the kept file");
    let merge = merge(store, &a, &b).await;
    let point = store.debtor_file(a.debtor.id).await.expect("file").points[0].id;
    let mut lifted = hold_on(&a, None, AFTER);
    lifted.lifted_at = Some(AFTER);
    let mut wider = not_there(&a, AFTER);
    (wider.kind, wider.point_id) = (PreferenceKind::WiderHours, None);
    store
        .put_hold(&hold_on(&a, None, AFTER), &[])
        .await
        .expect("hold");
    store.put_hold(&lifted, &[]).await.expect("lifted hold");
    let mut wish = not_there(&a, AFTER);
    wish.point_id = Some(point);
    store.put_preference(&wish, &[]).await.expect("wish");
    store
        .put_preference(&wider, &[])
        .await
        .expect("wider hours");
    let listed = Suppression {
        id: fresh::<SuppressionId>(),
        client_id: Some(scene.client.id),
        debtor_id: Some(a.debtor.id),
        kind: SuppressionKind::Person,
        value: a.debtor.person_id.to_string().into(),
        reason: "asked".into(),
        created_at: AFTER,
        lifted_at: None,
    };
    store.put_suppression(&listed, &[]).await.expect("listed");
    apart(store, &merge).await;
    let facts = store
        .contact_facts(b.debtor.id, APART)
        .await
        .expect("facts");
    let own: Vec<&Hold> = facts
        .holds
        .iter()
        .filter(|h| h.debtor_id == b.debtor.id)
        .collect();
    assert_eq!(
        own.len(),
        1,
        "the later hold, neither the lifted nor the older one"
    );
    assert_eq!(own[0].from, AFTER);
    let own = &facts.preferences;
    assert_eq!(own.len(), 1, "the wish, not the wider hours: {own:?}");
    assert!(facts.points.iter().any(|p| Some(p.id) == own[0].point_id));
    let filter = domain::segment::parse("suppressed").expect("a filter");
    let found = store.segment_ids(scene.client.id, &filter, APART).await;
    let mut both = vec![a.debtor.id, b.debtor.id];
    both.sort_unstable();
    assert_eq!(found.expect("ids"), both);
}

async fn an_agreed_call_back_is_made_with_the_file_that_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = twins(store, &scene).await;
    let campaign = scene.campaign(store).await;
    let item = async |of: &Person| -> ItemState {
        let items = store.items_of(of.debtor.id).await.expect("items");
        let own = items.into_iter().find(|i| i.campaign_id == campaign.id);
        own.expect("an item")
    };
    let agreed = ItemState {
        next_at: APART.plus_ms(60_000),
        priority: CALLBACK_PRIORITY,
        note: CallbackRow::note_of(None),
        ..item(&b).await
    };
    store.put_item(&agreed, &[]).await.expect("agreed");
    let merge = merge(store, &a, &b).await;
    let kept = item(&a).await;
    assert_eq!(
        (kept.next_at, kept.priority, kept.note.as_str(), kept.done),
        (agreed.next_at, CALLBACK_PRIORITY, "callback", false)
    );
    let gone = item(&b).await;
    assert_eq!((gone.done, gone.note.as_str()), (true, "merged"));
    apart(store, &merge).await;
    let back = item(&b).await;
    assert_eq!((back.done, back.priority), (false, 0), "it is agreed once");
    assert_eq!(item(&a).await.note, "callback");
}

async fn duplicates_become_one_and_two_again(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, mut b, c) = (
        scene.draft_person(),
        scene.draft_person(),
        scene.draft_person(),
    );
    b.debtor.person_id = a.debtor.person_id;
    b.debtor.document = a.debtor.document.clone();
    let rows = [a.row(2), b.row(3), c.row(4)];
    take(store, &rows).await;
    let portfolio = scene.portfolio.id;
    let found = store.duplicates(portfolio, None, 10).await.expect("found");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].debtors, [a.debtor.id, b.debtor.id]);

    let wrong = merge_row(&a, &c);
    let refused = store.merge_debtors(&wrong, &[]).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let merge = merge_row(&a, &b);
    let done = store.merge_debtors(&merge, &[]).await.expect("merged");
    assert_eq!(done.moved["debts"], [b.debt.id.0]);
    assert_eq!(done.moved["contact_points"].len(), 1);
    let file = store.debtor_file(a.debtor.id).await.expect("file");
    assert_eq!((file.debts.len(), file.points.len()), (2, 2));
    let none = store.duplicates(portfolio, None, 10).await.expect("found");
    assert_eq!(none, []);
    let by_ref = b.debtor.external_ref.clone();
    let found = store.find_debtors(None, &by_ref, 5).await.expect("found");
    assert_eq!(found[0].id, a.debtor.id, "his old key finds the one file");

    // The next file of the client still names both.
    let mut dearer = later(&b, 3);
    dearer.debt.principal_minor += 700;
    let file = [later(&a, 2), dearer];
    let report = store.import_batch(fresh(), &file, false, &[]).await;
    let report = report.expect("import");
    assert_eq!((report.debtors_new, report.debts_changed), (0, 1));
    let debt = store.get_debt(b.debt.id).await.expect("debt");
    assert_eq!(debt.debtor_id, a.debtor.id);

    let at = NOW.plus_ms(9_000);
    let undone = store.undo_merge(merge.id, "user:x", at, &[]).await;
    assert_eq!(undone.expect("undone").undone_at, Some(at));
    let file = store.debtor_file(b.debtor.id).await.expect("file");
    assert_eq!((file.debts.len(), file.points.len()), (1, 1));
    let trail = store.merges_of(a.debtor.id).await.expect("trail");
    assert_eq!(trail[0].undone_by.as_deref(), Some("user:x"));
    let twice = store.undo_merge(merge.id, "user:x", at, &[]).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
}

fn later(of: &Person, line: u64) -> DebtorRow {
    let mut row = of.row(line);
    row.debtor.updated_at = AFTER;
    row.debt.updated_at = AFTER;
    row
}

async fn calls_that_came_in_go_with_the_file(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = twins(store, &scene).await;
    let call = InboundCall {
        id: fresh(),
        client_id: Some(b.debtor.client_id),
        campaign_id: None,
        debtor_id: Some(b.debtor.id),
        trunk_id: fresh(),
        node: "n".into(),
        called: "+525555550199".into(),
        caller: Some(b.point.value.clone()),
        at: NOW,
        answered_at: None,
        ended_at: Some(NOW),
        agent_id: None,
        outcome: InboundOutcome::Closed,
        wait_ms: 0,
        place: None,
    };
    store.put_inbound(&call, &[]).await.expect("works");
    let merge = merge(store, &a, &b).await;
    let whose = async || store.get_inbound(call.id).await.expect("call").debtor_id;
    assert_eq!(whose().await, Some(a.debtor.id));
    apart(store, &merge).await;
    assert_eq!(whose().await, Some(b.debtor.id));
}
