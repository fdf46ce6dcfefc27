//! A file can be taken back: what it made goes, what it changed is as before, what was done meanwhile stays.

mod common;

use domain::entity::{DebtStatus, Import, ImportState};
use domain::ids::ImportId;
use domain::ports::StoreError;
use domain::ports::store::{DebtorRow, ImportReport};
use domain::segment::Expr;
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

async fn recalls_are_taken_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let (a, b) = (scene.draft_person(), scene.draft_person());
    take(store, &[a.row(2), b.row(3)]).await;
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
    undo(store, id).await;
    let debt = store.get_debt(b.debt.id).await.expect("debt");
    assert_eq!(debt.status, DebtStatus::Open);
}

async fn a_file_is_kept_in_pieces(store: &Subject) {
    let scene = Scene::new(store).await;
    let row = Import {
        id: fresh::<ImportId>(),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        file_name: "cartera.csv".into(),
        state: ImportState::Reading,
        map: serde_json::Value::Null,
        gone: domain::entity::GonePolicy::Keep,
        at: NOW,
        accepted_at: None,
        undone_at: None,
        rows_done: 0,
        difference: ImportReport::default(),
        report: ImportReport::default(),
        faults: Vec::new(),
        actor: "system".into(),
    };
    store.put_import(&row, &[]).await.expect("put");
    assert_eq!(store.get_import(row.id).await.expect("get"), row);
    let listed = store
        .list_imports(Some(scene.client.id))
        .await
        .expect("list");
    assert_eq!(listed, std::slice::from_ref(&row));
    store.add_piece(row.id, 0, "AAAA").await.expect("piece");
    let piece = store.piece(row.id, 0).await.expect("piece");
    assert_eq!(piece.as_deref(), Some("AAAA"));
    store.drop_pieces(row.id).await.expect("drop");
    assert_eq!(store.piece(row.id, 0).await.expect("none"), None);
}

async fn all(store: Subject) {
    deeds_stay(&store).await;
    recalls_are_taken_back(&store).await;
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
