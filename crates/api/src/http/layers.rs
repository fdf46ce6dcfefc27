//! Small layers: time limit, panics, headers.

use crate::problem::Problem;
use crate::state::REPLY_MAX_MS;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Duration;

/// Matches what no other route under `/api` matches.
pub(crate) const UNKNOWN_PATH: &str = "/api/{*rest}";
/// Bodies that are streamed for as long as they come.
const STREAMED: &str = "/api/v1/imports";
/// Only this page's own files, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn path_of(request: &Request) -> &str {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
}

/// Whether a path takes a streamed body.
pub(super) fn is_streamed(path: &str) -> bool {
    path.starts_with(STREAMED)
}

/// Cuts what takes too long: a slow body as well as a slow handler.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    if is_streamed(path_of(&request)) {
        return next.run(request).await;
    }
    let limit = Duration::from_millis(REPLY_MAX_MS);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            format!("no reply within {} s", REPLY_MAX_MS / 1_000),
        )
        .retry_after(1)
        .into_response(),
    }
}

/// A panic ends one request. Its text stays out of the reply and the log: it may hold anything.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert_with(|| HeaderValue::from_static(value));
}

/// Headers that keep browsers from guessing, framing and keeping what they are shown.
pub(super) async fn safe_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, header::CACHE_CONTROL, "no-store");
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    async fn answer(path: &str) -> (StatusCode, String) {
        let app: Router = Router::new()
            .route("/panics", get(async || -> &str { panic!("of Ana Pérez") }))
            .route("/hangs", get(std::future::pending::<&str>))
            .layer(from_fn(in_time))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn(safe_headers));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app.oneshot(request).await.expect("infallible");
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000)
            .await
            .expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    #[tokio::test]
    async fn a_panic_is_one_reply_and_tells_nothing() {
        let (status, body) = answer("/panics").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            body.contains("\"internal\"") && !body.contains("Ana"),
            "{body}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_cut() {
        let (status, body) = answer("/hangs").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("\"timeout\""), "{body}");
    }
}
