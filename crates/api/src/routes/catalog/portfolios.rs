//! Portfolios of a client.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{CreditorKind, Portfolio};
use domain::ids::{ClientId, PortfolioId};
use domain::money::Currency;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/portfolios",
    "/portfolios/{id}",
    Portfolio,
    Portfolio,
    PortfolioId,
    list_portfolios,
    get_portfolio
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A new portfolio.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPortfolio {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// Unique within the client.
    name: String,
    #[schema(value_type = doc::Currency)]
    currency: Currency,
    #[schema(value_type = doc::CreditorKind)]
    creditor_kind: CreditorKind,
    /// IANA zone.
    zone: String,
}

/// A portfolio as it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortfolioBody {
    name: String,
    #[schema(value_type = doc::Currency)]
    currency: Currency,
    #[schema(value_type = doc::CreditorKind)]
    creditor_kind: CreditorKind,
    /// IANA zone.
    zone: String,
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Portfolio,
    action: &str,
) -> Result<Portfolio, Problem> {
    let subject = format!("portfolio:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_portfolio(&row, &[event]).await?;
    Ok(row)
}

/// Makes a portfolio.
#[utoipa::path(post, path = "/portfolios", tag = "catalog", request_body = NewPortfolio,
    responses((status = 201, description = "Made", body = doc::Portfolio)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<NewPortfolio>,
) -> Result<(StatusCode, Json<Portfolio>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let row = Portfolio {
        id: PortfolioId(state.id()),
        client_id: body.client_id,
        name: check::name("name", &body.name)?,
        currency: body.currency,
        creditor_kind: body.creditor_kind,
        zone: check::zone("zone", &body.zone)?,
        created_at: state.now(),
    };
    let row = save(&state, &caller, row, "portfolio.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a portfolio.
#[utoipa::path(put, path = "/portfolios/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = PortfolioBody, responses((status = 200, description = "Changed", body = doc::Portfolio)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PortfolioId>,
    Body(body): Body<PortfolioBody>,
) -> Result<Json<Portfolio>, Problem> {
    let row = state.store.get_portfolio(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    row.name = check::name("name", &body.name)?;
    row.currency = body.currency;
    row.creditor_kind = body.creditor_kind;
    row.zone = check::zone("zone", &body.zone)?;
    Ok(Json(save(&state, &caller, row, "portfolio.changed").await?))
}
