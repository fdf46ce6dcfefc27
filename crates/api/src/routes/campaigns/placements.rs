//! Placements: what a client handed over on a date, with his terms, and its recall.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, doc, tenant};
use axum::Json;
use axum::extract::State;
use domain::entity::{Import, Placement};
use domain::ids::{ClientId, PlacementId, PortfolioId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Highest commission: all that is recovered, hundredths of a percent.
const FEE_BP_MAX: i64 = 10_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, change))
        .routes(routes!(recall))
}

/// Terms of a placement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacementBody {
    /// `YYYY-MM-DD`, in the portfolio's zone.
    placed_on: String,
    /// Day from which the debts are the client's again.
    recall_on: Option<String>,
    /// Commission, hundredths of a percent of what is recovered: 1250 = 12.5 %.
    fee_bp: i64,
}

/// A placement that may be written.
pub(super) struct Fitting {
    pub(super) id: PlacementId,
    row: Placement,
}

/// Days as text sort as days, once they are known to be days.
fn day(field: &'static str, text: &str) -> Result<String, Problem> {
    let known = text.len() == 10 && domain::segment::day_of_date(text).is_some();
    match known {
        true => Ok(text.to_owned()),
        false => Err(Problem::invalid(field, "expected a day as 2026-11-23")),
    }
}

impl PlacementBody {
    fn check(&self) -> Result<(String, Option<String>), Problem> {
        let placed = day("placed_on", &self.placed_on)?;
        let recall = match &self.recall_on {
            Some(text) => Some(day("recall_on", text)?),
            None => None,
        };
        if recall.as_ref().is_some_and(|day| *day < placed) {
            return Err(Problem::invalid(
                "recall_on",
                "expected a day after placed_on",
            ));
        }
        if !(0..=FEE_BP_MAX).contains(&self.fee_bp) {
            return Err(Problem::invalid(
                "fee_bp",
                format!("expected 0 to {FEE_BP_MAX}"),
            ));
        }
        Ok((placed, recall))
    }

    /// The placement of a file: the one that it has, on these terms, or a new one.
    pub(super) fn row(
        &self,
        state: &ApiState,
        import: &Import,
        actor: String,
    ) -> Result<Fitting, Problem> {
        let (placed_on, recall_on) = self.check()?;
        let id = import.placement_id;
        let id = id.unwrap_or_else(|| PlacementId(state.id()));
        let row = Placement {
            id,
            client_id: import.client_id,
            portfolio_id: import.portfolio_id,
            placed_on,
            recall_on,
            fee_bp: self.fee_bp,
            recalled_at: None,
            at: state.now(),
            actor,
        };
        Ok(Fitting { id, row })
    }
}

impl Fitting {
    /// Writes it, and tells of it.
    pub(super) async fn put(self, state: &ApiState, kind: &str) -> Result<(), Problem> {
        let row = self.row;
        let event = told(state, &row, row.actor.clone(), kind);
        Ok(state.store.put_placement(&row, &[event]).await?)
    }
}

fn told(state: &ApiState, row: &Placement, actor: String, kind: &str) -> domain::event::NewEvent {
    let data = serde_json::json!({
        "placed_on": row.placed_on, "recall_on": row.recall_on, "fee_bp": row.fee_bp,
    });
    let subject = format!("placement:{}", row.id);
    state.event(actor, Some(row.client_id), kind, subject, data)
}

/// A placement with what it holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlacementView {
    #[schema(value_type = uuid::Uuid)]
    id: PlacementId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = uuid::Uuid)]
    portfolio_id: PortfolioId,
    /// `YYYY-MM-DD`.
    placed_on: String,
    recall_on: Option<String>,
    /// Hundredths of a percent.
    fee_bp: i64,
    #[schema(value_type = Option<String>)]
    recalled_at: Option<UtcMs>,
    #[schema(value_type = String)]
    at: UtcMs,
    actor: String,
    /// Debts handed over with it.
    debts: u64,
    /// Of them open.
    open: u64,
}

