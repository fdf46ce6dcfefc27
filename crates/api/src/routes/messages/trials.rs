//! Strategies on trial.

use super::cut;
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use center::{StrategyTrial, TRIAL_DAYS_MAX, TrialJob};
use domain::ids::{DebtorId, PortfolioId, StrategyId};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(read))
        .routes(routes!(removed))
}

/// Over what a strategy is tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialAsk {
    /// Absent: all of the client's.
    #[schema(value_type = Option<uuid::Uuid>)]
    portfolio_id: Option<PortfolioId>,
    /// Days ahead, 1–90; 30 when absent.
    days: Option<i64>,
}

/// A trial that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrialBegun {
    trial_id: Uuid,
}

/// Tries a strategy over the debts of the next days; nothing is planned. `GET /strategy-trials/{id}` has the
/// progress and the result.
#[utoipa::path(post, path = "/strategies/{id}/trial", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = TrialAsk, responses((status = 202, description = "Begun", body = TrialBegun)))]
async fn begin(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
    Body(body): Body<TrialAsk>,
) -> Result<(StatusCode, Json<TrialBegun>), Problem> {
    let row = state.store.get_strategy(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    if let Some(portfolio) = body.portfolio_id {
        let portfolio = state.store.get_portfolio(portfolio).await?;
        if portfolio.client_id != row.client_id {
            let reason = "expected a portfolio of the strategy's client";
            return Err(Problem::invalid("portfolio_id", reason));
        }
    }
    let days = check::range("days", body.days.unwrap_or(30), 1, TRIAL_DAYS_MAX)?;
    let trial_id = state.center.try_strategy(row, body.portfolio_id, days);
    Ok((StatusCode::ACCEPTED, Json(TrialBegun { trial_id })))
}

/// One day by one way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrialDayView {
    #[schema(value_type = doc::Day)]
    date: String,
    /// Channel of a message, or the action.
    way: String,
    made: u64,
    /// Of them, moved by the law to a later instant.
    moved: u64,
    /// Taken out by the law.
    removed: u64,
}

/// What a channel costs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrialCostView {
    channel: String,
    messages: u64,
    /// Millionths of the currency.
    cost_micro: i64,
    /// Null: free, or not known.
    currency: Option<String>,
}

/// What a rule takes out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrialRuleView {
    rule: String,
    es: String,
    en: String,
    steps: u64,
}

/// A trial.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrialView {
    #[schema(value_type = uuid::Uuid)]
    strategy_id: StrategyId,
    version: i32,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// Dates looked at.
    done: u64,
    /// Dates in all; 0 = not known yet.
    all: u64,
    days: Vec<TrialDayView>,
    costs: Vec<TrialCostView>,
    rules: Vec<TrialRuleView>,
    debtors: u64,
    /// There were more dates than a trial looks at.
    cut: bool,
}

async fn found(
    state: &ApiState,
    caller: &Caller,
    id: Uuid,
) -> Result<(domain::entity::Strategy, Arc<TrialJob>), Problem> {
    let (strategy, job) = state
        .center
        .strategy_trial(id)
        .ok_or_else(|| Problem::not_found("trial"))?;
    Ok((tenant::seen(state, caller, strategy).await?, job))
}

fn view(strategy: &domain::entity::Strategy, job: &TrialJob) -> TrialView {
    let result = job.result();
    let state = match (&result, job.failed()) {
        (Some(_), _) => "done",
        (None, true) => "failed",
        (None, false) => "running",
    };
    let StrategyTrial {
        days,
        costs,
        rules,
        debtors,
        cut,
        ..
    } = result.unwrap_or_default();
    let day = |d: center::TrialDay| TrialDayView {
        date: d.date,
        way: d.way,
        made: d.made,
        moved: d.moved,
        removed: d.removed,
    };
    let cost = |c: center::TrialCost| TrialCostView {
        channel: c.channel.to_string(),
        messages: c.messages,
        cost_micro: c.cost_micro,
        currency: c.currency.map(|x| x.to_string()),
    };
    let rule = |r: center::TrialRule| TrialRuleView {
        rule: r.rule,
        es: r.es,
        en: r.en,
        steps: r.steps,
    };
    TrialView {
        strategy_id: strategy.id,
        version: strategy.version,
        state,
        done: job.done.load(Ordering::Relaxed),
        all: job.all.load(Ordering::Relaxed),
        days: days.into_iter().map(day).collect(),
        costs: costs.into_iter().map(cost).collect(),
        rules: rules.into_iter().map(rule).collect(),
        debtors,
        cut,
    }
}

/// Progress and result of a trial; the node that began it remembers the last few.
#[utoipa::path(get, path = "/strategy-trials/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The trial", body = TrialView), (status = 404, body = doc::Problem)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<Uuid>,
) -> Result<Json<TrialView>, Problem> {
    let (strategy, job) = found(&state, &caller, id).await?;
    Ok(Json(view(&strategy, &job)))
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemovedQuery {
    /// Rows wanted, 1–500; 50 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A step that the law takes out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedView {
    #[schema(value_type = uuid::Uuid)]
    debtor_id: DebtorId,
    step: String,
    #[schema(value_type = doc::Instant)]
    due_at: UtcMs,
    rule: String,
    #[serde(skip)]
    place: usize,
}

/// Steps that the law takes out, at most 5,000.
#[utoipa::path(get, path = "/strategy-trials/{id}/removed", tag = "messages", params(("id" = uuid::Uuid, Path), RemovedQuery),
    responses((status = 200, description = "A page", body = Items<RemovedView>)))]
async fn removed(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<Uuid>,
    Params(query): Params<RemovedQuery>,
) -> Result<Json<Items<RemovedView>>, Problem> {
    let (_, job) = found(&state, &caller, id).await?;
    let wanted = page_request(query.limit, query.cursor)?;
    let from: usize = super::before(wanted.cursor.as_deref())?.unwrap_or(0);
    let all = job.result().unwrap_or_default().removed;
    let rows = all.into_iter().enumerate().skip(from);
    let rows = rows
        .take(wanted.limit as usize + 1)
        .map(|(n, row)| RemovedView {
            debtor_id: row.debtor_id,
            step: row.step,
            due_at: row.due_at,
            rule: row.rule,
            place: n + 1,
        })
        .collect();
    Ok(Json(cut(rows, wanted.limit, |r: &RemovedView| {
        r.place.to_string()
    })))
}
