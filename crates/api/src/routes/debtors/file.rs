//! Everything of one debtor.

use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{Attempt, Consent, ContactPoint, Debt, Debtor, Hold, Party, Payment, Promise};
use domain::ids::DebtorId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(read))
}

/// A debtor's file.
#[derive(Serialize, ToSchema)]
pub(crate) struct DebtorFileReply {
    #[schema(value_type = doc::Debtor)]
    debtor: Debtor,
    #[schema(value_type = Vec<doc::Debt>)]
    debts: Vec<Debt>,
    #[schema(value_type = Vec<doc::Party>)]
    parties: Vec<Party>,
    #[schema(value_type = Vec<doc::ContactPoint>)]
    points: Vec<ContactPoint>,
    #[schema(value_type = Vec<doc::Consent>)]
    consents: Vec<Consent>,
    /// Lifted ones too.
    #[schema(value_type = Vec<doc::Hold>)]
    holds: Vec<Hold>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Promise>)]
    promises: Vec<Promise>,
    /// Newest first.
    #[schema(value_type = Vec<doc::Payment>)]
    payments: Vec<Payment>,
    /// Newest first, at most 100.
    #[schema(value_type = Vec<doc::Attempt>)]
    attempts: Vec<Attempt>,
}

/// A debtor's file.
#[utoipa::path(get, path = "/debtors/{id}", tag = "debtors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The file", body = DebtorFileReply)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
) -> Result<Json<DebtorFileReply>, Problem> {
    let debtor = state.store.get_debtor(id).await?;
    tenant::seen(&state, &caller, debtor).await?;
    let file = state.store.debtor_file(id).await?;
    Ok(Json(DebtorFileReply {
        debtor: file.debtor,
        debts: file.debts,
        parties: file.parties,
        points: file.points,
        consents: file.consents,
        holds: file.holds,
        promises: file.promises,
        payments: file.payments,
        attempts: file.attempts,
    }))
}
