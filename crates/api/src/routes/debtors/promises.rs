//! Promises to pay; they are made by dispositions.

use crate::ApiState;
use crate::routes::catalog::readers;
use domain::entity::Promise;
use domain::ids::PromiseId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "money",
    "/promises",
    "/promises/{id}",
    Promise,
    Promise,
    PromiseId,
    list_promises,
    get_promise
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
}
