//! Steps of strategies that a person carries out.

use super::cut;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{PlannedState, PlannedStep, StepAction};
use domain::ids::{ClientId, DebtorId, PlannedStepId};
use domain::ports::store::StepAsk;
use domain::time::UtcMs;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(end))
}

/// Which steps.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StepQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only this debtor's.
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    /// Only in this state.
    #[param(value_type = Option<doc::PlannedState>)]
    state: Option<PlannedState>,
    /// Only this action.
    #[param(value_type = Option<doc::StepAction>)]
    action: Option<StepAction>,
    /// Due at or before.
    #[param(value_type = Option<doc::Instant>)]
    until: Option<UtcMs>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn after(cursor: &str) -> Result<(UtcMs, PlannedStepId), Problem> {
    let (at, id) = cursor.split_once('~').ok_or_else(bad_cursor)?;
    Ok((
        UtcMs(at.parse().map_err(|_| bad_cursor())?),
        id.parse().map_err(|_| bad_cursor())?,
    ))
}

/// Planned steps that are no messages, next first.
#[utoipa::path(get, path = "/planned-steps", tag = "messages", params(StepQuery),
    responses((status = 200, description = "A page", body = Items<doc::PlannedStep>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<StepQuery>,
) -> Result<Json<Items<PlannedStep>>, Problem> {
    let wanted = page_request(query.limit, query.cursor)?;
    let ask = StepAsk {
        client: caller.narrow(query.client)?,
        debtor: query.debtor,
        state: query.state,
        action: query.action,
        until: query.until,
        after: wanted.cursor.as_deref().map(after).transpose()?,
        limit: wanted.limit + 1,
    };
    let rows = state.store.steps_page(&ask).await?;
    Ok(Json(cut(rows, wanted.limit, |s: &PlannedStep| {
        format!("{}~{}", s.due_at.0, s.id)
    })))
}

/// How a step ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepEnd {
    /// True: it was done; false: it is not to be done.
    done: bool,
    /// Without personal data.
    note: String,
}

/// Ends a planned step by hand.
#[utoipa::path(post, path = "/planned-steps/{id}/end", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = StepEnd,
    responses((status = 204, description = "Ended"), (status = 409, body = doc::Problem)))]
async fn end(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlannedStepId>,
    Body(body): Body<StepEnd>,
) -> Result<StatusCode, Problem> {
    let row = state.store.get_step(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    caller.may_write(row.client_id)?;
    let note = check::text("note", &body.note, check::TEXT_MAX)?;
    let to = if body.done {
        PlannedState::Done
    } else {
        PlannedState::Cancelled
    };
    let subject = format!("planned_step:{id}");
    let action = "planned_step.ended";
    let event = state.audit(&caller, Some(row.client_id), subject, action);
    let by = caller.actor();
    let done = state
        .store
        .end_step(id, to, &note, &by, state.now(), &[event])
        .await?;
    if done {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::conflict("step_ended", "it has ended already"))
}
