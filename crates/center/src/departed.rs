//! Whose debts went back to their client in bulk: a placement that is recalled, a file that no longer names them or
//! was undone. One event tells of all of them; each node looks after whom it has queued or rings itself.

use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::DebtStatus;
use domain::event::NewEvent;
use domain::ids::{DebtorId, PlacementId, PortfolioId};
use domain::ports::store::StoreError;

/// Told by a recall of a placement, by an accepted file and by one that was undone.
pub(crate) const RECALLED: &str = "placement.recalled";
pub(crate) const IMPORTED: &str = "portfolio.imported";
pub(crate) const REVERTED: &str = "import.reverted";

/// The portfolio that an event of that kind is about.
async fn portfolio(shared: &Shared, event: &NewEvent) -> Result<Option<PortfolioId>, StoreError> {
    let Some((what, id)) = event.subject.split_once(':') else {
        return Ok(None);
    };
    match what {
        "portfolio" => Ok(id.parse().ok()),
        "placement" => match id.parse::<PlacementId>() {
            Ok(id) => Ok(Some(shared.out.store.get_placement(id).await?.portfolio_id)),
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Withdraws whoever of the portfolio is queued or rings on this node and owes nothing here any more.
pub(crate) async fn follow(shared: &Shared, event: &NewEvent) -> Result<(), CenterError> {
    let Some(portfolio) = portfolio(shared, event).await? else {
        return Ok(());
    };
    let known = shared.post.call(|engine, _| engine.known()).await?;
    let mut gone: Vec<DebtorId> = Vec::new();
    for (debtor, _) in known.iter().filter(|(_, k)| k.portfolio == portfolio) {
        let facts = shared.out.store.contact_facts(*debtor, shared.now()).await;
        let owes = match facts {
            Ok(facts) => facts.debts.iter().any(|d| d.status == DebtStatus::Open),
            Err(StoreError::NotFound(_)) => false,
            Err(error) => return Err(error.into()),
        };
        if !owes {
            gone.push(*debtor);
        }
    }
    if !gone.is_empty() {
        tracing::info!(portfolio = %portfolio, debtors = gone.len(), "withdrawn: nothing of theirs is here any more");
    }
    shared
        .post
        .tell(move |engine, now| engine.withdraw_all(now, &gone))
        .await;
    Ok(())
}
