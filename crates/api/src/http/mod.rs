//! The front: puts the areas together under the layers that every request passes.

mod docs;
mod document;
mod idempotency;
mod layers;

pub(crate) use idempotency::InFlight;
pub(crate) use layers::UNKNOWN_PATH;

use crate::auth::guard;
use crate::problem::Problem;
use crate::{ApiState, BODY_MAX_BYTES, auth, hosted, ops, routes, ws};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

fn areas() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(document::base())
        .nest("/api/v1", auth::routes().merge(routes::routes()))
        .merge(ops::routes())
        .merge(ws::routes())
        .merge(hosted::routes())
        .merge(docs::routes())
}

/// The OpenAPI 3.1 document of every route, with `x-roles` from the table that enforces access.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::complete(areas().into_openapi())
}

/// The whole surface under its state. The caller serves it with
/// `into_make_service_with_connect_info::<SocketAddr>()` and may add a fallback for other paths.
pub fn router(state: ApiState) -> Router {
    let (router, _) = areas().split_for_parts();
    // Outermost last. What is refused early costs least: the gate comes before any body is read.
    router
        .route(UNKNOWN_PATH, any(unknown))
        .layer(from_fn_with_state(state.clone(), idempotency::layer))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(from_fn_with_state(state.clone(), guard))
        .layer(middleware::from_fn(layers::in_time))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn(layers::safe_headers))
        .layer(from_fn_with_state(state.clone(), ops::measure))
        .with_state(state)
}

async fn unknown() -> Problem {
    Problem::not_found("address")
}
