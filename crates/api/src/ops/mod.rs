//! Health, readiness and metrics.

mod figures;
mod metrics;

pub(crate) use figures::{HttpFigures, WebhookSeen};

use crate::ApiState;
use crate::http::UNKNOWN_PATH;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest wait for one part to say that it works.
const PART_MAX: Duration = Duration::from_secs(2);

/// Counts every request; the outermost layer of the router calls it.
pub(crate) async fn measure(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| UNKNOWN_PATH.to_owned(), |path| path.as_str().to_owned());
    let from = Instant::now();
    let response = next.run(request).await;
    state
        .figures
        .request(&method, &route, response.status(), from.elapsed());
    response
}

/// `/healthz`, `/readyz`, `/metrics`: absolute paths.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics_text))
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = String)))]
async fn healthz() -> &'static str {
    "ok"
}

/// Why the product does not take work.
#[derive(Debug, Serialize, ToSchema)]
struct Reason {
    /// `database`, `bus`, `trunks`, `recorder`, `node`.
    part: String,
    /// What is the matter.
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    ready: bool,
    reasons: Vec<Reason>,
    /// What will make it not ready if nobody sees to it.
    warnings: Vec<Reason>,
}

fn reason(part: &str, reason: impl Into<String>) -> Reason {
    Reason {
        part: part.to_owned(),
        reason: reason.into(),
    }
}

async fn database(state: &ApiState) -> Option<Reason> {
    match timeout(PART_MAX, state.store.ping()).await {
        Ok(Ok(_)) => None,
        // What the database says may name hosts and users: that is for the log.
        Ok(Err(_)) => Some(reason("database", "out of reach")),
        Err(_) => Some(reason("database", "no answer within 2 s")),
    }
}

async fn bus(state: &ApiState) -> Option<Reason> {
    match timeout(PART_MAX, state.bus.healthy()).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(reason("bus", "out of reach")),
        Err(_) => Some(reason("bus", "no answer within 2 s")),
    }
}

/// The part that a code of the engine is about, and the code in words.
fn of_engine(code: &str) -> Reason {
    match code {
        "database" => reason("database", "the engine cannot write"),
        "fenced" => reason("node", "another node took this one's place"),
        "draining" => reason("node", "stopping: no new calls"),
        "recorder" => reason("recorder", "calls that must be recorded cannot be"),
        "disk" => reason("recorder", "no disk is left for recordings"),
        "disk_low" => reason("recorder", "the disk for recordings is almost full"),
        "voice" => reason(
            "voice",
            "the telephone side ended by a fault: start the node anew",
        ),
        "trunks" => reason("trunks", "no trunk answers"),
        other => reason("engine", other),
    }
}

/// Whether the product takes work: database, bus, trunks.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Ready), (status = 503, body = Ready)))]
async fn readyz(State(state): State<ApiState>) -> (StatusCode, Json<Ready>) {
    let (database, bus) = tokio::join!(database(&state), bus(&state));
    let engine = state.center.readiness();
    let mut reasons: Vec<Reason> = database.into_iter().chain(bus).collect();
    for code in &engine.reasons {
        let said = of_engine(code);
        if reasons.iter().all(|r| r.part != said.part) {
            reasons.push(said);
        }
    }
    if reasons.is_empty() && !engine.dialing {
        reasons.push(reason("engine", "not dialing"));
    }
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let warnings = engine.warnings.iter().map(|w| of_engine(w)).collect();
    (
        status,
        Json(Ready {
            ready,
            reasons,
            warnings,
        }),
    )
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String)))]
async fn metrics_text(State(state): State<ApiState>) -> Result<Response, Problem> {
    if !state.config.metrics {
        return Err(Problem::not_found("address"));
    }
    database(&state).await;
    let text = metrics::text(&state).await.map_err(|error| {
        tracing::error!(%error, "metrics not written");
        Problem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
