//! A file can be taken back: what it made goes, what it changed is as before, what was done meanwhile stays.

#[path = "../common/mod.rs"]
mod common;
mod consents;
mod due_items;
mod interest;
mod many;

use domain::entity::{
    DebtStatus, Import, ImportMap, ImportState, InboundCall, InboundOutcome, Placement, PlanState,
    import_map_id,
};
use domain::ids::{DebtorId, ImportId, PlacementId};
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport, PageRequest, RETURNED};
use domain::segment::Expr;
use sim::contract::imports::file;
use sim::contract::plans::agreed;
use sim::contract::scene::*;
use std::sync::Arc;

async fn take(store: &Subject, rows: &[DebtorRow]) -> (ImportId, ImportReport) {
    let id = fresh::<ImportId>();
    let report = store.import_batch(id, rows, false, &[]).await;
    (id, report.expect("import"))
}

async fn undo(store: &Subject, id: ImportId) -> (u64, u64) {
    let (mut undone, mut kept) = (0, 0);
    loop {
        let step = store.undo_step(id, NOW.plus_ms(5_000)).await.expect("undo");
        undone += step.undone;
        kept += step.kept;
        if !step.more {
            return (undone, kept);
        }
    }
}

fn later(row: &DebtorRow) -> DebtorRow {
    let mut row = row.clone();
    row.debtor.updated_at = NOW.plus_ms(1_000);
    row.debt.updated_at = NOW.plus_ms(1_000);
    row
}

