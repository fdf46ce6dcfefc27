//! Agents' and supervisors' websockets, and the schemas of their messages (README §3).
//!
//! One task reads and decides (`session`, `agent`, `board`), one writes (`outbox`); between them a
//! queue bounded in bytes, so that a slow reader costs 1 MB and nobody else a millisecond.

mod agent;
mod board;
mod limits;
mod outbox;
mod projection;
mod session;
pub mod wire;

use crate::auth::{Caller, Source, bad_origin, entitled, origin_ok};
use crate::extract::Params;
use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::Json;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::entity::Role;
use serde::Deserialize;
use serde_json::Value;
use std::net::IpAddr;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The subprotocol that a client must ask for.
pub(crate) const PROTOCOL: &str = "marcador.v1";

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Entry {
    /// From `POST /api/v1/ws-tickets`.
    ticket: Option<String>,
}

/// `/ws/agent`, `/ws/supervisor`, `/ws/schema.json`: absolute paths.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(schema))
        .routes(routes!(agent_socket))
        .routes(routes!(supervisor_socket))
}

/// JSON Schemas of the socket messages of both directions.
#[utoipa::path(get, path = "/ws/schema.json", tag = "websockets",
    responses((status = 200, body = serde_json::Value)))]
async fn schema() -> Json<Value> {
    Json(wire::schema())
}

/// What came with the request for a socket.
struct Asked {
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    headers: HeaderMap,
    source: IpAddr,
    ticket: Option<String>,
}

/// Checks origin, protocol and ticket, in this order: a request that is refused for its form does
/// not burn the ticket.
async fn admit(state: &ApiState, asked: Asked) -> Result<(WebSocketUpgrade, Caller), Problem> {
    let upgrade = asked
        .upgrade
        .map_err(|e| Problem::bad_request("bad_request", format!("not a websocket: {e}")))?;
    if !origin_ok(&asked.headers, &state.config.origins) {
        return Err(bad_origin());
    }
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(session::FRAME_MAX)
        .max_frame_size(session::FRAME_MAX);
    if upgrade.selected_protocol().is_none() {
        let detail = format!("expected Sec-WebSocket-Protocol: {PROTOCOL}");
        return Err(Problem::bad_request("bad_request", detail));
    }
    let ticket = asked
        .ticket
        .and_then(|name| state.tickets.take(&name, asked.source, state.now()))
        .ok_or_else(Problem::unauthenticated)?;
    if !entitled(state, &ticket.caller).await? {
        return Err(Problem::unauthenticated());
    }
    Ok((upgrade, ticket.caller))
}

/// The agent's socket. Logs the agent in; protocol `marcador.v1`, messages in `/ws/schema.json`.
#[utoipa::path(get, path = "/ws/agent", tag = "websockets", params(Entry),
    responses((status = 101), (status = 400, body = doc::Problem), (status = 401, body = doc::Problem), (status = 403, body = doc::Problem)))]
async fn agent_socket(
    State(state): State<ApiState>,
    Source(source): Source,
    headers: HeaderMap,
    Params(Entry { ticket }): Params<Entry>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let asked = Asked {
        upgrade,
        headers,
        source,
        ticket,
    };
    let (upgrade, caller) = admit(&state, asked).await?;
    if caller.role != Role::Agent {
        return Err(Problem::forbidden("this socket is for agents"));
    }
    let agent = caller.agent()?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = state.figures.socket("agent");
        agent::serve(state.clone(), caller, agent, socket).await;
    }))
}

/// The board's socket; protocol `marcador.v1`, messages in `/ws/schema.json`.
#[utoipa::path(get, path = "/ws/supervisor", tag = "websockets", params(Entry),
    responses((status = 101), (status = 400, body = doc::Problem), (status = 401, body = doc::Problem), (status = 403, body = doc::Problem)))]
async fn supervisor_socket(
    State(state): State<ApiState>,
    Source(source): Source,
    headers: HeaderMap,
    Params(Entry { ticket }): Params<Entry>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let asked = Asked {
        upgrade,
        headers,
        source,
        ticket,
    };
    let (upgrade, caller) = admit(&state, asked).await?;
    if !matches!(caller.role, Role::Supervisor | Role::Manager | Role::Admin) {
        return Err(Problem::forbidden(
            "this socket is for supervisors, managers and admins",
        ));
    }
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = state.figures.socket("supervisor");
        board::serve(state.clone(), caller, socket).await;
    }))
}
