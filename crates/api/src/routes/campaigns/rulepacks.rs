//! Rule packs in force.

use crate::ApiState;
use crate::list::Items;
use crate::state::RulePackInfo;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// All packs, with the sections that are not judged yet.
#[utoipa::path(get, path = "/rulepacks", tag = "campaigns",
    responses((status = 200, description = "All packs", body = Items<RulePackInfo>)))]
async fn list(State(state): State<ApiState>) -> Json<Items<RulePackInfo>> {
    Json(Items::all(state.rulepacks.clone()))
}
