//! Health of caller ids: calls, answers, rests.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::CallerId;
use domain::ids::{CallerIdId, ClientId};
use domain::ports::store::{CallerHealth, CallerRest, ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::time::{MINUTE_MS, UtcMs};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::{BTreeMap, Entry};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Minutes looked at when the caller does not say.
const WINDOW_MIN: i64 = 60;
/// Most caller ids told of at once.
const CALLERS_MAX: usize = 20_000;
/// Longest window and rest, minutes: a week.
const WEEK_MIN: i64 = 7 * 24 * 60;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(rest))
        .routes(routes!(wake))
}

/// Which caller ids, over which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HealthQuery {
    /// Only this client's; all that the caller sees when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Minutes back from now, 60 when absent, a week at most.
    window_min: Option<i64>,
}

/// How a caller id does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallerState {
    #[schema(value_type = uuid::Uuid)]
    caller_id: CallerIdId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = doc::Phone)]
    number: String,
    country: String,
    enabled: bool,
    /// Calls in the window that left for the network.
    calls: u64,
    /// Of them, answered by a person.
    answered: u64,
    /// Rests until; null = it does not.
    #[schema(value_type = Option<doc::Instant>)]
    rests_until: Option<UtcMs>,
    /// What made it rest: `calls`, `answers`, `person`.
    rest_reason: Option<String>,
}

fn told(row: CallerId, health: &CallerHealth, now: UtcMs) -> CallerState {
    let rest = health.rest.as_ref().filter(|r| r.until > now);
    CallerState {
        caller_id: row.id,
        client_id: row.client_id,
        number: row.number,
        country: row.country,
        enabled: row.enabled,
        calls: health.calls,
        answered: health.answered,
        rests_until: rest.map(|r| r.until),
        rest_reason: rest.map(|r| r.reason.clone()),
    }
}

/// Every caller id, page by page.
async fn all_ids(state: &ApiState, filter: &ListFilter) -> Result<Vec<CallerId>, Problem> {
    let mut page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let rows = state.store.list_caller_ids(filter, &page).await?;
        found.extend(rows.items);
        page.cursor = rows.next_cursor;
        if page.cursor.is_none() || found.len() >= CALLERS_MAX {
            return Ok(found);
        }
    }
}

/// Calls and answers of caller ids, and which of them rest.
#[utoipa::path(get, path = "/caller-ids/health", tag = "catalog", params(HealthQuery),
    responses((status = 200, description = "All of them", body = Items<CallerState>)))]
async fn health(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<HealthQuery>,
) -> Result<Json<Items<CallerState>>, Problem> {
    let client_id = caller.narrow(query.client)?;
    let minutes = query.window_min.unwrap_or(WINDOW_MIN);
    if !(1..=WEEK_MIN).contains(&minutes) {
        let reason = format!("window_min: expected 1 to {WEEK_MIN}");
        return Err(Problem::bad_request("bad_query", reason));
    }
    let now = state.now();
    let filter = ListFilter {
        client_id,
        ..ListFilter::default()
    };
    let rows = all_ids(&state, &filter).await?;
    let mut of_client: BTreeMap<ClientId, BTreeMap<CallerIdId, CallerHealth>> = BTreeMap::new();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let all = match of_client.entry(row.client_id) {
            Entry::Occupied(place) => place.into_mut(),
            Entry::Vacant(place) => {
                let since = now.plus_ms(-minutes * MINUTE_MS);
                let all = state.store.caller_health(row.client_id, since).await?;
                place.insert(all.into_iter().map(|h| (h.caller_id, h)).collect())
            }
        };
        if let Some(known) = all.get(&row.id) {
            items.push(told(row, known, now));
        }
    }
    Ok(Json(Items::all(items)))
}

/// How long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestAsk {
    /// Minutes, a week at most.
    minutes: i64,
}

/// Lets a caller id rest: calls show others of its pool meanwhile.
#[utoipa::path(post, path = "/caller-ids/{id}/rest", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = RestAsk,
    responses((status = 204, description = "It rests"), (status = 409, body = doc::Problem)))]
async fn rest(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CallerIdId>,
    Body(body): Body<RestAsk>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_caller_id(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let minutes = check::range("minutes", body.minutes, 1, WEEK_MIN)?;
    let now = state.now();
    let rest = CallerRest {
        caller_id: id,
        since: now,
        until: now.plus_ms(minutes * MINUTE_MS),
        reason: "person".to_owned(),
        calls: 0,
        answered: 0,
    };
    let actor = caller.asks_as();
    state
        .center
        .rest_caller_id(actor, row.client_id, rest)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the rest of a caller id; a repeat changes nothing.
#[utoipa::path(post, path = "/caller-ids/{id}/wake", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "It is shown again")))]
async fn wake(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<CallerIdId>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_caller_id(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let actor = caller.asks_as();
    state
        .center
        .wake_caller_id(actor, row.client_id, id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
