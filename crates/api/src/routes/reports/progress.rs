//! Where goals stand: reached, gap, what each working day left must bring.

use super::ask::{agents_of, period, portfolio_of};
use super::goals::GoalShape;
use crate::ApiState;
use crate::auth::Caller;
use crate::extract::Params;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use domain::entity::{Goal, GoalKind};
use domain::ids::ClientId;
use domain::ports::store::{ListFilter, PAGE_LIMIT_MAX, PageRequest};
use domain::rules::ageing::{day_of, working_days};
use domain::rules::goal::{GoalProgress, progress};
use domain::rules::kpi::{CostRates, KpiAsk, KpiRows};
use domain::segment::day_of_date;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most goals of one answer; each is counted anew.
const GOALS_MAX: u32 = 50;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(mine))
}

/// Whose goals.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProgressQuery {
    /// Only this client's.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

/// A goal and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standing {
    goal: GoalShape,
    /// Reached so far.
    done: i64,
    /// Still missing.
    gap: i64,
    /// Reached, hundredths of a percent.
    pct_bp: i64,
    /// Working days of the period: neither weekend nor public holiday.
    days: i64,
    /// Of them left, today counted.
    days_left: i64,
    /// What each working day left must bring.
    needed_daily: i64,
    /// Where it ends at the pace so far; null before its first working day.
    run_rate: Option<i64>,
    /// Reached today.
    today: i64,
}

/// Goals of today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standings {
    items: Vec<Standing>,
    /// There are more goals than are counted here.
    more: bool,
}

const fn counted(kind: GoalKind) -> KpiRows {
    match kind {
        GoalKind::Amount => KpiRows::Payments,
        GoalKind::Promises => KpiRows::PromisesMade,
        GoalKind::Rpc => KpiRows::Talks,
    }
}

/// Country of a client's debtors, by the first of them.
async fn country_of(state: &ApiState, goal: &Goal) -> Result<Option<String>, Problem> {
    let filter = ListFilter {
        client_id: Some(goal.client_id),
        portfolio_id: goal.portfolio_id,
        ..ListFilter::default()
    };
    let one = PageRequest {
        limit: 1,
        cursor: None,
    };
    let found = state.store.list_debtors(&filter, &one).await?;
    Ok(found.items.into_iter().next().map(|d| d.country))
}

async fn sum(state: &ApiState, goal: &Goal, ask: &KpiAsk) -> Result<i64, Problem> {
    let sums = state.store.kpi_sums(counted(goal.kind), ask).await?;
    Ok(match goal.kind {
        GoalKind::Amount => sums.amount,
        GoalKind::Promises | GoalKind::Rpc => sums.rows,
    })
}

async fn standing(state: &ApiState, goal: Goal) -> Result<Standing, Problem> {
    let portfolio = portfolio_of(state, goal.client_id, goal.portfolio_id).await?;
    let zone = portfolio.as_ref().map_or("UTC", |p| p.zone.as_str());
    let zone = domain::time::zone(zone).map_err(|_| Problem::internal())?;
    let today = day_of(state.now().in_zone(&zone).date());
    let number = |day: &str| day_of_date(day).unwrap_or(today);
    let (from, to) = (number(&goal.from_day), number(&goal.to_day) + 1);
    let ask = KpiAsk {
        client: goal.client_id,
        portfolio: goal.portfolio_id,
        campaign: None,
        agents: agents_of(state, goal.team_id, goal.agent_id).await?,
        currency: goal.currency,
        period: period(from, to, &zone),
        rates: CostRates::default(),
    };
    let done = sum(state, &goal, &ask).await?;
    let of_today = KpiAsk {
        period: period(today, today + 1, &zone),
        ..ask
    };
    let today_done = sum(state, &goal, &of_today).await?;
    let country = country_of(state, &goal).await?;
    let off = |date: Date| {
        let country = country.as_deref();
        country.is_some_and(|c| state.center.holiday_of(c, &date.to_string()).is_some())
    };
    let days = working_days(from, to, &off);
    let over = working_days(from, today.clamp(from, to), &off);
    let now = if (from..to).contains(&today) {
        working_days(today, today + 1, &off)
    } else {
        0
    };
    let p: GoalProgress = progress(done, goal.target, days, over, now);
    Ok(Standing {
        goal: goal.into(),
        done: p.done,
        gap: p.gap,
        pct_bp: p.pct_bp,
        days: p.days,
        days_left: p.days_left,
        needed_daily: p.needed_daily,
        run_rate: p.run_rate,
        today: today_done,
    })
}

/// Goals of a client on its local day.
async fn of_today(state: &ApiState, client: ClientId, most: u32) -> Result<Vec<Goal>, Problem> {
    let portfolio = portfolio_of(state, client, None).await?;
    let zone = portfolio.as_ref().map_or("UTC", |p| p.zone.as_str());
    let zone = domain::time::zone(zone).map_err(|_| Problem::internal())?;
    let today = state.now().in_zone(&zone).date().to_string();
    Ok(state.store.goals(client, Some(&today), None, most).await?)
}

async fn standings(state: &ApiState, mut goals: Vec<Goal>) -> Result<Json<Standings>, Problem> {
    let more = goals.len() > GOALS_MAX as usize;
    goals.truncate(GOALS_MAX as usize);
    let mut items = Vec::with_capacity(goals.len());
    for goal in goals {
        items.push(standing(state, goal).await?);
    }
    Ok(Json(Standings { items, more }))
}

/// Clients whose goals the caller sees.
async fn clients_of(state: &ApiState, caller: &Caller) -> Result<Vec<ClientId>, Problem> {
    if let Some(own) = caller.client {
        return Ok(vec![own]);
    }
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let found = state
        .store
        .list_clients(&ListFilter::default(), &page)
        .await?;
    Ok(found.items.into_iter().map(|c| c.id).collect())
}

/// Where the goals of today stand, at most 50.
#[utoipa::path(get, path = "/goals/progress", tag = "reports", params(ProgressQuery),
    responses((status = 200, description = "The goals", body = Standings)))]
async fn all(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ProgressQuery>,
) -> Result<Json<Standings>, Problem> {
    let clients = match caller.narrow(query.client)? {
        Some(client) => vec![client],
        None => clients_of(&state, &caller).await?,
    };
    let mut goals = Vec::new();
    for client in clients {
        if goals.len() <= GOALS_MAX as usize {
            goals.extend(of_today(&state, client, GOALS_MAX + 1).await?);
        }
    }
    standings(&state, goals).await
}

/// Where the agent's own goals and those of his team stand today.
#[utoipa::path(get, path = "/agents/me/goals", tag = "reports",
    responses((status = 200, description = "The goals", body = Standings)))]
async fn mine(State(state): State<ApiState>, caller: Caller) -> Result<Json<Standings>, Problem> {
    let agent = caller.agent()?;
    let team = state.store.get_agent(agent).await?.team_id;
    let is_mine = |goal: &Goal| {
        goal.agent_id == Some(agent) || (goal.team_id.is_some() && goal.team_id == team)
    };
    let mut goals = Vec::new();
    for client in clients_of(&state, &caller).await? {
        let all = of_today(&state, client, PAGE_LIMIT_MAX).await?;
        goals.extend(all.into_iter().filter(is_mine));
    }
    standings(&state, goals).await
}
