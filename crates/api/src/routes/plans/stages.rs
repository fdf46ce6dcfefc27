//! Stages of debts: where they stand, what is late, what is advised, and the move.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use center::{StageAsk, StageView};
use domain::entity::{DebtStage, Role, Stage};
use domain::ids::{ClientId, DebtId, DebtorId, UserId};
use domain::ports::store::{Page, StageFilter, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
    /// Only those the caller is told of: his own; a manager also those that have nobody.
    #[serde(default)]
    mine: bool,
}

/// Where a debt stands, and who is told when it is late.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageRow {
    #[serde(flatten)]
    #[schema(value_type = doc::DebtStage)]
    stage: DebtStage,
    /// His name; `None` without a named person.
    owner: Option<String>,
}

/// What narrows a list to the cases that the caller is told of.
pub(crate) fn told_to(caller: &Caller) -> StageFilter {
    StageFilter {
        client_id: caller.client,
        owner_id: Some(caller.user),
        or_nobody: caller.role == Role::Manager,
        ..StageFilter::default()
    }
}

/// The names of the owners of a page.
async fn named(state: &ApiState, rows: Vec<DebtStage>) -> Result<Vec<StageRow>, Problem> {
    let mut names: BTreeMap<UserId, String> = BTreeMap::new();
    for id in rows.iter().filter_map(|row| row.owner_id) {
        if let Entry::Vacant(free) = names.entry(id) {
            match state.store.get_user(id).await {
                Ok(user) => {
                    free.insert(user.display_name);
                }
                // The terms may name somebody who is not there any more.
                Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let row = |stage: DebtStage| StageRow {
        owner: stage.owner_id.and_then(|id| names.get(&id).cloned()),
        stage,
    };
    Ok(rows.into_iter().map(row).collect())
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
    responses((status = 200, description = "A page", body = Items<StageRow>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<StagesQuery>,
) -> Result<Json<Items<StageRow>>, Problem> {
    let whose = if query.mine {
        told_to(&caller)
    } else {
        StageFilter {
            owner_id: query.owner,
            ..StageFilter::default()
        }
    };
    let filter = StageFilter {
        client_id: caller.narrow(query.client)?,
        debtor_id: query.debtor,
        stage: query.stage,
        late: query.late,
        ..whose
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = state.store.stages_page(&filter, &page).await;
    let page = page.map_err(list_problem)?;
    Ok(Json(Items::from(Page {
        items: named(&state, page.items).await?,
        next_cursor: page.next_cursor,
    })))
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
