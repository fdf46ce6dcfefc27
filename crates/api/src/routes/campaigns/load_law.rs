//! What the law says of the list of an accepted file.

use super::drafts::{in_state, own};
use crate::ApiState;
use crate::auth::Caller;
use crate::doc;
use crate::extract::Id;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use center::load_law::LoadLaw;
use domain::entity::ImportState;
use domain::ids::ImportId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(law))
}

/// What the law says now of the debtors whom an accepted file made or changed: a report, which binds nobody. Of a long
/// list it asks about a sample and says so.
#[utoipa::path(get, path = "/imports/{id}/law", tag = "imports", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, description = "The report", body = doc::LoadLawShape),
        (status = 409, description = "`wrong_state`: not accepted", body = doc::Problem)))]
async fn law(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<LoadLaw>, Problem> {
    let row = own(&state, &caller, id).await?;
    in_state(&row, &[ImportState::Accepted])?;
    Ok(Json(state.center.load_law(row).await?))
}
