//! Debtor files made one and two again: what restricts contact goes along in both directions, agreed
//! call-backs are kept, and a file that is taken back afterwards leaves whole figures.

mod common;

use domain::entity::{
    DebtStatus, Hold, HoldKind, HoldScope, InboundCall, InboundOutcome, Merge, Preference,
    PreferenceKind, Suppression, SuppressionKind,
};
use domain::ids::{HoldId, ImportId, MergeId, PreferenceId, SuppressionId};
use domain::ports::store::{CALLBACK_PRIORITY, CallbackRow, DebtorRow, ItemState};
use domain::segment::Expr;
use domain::time::UtcMs;
use sim::contract::scene::*;
use std::sync::Arc;

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

async fn merge(store: &Subject, kept: &Person, gone: &Person) -> Merge {
    let row = Merge {
        id: fresh::<MergeId>(),
        client_id: kept.debtor.client_id,
        kept_id: kept.debtor.id,
        gone_id: gone.debtor.id,
        at: MERGED,
        actor: "system".into(),
        undone_at: None,
        undone_by: None,
        moved: std::collections::BTreeMap::new(),
    };
    store.merge_debtors(&row, &[]).await.expect("merged")
}

async fn apart(store: &Subject, merge: &Merge) {
    let done = store.undo_merge(merge.id, "user:x", APART, &[]).await;
    done.expect("taken apart");
}

fn hold_on(of: &Person, point: Option<&Person>, from: UtcMs) -> Hold {
    Hold {
        id: fresh::<HoldId>(),
        client_id: of.debtor.client_id,
        debtor_id: of.debtor.id,
        scope: match point {
            Some(_) => HoldScope::Point,
            None => HoldScope::Debtor,
        },
        debt_id: None,
        point_id: point.map(|p| p.point.id),
        channel: None,
        kind: HoldKind::Dispute,
        from,
        until: None,
        lifted_at: None,
        evidence: "letter".into(),
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

async fn undo(store: &Subject, id: ImportId) {
    while store.undo_step(id, APART).await.expect("undo").more {}
}

fn later(of: &Person, line: u64) -> DebtorRow {
    let mut row = of.row(line);
    row.debtor.updated_at = AFTER;
    row.debt.updated_at = AFTER;
    row
}

async fn a_file_is_taken_back_after_a_merge(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, mut b) = (scene.draft_person(), scene.draft_person());
    b.debtor.person_id = a.debtor.person_id;
    b.debtor.document = a.debtor.document.clone();
    take(store, &[a.row(2), b.row(3)]).await;
    let all = async || {
        let found = store.segment_count(scene.client.id, &Expr::All, NOW).await;
        found.expect("count").balance[0].1
    };
    let before = all().await;
    // The file makes the second dearer, changes his point, brings another debt of his, and a third file of
    // the same person.
    let mut c = scene.draft_person();
    c.debtor.person_id = a.debtor.person_id;
    c.debtor.document = a.debtor.document.clone();
    let mut dearer = later(&b, 2);
    dearer.debt.principal_minor += 70_000;
    dearer.points[0].confidence += 1;
    let mut more = later(&b, 3);
    more.debt = scene.draft_debt(b.debtor.id, 200_000);
    let file = take(store, &[dearer, more.clone(), later(&c, 4)]).await;
    assert!(all().await > before);
    merge(store, &a, &b).await;
    merge(store, &a, &c).await;
    undo(store, file).await;
    assert_eq!(all().await, before, "the figures are those of the debts");
    let one = store.debtor_file(a.debtor.id).await.expect("file");
    let open = one.debts.iter().filter(|d| d.status == DebtStatus::Open);
    let open: Vec<_> = open.map(|d| (d.id, d.balance_minor())).collect();
    assert_eq!(open.len(), 2, "both debts stay in the one file: {open:?}");
    assert!(open.contains(&(b.debt.id, b.debt.balance_minor())));
    let point = one.points.iter().find(|p| p.id == b.point.id);
    let point = point.expect("his number stays in the one file");
    assert_eq!(point.confidence, b.point.confidence);
    assert!(store.get_debt(more.debt.id).await.is_err(), "as before");
    let third = store.get_debt(c.debt.id).await.expect("of a merge");
    assert_eq!(third.status, DebtStatus::Recalled);
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

async fn all(store: Subject) {
    calls_that_came_in_go_with_the_file(&store).await;
    wishes_about_a_shared_number_name_the_one_that_stays(&store).await;
    what_was_asked_meanwhile_binds_both(&store).await;
    an_agreed_call_back_is_made_with_the_file_that_stays(&store).await;
    a_file_is_taken_back_after_a_merge(&store).await;
}

#[tokio::test]
async fn sqlite() {
    let (store, _, _folder) = common::sqlite().await;
    all(Arc::new(store)).await;
}

#[tokio::test]
async fn postgres() {
    if let Some((store, ..)) = common::postgres().await {
        all(Arc::new(store)).await;
    }
}
