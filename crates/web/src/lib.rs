//! Room: web. The screens, embedded in the binary at build time and served as one axum fallback.
//!
//! A leaf: it depends on no other room, so that an edit elsewhere never builds the screens again.
//! `build.rs` says where the files come from (`MARCADOR_UI`).

use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use rust_embed::RustEmbed;

mod answer;
mod encoding;

/// Everything vite wrote: `index.html`, `assets/*` with a hash in the name, and `.br` / `.gz` beside them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/ui"]
struct Screens;

/// Fallback service for every path no other route took: files, then `index.html` for the
/// routes of the screens. `/api*`, `/ws*` and unknown `assets/*` are 404. No state, no error.
pub fn service() -> Router {
    Router::new().fallback(serve)
}

async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer::answer(&method, uri.path(), &headers)
}

#[cfg(test)]
#[path = "service_test.rs"]
mod service_test;
