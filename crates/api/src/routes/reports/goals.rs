//! Goals: set, changed, withdrawn.

use super::ask::client_of;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Goal, GoalKind};
use domain::ids::{AgentId, ClientId, GoalId, PortfolioId, TeamId};
use domain::money::Currency;
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest period of a goal, days.
const GOAL_MAX_DAYS: i64 = 366;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A goal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct GoalShape {
    #[schema(value_type = uuid::Uuid)]
    pub(super) id: GoalId,
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = Option<uuid::Uuid>)]
    portfolio_id: Option<PortfolioId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    /// `amount`, `promises` or `rpc`.
    #[schema(value_type = String)]
    kind: GoalKind,
    #[schema(value_type = doc::Currency)]
    currency: Currency,
    /// Minor units for `amount`.
    target: i64,
    #[schema(value_type = doc::Day)]
    from_day: String,
    /// Both included.
    #[schema(value_type = doc::Day)]
    to_day: String,
    #[schema(value_type = Option<doc::Instant>)]
    ended_at: Option<UtcMs>,
}

impl From<Goal> for GoalShape {
    fn from(goal: Goal) -> Self {
        Self {
            id: goal.id,
            client_id: goal.client_id,
            portfolio_id: goal.portfolio_id,
            team_id: goal.team_id,
            agent_id: goal.agent_id,
            kind: goal.kind,
            currency: goal.currency,
            target: goal.target,
            from_day: goal.from_day,
            to_day: goal.to_day,
            ended_at: goal.ended_at,
        }
    }
}

/// A goal as it is written. For a team or an agent, not for both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoalBody {
    /// Stays when a goal is replaced.
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    #[schema(value_type = Option<uuid::Uuid>)]
    portfolio_id: Option<PortfolioId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    /// `amount`, `promises` or `rpc`.
    #[schema(value_type = String)]
    kind: GoalKind,
    /// That of the client's first portfolio when absent.
    #[schema(value_type = Option<doc::Currency>)]
    currency: Option<Currency>,
    target: i64,
    #[schema(value_type = doc::Day)]
    from_day: String,
    #[schema(value_type = doc::Day)]
    to_day: String,
    /// Withdraws it.
    #[serde(default)]
    ended: bool,
}

/// Which goals.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GoalQuery {
    /// The client; the only one there is when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
    /// Only those of this local day.
    #[param(value_type = Option<doc::Day>)]
    on: Option<String>,
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn checked(
    state: &ApiState,
    caller: &Caller,
    body: &GoalBody,
    id: GoalId,
) -> Result<Goal, Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    if body.team_id.is_some() && body.agent_id.is_some() {
        return Err(Problem::invalid(
            "agent_id",
            "expected a team or an agent, not both",
        ));
    }
    if let Some(team) = body.team_id {
        let found = state.store.get_team(team).await;
        found.map_err(|_| Problem::invalid("team_id", "no such team"))?;
    }
    if let Some(agent) = body.agent_id {
        let found = state.store.get_agent(agent).await;
        found.map_err(|_| Problem::invalid("agent_id", "no such agent"))?;
    }
    let portfolio = super::ask::portfolio_of(state, body.client_id, body.portfolio_id).await;
    let portfolio = portfolio.map_err(|_| Problem::invalid("portfolio_id", "no such portfolio"))?;
    let currency = body.currency.or(portfolio.map(|p| p.currency));
    let currency =
        currency.ok_or_else(|| Problem::invalid("currency", "the client has no portfolio"))?;
    let from_day = check::day("from_day", &body.from_day)?;
    let to_day = check::day("to_day", &body.to_day)?;
    let number = |day: &str| domain::segment::day_of_date(day).unwrap_or(0);
    let days = number(&to_day) - number(&from_day) + 1;
    if !(1..=GOAL_MAX_DAYS).contains(&days) {
        let reason = "expected a day from from_day to 366 days behind it";
        return Err(Problem::invalid("to_day", reason));
    }
    let now = state.now();
    Ok(Goal {
        id,
        client_id: body.client_id,
        portfolio_id: body.portfolio_id,
        team_id: body.team_id,
        agent_id: body.agent_id,
        kind: body.kind,
        currency,
        target: check::range("target", body.target, 1, check::AMOUNT_MAX)?,
        from_day,
        to_day,
        ended_at: body.ended.then_some(now),
        created_at: now,
        updated_at: now,
    })
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    goal: Goal,
    action: &str,
) -> Result<GoalShape, Problem> {
    let client = Some(goal.client_id);
    let subject = format!("goal:{}", goal.id);
    let audit = state.audit(caller, client, subject.clone(), action);
    let data = serde_json::json!({
        "portfolio_id": goal.portfolio_id, "team_id": goal.team_id, "agent_id": goal.agent_id,
        "kind": goal.kind, "target": goal.target, "from_day": goal.from_day, "to_day": goal.to_day,
        "ended": goal.ended_at.is_some(),
    });
    let set = state.event(caller.actor(), client, "goal.set", subject, data);
    state.store.put_goal(&goal, &[set, audit]).await?;
    Ok(goal.into())
}

