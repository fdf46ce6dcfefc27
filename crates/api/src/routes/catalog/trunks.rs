//! Trunks: routes out. They are made by configuration; their limits may be changed here.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use domain::entity::Trunk;
use domain::ids::TrunkId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/trunks",
    "/trunks/{id}",
    Trunk,
    Trunk,
    TrunkId,
    list_trunks,
    get_trunk
);

/// Most calls at once that a trunk may be set to.
const CHANNELS_MAX: i32 = 10_000;
/// Most call starts a second that a trunk may be set to.
const CPS_MAX: i32 = 1_000;

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, replace))
}

/// Limits of a trunk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrunkBody {
    /// Most calls at once.
    channels: i32,
    /// Most call starts a second.
    cps: i32,
    enabled: bool,
}

/// Sets the limits of a trunk.
#[utoipa::path(put, path = "/trunks/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = TrunkBody, responses((status = 200, description = "Changed", body = doc::Trunk)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TrunkId>,
    Body(body): Body<TrunkBody>,
) -> Result<Json<Trunk>, Problem> {
    caller.of_the_house()?;
    let mut row = state.store.get_trunk(id).await?;
    row.channels = check::range("channels", body.channels, 1, CHANNELS_MAX)?;
    row.cps = check::range("cps", body.cps, 1, CPS_MAX)?;
    row.enabled = body.enabled;
    let event = state.audit(&caller, None, format!("trunk:{}", row.id), "trunk.changed");
    state.store.put_trunk(&row, &[event]).await?;
    state.center.trunk_changed(row.id).await;
    Ok(Json(row))
}
