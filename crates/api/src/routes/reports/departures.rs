//! Where what was done departs from the written policy: terms and strategies.

use super::ask::{Asked, KpiQuery};
use super::kpis::{after, date};
use crate::auth::Caller;
use crate::extract::Params;
use crate::list::page_request;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::{Path, State};
use domain::ids::DebtorId;
use domain::ports::store::{Departure, DepartureAsk};
use domain::time::UtcMs;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(rows))
}

/// Departures of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartureFigure {
    /// `beyond_authority`, `stage_late`, `step_not_run` or `message_not_sent`.
    #[schema(value_type = String)]
    kind: Departure,
    /// Those that depart.
    departed: i64,
    /// All of the kind in the period.
    of: i64,
}

/// Departures of a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Departures {
    #[schema(value_type = doc::Day)]
    from: String,
    /// Both included.
    #[schema(value_type = doc::Day)]
    to: String,
    /// Whose days they are.
    zone: String,
    /// Version of the terms in force; 0 = the house's own.
    terms_version: i32,
    items: Vec<DepartureFigure>,
}

/// One departure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartureLine {
    /// When it was drawn or due.
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    /// The plan, the debt in its stage, the step or the message.
    id: uuid::Uuid,
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    external_ref: String,
    /// Reason given, stage, or rule that refused.
    reason: String,
    state: String,
}

/// A page of departures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeparturePage {
    items: Vec<DepartureLine>,
    next_cursor: Option<String>,
}

fn ask(state: &ApiState, asked: &Asked) -> Result<DepartureAsk, Problem> {
    let of = &asked.ask;
    if of.campaign.is_some() || of.agents.is_some() || of.portfolio.is_some() {
        let reason = "departures are told by client: leave portfolio, campaign, team and agent out";
        return Err(Problem::bad_request("bad_query", reason));
    }
    Ok(DepartureAsk {
        client: of.client,
        from: of.period.from,
        to: of.period.to,
        now: state.now(),
    })
}

/// How often what was done departs from policy, by kind.
#[utoipa::path(get, path = "/reports/departures", tag = "reports", params(KpiQuery),
    responses((status = 200, description = "By kind", body = Departures)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<KpiQuery>,
) -> Result<Json<Departures>, Problem> {
    let asked = query.read(&state, &caller).await?;
    let ask = ask(&state, &asked)?;
    let mut items = Vec::new();
    for kind in Departure::ALL.iter().copied() {
        let found = state.store.departure_count(kind, &ask).await?;
        items.push(DepartureFigure {
            kind,
            departed: found.departed,
            of: found.of,
        });
    }
    let terms = state.store.policy_of(ask.client).await?;
    let period = &asked.ask.period;
    Ok(Json(Departures {
        from: date(period.from_day),
        to: date(period.to_day - 1),
        zone: asked.zone_name,
        terms_version: terms.map_or(0, |t| t.version),
        items,
    }))
}

/// The departures of a kind, by instant.
#[utoipa::path(get, path = "/reports/departures/{kind}", tag = "reports",
    params(("kind" = String, Path), KpiQuery),
    responses((status = 200, description = "A page", body = DeparturePage), (status = 404, body = doc::Problem)))]
async fn rows(
    State(state): State<ApiState>,
    caller: Caller,
    Path(kind): Path<String>,
    Params(query): Params<KpiQuery>,
) -> Result<Json<DeparturePage>, Problem> {
    let kind: Departure = kind.parse().map_err(|_| Problem::not_found("kind"))?;
    let page = page_request(query.limit, query.cursor.clone())?;
    let asked = query.read(&state, &caller).await?;
    let ask = ask(&state, &asked)?;
    let behind = page.cursor.as_deref().map(after).transpose()?;
    let found = state.store.departures(kind, &ask, behind, page.limit + 1);
    let mut found = found.await?;
    let more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    let last = found.last().filter(|_| more);
    Ok(Json(DeparturePage {
        next_cursor: last.map(|r| format!("{}~{}", r.at.0, r.id)),
        items: found
            .into_iter()
            .map(|r| DepartureLine {
                at: r.at,
                id: r.id,
                debtor_id: r.debtor_id,
                external_ref: r.external_ref,
                reason: r.reason,
                state: r.state,
            })
            .collect(),
    }))
}
