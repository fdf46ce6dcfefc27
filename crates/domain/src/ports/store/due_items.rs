//! Due items of debts.

use super::StoreError;
use crate::entity::{Debt, DebtItem};
use crate::event::NewEvent;
use crate::ids::DebtId;
use crate::rules::due_items::ItemsFault;
use crate::time::UtcMs;
use async_trait::async_trait;

/// Items of a list that a change of it shows.
const SHOWN: usize = 12;

/// What a file changes in the due items of a debt, as `debt_changes` has its figures: nothing where the lists
/// are the same. The first items stand for a long list.
#[must_use]
pub fn item_changes(
    stored: &[DebtItem],
    fresh: &[DebtItem],
) -> Option<(&'static str, String, String)> {
    let text = |items: &[DebtItem]| {
        let parts = items
            .iter()
            .take(SHOWN)
            .map(|i| format!("{}|{}|{}", i.reference, i.due_date, i.amount_minor));
        let text = parts.collect::<Vec<_>>().join(";");
        match items.len() > SHOWN {
            true => format!("{text};… ({})", items.len()),
            false => text,
        }
    };
    (stored != fresh).then(|| ("debt.items", text(stored), text(fresh)))
}

/// Due items of debts (terms.md §1). Whatever moves the principal of a debt that has any, moves its due date to
/// its oldest unpaid item in the same transaction: money, what plans forgive, files, and who writes its figures.
#[async_trait]
pub trait DueItemStore: Send + Sync {
    /// Items of debts, by debt, oldest first.
    async fn due_items_of(&self, debts: &[DebtId]) -> Result<Vec<DebtItem>, StoreError>;
    /// Sets the whole list of a debt in place of the one it has, and its due date by it; an empty one takes the
    /// list away and leaves the date. Gives the debt, with what a rule of interest has earned until now where
    /// the date moved.
    ///
    /// # Errors
    /// `NotFound` without such a debt. The inner error says what is wrong with the list; nothing is written
    /// then.
    async fn set_due_items(
        &self,
        debt: DebtId,
        items: &[DebtItem],
        now: UtcMs,
        events: &[NewEvent],
    ) -> Result<Result<Debt, ItemsFault>, StoreError>;
}
