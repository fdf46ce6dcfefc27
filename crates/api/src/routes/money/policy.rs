//! How a client wants money treated: over which debts, which part first, and how he is paid himself.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{MoneyPolicy, PartOrder, SpreadRule};
use domain::ids::ClientId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest text about how the creditor is paid, characters.
const DATA_MAX: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(read, replace))
}

/// The policy in force.
#[utoipa::path(get, path = "/clients/{id}/money-policy", tag = "money",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The policy", body = doc::MoneyPolicy)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
) -> Result<Json<MoneyPolicy>, Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(&state, &caller, client).await?;
    Ok(Json(state.store.money_policy(id).await?))
}

/// A policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyBody {
    /// `oldest_first`, `by_debt` or `by_instalment`.
    #[schema(value_type = String)]
    spread: SpreadRule,
    /// `fees_first`, `interest_first` or `principal_first`.
    #[schema(value_type = String)]
    parts: PartOrder,
    /// Bank, account and reference as debtors are told them, at most 1,000 characters; empty = not told.
    creditor_data: String,
    /// The version that this one follows: 0 when there was none.
    after_version: i32,
}

/// Replaces the policy; what comes in from then on follows it.
#[utoipa::path(put, path = "/clients/{id}/money-policy", tag = "money",
    params(("id" = uuid::Uuid, Path)), request_body = PolicyBody,
    responses((status = 200, description = "The policy", body = doc::MoneyPolicy)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ClientId>,
    Body(body): Body<PolicyBody>,
) -> Result<Json<MoneyPolicy>, Problem> {
    let client = state.store.get_client(id).await?;
    tenant::seen(&state, &caller, client).await?;
    let creditor_data = match body.creditor_data.trim() {
        "" => String::new(),
        text => check::text("creditor_data", text, DATA_MAX)?,
    };
    let row = MoneyPolicy {
        client_id: id,
        spread: body.spread,
        parts: body.parts,
        creditor_data,
        version: check::range("after_version", body.after_version, 0, i32::MAX - 1)? + 1,
        updated_at: state.now(),
    };
    let event = state.audit(
        &caller,
        Some(id),
        format!("client:{id}"),
        "money_policy.put",
    );
    state.store.put_money_policy(&row, &[event]).await?;
    Ok(Json(row))
}