async fn deeds_stay(store: &Subject) {
    let scene = Scene::new(store).await;
    let lease = node(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    let (called, quiet) = (scene.draft_person(), scene.draft_person());
    let rows = [a.row(2), b.row(3)];
    take(store, &rows).await;
    let before = store
        .segment_count(scene.client.id, &Expr::All, NOW)
        .await
        .expect("count");
    let mut dearer = later(&rows[0]);
    dearer.debt.principal_minor += 50_000;
    let file = [
        dearer,
        later(&rows[1]),
        later(&called.row(4)),
        later(&quiet.row(5)),
    ];
    let (id, report) = take(store, &file).await;
    assert_eq!(
        (report.debtors_new, report.debts_changed, report.unchanged),
        (2, 1, 1)
    );
    assert_eq!(report.fields.get("debt.principal"), Some(&1));
    assert_eq!(report.changes[0].before, a.debt.principal_minor.to_string());
    let attempt = called.open(store, &lease, NOW.plus_ms(2_000)).await;
    let mut payment = a.payment(1_000);
    payment.posted_at = NOW.plus_ms(3_000);
    store
        .post_payment(&payment, &[], &of_promise)
        .await
        .expect("paid");

    let (undone, kept) = undo(store, id).await;
    assert_eq!((undone, kept), (3, 1), "the called one stays");
    let debt = store.get_debt(a.debt.id).await.expect("debt");
    let owed = a.debt.balance_minor() - 1_000;
    assert_eq!(debt.balance_minor(), owed, "as before, less what was paid");
    let gone = store.get_debtor(quiet.debtor.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    let kept = store.get_debt(called.debt.id).await.expect("stays");
    assert_eq!(kept.status, DebtStatus::Recalled);
    assert!(store.get_attempt(attempt.id).await.is_ok());
    let after = store
        .segment_count(scene.client.id, &Expr::All, NOW)
        .await
        .expect("count");
    assert_eq!(
        after.debtors,
        before.debtors + 1,
        "the called one has no open debt"
    );
    assert_eq!(after.balance[0].1, before.balance[0].1 - 1_000);
    assert_eq!(
        undo(store, id).await,
        (0, 0),
        "nothing is left to take back"
    );
}

/// A file came, money came, and only then was the file written: taken back, the money counts once.
async fn money_before_a_file_is_written_counts_once(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    take(store, &[a.row(2), b.row(3)]).await;
    let paid = async |of: &Person, at: i64| {
        let mut payment = of.payment(1_000);
        payment.posted_at = NOW.plus_ms(at);
        let done = store.post_payment(&payment, &[], &of_promise).await;
        done.expect("paid");
    };
    for person in [&a, &b] {
        paid(person, 3_000).await;
    }
    let mut dearer = later(&a.row(2));
    dearer.debt.principal_minor += 50_000;
    let (id, report) = take(store, &[dearer]).await;
    assert_eq!(report.debts_changed, 1);
    let at = NOW.plus_ms(3_500);
    let recalled = store.recall_debts(id, &[b.debt.id], at).await;
    assert_eq!(recalled.expect("recalled"), 1);
    paid(&a, 4_000).await;
    undo(store, id).await;
    for (person, payments) in [(&a, 2), (&b, 1)] {
        let debt = store.get_debt(person.debt.id).await.expect("debt");
        let owed = person.debt.balance_minor() - 1_000 * payments;
        assert_eq!(debt.balance_minor(), owed, "each payment once");
    }
}

/// A report on a list is made of whom the file made or changed, line by line; of a long one only some are read.
async fn a_report_asks_about_those_of_the_file(store: &Subject) {
    let scene = Scene::new(store).await;
    let before = scene.draft_person();
    take(store, &[before.row(2)]).await;
    let people: Vec<Person> = (0..10).map(|_| scene.draft_person()).collect();
    let rows: Vec<DebtorRow> = (11..).zip(&people).map(|(n, p)| p.row(n)).collect();
    let (id, _) = take(store, &rows).await;
    let recalled = store.recall_debts(id, &[before.debt.id], NOW).await;
    assert_eq!(recalled.expect("recalled"), 1);
    let asked = async |every: u64, most: u32| {
        let facts = store
            .import_facts(id, every, most, NOW)
            .await
            .expect("facts");
        let mut ids: Vec<DebtorId> = facts.iter().map(|f| f.debtor.id).collect();
        ids.sort_unstable();
        ids
    };
    let of = |lines: &[usize]| {
        let mut ids: Vec<DebtorId> = lines.iter().map(|n| people[n - 11].debtor.id).collect();
        ids.sort_unstable();
        ids
    };
    let all: Vec<usize> = (11..21).collect();
    assert_eq!(asked(1, 100).await, of(&all), "not who was recalled");
    assert_eq!(asked(5, 100).await, of(&[15, 20]));
    assert_eq!(asked(1, 3).await.len(), 3);
}

async fn recalls_are_taken_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    take(store, &[a.row(2), b.row(3)]).await;
    let campaign = scene.campaign(store).await;
    let item = async || {
        let items = store.items_of(b.debtor.id).await.expect("items");
        (items[0].done, items[0].note.clone())
    };
    let (id, _) = take(store, &[later(&a.row(2))]).await;
    let open = store
        .open_debts(scene.portfolio.id, "", 10)
        .await
        .expect("open");
    assert_eq!(open.len(), 2);
    let recalled = store.recall_debts(id, &[b.debt.id], NOW).await;
    assert_eq!(recalled.expect("recalled"), 1);
    let debt = store.get_debt(b.debt.id).await.expect("debt");
    assert_eq!(debt.status, DebtStatus::Recalled);
    assert_eq!(item().await, (true, "recalled".to_owned()));
    undo(store, id).await;
    let debt = store.get_debt(b.debt.id).await.expect("debt");
    assert_eq!(debt.status, DebtStatus::Open);
    refill(store, &campaign).await;
    assert_eq!(item().await, (false, RETURNED.to_owned()), "called again");
}

async fn who_called_in_stays(store: &Subject) {
    let scene = Scene::new(store).await;
    let (heard, quiet) = (scene.draft_person(), scene.draft_person());
    let (id, _) = take(store, &[heard.row(2), quiet.row(3)]).await;
    let call = InboundCall {
        id: fresh(),
        client_id: Some(scene.client.id),
        campaign_id: None,
        debtor_id: Some(heard.debtor.id),
        trunk_id: fresh(),
        node: "n".into(),
        called: "+525555550199".into(),
        caller: Some(heard.point.value.clone()),
        at: NOW,
        answered_at: None,
        ended_at: Some(NOW),
        agent_id: None,
        outcome: InboundOutcome::Closed,
        wait_ms: 0,
        place: None,
    };
    store.put_inbound(&call, &[]).await.expect("a call");
    assert_eq!(undo(store, id).await, (2, 1));
    let kept = store.get_debt(heard.debt.id).await.expect("stays");
    assert_eq!(kept.status, DebtStatus::Recalled);
    let of = store.get_inbound(call.id).await.expect("call").debtor_id;
    assert_eq!(of, Some(heard.debtor.id));
    let gone = store.get_debtor(quiet.debtor.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}

async fn a_debt_that_became_a_new_debtors_goes_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    take(store, &[a.row(2)]).await;
    let owner = async || {
        let debt = store.get_debt(a.debt.id).await.expect("debt");
        debt.debtor_id
    };
    // The client says that another owes it, whom nobody knew.
    let mut moved = later(&b.row(2));
    moved.debt = a.debt.clone();
    let (id, report) = take(store, &[moved.clone()]).await;
    assert_eq!((report.debtors_new, report.debts_changed), (1, 1));
    assert_eq!(owner().await, b.debtor.id);
    undo(store, id).await;
    assert_eq!(owner().await, a.debtor.id);
    let gone = store.get_debtor(b.debtor.id).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    // The same of a kept file, whose first rows wait until it is in, and are taken back first.
    let mut file = file_of(&scene);
    (file.state, file.bytes) = (ImportState::Accepting, 7);
    store.put_import(&file, &[]).await.expect("file");
    let taken = store.take_rows(file.id, &[moved, later(&b.row(3))]).await;
    taken.expect("taken");
    store.settle_rows(file.id).await.expect("durable");
    assert_eq!(owner().await, a.debtor.id, "not yet");
    file = store.get_import(file.id).await.expect("file");
    file.state = ImportState::Accepted;
    store.put_import(&file, &[]).await.expect("accepted");
    assert_eq!(owner().await, b.debtor.id);
    undo(store, file.id).await;
    assert_eq!(owner().await, a.debtor.id);
}

/// A plan was paid and forgave the rest before the file; after it the money went back and the plan lives
/// again: what it forgave is owed with the file and without it.
async fn a_quita_that_is_owed_again_stays_so(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.draft_person();
    take(store, &[person.row(2)]).await;
    let file = agreed(&person, 20_000);
    let drawn = store.draw_plan(&file, &[]).await.expect("asked");
    assert_eq!(drawn, Ok(()));
    let mut signed = file.plan.clone();
    (signed.state, signed.signed_at) = (PlanState::Signed, Some(NOW));
    let moved = store.move_plan(&signed, PlanState::Approved, &[]).await;
    assert!(moved.expect("signed"));
    let payment = person.payment(80_000);
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    assert!(paid.expect("paid").debt_paid);
    let mut row = later(&person.row(2));
    row.debt.product = "loan".into();
    (row.debt.principal_minor, row.debt.overdue_minor) = (0, 0);
    (row.debt.interest_minor, row.debt.fees_minor) = (0, 0);
    let (id, report) = take(store, &[row]).await;
    assert_eq!(report.debts_changed, 1);
    let mut back = person.payment(-80_000);
    back.reverses = Some(payment.id);
    back.posted_at = NOW.plus_ms(2_000);
    let posted = store.post_payment(&back, &[], &of_promise).await;
    assert_eq!(posted.expect("back").balance_minor, 100_000);
    undo(store, id).await;
    let stored = store.get_debt(person.debt.id).await.expect("debt");
    assert_eq!(
        (stored.status, stored.balance_minor(), stored.overdue_minor),
        (
            DebtStatus::Open,
            person.debt.balance_minor(),
            person.debt.overdue_minor
        )
    );
    let rows = store.forgiven_of(person.debt.id).await.expect("rows");
    let stands: i64 = rows.iter().map(|r| r.parts.sum()).sum();
    assert_eq!(stands, 0, "and the plan may forgive it again");
}

/// One that is not kept yet.
fn file_of(scene: &Scene) -> Import {
    Import {
        bytes: 0,
        ..file(scene, ImportState::Reading)
    }
}

async fn a_file_is_kept_in_pieces(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = file_of(&scene);
    store.put_import(&row, &[]).await.expect("put");
    assert_eq!(store.get_import(row.id).await.expect("get"), row);
    let page = PageRequest {
        limit: 1,
        cursor: None,
    };
    let older = Import {
        id: ImportId(uuid::Uuid::nil()),
        ..row.clone()
    };
    let older = Import {
        id: ImportId(uuid::Uuid::new_v5(&older.id.0, row.id.0.as_bytes())),
        ..older
    };
    store.put_import(&older, &[]).await.expect("put");
    let mut both = [row.id, older.id];
    both.sort_unstable();
    let client = Some(scene.client.id);
    let portfolio = Some(scene.portfolio.id);
    let first = store.imports_page(client, portfolio, &page).await;
    let first = first.expect("page");
    assert_eq!(first.items[0].id, both[1], "newest first");
    let page = PageRequest {
        limit: 1,
        cursor: first.next_cursor,
    };
    let second = store.imports_page(client, None, &page).await.expect("page");
    assert_eq!(
        (second.items[0].id, second.next_cursor),
        (both[0], None),
        "and no more"
    );
    store.add_piece(row.id, 0, "AAAA").await.expect("piece");
    let piece = store.piece(row.id, 0).await.expect("piece");
    assert_eq!(piece.as_deref(), Some("AAAA"));
    store.drop_pieces(row.id).await.expect("drop");
    assert_eq!(store.piece(row.id, 0).await.expect("none"), None);
}

async fn maps_are_remembered(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = ImportMap {
        id: import_map_id(scene.portfolio.id, "f1"),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        fingerprint: "f1".into(),
        columns: vec!["Nombre".into()],
        map: serde_json::json!({ "Nombre": "name" }),
        used_at: NOW,
        actor: "system".into(),
    };
    store.put_import_map(&row, &[]).await.expect("put");
    let later = ImportMap {
        used_at: NOW.plus_ms(5),
        ..row.clone()
    };
    store.put_import_map(&later, &[]).await.expect("again");
    let portfolio = scene.portfolio.id;
    let found = store.import_map(portfolio, "f1").await.expect("find");
    assert_eq!(found.as_ref(), Some(&later));
    assert_eq!(store.import_map(portfolio, "f2").await.expect("find"), None);
    let all = store.import_maps(portfolio).await.expect("list");
    assert_eq!(all, [later]);
    store.drop_import_map(row.id, &[]).await.expect("drop");
    assert_eq!(store.import_maps(portfolio).await.expect("list"), []);
}

async fn a_placement_holds_the_new_debts_of_its_file(store: &Subject) {
    let scene = Scene::new(store).await;
    let placement = Placement {
        id: fresh::<PlacementId>(),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        placed_on: "2026-11-23".into(),
        recall_on: Some("2027-02-23".into()),
        fee_bp: 1_250,
        recalled_at: None,
        at: NOW,
        actor: "system".into(),
    };
    store.put_placement(&placement, &[]).await.expect("put");
    let (a, b) = (scene.draft_person(), scene.draft_person());
    take(store, &[a.row(2)]).await;
    let mut file = file_of(&scene);
    file.placement_id = Some(placement.id);
    store.put_import(&file, &[]).await.expect("file");
    let rows = [later(&a.row(2)), later(&b.row(3))];
    let report = store.import_batch(file.id, &rows, false, &[]).await;
    assert_eq!(report.expect("import").debts_new, 1);
    let count = store.placement_count(placement.id).await.expect("count");
    assert_eq!((count.debts, count.open), (1, 1), "only what is new");
    let recalled = store.recall_placement(placement.id, NOW.plus_ms(50)).await;
    assert_eq!(recalled.expect("recalled"), 1);
    let count = store.placement_count(placement.id).await.expect("count");
    assert_eq!((count.debts, count.open), (1, 0));
    let debt = store.get_debt(a.debt.id).await.expect("debt");
    assert_eq!(debt.status, DebtStatus::Open);
}

async fn all(store: Subject) {
    maps_are_remembered(&store).await;
    a_placement_holds_the_new_debts_of_its_file(&store).await;
    deeds_stay(&store).await;
    who_called_in_stays(&store).await;
    a_debt_that_became_a_new_debtors_goes_back(&store).await;
    money_before_a_file_is_written_counts_once(&store).await;
    recalls_are_taken_back(&store).await;
    a_report_asks_about_those_of_the_file(&store).await;
    interest::all(&store).await;
    due_items::all(&store).await;
    consents::a_file_of_consents_is_taken_back(&store).await;
    a_quita_that_is_owed_again_stays_so(&store).await;
    a_file_is_kept_in_pieces(&store).await;
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
