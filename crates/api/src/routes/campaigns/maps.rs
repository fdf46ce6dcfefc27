//! Column maps that portfolios remember.

use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::ImportMap;
use domain::ids::{ImportMapId, PortfolioId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(forget))
}

/// A remembered map.
#[derive(Serialize, ToSchema)]
pub(crate) struct SavedMap {
    #[schema(value_type = uuid::Uuid)]
    id: ImportMapId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    /// Of the header.
    fingerprint: String,
    /// The header as it stood.
    columns: Vec<String>,
    map: serde_json::Value,
    #[schema(value_type = String)]
    used_at: UtcMs,
    actor: String,
}

impl From<ImportMap> for SavedMap {
    fn from(row: ImportMap) -> Self {
        Self {
            id: row.id,
            portfolio_id: row.portfolio_id,
            fingerprint: row.fingerprint,
            columns: row.columns,
            map: row.map,
            used_at: row.used_at,
            actor: row.actor,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MapsQuery {
    /// Whose maps.
    #[param(value_type = uuid::Uuid)]
    portfolio: PortfolioId,
}

/// The maps that a portfolio remembers, last used first: a file with the same header is read by its map.
#[utoipa::path(get, path = "/imports/maps", tag = "imports", params(MapsQuery),
    responses((status = 200, description = "At most 200", body = Items<SavedMap>), (status = 404, body = doc::Problem)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<MapsQuery>,
) -> Result<Json<Items<SavedMap>>, Problem> {
    let portfolio = state.store.get_portfolio(query.portfolio).await?;
    let portfolio = tenant::seen(&state, &caller, portfolio).await?;
    let rows = state.store.import_maps(portfolio.id).await?;
    Ok(Json(Items::all(
        rows.into_iter().map(SavedMap::from).collect(),
    )))
}

/// Forgets a map.
#[utoipa::path(delete, path = "/imports/maps/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "Forgotten"), (status = 404, body = doc::Problem)))]
async fn forget(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportMapId>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_import_map(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let subject = format!("portfolio:{}", row.portfolio_id);
    let audit = state.audit(
        &caller,
        Some(row.client_id),
        subject,
        "import_map.forgotten",
    );
    state.store.drop_import_map(id, &[audit]).await?;
    Ok(StatusCode::NO_CONTENT)
}
