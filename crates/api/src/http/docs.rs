//! `/openapi.json` and the page that shows it; no file from elsewhere.

use crate::ApiState;
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::OnceLock;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const PAGE: &str = include_str!("docs.html");
const SCRIPT: &str = include_str!("docs.js");
const STYLE: &str = include_str!("docs.css");

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(document))
        .routes(routes!(page))
        .routes(routes!(script))
        .routes(routes!(style))
}

fn typed(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text)
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, body = serde_json::Value)))]
async fn document() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        super::openapi()
            .to_json()
            .expect("the document is plain data")
    });
    typed("application/json", text)
}

/// A page for people that shows this document.
#[utoipa::path(get, path = "/docs", tag = "operation",
    responses((status = 200, body = String, content_type = "text/html")))]
async fn page() -> impl IntoResponse {
    typed("text/html; charset=utf-8", PAGE)
}

/// The page's script.
#[utoipa::path(get, path = "/docs/docs.js", tag = "operation",
    responses((status = 200, body = String, content_type = "text/javascript")))]
async fn script() -> impl IntoResponse {
    typed("text/javascript; charset=utf-8", SCRIPT)
}

/// The page's style.
#[utoipa::path(get, path = "/docs/docs.css", tag = "operation",
    responses((status = 200, body = String, content_type = "text/css")))]
async fn style() -> impl IntoResponse {
    typed("text/css; charset=utf-8", STYLE)
}
