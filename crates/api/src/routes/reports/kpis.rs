//! Figures with numerator and denominator, over time, and the rows they open to.

use super::ask::{Asked, KpiQuery, period, rates_of};
use crate::auth::Caller;
use crate::extract::{Body, Params};
use crate::list::{bad_cursor, page_request};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::{Path, State};
use domain::ids::{AgentId, ClientId, DebtorId};
use domain::money::Currency;
use domain::ports::store::KpiPage;
use domain::rules::ageing::{date_of_day, day_of};
use domain::rules::kpi::{
    ATTRIBUTION_DAYS, CostRates, Kpi, KpiAsk, KpiForm, KpiPeriod, KpiRows, KpiSum, KpiSums, Side,
};
use domain::time::UtcMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most points of a series.
const POINTS_MAX: usize = 62;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(series))
        .routes(routes!(rows))
        .routes(routes!(costs, set_costs))
}

/// One half of a figure.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Half {
    /// Minor units for money; a number of rows, debtors or days otherwise.
    pub(super) value: i64,
    /// Kind of rows: `attempts`, `payments`, `overdue_start` and so on.
    #[schema(value_type = String)]
    rows: KpiRows,
    /// How they are summed: `rows`, `debtors`, `amount`, `weight`.
    #[schema(value_type = String)]
    sum: KpiSum,
}

/// A figure.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Figure {
    /// Its name in the vocabulary, as `rpc_rate`.
    #[schema(value_type = String)]
    pub(super) key: Kpi,
    /// `share`, `times`, `days`, `per_unit`, `per_hour` or `seconds`.
    #[schema(value_type = String)]
    pub(super) form: KpiForm,
    pub(super) numerator: Half,
    pub(super) denominator: Half,
    /// Numerator ÷ denominator; null where nothing is below.
    pub(super) value: Option<f64>,
}

/// Figures of a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    #[schema(value_type = doc::Day)]
    pub(super) from: String,
    /// Both included.
    #[schema(value_type = doc::Day)]
    pub(super) to: String,
    /// Whose days they are.
    pub(super) zone: String,
    #[schema(value_type = doc::Currency)]
    pub(super) currency: Currency,
    /// By campaign, team or agent, money counts for the last conversation with the debtor at most this
    /// many days before it.
    attribution_days: i64,
    pub(super) items: Vec<Figure>,
    /// Figures that are not told for the question: those about debts by campaign, team or agent, those of
    /// agents' time by portfolio or campaign.
    #[schema(value_type = Vec<String>)]
    not_told: Vec<Kpi>,
    costs: Costs,
}

/// What contacts cost, minor units.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Costs {
    /// An attempt that left for the network.
    attempt_minor: i64,
    /// Each begun minute from answer to end.
    minute_minor: i64,
}

/// A figure over a slice of the period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    #[schema(value_type = doc::Day)]
    pub(super) from: String,
    #[schema(value_type = doc::Day)]
    pub(super) to: String,
    pub(super) numerator: i64,
    pub(super) denominator: i64,
    pub(super) value: Option<f64>,
}

/// A figure over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    #[schema(value_type = String)]
    key: Kpi,
    #[schema(value_type = String)]
    form: KpiForm,
    /// Days of each point but the last.
    step_days: i64,
    pub(super) items: Vec<Point>,
}

/// A row behind a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactRow {
    /// `attempt`, `promise`, `payment`, `debt` or `spell` (an agent's time in one state).
    noun: String,
    id: uuid::Uuid,
    /// Whom it is about; null for a spell.
    #[schema(value_type = Option<uuid::Uuid>)]
    debtor_id: Option<DebtorId>,
    /// The agent of a spell.
    #[schema(value_type = Option<uuid::Uuid>)]
    agent_id: Option<AgentId>,
    /// The client's key of the debtor, or the agent's name.
    external_ref: String,
    #[schema(value_type = doc::Instant)]
    at: UtcMs,
    /// Minor units; 0 for attempts.
    amount_minor: i64,
    /// What is summed when the half's `sum` is `weight`.
    weight: i64,
}

/// A page of the rows behind a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactPage {
    items: Vec<FactRow>,
    next_cursor: Option<String>,
}

pub(super) fn date(day: i64) -> String {
    date_of_day(day).map_or_else(String::new, |d| d.to_string())
}

/// Sums of the kinds of rows that figures need, each asked once.
async fn sums(
    state: &ApiState,
    ask: &KpiAsk,
    kpis: &[Kpi],
) -> Result<BTreeMap<KpiRows, KpiSums>, Problem> {
    let mut found = BTreeMap::new();
    for kpi in kpis {
        let def = kpi.def();
        for rows in [def.numerator.rows, def.denominator.rows] {
            if let Entry::Vacant(place) = found.entry(rows) {
                place.insert(state.store.kpi_sums(rows, ask).await?);
            }
        }
    }
    Ok(found)
}

