//! A file that is taken back after debtor files were made one leaves whole figures, and what was learned
//! meanwhile of numbers and addresses.

mod common;

use domain::entity::{Address, AttemptState, CallResult, DebtStatus, Merge};
use domain::ids::{ImportId, MergeId};
use domain::ports::store::{AttemptChange, Closing, DebtorRow};
use domain::rules::reach::Reach;
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

fn address(of: &Person) -> Address {
    Address {
        id: fresh(),
        client_id: of.debtor.client_id,
        debtor_id: of.debtor.id,
        street: "Calle 1".into(),
        city: "Tijuana".into(),
        region: "BC".into(),
        postcode: "22000".into(),
        country: "MX".into(),
        zone: None,
        source: "import".into(),
        bad: false,
        added_at: AFTER,
        confirmed_at: AFTER,
    }
}

async fn answered(store: &Subject, person: &Person, reach: Reach) {
    let lease = node(store).await;
    let id = person.open(store, &lease, AFTER.plus_ms(10)).await.id;
    let change = AttemptChange {
        state: Some(AttemptState::Answered),
        answered_at: Some(AFTER.plus_ms(20)),
        ..AttemptChange::default()
    };
    store.note_attempt(id, &change, &[]).await.expect("noted");
    let over = Closing {
        ended_at: Some(AFTER.plus_ms(30)),
        result: Some(CallResult::Human),
        reach: Some(reach),
        ..Closing::default()
    };
    assert!(store.close_attempt(id, &over).await.expect("closed"));
}

async fn what_was_learned_since_the_file_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let (called, quiet) = (scene.draft_person(), scene.draft_person());
    take(store, &[called.row(2), quiet.row(3)]).await;
    let mut rows = [later(&called, 2), later(&quiet, 3)];
    for (row, of) in rows.iter_mut().zip([&called, &quiet]) {
        row.points[0].confidence = 60;
        row.address = Some(address(of));
    }
    let file = take(store, &rows).await;
    answered(store, &called, Reach::KnownThere).await;
    let right = Address {
        street: "Calle 1 bis".into(),
        confirmed_at: AFTER.plus_ms(40),
        ..rows[0].address.clone().expect("said")
    };
    store.put_address(&right, &[]).await.expect("put right");
    undo(store, file).await;
    let sure = async |of: &Person| {
        let point = store.get_point(of.point.id).await.expect("point");
        point.confidence
    };
    assert_eq!(sure(&called).await, Reach::KnownThere.after(60));
    assert_eq!(sure(&quiet).await, quiet.point.confidence);
    let known = store.addresses_of(called.debtor.id).await.expect("his");
    assert_eq!(known, [right]);
    let none = store.addresses_of(quiet.debtor.id).await.expect("his");
    assert_eq!(none, []);
}

async fn all(store: Subject) {
    a_file_is_taken_back_after_a_merge(&store).await;
    what_was_learned_since_the_file_stays(&store).await;
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
