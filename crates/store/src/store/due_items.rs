//! Due items of debts: whole lists, and the due date that follows what is owed of them.

use super::SqlStore;
use super::events::append;
use super::interest::put_carried;
use super::items::lock_person_of;
use super::money::locked_debt;
use super::sums;
use crate::sql::Link;
use async_trait::async_trait;
use domain::entity::{Debt, DebtItem};
use domain::event::NewEvent;
use domain::ids::DebtId;
use domain::ports::StoreError;
use domain::ports::store::DueItemStore;
use domain::rules::due_items::{self, ItemsFault};
use domain::time::UtcMs;
use std::collections::BTreeMap;

/// Items of debts, by debt, oldest first.
pub(super) async fn of_debts(tx: &mut Link, debts: &[DebtId]) -> Result<Vec<DebtItem>, StoreError> {
    let mut items: Vec<DebtItem> = tx.all_in("debt_id", debts, "", &[]).await?;
    due_items::sort(&mut items);
    Ok(items)
}

/// Items in their order as the lists of their debts.
pub(super) fn by_debt(items: Vec<DebtItem>) -> BTreeMap<DebtId, Vec<DebtItem>> {
    let mut lists: BTreeMap<DebtId, Vec<DebtItem>> = BTreeMap::new();
    for item in items {
        lists.entry(item.debt_id).or_default().push(item);
    }
    lists
}

/// Makes the due date of a debt whose principal has moved follow its items; the debt itself is the caller's to
/// keep.
pub(super) async fn follow(tx: &mut Link, debt: &mut Debt) -> Result<(), StoreError> {
    let items = of_debts(tx, &[debt.id]).await?;
    due_items::follow(debt, &items);
    Ok(())
}

/// The same of a debt whose figures somebody wrote anew; items that do not explain what is owed now go.
pub(super) async fn follow_figures(
    tx: &mut Link,
    debt: &mut Debt,
    owed_before: i64,
) -> Result<(), StoreError> {
    let items = of_debts(tx, &[debt.id]).await?;
    match due_items::follow_figures(debt, &items, owed_before) {
        true => Ok(()),
        false => set(tx, &[(debt.id, Vec::new())]).await,
    }
}

/// Puts lists in the place of those that debts have.
pub(super) async fn set(
    tx: &mut Link,
    lists: &[(DebtId, Vec<DebtItem>)],
) -> Result<(), StoreError> {
    let debts: Vec<DebtId> = lists.iter().map(|(debt, _)| *debt).collect();
    tx.run_in("DELETE FROM debt_items WHERE debt_id", &debts, "", &[])
        .await?;
    let items: Vec<DebtItem> = lists.iter().flat_map(|(_, list)| list.clone()).collect();
    tx.insert(&items, "").await
}

#[async_trait]
impl DueItemStore for SqlStore {
    async fn due_items_of(&self, debts: &[DebtId]) -> Result<Vec<DebtItem>, StoreError> {
        of_debts(&mut self.read().await?, debts).await
    }

    async fn set_due_items(
        &self,
        debt: DebtId,
        items: &[DebtItem],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<Result<Debt, ItemsFault>, StoreError> {
        let mut tx = self.write().await?;
        // The person first, as everywhere money is posted; whose the debt is may change until then.
        let whose: Debt = tx.get(debt).await?;
        lock_person_of(&mut tx, whose.debtor_id).await?;
        let stored = locked_debt(&mut tx, debt).await?;
        let stands = of_debts(&mut tx, &[debt]).await?;
        if let Err(fault) = due_items::check(items, stored.principal_minor, &stands) {
            return Ok(Err(fault));
        }
        set(&mut tx, &[(debt, items.to_vec())]).await?;
        let fresh = Debt {
            updated_at: now,
            ..stored
        };
        put_carried(&mut tx, &fresh).await?;
        let row: Debt = tx.get(debt).await?;
        sums::refresh(&mut tx, &[row.debtor_id]).await?;
        append(&mut tx, events).await?;
        tx.commit().await?;
        Ok(Ok(row))
    }
}
