//! Verdicts: stored decisions of the law.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::list::{Items, limit};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::Verdict;
use domain::ids::{DebtorId, VerdictId};
use domain::law::Replayed;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(replay))
}

/// Query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerdictQuery {
    /// Whose.
    #[param(value_type = uuid::Uuid)]
    debtor: DebtorId,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
}

/// Verdicts of a debtor, newest first.
#[utoipa::path(get, path = "/verdicts", tag = "history", params(VerdictQuery),
    responses((status = 200, description = "The newest", body = Items<doc::Verdict>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<VerdictQuery>,
) -> Result<Json<Items<Verdict>>, Problem> {
    let debtor = state.own_debtor(&caller, query.debtor).await?;
    let rows = limit(query.limit)?;
    let verdicts = state.store.verdicts_of(debtor.id, rows).await?;
    Ok(Json(Items::all(verdicts)))
}

/// One verdict.
#[utoipa::path(get, path = "/verdicts/{id}", tag = "history", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The verdict", body = doc::Verdict)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VerdictId>,
) -> Result<Json<Verdict>, Problem> {
    let row = state.store.get_verdict(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// A stored decision made again: the same question to the facts as they were. Address, points and debts
/// are those of today, so a difference names what changed since.
#[utoipa::path(get, path = "/verdicts/{id}/replay", tag = "history", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "`same`, `differences`, and the answer now", body = ReplayReply)))]
async fn replay(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VerdictId>,
) -> Result<Json<Replayed>, Problem> {
    let row = state.store.get_verdict(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    Ok(Json(state.center.replay(&row).await?))
}

/// What making a decision again showed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ReplayReply {
    same: bool,
    /// What differs, in words.
    differences: Vec<String>,
    verdict: doc::Verdict,
}
