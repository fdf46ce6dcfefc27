//! Money and the recall of what it is posted on, at once.

use super::super::imports::file;
use super::super::receipts::{receipt, share, step, taken};
use super::super::scene::*;
use domain::entity::{Debt, DebtStatus, ImportState, Placement};
use domain::ids::PlacementId;
use domain::ports::StoreError;
use domain::ports::store::DebtorRow;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Debtors of the placement, two debts each.
const DEBTORS: usize = 24;
/// What a receipt brings for each of the two, minor units.
const SHARE: i64 = 10_000;

/// A placement whose debtors owe two debts each; the later of each comes first.
async fn placed(store: &Subject, scene: &Scene) -> (Placement, Vec<[Debt; 2]>) {
    let placement = Placement {
        id: fresh::<PlacementId>(),
        client_id: scene.client.id,
        portfolio_id: scene.portfolio.id,
        placed_on: "2026-11-23".into(),
        recall_on: None,
        fee_bp: 1_250,
        recalled_at: None,
        at: NOW,
        actor: "system".into(),
    };
    store.put_placement(&placement, &[]).await.expect("put");
    let mut row = file(scene, ImportState::Accepting);
    row.placement_id = Some(placement.id);
    store.put_import(&row, &[]).await.expect("file");
    let (mut rows, mut owed): (Vec<DebtorRow>, Vec<[Debt; 2]>) = (Vec::new(), Vec::new());
    for line in (0_u64..).step_by(2).take(DEBTORS) {
        let mut person = scene.draft_person();
        rows.push(person.row(line + 2));
        let first = person.debt.clone();
        person.debt = scene.draft_debt(person.debtor.id, 100_000);
        rows.push(person.row(line + 3));
        let mut both = [first, person.debt];
        both.sort_by_key(|d| std::cmp::Reverse(d.id));
        owed.push(both);
    }
    let report = store.import_batch(row.id, &rows, false, &[]).await;
    assert_eq!(report.expect("written").debts_new, 2 * DEBTORS as u64);
    row = store.get_import(row.id).await.expect("file");
    row.state = ImportState::Accepted;
    store.put_import(&row, &[]).await.expect("accepted");
    (placement, owed)
}

/// Money of one debtor goes on his later debt, then on the earlier one, while both are recalled.
pub(super) async fn money_and_a_recall_go_side_by_side(store: &Subject) {
    let scene = Scene::new(store).await;
    let (placement, owed) = placed(store, &scene).await;
    let start = Arc::new(Barrier::new(DEBTORS + 1));
    let mut tasks: JoinSet<Result<u64, StoreError>> = JoinSet::new();
    for both in owed.clone() {
        let money = receipt(&scene, 2 * SHARE);
        taken(store, &money).await;
        let shares = both.each_ref().map(|debt| share(&money, debt, SHARE));
        let (store, start) = (store.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            let debtor = Some(both[0].debtor_id);
            step(&store, money.id, debtor, &shares, 0).await.map(|_| 0)
        });
    }
    let (recalls, id) = (store.clone(), placement.id);
    tasks.spawn(async move {
        start.wait().await;
        recalls.recall_placement(id, NOW).await
    });
    let mut recalled = 0;
    while let Some(done) = tasks.join_next().await {
        recalled += done
            .expect("it ends")
            .expect("neither waits for the other for ever");
    }
    assert_eq!(recalled, 2 * DEBTORS as u64);
    // Each debt is recalled, and less by what was posted on it.
    for debt in owed.iter().flatten() {
        let now = store.get_debt(debt.id).await.expect("debt");
        assert_eq!(now.status, DebtStatus::Recalled);
        assert_eq!(now.balance_minor(), debt.balance_minor() - SHARE);
    }
    let none = store.recall_placement(placement.id, NOW).await;
    assert_eq!(none.expect("works"), 0);
}
