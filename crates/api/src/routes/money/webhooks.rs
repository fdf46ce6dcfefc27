//! What payment providers say. Believed by signature alone: there is no login.

use crate::ApiState;
use crate::ops::WebhookSeen;
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use center::ProviderDone;
use domain::ports::PaymentsError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest webhook, bytes: Stripe's are below 100 kB.
const BODY_MAX: usize = 256 * 1024;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(payments))
}

/// A payment provider's webhook: a bad signature is refused and counted, a repeat changes nothing.
#[utoipa::path(post, path = "/webhooks/payments/{provider}", tag = "money",
    params(("provider" = String, Path)),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, description = "Taken; a repeat too"),
        (status = 400, description = "Signature or body do not fit"),
        (status = 404, description = "No such provider here")))]
async fn payments(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let provider = state.config.money.provider.as_ref();
    let provider = provider.filter(|p| p.name() == name);
    let provider = provider.ok_or_else(|| Problem::not_found("payment provider"))?;
    if body.len() > BODY_MAX {
        return Err(Problem::bad_request("bad_webhook", "the body is too long"));
    }
    let signature = headers
        .get("stripe-signature")
        .and_then(|v| v.to_str().ok());
    let read = provider.parse_webhook(signature.unwrap_or(""), &body, machine_now(&state));
    let event = read.map_err(|error| {
        let (seen, code) = match &error {
            PaymentsError::Signature(_) => (WebhookSeen::BadSignature, "bad_signature"),
            _ => (WebhookSeen::BadBody, "bad_webhook"),
        };
        state.figures.webhook(seen);
        tracing::warn!(provider = provider.name(), reason = %error, "webhook refused");
        Problem::bad_request(code, error.to_string())
    })?;
    let done = state.center.provider_said(provider.name(), event).await?;
    state.figures.webhook(match done {
        ProviderDone::Done => WebhookSeen::Done,
        ProviderDone::Nothing => WebhookSeen::Nothing,
        ProviderDone::Waits => WebhookSeen::Waits,
    });
    Ok(StatusCode::OK)
}

/// Signatures carry the world's time, not that of a demo.
fn machine_now(state: &ApiState) -> domain::time::UtcMs {
    state.now().plus_ms(-state.config.clock_offset_ms)
}
