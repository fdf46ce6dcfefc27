//! Strategies: written, put to work, compared.

use super::{listed, narrowed};
use crate::auth::Caller;
use crate::extract::{Body, Id, Params};
use crate::list::{Items, ListQuery};
use crate::problem::Problem;
use crate::routes::reports::rates_of;
use crate::{ApiState, check, doc, tenant};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::{Strategy, StrategyStatus, StrategyStep, StrategyTrigger};
use domain::ids::{ClientId, StrategyId};
use domain::money::Currency;
use domain::ports::store::{PAGE_LIMIT_MAX, PageRequest, StrategyFigures};
use domain::rules::kpi::CostRates;
use domain::rules::strategy;
use domain::segment::{TEXT_MAX, parse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Millionths of a unit.
const MICRO: i64 = 1_000_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
        .routes(routes!(versions))
        .routes(routes!(activate))
        .routes(routes!(retire))
        .routes(routes!(figures))
}

/// A strategy as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyBody {
    /// Stays when a strategy is replaced.
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    name: String,
    #[schema(value_type = doc::StrategyTrigger)]
    trigger: StrategyTrigger,
    /// Segment expression; empty = all.
    #[serde(default)]
    segment: String,
    /// 1 to 40.
    #[schema(value_type = Vec<doc::StrategyStep>)]
    steps: Vec<StrategyStep>,
    /// The strategy that this one challenges.
    #[schema(value_type = Option<uuid::Uuid>)]
    champion_id: Option<StrategyId>,
    /// Share of the champion's debtors that a challenger takes, percent.
    #[serde(default)]
    share_pct: i32,
    /// The version that was read; another one in the database is 409 `version_conflict`.
    version: Option<i32>,
}

async fn checked(state: &ApiState, body: StrategyBody, row: &mut Strategy) -> Result<(), Problem> {
    if body.segment.chars().count() > TEXT_MAX {
        return Err(Problem::invalid(
            "segment",
            format!("expected at most {TEXT_MAX} characters"),
        ));
    }
    if !body.segment.trim().is_empty() {
        parse(&body.segment).map_err(|e| Problem::invalid("segment", e.to_string()))?;
    }
    row.name = check::name("name", &body.name)?;
    row.trigger = body.trigger;
    row.segment = body.segment.trim().to_owned();
    row.steps = body.steps;
    row.champion_id = body.champion_id;
    row.share_pct = body.share_pct;
    for (n, step) in row.steps.iter().enumerate() {
        if step.note.chars().count() > check::TEXT_MAX
            || step.template.chars().count() > check::NAME_MAX
        {
            let reason = "note or template: longer than may be";
            return Err(Problem::invalid(&format!("steps[{n}]"), reason));
        }
    }
    strategy::check(row).map_err(|fault| {
        let path = match fault.step {
            0 => "strategy".to_owned(),
            n => format!("steps[{}]", n - 1),
        };
        Problem::invalid(&path, fault.reason)
    })?;
    if let Some(champion) = row.champion_id {
        let champion = state.store.get_strategy(champion).await?;
        if champion.client_id != row.client_id || champion.champion_id.is_some() {
            let reason = "expected a champion of the same client";
            return Err(Problem::invalid("champion_id", reason));
        }
        if champion.trigger != row.trigger {
            let reason = "expected a champion with the same trigger";
            return Err(Problem::invalid("champion_id", reason));
        }
    }
    for (n, step) in row.steps.iter().enumerate() {
        let Some(campaign) = step.campaign_id else {
            continue;
        };
        if state.store.get_campaign(campaign).await?.client_id != row.client_id {
            let reason = "expected a campaign of the same client";
            return Err(Problem::invalid(&format!("steps[{n}].campaign_id"), reason));
        }
    }
    Ok(())
}

async fn save(
    state: &ApiState,
    caller: &Caller,
    row: Strategy,
    action: &str,
) -> Result<Strategy, Problem> {
    let subject = format!("strategy:{}", row.id);
    let event = state.audit(caller, Some(row.client_id), subject, action);
    state.store.put_strategy(&row, &[event]).await?;
    Ok(row)
}

/// A page, oldest first.
#[utoipa::path(get, path = "/strategies", tag = "messages", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<doc::Strategy>)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Items<Strategy>>, Problem> {
    let (client, page) = narrowed(&caller, query)?;
    let found = state.store.strategies(client, &page).await;
    listed(&state, &caller, found).await
}