async fn view(state: &ApiState, row: Placement) -> Result<PlacementView, Problem> {
    let count = state.store.placement_count(row.id).await?;
    Ok(PlacementView {
        id: row.id,
        client_id: row.client_id,
        portfolio_id: row.portfolio_id,
        placed_on: row.placed_on,
        recall_on: row.recall_on,
        fee_bp: row.fee_bp,
        recalled_at: row.recalled_at,
        at: row.at,
        actor: row.actor,
        debts: count.debts,
        open: count.open,
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlacementQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Owner; a caller with a client sees his own.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this portfolio's.
    #[param(value_type = Option<uuid::Uuid>)]
    portfolio: Option<PortfolioId>,
}

/// Placements, newest first.
#[utoipa::path(get, path = "/placements", tag = "imports", params(PlacementQuery),
    responses((status = 200, description = "Newest first", body = Items<PlacementView>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<PlacementQuery>,
) -> Result<Json<Items<PlacementView>>, Problem> {
    let client = caller.narrow(query.client)?;
    let page = page_request(query.limit, query.cursor)?;
    let rows = state.store.placements_page(client, query.portfolio, &page);
    let rows = rows.await.map_err(list_problem)?;
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(view(&state, row).await?);
    }
    Ok(Json(Items {
        items,
        next_cursor: rows.next_cursor,
    }))
}

async fn own(state: &ApiState, caller: &Caller, id: PlacementId) -> Result<Placement, Problem> {
    let row = state.store.get_placement(id).await?;
    tenant::seen(state, caller, row).await
}

/// One placement.
#[utoipa::path(get, path = "/placements/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The placement", body = PlacementView), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlacementId>,
) -> Result<Json<PlacementView>, Problem> {
    let row = own(&state, &caller, id).await?;
    Ok(Json(view(&state, row).await?))
}

/// Changes the terms of a placement.
#[utoipa::path(put, path = "/placements/{id}", tag = "imports", params(("id" = uuid::Uuid, Path)),
    request_body = PlacementBody,
    responses((status = 200, description = "Changed", body = PlacementView), (status = 422, body = doc::Problem)))]
async fn change(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlacementId>,
    Body(body): Body<PlacementBody>,
) -> Result<Json<PlacementView>, Problem> {
    let mut row = own(&state, &caller, id).await?;
    (row.placed_on, row.recall_on) = body.check()?;
    row.fee_bp = body.fee_bp;
    let subject = format!("placement:{id}");
    let audit = state.audit(&caller, Some(row.client_id), subject, "placement.changed");
    state.store.put_placement(&row, &[audit]).await?;
    Ok(Json(view(&state, row).await?))
}

/// Recalls what is open, and tells of it where that was anything.
async fn give_back(
    state: ApiState,
    mut row: Placement,
    actor: String,
) -> Result<PlacementView, Problem> {
    let recalled = state.flow().recall(row.id).await?;
    if recalled > 0 || row.recalled_at.is_none() {
        row.recalled_at = Some(state.now());
        let event = told(&state, &row, actor, "placement.recalled");
        state.store.put_placement(&row, &[event]).await?;
    }
    view(&state, row).await
}

/// Gives what is open of a placement back to the client: its debts are recalled. It goes on when the caller hangs up or
/// is sent away for the time it takes; a repeat finds what is left, and changes nothing where nothing is.
#[utoipa::path(post, path = "/placements/{id}/recall", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "Recalled", body = PlacementView), (status = 404, body = doc::Problem)))]
async fn recall(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlacementId>,
) -> Result<Json<PlacementView>, Problem> {
    let row = own(&state, &caller, id).await?;
    // A task of its own, so that no half of a large placement is left recalled and untold.
    let work = tokio::spawn(give_back(state, row, caller.actor()));
    let done = work.await.map_err(|fault| {
        tracing::error!(placement = %id, %fault, "a recall broke off");
        Problem::internal()
    });
    Ok(Json(done??))
}
