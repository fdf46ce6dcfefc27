//! What is owed today: facts of the law and debts with the interest that their portfolios' rules accrued.

use crate::shared::Shared;
use domain::entity::Debt;
use domain::ids::DebtorId;
use domain::ports::Store;
use domain::ports::store::{Candidate, ContactFacts, StoreError};
use domain::time::UtcMs;

/// The facts of a debtor with his debts as they are owed at an instant.
pub(crate) async fn facts_of(
    store: &dyn Store,
    debtor: DebtorId,
    now: UtcMs,
) -> Result<ContactFacts, StoreError> {
    let mut facts = store.contact_facts(debtor, now).await?;
    facts.debts = store.owed(&facts.debts, now).await?;
    Ok(facts)
}

/// A debt as it is owed at an instant.
pub(crate) async fn debt(store: &dyn Store, debt: Debt, at: UtcMs) -> Result<Debt, StoreError> {
    let found = store.owed(std::slice::from_ref(&debt), at).await?;
    Ok(found.into_iter().next().unwrap_or(debt))
}

/// Debtors that were taken from the hopper: their cards say what they owe today.
pub(crate) async fn of_candidates(
    shared: &Shared,
    candidates: &mut [Candidate],
    now: UtcMs,
) -> Result<(), StoreError> {
    let debts: Vec<Debt> = candidates
        .iter()
        .flat_map(|c| c.facts.debts.iter().cloned())
        .collect();
    let mut owed = shared.out.store.owed(&debts, now).await?.into_iter();
    for candidate in candidates {
        for debt in &mut candidate.facts.debts {
            if let Some(today) = owed.next() {
                *debt = today;
            }
        }
    }
    Ok(())
}