/// One.
#[utoipa::path(get, path = "/strategies/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The strategy", body = doc::Strategy)))]
async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
) -> Result<Json<Strategy>, Problem> {
    let row = state.store.get_strategy(id).await?;
    Ok(Json(tenant::seen(&state, &caller, row).await?))
}

/// Writes a strategy; it plans nothing before it is put to work.
#[utoipa::path(post, path = "/strategies", tag = "messages", request_body = StrategyBody,
    responses((status = 201, description = "Made", body = doc::Strategy), (status = 422, body = doc::Problem)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<StrategyBody>,
) -> Result<(StatusCode, Json<Strategy>), Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let now = state.now();
    let mut row = Strategy {
        id: StrategyId(state.id()),
        client_id: body.client_id,
        name: String::new(),
        trigger: body.trigger,
        segment: String::new(),
        steps: Vec::new(),
        champion_id: None,
        share_pct: 0,
        status: StrategyStatus::Draft,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    checked(&state, body, &mut row).await?;
    let row = save(&state, &caller, row, "strategy.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a strategy; its version grows by one and the one before is kept. What is planned already stays.
#[utoipa::path(put, path = "/strategies/{id}", tag = "messages", params(("id" = uuid::Uuid, Path)),
    request_body = StrategyBody,
    responses((status = 200, description = "Changed", body = doc::Strategy), (status = 409, body = doc::Problem), (status = 422, body = doc::Problem)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
    Body(body): Body<StrategyBody>,
) -> Result<Json<Strategy>, Problem> {
    let row = state.store.get_strategy(id).await?;
    let mut row = tenant::seen(&state, &caller, row).await?;
    if body.version.is_some_and(|v| v != row.version) {
        let detail = format!("version {} is stored: read it again", row.version);
        return Err(Problem::conflict("version_conflict", detail));
    }
    if body.client_id != row.client_id {
        return Err(Problem::invalid(
            "client_id",
            "expected the strategy's client",
        ));
    }
    checked(&state, body, &mut row).await?;
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    Ok(Json(save(&state, &caller, row, "strategy.changed").await?))
}

/// Every version of a strategy, oldest first.
#[utoipa::path(get, path = "/strategies/{id}/versions", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "All of them", body = Items<doc::Strategy>)))]
async fn versions(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
) -> Result<Json<Items<Strategy>>, Problem> {
    let row = state.store.get_strategy(id).await?;
    tenant::seen(&state, &caller, row).await?;
    let rows = state.store.strategy_versions(id).await?;
    Ok(Json(Items::all(rows)))
}

async fn put_to(
    state: &ApiState,
    caller: &Caller,
    id: StrategyId,
    (status, action): (StrategyStatus, &str),
) -> Result<Json<Strategy>, Problem> {
    let row = state.store.get_strategy(id).await?;
    let mut row = tenant::seen(state, caller, row).await?;
    caller.may_write(row.client_id)?;
    if row.status == status {
        return Ok(Json(row));
    }
    row.status = status;
    row.version = row.version.saturating_add(1);
    row.updated_at = state.now();
    Ok(Json(save(state, caller, row, action).await?))
}

/// Puts a strategy to work: from now on it plans a day ahead.
#[utoipa::path(post, path = "/strategies/{id}/activate", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "It plans", body = doc::Strategy), (status = 422, body = doc::Problem)))]
async fn activate(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
) -> Result<Json<Strategy>, Problem> {
    let row = state.store.get_strategy(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    for (n, step) in row.steps.iter().enumerate() {
        if step.template.is_empty() {
            continue;
        }
        let named = state
            .store
            .templates_named(row.client_id, &step.template)
            .await?;
        let missing = step
            .channels
            .iter()
            .find(|c| named.iter().all(|t| t.channel != **c));
        if let Some(channel) = missing {
            let reason = format!("there is no template of that name for {channel}");
            return Err(Problem::invalid(&format!("steps[{n}].template"), reason));
        }
    }
    put_to(
        &state,
        &caller,
        id,
        (StrategyStatus::Active, "strategy.activated"),
    )
    .await
}

/// Takes a strategy out of work; what it has planned stays.
#[utoipa::path(post, path = "/strategies/{id}/retire", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "It plans no more", body = doc::Strategy)))]
async fn retire(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
) -> Result<Json<Strategy>, Problem> {
    put_to(
        &state,
        &caller,
        id,
        (StrategyStatus::Retired, "strategy.retired"),
    )
    .await
}

/// An amount of one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sum {
    currency: String,
    /// Minor units of what was paid, millionths of what was spent.
    amount: i64,
}

/// Messages in one state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateCount {
    state: String,
    messages: u64,
}

/// What one arm did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArmFigures {
    #[schema(value_type = uuid::Uuid)]
    strategy_id: StrategyId,
    name: String,
    champion: bool,
    /// Share of the debtors, percent.
    share_pct: i32,
    messages: Vec<StateCount>,
    /// Debtors for whom a step came due: carried out, refused by the law, or taken back after its instant.
    debtors: u64,
    /// Of them, who paid more than was taken back, of money dated since their first step.
    payers: u64,
    /// What they paid since then, less what was taken back of it, minor units.
    paid: Vec<Sum>,
    /// What messages cost by their gateways and calls by the client's rate of an attempt, millionths.
    cost: Vec<Sum>,
}