fn half(side: Side, sums: &BTreeMap<KpiRows, KpiSums>) -> Half {
    Half {
        value: sums.get(&side.rows).map_or(0, |s| s.get(side.sum)),
        rows: side.rows,
        sum: side.sum,
    }
}

/// All figures that can be told for the question.
pub(super) async fn figures(state: &ApiState, asked: &Asked) -> Result<Figures, Problem> {
    let told = |kpi: &&Kpi| kpi.told(&asked.ask);
    let kpis: Vec<Kpi> = Kpi::ALL.iter().filter(told).copied().collect();
    let sums = sums(state, &asked.ask, &kpis).await?;
    let items = kpis.iter().map(|key| {
        let def = key.def();
        let (numerator, denominator) = (half(def.numerator, &sums), half(def.denominator, &sums));
        Figure {
            key: *key,
            form: def.form,
            value: def.form.value(numerator.value, denominator.value),
            numerator,
            denominator,
        }
    });
    let period = &asked.ask.period;
    Ok(Figures {
        from: date(period.from_day),
        to: date(period.to_day - 1),
        zone: asked.zone_name.clone(),
        currency: asked.ask.currency,
        attribution_days: ATTRIBUTION_DAYS,
        items: items.collect(),
        not_told: Kpi::ALL.iter().filter(|k| !told(k)).copied().collect(),
        costs: Costs {
            attempt_minor: asked.ask.rates.attempt_minor,
            minute_minor: asked.ask.rates.minute_minor,
        },
    })
}

/// A figure by its name; one that the question does not let be told is named.
fn kpi(name: &str, asked: &Asked) -> Result<Kpi, Problem> {
    let kpi: Kpi = name.parse().map_err(|_| Problem::not_found("figure"))?;
    if !kpi.told(&asked.ask) {
        let reason = if kpi.has_author() {
            format!("{kpi} is of agents' time: leave portfolio and campaign out")
        } else {
            format!("{kpi} is told by portfolio only: leave campaign, team and agent out")
        };
        return Err(Problem::bad_request("bad_query", reason));
    }
    Ok(kpi)
}

/// Figures with numerator and denominator.
#[utoipa::path(get, path = "/reports/kpis", tag = "reports", params(KpiQuery),
    responses((status = 200, description = "The figures", body = Figures)))]
async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<KpiQuery>,
) -> Result<Json<Figures>, Problem> {
    let asked = query.read(&state, &caller).await?;
    Ok(Json(figures(&state, &asked).await?))
}

/// Slices of a period of at most `POINTS_MAX`.
fn slices(whole: &KpiPeriod, step: i64) -> Vec<(i64, i64)> {
    let mut from = whole.from_day;
    let mut found = Vec::new();
    while from < whole.to_day {
        let to = (from + step).min(whole.to_day);
        found.push((from, to));
        from = to;
    }
    found
}

/// A figure over time, in slices of `step_days`; slices behind today are left out.
pub(super) async fn over_time(
    state: &ApiState,
    asked: &Asked,
    key: Kpi,
    step_days: i64,
) -> Result<Series, Problem> {
    let def = key.def();
    let today = day_of(state.now().in_zone(&asked.zone).date());
    let mut items = Vec::new();
    for (from, to) in slices(&asked.ask.period, step_days) {
        if from > today {
            break;
        }
        let ask = KpiAsk {
            period: period(from, to, &asked.zone),
            ..asked.ask.clone()
        };
        let sums = sums(state, &ask, &[key]).await?;
        let numerator = half(def.numerator, &sums).value;
        let denominator = half(def.denominator, &sums).value;
        items.push(Point {
            from: date(from),
            to: date(to - 1),
            numerator,
            denominator,
            value: def.form.value(numerator, denominator),
        });
    }
    Ok(Series {
        key,
        form: def.form,
        step_days,
        items,
    })
}

/// Days of a slice: what was asked, or the fewest that keep the series short.
pub(super) fn step(asked: Option<i64>, period: &KpiPeriod) -> Result<i64, Problem> {
    let days = period.to_day - period.from_day;
    let most = i64::try_from(POINTS_MAX).unwrap_or(i64::MAX);
    let least = (days + most - 1) / most;
    let step = asked.unwrap_or(least.max(1));
    if step < least || step < 1 {
        return Err(Problem::bad_request(
            "bad_query",
            format!("step_days: expected at least {}", least.max(1)),
        ));
    }
    Ok(step)
}

/// One figure over time.
#[utoipa::path(get, path = "/reports/kpis/{key}/series", tag = "reports",
    params(("key" = String, Path), KpiQuery),
    responses((status = 200, description = "Its points", body = Series), (status = 404, body = doc::Problem)))]
