//! Why the debtors of a campaign are not being dialed.

use super::run::own;
use crate::ApiState;
use crate::auth::Caller;
use crate::doc;
use crate::extract::{Id, Params};
use crate::list::limit;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use center::campaign_why::{CampaignWhy, WhyRow};
use domain::ids::{CampaignId, DebtorId};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(counts))
        .routes(routes!(rows))
}

/// Query of the rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsQuery {
    /// `key` of a count.
    reason: String,
    /// `next_after` of the page before.
    #[param(value_type = Option<uuid::Uuid>)]
    after: Option<DebtorId>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
}

/// A page of debtors behind a count.
#[derive(Serialize)]
struct Rows {
    items: Vec<WhyRow>,
    next_after: Option<DebtorId>,
}

/// Debtors of the campaign by the reason for which they are not being dialed now.
#[utoipa::path(get, path = "/campaigns/{id}/why-not", tag = "campaigns", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The reasons", body = doc::CampaignWhyShape)))]
async fn counts(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignWhy>, Problem> {
    own(&state, &caller, id).await?;
    Ok(Json(state.center.campaign_why(id).await?))
}

/// The debtors behind one reason.
#[utoipa::path(get, path = "/campaigns/{id}/why-not/debtors", tag = "campaigns",
    params(("id" = uuid::Uuid, Path), RowsQuery),
    responses((status = 200, description = "A page", body = doc::WhyRowsShape), (status = 422, body = doc::Problem)))]
async fn rows(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CampaignId>,
    Params(query): Params<RowsQuery>,
) -> Result<Json<Rows>, Problem> {
    own(&state, &caller, id).await?;
    let wanted = limit(query.limit)?;
    let items = state
        .center
        .campaign_why_rows(id, query.reason, query.after, wanted)
        .await?;
    let full = items.len() >= wanted as usize;
    let next_after = items.last().filter(|_| full).map(|r| r.debtor_id);
    Ok(Json(Rows { items, next_after }))
}
