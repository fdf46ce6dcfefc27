//! Providers' calls: receipts and messages of debtors. Each gateway checks the signature; without one that
//! fits nothing is believed.

use crate::problem::Problem;
use crate::{ApiState, doc};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use center::HookError;
use domain::ports::{Hook, HookFault};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest call, bytes.
const CALL_MAX: usize = 262_144;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(subscribe, told))
}

async fn taken(
    state: &ApiState,
    gateway: &str,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    body: &[u8],
) -> Result<Response, Problem> {
    if body.len() > CALL_MAX {
        let detail = format!("expected at most {CALL_MAX} bytes");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            detail,
        ));
    }
    let pairs: Vec<(String, String)> = headers
        .iter()
        .filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned())))
        .collect();
    let path = uri.path_and_query().map_or("", |p| p.as_str());
    let call = Hook {
        method: method.as_str(),
        path,
        headers: &pairs,
        body,
        at: state.now(),
    };
    match state.center.message_hook(gateway, &call).await {
        Ok(reply) => {
            let kind = match reply.content_type {
                "" => "text/plain; charset=utf-8",
                other => other,
            };
            Ok(([(header::CONTENT_TYPE, kind)], reply.body).into_response())
        }
        Err(HookError::Unknown) => Err(Problem::not_found("gateway")),
        Err(HookError::Fault(fault)) => {
            tracing::warn!(gateway, reason = %fault, "a provider's call is not believed");
            let status = match fault {
                HookFault::Signature => StatusCode::FORBIDDEN,
                HookFault::Body => StatusCode::BAD_REQUEST,
                HookFault::Closed => StatusCode::METHOD_NOT_ALLOWED,
            };
            Err(Problem::new(status, "hook_refused", fault.to_string()))
        }
        Err(HookError::Store(error)) => Err(error.into()),
        Err(early @ HookError::Early) => {
            tracing::debug!(gateway, "a provider's call ahead of its own answer");
            Err(Problem::unavailable(early.to_string()))
        }
    }
}

/// A provider's call by `GET`: the check of a subscription.
#[utoipa::path(get, path = "/hooks/messages/{id}", tag = "messages", params(("id" = String, Path, description = "Name of the gateway")),
    responses((status = 200, description = "What the provider asked for"), (status = 403, body = doc::Problem)))]
async fn subscribe(
    State(state): State<ApiState>,
    Path(gateway): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    taken(&state, &gateway, (&method, &uri, &headers), b"").await
}

/// A provider's call: receipts and messages of debtors.
#[utoipa::path(post, path = "/hooks/messages/{id}", tag = "messages",
    request_body(content = String, content_type = "application/octet-stream"), params(("id" = String, Path, description = "Name of the gateway")),
    responses((status = 200, description = "Written"), (status = 403, body = doc::Problem)))]
async fn told(
    State(state): State<ApiState>,
    Path(gateway): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    taken(&state, &gateway, (&method, &uri, &headers), &body).await
}