/// Goals of a client, oldest first; withdrawn ones are left out.
#[utoipa::path(get, path = "/goals", tag = "reports", params(GoalQuery),
    responses((status = 200, description = "A page", body = Items<GoalShape>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<GoalQuery>,
) -> Result<Json<Items<GoalShape>>, Problem> {
    let client = client_of(&state, &caller, query.client).await?;
    let on = query.on.map(|d| check::day("on", &d)).transpose()?;
    let page = page_request(query.limit, query.cursor)?;
    let after = page.cursor.map(|c| c.parse().map_err(|_| bad_cursor()));
    let found = state
        .store
        .goals(client, on.as_deref(), after.transpose()?, page.limit + 1);
    let mut found = found.await?;
    let more = found.len() > page.limit as usize;
    found.truncate(page.limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|g| g.id.to_string());
    Ok(Json(Items {
        items: found.into_iter().map(GoalShape::from).collect(),
        next_cursor,
    }))
}

/// Sets a goal.
#[utoipa::path(post, path = "/goals", tag = "reports", request_body = GoalBody,
    responses((status = 201, description = "Set", body = GoalShape), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<GoalBody>,
) -> Result<(StatusCode, Json<GoalShape>), Problem> {
    let goal = checked(&state, &caller, &body, GoalId(state.id())).await?;
    let goal = save(&state, &caller, goal, "goal.set").await?;
    Ok((StatusCode::CREATED, Json(goal)))
}

async fn own(state: &ApiState, caller: &Caller, id: GoalId) -> Result<Goal, Problem> {
    let goal = state.store.get_goal(id).await?;
    match caller.client {
        Some(client) if client != goal.client_id => Err(Problem::not_found("goal")),
        _ => Ok(goal),
    }
}

/// One.
#[utoipa::path(get, path = "/goals/{id}", tag = "reports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The goal", body = GoalShape)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<GoalId>,
) -> Result<Json<GoalShape>, Problem> {
    Ok(Json(own(&state, &caller, id).await?.into()))
}

/// Replaces or withdraws a goal.
#[utoipa::path(put, path = "/goals/{id}", tag = "reports", params(("id" = uuid::Uuid, Path)),
    request_body = GoalBody,
    responses((status = 200, description = "Changed", body = GoalShape), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<GoalId>,
    Body(body): Body<GoalBody>,
) -> Result<Json<GoalShape>, Problem> {
    let before = own(&state, &caller, id).await?;
    if before.client_id != body.client_id {
        return Err(Problem::invalid("client_id", "a goal keeps its client"));
    }
    let goal = Goal {
        created_at: before.created_at,
        ..checked(&state, &caller, &body, id).await?
    };
    Ok(Json(save(&state, &caller, goal, "goal.changed").await?))
}
