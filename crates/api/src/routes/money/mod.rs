//! Money: payments, receipts and their queue, payments that debtors say they made, files of banks, payment links, providers' webhooks.

mod bank_files;
mod bank_reader;
mod camt;
mod claims;
mod links;
mod payments;
mod policy;
mod receipts;
mod webhooks;

use crate::ApiState;
use crate::auth::Caller;
use crate::problem::Problem;
use domain::entity::Role;
use domain::ids::{AttemptId, DebtorId};
use utoipa_axum::router::OpenApiRouter;

/// Routes of this area.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(payments::routes())
        .merge(receipts::routes())
        .merge(claims::routes())
        .merge(bank_files::routes())
        .merge(policy::routes())
        .merge(links::routes())
        .merge(webhooks::routes())
}

/// Lets an agent through only in a call of his own in which this debtor's identity is proved; others pass.
async fn identified(
    state: &ApiState,
    caller: &Caller,
    debtor: DebtorId,
    attempt: Option<AttemptId>,
) -> Result<(), Problem> {
    if caller.role != Role::Agent {
        return Ok(());
    }
    let refused = || {
        let detail = "expected your own call in which identity is proved";
        Problem::conflict("identity_first", detail)
    };
    let attempt = state
        .store
        .get_attempt(attempt.ok_or_else(refused)?)
        .await?;
    let own = attempt.agent_id.is_some() && attempt.agent_id == caller.agent;
    if own && attempt.debtor_id == debtor && attempt.identity_at.is_some() {
        Ok(())
    } else {
        Err(refused())
    }
}
