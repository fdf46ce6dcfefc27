//! Excuses: logged in the call, counted by kind.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::Items;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Excuse, ExcuseKind};
use domain::ids::{AttemptId, ClientId, DebtorId, ExcuseId, PromiseId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Excuses of one debtor that are shown.
const EXCUSES_SHOWN: u32 = 200;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(list))
        .routes(routes!(counts))
}

/// An excuse.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExcuseBody {
    #[schema(value_type = doc::ExcuseKind)]
    kind: ExcuseKind,
    /// For which broken promise.
    #[schema(value_type = Option<uuid::Uuid>)]
    promise_id: Option<PromiseId>,
}

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExcusesQuery {
    #[param(value_type = uuid::Uuid)]
    debtor: DebtorId,
}

/// Of what time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CountsQuery {
    #[param(value_type = uuid::Uuid)]
    client: ClientId,
    /// From, in it.
    #[param(value_type = String)]
    since: UtcMs,
    /// Until, not in it.
    #[param(value_type = String)]
    until: UtcMs,
}

/// How often a kind was heard.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExcuseCount {
    #[schema(value_type = doc::ExcuseKind)]
    kind: ExcuseKind,
    count: u64,
}

/// Logs why the debtor says that he did not pay; the agent's own call.
#[utoipa::path(post, path = "/attempts/{id}/excuse", tag = "plans", params(("id" = uuid::Uuid, Path)),
    request_body = ExcuseBody,
    responses((status = 201, description = "Logged", body = doc::Excuse), (status = 404, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn add(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AttemptId>,
    Body(body): Body<ExcuseBody>,
) -> Result<(StatusCode, Json<Excuse>), Problem> {
    let agent = caller.agent()?;
    let attempt = state.store.get_attempt(id).await?;
    if attempt.agent_id != Some(agent) {
        return Err(Problem::not_found("attempt"));
    }
    if !state
        .center
        .duties(attempt.debtor_id)
        .await?
        .may_ask_reason()
    {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "reason_forbidden",
            "a rule pack of the debtor forbids to ask why he did not pay",
        ));
    }
    if let Some(promise) = body.promise_id {
        let promise = state.store.get_promise(promise).await?;
        if promise.debtor_id != attempt.debtor_id {
            return Err(Problem::invalid(
                "promise_id",
                "expected a promise of the debtor",
            ));
        }
    }
    let row = Excuse {
        id: ExcuseId(state.id()),
        client_id: attempt.client_id,
        debtor_id: attempt.debtor_id,
        promise_id: body.promise_id,
        attempt_id: id,
        agent_id: Some(agent),
        kind: body.kind,
        at: state.now(),
    };
    let event = state.event(
        caller.actor(),
        Some(row.client_id),
        "excuse.logged",
        format!("debtor:{}", row.debtor_id),
        json!({"excuse_id": row.id, "excuse": row.kind, "promise_id": row.promise_id,
            "attempt_id": id}),
    );
    state.store.add_excuse(&row, &[event]).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// A debtor's, newest first, at most 200.
#[utoipa::path(get, path = "/excuses", tag = "plans", params(ExcusesQuery),
    responses((status = 200, description = "Newest first", body = Items<doc::Excuse>), (status = 404, body = doc::Problem)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ExcusesQuery>,
) -> Result<Json<Items<Excuse>>, Problem> {
    let debtor = state.own_debtor(&caller, query.debtor).await?;
    let rows = state.store.excuses_of(debtor.id, EXCUSES_SHOWN).await?;
    Ok(Json(Items::all(rows)))
}

/// A client's excuses by kind over any time.
#[utoipa::path(get, path = "/reports/excuses", tag = "plans", params(CountsQuery),
    responses((status = 200, description = "By kind", body = Items<ExcuseCount>)))]
async fn counts(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<CountsQuery>,
) -> Result<Json<Items<ExcuseCount>>, Problem> {
    caller.narrow(Some(query.client))?;
    let counts = state
        .store
        .excuse_counts(query.client, query.since, query.until);
    let counts = counts.await?.into_iter();
    let items = counts
        .map(|(kind, count)| ExcuseCount { kind, count })
        .collect();
    Ok(Json(Items::all(items)))
}
