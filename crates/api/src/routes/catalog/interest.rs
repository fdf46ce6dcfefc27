//! The rule by which a portfolio accrues interest, where the creditor brings no figure of his.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{CAP_BP_MAX, Debt, GRACE_DAYS_MAX, InterestRule, Portfolio, RATE_BP_MAX};
use domain::ids::{InterestRuleId, PortfolioId};
use domain::ports::store::RuleRefusal;
use domain::rules::ageing::{date_of_day, day_of};
use domain::segment::day_of_date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, add))
}

/// A rule: simple interest on the principal, for each day past due behind the days of grace.
#[derive(Serialize, ToSchema)]
pub(crate) struct InterestRuleReply {
    #[schema(value_type = uuid::Uuid)]
    id: InterestRuleId,
    /// First day it holds, in the portfolio's zone; the latest one that has come is in force.
    #[schema(value_type = doc::Day)]
    from: String,
    /// Rate of a year, basis points; 0 = none.
    rate_bp: i32,
    /// Days of a year: 360 or 365.
    year_days: i32,
    /// First days past due that bear none.
    grace_days: i32,
    /// Most interest on a debt, basis points of its principal; null without a cap.
    cap_bp: Option<i32>,
    #[schema(value_type = doc::Instant)]
    made_at: domain::time::UtcMs,
}

/// The rules of a portfolio, by the day from which each holds; none = the creditor's own figures.
#[derive(Serialize, ToSchema)]
pub(crate) struct InterestRules {
    items: Vec<InterestRuleReply>,
}

/// A new rule, later than those that are there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInterestRule {
    /// Today, in the portfolio's zone, where it is not said; the first one may lie before.
    #[schema(value_type = Option<doc::Day>)]
    from: Option<String>,
    rate_bp: i32,
    year_days: i32,
    #[serde(default)]
    grace_days: i32,
    cap_bp: Option<i32>,
}

impl From<InterestRule> for InterestRuleReply {
    fn from(row: InterestRule) -> Self {
        let from = date_of_day(row.from_day).map(|day| day.to_string());
        Self {
            id: row.id,
            from: from.unwrap_or_default(),
            rate_bp: row.rate_bp,
            year_days: row.year_days,
            grace_days: row.grace_days,
            cap_bp: row.cap_bp,
            made_at: row.made_at,
        }
    }
}

async fn own_portfolio(
    state: &ApiState,
    caller: &Caller,
    id: PortfolioId,
) -> Result<Portfolio, Problem> {
    let portfolio = state.store.get_portfolio(id).await?;
    tenant::seen(state, caller, portfolio).await
}

/// A figure of interest that somebody writes on a debt of a portfolio with a rule is refused: it is the
/// creditor's figure or the rule's, never both.
pub(super) async fn check_figure(
    state: &ApiState,
    row: &Debt,
    written_minor: i64,
) -> Result<(), Problem> {
    let rules = state.store.interest_rules(row.portfolio_id).await?;
    if rules.is_empty() || written_minor == row.interest_minor {
        return Ok(());
    }
    let reason = format!(
        "interest of this portfolio is accrued by its own rule: expected {}",
        row.interest_minor
    );
    Err(Problem::invalid("interest_minor", reason))
}

/// Rules of a portfolio.
#[utoipa::path(get, path = "/portfolios/{id}/interest", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The rules", body = InterestRules)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PortfolioId>,
) -> Result<Json<InterestRules>, Problem> {
    let portfolio = own_portfolio(&state, &caller, id).await?;
    let rules = state.store.interest_rules(portfolio.id).await?;
    let items = rules.into_iter().map(InterestRuleReply::from).collect();
    Ok(Json(InterestRules { items }))
}

/// Adds a rule. The first one is refused while open debts bear interest that the creditor gave.
#[utoipa::path(post, path = "/portfolios/{id}/interest", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = NewInterestRule, responses((status = 201, description = "Made", body = InterestRuleReply)))]
async fn add(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<PortfolioId>,
    Body(body): Body<NewInterestRule>,
) -> Result<(StatusCode, Json<InterestRuleReply>), Problem> {
    let portfolio = own_portfolio(&state, &caller, id).await?;
    let zone = domain::time::zone(&portfolio.zone).map_err(|_| Problem::internal())?;
    let now = state.now();
    let today = day_of(now.in_zone(&zone).date());
    let from_day = match &body.from {
        None => today,
        Some(text) => {
            let day = check::day("from", text)?;
            day_of_date(&day).ok_or_else(Problem::internal)?
        }
    };
    let first = state.store.interest_rules(id).await?.is_empty();
    if !first && from_day < today {
        let reason = "expected today or later: what was accrued by another rule stays";
        return Err(Problem::invalid("from", reason));
    }
    if ![360, 365].contains(&body.year_days) {
        return Err(Problem::invalid("year_days", "expected 360 or 365"));
    }
    let cap_bp = body
        .cap_bp
        .map(|cap| check::range("cap_bp", cap, 0, CAP_BP_MAX))
        .transpose()?;
    let row = InterestRule {
        id: InterestRuleId(state.id()),
        client_id: portfolio.client_id,
        portfolio_id: portfolio.id,
        from_day,
        rate_bp: check::range("rate_bp", body.rate_bp, 0, RATE_BP_MAX)?,
        year_days: body.year_days,
        grace_days: check::range("grace_days", body.grace_days, 0, GRACE_DAYS_MAX)?,
        cap_bp,
        made_by: Some(caller.user),
        made_at: now,
    };
    let subject = format!("portfolio:{}", portfolio.id);
    let event = state.audit(&caller, Some(row.client_id), subject, "portfolio.interest");
    match state.store.add_interest_rule(&row, &[event]).await? {
        Ok(()) => Ok((StatusCode::CREATED, Json(row.into()))),
        Err(refusal @ RuleRefusal::CreditorsFigures) => {
            Err(Problem::conflict("creditors_interest", refusal.to_string()))
        }
        Err(refusal @ RuleRefusal::Past) => Err(Problem::invalid("from", refusal.to_string())),
    }
}
