//! Attempts.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::Attempt;
use domain::ids::{AttemptId, CampaignId, ClientId, DebtorId};
use domain::ports::store::AttemptFilter;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
}

/// Query of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttemptQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this campaign's.
    #[param(value_type = Option<uuid::Uuid>)]
    campaign: Option<CampaignId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Opened at or after.
    #[param(value_type = Option<doc::Instant>)]
    since: Option<UtcMs>,
}

/// A page, oldest first.
#[utoipa::path(get, path = "/attempts", tag = "history", params(AttemptQuery),
    responses((status = 200, description = "A page", body = Items<doc::Attempt>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<AttemptQuery>,
) -> Result<Json<Items<Attempt>>, Problem> {
    let filter = AttemptFilter {
        client_id: caller.narrow(query.client)?,
        campaign_id: query.campaign,
        debtor_id: query.debtor,
        since: query.since,
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = state.store.list_attempts(&filter, &page).await;
    let page = page.map_err(list_problem)?;
    Ok(Json(tenant::seen_page(&state, &caller, page).await?))
}

/// One attempt.
#[utoipa::path(get, path = "/attempts/{id}", tag = "history", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The attempt", body = doc::Attempt)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AttemptId>,
) -> Result<Json<Attempt>, Problem> {
    let row = state.store.get_attempt(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}
