//! Calls: legs joined for one conversation.

use crate::ApiState;
use crate::routes::catalog::readers;
use domain::entity::Call;
use domain::ids::CallId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "history",
    "/calls",
    "/calls/{id}",
    Call,
    Call,
    CallId,
    list_calls,
    get_call
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
}