async fn series(
    State(state): State<ApiState>,
    caller: Caller,
    Path(key): Path<String>,
    Params(query): Params<KpiQuery>,
) -> Result<Json<Series>, Problem> {
    let wanted = query.step_days;
    let asked = query.read(&state, &caller).await?;
    let key = kpi(&key, &asked)?;
    let step = step(wanted, &asked.ask.period)?;
    Ok(Json(over_time(&state, &asked, key, step).await?))
}

pub(super) fn after(cursor: &str) -> Result<(UtcMs, uuid::Uuid), Problem> {
    let (at, id) = cursor.split_once('~').ok_or_else(bad_cursor)?;
    let at = at.parse().map_err(|_| bad_cursor())?;
    Ok((UtcMs(at), id.parse().map_err(|_| bad_cursor())?))
}

/// The rows behind one half of a figure, by instant.
#[utoipa::path(get, path = "/reports/kpis/{key}/rows", tag = "reports",
    params(("key" = String, Path), KpiQuery),
    responses((status = 200, description = "A page", body = FactPage), (status = 404, body = doc::Problem)))]
async fn rows(
    State(state): State<ApiState>,
    caller: Caller,
    Path(key): Path<String>,
    Params(query): Params<KpiQuery>,
) -> Result<Json<FactPage>, Problem> {
    let wanted = page_request(query.limit, query.cursor.clone())?;
    let part = query.part.clone();
    let asked = query.read(&state, &caller).await?;
    let def = kpi(&key, &asked)?.def();
    let side = match part.as_deref() {
        None | Some("numerator") => def.numerator,
        Some("denominator") => def.denominator,
        Some(_) => {
            let reason = "part: expected numerator or denominator";
            return Err(Problem::bad_request("bad_query", reason));
        }
    };
    let page = KpiPage {
        weighted: side.sum == KpiSum::Weight,
        after: wanted.cursor.as_deref().map(after).transpose()?,
        limit: wanted.limit + 1,
    };
    let mut found = state.store.kpi_rows(side.rows, &asked.ask, &page).await?;
    let more = found.len() > wanted.limit as usize;
    found.truncate(wanted.limit as usize);
    let last = found.last().filter(|_| more);
    Ok(Json(FactPage {
        next_cursor: last.map(|r| format!("{}~{}", r.fact.at.0, r.fact.id)),
        items: found
            .into_iter()
            .map(|r| FactRow {
                noun: side.rows.noun().to_owned(),
                id: r.fact.id,
                debtor_id: (!side.rows.is_time()).then_some(r.fact.debtor_id),
                agent_id: side.rows.is_time().then_some(AgentId(r.fact.debtor_id.0)),
                external_ref: r.external_ref,
                at: r.fact.at,
                amount_minor: r.fact.amount,
                weight: r.fact.weight,
            })
            .collect(),
    }))
}

/// Whose costs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CostQuery {
    /// The client; the only one there is when absent.
    #[param(value_type = Option<uuid::Uuid>)]
    client: Option<ClientId>,
}

/// What a client's contacts are counted with; zeros until somebody sets them.
#[utoipa::path(get, path = "/reports/costs", tag = "reports", params(CostQuery),
    responses((status = 200, description = "The costs", body = Costs)))]
async fn costs(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<CostQuery>,
) -> Result<Json<Costs>, Problem> {
    let client = super::ask::client_of(&state, &caller, query.client).await?;
    let rates = rates_of(&state, client).await?;
    Ok(Json(Costs {
        attempt_minor: rates.attempt_minor,
        minute_minor: rates.minute_minor,
    }))
}

/// Costs as they are written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CostBody {
    #[schema(value_type = uuid::Uuid)]
    client_id: ClientId,
    /// Minor units of the client's currency.
    attempt_minor: i64,
    minute_minor: i64,
}

/// Sets what a client's contacts are counted with.
#[utoipa::path(put, path = "/reports/costs", tag = "reports", request_body = CostBody,
    responses((status = 200, description = "Set", body = Costs), (status = 422, body = doc::Problem)))]
async fn set_costs(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<CostBody>,
) -> Result<Json<Costs>, Problem> {
    caller.may_write(body.client_id)?;
    state.client_exists(body.client_id).await?;
    let rates = CostRates {
        attempt_minor: check::amount("attempt_minor", body.attempt_minor)?,
        minute_minor: check::amount("minute_minor", body.minute_minor)?,
    };
    let text = serde_json::to_string(&rates).map_err(|_| Problem::internal())?;
    let key = format!("costs:{}", body.client_id);
    let subject = format!("client:{}", body.client_id);
    let event = state.audit(&caller, Some(body.client_id), subject, "costs.set");
    state.store.append_events(&[event]).await?;
    state.store.put_setting(&key, &text).await?;
    Ok(Json(Costs {
        attempt_minor: rates.attempt_minor,
        minute_minor: rates.minute_minor,
    }))
}
