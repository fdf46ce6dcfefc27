//! Payments that debtors say they made, closed by whoever looked for them: one of the debtor's payments is it, or none is.

use crate::asks::Actor;
use crate::error::CenterError;
use crate::shared::Shared;
use domain::entity::Claim;
use domain::ids::{ClaimId, PaymentId};
use domain::ports::store::{ClaimEnd, StoreError};
use domain::rules::claim::{ended, told};
use std::sync::Arc;

/// What came of looking for a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimSeen {
    /// This payment of the debtor is it.
    Found(PaymentId),
    /// It is not there, and why that is believed.
    NotFound(String),
}

/// A payment is found only among money of the debtor that came in.
async fn his(shared: &Shared, claim: &Claim, id: PaymentId) -> Result<(), CenterError> {
    let known = match shared.out.store.get_payment(id).await {
        Ok(row) => {
            row.debtor_id == claim.debtor_id
                && row.amount.amount_minor > 0
                && row.reverses.is_none()
        }
        Err(StoreError::NotFound(_)) => false,
        Err(error) => return Err(error.into()),
    };
    if known {
        return Ok(());
    }
    let detail = "expected a payment of the debtor that came in";
    Err(CenterError::invalid("claim_payment", "payment_id", detail))
}

/// Closes an open claim.
pub(crate) async fn close(
    shared: Arc<Shared>,
    actor: Actor,
    (id, seen): (ClaimId, ClaimSeen),
) -> Result<Claim, CenterError> {
    let store = &shared.out.store;
    let claim = store.get_claim(id).await?;
    let (payment_id, reason) = match seen {
        ClaimSeen::Found(payment) => {
            his(&shared, &claim, payment).await?;
            (Some(payment), String::new())
        }
        ClaimSeen::NotFound(reason) => (None, reason),
    };
    let end = ClaimEnd {
        payment_id,
        reason,
        by: actor.to_string(),
        at: shared.now(),
    };
    let after = ended(&claim, &end);
    if store.end_claim(id, &end, &[told(&after, end.at)]).await? {
        return Ok(after);
    }
    let detail = "it was closed before";
    Err(CenterError::conflict("claim_closed", detail))
}
