//! Figures as CSV: all of a period, or one over time.

use super::ask::KpiQuery;
use super::kpis::{figures, over_time, step};
use crate::auth::Caller;
use crate::extract::Params;
use crate::problem::Problem;
use crate::routes::history::sheet_line::sheet_line;
use crate::{ApiState, doc};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use domain::rules::kpi::Kpi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(all))
        .routes(routes!(one))
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{v:.6}"))
}

fn csv(text: String, name: &str) -> Response {
    let as_file = format!("attachment; filename=\"{name}.csv\"");
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, as_file),
    ];
    (head, text).into_response()
}

/// All figures of a period, one a line; no cell that a spreadsheet would run.
#[utoipa::path(get, path = "/export/kpis", tag = "reports", params(KpiQuery),
    responses((status = 200, description = "The lines", body = String, content_type = "text/csv")))]
async fn all(
    State(state): State<ApiState>,
    caller: Caller,
    Params(query): Params<KpiQuery>,
) -> Result<Response, Problem> {
    let asked = query.read(&state, &caller).await?;
    let found = figures(&state, &asked).await?;
    let mut text = sheet_line([
        "key",
        "form",
        "from",
        "to",
        "zone",
        "currency",
        "numerator",
        "denominator",
        "value",
    ]);
    for f in &found.items {
        text.push_str(&sheet_line([
            f.key.as_str(),
            f.form.as_str(),
            &found.from,
            &found.to,
            &found.zone,
            found.currency.as_str(),
            &f.numerator.value.to_string(),
            &f.denominator.value.to_string(),
            &cell(f.value),
        ]));
    }
    Ok(csv(text, "kpis"))
}

/// One figure over time, one slice a line.
#[utoipa::path(get, path = "/export/kpis/{key}", tag = "reports", params(("key" = String, Path), KpiQuery),
    responses((status = 200, description = "The lines", body = String, content_type = "text/csv"),
        (status = 404, body = doc::Problem)))]
async fn one(
    State(state): State<ApiState>,
    caller: Caller,
    Path(key): Path<String>,
    Params(query): Params<KpiQuery>,
) -> Result<Response, Problem> {
    let wanted = query.step_days;
    let asked = query.read(&state, &caller).await?;
    let key: Kpi = key.parse().map_err(|_| Problem::not_found("figure"))?;
    let step = step(wanted, &asked.ask.period)?;
    let found = over_time(&state, &asked, key, step).await?;
    let mut text = sheet_line(["key", "from", "to", "numerator", "denominator", "value"]);
    for point in &found.items {
        text.push_str(&sheet_line([
            key.as_str(),
            &point.from,
            &point.to,
            &point.numerator.to_string(),
            &point.denominator.to_string(),
            &cell(point.value),
        ]));
    }
    Ok(csv(text, key.as_str()))
}
