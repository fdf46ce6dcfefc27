//! Visits to a debtor: planned, recorded, cancelled.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::{VisitAsk, VisitTold};
use domain::entity::{Visit, VisitOutcome};
use domain::ids::{AddressId, DebtorId, VisitId};
use domain::pii::Pii;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest note of a visit, characters.
const NOTE_MAX: usize = 2_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, plan))
        .routes(routes!(record))
        .routes(routes!(cancel))
}

/// A page of visits.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VisitsQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A visit that somebody wants to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVisit {
    /// Where: an address of the debtor's file.
    #[schema(value_type = uuid::Uuid)]
    address_id: AddressId,
    /// When: to come, at most 30 days away.
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
}

/// What came of a visit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitRecord {
    #[schema(value_type = doc::VisitOutcome)]
    outcome: VisitOutcome,
    /// When it was made: at most a day from when it was planned for.
    #[schema(value_type = doc::Instant)]
    visited_at: UtcMs,
    /// Code of a disposition, where it met who owes.
    result: Option<String>,
    /// What was noted; may be empty.
    #[serde(default)]
    #[schema(value_type = String)]
    note: Pii<String>,
}

/// Why a visit is not made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitCancel {
    reason: String,
}

/// A debtor's visits, newest first.
#[utoipa::path(get, path = "/debtors/{id}/visits", tag = "debtors", params(("id" = uuid::Uuid, Path), VisitsQuery),
    responses((status = 200, description = "A page", body = Items<doc::Visit>), (status = 404, body = doc::Problem)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Params(query): Params<VisitsQuery>,
) -> Result<Json<Items<Visit>>, Problem> {
    let debtor = state.own_debtor(&caller, id).await?;
    let wanted = page_request(query.limit, query.cursor)?;
    let before = wanted.cursor.as_deref();
    let before: Option<VisitId> = before
        .map(|text| text.parse().map_err(|_| bad_cursor()))
        .transpose()?;
    let asked = wanted.limit + 1;
    let mut items = state.store.visits_of(debtor.id, before, asked).await?;
    let more = items.len() > wanted.limit as usize;
    items.truncate(wanted.limit as usize);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|v| v.id.to_string());
    Ok(Json(Items { items, next_cursor }))
}

/// Plans a visit: the law is asked about its instant, and it counts as a contact from now on.
#[utoipa::path(post, path = "/debtors/{id}/visits", tag = "debtors", params(("id" = uuid::Uuid, Path)), request_body = NewVisit,
    responses((status = 201, description = "Planned and counted", body = doc::Visit), (status = 404, body = doc::Problem), (status = 409, description = "`blocked_*` with `reason` and `rules`; `visit_waits`, `visit_stopped`", body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn plan(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<DebtorId>,
    Body(body): Body<NewVisit>,
) -> Result<(StatusCode, Json<Visit>), Problem> {
    let debtor = state.own_debtor(&caller, id).await?;
    caller.may_write(debtor.client_id)?;
    let ask = VisitAsk {
        debtor_id: debtor.id,
        address_id: body.address_id,
        at: body.at,
    };
    let visit = state.center.plan_visit(caller.asks_as(), ask).await?;
    Ok((StatusCode::CREATED, Json(visit)))
}

/// Records what came of a planned visit. One that did not meet who owes was no contact with him.
#[utoipa::path(post, path = "/visits/{id}/record", tag = "debtors", params(("id" = uuid::Uuid, Path)), request_body = VisitRecord,
    responses((status = 200, description = "Recorded", body = doc::Visit), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn record(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VisitId>,
    Body(body): Body<VisitRecord>,
) -> Result<Json<Visit>, Problem> {
    let visit = state.store.get_visit(id).await?;
    let visit = tenant::seen(&state, &caller, visit).await?;
    let note = match body.note.reveal().trim() {
        "" => String::new(),
        text => check::text("note", text, NOTE_MAX)?,
    };
    let result = body.result.as_deref();
    let told = VisitTold {
        outcome: body.outcome,
        visited_at: body.visited_at,
        result: result.map(|r| check::name("result", r)).transpose()?,
        note: Pii(note),
    };
    let by = caller.asks_as();
    Ok(Json(state.center.record_visit(by, visit.id, told).await?))
}

/// Gives a planned visit back, to which nobody went: it counts no more.
#[utoipa::path(post, path = "/visits/{id}/cancel", tag = "debtors", params(("id" = uuid::Uuid, Path)), request_body = VisitCancel,
    responses((status = 200, description = "Cancelled", body = doc::Visit), (status = 404, body = doc::Problem), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<VisitId>,
    Body(body): Body<VisitCancel>,
) -> Result<Json<Visit>, Problem> {
    let visit = state.store.get_visit(id).await?;
    let visit = tenant::seen(&state, &caller, visit).await?;
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let by = caller.asks_as();
    Ok(Json(state.center.cancel_visit(by, visit.id, reason).await?))
}
