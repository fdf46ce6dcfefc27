//! Plans: drawn, answered, listed, ended.

use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, list_problem, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::{PlanDraw, PlanTermsAsk};
use domain::entity::{Plan, PlanFile, PlanState, Role};
use domain::ids::{AttemptId, ClientId, DebtId, DebtorId, PlanId};
use domain::ports::store::PlanFilter;
use domain::rules::offers::Conditions;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(answer))
        .routes(routes!(cancel))
}

/// Which plans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlansQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    #[param(value_type = Option<uuid::Uuid>)]
    debtor: Option<DebtorId>,
    #[param(value_type = Option<String>)]
    state: Option<PlanState>,
}

/// A plan to be drawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanBody {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    /// The agent's call; only supervisors and above draw without one.
    #[schema(value_type = Option<uuid::Uuid>)]
    attempt_id: Option<AttemptId>,
    /// The call's main debt when absent.
    #[schema(value_type = Option<uuid::Uuid>)]
    debt_id: Option<DebtId>,
    /// Key of an offer; or `conditions`.
    offer: Option<String>,
    /// `quita_pct`, `down_pct`, `instalments`, `first_in_days`, `every_days`, `freeze_interest`,
    /// `early_off_pct`, `early_days`.
    #[schema(value_type = Option<Value>)]
    conditions: Option<Conditions>,
    /// Why, when it is beyond the caller's own authority.
    reason: Option<String>,
}

impl PlanBody {
    fn ask(self, role: Role) -> Result<PlanDraw, Problem> {
        let terms = match (self.offer, self.conditions) {
            (Some(key), None) => PlanTermsAsk::Offer(check::name("offer", &key)?),
            (None, Some(own)) => PlanTermsAsk::Own(own),
            _ => {
                return Err(Problem::invalid(
                    "offer",
                    "expected either offer or conditions",
                ));
            }
        };
        let reason = self.reason.filter(|r| !r.trim().is_empty());
        Ok(PlanDraw {
            debtor: self.debtor_id,
            attempt: self.attempt_id,
            debt: self.debt_id,
            terms,
            reason: reason
                .map(|r| check::text("reason", &r, check::TEXT_MAX))
                .transpose()?,
            role,
        })
    }
}

/// A supervisor's answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody {
    yes: bool,
    /// Shown to the agent; without personal data.
    reason: String,
}

/// Why a plan is ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    /// Goes to the audit; without personal data.
    reason: String,
}

/// A plan that the caller may see: of his client, and for an agent his own.
pub(super) async fn own(
    state: &ApiState,
    caller: &Caller,
    id: PlanId,
) -> Result<PlanFile, Problem> {
    let mut file = state.store.get_plan(id).await?;
    file.plan = tenant::seen(state, caller, file.plan).await?;
    if caller.role == Role::Agent && file.plan.agent_id != caller.agent {
        return Err(Problem::not_found("plan"));
    }
    Ok(file)
}

/// Draws a plan: approved at once within the caller's authority, else `offered` until somebody with more
/// answers, which the agent's socket is told (`plan`).
#[utoipa::path(post, path = "/plans", tag = "plans", request_body = PlanBody,
    responses((status = 201, description = "Drawn", body = doc::PlanFile), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<PlanBody>,
) -> Result<(StatusCode, Json<PlanFile>), Problem> {
    state.own_debtor(&caller, body.debtor_id).await?;
    let ask = body.ask(caller.role)?;
    let file = state.center.draw_plan(caller.asks_as(), ask).await?;
    Ok((StatusCode::CREATED, Json(file)))
}

/// A page, oldest first.
#[utoipa::path(get, path = "/plans", tag = "plans", params(PlansQuery),
    responses((status = 200, description = "A page", body = Items<doc::Plan>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<PlansQuery>,
) -> Result<Json<Items<Plan>>, Problem> {
    let filter = PlanFilter {
        client_id: caller.narrow(query.client)?,
        debtor_id: query.debtor,
        state: query.state,
    };
    let page = page_request(query.limit, query.cursor)?;
    let page = state.store.plans_page(&filter, &page).await;
    Ok(Json(page.map_err(list_problem)?.into()))
}

/// One with its instalments.
#[utoipa::path(get, path = "/plans/{id}", tag = "plans", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The plan", body = doc::PlanFile), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlanId>,
) -> Result<Json<PlanFile>, Problem> {
    Ok(Json(own(&state, &caller, id).await?))
}

/// Answers an ask that waits.
#[utoipa::path(post, path = "/plans/{id}/answer", tag = "plans", params(("id" = uuid::Uuid, Path)),
    request_body = AnswerBody,
    responses((status = 200, description = "Answered", body = doc::Plan), (status = 409, body = doc::Problem)))]
async fn answer(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlanId>,
    Body(body): Body<AnswerBody>,
) -> Result<Json<Plan>, Problem> {
    own(&state, &caller, id).await?;
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let who = (caller.user, caller.role);
    let plan = state.center.answer_plan(who, id, body.yes, reason).await?;
    Ok(Json(plan))
}

/// Ends a plan.
#[utoipa::path(post, path = "/plans/{id}/cancel", tag = "plans", params(("id" = uuid::Uuid, Path)),
    request_body = CancelBody,
    responses((status = 200, description = "Ended", body = doc::Plan), (status = 409, body = doc::Problem)))]
async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PlanId>,
    Body(body): Body<CancelBody>,
) -> Result<Json<Plan>, Problem> {
    own(&state, &caller, id).await?;
    let reason = check::text("reason", &body.reason, check::TEXT_MAX)?;
    let plan = state
        .center
        .cancel_plan(caller.asks_as(), id, reason)
        .await?;
    Ok(Json(plan))
}
