//! Due items of debts: whole lists, and the due date that follows what is owed of them.

use super::interest::carried;
use super::{MemoryStore, Tables};
use async_trait::async_trait;
use domain::entity::{Debt, DebtItem};
use domain::event::NewEvent;
use domain::ids::DebtId;
use domain::ports::store::{DebtorRow, DueItemStore, StoreError};
use domain::rules::due_items::{self, ItemsFault};
use domain::time::UtcMs;

/// The items of a debt, oldest first.
pub(super) fn of(t: &Tables, debt: DebtId) -> Vec<DebtItem> {
    t.debt_items.get(&debt).cloned().unwrap_or_default()
}

/// Puts a list in the place of the one that a debt has.
pub(super) fn set(t: &mut Tables, debt: DebtId, items: &[DebtItem]) {
    let mut items = items.to_vec();
    due_items::sort(&mut items);
    match items.is_empty() {
        true => t.debt_items.remove(&debt),
        false => t.debt_items.insert(debt, items),
    };
}

/// Makes the due date of a debt whose principal has moved follow its items.
pub(super) fn follow(t: &mut Tables, debt: DebtId) {
    let items = of(t, debt);
    if let Some(debt) = t.debts.get_mut(&debt) {
        due_items::follow(debt, &items);
    }
}

/// The same of a debt whose figures somebody wrote anew; items that do not explain what is owed now go.
pub(super) fn follow_figures(t: &mut Tables, debt: &mut Debt) {
    let owed_before = t
        .debts
        .get(&debt.id)
        .map_or(i64::MAX, |d| d.principal_minor);
    if !due_items::follow_figures(debt, &of(t, debt.id), owed_before) {
        set(t, debt.id, &[]);
    }
}

/// The items that a debt has after a row of a file; the due date follows. Gives those before and behind.
pub(super) fn import(
    t: &mut Tables,
    row: &DebtorRow,
    debt: &mut Debt,
) -> (Vec<DebtItem>, Vec<DebtItem>) {
    let stood = of(t, debt.id);
    if row.items.is_empty() {
        follow_figures(t, debt);
    } else {
        let own = |item: &DebtItem| DebtItem {
            debt_id: debt.id,
            ..item.clone()
        };
        let items: Vec<DebtItem> = row.items.iter().map(own).collect();
        set(t, debt.id, &items);
        due_items::follow(debt, &of(t, debt.id));
    }
    (stood, of(t, debt.id))
}

#[async_trait]
impl DueItemStore for MemoryStore {
    async fn due_items_of(&self, debts: &[DebtId]) -> Result<Vec<DebtItem>, StoreError> {
        let t = self.tx().await?;
        let mut items: Vec<DebtItem> = debts.iter().flat_map(|debt| of(&t, *debt)).collect();
        due_items::sort(&mut items);
        Ok(items)
    }

    async fn set_due_items(
        &self,
        debt: DebtId,
        items: &[DebtItem],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<Result<Debt, ItemsFault>, StoreError> {
        let mut t = self.tx().await?;
        let stored = t.debts.get(&debt).cloned();
        let stored = stored.ok_or(StoreError::NotFound("debt"))?;
        if let Err(fault) = due_items::check(items, stored.principal_minor, &of(&t, debt)) {
            return Ok(Err(fault));
        }
        set(&mut t, debt, items);
        let fresh = Debt {
            updated_at: now,
            ..stored
        };
        let row = carried(&mut t, &fresh);
        t.debts.insert(row.id, row.clone());
        t.append(events);
        Ok(Ok(row))
    }
}