/// What the messages cost, and the calls by the client's rate of an attempt, millionths.
fn costs(figures: &StrategyFigures, rates: CostRates) -> Vec<(Currency, i64)> {
    let mut sums: BTreeMap<Currency, i64> = figures.cost.iter().copied().collect();
    for (currency, calls) in &figures.calls {
        let unit = MICRO / 10_i64.pow(currency.minor_digits());
        let calls = i64::try_from(*calls).unwrap_or(i64::MAX);
        let micro = rates
            .attempt_minor
            .saturating_mul(unit)
            .saturating_mul(calls);
        if micro > 0 {
            let sum = sums.entry(*currency).or_default();
            *sum = sum.saturating_add(micro);
        }
    }
    sums.into_iter().collect()
}

fn arm(row: &Strategy, share_pct: i32, figures: StrategyFigures, rates: CostRates) -> ArmFigures {
    let cost = costs(&figures, rates);
    let sums = |rows: Vec<(Currency, i64)>| {
        rows.into_iter()
            .map(|(currency, amount)| Sum {
                currency: currency.to_string(),
                amount,
            })
            .collect()
    };
    ArmFigures {
        strategy_id: row.id,
        name: row.name.clone(),
        champion: row.champion_id.is_none(),
        share_pct,
        messages: figures
            .messages
            .into_iter()
            .map(|(state, messages)| StateCount { state, messages })
            .collect(),
        debtors: figures.debtors,
        payers: figures.payers,
        paid: sums(figures.paid),
        cost: sums(cost),
    }
}

/// Champion and challengers side by side.
#[utoipa::path(get, path = "/strategies/{id}/figures", tag = "messages", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The arms, champion first", body = Vec<ArmFigures>)))]
async fn figures(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<StrategyId>,
) -> Result<Json<Vec<ArmFigures>>, Problem> {
    let row = state.store.get_strategy(id).await?;
    let row = tenant::seen(&state, &caller, row).await?;
    let champion = match row.champion_id {
        Some(id) => state.store.get_strategy(id).await?,
        None => row,
    };
    let page = PageRequest {
        limit: PAGE_LIMIT_MAX,
        cursor: None,
    };
    let all = state
        .store
        .strategies(Some(champion.client_id), &page)
        .await?;
    let rivals: Vec<Strategy> = all
        .items
        .into_iter()
        .filter(|s| s.champion_id == Some(champion.id) && s.status != StrategyStatus::Draft)
        .collect();
    let active = |s: &&Strategy| s.status == StrategyStatus::Active;
    let given: i32 = rivals.iter().filter(active).map(|s| s.share_pct).sum();
    let rates = rates_of(&state, champion.client_id).await?;
    let of = state.store.strategy_figures(champion.id).await?;
    let mut arms = vec![arm(&champion, 100 - given.min(100), of, rates)];
    for rival in &rivals {
        let of = state.store.strategy_figures(rival.id).await?;
        arms.push(arm(rival, rival.share_pct, of, rates));
    }
    Ok(Json(arms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_cost_an_attempt_each_beside_what_messages_cost() {
        let currency = |code: &str| -> Currency { code.parse().expect("a currency") };
        let figures = StrategyFigures {
            cost: vec![(currency("MXN"), 350_000)],
            calls: vec![(currency("CLP"), 1), (currency("MXN"), 2)],
            ..StrategyFigures::default()
        };
        let rates = CostRates {
            attempt_minor: 12,
            minute_minor: 85,
        };
        let found = costs(&figures, rates);
        let want = [
            (currency("CLP"), 12_000_000),
            (currency("MXN"), 350_000 + 240_000),
        ];
        assert_eq!(found, want);
        let free = costs(&figures, CostRates::default());
        assert_eq!(free, [(currency("MXN"), 350_000)], "no rate, no cost");
    }
}
