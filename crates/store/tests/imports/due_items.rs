//! Due items, where files are taken back.

use super::{later, take, undo};
use domain::entity::DebtItem;
use domain::ids::DebtId;
use sim::contract::scene::*;

fn items(debt: DebtId, of: &[(&str, i64)]) -> Vec<DebtItem> {
    let item = |(n, (due_date, amount_minor)): (usize, &(&str, i64))| DebtItem {
        debt_id: debt,
        reference: format!("F-{}", n + 1),
        due_date: (*due_date).to_owned(),
        amount_minor: *amount_minor,
    };
    of.iter().enumerate().map(item).collect()
}

async fn stands(store: &Subject, person: &Person) -> (Vec<DebtItem>, String) {
    let list = store.due_items_of(&[person.debt.id]).await.expect("items");
    let debt = store.get_debt(person.debt.id).await.expect("debt");
    (list, debt.due_date)
}

/// A list that a file brought or took away is as before, and so is the due date, less what was paid meanwhile.
async fn a_list_goes_back(store: &Subject) {
    let scene = Scene::new(store).await;
    let person = scene.draft_person();
    let id = person.debt.id;
    let first = items(id, &[("2026-10-14", 40_000), ("2026-12-14", 30_000)]);
    let mut row = person.row(2);
    row.items = first.clone();
    take(store, &[row]).await;

    let mut other = later(&person.row(2));
    other.items = items(id, &[("2026-11-02", 70_000)]);
    let (second, _) = take(store, &[other]).await;
    let (_, due) = stands(store, &person).await;
    assert_eq!(due, "2026-11-02");
    undo(store, second).await;
    let before = (first.clone(), "2026-10-14".to_owned());
    assert_eq!(stands(store, &person).await, before);

    // More is owed than the list explains: it goes, until the file does.
    let mut dearer = later(&person.row(2));
    dearer.debt.principal_minor += 1;
    let (third, _) = take(store, &[dearer]).await;
    assert_eq!(stands(store, &person).await.0, []);
    let mut payment = person.payment(70_000);
    payment.posted_at = NOW.plus_ms(2_000);
    let paid = store.post_payment(&payment, &[], &of_promise).await;
    paid.expect("paid");
    undo(store, third).await;
    let after = (first, "2026-12-14".to_owned());
    assert_eq!(stands(store, &person).await, after, "400.00 of it is paid");
}

/// What a file made goes with its items, a debt of a known debtor too.
async fn items_go_with_their_debts(store: &Subject) {
    let scene = Scene::new(store).await;
    let (known, new) = (scene.person(store).await, scene.draft_person());
    let mut rows = [known.row(2), new.row(3)];
    rows[0].debt = scene.draft_debt(known.debtor.id, 100_000);
    rows[0].parties.clear();
    for row in &mut rows {
        row.items = items(row.debt.id, &[("2026-10-14", 70_000)]);
    }
    let (id, report) = take(store, &rows).await;
    assert_eq!(report.debts_new, 2);
    let debts = rows.map(|row| row.debt.id);
    assert_eq!(store.due_items_of(&debts).await.expect("items").len(), 2);
    undo(store, id).await;
    assert_eq!(store.due_items_of(&debts).await.expect("items"), []);
    for debt in debts {
        assert!(store.get_debt(debt).await.is_err(), "it is gone");
    }
}

pub(super) async fn all(store: &Subject) {
    a_list_goes_back(store).await;
    items_go_with_their_debts(store).await;
}
