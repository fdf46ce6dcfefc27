//! Stages of debts: where they stand, what is late, what is advised, and the move.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use center::{StageAsk, StageView};
use domain::entity::{DebtStage, Stage};
use domain::ids::{ClientId, DebtId, DebtorId, UserId};
use domain::ports::store::StageFilter;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, change))
}

/// Which stages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StagesQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
    /// Only those past their deadline.
    #[serde(default)]
    late: bool,
    /// Only those this user is told of.
    #[param(value_type = Option<uuid::Uuid>)]
    owner: Option<UserId>,
}

/// Where to and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageBody {
    #[schema(value_type = doc::Stage)]
    stage: Stage,
    /// Goes to the audit; without personal data.
    reason: String,
    /// Although an entry test fails; managers and admins only.
    #[serde(default)]
    despite: bool,
}

/// A page of open debts' stages, by debt.
#[utoipa::path(get, path = "/stages", tag = "plans", params(StagesQuery),
    responses((status = 200, description = "A page", body = Items<doc::DebtStage>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<StagesQuery>,
) -> Result<Json<Items<DebtStage>>, Problem> {
    let filter = StageFilter {
        client_id: caller.narrow(query.client)?,
        debtor_id: query.debtor,
        stage: query.stage,
        late: query.late,
        owner_id: query.owner,
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = state.store.stages_page(&filter, &page).await;
    Ok(Json(page.map_err(list_problem)?.into()))
}

/// Where a debt stands, and what is advised with its reasons.
#[utoipa::path(get, path = "/debts/{id}/stage", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Stage and advice", body = doc::StageView), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtId>,
) -> Result<Json<StageView>, Problem> {
    let debt = state.store.get_debt(id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    Ok(Json(state.center.stage_view(debt).await?))
}

/// Moves a debt to another stage when its entry tests pass.
#[utoipa::path(post, path = "/debts/{id}/stage", tag = "plans", params(("id" = uuid::Uuid, Path)),
    request_body = StageBody,
    responses((status = 200, description = "Moved", body = doc::DebtStage), (status = 409, body = doc::Problem)))]
async fn change(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtId>,
    Body(body): Body<StageBody>,
) -> Result<Json<DebtStage>, Problem> {
    let debt = state.store.get_debt(id).await?;
    let debt = tenant::seen(&state, &caller, debt).await?;
    let ask = StageAsk {
        debt: debt.id,
        to: body.stage,
        reason: check::text("reason", &body.reason, check::TEXT_MAX)?,
        despite: body.despite,
        role: caller.role,
    };
    Ok(Json(state.center.move_stage(caller.asks_as(), ask).await?))
}
