//! Teams of agents.

use crate::auth::Caller;
use crate::extract::{Body, Id};
use crate::problem::Problem;
use crate::{ApiState, check, doc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::entity::Team;
use domain::ids::TeamId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

readers!(
    "catalog",
    "/teams",
    "/teams/{id}",
    Team,
    Team,
    TeamId,
    list_teams,
    get_team
);

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, replace))
}

/// A team as it is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamBody {
    name: String,
}

async fn save(state: &ApiState, caller: &Caller, row: Team, action: &str) -> Result<Team, Problem> {
    caller.of_the_house()?;
    let event = state.audit(caller, None, format!("team:{}", row.id), action);
    state.store.put_team(&row, &[event]).await?;
    Ok(row)
}

/// Makes a team.
#[utoipa::path(post, path = "/teams", tag = "catalog", request_body = TeamBody,
    responses((status = 201, description = "Made", body = doc::Team)))]
async fn create(
    State(state): State<ApiState>,
    caller: Caller,
    Body(body): Body<TeamBody>,
) -> Result<(StatusCode, Json<Team>), Problem> {
    let row = Team {
        id: TeamId(state.id()),
        name: check::name("name", &body.name)?,
        created_at: state.now(),
    };
    let row = save(&state, &caller, row, "team.made").await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// Replaces a team.
#[utoipa::path(put, path = "/teams/{id}", tag = "catalog", params(("id" = uuid::Uuid, Path)),
    request_body = TeamBody, responses((status = 200, description = "Changed", body = doc::Team)))]
async fn replace(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TeamId>,
    Body(body): Body<TeamBody>,
) -> Result<Json<Team>, Problem> {
    let mut row = state.store.get_team(id).await?;
    row.name = check::name("name", &body.name)?;
    Ok(Json(save(&state, &caller, row, "team.changed").await?))
}
